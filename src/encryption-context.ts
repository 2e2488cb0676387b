/**
 * The encryption context: pairs of text that are authenticated with a message, and stored in its header.
 *
 * ```
 * u16 pair count | ( u16 length | key, UTF-8 | u16 length | value, UTF-8 ) ...   sorted by the bytes of the key
 * ```
 * An empty context serialises to no bytes at all. Source: AWS Encryption SDK specification,
 * `framework/structures.md#encryption-context` and `data-format/message-header.md#aad`.
 */
import { type Bytes, compare, copy, isWellFormed, Reader, utf8, utf8Text, Writer } from './bytes.ts';
import { escapeText, FramesealError, invalidArgument, kindOf, quote } from './errors.ts';

/** An encryption context. Results have no prototype, so `__proto__` is an ordinary key. */
export type Context = Readonly<Record<string, string>>;
/** What callers may pass: a plain object or a Map. */
export type ContextInput = Context | ReadonlyMap<string, string>;

/** Under this key a signed message stores its verification key. */
export const PUBLIC_KEY_FIELD = 'aws-crypto-public-key';
/** Keys with this prefix belong to the format: `client-apis/encrypt.md#encryption-context`. */
export const RESERVED_PREFIX = 'aws-crypto-';
/** The serialised context must fit the header's 16-bit length. */
const MAX_SERIALIZED_LENGTH = 0xffff;

/** The context with no pairs. */
export const EMPTY_CONTEXT: Context = Object.freeze(Object.create(null));

/**
 * A caller's context, copied and checked.
 * @throws FramesealError `INVALID_ARGUMENT` for values that are no text, text that is not well-formed UTF-16, or a
 *   key that begins with `aws-crypto-`.
 */
export function callerContext(input: ContextInput | undefined): Context {
  if (input === undefined) return EMPTY_CONTEXT;
  const context = toContext(pairsOf(input));
  for (const key of Object.keys(context)) {
    if (key.startsWith(RESERVED_PREFIX)) {
      throw invalidArgument(
        'encryptionContext',
        `no key that begins with "${RESERVED_PREFIX}", which the format reserves`,
        quote(key),
      );
    }
  }
  return context;
}

// Only what is surely meant: a promise, a URLSearchParams or a Set has no entries, and would be a context without pairs.
function pairsOf(input: ContextInput): Iterable<readonly [string, string]> {
  if (isPlainObject(input)) return Object.entries(input as Context);
  try {
    return Map.prototype.entries.call(input) as Iterable<[string, string]>; // a Map of any realm, and nothing else
  } catch {
    throw invalidArgument('encryptionContext', 'a plain object or a Map', kindOf(input));
  }
}

// Without a prototype, or with Object.prototype of some realm; and no pairs under symbols.
function isPlainObject(input: unknown): boolean {
  if (input === null || typeof input !== 'object' || Object.getOwnPropertySymbols(input).length > 0)
    return false;
  const prototype: unknown = Object.getPrototypeOf(input);
  if (prototype === null) return !isRootPrototype(input);
  return Object.getPrototypeOf(prototype) === null && isRootPrototype(prototype as object);
}

function isRootPrototype(object: object): boolean {
  return Object.hasOwn(object, 'isPrototypeOf') && typeof object.isPrototypeOf === 'function';
}

/** A context of these pairs. @throws FramesealError `INVALID_ARGUMENT` if one is not well-formed text. */
export function toContext(pairs: Iterable<readonly [string, string]>): Context {
  const context: Record<string, string> = Object.create(null);
  for (const [key, value] of pairs) {
    for (const text of [key, value]) {
      if (typeof text !== 'string' || !isWellFormed(text)) {
        throw invalidArgument('encryptionContext', 'well-formed text for every key and value', kindOf(text));
      }
    }
    context[key] = value;
  }
  return Object.freeze(context);
}

/** The context in materials of a caller's manager, as pairs that nobody changes any more. */
export function materialsContext(context: Context): Context {
  return Object.isFrozen(context) && serialized.has(context) ? context : toContext(pairsOf(context));
}

