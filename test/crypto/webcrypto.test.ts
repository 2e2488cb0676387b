/**
 * What WebCrypto lacks somewhere is filled in or said clearly. The platform's own calls are replaced by ones that fail
 * as those engines do.
 */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createNodeCrypto } from '../../src/crypto/node-crypto.ts';
import { platformRandom } from '../../src/crypto/random.ts';
import { createWebCrypto } from '../../src/crypto/webcrypto.ts';
import { encodedSignature, encodedSignatureIsGood } from '../../src/kdf/signature.ts';
import { suiteById } from '../../src/suite/algorithm-suites.ts';
import { bytes, failure, rsaPem } from '../support/messages.ts';

const web = createWebCrypto();
const node = createNodeCrypto(await import('node:crypto'));
const algorithms = [0x0214, 0x0578].map((id) => suiteById(id)!.signature!);
const { subtle } = globalThis.crypto;

afterEach(() => vi.restoreAllMocks());

const dataError = () => new DOMException('no', 'DataError');
const notSupported = () => new DOMException('no', 'NotSupportedError');

describe('an engine without compressed points', () => {
  it('verifies all the same', async () => {
    const real = subtle.importKey.bind(subtle);
    vi.spyOn(subtle, 'importKey').mockImplementation(((
      format: string,
      data: Uint8Array,
      ...rest: unknown[]
    ) =>
      format === 'raw' && (data[0] === 2 || data[0] === 3) && data.length < 50 && data.length > 32
        ? Promise.reject(dataError())
        : (real as (...all: unknown[]) => unknown)(format, data, ...rest)) as never);
    for (const algorithm of algorithms) {
      const key = await node.generateSigningKey(algorithm, platformRandom);
      const signature = await encodedSignature(algorithm, () => key.sign(bytes(20)));
      expect(
        await encodedSignatureIsGood(algorithm, signature, (rs) =>
          web.verify(algorithm, key.publicKey, bytes(20), rs),
        ),
      ).toBe(true);
      expect(
        await encodedSignatureIsGood(algorithm, signature, (rs) =>
          web.verify(algorithm, key.publicKey, bytes(21), rs),
        ),
      ).toBe(false);
    }
    expect(subtle.importKey).toHaveBeenCalledTimes(2 * 2 * 2);
  });
});

describe('an engine without ECDSA', () => {
  it('signs and verifies by noble', async () => {
    vi.spyOn(subtle, 'generateKey').mockRejectedValue(notSupported());
    vi.spyOn(subtle, 'importKey').mockRejectedValue(notSupported());
    for (const algorithm of algorithms) {
      const key = await web.generateSigningKey(algorithm, platformRandom);
      const signature = await encodedSignature(algorithm, () => key.sign(bytes(20)));
      expect(signature).toHaveLength(algorithm.signatureLength);
      expect(
        await encodedSignatureIsGood(algorithm, signature, (rs) =>
          node.verify(algorithm, key.publicKey, bytes(20), rs),
        ),
      ).toBe(true);
      expect(
        await encodedSignatureIsGood(algorithm, signature, (rs) =>
          web.verify(algorithm, key.publicKey, bytes(20), rs),
        ),
      ).toBe(true);
      expect(
        await encodedSignatureIsGood(algorithm, signature, (rs) =>
          web.verify(algorithm, key.publicKey, bytes(21), rs),
        ),
      ).toBe(false);
    }
  });

  it('hedges its nonces: fresh bytes go into each, and without them it does not sign', async () => {
    vi.spyOn(subtle, 'generateKey').mockRejectedValue(notSupported());
    const key = await web.generateSigningKey(algorithms[1]!, platformRandom);
    expect(await key.sign(bytes(5))).not.toEqual(await key.sign(bytes(5)));
    vi.spyOn(globalThis.crypto, 'getRandomValues').mockImplementation(() => {
      throw new Error('no randomness');
    });
    await expect(async () => key.sign(bytes(5))).rejects.toThrow('no randomness');
  });
});

describe('points that are none', () => {
  it.each([
    ['web', web],
    ['node', node],
  ] as const)('%s: verify nothing', async (_, crypto) => {
    for (const algorithm of algorithms) {
      const n = algorithm.scalarLength;
      const key = await node.generateSigningKey(algorithm, platformRandom);
      const signature = await key.sign(bytes(5));
      expect(await crypto.verify(algorithm, key.publicKey, bytes(5), signature)).toBe(true);
      const offCurve = new Uint8Array(n + 1).fill(0xff);
      offCurve[0] = 2;
      for (const point of [
        offCurve,
        new Uint8Array(n + 1),
        key.publicKey.subarray(1),
        new Uint8Array(2 * n + 1).fill(4, 0, 1),
      ]) {
        expect(await crypto.verify(algorithm, point, bytes(5), signature)).toBe(false);
      }
    }
  });
});

describe('an engine without AES-192', () => {
  it('says so', async () => {
    vi.spyOn(subtle, 'importKey').mockRejectedValue(
      new DOMException('192-bit AES keys are not supported', 'OperationError'),
    );
    const error = await failure(async () => web.aesGcmSeal(bytes(24), bytes(12), bytes(0), bytes(5)));
    expect([error.code, error.message]).toEqual([
      'UNSUPPORTED',
      "this runtime's WebCrypto has no AES-192-GCM",
    ]);
  });
});

describe('both providers', () => {
  it('answer each other', async () => {
    for (const length of [16, 24, 32]) {
      const key = bytes(length);
      const sealed = await web.aesGcmSeal(key, bytes(12), bytes(30), bytes(50));
      expect(await node.aesGcmSeal(key, bytes(12), bytes(30), bytes(50))).toEqual(sealed);
      for (const crypto of [web, node]) {
        expect(await crypto.aesGcmOpen(key, bytes(12), bytes(30), sealed)).toEqual(bytes(50));
        expect(await crypto.aesGcmOpen(key, bytes(12), bytes(31), sealed)).toBeUndefined();
        expect(await crypto.aesGcmOpen(key, bytes(12), bytes(30), sealed.subarray(0, 15))).toBeUndefined();
      }
    }
    for (const hash of ['SHA-256', 'SHA-384', 'SHA-512'] as const) {
      const outputs = [
        { info: bytes(5), length: 16 },
        { info: bytes(0), length: 200 },
      ];
      for (const salt of [bytes(0), bytes(32)]) {
        expect(await web.hkdf(hash, bytes(32), salt, outputs)).toEqual(
          await node.hkdf(hash, bytes(32), salt, outputs),
        );
      }
    }
  });

  it('wrap with RSA for each other; PKCS#1 v1.5 is unsupported before any RSA operation', async () => {
    const pem = rsaPem();
    for (const padding of ['oaep-sha1', 'oaep-sha256', 'oaep-sha384', 'oaep-sha512'] as const) {
      for (const [a, b] of [
        [web, node],
        [node, web],
      ] as const) {
        const block = await (await a.rsaEncryptor(padding, pem.publicKey)).encrypt(bytes(32));
        expect(await (await b.rsaDecryptor(padding, pem.privateKey)).decrypt(block, 32)).toEqual(bytes(32));
      }
    }
    for (const work of [
      () => web.rsaEncryptor('pkcs1', pem.publicKey),
      () => web.rsaDecryptor('pkcs1', pem.privateKey),
    ]) {
      expect((await failure(async () => work())).code).toBe('UNSUPPORTED');
    }
  });
});
