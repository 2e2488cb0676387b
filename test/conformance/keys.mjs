/**
 * The wrapping keys of an environment, as keyrings. All runtimes have the same, so that each opens what others wrote.
 */
import { fromBase64 } from './support.mjs';

export const PADDINGS = ['oaep-sha1', 'oaep-sha256', 'oaep-sha384', 'oaep-sha512'];

/** Over bytes of that many. */
export function aesKeyring({ rawAesKeyring }, { keys }, length) {
  return rawAesKeyring({ ...aesNames(length), wrappingKey: fromBase64(keys.aes[length]) });
}

/** Over a CryptoKey of that many bytes. */
export async function aesCryptoKeyring({ rawAesKeyring }, { keys }, length) {
  const usages = ['encrypt', 'decrypt'];
  const key = fromBase64(keys.aes[length]);
  const wrappingKey = await crypto.subtle.importKey('raw', key, 'AES-GCM', false, usages);
  return rawAesKeyring({ ...aesNames(length), wrappingKey });
}

/** Over PEM text. */
export function rsaKeyring({ rawRsaKeyring }, { keys }, padding) {
  return rawRsaKeyring({ ...rsaNames(padding), ...keys.rsa });
}

/** Over CryptoKeys. */
export async function rsaCryptoKeyring({ rawRsaKeyring }, { keys }, padding) {
  const algorithm = { name: 'RSA-OAEP', hash: padding.replace('oaep-sha', 'SHA-') };
  const load = (format, pem, usage) => crypto.subtle.importKey(format, der(pem), algorithm, false, [usage]);
  return rawRsaKeyring({
    ...rsaNames(padding),
    publicKey: await load('spki', keys.rsa.publicKey, 'encrypt'),
    privateKey: await load('pkcs8', keys.rsa.privateKey, 'decrypt'),
  });
}

/** KMS keys of two regions, over fetch. */
export function kmsKeyring({ awsKmsFetch }, { kms }, more = {}) {
  const [generatorKeyId, ...keyIds] = kms.arns;
  return awsKmsFetch.awsKmsKeyring({
    generatorKeyId,
    keyIds,
    clientSupplier: fetchClients(awsKmsFetch, kms),
    ...more,
  });
}

/** Clients over fetch, for any region. */
export function fetchClients({ fetchKmsClient }, { endpoint, credentials }) {
  return (region) => fetchKmsClient({ region, endpoint, credentials });
}

function aesNames(length) {
  return { keyNamespace: 'conformance', keyName: `aes-${8 * length}` };
}

function rsaNames(padding) {
  return { keyNamespace: 'conformance', keyName: padding, padding };
}

function der(pem) {
  return fromBase64(pem.replace(/-----.*?-----|\s/g, ''));
}
