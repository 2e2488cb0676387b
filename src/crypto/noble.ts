/**
 * ECDSA by `@noble/curves`, for runtimes whose WebCrypto lacks it or cannot read compressed points.
 *
 * Slower than native and not constant-time in the strict sense (JavaScript BigInt), so never the first choice.
 */
import { p256, type p256_hasher, p384 } from '@noble/curves/nist.js';
import { type Bytes, copy } from '../bytes.ts';
import { loadKernel } from '../engine/wasm/kernel.ts';
import { unreachable } from '../errors.ts';
import type { SignatureAlgorithm } from '../suite/algorithm-suites.ts';
import type { MaybePromise, RandomSource, Signer, SigningKey, Verifier } from './crypto.ts';
import { platformRandom } from './random.ts';

const CURVES = { 'P-256': p256, 'P-384': p384 } as const;
const HASHES = { 'P-256': hashOf(p256), 'P-384': hashOf(p384) } as const;
const HEDGE_LENGTH = 32;

type Hash = typeof p256_hasher.defaults.hash;

interface Hasher {
  update(bytes: Uint8Array): unknown;
  digest(): Uint8Array;
}

/** Signs a digest: r || s. */
type SignDigest = (digest: Uint8Array) => MaybePromise<Bytes>;

/**
 * A fresh key pair. Nonces are RFC 6979 section 3.6: derived from key, digest and 32 fresh bytes; if the random
 * source fails, signing fails.
 * @param reusable for several messages: the fresh bytes are the platform's, and each signature is verified.
 */
export function generateSigningKey(
  algorithm: SignatureAlgorithm,
  random: RandomSource,
  reusable = false,
): SigningKey {
  const curve = CURVES[algorithm.curve];
  const seed = random(curve.lengths.seed!);
  const secretKey = curve.utils.randomSecretKey(seed);
  seed.fill(0);
  const publicKey = copy(curve.getPublicKey(secretKey, true));
  const sign = (digest: Uint8Array) =>
    reusable
      ? signVerified(algorithm, secretKey, publicKey, digest)
      : signDigest(algorithm, secretKey, digest, random);
  return {
    publicKey,
    sign: (message) => sign(HASHES[algorithm.curve](message)),
    signer: () => digestSigner(algorithm, sign),
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

/**
 * r || s under a key that signs several messages. A fault in the arithmetic may give a signature away that betrays the key,
 * so it is verified first.
 */
export function signVerified(
  algorithm: SignatureAlgorithm,
  secretKey: Uint8Array,
  publicKey: Uint8Array,
  digest: Uint8Array,
): Bytes {
  const signature = signDigest(algorithm, secretKey, digest, platformRandom);
  if (verifyDigest(algorithm, publicKey, digest, signature)) return signature;
  throw unreachable('a signature did not verify under its own key, and was not released');
}

/** Hashes a message that comes in pieces, and has its digest signed. */
export function digestSigner(algorithm: SignatureAlgorithm, sign: SignDigest): Signer {
  const hash = hasher(algorithm);
  let digest: Uint8Array | undefined;
  return {
    update: (bytes) => {
      hash.update(bytes);
    },
    sign: () => {
      digest ??= hash.digest();
      return sign(digest);
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

// Each curve has its hash, although its type does not say so. `p256_hasher` has it too, behind 6 KB of hashing to curves.
function hashOf(curve: object): Hash {
  return (curve as { readonly hash: Hash }).hash;
}
