/**
 * HKDF: RFC 5869, for outputs of at most one hash: all that the message format derives.
 */
import * as hmac from './hmac';
import { HASH } from './memory';

const EXTRACT: usize = HASH + 0x300;
const EXPAND: usize = HASH + 0x500;
const PRK: usize = HASH + 0x700;
const COUNTER: usize = HASH + 0x740;

/** Section 2.2: makes the pseudorandom key, and keeps it ready for any number of outputs. */
export function extract(bits: i32, salt: usize, saltLength: usize, key: usize, length: usize): void {
  hmac.init(EXTRACT, bits, salt, saltLength);
  hmac.update(EXTRACT, bits, key, length);
  hmac.final(EXTRACT, bits, PRK);
  hmac.init(EXTRACT, bits, PRK, <usize>(bits >> 3));
}

/** Section 2.3, T(1): writes one whole hash to `output`. */
export function expand(bits: i32, info: usize, length: usize, output: usize): void {
  memory.copy(EXPAND, EXTRACT, hmac.CONTEXT);
  hmac.update(EXPAND, bits, info, length);
  store<u8>(COUNTER, 1);
  hmac.update(EXPAND, bits, COUNTER, 1);
  hmac.final(EXPAND, bits, output);
}
