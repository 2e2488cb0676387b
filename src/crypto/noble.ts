/**
 * ECDSA by `@noble/curves`, for runtimes whose WebCrypto lacks it or cannot read compressed points.
 *
 * Slower than native and not constant-time in the strict sense (JavaScript BigInt), so never the first choice.
 */
import { p256, p384 } from '@noble/curves/nist.js';
import { type Bytes, copy } from '../bytes.ts';
import type { SignatureAlgorithm } from '../suite/algorithm-suites.ts';
import type { RandomSource, SigningKey } from './crypto.ts';

const CURVES = { 'P-256': p256, 'P-384': p384 } as const;
const HEDGE_LENGTH = 32;

/**
 * A fresh key pair. Nonces are RFC 6979 section 3.6: derived from key, digest and 32 fresh bytes; if the random
 * source fails, signing fails.
 */
export function generateSigningKey(algorithm: SignatureAlgorithm, random: RandomSource): SigningKey {
  const curve = CURVES[algorithm.curve];
  const seed = random(curve.lengths.seed!);
  const secretKey = curve.utils.randomSecretKey(seed);
  seed.fill(0);
  return {
    publicKey: copy(curve.getPublicKey(secretKey, true)),
    sign: (message) =>
      copy(
        curve.sign(message, secretKey, {
          lowS: false,
          extraEntropy: random(HEDGE_LENGTH),
          format: 'compact',
        }),
      ),
  };
}

/** ECDSA verification; signatures with a high s are as good as any. */
export function verify(
  algorithm: SignatureAlgorithm,
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  try {
    return CURVES[algorithm.curve].verify(signature, message, publicKey, { lowS: false, format: 'compact' });
  } catch {
    return false;
  }
}

/** The point as 04, x and y; `undefined` when x is no point's coordinate. */
export function uncompressPoint(algorithm: SignatureAlgorithm, point: Uint8Array): Bytes | undefined {
  try {
    return copy(CURVES[algorithm.curve].Point.fromBytes(point).toBytes(false));
  } catch {
    return undefined;
  }
}
