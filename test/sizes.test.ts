import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { concat, dataView, Reader } from '../src/bytes.ts';
import { MAX_FRAMES, parseNonFramedBody } from '../src/format/message-body.ts';
import {
  ciphertextLength,
  type EncryptOptions,
  encrypt,
  estimateCiphertextLength,
  type MessageHeader,
  multiKeyring,
  parseHeader,
  plaintextLength,
  rawAesKeyring,
  rawRsaKeyring,
} from '../src/index.ts';
import { awsKmsKeyring } from '../src/keyring/aws-kms/index.ts';
import { type LocalKms, startLocalKms } from '../src/local-kms/index.ts';
import { ALGORITHM_SUITES, type AlgorithmSuite } from '../src/suite/algorithm-suites.ts';
import {
  aesKeyring,
  bytes,
  failure,
  failureCode,
  policyFor,
  rsaPem,
  SUITE_ROWS,
} from './support/messages.ts';
import { frames, writeNaively } from './support/naive.ts';
import { ownVectors } from './support/vectors-own.ts';

const FRAME = 16;
const LENGTHS = [0, 1, FRAME - 1, FRAME, FRAME + 1, 2 * FRAME - 1, 2 * FRAME, 2 * FRAME + 1, 5 * FRAME, 1000];
const CONTEXT = { b: '2', a: '1', '\u{10000}': 'after' };
const MAX = Number.MAX_SAFE_INTEGER;
const numRuns = process.env.SLOW ? 20_000 : 1000;
const any = { writer: 'any' } as const;
const longestSignature = (suite: AlgorithmSuite) =>
  suite.signature ? suite.signature.signatureLength + 1 : 0;

/** A header of which nothing but the lengths is said. */
function headerOf(suite: AlgorithmSuite, headerLength: number, frameLength: number): MessageHeader {
  const contentType = frameLength > 0 ? 'framed' : 'non-framed';
  return { suiteId: suite.id, headerLength, frameLength, contentType } as MessageHeader;
}

/** Whether the range holds the length, and is no wider than signatures allow. */
function holds(length: number, total: number, header: MessageHeader, suite: AlgorithmSuite): void {
  const { min, max } = plaintextLength(total, header);
  expect(min).toBeLessThanOrEqual(length);
  expect(max).toBeGreaterThanOrEqual(length);
  expect(max - min).toBeLessThanOrEqual(suite.signature ? longestSignature(suite) - 8 : 0);
}

describe('messages of ours', () => {
  const keyrings = [
    aesKeyring(),
    multiKeyring({ generator: aesKeyring(1), children: [aesKeyring(2), aesKeyring(3)] }),
  ];

  it.each(SUITE_ROWS)('%s: the length is exact, and the plaintext within its range', async (_, suite) => {
    for (const keyring of keyrings) {
      for (const length of LENGTHS) {
        for (const [frameLength, encryptionContext] of [
          [FRAME, {}],
          [FRAME, CONTEXT],
          [1, CONTEXT],
          [4096, {}],
        ] as const) {
          const options = { keyring, algorithmSuite: suite.id, commitmentPolicy: policyFor(suite) };
          const { ciphertext, header } = await encrypt(bytes(length), {
            ...options,
            frameLength,
            encryptionContext,
          });
          expect(ciphertextLength(length, header)).toBe(ciphertext.length);
          expect(ciphertextLength(length, parseHeader(ciphertext))).toBe(ciphertext.length);
          holds(length, ciphertext.length, header, suite);
          const slack = (suite.signature ? 1 : 0) + (length > 0 && length % frameLength === 0 ? 32 : 0);
          expect(ciphertextLength(length, header, any)).toBe(ciphertext.length + slack);
        }
      }
    }
  });
});

