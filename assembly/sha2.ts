/**
 * SHA-256, SHA-384 and SHA-512: FIPS 180-4, incremental.
 *
 * ```
 * context: state 64 | bytes so far 8 | unused 8 | block in the making 128
 * ```
 * A hash is named by its number of bits. No look-up and no branch depends on what is hashed, only on how much.
 */
import { compress256 } from './sha2-256';
import { compress512 } from './sha2-512';
import { H256, H384, H512 } from './sha2-constants';

/** Bytes of a context. */
export const CONTEXT: usize = 208;

const LENGTH: usize = 64;
const BLOCK: usize = 80;

/** Bytes that one compression takes. */
export function blockLength(bits: i32): usize {
  return bits === 256 ? 64 : 128;
}

/** Begins a hash. */
export function init(context: usize, bits: i32): void {
  if (bits === 256) memory.copy(context, H256, 32);
  else memory.copy(context, bits === 384 ? H384 : H512, 64);
  store<u64>(context, 0, LENGTH);
}

/** Takes `length` bytes. */
export function update(context: usize, bits: i32, data: usize, length: usize): void {
  const size = blockLength(bits);
  const filled = <usize>load<u64>(context, LENGTH) & (size - 1);
  store<u64>(context, load<u64>(context, LENGTH) + length, LENGTH);
  if (filled > 0) {
    const taken = min(length, size - filled);
    memory.copy(context + BLOCK + filled, data, taken);
    if (filled + taken < size) return;
    compress(context, bits, context + BLOCK);
    data += taken;
    length -= taken;
  }
  for (; length >= size; length -= size, data += size) compress(context, bits, data);
  memory.copy(context + BLOCK, data, length);
}

/** Ends a hash: pads (section 5.1) and writes `bits / 8` bytes. The context cannot be used again. */
export function final(context: usize, bits: i32, output: usize): void {
  const size = blockLength(bits);
  const total = load<u64>(context, LENGTH);
  const filled = <usize>total & (size - 1);
  const block = context + BLOCK;
  store<u8>(block + filled, 0x80);
  memory.fill(block + filled + 1, 0, size - filled - 1);
  if (filled >= size - (size >> 3)) {
    compress(context, bits, block);
    memory.fill(block, 0, size);
  }
  store<u64>(block + size - 8, bswap<u64>(total << 3));
  compress(context, bits, block);
  if (bits === 256) {
    for (let i: usize = 0; i < 32; i += 4) store<u32>(output + i, bswap<u32>(load<u32>(context + i)));
  } else {
    for (let i: usize = 0; i < <usize>(bits >> 3); i += 8)
      store<u64>(output + i, bswap<u64>(load<u64>(context + i)));
  }
}

function compress(context: usize, bits: i32, block: usize): void {
  if (bits === 256) compress256(context, block);
  else compress512(context, block);
}
