/**
 * Signing keys that sign several messages, as a cache keeps them: by the platform where that can be, and nothing that
 * JavaScript has signed leaves before it has been verified.
 */
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { SigningKey } from '../../src/crypto/crypto.ts';
import { createNodeCrypto } from '../../src/crypto/node-crypto.ts';
import { platformRandom } from '../../src/crypto/random.ts';
import { createWebCrypto } from '../../src/crypto/webcrypto.ts';
import { cachingCmm, decrypt, decryptStream, encrypt, encryptStream } from '../../src/index.ts';
import { encodedSignature, encodedSignatureIsGood } from '../../src/kdf/signature.ts';
import { type SignatureAlgorithm, suiteById } from '../../src/suite/algorithm-suites.ts';
import { dataKeysOf } from '../support/caching.ts';
import { aesKeyring, bytes } from '../support/messages.ts';
import { every, through } from '../support/streams.ts';

const noble = vi.hoisted(() => ({ signs: 0, verifies: 0, spoil: false, entropy: [] as string[] }));

vi.mock('@noble/curves/nist.js', async (original) => {
  const real = await original<typeof import('@noble/curves/nist.js')>();
  const counting = (curve: typeof real.p256) => ({
    ...curve,
    sign: (...[digest, key, options]: Parameters<typeof curve.sign>) => {
      noble.signs++;
      noble.entropy.push(String((options as { extraEntropy: Uint8Array }).extraEntropy));
      const signature = curve.sign(digest, key, options).slice();
      if (noble.spoil) signature[5]! ^= 1;
      return signature;
    },
    verify: (...call: Parameters<typeof curve.verify>) => {
      noble.verifies++;
      return curve.verify(...call);
    },
  });
  return { ...real, p256: counting(real.p256), p384: counting(real.p384) };
});

const node = createNodeCrypto(await import('node:crypto'));
const web = createWebCrypto();
const { subtle } = globalThis.crypto;
const algorithms = [0x0214, 0x0578].map((id) => suiteById(id)!.signature!);
const USE = { inPieces: true, reusable: true } as const;

/** The platform, but for signatures: always the same for a message, as Deno's. */
async function withoutNonces() {
  const real = await import('node:crypto');
  const known = new Map<string, Buffer>();
  const sign = (...[digest, message, key]: Parameters<typeof real.sign>) => {
    const name = Buffer.from(message as Uint8Array).toString('hex');
    if (!known.has(name)) known.set(name, real.sign(digest, message, key) as unknown as Buffer);
    return Buffer.from(known.get(name)!);
  };
  return createNodeCrypto({ ...real, sign } as unknown as typeof real);
}

describe.each(algorithms)('signing again ($curve)', (algorithm) => {
  it.each([false, true])(
    'gives another signature where the platform has but one, reusable: %s',
    async (reusable) => {
      const key = await (await withoutNonces()).generateSigningKey(algorithm, platformRandom, {
        inPieces: false,
        reusable,
      });
      const signed = [];
      for (let i = 0; i < 4; i++) signed.push(await key.sign(bytes(100)));
      expect(new Set(signed.map(String)).size).toBe(4);
      for (const rs of signed) expect(await node.verify(algorithm, key.publicKey, bytes(100), rs)).toBe(true);
      expect(noble.signs).toBe(3);
    },
  );
});

afterEach(() => {
  vi.restoreAllMocks();
  Object.assign(noble, { signs: 0, verifies: 0, spoil: false, entropy: [] });
});

function withoutEcdsa(): typeof web {
  const error = () => new DOMException('no', 'NotSupportedError');
  vi.spyOn(subtle, 'generateKey').mockImplementation(() => Promise.reject(error()));
  return web;
}

async function isGood(algorithm: SignatureAlgorithm, key: SigningKey, message: Uint8Array, der: Uint8Array) {
  const good = await encodedSignatureIsGood(algorithm, der, (rs) =>
    node.verify(algorithm, key.publicKey, message, rs),
  );
  return good && der.length === algorithm.signatureLength;
}

async function signPieces(algorithm: SignatureAlgorithm, key: SigningKey, message: Uint8Array) {
  const signer = key.signer!();
  for (const piece of every(1 << 20)(message)) signer.update(piece);
  return encodedSignature(algorithm, () => signer.sign());
}

