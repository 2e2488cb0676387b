/**
 * Bytes: joining, comparing, text, and a reader and a writer for the big-endian fields of the message format.
 *
 * The only file that touches `byteOffset`: a view into a larger buffer is an ordinary input everywhere.
 */
import { FramesealError } from './errors.ts';

/** Bytes that own their whole buffer. */
export type Bytes = Uint8Array<ArrayBuffer>;

/** Joins byte strings. */
export function concat(...parts: readonly Uint8Array[]): Bytes {
  let length = 0;
  for (const part of parts) length += part.length;
  const joined = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/**
 * Zeros, as many as are wanted.
 * @param what is named if they do not fit.
 * @throws FramesealError `LIMIT_EXCEEDED` for more than a buffer holds in this runtime.
 */
export function allocate(length: number, what: string): Bytes {
  try {
    return new Uint8Array(length);
  } catch (cause) {
    const text = `${what} of ${length} bytes does not fit into one buffer here`;
    throw new FramesealError('LIMIT_EXCEEDED', text, { cause });
  }
}

/** A copy with a buffer of its own. */
export function copy(bytes: Uint8Array): Bytes {
  return new Uint8Array(bytes);
}

/** Compares in time that depends on the lengths alone. */
export function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= a[i]! ^ b[i]!;
  return difference === 0;
}

/** Ascending order of bytes: -1, 0 or 1. */
export function compare(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) {
    if (a[i] !== b[i]) return a[i]! < b[i]! ? -1 : 1;
  }
  return Math.sign(a.length - b.length);
}

/** The bytes of an ArrayBuffer or of any view of one, not copied; `undefined` for anything else. */
export function bytesOf(source: unknown): Uint8Array | undefined {
  if (source instanceof Uint8Array) return source;
  if (ArrayBuffer.isView(source)) return new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
  // A buffer of another realm is none of ours, and a buffer all the same: if a view can lie over what is named so.
  if (!/^\[object (Shared)?ArrayBuffer\]$/.test(Object.prototype.toString.call(source))) return undefined;
  const bytes = new Uint8Array(source as ArrayBuffer);
  return (bytes.buffer as unknown) === source ? bytes : undefined;
}

/**
 * The bytes of a chunk that a stream is given; `undefined` for what is none. A detached buffer, and a view that reaches beyond
 * its buffer, look empty: they are none, for no bytes may be missing without a word.
 */
export function chunkBytes(chunk: unknown): Uint8Array | undefined {
  try {
    const bytes = bytesOf(chunk);
    bytes?.at(0); // throws for both
    return bytes;
  } catch {
    return undefined;
  }
}

/** Whether the bytes begin with these. */
export function startsWith(bytes: Uint8Array, start: Uint8Array): boolean {
  return start.length <= bytes.length && start.every((byte, i) => byte === bytes[i]);
}

/** The view as a DataView over exactly the same bytes. */
export function dataView(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** UTF-8 of a well-formed string; `undefined` when it has a lone surrogate, which UTF-8 cannot hold, or is no string. */
export function utf8(text: string): Bytes | undefined {
  if (typeof text !== 'string') return undefined; // from callers without types: its bytes would be those of nothing
  return shortAscii(text) ?? (isWellFormed(text) ? encoder.encode(text) : undefined);
}

// Names of keys and pairs are mostly such: a call of the platform's encoder costs more than their bytes.
function shortAscii(text: string): Bytes | undefined {
  if (text.length > SHORT) return undefined;
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0x7f) return undefined;
    bytes[i] = code;
  }
  return bytes;
}

/** Characters, or bytes. */
const SHORT = 64;

/** Whether a string has no lone surrogate. */
export function isWellFormed(text: string): boolean {
  return !LONE_SURROGATE.test(text);
}

// By code units: WebKit before 16.4 takes both halves of a pair for \p{Surrogate}.
const LONE_SURROGATE = /[\ud800-\udbff](?![\udc00-\udfff])|(?:[^\ud800-\udbff]|^)[\udc00-\udfff]/;

