/**
 * The wrapping keys, and the encrypted data keys that they make.
 */
import { constants, generateKeyPairSync, publicEncrypt } from 'node:crypto';
import { draw } from './draw.mjs';
import { gcm, serialize, u32 } from './message.mjs';

export const NAMESPACE = 'frameseal vectors';
const AES = ['aes-128', 'aes-192', 'aes-256'];
const OAEP = ['sha1', 'sha256', 'sha384', 'sha512'];

/** Wrapping keys by name: AES of three lengths, one RSA key with five paddings. */
export const WRAPPING = [...AES, ...OAEP.map((hash) => `rsa-oaep-${hash}`), 'rsa-pkcs1'];

/** `keys.json`. The RSA key is kept: it cannot be made the same twice. */
export function makeKeys(old) {
  const symmetric = (name) => {
    const bits = Number(name.slice(4));
    return entry(name, 'symmetric', 'aes', bits, 'base64', draw(name, bits / 8).toString('base64'));
  };
  const rsa = old ?? newRsa();
  return {
    manifest: { type: 'keys', version: 3 },
    keys: { ...Object.fromEntries(AES.map((name) => [name, symmetric(name)])), ...pick(rsa) },
  };
}

function newRsa() {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const pem = (key, type) => key.export({ type, format: 'pem' });
  return {
    'rsa-2048-private': entry('rsa-2048', 'private', 'rsa', 2048, 'pem', pem(privateKey, 'pkcs8')),
    'rsa-2048-public': entry('rsa-2048', 'public', 'rsa', 2048, 'pem', pem(publicKey, 'spki')),
  };
}

function pick(keys) {
  return { 'rsa-2048-private': keys['rsa-2048-private'], 'rsa-2048-public': keys['rsa-2048-public'] };
}

function entry(keyId, type, algorithm, bits, encoding, material) {
  return {
    encrypt: type !== 'private',
    decrypt: type !== 'public',
    type,
    'key-id': keyId,
    algorithm,
    bits,
    encoding,
    material,
  };
}

/** A wrapping key as the manifest names it. */
export function masterKey(wrapping) {
  const common = { type: 'raw', 'provider-id': NAMESPACE };
  if (AES.includes(wrapping)) return { ...common, key: wrapping, 'encryption-algorithm': 'aes' };
  const rsa = { ...common, key: 'rsa-2048-private', 'encryption-algorithm': 'rsa' };
  if (wrapping === 'rsa-pkcs1') return { ...rsa, 'padding-algorithm': 'pkcs1' };
  return { ...rsa, 'padding-algorithm': 'oaep-mgf1', 'padding-hash': wrapping.slice('rsa-oaep-'.length) };
}

/** The encrypted data key of a raw AES key. What is wrong with it may be said in `fault`. */
export function aesEdk(keys, wrapping, { dataKey, pairs }, fault = {}) {
  const key = Buffer.from(keys[wrapping].material, 'base64');
  const iv = draw(`${wrapping} iv ${dataKey.toString('hex')}`, 12);
  const name = Buffer.from(fault.keyName ?? wrapping);
  const { ciphertext, tag } = gcm(key, iv, serialize(fault.pairs ?? pairs), dataKey);
  return {
    id: fault.id ?? Buffer.from(NAMESPACE),
    info: fault.info?.(name, iv) ?? Buffer.concat([name, u32(128), u32(12), iv]),
    ciphertext: Buffer.concat([ciphertext, tag]),
  };
}

/** The encrypted data key of the RSA key. */
export function rsaEdk(keys, wrapping, { dataKey }) {
  const key = keys['rsa-2048-public'].material;
  const options =
    wrapping === 'rsa-pkcs1'
      ? { key, padding: constants.RSA_PKCS1_PADDING }
      : { key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: wrapping.slice('rsa-oaep-'.length) };
  return {
    id: Buffer.from(NAMESPACE),
    info: Buffer.from('rsa-2048'),
    ciphertext: publicEncrypt(options, dataKey),
  };
}

/** The encrypted data key of any of them. */
export function edk(keys, wrapping, materials) {
  return AES.includes(wrapping) ? aesEdk(keys, wrapping, materials) : rsaEdk(keys, wrapping, materials);
}
