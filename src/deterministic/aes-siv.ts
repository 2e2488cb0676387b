/**
 * AES-SIV (RFC 5297) by `@noble/ciphers`; the only file that loads it. Not AES-GCM-SIV, which is another mode.
 *
 * The library's AES looks tables up at secret indices: SECURITY.md says what follows from that.
 */
import { aessiv } from '@noble/ciphers/aes.js';
import type { Bytes } from '../bytes.ts';

/** The synthetic IV before the ciphertext. */
export const SIV_LENGTH = 16;

/**
 * SIV || ciphertext, as long as SIV and plaintext: RFC 5297 section 2.6.
 * @param key 32, 48 or 64 bytes: the first half authenticates, the second encrypts.
 * @param associatedData a vector of at most 126 strings: where one ends and the next begins is authenticated as well.
 */
export function sealSiv(
  key: Uint8Array,
  associatedData: readonly Uint8Array[],
  plaintext: Uint8Array,
): Uint8Array {
  return aessiv(key, ...associatedData).encrypt(plaintext);
}

/**
 * The plaintext, or `undefined` when the SIV is not its own: RFC 5297 section 2.7.
 * @param sealed at least a SIV.
 */
export function openSiv(
  key: Uint8Array,
  associatedData: readonly Uint8Array[],
  sealed: Uint8Array,
): Bytes | undefined {
  try {
    return aessiv(key, ...associatedData).decrypt(sealed) as Bytes; // a buffer of its own
  } catch {
    return undefined; // it has wiped what it had decrypted
  }
}