describe('messages of others', () => {
  const write = (suite: AlgorithmSuite, body: Parameters<typeof writeNaively>[0]['body']) =>
    writeNaively({
      suite,
      body,
      wrappingKey: bytes(32),
      keyNamespace: 'n',
      keyName: 'k',
      context: CONTEXT,
      frameLength: FRAME,
    });

  it.each(SUITE_ROWS)('%s: an empty final frame behind a full one is within the bound', (_, suite) => {
    for (const full of [1, 2, 7]) {
      const plaintext = bytes(full * FRAME);
      const regular = frames(plaintext, FRAME).map((frame) => ({ ...frame, final: false }));
      const final = { sequenceNumber: full + 1, plaintext: bytes(0), final: true };
      const message = write(suite, [...regular, final]);
      const header = parseHeader(message);
      expect(ciphertextLength(plaintext.length, header)).toBeLessThan(message.length);
      const bound = ciphertextLength(plaintext.length, header, any);
      if (suite.signature) expect(bound).toBeGreaterThanOrEqual(message.length);
      else expect(bound).toBe(message.length);
      holds(plaintext.length, message.length, header, suite);
    }
  });

  it.each(SUITE_ROWS)('%s: signatures of any length, framed or not', (_, suite) => {
    const lengths = new Set<number>();
    for (let i = 0; i < (suite.signature ? 60 : 3); i++) {
      const length = i % 40;
      const framed = write(suite, frames(bytes(length), FRAME));
      const nonFramed = write(suite, bytes(length));
      for (const message of [framed, nonFramed]) {
        const header = parseHeader(message);
        expect(ciphertextLength(length, header, any)).toBeGreaterThanOrEqual(message.length);
        if (!suite.signature) expect(ciphertextLength(length, header)).toBe(message.length);
        lengths.add(message.length - ciphertextLength(length, header));
        holds(length, message.length, header, suite);
      }
    }
    expect([...lengths].length).toBeGreaterThan(suite.signature ? 1 : 0);
  });

  it('of the vectors that open', () => {
    let opened = 0;
    for (const { message, plaintext } of [...ownVectors('manifest.json'), ...ownVectors('foreign.json')]) {
      if (plaintext === undefined) continue;
      const header = parseHeader(message);
      const suite = ALGORITHM_SUITES.find(({ id }) => id === header.suiteId)!;
      expect(ciphertextLength(plaintext.length, header, any)).toBeGreaterThanOrEqual(message.length);
      holds(plaintext.length, message.length, header, suite);
      opened++;
    }
    expect(opened).toBeGreaterThan(180);
  });
});

