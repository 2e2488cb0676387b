/**
 * Deterministic encryption of fields, and blind indices, under a pinned secret.
 *
 * ```
 * ciphertext   u8 version, 01 | 8 key id | 16 SIV | as many bytes as the plaintext has
 * index        the first 16 to 64 bytes of HMAC-SHA-512(index key of the field, value)
 * ```
 * SIV and what follows are AES-256-SIV (RFC 5297) of the plaintext, with always three strings as associated data:
 *
 * ```
 * version | key id
 * field, UTF-8
 * context, serialised as in a message's header; no bytes if it has no pairs
 * ```
 * S2V takes a vector of strings and tells each from the next, so no field and context can stand for another pair of them.
 * Where the keys come from is in pinned-keys.ts.
 */
import { type Bytes, concat, copy, equal, hex, utf8 } from '../bytes.ts';
import { defaultCrypto } from '../crypto/default-crypto.ts';
import { type ContextInput, callerContext, serializeContext } from '../encryption-context.ts';
import { authenticationFailed, checkOptions, FramesealError, invalidArgument, kindOf } from '../errors.ts';
import { checkBytes, checkInteger } from '../options.ts';
import { openSiv, SIV_LENGTH, sealSiv } from './aes-siv.ts';
import { deriveIndexKey, derivePinnedKeys, KEY_ID_LENGTH } from './pinned-keys.ts';

/** Where a value belongs. */
export interface FieldOptions {
  /** The name of the field, such as `users.email`: text that is not empty, compared byte for byte. */
  readonly field: string;
  /** Pairs that are authenticated and not stored: to decrypt takes the same ones, in any order. Default: none. */
  readonly context?: ContextInput | undefined;
}

/** Options of {@link PinnedDataKey.index}. */
export interface IndexOptions {
  /** The name of the field, such as `users.email`: text that is not empty, compared byte for byte. */
  readonly field: string;
  /** Bytes of the index, 16 to 64, default 32. A shorter index is the beginning of a longer one. */
  readonly length?: number | undefined;
}

/**
 * An opened pinned data key. Calls that have begun before `dispose` end as if it had not been; all later ones fail with
 * `INVALID_ARGUMENT`.
 */
export interface PinnedDataKey {
  /** 8 bytes that tell pinned data keys apart. Not secret: bytes 1 to 8 of every ciphertext. */
  readonly keyId: Bytes;
  /**
   * Encrypts a value: the same value, field and context give the same ciphertext, 25 bytes longer than the plaintext.
   * @param plaintext at most 16 MiB. It has been read when the call returns.
   * @throws FramesealError `INVALID_ARGUMENT`; `LIMIT_EXCEEDED` for a longer plaintext, or a context above 65,535 bytes
   */
  encrypt(plaintext: Uint8Array, options: FieldOptions): Promise<Bytes>;
  /**
   * Decrypts what `encrypt` made under the same pinned data key, field and context. The ciphertext has been read when the
   * call returns.
   * @throws FramesealError `TRUNCATED` below 25 bytes; `INVALID_MESSAGE` for another version; `NO_DATA_KEY` for another
   *   pinned data key; `AUTHENTICATION_FAILED` for another field or context, or altered bytes; `INVALID_ARGUMENT`,
   *   `LIMIT_EXCEEDED`
   */
  decrypt(ciphertext: Uint8Array, options: FieldOptions): Promise<Bytes>;
  /**
   * A blind index: the same value and field give the same bytes, from which nobody without the key learns the value.
   * @param value any bytes, of any length. They are read until the promise settles.
   * @throws FramesealError `INVALID_ARGUMENT`
   */
  index(value: Uint8Array, options: IndexOptions): Promise<Bytes>;
  /** Wipes the keys. */
  dispose(): void;
  [Symbol.dispose](): void;
}

const VERSION = 1;
const START_LENGTH = 1 + KEY_ID_LENGTH;
const OVERHEAD = START_LENGTH + SIV_LENGTH;
const MAX_PLAINTEXT_LENGTH = 16 * 2 ** 20;

/** @param secret 32 bytes, which belong to the key from now on. They are wiped if this fails. */
export async function pinnedDataKey(secret: Bytes): Promise<PinnedDataKey> {
  try {
    const { sivKey, keyId } = await derivePinnedKeys(secret);
    return new OpenKey(secret, sivKey, keyId);
  } catch (error) {
    secret.fill(0);
    throw error;
  }
}

