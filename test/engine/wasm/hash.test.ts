/**
 * Hashes in steps, by the kernel, against `node:crypto`.
 */
import { createHash, randomBytes, randomInt } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { loadKernel } from '../../../src/engine/wasm/kernel.ts';
import { HASH_LENGTH, type KernelHash } from '../../../src/engine/wasm/kernel-calls.ts';

const kernel = loadKernel()!;
const HASHES = (Object.keys(HASH_LENGTH) as KernelHash[]).map(
  (hash) => [hash, hash === 'SHA-256' ? 64 : 128] as const,
);

const hex = (value: Uint8Array) => Buffer.from(value).toString('hex');
const platform = (hash: KernelHash, message: Uint8Array) =>
  createHash(hash.toLowerCase().replace('-', '')).update(message).digest('hex');

function inPieces(hash: KernelHash, message: Uint8Array, lengths: readonly number[]): string {
  const hasher = kernel.createHash(hash);
  let at = 0;
  for (const length of lengths) {
    hasher.update(message.subarray(at, at + length));
    at += length;
  }
  hasher.update(message.subarray(at));
  return hex(hasher.digest());
}

describe.each(HASHES)('%s in steps', (hash, block) => {
  it('agrees with the platform at every length around three blocks', () => {
    const message = randomBytes(3 * block + 9);
    for (let length = 0; length <= message.length; length++) {
      const part = message.subarray(0, length);
      expect(inPieces(hash, part, []), `${length}`).toBe(platform(hash, part));
    }
  });

  it('does not depend on where the message is cut', () => {
    const message = randomBytes(2 * block + 30);
    const expected = platform(hash, message);
    for (let first = 0; first <= message.length; first++) {
      expect(inPieces(hash, message, [first])).toBe(expected);
      const second = randomInt(message.length - first + 1);
      expect(inPieces(hash, message, [first, second, 0]), `${first} ${second}`).toBe(expected);
    }
    expect(inPieces(hash, message, Array(message.length).fill(1))).toBe(expected);
  });

  it('takes pieces that are larger than what is in memory at once', () => {
    const message = randomBytes(3_000_000);
    for (const length of [0x7fff, 0x8000, 0x8001, 0x10000, 1_000_003]) {
      const part = message.subarray(0, length);
      expect(inPieces(hash, part, [])).toBe(platform(hash, part));
      expect(inPieces(hash, part, [5])).toBe(platform(hash, part));
    }
    expect(inPieces(hash, message, [1_000_003, 77])).toBe(platform(hash, message));
  });

  it('may be one of many that are under way, with other calls between their steps', () => {
    const messages = Array.from({ length: 9 }, (_, i) => randomBytes(100 * i));
    const hashers = messages.map(() => kernel.createHash(hash));
    for (let turn = 0; turn < 8; turn++) {
      for (const [i, hasher] of hashers.entries()) {
        const step = messages[i]!.length / 8;
        hasher.update(messages[i]!.subarray(Math.floor(turn * step), Math.floor((turn + 1) * step)));
        kernel.gcmSeal(randomBytes(32), randomBytes(12), randomBytes(20), randomBytes(30));
      }
    }
    for (const [i, hasher] of hashers.entries())
      expect(hex(hasher.digest())).toBe(platform(hash, messages[i]!));
  });

  it('lets the caller change what it has taken', () => {
    const hasher = kernel.createHash(hash);
    const piece = Uint8Array.from(randomBytes(50));
    const expected = platform(hash, piece);
    hasher.update(piece);
    piece.fill(0);
    expect(hex(hasher.digest())).toBe(expected);
  });

  it('is over after its digest, and after it has been disposed', () => {
    const done = kernel.createHash(hash);
    expect(done.digest().length).toBe(HASH_LENGTH[hash]);
    const disposed = kernel.createHash(hash);
    disposed.update(randomBytes(9));
    disposed.dispose();
    disposed.dispose();
    for (const hasher of [done, disposed]) {
      expect(() => hasher.update(randomBytes(1))).toThrow('after its end');
      expect(() => hasher.digest()).toThrow('after its end');
      hasher.dispose();
    }
  });
});

it('counts bytes beyond 2^29, where their bits no longer fit into 32', () => {
  const [hasher, other] = [kernel.createHash('SHA-256'), createHash('sha256')];
  const piece = randomBytes(2 ** 25 + 1);
  for (let i = 0; i < 17; i++) {
    hasher.update(piece);
    other.update(piece);
  }
  expect(hex(hasher.digest())).toBe(other.digest('hex'));
}, 60_000);
