/**
 * Random bytes: one `getRandomValues` call for a message, and none kept for the next.
 *
 * A pool across messages would be repeated by a restored snapshot of a process or virtual machine, and a repeated
 * wrapping IV gives away the wrapping key's hash key (NIST SP 800-38D section 8).
 */
import type { Bytes } from '../bytes.ts';
import type { RandomSource } from './crypto.ts';

/** Enough for message id, data key and the IVs of five raw AES keyrings; 128 bytes cost what 32 do. */
const DRAW = 128;

/** Random bytes straight from the platform. */
export const platformRandom: RandomSource = (length) => crypto.getRandomValues(new Uint8Array(length));

/** The random bytes of one message: drawn at the first use, drawn again only if they run out. */
export function messageRandom(): RandomSource {
  let pool: Bytes = new Uint8Array(0);
  return (length) => {
    if (pool.length < length) pool = platformRandom(Math.max(DRAW, length));
    const drawn = pool.slice(0, length);
    pool.fill(0, 0, length);
    pool = pool.subarray(length);
    return drawn;
  };
}
