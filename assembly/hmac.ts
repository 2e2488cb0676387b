/**
 * HMAC: RFC 2104, over the hashes of sha2.ts.
 *
 * ```
 * context: inner hash | outer hash, each with its padded key taken
 * ```
 * The two halves of a key are compressed once; a copy of the context starts each further message under that key.
 */
import { HASH } from './memory';
import * as sha2 from './sha2';

/** Bytes of a context. */
export const CONTEXT: usize = 2 * sha2.CONTEXT;

const PAD: usize = HASH + 0x280;

/** Begins an HMAC under a key. */
export function init(context: usize, bits: i32, key: usize, length: usize): void {
  const size = sha2.blockLength(bits);
  memory.fill(PAD, 0, 128);
  if (length > size) {
    sha2.init(context, bits);
    sha2.update(context, bits, key, length);
    sha2.final(context, bits, PAD);
  } else {
    memory.copy(PAD, key, length);
  }
  begin(context, bits, 0x36);
  begin(context + sha2.CONTEXT, bits, 0x36 ^ 0x5c);
  memory.fill(PAD, 0, 128);
}

/** Takes `length` bytes. */
export function update(context: usize, bits: i32, data: usize, length: usize): void {
  sha2.update(context, bits, data, length);
}

/** Ends an HMAC: writes `bits / 8` bytes. */
export function final(context: usize, bits: i32, output: usize): void {
  const outer = context + sha2.CONTEXT;
  sha2.final(context, bits, output);
  sha2.update(outer, bits, output, <usize>(bits >> 3));
  sha2.final(outer, bits, output);
}

// Changes the pad and begins a hash with it: ipad first, then opad over ipad.
function begin(hash: usize, bits: i32, change: i8): void {
  for (let at = PAD; at < PAD + 128; at += 16) v128.store(at, v128.xor(v128.load(at), i8x16.splat(change)));
  sha2.init(hash, bits);
  sha2.update(hash, bits, PAD, sha2.blockLength(bits));
}
