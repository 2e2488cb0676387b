/**
 * Random bytes: as a rule one `getRandomValues` call for a message, and none kept for the next.
 *
 * A pool across messages would be repeated by a restored snapshot of a process or virtual machine, and a repeated
 * wrapping IV gives away the wrapping key's hash key (NIST SP 800-38D section 8).
 */
import type { Bytes } from '../bytes.ts';
import type { RandomSource } from './crypto.ts';

/** Bytes of the longest single draw that comes out of a pool: a data key, or a message id, has 32. */
const LONGEST = 64;
/** Bytes that a message keeps for its next draws. More than these, V8 would put outside its heap, at some ten times the cost. */
const POOL = 64;
/** Where both are drawn, in one call. Zeros before and after. */
const fresh: Bytes = new Uint8Array(LONGEST + POOL);

/** Random bytes straight from the platform. */
export const platformRandom: RandomSource = (length) => crypto.getRandomValues(new Uint8Array(length));

/** The random bytes of one message: drawn at the first use, drawn again only if they run out. */
export function messageRandom(): RandomSource {
  let pool: Bytes = new Uint8Array(0);
  let used = 0;
  return (length) => {
    if (length > LONGEST) return platformRandom(length);
    if (pool.length - used < length) {
      crypto.getRandomValues(fresh);
      const drawn = fresh.slice(0, length);
      pool.fill(0);
      pool = fresh.slice(LONGEST);
      used = 0;
      fresh.fill(0);
      return drawn;
    }
    const drawn = pool.slice(used, used + length);
    pool.fill(0, used, used + length);
    used += length;
    return drawn;
  };
}
