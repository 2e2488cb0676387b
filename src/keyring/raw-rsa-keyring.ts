/**
 * The raw RSA keyring: wraps data keys under an RSA public key, unwraps them with the private key.
 *
 * Provider information is the key name; the ciphertext is one RSA block. RSA binds no encryption context and proves
 * no sender. Errors say nothing of why a block did not open.
 * Source: AWS Encryption SDK specification, `framework/raw-rsa-keyring.md`.
 */
import { type Bytes, equal } from '../bytes.ts';
import type { RsaDecryptor, RsaEncryptor, RsaPadding } from '../crypto/crypto.ts';
import { defaultCrypto } from '../crypto/default-crypto.ts';
import { platformRandom } from '../crypto/random.ts';
import type { EncryptedDataKey } from '../encrypted-data-key.ts';
import {
  authenticationFailed,
  type DecryptAttempt,
  FramesealError,
  invalidArgument,
  quote,
  throwIfAborted,
} from '../errors.ts';
import { markOurs } from '../materials/data-key.ts';
import type { DecryptionMaterials, EncryptionMaterials } from '../materials/materials.ts';
import {
  attempt,
  type Keyring,
  noDataKey,
  type OnDecryptOptions,
  type OnEncryptOptions,
  refuseDataKey,
} from './keyring.ts';
import { checkKeyNamespace, keyNameBytes } from './raw-key-names.ts';

/** Options of {@link rawRsaKeyring}. */
export interface RawRsaKeyringOptions {
  /** The key provider id. Not one that begins with `aws-kms`. */
  readonly keyNamespace: string;
  /** Names the wrapping key within the namespace. */
  readonly keyName: string;
  /** `pkcs1` only to read old messages: it needs raw RSA, which WebCrypto has not. */
  readonly padding: RsaPadding;
  /** Needed to encrypt: PEM text `PUBLIC KEY` (SPKI), or an RSA-OAEP CryptoKey with usage encrypt. */
  readonly publicKey?: string | CryptoKey;
  /** Needed to decrypt: PEM text `PRIVATE KEY` (PKCS#8), or an RSA-OAEP CryptoKey with usage decrypt. */
  readonly privateKey?: string | CryptoKey;
}

const NAME = 'rawRsaKeyring';
const PADDINGS: readonly string[] = ['pkcs1', 'oaep-sha1', 'oaep-sha256', 'oaep-sha384', 'oaep-sha512'];

/**
 * A keyring over one RSA key pair, or half of it.
 * @throws FramesealError `INVALID_ARGUMENT`; `UNSUPPORTED` for PKCS#1 v1.5 without raw RSA, at the first use where
 *   keys are loaded asynchronously.
 */
export function rawRsaKeyring(options: RawRsaKeyringOptions): Keyring {
  const { keyNamespace, padding, publicKey, privateKey } = options;
  checkKeyNamespace(keyNamespace);
  const providerInfo = keyNameBytes(options.keyName);
  if (!PADDINGS.includes(padding))
    throw invalidArgument('padding', `one of ${PADDINGS.join(', ')}`, quote(padding));
  if (publicKey === undefined && privateKey === undefined) {
    throw invalidArgument('publicKey', 'a public key, a private key in "privateKey", or both', 'neither');
  }
  const encryptor = load(publicKey, (key) => defaultCrypto().rsaEncryptor(padding, key));
  const decryptor = load(privateKey, (key) => defaultCrypto().rsaDecryptor(padding, key));
  const matches = (edk: EncryptedDataKey) =>
    edk.providerId === keyNamespace && equal(edk.providerInfo, providerInfo);

  async function onEncrypt(
    materials: EncryptionMaterials,
    { signal, random = platformRandom }: OnEncryptOptions,
  ) {
    throwIfAborted(signal);
    if (encryptor === undefined) {
      throw new FramesealError(
        'INVALID_ARGUMENT',
        `${NAME} "${options.keyName}" has no publicKey, so it cannot encrypt`,
      );
    }
    const plaintextDataKey = materials.plaintextDataKey ?? random(materials.algorithmSuite.keyLength);
    const ciphertext = await wrap(await encryptor, plaintextDataKey);
    const edk = { providerId: keyNamespace, providerInfo, ciphertext };
    return { ...materials, plaintextDataKey, encryptedDataKeys: [...materials.encryptedDataKeys, edk] };
  }

  async function wrap(rsa: RsaEncryptor, dataKey: Uint8Array): Promise<Bytes> {
    try {
      return await rsa.encrypt(dataKey);
    } catch (cause) {
      const what = `${NAME} "${options.keyName}" cannot wrap ${dataKey.length} bytes with ${padding}: the key is too small`;
      throw new FramesealError('INVALID_ARGUMENT', what, { cause });
    }
  }

  async function onDecrypt(
    materials: DecryptionMaterials,
    encryptedDataKeys: readonly EncryptedDataKey[],
    { signal, confirmDataKey }: OnDecryptOptions,
  ): Promise<DecryptionMaterials> {
    refuseDataKey(materials);
    const edks = encryptedDataKeys.filter(matches);
    const rsa = decryptor && edks.length > 0 ? await decryptor : undefined;
    const attempts: DecryptAttempt[] = [];
    for (const edk of edks) {
      throwIfAborted(signal);
      const opened = rsa && (await unwrap(rsa, edk, materials));
      const provisional = padding === 'pkcs1' && confirmDataKey !== undefined;
      if (opened && (!provisional || (await confirmDataKey(opened)))) return opened;
      opened?.plaintextDataKey?.fill(0);
      attempts.push(
        attempt(edk, NAME, rsa ? 'the RSA key did not open it' : 'the keyring has no privateKey'),
      );
    }
    if (attempts.length === 0) return materials;
    // A PKCS#1 key that was opened and not confirmed is told from one that was not opened by nobody.
    if (rsa && padding === 'pkcs1') throw authenticationFailed();
    throw noDataKey(attempts);
  }

  async function unwrap(
    rsa: RsaDecryptor,
    edk: EncryptedDataKey,
    materials: DecryptionMaterials,
  ): Promise<(DecryptionMaterials & { plaintextDataKey: Bytes }) | undefined> {
    const { keyLength } = materials.algorithmSuite;
    const plaintextDataKey = await rsa.decrypt(edk.ciphertext, keyLength);
    return plaintextDataKey?.length === keyLength ? { ...materials, plaintextDataKey } : undefined;
  }

  return markOurs({ onEncrypt, onDecrypt });
}

// Keys are loaded with the keyring, so that a wrong key fails where it is written; an asynchronous failure waits for
// the first use and is not an unhandled rejection before it.
function load<T>(
  key: string | CryptoKey | undefined,
  loader: (key: string | CryptoKey) => T | Promise<T>,
): T | Promise<T> | undefined {
  if (key === undefined) return undefined;
  const loaded = loader(key);
  if (loaded instanceof Promise) loaded.catch(() => {});
  return loaded;
}