class OpenKey implements PinnedDataKey {
  readonly keyId: Bytes;
  readonly #start: Bytes;
  readonly #secret: Bytes;
  readonly #sivKey: Bytes;
  #disposed = false;

  constructor(secret: Bytes, sivKey: Bytes, keyId: Bytes) {
    this.keyId = keyId;
    this.#start = concat(Uint8Array.of(VERSION), keyId);
    this.#secret = secret;
    this.#sivKey = sivKey;
  }

  async encrypt(plaintext: Uint8Array, options: FieldOptions): Promise<Bytes> {
    this.#checkUsable();
    checkBytes('plaintext', plaintext);
    const associatedData = this.#associatedData(options);
    checkLength('plaintext', plaintext.length, MAX_PLAINTEXT_LENGTH);
    return concat(this.#start, sealSiv(this.#sivKey, associatedData, plaintext));
  }

  async decrypt(ciphertext: Uint8Array, options: FieldOptions): Promise<Bytes> {
    this.#checkUsable();
    checkBytes('ciphertext', ciphertext);
    const associatedData = this.#associatedData(options);
    checkStart(ciphertext, this.#start);
    const plaintext = openSiv(this.#sivKey, associatedData, ciphertext.subarray(START_LENGTH));
    if (plaintext === undefined) throw authenticationFailed();
    return plaintext;
  }

  async index(value: Uint8Array, options: IndexOptions): Promise<Bytes> {
    this.#checkUsable();
    checkBytes('value', value);
    checkOptions(options, ['field', 'length']);
    const { length = 32 } = options;
    checkInteger('length', length, 16, 64);
    const secret = copy(this.#secret); // `dispose` may come between
    let indexKey: Bytes | undefined;
    try {
      indexKey = await deriveIndexKey(secret, fieldBytes(options.field));
      const mac = await defaultCrypto().hmac('SHA-512', indexKey, value);
      return mac.slice(0, length);
    } finally {
      secret.fill(0);
      indexKey?.fill(0);
    }
  }

  dispose(): void {
    this.#disposed = true;
    this.#secret.fill(0);
    this.#sivKey.fill(0);
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #checkUsable(): void {
    if (!this.#disposed) return;
    throw new FramesealError(
      'INVALID_ARGUMENT',
      'the pinned data key has been disposed of: open it again with openPinnedDataKey',
    );
  }

  #associatedData(options: FieldOptions): readonly Uint8Array[] {
    checkOptions(options, ['field', 'context']);
    return [this.#start, fieldBytes(options.field), serializeContext(callerContext(options.context))];
  }
}

function fieldBytes(field: string): Bytes {
  const bytes = typeof field === 'string' ? utf8(field) : undefined;
  if (bytes === undefined || bytes.length === 0) {
    throw invalidArgument('field', 'the name of a field: well-formed text that is not empty', kindOf(field));
  }
  return bytes;
}

function checkStart(ciphertext: Uint8Array, start: Bytes): void {
  if (ciphertext.length < OVERHEAD) {
    throw new FramesealError(
      'TRUNCATED',
      `a deterministic ciphertext has at least ${OVERHEAD} bytes, this one ${ciphertext.length}`,
    );
  }
  checkLength('ciphertext', ciphertext.length, OVERHEAD + MAX_PLAINTEXT_LENGTH);
  if (ciphertext[0] !== VERSION) {
    throw new FramesealError(
      'INVALID_MESSAGE',
      `not a deterministic ciphertext: it begins with ${hex(ciphertext.subarray(0, 1))}, expected the version, ${hex(start.subarray(0, 1))}`,
    );
  }
  const keyId = ciphertext.subarray(1, START_LENGTH);
  if (equal(keyId, start.subarray(1))) return;
  throw new FramesealError(
    'NO_DATA_KEY',
    `the ciphertext names the pinned data key ${hex(keyId)}; this one is ${hex(start.subarray(1))}: decrypt it with the one that it names`,
  );
}

function checkLength(what: string, length: number, max: number): void {
  if (length <= max) return;
  throw new FramesealError(
    'LIMIT_EXCEEDED',
    `the ${what} has ${length} bytes; a pinned data key takes up to ${max}: it is for fields, encrypt() for everything else`,
  );
}