/** The text of well-formed UTF-8, a byte order mark included; `undefined` when the bytes are not UTF-8. */
export function utf8Text(bytes: Uint8Array): string | undefined {
  try {
    return shortAsciiText(bytes) ?? decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

function shortAsciiText(bytes: Uint8Array): string | undefined {
  if (bytes.length > SHORT) return undefined;
  let text = '';
  for (const byte of bytes) {
    if (byte > 0x7f) return undefined;
    text += String.fromCharCode(byte);
  }
  return text;
}

/** Standard base64 with padding. */
export function base64(bytes: Uint8Array): string {
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}

/** The bytes of standard base64 with padding and nothing else in it; `undefined` for any other text. */
export function base64Bytes(text: string): Bytes | undefined {
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text)) return undefined;
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

/** Hexadecimal, in lower case. */
export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** The bytes of hexadecimal text that is known to be such. */
export function hexBytes(text: string): Bytes {
  return Uint8Array.from({ length: text.length / 2 }, (_, i) =>
    Number.parseInt(text.slice(2 * i, 2 * i + 2), 16),
  );
}

/** Reads big-endian fields in order. What is missing is `TRUNCATED`, told with the field's name and offset. */
export class Reader {
  readonly bytes: Uint8Array;
  readonly #base: number;
  #at = 0;

  /** @param base where in the message these bytes begin: errors name offsets of the message. */
  constructor(bytes: Uint8Array, base = 0) {
    this.bytes = bytes;
    this.#base = base;
  }

  /** Offset of the next byte. */
  get offset(): number {
    return this.#at;
  }

  /** Bytes left. */
  get left(): number {
    return this.bytes.length - this.#at;
  }

  /** The next `length` bytes, as a view. */
  take(length: number, field: string): Uint8Array {
    const at = this.#advance(length, field);
    return this.bytes.subarray(at, at + length);
  }

  u8(field: string): number {
    return this.bytes[this.#advance(1, field)]!;
  }

  u16(field: string): number {
    return this.#number(2, field);
  }

  u32(field: string): number {
    return this.#number(4, field);
  }

  u64(field: string): bigint {
    const at = this.#advance(8, field);
    return dataView(this.bytes).getBigUint64(at);
  }

  #number(length: 2 | 4, field: string): number {
    const at = this.#advance(length, field);
    let number = 0;
    for (let i = at; i < at + length; i++) number = number * 256 + this.bytes[i]!;
    return number;
  }

  #advance(length: number, field: string): number {
    const at = this.#at;
    if (length > this.left) {
      throw new FramesealError(
        'TRUNCATED',
        `the message ends inside its ${field}: ${length} bytes expected at offset ${this.#base + at}, ${this.left} left`,
      );
    }
    this.#at = at + length;
    return at;
  }
}

/** Writes big-endian fields into a buffer of known length. */
export class Writer {
  readonly bytes: Bytes;
  #at = 0;

  /** @param to bytes to write over, from their start; or how many are wanted. */
  constructor(to: Bytes | number) {
    this.bytes = typeof to === 'number' ? new Uint8Array(to) : to;
  }

  put(bytes: Uint8Array): this {
    this.bytes.set(bytes, this.#at);
    this.#at += bytes.length;
    return this;
  }

  u8(value: number): this {
    return this.#number(value, 1);
  }

  u16(value: number): this {
    return this.#number(value, 2);
  }

  u32(value: number): this {
    return this.#number(value, 4);
  }

  /** A 16-bit length and the bytes. */
  sized(bytes: Uint8Array): this {
    return this.u16(bytes.length).put(bytes);
  }

  #number(value: number, length: 1 | 2 | 4): this {
    const end = this.#at + length;
    if (end > this.bytes.length) throw new RangeError('a field lies beyond the length that was counted');
    for (let i = this.#at; i < end; i++) this.bytes[i] = value >>> (8 * (end - 1 - i));
    this.#at = end;
    return this;
  }
}
