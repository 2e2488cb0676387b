/**
 * The encryption context as additional authenticated data.
 *
 *   count (4) | for each pair, sorted by the UTF-8 bytes of its key:
 *               key length (4) | key | value length (4) | value
 *
 * The lengths make the encoding injective: `{"a":"bc"}` and `{"ab":"c"}` give different bytes, which a plain
 * concatenation would not. The order of the pairs in the request has no influence; an empty context and none
 * at all are the same (AWS KMS Developer Guide, "Encryption context").
 */
import { malformed, validation } from './errors.ts';

/** The pairs of a request. */
export type EncryptionContext = Readonly<Record<string, string>>;

/** The most bytes of keys and values together that the service takes. */
const MAX_CONTEXT_BYTES = 8192;

/** The bytes to authenticate; refuses what is too large or no Unicode text. */
export function contextAad(context: EncryptionContext | undefined): Uint8Array {
  const pairs = Object.entries(context ?? {}).map(([key, value]) => [utf8(key), utf8(value)] as const);
  const size = pairs.reduce((sum, [key, value]) => sum + key.length + value.length, 0);
  if (size > MAX_CONTEXT_BYTES) {
    throw validation(`The encryption context has ${size} bytes, more than ${MAX_CONTEXT_BYTES}.`);
  }
  pairs.sort(([a], [b]) => Buffer.compare(a, b));
  const parts = pairs.flatMap(([key, value]) => [uint32(key.length), key, uint32(value.length), value]);
  return Buffer.concat([uint32(pairs.length), ...parts]);
}

/** Refuses lone surrogates: all of them would encode as U+FFFD and so be taken for one another. */
function utf8(text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8');
  if (bytes.toString('utf8') !== text) throw malformed('The encryption context is not valid Unicode.');
  return bytes;
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