describe('every length', () => {
  // All messages of one frame length up to a size, one by one: regular frames, final frame, signature.
  function enumerate(suite: AlgorithmSuite, frameLength: number, upTo: number): Map<number, number[]> {
    const held = new Map<number, number[]>();
    const signatures = suite.signature
      ? Array.from({ length: longestSignature(suite) - 7 }, (_, i) => 2 + 8 + i)
      : [0];
    for (let regular = 0; regular * (frameLength + 32) < upTo; regular++) {
      for (let final = 0; final <= frameLength; final++) {
        for (const footer of signatures) {
          const total = 100 + regular * (frameLength + 32) + 40 + final + footer;
          held.set(total, [...(held.get(total) ?? []), regular * frameLength + final]);
        }
      }
    }
    return held;
  }

  it.each([
    [0x0478, 1],
    [0x0478, 5],
    [0x0478, 33],
    [0x0214, 1],
    [0x0214, 5],
    [0x0578, 1],
    [0x0578, 70],
    [0x0578, 200],
  ])('0x%s with frames of %i bytes holds what counting finds', async (id, frameLength) => {
    const suite = ALGORITHM_SUITES.find((one) => one.id === id)!;
    const header = headerOf(suite, 100, frameLength);
    const held = enumerate(suite, frameLength, 700);
    const shortest = Math.min(...held.keys());
    for (let total = 0; total < 700; total++) {
      const found = held.get(total);
      if (found)
        expect(plaintextLength(total, header)).toEqual({ min: Math.min(...found), max: Math.max(...found) });
      else {
        const code = total < shortest ? 'TRUNCATED' : 'INVALID_MESSAGE';
        expect(await failureCode(() => plaintextLength(total, header))).toBe(code);
      }
    }
  });

  it('is what exact integers give, up to 2^53', async () => {
    const frame = fc.oneof(
      fc.integer({ min: 1, max: 70_000 }),
      fc.integer({ min: 1, max: 0xffff_ffff }),
      fc.constant(0),
    );
    const size = fc.oneof(fc.maxSafeNat(), fc.nat(10_000), fc.integer({ min: MAX - 10_000, max: MAX }));
    const near = fc.tuple(size, frame, fc.integer({ min: -2, max: 2 })).map(([n, f, by]) => ({
      frameLength: f,
      length: Math.max(0, Math.min(MAX, f > 0 ? n - (n % f) + by : n % 2 ** 36)), // at the edge of a frame
    }));
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...ALGORITHM_SUITES), near, async (suite, { frameLength, length }) => {
        const header = headerOf(suite, 321, frameLength);
        const [n, f] = [BigInt(length), BigInt(frameLength)];
        const regular = f > 0n && n > 0n ? (n - 1n) / f : 0n;
        const footer = suite.signature ? 2 + suite.signature.signatureLength : 0;
        const exact = 321n + n + regular * 32n + (f > 0n ? 40n : 36n) + BigInt(footer);
        if (exact > BigInt(MAX) || regular + 1n > BigInt(MAX_FRAMES) || (f === 0n && length > 2 ** 36 - 32)) {
          expect(await failureCode(() => ciphertextLength(length, header))).toBe('LIMIT_EXCEEDED');
          return;
        }
        const total = ciphertextLength(length, header);
        expect(BigInt(total)).toBe(exact);
        holds(length, total, header, suite);
      }),
      { numRuns },
    );
  });

  it('grows with the plaintext, and the plaintext with the length', () => {
    const frame = fc.integer({ min: 0, max: 100 });
    const length = fc.nat(5000);
    fc.assert(
      fc.property(fc.constantFrom(...ALGORITHM_SUITES), frame, length, length, (suite, frameLength, a, b) => {
        const header = headerOf(suite, 200, frameLength);
        const [less, more] = a < b ? [a, b] : [b, a + 1];
        for (const options of [{}, any]) {
          const lengths = [less, more].map((n) => ciphertextLength(n, header, options));
          if (options === any) expect(lengths[0]).toBeLessThanOrEqual(lengths[1]!);
          else expect(lengths[0]).toBeLessThan(lengths[1]!);
          const [low, high] = lengths.map((total) => plaintextLength(total, header));
          expect(low!.min).toBeLessThanOrEqual(high!.min);
          expect(low!.max).toBeLessThanOrEqual(high!.max);
        }
      }),
      { numRuns },
    );
  });

  it('ends where frames and bodies end', async () => {
    const suite = ALGORITHM_SUITES[0]!;
    const framed = headerOf(suite, 100, 1);
    const most = ciphertextLength(MAX_FRAMES, framed);
    expect(plaintextLength(most, framed)).toEqual({ min: MAX_FRAMES, max: MAX_FRAMES });
    expect(await failureCode(() => ciphertextLength(MAX_FRAMES + 1, framed))).toBe('LIMIT_EXCEEDED');
    expect(await failureCode(() => plaintextLength(most + 33, framed))).toBe('INVALID_MESSAGE');
    const nonFramed = headerOf(suite, 100, 0);
    const longest = 2 ** 36 - 32;
    expect(plaintextLength(ciphertextLength(longest, nonFramed), nonFramed).max).toBe(longest);
    expect(await failureCode(() => ciphertextLength(longest + 1, nonFramed))).toBe('LIMIT_EXCEEDED');
    expect(await failureCode(() => plaintextLength(100 + 36 + longest + 1, nonFramed))).toBe(
      'INVALID_MESSAGE',
    );
    const signed = headerOf(ALGORITHM_SUITES.at(-1)!, 100, 0); // a signature may be what is too much
    expect(plaintextLength(100 + 36 + longest + 106, signed)).toEqual({ min: longest, max: longest });
    expect(await failureCode(() => plaintextLength(100 + 36 + longest + 107, signed))).toBe(
      'INVALID_MESSAGE',
    );
  });

  it('of a non-framed body is what the parser allows', async () => {
    const body = (length: number) => {
      const start = concat(bytes(12), new Uint8Array(8));
      dataView(start).setBigUint64(12, BigInt(length));
      return new Reader(start);
    };
    expect(await failureCode(() => parseNonFramedBody(body(2 ** 36 - 32), MAX))).toBe('TRUNCATED');
    expect(await failureCode(() => parseNonFramedBody(body(2 ** 36 - 31), MAX))).toBe('INVALID_MESSAGE');
  });

  it('says what is wrong with the arguments', async () => {
    const header = headerOf(ALGORITHM_SUITES[0]!, 100, 16);
    for (const length of [-1, 1.5, 2 ** 53, Number.NaN, '5', undefined, 5n]) {
      const wrong = length as number;
      for (const call of [
        () => ciphertextLength(wrong, header),
        () => plaintextLength(wrong, header),
        () => estimateCiphertextLength(wrong, {}),
      ]) {
        expect(await failureCode(call)).toBe('INVALID_ARGUMENT');
      }
    }
    for (const change of [
      { suiteId: 0 },
      { contentType: 'other' },
      { frameLength: 0 },
      { frameLength: 2 ** 32 },
      { headerLength: -1 },
      { contentType: 'non-framed' },
    ]) {
      const wrong = { ...header, ...change } as MessageHeader;
      expect(await failureCode(() => ciphertextLength(5, wrong))).toBe('INVALID_ARGUMENT');
      expect(await failureCode(() => plaintextLength(500, wrong))).toBe('INVALID_ARGUMENT');
    }
    expect(await failureCode(() => ciphertextLength(5, null as never))).toBe('INVALID_ARGUMENT');
    expect(await failureCode(() => ciphertextLength(5, header, { writer: 'me' } as never))).toBe(
      'INVALID_ARGUMENT',
    );
    expect(await failureCode(() => ciphertextLength(5, header, { write: 'any' } as never))).toBe(
      'INVALID_ARGUMENT',
    );
    const short = await failure(() => plaintextLength(139, header));
    expect([short.code, short.message]).toEqual(['TRUNCATED', expect.stringContaining('140')]);
  });
});

