/**
 * AES-SIV as RFC 5297 and RFC 4493 say it, block by block over single AES calls, and the keys and bytes of pinned data keys
 * over it. It shares no code with the library.
 */
import { createCipheriv, createHmac, hkdfSync } from 'node:crypto';

const ZERO = Buffer.alloc(16);

/** SIV || ciphertext: RFC 5297 section 2.6. */
export function naiveSiv(
  key: Uint8Array,
  associatedData: readonly Uint8Array[],
  plaintext: Uint8Array,
): Buffer {
  const half = key.length / 2;
  const siv = s2v(key.subarray(0, half), [...associatedData, plaintext]);
  const counter = Buffer.from(siv);
  counter[8]! &= 0x7f;
  counter[12]! &= 0x7f;
  const parts: Buffer[] = [siv];
  for (let at = 0; at < plaintext.length; at += 16) {
    parts.push(xor(plaintext.subarray(at, at + 16), aes(key.subarray(half), counter)));
    increment(counter);
  }
  return Buffer.concat(parts);
}

/** What a pinned data key with this secret writes. */
export function naivePinned(secret: Uint8Array): {
  sivKey: Buffer;
  keyId: Buffer;
  encrypt(plaintext: Uint8Array, field: string, context?: readonly (readonly [string, string])[]): Buffer;
  index(value: Uint8Array, field: string, length: number): Buffer;
} {
  const derive = (info: Uint8Array | string, length: number) =>
    Buffer.from(hkdfSync('sha512', secret, '', info, length));
  const sivKey = derive('frameseal/det/v1/siv', 64);
  const keyId = derive('frameseal/det/v1/id', 8);
  const start = Buffer.concat([Buffer.of(1), keyId]);
  return {
    sivKey,
    keyId,
    encrypt: (plaintext, field, context = []) =>
      Buffer.concat([start, naiveSiv(sivKey, [start, Buffer.from(field), serialized(context)], plaintext)]),
    index: (value, field, length) => {
      const name = Buffer.from(field);
      const info = Buffer.concat([Buffer.from('frameseal/det/v1/index'), number(name.length, 4), name]);
      return createHmac('sha512', derive(info, 32)).update(value).digest().subarray(0, length);
    },
  };
}

/** RFC 5297 section 2.4. */
function s2v(key: Uint8Array, strings: readonly Uint8Array[]): Buffer {
  let d = cmac(key, ZERO);
  for (const string of strings.slice(0, -1)) d = xor(dbl(d), cmac(key, string));
  const last = strings.at(-1)!;
  if (last.length < 16) return cmac(key, xor(dbl(d), padded(last)));
  const end = last.length - 16;
  return cmac(key, Buffer.concat([last.subarray(0, end), xor(last.subarray(end), d)]));
}

/** RFC 4493 sections 2.3 and 2.4. */
function cmac(key: Uint8Array, message: Uint8Array): Buffer {
  const k1 = dbl(aes(key, ZERO));
  const end = message.length === 0 ? 0 : 16 * Math.floor((message.length - 1) / 16);
  const rest = message.subarray(end);
  const last = rest.length === 16 ? xor(rest, k1) : xor(padded(rest), dbl(k1));
  let x: Buffer = ZERO;
  for (let at = 0; at < end; at += 16) x = aes(key, xor(message.subarray(at, at + 16), x));
  return aes(key, xor(last, x));
}

function aes(key: Uint8Array, block: Uint8Array): Buffer {
  const cipher = createCipheriv(`aes-${key.length * 8}-ecb`, key, null).setAutoPadding(false);
  return Buffer.concat([cipher.update(block), cipher.final()]);
}

function dbl(block: Uint8Array): Buffer {
  const wide = BigInt(`0x${Buffer.from(block).toString('hex')}`) << 1n;
  const reduced = wide >> 128n ? BigInt.asUintN(128, wide) ^ 0x87n : wide;
  return Buffer.from(reduced.toString(16).padStart(32, '0'), 'hex');
}

function padded(part: Uint8Array): Buffer {
  return Buffer.concat([part, Buffer.of(0x80), ZERO]).subarray(0, 16);
}

function xor(a: Uint8Array, b: Uint8Array): Buffer {
  return Buffer.from(a.map((byte, i) => byte ^ b[i]!));
}

function increment(counter: Buffer): void {
  const next = BigInt.asUintN(128, BigInt(`0x${counter.toString('hex')}`) + 1n);
  counter.write(next.toString(16).padStart(32, '0'), 'hex');
}

/** `framework/structures.md#serialization`. */
function serialized(pairs: readonly (readonly [string, string])[]): Buffer {
  if (pairs.length === 0) return Buffer.alloc(0);
  const encoded = pairs.map((pair) => pair.map((text) => Buffer.from(text)));
  encoded.sort(([a], [b]) => Buffer.compare(a!, b!));
  const sized = encoded.flat().flatMap((text) => [number(text.length, 2), text]);
  return Buffer.concat([number(pairs.length, 2), ...sized]);
}

function number(value: number, length: number): Buffer {
  const written = Buffer.alloc(length);
  written.writeUIntBE(value, 0, length);
  return written;
}
