/**
 * The keys that a pinned secret of 32 bytes stands for: HKDF-SHA-512 (RFC 5869) without a salt, under fixed labels.
 *
 * ```
 * info, ASCII                                            bytes
 * frameseal/det/v1/siv                                   64   AES-256-SIV: the first half authenticates, the second encrypts
 * frameseal/det/v1/id                                     8   key id, public
 * frameseal/det/v1/index | u32 length | field, UTF-8     32   HMAC-SHA-512, one key for each field
 * ```
 * No info is the beginning of another's, and the length says where the field ends: no two keys share an info.
 */
import { type Bytes, utf8, Writer } from '../bytes.ts';
import { defaultCrypto } from '../crypto/default-crypto.ts';

/** Bytes of a pinned secret. */
export const SECRET_LENGTH = 32;
/** Bytes of a key id. */
export const KEY_ID_LENGTH = 8;

const SIV_KEY_LENGTH = 64;
const INDEX_KEY_LENGTH = 32;
const [SIV_INFO, ID_INFO, INDEX_INFO] = ['siv', 'id', 'index'].map((use) => utf8(`frameseal/det/v1/${use}`)!);
const NO_SALT = new Uint8Array(0);

/** The key of AES-SIV, which is the caller's to wipe, and the key id. */
export async function derivePinnedKeys(secret: Uint8Array): Promise<{ sivKey: Bytes; keyId: Bytes }> {
  const outputs = [
    { info: SIV_INFO!, length: SIV_KEY_LENGTH },
    { info: ID_INFO!, length: KEY_ID_LENGTH },
  ];
  const [sivKey, keyId] = await defaultCrypto().hkdf('SHA-512', secret, NO_SALT, outputs);
  return { sivKey: sivKey!, keyId: keyId! };
}

/** The index key of a field. It is the caller's to wipe. */
export async function deriveIndexKey(secret: Uint8Array, field: Uint8Array): Promise<Bytes> {
  const info = new Writer(INDEX_INFO!.length + 4 + field.length)
    .put(INDEX_INFO!)
    .u32(field.length)
    .put(field).bytes;
  const [indexKey] = await defaultCrypto().hkdf('SHA-512', secret, NO_SALT, [
    { info, length: INDEX_KEY_LENGTH },
  ]);
  return indexKey!;
}
