import { createPublicKey, createVerify } from 'node:crypto';
import { p256, p384 } from '@noble/curves/nist.js';
import { describe, expect, it } from 'vitest';
import { concat } from '../../src/bytes.ts';
import type { SigningKey } from '../../src/crypto/crypto.ts';
import { encodeDer } from '../../src/crypto/ecdsa-der.ts';
import { createNodeCrypto } from '../../src/crypto/node-crypto.ts';
import { platformRandom } from '../../src/crypto/random.ts';
import { createWebCrypto } from '../../src/crypto/webcrypto.ts';
import { decrypt, encrypt } from '../../src/index.ts';
import {
  decodeSignature,
  encodedSignature,
  encodedSignatureIsGood,
  encodeSignature,
} from '../../src/kdf/signature.ts';
import { suiteById } from '../../src/suite/algorithm-suites.ts';
import { aesKeyring, bytes, failureCode, flip } from '../support/messages.ts';

const P256 = suiteById(0x0214)!.signature!;
const P384 = suiteById(0x0578)!.signature!;
const providers = [createNodeCrypto(await import('node:crypto')), createWebCrypto()];
const rows = providers.flatMap((crypto) =>
  [P256, P384].map((algorithm) => [crypto.name, algorithm.curve, crypto, algorithm] as const),
);

// A signer of fixed numbers: what the DER rules do is then known.
const fixed = (...signatures: Uint8Array[]): SigningKey & { asked: number } => ({
  publicKey: bytes(49),
  asked: 0,
  sign() {
    return signatures[Math.min(this.asked++, signatures.length - 1)]! as never;
  },
});
const scalar = (n: number, first: number) => new Uint8Array(n).fill(1).fill(first, 0, 1);

describe('the length of a signature', () => {
  it.each(rows)(
    '%s %s is the same for every message, and every provider verifies it',
    async (_, __, crypto, algorithm) => {
      for (let i = 0; i < 40; i++) {
        const key = await crypto.generateSigningKey(algorithm, platformRandom);
        const signature = await encodedSignature(algorithm, () => key.sign(bytes(i)));
        expect(signature).toHaveLength(algorithm.signatureLength);
        for (const other of providers) {
          expect(
            await encodedSignatureIsGood(algorithm, signature, (rs) =>
              other.verify(algorithm, key.publicKey, bytes(i), rs),
            ),
          ).toBe(true);
          expect(
            await encodedSignatureIsGood(algorithm, signature, (rs) =>
              other.verify(algorithm, key.publicKey, bytes(i + 1), rs),
            ),
          ).toBe(false);
        }
      }
    },
  );

  it.each([
    ['r and s small: n - s', 0x01, 0x01],
    ['r and s large: n - s', 0xf1, 0xf1],
    ['r small, s large: as it is', 0x01, 0xf1],
    ['r large, s small: as it is', 0xf1, 0x01],
  ])('%s', (_, r, s) => {
    for (const [algorithm, n] of [
      [P256, 32],
      [P384, 48],
    ] as const) {
      const der = encodeSignature(algorithm, concat(scalar(n, r), scalar(n, s)));
      expect(der).toHaveLength(algorithm.signatureLength);
      const back = decodeSignature(algorithm, der)!;
      expect(back.subarray(0, n)).toEqual(scalar(n, r));
      expect(back[n]! >= 0x80).toBe(r < 0x80);
    }
  });

  it('signs again when neither s nor n - s has the length', async () => {
    const short = concat(scalar(48, 0), scalar(48, 1)); // r has 47 bytes
    const good = concat(scalar(48, 1), scalar(48, 0xf1));
    const key = fixed(short, short, good);
    expect(await encodedSignature(P384, () => key.sign(bytes(1)))).toHaveLength(103);
    expect(key.asked).toBe(3);
  });

  it('ends for a signer that always gives the same', async () => {
    const key = fixed(concat(scalar(48, 0), scalar(48, 1)));
    expect((await encodedSignature(P384, () => key.sign(bytes(1)))).length).toBeLessThan(103);
    expect(key.asked).toBeLessThan(20);
  });
});

