/**
 * The static layout of linear memory. Nothing is allocated: every byte has one use, and one call wipes what was used.
 *
 * ```
 * 0x00000  constants (hash constants, content strings), placed by the compiler
 * 0x01000  round keys, as bit planes: 15 x 8 planes x 16 bytes
 * 0x01780  key schedule of AES, on its way into planes
 * 0x01c00  GHASH tables: 4 powers of the hash key x 32 tables x 16 entries
 * 0x02400  GHASH states, tags, additional data of frames
 * 0x02800  hash and HMAC states
 * 0x03000  arguments: keys, message id, nonces, short results
 * 0x03400  keystream, 64 KiB
 * 0x13400  data: where the host puts input and takes output; it may grow the memory
 * ```
 */

export const ROUND_KEYS: usize = 0x1000;
export const SCHEDULE: usize = 0x1780;
export const TABLES: usize = 0x1c00;
export const STATE: usize = 0x2400;
export const HASH: usize = 0x2800;
export const ARGUMENTS: usize = 0x3000;
export const KEYSTREAM: usize = 0x3400;
export const KEYSTREAM_LENGTH: usize = 0x10000;
/** Keystream that the kernel's own AES makes at a time, in bytes: it stays in the first cache. */
export const KEYSTREAM_CHUNK: usize = 0x1000;
export const DATA: usize = 0x13400;

/** Zeroes all that may hold a secret: everything but the constants, the first `keystream` and `data` bytes of those. */
export function wipe(keystream: usize, data: usize): void {
  memory.fill(ROUND_KEYS, 0, KEYSTREAM - ROUND_KEYS + keystream);
  memory.fill(DATA, 0, data);
}
