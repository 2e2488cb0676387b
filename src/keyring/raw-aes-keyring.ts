/**
 * The raw AES keyring: wraps data keys with AES-GCM under a key that the caller holds.
 *
 * ```
 * provider information: key name | u32 tag length in bits, 128 | u32 IV length in bytes, 12 | IV 12
 * ciphertext:           data key, encrypted | tag 16            AAD: the serialised encryption context
 * ```
 * Source: AWS Encryption SDK specification, `framework/raw-aes-keyring.md`.
 */
import { type Bytes, concat, copy, startsWith, Writer } from '../bytes.ts';
import type { AesKey, RandomSource, WebCryptoKey } from '../crypto/crypto.ts';
import { defaultCrypto } from '../crypto/default-crypto.ts';
import { platformRandom } from '../crypto/random.ts';
import { turns } from '../deadline.ts';
import type { EncryptedDataKey } from '../encrypted-data-key.ts';
import { serializeContext } from '../encryption-context.ts';
import {
  checkOptions,
  type DecryptAttempt,
  invalidArgument,
  kindOf,
  quote,
  throwIfAborted,
} from '../errors.ts';
import { markOurs } from '../materials/data-key.ts';
import type { DecryptionMaterials, EncryptionMaterials } from '../materials/materials.ts';
import { IV_LENGTH, TAG_LENGTH } from '../suite/algorithm-suites.ts';
import {
  attempt,
  type Keyring,
  noDataKey,
  type OnDecryptOptions,
  type OnEncryptOptions,
  refuseDataKey,
} from './keyring.ts';
import { checkKeyNamespace, keyNameBytes } from './raw-key-names.ts';

/** Options of {@link rawAesKeyring}. */
export interface RawAesKeyringOptions {
  /** The key provider id. Not one that begins with `aws-kms`. */
  readonly keyNamespace: string;
  /** Names the wrapping key within the namespace. */
  readonly keyName: string;
  /** 16, 24 or 32 bytes, which are copied; or an AES-GCM CryptoKey with usages encrypt or decrypt, or both. */
  readonly wrappingKey: Uint8Array | WebCryptoKey;
}

const NAME = 'rawAesKeyring';

/**
 * A keyring over one AES wrapping key. Wrap at most 2^32 data keys under one key: the IVs are random
 * (NIST SP 800-38D section 8.3).
 * @throws FramesealError `INVALID_ARGUMENT`
 */
export function rawAesKeyring(options: RawAesKeyringOptions): Keyring {
  checkOptions(options, ['keyNamespace', 'keyName', 'wrappingKey']);
  const { keyNamespace, wrappingKey } = options;
  checkKeyNamespace(keyNamespace);
  const infoPrefix = providerInfoPrefix(keyNameBytes(options.keyName));
  const key = checkWrappingKey(wrappingKey);
  const matches = (edk: EncryptedDataKey) =>
    edk.providerId === keyNamespace &&
    edk.providerInfo.length === infoPrefix.length + IV_LENGTH &&
    startsWith(edk.providerInfo, infoPrefix);

  async function onEncrypt(
    materials: EncryptionMaterials,
    { signal, random = platformRandom }: OnEncryptOptions,
  ) {
    throwIfAborted(signal);
    checkUsage(key, 'encrypt');
    const { keyLength } = materials.algorithmSuite;
    const plaintextDataKey = materials.plaintextDataKey ?? random(keyLength);
    const edk = await wrap(materials, plaintextDataKey, random);
    return { ...materials, plaintextDataKey, encryptedDataKeys: [...materials.encryptedDataKeys, edk] };
  }

  async function wrap(
    materials: EncryptionMaterials,
    dataKey: Uint8Array,
    random: RandomSource,
  ): Promise<EncryptedDataKey> {
    const iv = random(IV_LENGTH);
    const aad = serializeContext(materials.encryptionContext);
    const ciphertext = await defaultCrypto().aesGcmSeal(key, iv, aad, dataKey);
    return { providerId: keyNamespace, providerInfo: concat(infoPrefix, iv), ciphertext };
  }

  async function onDecrypt(
    materials: DecryptionMaterials,
    encryptedDataKeys: readonly EncryptedDataKey[],
    { signal }: OnDecryptOptions,
  ): Promise<DecryptionMaterials> {
    refuseDataKey(materials);
    checkUsage(key, 'decrypt');
    const attempts: DecryptAttempt[] = [];
    const aad = serializeContext(materials.encryptionContext);
    const turn = turns(signal);
    for (const edk of encryptedDataKeys.filter(matches)) {
      await turn();
      const plaintextDataKey = await unwrap(edk, aad, materials.algorithmSuite.keyLength);
      if (plaintextDataKey !== undefined) return { ...materials, plaintextDataKey };
      attempts.push(
        attempt(edk, NAME, 'the wrapping key or the encryption context is not the one it was wrapped with'),
      );
    }
    if (attempts.length > 0) throw noDataKey(attempts);
    return materials;
  }

  // A wrong length and a wrong tag are told apart by nobody.
  async function unwrap(edk: EncryptedDataKey, aad: Bytes, keyLength: number): Promise<Bytes | undefined> {
    if (edk.ciphertext.length !== keyLength + TAG_LENGTH) return undefined;
    return defaultCrypto().aesGcmOpen(key, edk.providerInfo.slice(infoPrefix.length), aad, edk.ciphertext);
  }

  return markOurs({ onEncrypt, onDecrypt });
}

function providerInfoPrefix(keyName: Bytes): Bytes {
  return concat(keyName, new Writer(8).u32(TAG_LENGTH * 8).u32(IV_LENGTH).bytes);
}

function checkWrappingKey(key: Uint8Array | WebCryptoKey): AesKey {
  if (key instanceof Uint8Array) {
    if (![16, 24, 32].includes(key.length)) {
      throw invalidArgument('wrappingKey', '16, 24 or 32 bytes', kindOf(key));
    }
    return copy(key);
  }
  const name = key?.algorithm?.name;
  if (name === undefined)
    throw invalidArgument('wrappingKey', '16, 24 or 32 bytes or a CryptoKey', kindOf(key));
  if (name !== 'AES-GCM') throw invalidArgument('wrappingKey', 'an AES-GCM CryptoKey', quote(name));
  return key;
}

function checkUsage(key: AesKey, usage: string): void {
  if (!(key instanceof Uint8Array) && !key.usages.includes(usage)) {
    throw invalidArgument('wrappingKey', `a CryptoKey with usage ${usage}`, quote(key.usages.join(', ')));
  }
}
