import { createCipheriv, hkdfSync, randomBytes, randomInt } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { equal } from '../../../src/bytes.ts';
import { loadKernel } from '../../../src/engine/wasm/kernel.ts';
import { HASH_LENGTH, type KernelHash } from '../../../src/engine/wasm/kernel-calls.ts';

const kernel = loadKernel()!;
const HASHES = Object.keys(HASH_LENGTH) as KernelHash[];
const fromHex = (text: string) => Uint8Array.from(Buffer.from(text, 'hex'));

describe('HKDF', () => {
  // RFC 5869 appendix A.1 and A.3, their first block.
  it.each([
    [
      '0b'.repeat(22),
      '000102030405060708090a0b0c',
      'f0f1f2f3f4f5f6f7f8f9',
      '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf',
    ],
    ['0b'.repeat(22), '', '', '8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d'],
  ])('gives the published answers', (key, salt, info, okm) => {
    const outputs = [{ info: fromHex(info), length: 32 }];
    expect(kernel.hkdf('SHA-256', fromHex(key), fromHex(salt), outputs)).toEqual([fromHex(okm)]);
  });

  it.each(HASHES)('agrees with the platform: %s, inputs of every length around two blocks', (hash) => {
    const name = hash.toLowerCase().replace('-', '');
    for (let length = 0; length <= 280; length++) {
      const key = randomBytes(1 + randomInt(80));
      const salt = randomBytes(length);
      const outputs = [length, 280 - length, 3].map((infoLength) => ({
        info: randomBytes(infoLength),
        length: 1 + randomInt(HASH_LENGTH[hash]),
      }));
      for (const [i, output] of kernel.hkdf(hash, key, salt, outputs).entries()) {
        const { info, length } = outputs[i]!;
        expect(equal(output, new Uint8Array(hkdfSync(name, key, salt, info, length)))).toBe(true);
      }
    }
  });

  it('gives no more than one hash, and goes on after it has been asked for more', () => {
    const ask = (length: number) =>
      kernel.hkdf('SHA-384', randomBytes(32), randomBytes(32), [{ info: randomBytes(3), length }]);
    expect(() => ask(49)).toThrow('please report');
    expect(ask(48)[0]!.length).toBe(48);
  });
});

describe('AES-GCM', () => {
  const seal = (key: Uint8Array, iv: Uint8Array, aad: Uint8Array, plaintext: Uint8Array) => {
    const cipher = createCipheriv(`aes-${8 * key.length}-gcm` as 'aes-256-gcm', key, iv);
    cipher.setAAD(aad);
    return Uint8Array.from(Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]));
  };

  it.each([16, 24, 32])('agrees with the platform under keys of %i bytes', (keyLength) => {
    for (let length = 0; length <= 300; length++) {
      const key = randomBytes(keyLength);
      const iv = randomBytes(12);
      const aad = randomBytes(randomInt(200));
      const plaintext = Uint8Array.from(randomBytes(length));
      const sealed = kernel.gcmSeal(key, iv, aad, plaintext);
      expect(equal(sealed, seal(key, iv, aad, plaintext))).toBe(true);
      expect(equal(kernel.gcmOpen(key, iv, aad, sealed)!, plaintext)).toBe(true);
    }
  });

  it('agrees with the platform on long messages', () => {
    for (const length of [4080, 4096, 4097, 70_000, 600_000]) {
      const [key, iv, aad, plaintext] = [
        randomBytes(32),
        randomBytes(12),
        randomBytes(5000),
        randomBytes(length),
      ];
      const sealed = kernel.gcmSeal(key, iv, aad, plaintext);
      expect(equal(sealed, seal(key, iv, aad, plaintext))).toBe(true);
      expect(equal(kernel.gcmOpen(key, iv, aad, sealed)!, plaintext)).toBe(true);
    }
  });

  it('opens nothing that was altered, in any bit, or that is too short', () => {
    const [key, iv, aad, plaintext] = [randomBytes(32), randomBytes(12), randomBytes(9), randomBytes(21)];
    const sealed = kernel.gcmSeal(key, iv, aad, plaintext);
    for (let bit = 0; bit < 8 * sealed.length; bit++) {
      const altered = sealed.slice();
      altered[bit >> 3]! ^= 1 << (bit & 7);
      expect(kernel.gcmOpen(key, iv, aad, altered)).toBeUndefined();
    }
    for (let length = 0; length < sealed.length; length++) {
      expect(kernel.gcmOpen(key, iv, aad, sealed.subarray(0, length))).toBeUndefined();
    }
    expect(kernel.gcmOpen(key, randomBytes(12), aad, sealed)).toBeUndefined();
    expect(kernel.gcmOpen(key, iv, aad.subarray(1), sealed)).toBeUndefined();
    expect(kernel.gcmOpen(randomBytes(32), iv, aad, sealed)).toBeUndefined();
  });
});
