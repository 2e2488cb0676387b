/**
 * The raw RSA keyring: wraps data keys under an RSA public key, unwraps them with the private key.
 *
 * Provider information is the key name; the ciphertext is one RSA block. RSA binds no encryption context and proves
 * no sender. Errors say nothing of why a block did not open.
 * Source: AWS Encryption SDK specification, `framework/raw-rsa-keyring.md`.
 */
import { type Bytes, copy, equal } from '../bytes.ts';
import type { MaybePromise, RsaDecryptor, RsaEncryptor, RsaPadding, WebCryptoKey } from '../crypto/crypto.ts';
import { defaultCrypto } from '../crypto/default-crypto.ts';
import { platformRandom } from '../crypto/random.ts';
import { turns } from '../deadline.ts';
import type { EncryptedDataKey } from '../encrypted-data-key.ts';
import {
  authenticationFailed,
  checkOptions,
  type DecryptAttempt,
  FramesealError,
  invalidArgument,
  kindOf,
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
  readonly publicKey?: string | WebCryptoKey | undefined;
  /** Needed to decrypt: PEM text `PRIVATE KEY` (PKCS#8), or an RSA-OAEP CryptoKey with usage decrypt. */
  readonly privateKey?: string | WebCryptoKey | undefined;
}

const NAME = 'rawRsaKeyring';
const PADDINGS: readonly string[] = ['pkcs1', 'oaep-sha1', 'oaep-sha256', 'oaep-sha384', 'oaep-sha512'];

/**
 * A keyring over one RSA key pair, or half of it.
 * @throws FramesealError `INVALID_ARGUMENT`; `UNSUPPORTED` for PKCS#1 v1.5 without raw RSA, at the first use where
 *   keys are loaded asynchronously.
 */
export function rawRsaKeyring(options: RawRsaKeyringOptions): Keyring {
  checkOptions(options, ['keyNamespace', 'keyName', 'padding', 'publicKey', 'privateKey']);
  const keyring = new RawRsaKeyring(options);
  return markOurs({
    onEncrypt: (materials: EncryptionMaterials, call: OnEncryptOptions) => keyring.onEncrypt(materials, call),
    onDecrypt: (materials: DecryptionMaterials, edks: readonly EncryptedDataKey[], call: OnDecryptOptions) =>
      keyring.onDecrypt(materials, edks, call),
  });
}

class RawRsaKeyring {
  readonly #options: RawRsaKeyringOptions;
  readonly #providerInfo: Bytes;
  readonly #encryptor: MaybePromise<RsaEncryptor> | undefined;
  readonly #decryptor: MaybePromise<RsaDecryptor> | undefined;

  constructor(options: RawRsaKeyringOptions) {
    const { keyNamespace, keyName, padding, publicKey, privateKey } = options;
    checkKeyNamespace(keyNamespace);
    if (!PADDINGS.includes(padding))
      throw invalidArgument('padding', `one of ${PADDINGS.join(', ')}`, quote(padding));
    if (publicKey === undefined && privateKey === undefined) {
      throw invalidArgument('publicKey', 'a public key, a private key in "privateKey", or both', 'neither');
    }
    this.#options = { ...options };
    this.#providerInfo = keyNameBytes(keyName);
    this.#encryptor = load('publicKey', publicKey, (key) => defaultCrypto().rsaEncryptor(padding, key));
    this.#decryptor = load('privateKey', privateKey, (key) => defaultCrypto().rsaDecryptor(padding, key));
  }

  async onEncrypt(
    materials: EncryptionMaterials,
    { signal, random = platformRandom }: OnEncryptOptions,
  ): Promise<EncryptionMaterials> {
    throwIfAborted(signal);
    const { keyNamespace, keyName } = this.#options;
    if (this.#encryptor === undefined) {
      throw new FramesealError(
        'INVALID_ARGUMENT',
        `${NAME} "${keyName}" has no publicKey, so it cannot encrypt`,
      );
    }
    const plaintextDataKey = materials.plaintextDataKey ?? random(materials.algorithmSuite.keyLength);
    const ciphertext = await this.#wrap(await this.#encryptor, plaintextDataKey);
    const edk = { providerId: keyNamespace, providerInfo: copy(this.#providerInfo), ciphertext };
    return { ...materials, plaintextDataKey, encryptedDataKeys: [...materials.encryptedDataKeys, edk] };
  }

  async onDecrypt(
    materials: DecryptionMaterials,
    encryptedDataKeys: readonly EncryptedDataKey[],
    { signal, confirmDataKey }: OnDecryptOptions,
  ): Promise<DecryptionMaterials> {
    refuseDataKey(materials);
    const edks = encryptedDataKeys.filter((edk) => this.#matches(edk));
    if (edks.length === 0) return materials;
    if (this.#decryptor === undefined)
      throw noDataKey(edks.map((edk) => attempt(edk, NAME, 'the keyring has no privateKey')));
    const pkcs1 = this.#options.padding === 'pkcs1';
    const confirm = pkcs1 && confirmDataKey ? confirmDataKey : async () => true;
    const rsa = await this.#decryptor;
    const attempts: DecryptAttempt[] = [];
    const turn = turns(signal);
    for (const edk of edks) {
      await turn();
      const opened = await unwrap(rsa, edk, materials);
      if (opened && (await confirm(opened))) return opened;
      opened?.plaintextDataKey.fill(0);
      attempts.push(attempt(edk, NAME, 'the RSA key did not open it'));
    }
    // A PKCS#1 key that was opened and not confirmed is told from one that was not opened by nobody.
    throw pkcs1 ? authenticationFailed() : noDataKey(attempts);
  }

  #matches(edk: EncryptedDataKey): boolean {
    return edk.providerId === this.#options.keyNamespace && equal(edk.providerInfo, this.#providerInfo);
  }

  async #wrap(rsa: RsaEncryptor, dataKey: Uint8Array): Promise<Bytes> {
    try {
      return await rsa.encrypt(dataKey);
    } catch (cause) {
      const { keyName, padding } = this.#options;
      const what = `${NAME} "${keyName}" cannot wrap ${dataKey.length} bytes with ${padding}: the key is too small`;
      throw new FramesealError('INVALID_ARGUMENT', what, { cause });
    }
  }
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

// Keys are loaded with the keyring, so that a wrong key fails where it is written; an asynchronous failure waits for
// the first use and is not an unhandled rejection before it.
function load<T>(
  argument: string,
  key: string | WebCryptoKey | undefined,
  loader: (key: string | WebCryptoKey) => MaybePromise<T>,
): MaybePromise<T> | undefined {
  if (key === undefined) return undefined;
  if (typeof key !== 'string' && typeof key?.algorithm?.name !== 'string') {
    throw invalidArgument(argument, 'PEM text or a CryptoKey', kindOf(key));
  }
  const loaded = loader(key);
  if (loaded instanceof Promise) loaded.catch(() => {});
  return loaded;
}