describe('strict DER', () => {
  const good = encodeSignature(P256, concat(scalar(32, 1), scalar(32, 0xf1)));
  const der = (r: Uint8Array, s: Uint8Array) => {
    const integer = (value: Uint8Array) => concat(Uint8Array.of(2, value.length), value);
    const body = concat(integer(r), integer(s));
    return concat(Uint8Array.of(0x30, body.length), body);
  };
  const one = Uint8Array.of(1);

  it('reads what it writes', () => {
    expect(decodeSignature(P256, good)).toEqual(concat(scalar(32, 1), scalar(32, 0xf1)));
    expect(decodeSignature(P256, der(one, one))).toHaveLength(64);
  });

  it.each([
    ['nothing', new Uint8Array(0)],
    ['r || s', bytes(64)],
    ['another tag', flip(good, 0)],
    ['a wrong length', flip(good, 1)],
    ['a long form of the length', concat(Uint8Array.of(0x30, 0x81, good.length - 2), good.subarray(2))],
    ['a byte behind it', concat(good, one)],
    ['a byte behind s, inside', concat(Uint8Array.of(0x30, good.length - 1), good.subarray(2), one)],
    ['a length beyond the end', concat(Uint8Array.of(0x30, good.length - 1), good.subarray(2))],
    ['r of another type', Uint8Array.of(0x30, 6, 4, 1, 1, 2, 1, 1)],
    ['a negative r', der(Uint8Array.of(0x80), one)],
    ['a padded r', der(Uint8Array.of(0, 0x7f), one)],
    ['an empty s', der(one, new Uint8Array(0))],
    ['r of 0', der(Uint8Array.of(0), one)],
    ['r longer than the curve', der(new Uint8Array(34).fill(1), one)],
  ])('refuses %s', (_, signature) => {
    expect(decodeSignature(P256, signature)).toBeUndefined();
  });

  it.each([
    [P256, p256.Point.Fn.ORDER],
    [P384, p384.Point.Fn.ORDER],
  ] as const)('$curve: r and s are above 0 and below n', (algorithm, n) => {
    const big = (value: bigint) =>
      Buffer.from(value.toString(16).padStart(2 * algorithm.scalarLength, '0'), 'hex');
    const inRange = (r: bigint, s: bigint) =>
      decodeSignature(algorithm, encodeDer(concat(big(r), big(s)))) !== undefined;
    const last = 2n ** BigInt(8 * algorithm.scalarLength) - 1n;
    for (const value of [1n, 2n, n >> 1n, n - 256n, n - 1n])
      expect([inRange(value, 1n), inRange(1n, value)]).toEqual([true, true]);
    for (const value of [0n, n, n + 1n, n + 256n, last])
      expect([inRange(value, 1n), inRange(1n, value)]).toEqual([false, false]);
  });
});

describe('a signed message', () => {
  const keyring = aesKeyring();

  it('is verified by an independent verifier with the key in its header', async () => {
    const { ciphertext, header } = await encrypt(bytes(100), { keyring, frameLength: 16 });
    const point = Buffer.from(header.encryptionContext['aws-crypto-public-key']!, 'base64');
    const spki = Buffer.concat([Buffer.from('3046301006072a8648ce3d020106052b81040022033200', 'hex'), point]);
    const key = createPublicKey({ key: spki, format: 'der', type: 'spki' });
    const end = ciphertext.length - 105;
    expect([ciphertext[end], ciphertext[end + 1]]).toEqual([0, 103]);
    expect(
      createVerify('sha384')
        .update(ciphertext.subarray(0, end))
        .verify(key, ciphertext.subarray(end + 2)),
    ).toBe(true);
  });

  it('has a fresh key each time', async () => {
    const keys = await Promise.all(
      Array.from(
        { length: 20 },
        async () => (await encrypt(bytes(1), { keyring })).header.encryptionContext['aws-crypto-public-key'],
      ),
    );
    expect(new Set(keys).size).toBe(20);
  });

  it('is refused when its signature, or what it signs, is altered', async () => {
    const { ciphertext, header } = await encrypt(bytes(100), { keyring, frameLength: 16 });
    for (const at of [ciphertext.length - 1, ciphertext.length - 60, header.headerLength + 20]) {
      expect(await failureCode(decrypt(flip(ciphertext, at), { keyring }))).toBe('AUTHENTICATION_FAILED');
    }
  });
});
