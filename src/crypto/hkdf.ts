/**
 * HKDF over a synchronous HMAC: RFC 5869 sections 2.2 and 2.3, one extract for any number of outputs.
 */
import { type Bytes, concat } from '../bytes.ts';
import { unreachable } from '../errors.ts';
import type { HashName } from '../suite/algorithm-suites.ts';
import type { HkdfOutput } from './crypto.ts';

/** HMAC of the joined parts. */
export type Hmac = (hash: HashName, key: Uint8Array, ...parts: readonly Uint8Array[]) => Bytes;

const HASH_LENGTH: Record<HashName, number> = { 'SHA-1': 20, 'SHA-256': 32, 'SHA-384': 48, 'SHA-512': 64 };

/** The outputs, in order. The pseudorandom key is wiped. */
export function hkdf(
  hmac: Hmac,
  hash: HashName,
  key: Uint8Array,
  salt: Uint8Array,
  outputs: readonly HkdfOutput[],
): Bytes[] {
  const prk = hmac(hash, salt.length > 0 ? salt : new Uint8Array(HASH_LENGTH[hash]), key);
  const okm = outputs.map(({ info, length }) => expand(hmac, hash, prk, info, length));
  prk.fill(0);
  return okm;
}

function expand(hmac: Hmac, hash: HashName, prk: Uint8Array, info: Uint8Array, length: number): Bytes {
  if (length > 255 * HASH_LENGTH[hash]) throw unreachable('more than 255 blocks were asked of HKDF'); // RFC 5869 section 2.3
  const blocks: Bytes[] = [];
  let block: Bytes = new Uint8Array(0);
  for (let n = 1; (n - 1) * HASH_LENGTH[hash] < length; n++) {
    block = hmac(hash, prk, block, info, Uint8Array.of(n));
    blocks.push(block);
  }
  const whole = concat(...blocks);
  const okm = whole.slice(0, length);
  for (const used of [whole, ...blocks]) used.fill(0);
  return okm;
}
