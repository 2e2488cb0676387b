/**
 * What many tests need: keys, keyrings, plaintexts, and policies under which any suite may be written and read.
 */
import { generateKeyPairSync } from 'node:crypto';
import {
  type CommitmentPolicy,
  type ErrorCode,
  FramesealError,
  type Keyring,
  rawAesKeyring,
} from '../../src/index.ts';
import { ALGORITHM_SUITES, type AlgorithmSuite } from '../../src/suite/algorithm-suites.ts';

/** All suites, as rows of `it.each`. */
export const SUITE_ROWS: readonly (readonly [string, AlgorithmSuite])[] = ALGORITHM_SUITES.map(
  (suite) => [`0x${suite.id.toString(16).padStart(4, '0')}`, suite] as const,
);

/** A policy that lets this suite be written and read. */
export function policyFor(suite: AlgorithmSuite): CommitmentPolicy {
  return suite.committing ? 'REQUIRE_ENCRYPT_REQUIRE_DECRYPT' : 'FORBID_ENCRYPT_ALLOW_DECRYPT';
}

/** `length` bytes that differ from each other. */
export function bytes(length: number, seed = 1): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, i) => (i * 167 + seed * 41 + (i >> 8)) & 0xff);
}

/** A raw AES-256 keyring; the same seed, the same key. */
export function aesKeyring(seed = 1, length: 16 | 24 | 32 = 32): Keyring {
  return rawAesKeyring({ keyNamespace: 'test', keyName: `aes-${seed}`, wrappingKey: bytes(length, seed) });
}

/** A fresh RSA key pair as PEM. */
export function rsaPem(modulusLength = 2048): { publicKey: string; privateKey: string } {
  return generateKeyPairSync('rsa', {
    modulusLength,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
}

/** The error of a rejected promise or a throwing function; fails the test if there is none or it is of another class. */
export async function failure(work: Promise<unknown> | (() => unknown)): Promise<FramesealError> {
  try {
    await (typeof work === 'function' ? work() : work);
  } catch (error) {
    if (error instanceof FramesealError) return error;
    throw error;
  }
  throw new Error('expected a FramesealError, but nothing was thrown');
}

/** The code of a rejected promise or a throwing function. */
export async function failureCode(work: Promise<unknown> | (() => unknown)): Promise<ErrorCode> {
  return (await failure(work)).code;
}

/** A copy with one bit flipped. */
export function flip(message: Uint8Array, at: number, bit = 0): Uint8Array<ArrayBuffer> {
  const changed = new Uint8Array(message);
  changed[at]! ^= 1 << bit;
  return changed;
}