describe.each([
  ['node', () => node],
  ['webcrypto', () => web],
  ['webcrypto without ECDSA', withoutEcdsa],
] as const)('a reusable key of %s', (name, crypto) => {
  it('signs many messages, whole and in pieces, short and above 4 MiB', async () => {
    const long = bytes(5 * 2 ** 20);
    for (const algorithm of algorithms) {
      const key = await crypto().generateSigningKey(algorithm, platformRandom, USE);
      for (let i = 0; i < 8; i++) {
        const message = bytes(100 + i, i);
        expect(
          await isGood(algorithm, key, message, await encodedSignature(algorithm, () => key.sign(message))),
        ).toBe(true);
        expect(await isGood(algorithm, key, message, await signPieces(algorithm, key, message))).toBe(true);
      }
      expect(await isGood(algorithm, key, long, await signPieces(algorithm, key, long))).toBe(true);
    }
  });

  it('signs two messages at the same time', async () => {
    const key = await crypto().generateSigningKey(algorithms[1]!, platformRandom, USE);
    const signers = [bytes(10, 1), bytes(10, 2)].map((message) => ({ message, signer: key.signer!() }));
    for (const { message, signer } of signers) signer.update(message);
    for (const { message, signer } of signers) {
      const der = await encodedSignature(algorithms[1]!, () => signer.sign());
      expect(await isGood(algorithms[1]!, key, message, der)).toBe(true);
    }
  });

  it('releases nothing that noble has signed before it has been verified', async () => {
    const algorithm = algorithms[1]!;
    const key = await crypto().generateSigningKey(algorithm, platformRandom, USE);
    const sign = async () => {
      const signer = key.signer!();
      signer.update(bytes(10));
      if (name === 'node') await signer.sign(); // OpenSSL signs first
      return signer.sign();
    };
    noble.signs = noble.verifies = 0;
    await sign();
    expect([noble.signs, noble.verifies]).toEqual([1, 1]);
    noble.spoil = true;
    await expect(sign()).rejects.toThrow('did not verify');
    if (name === 'webcrypto without ECDSA')
      await expect(async () => key.sign(bytes(10))).rejects.toThrow('did not verify');
    else await key.sign(bytes(10));
  });

  it("hedges each nonce with fresh bytes of the platform, and never with the message's", async () => {
    const algorithm = algorithms[0]!;
    let spent = false;
    const random = (length: number) => {
      if (spent) throw new Error("a message's random bytes were used after it");
      return platformRandom(length);
    };
    const key = await crypto().generateSigningKey(algorithm, random, USE);
    spent = true;
    noble.entropy.length = 0;
    for (let i = 0; i < 4; i++) {
      const signer = key.signer!();
      signer.update(bytes(10));
      await signer.sign();
      await signer.sign();
    }
    expect(noble.entropy.length).toBeGreaterThanOrEqual(4);
    expect(new Set(noble.entropy).size).toBe(noble.entropy.length);
    vi.spyOn(globalThis.crypto, 'getRandomValues').mockImplementation(() => {
      throw new Error('no randomness');
    });
    const signer = key.signer!();
    signer.update(bytes(10));
    await expect(async () => {
      await signer.sign();
      await signer.sign();
    }).rejects.toThrow('no randomness');
  });
});

describe('who signs', () => {
  it('node: OpenSSL always first, above 4 MiB as well; a key of one message hands that to noble', async () => {
    const long = bytes(5 * 2 ** 20);
    for (const [use, signs] of [
      [USE, 0],
      [{ inPieces: true }, 1],
    ] as const) {
      const key = await node.generateSigningKey(algorithms[1]!, platformRandom, use);
      noble.signs = 0;
      const signer = key.signer!();
      signer.update(long);
      await signer.sign();
      await key.sign(bytes(10));
      expect(noble.signs).toBe(signs);
    }
  });

  it('webcrypto: subtle in one shot, and noble in pieces under the same key', async () => {
    const key = await web.generateSigningKey(algorithms[1]!, platformRandom, USE);
    const spy = vi.spyOn(subtle, 'sign');
    await key.sign(bytes(10));
    expect([spy.mock.calls.length, noble.signs]).toEqual([1, 0]);
    await signPieces(algorithms[1]!, key, bytes(10));
    expect([spy.mock.calls.length, noble.signs > 0]).toEqual([1, true]);
  });

  it('webcrypto: a key that is not to sign in pieces cannot be exported, reusable or not', async () => {
    const spy = vi.spyOn(subtle, 'generateKey');
    for (const reusable of [true, false]) {
      const key = await web.generateSigningKey(algorithms[0]!, platformRandom, { reusable });
      expect(key.signer).toBeUndefined();
    }
    expect(spy.mock.calls.map((call) => call[1])).toEqual([false, false]);
  });
});

it('through a cache: one key signs one-shot messages and streams above 4 MiB, and all verify', async () => {
  const keyring = aesKeyring();
  const cmm = cachingCmm({ keyring, maxAgeSeconds: 60 });
  const long = bytes(5 * 2 ** 20);
  const options = { cmm, frameLength: 2 ** 18 };
  const messages = [
    (await encrypt(bytes(10), options)).ciphertext,
    (await through(encryptStream(options), every(2 ** 20)(long))).bytes,
    (await encrypt(bytes(20), options)).ciphertext,
    (await through(encryptStream(options), every(7)(bytes(30)))).bytes,
  ];
  expect(dataKeysOf(messages)).toBe(1);
  expect(noble.signs).toBe(noble.verifies); // the rare one that misses its length
  for (const [i, length] of [10, long.length, 20, 30].entries()) {
    expect((await decrypt(messages[i]!, { keyring })).plaintext).toHaveLength(length);
    expect((await through(decryptStream({ cmm }), every(2 ** 20)(messages[i]!))).bytes).toHaveLength(length);
  }
});
