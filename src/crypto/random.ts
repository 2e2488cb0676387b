/**
 * Random bytes: for most messages one `getRandomValues` call, and nothing of it kept for the next.
 *
 * A pool across messages would be repeated by a restored snapshot of a process or virtual machine, and a repeated
 * wrapping IV gives away the wrapping key's hash key (NIST SP 800-38D section 8).
 */
import type { Bytes } from '../bytes.ts';
import { FramesealError } from '../errors.ts';
import type { RandomSource } from './crypto.ts';

/** Bytes of the longest draw out of a pool: data keys and message ids have at most 32. */
const LONGEST = 64;
/** Bytes that a message keeps for its next draws. V8 puts longer arrays outside its heap, which costs ten times as much. */
const POOL = 64;
/** Where both are drawn, in one call, and wiped at once: no message finds anything here. */
const fresh: Bytes = new Uint8Array(LONGEST + POOL);

/** Random bytes straight from the platform. */
export const platformRandom: RandomSource = (length) => crypto.getRandomValues(new Uint8Array(length));

/** The random bytes of one message. Long draws come straight from the platform. */
export function messageRandom(): RandomSource {
  let pool: Bytes = new Uint8Array(0);
  let used = 0;
  return (length) => {
    if (!Number.isInteger(length) || length < 0 || length > LONGEST) return platformRandom(length);
    if (pool.length - used < length) {
      drawFresh();
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

// A replaced `getRandomValues` may answer other bytes than it was given, or encrypt a message of its own meanwhile. Both leave
// zeros here: no message is written with them.
function drawFresh(): void {
  crypto.getRandomValues(fresh);
  if (fresh.every((byte) => byte === 0)) {
    const what =
      'crypto.getRandomValues has left zeros in the array that it was to fill: it is not what the platform has';
    throw new FramesealError('UNSUPPORTED', what);
  }
}
