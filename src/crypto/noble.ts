/**
 * ECDSA by `@noble/curves`, for runtimes whose WebCrypto lacks it or cannot read compressed points.
 *
 * Slower than native and not constant-time in the strict sense (JavaScript BigInt), so never the first choice.
 */
import { p256, p256_hasher, p384, p384_hasher } from '@noble/curves/nist.js';
import { type Bytes, copy } from '../bytes.ts';
import { loadKernel } from '../engine/wasm/kernel.ts';
import type { SignatureAlgorithm } from '../suite/algorithm-suites.ts';
import type { RandomSource, Signer, SigningKey, Verifier } from './crypto.ts';

const CURVES = { 'P-256': p256, 'P-384': p384 } as const;
const HASHES = { 'P-256': p256_hasher.defaults.hash, 'P-384': p384_hasher.defaults.hash } as const;
const HEDGE_LENGTH = 32;

interface Hasher {
  update(bytes: Uint8Array): unknown;
  digest(): Uint8Array;
}

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
    sign: (message) => signDigest(algorithm, secretKey, HASHES[algorithm.curve](message), random),
    signer: () => signer(algorithm, secretKey, random),
  };
}

/** r || s over the hash of a message. */
export function signDigest(
  algorithm: SignatureAlgorithm,
  secretKey: Uint8Array,
  digest: Uint8Array,
  random: RandomSource,
): Bytes {
  const options = {
    prehash: false,
    lowS: false,
    extraEntropy: random(HEDGE_LENGTH),
    format: 'compact',
  } as const;
  return copy(CURVES[algorithm.curve].sign(digest, secretKey, options));
}

function signer(algorithm: SignatureAlgorithm, secretKey: Uint8Array, random: RandomSource): Signer {
  const hash = hasher(algorithm);
  let digest: Uint8Array | undefined;
  return {
    update: (bytes) => {
      hash.update(bytes);
    },
    sign: () => {
      digest ??= hash.digest();
      return signDigest(algorithm, secretKey, digest, random);
    },
  };
}

/** Verifies the signature of a message that comes in pieces. */
export function verifier(algorithm: SignatureAlgorithm, publicKey: Uint8Array): Verifier {
  const hash = hasher(algorithm);
  return {
    update: (bytes) => {
      hash.update(bytes);
    },
    verify: (signature) => verifyDigest(algorithm, publicKey, hash.digest(), signature),
  };
}

// The kernel's hash is several times faster than JavaScript.
function hasher(algorithm: SignatureAlgorithm): Hasher {
  return loadKernel()?.createHash(algorithm.hash) ?? HASHES[algorithm.curve].create();
}

/** ECDSA verification; signatures with a high s are as good as any. */
export function verify(
  algorithm: SignatureAlgorithm,
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  return verifyDigest(algorithm, publicKey, HASHES[algorithm.curve](message), signature);
}

function verifyDigest(
  algorithm: SignatureAlgorithm,
  publicKey: Uint8Array,
  digest: Uint8Array,
  signature: Uint8Array,
): boolean {
  const options = { prehash: false, lowS: false, format: 'compact' } as const;
  try {
    return CURVES[algorithm.curve].verify(signature, digest, publicKey, options);
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