/** The pairs whose key passes, as a context; the same context when all do. */
export function filterContext(context: Context, keep: (key: string) => boolean): Context {
  const keys = Object.keys(context);
  const kept = keys.filter(keep);
  if (kept.length === keys.length) return context;
  return kept.length === 0 ? EMPTY_CONTEXT : toContext(kept.map((key) => [key, context[key]!]));
}

// Contexts are frozen, so what one serialises to is its own for good: header, wrapped data keys and tags share it.
const serialized = new WeakMap<Context, Bytes>();

/**
 * The serialised context, sorted by the UTF-8 bytes of the keys (not by UTF-16 code units).
 * @throws FramesealError `LIMIT_EXCEEDED` above 65,535 bytes.
 */
export function serializeContext(context: Context): Bytes {
  let bytes = serialized.get(context);
  if (bytes === undefined) {
    bytes = serialize(context);
    if (Object.isFrozen(context)) serialized.set(context, bytes);
  }
  return bytes;
}

function serialize(context: Context): Bytes {
  const pairs = Object.entries(context).map(([key, value]) => [encoded(key), encoded(value)] as const);
  if (pairs.length === 0) return new Uint8Array(0);
  pairs.sort(([a], [b]) => compare(a, b));
  const length = pairs.reduce((sum, [key, value]) => sum + 4 + key.length + value.length, 2);
  if (length > MAX_SERIALIZED_LENGTH) {
    throw new FramesealError(
      'LIMIT_EXCEEDED',
      `the encryption context takes ${length} bytes; the format allows ${MAX_SERIALIZED_LENGTH}`,
    );
  }
  const writer = new Writer(length).u16(pairs.length);
  for (const [key, value] of pairs) writer.sized(key).sized(value);
  return writer.bytes;
}

/**
 * Parses a serialised context: every pair, no key twice, nothing after the last pair. Pairs out of order and an
 * explicit count of 0 are read, because released SDKs have written both; the header tag is checked over the bytes
 * as received, and what is handed to keyrings is always the canonical form.
 * @throws FramesealError `INVALID_MESSAGE`
 */
export function parseContext(bytes: Uint8Array): Context {
  const context: Record<string, string> = Object.create(null);
  if (bytes.length === 0) return EMPTY_CONTEXT;
  const reader = new Reader(bytes);
  let last: Uint8Array | undefined;
  let canonical = true;
  try {
    const count = reader.u16('pair count');
    canonical = count > 0;
    for (let i = 0; i < count; i++) {
      const encodedKey = reader.take(reader.u16('key length'), 'key');
      const key = decoded(encodedKey);
      const value = decoded(reader.take(reader.u16('value length'), 'value'));
      if (key in context) throw invalid('a key is repeated');
      context[key] = value;
      canonical &&= last === undefined || compare(last, encodedKey) < 0;
      last = encodedKey;
    }
  } catch (error) {
    if (error instanceof FramesealError && error.code === 'TRUNCATED')
      throw invalid('its lengths do not fit');
    throw error;
  }
  if (reader.left > 0) throw invalid('bytes follow its last pair');
  const shared = !(bytes.buffer instanceof ArrayBuffer); // may have changed since it was read
  if (canonical && !shared) serialized.set(context, copy(bytes));
  return Object.freeze(context);
}

/**
 * Compares the pairs that a caller requires with a context.
 * @param whole whether every pair must be there; else it may also be absent.
 * @throws FramesealError `CONTEXT_MISMATCH`
 */
export function checkReproduced(context: Context, reproduced: Context, whole: boolean): void {
  for (const [key, value] of Object.entries(reproduced)) {
    if (key in context ? context[key] !== value : whole) {
      throw new FramesealError(
        'CONTEXT_MISMATCH',
        `the message's encryption context has ${key in context ? 'another' : 'no'} value for "${escapeText(key)}", which is required`,
      );
    }
  }
}

function encoded(text: string): Bytes {
  const bytes = utf8(text);
  if (bytes === undefined) throw invalidArgument('encryptionContext', 'well-formed text', kindOf(text));
  return bytes;
}

function decoded(bytes: Uint8Array): string {
  const text = utf8Text(bytes);
  if (text === undefined) throw invalid('it is not UTF-8');
  return text;
}

function invalid(why: string): FramesealError {
  return new FramesealError('INVALID_MESSAGE', `the header's encryption context is malformed: ${why}`);
}