describe('an estimate', () => {
  const REGIONS = ['us-east-1', 'ap-southeast-1', 'us-gov-west-1', 'cn-northwest-1'] as const;
  let kms: LocalKms;
  let arns: string[];

  beforeAll(async () => {
    kms = await startLocalKms({ regions: REGIONS });
    arns = await Promise.all(
      REGIONS.map(async (region) => (await kms.createKey({ region, multiRegion: true })).arn),
    );
  });
  afterAll(() => kms.close());

  it.each(SUITE_ROWS)('%s: is enough for KMS keys, and not much more', async (_, suite) => {
    for (const [generatorKeyId, ...keyIds] of [...arns.map((arn) => [arn]), arns]) {
      const keyring = awsKmsKeyring({
        generatorKeyId: generatorKeyId!,
        keyIds,
        clientSupplier: kms.clientSupplier,
      });
      const keys = 1 + keyIds.length;
      for (const encryptionContext of [undefined, CONTEXT, new Map(Object.entries(CONTEXT))]) {
        const options = { encryptionContext, algorithmSuite: suite.name, commitmentPolicy: policyFor(suite) };
        const { ciphertext } = await encrypt(bytes(5000), { ...options, keyring });
        const estimate = estimateCiphertextLength(5000, { ...options, encryptedDataKeys: keys });
        expect(estimate).toBeGreaterThanOrEqual(ciphertext.length);
        expect(estimate).toBeLessThanOrEqual(ciphertext.length + 70 * keys);
        expect(estimateCiphertextLength(5000, { ...options, keyring, encryptedDataKeys: keys })).toBe(
          estimate,
        );
      }
    }
  });

  it.each(SUITE_ROWS)('%s: is exact where the keys are known', async (_, suite) => {
    const names = { keyNamespace: 'ключи', keyName: 'k1' }; // 10 and 2 bytes
    const { publicKey } = rsaPem(2048);
    const dataKey = suite.keyLength;
    const aes = rawAesKeyring({ ...names, wrappingKey: bytes(16) });
    const rsa = rawRsaKeyring({ ...names, publicKey, padding: 'oaep-sha256' });
    const aesKeys = { keyring: aes, encryptedDataKeyLength: 6 + 10 + 2 + 20 + dataKey + 16 };
    const rsaKeys = {
      keyring: multiKeyring({ generator: rsa, children: [rsa] }),
      encryptedDataKeyLength: 6 + 10 + 2 + 256,
    };
    for (const length of LENGTHS) {
      for (const [{ keyring, encryptedDataKeyLength }, encryptedDataKeys] of [
        [aesKeys, 1],
        [rsaKeys, 2],
      ] as const) {
        const options: EncryptOptions = {
          algorithmSuite: suite.id,
          commitmentPolicy: policyFor(suite),
          frameLength: FRAME,
          ...(length % 2 === 0 && { encryptionContext: CONTEXT }),
        };
        const { ciphertext } = await encrypt(bytes(length), { ...options, keyring });
        const estimate = estimateCiphertextLength(length, {
          ...options,
          encryptedDataKeys,
          encryptedDataKeyLength,
        });
        expect(estimate).toBe(ciphertext.length);
      }
    }
  });

  it('has the defaults of encrypt', async () => {
    const keyring = rawAesKeyring({ keyNamespace: 'n', keyName: 'k', wrappingKey: bytes(32) });
    const keys = { encryptedDataKeyLength: 6 + 2 + 20 + 32 + 16 };
    for (const options of [
      {},
      { commitmentPolicy: 'FORBID_ENCRYPT_ALLOW_DECRYPT' },
      { commitmentPolicy: 'REQUIRE_ENCRYPT_ALLOW_DECRYPT' },
      { maxFrameLength: 100 },
    ] as const) {
      const { ciphertext } = await encrypt(bytes(9000), { ...options, keyring });
      expect(estimateCiphertextLength(9000, { ...options, ...keys })).toBe(ciphertext.length);
    }
  });

  it('fails where encrypt would, and asks no keyring', async () => {
    const keyring = { onEncrypt: () => expect.fail('asked'), onDecrypt: () => expect.fail('asked') };
    expect(estimateCiphertextLength(1, { keyring })).toBe(estimateCiphertextLength(1, {}));
    for (const [code, options] of [
      ['INVALID_ARGUMENT', null],
      ['INVALID_ARGUMENT', { frameLenght: 16 }],
      ['INVALID_ARGUMENT', { frameLength: 0 }],
      ['INVALID_ARGUMENT', { algorithmSuite: 5 }],
      ['INVALID_ARGUMENT', { keyring, cmm: {} }],
      ['INVALID_ARGUMENT', { encryptedDataKeys: 0 }],
      ['INVALID_ARGUMENT', { encryptedDataKeys: 3, maxEncryptedDataKeys: 2 }],
      ['INVALID_ARGUMENT', { encryptedDataKeyLength: 5 }],
      ['INVALID_ARGUMENT', { encryptionContext: { 'aws-crypto-x': 'y' } }],
      ['LIMIT_EXCEEDED', { encryptionContext: { a: 'b'.repeat(65_530) } }],
      ['LIMIT_EXCEEDED', { frameLength: 2 ** 30 }],
      ['COMMITMENT_POLICY', { algorithmSuite: 0x0178 }],
    ] as const) {
      expect(await failureCode(() => estimateCiphertextLength(1, options as never))).toBe(code);
    }
    expect(await failureCode(() => estimateCiphertextLength(MAX, {}))).toBe('LIMIT_EXCEEDED');
    expect(await failureCode(() => estimateCiphertextLength(2 ** 40, { frameLength: 1 }))).toBe(
      'LIMIT_EXCEEDED',
    );
  });
});
