/**
 * RSAES-PKCS1-v1_5 unpadding without an oracle, for keys of a known length.
 *
 * ```
 * 00 | 02 | at least 8 nonzero bytes | 00 | message
 * ```
 * RFC 8017 section 7.2.2, with implicit rejection: a wrong padding yields a substitute that depends on the private
 * key and the ciphertext alone, chosen without a branch. What decides is the commitment or the header tag.
 */
import type { Bytes } from '../bytes.ts';

/**
 * The last `length` bytes of `encoded` when it is a well-padded message of exactly that length, else `substitute`.
 * Reads every byte and takes no branch on any of them.
 */
export function unpadOrSubstitute(encoded: Uint8Array, length: number, substitute: Uint8Array): Bytes {
  const end = encoded.length - length - 1;
  let wrong = encoded[0]! | (encoded[1]! ^ 2) | encoded[end]!;
  for (let i = 2; i < end; i++) wrong |= isZero(encoded[i]!);
  const keep = -isZero(wrong) & 0xff; // 0xff when the padding is right, else 0
  const message = new Uint8Array(length);
  for (let i = 0; i < length; i++) message[i] = (encoded[end + 1 + i]! & keep) | (substitute[i]! & ~keep);
  return message;
}

// 1 for 0, else 0; for values below 2^31.
function isZero(value: number): number {
  return ((value - 1) & ~value) >>> 31;
}
