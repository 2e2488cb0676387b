/**
 * What can be rewrapped: messages of every shape, by this library and by others.
 */
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { decrypt, encrypt, multiKeyring, parseHeader } from '../../src/index.ts';
import type { AlgorithmSuite } from '../../src/suite/algorithm-suites.ts';
import { aesKeyring, bytes, failure, failureCode, flip, policyFor, SUITE_ROWS } from '../support/messages.ts';
import { frames, type NaiveFrame, writeNaively } from '../support/naive.ts';
import { rewrapInPieces, WAYS } from '../support/rewrap.ts';
import { every } from '../support/streams.ts';

const from = aesKeyring(1);
const to = aesKeyring(2);
const FRAME_LENGTH = 20;
const REREAD = 'REQUIRE_ENCRYPT_ALLOW_DECRYPT';

interface Foreign {
  readonly suite: AlgorithmSuite;
  /** Bytes: non-framed. */
  readonly body: Uint8Array | readonly NaiveFrame[];
  readonly frameLength?: number;
  readonly headerIv?: Uint8Array;
  readonly spoilSignature?: boolean;
}

function foreign(message: Foreign): Uint8Array<ArrayBuffer> {
  const keys = { wrappingKey: bytes(32, 1), keyNamespace: 'test', keyName: 'aes-1' };
  return writeNaively({ ...keys, context: { tenant: 'a' }, frameLength: FRAME_LENGTH, ...message });
}

/** An empty final frame behind a last full one, as other writers let it follow. */
function withEmptyFinalFrame(plaintext: Uint8Array): NaiveFrame[] {
  const full = frames(plaintext, FRAME_LENGTH).map((frame) => ({ ...frame, final: false }));
  return [...full, { sequenceNumber: full.length + 1, plaintext: new Uint8Array(0), final: true }];
}

const LENGTHS = [0, 1, FRAME_LENGTH - 1, FRAME_LENGTH, FRAME_LENGTH + 1, 5 * FRAME_LENGTH, 333];

describe.each(SUITE_ROWS)('suite %s', (_, suite) => {
  const commitmentPolicy = policyFor(suite);
  const options = { keyring: from, to, commitmentPolicy };

  it.each(WAYS)('%s: of any length', async (_, run) => {
    for (const length of LENGTHS) {
      for (const frameLength of [undefined, 7, 400]) {
        const how = { commitmentPolicy, algorithmSuite: suite.id, frameLength: FRAME_LENGTH };
        const { ciphertext } = await encrypt(bytes(length), { keyring: from, ...how });
        const result = await run(ciphertext, { ...options, ...(frameLength && { frameLength }) });
        const opened = await decrypt(result.ciphertext, { keyring: to, commitmentPolicy });
        expect(opened.plaintext).toEqual(bytes(length));
        expect(opened.header.frameLength).toBe(frameLength ?? FRAME_LENGTH);
        const written = Math.max(1, Math.ceil(length / opened.header.frameLength));
        expect(frameCount(result.ciphertext, suite)).toBe(written);
      }
    }
  });

  it.each(WAYS)(
    '%s: with an empty final frame behind a full one, which the new one has not',
    async (_, run) => {
      for (const length of [FRAME_LENGTH, 4 * FRAME_LENGTH]) {
        const message = foreign({ suite, body: withEmptyFinalFrame(bytes(length)) });
        const result = await run(message, options);
        const opened = await decrypt(result.ciphertext, { keyring: to, commitmentPolicy });
        expect(opened.plaintext).toEqual(bytes(length));
        expect(opened.authenticatedContext.tenant).toBe('a');
        expect(frameCount(result.ciphertext, suite)).toBe(length / FRAME_LENGTH);
      }
    },
  );

  it.each(WAYS)('%s: under several keys, whichever of them reads', async (_, run) => {
    const keys = [1, 2, 3].map((seed) => aesKeyring(seed));
    const keyring = multiKeyring({ generator: keys[0], children: keys.slice(1) });
    const written = { keyring, commitmentPolicy, algorithmSuite: suite.id };
    const { ciphertext } = await encrypt(bytes(50), written);
    for (const one of keys) {
      const result = await run(ciphertext, { ...options, keyring: one, to: aesKeyring(4) });
      expect(result.header.encryptedDataKeys).toHaveLength(1);
      expect(await failureCode(decrypt(result.ciphertext, { keyring: one, commitmentPolicy }))).toBe(
        'NO_DATA_KEY',
      );
      const opened = await decrypt(result.ciphertext, { keyring: aesKeyring(4), commitmentPolicy });
      expect(opened.plaintext).toEqual(bytes(50));
    }
  });
});

const VERSION_1 = SUITE_ROWS.filter(([, suite]) => suite.messageVersion === 1);

describe.each(VERSION_1)('version 1, suite %s', (_, suite) => {
  const commitmentPolicy = policyFor(suite);
  const options = { keyring: from, to, commitmentPolicy };

  it.each(WAYS)('%s: non-framed, which the new one is not', async (_, run) => {
    for (const length of [0, 1, 4096, 10_000]) {
      for (const frameLength of [undefined, 100]) {
        const message = foreign({ suite, body: bytes(length) });
        expect(parseHeader(message).contentType).toBe('non-framed');
        const result = await run(message, { ...options, ...(frameLength && { frameLength }) });
        expect(result.header).toMatchObject({ contentType: 'framed', frameLength: frameLength ?? 4096 });
        const opened = await decrypt(result.ciphertext, { keyring: to, commitmentPolicy });
        expect(opened.plaintext).toEqual(bytes(length));
      }
    }
  });

  it.each(WAYS)('%s: with random IVs, which the new one has not', async (_, run) => {
    const random = frames(bytes(105), FRAME_LENGTH).map((frame) => ({ ...frame, iv: randomBytes(12) }));
    const message = foreign({ suite, body: random, headerIv: randomBytes(12) });
    const result = await run(message, options);
    const opened = await decrypt(result.ciphertext, { keyring: to, commitmentPolicy });
    expect(opened.plaintext).toEqual(bytes(105));
    const at = result.header.headerLength;
    expect([...result.ciphertext.subarray(at - 28, at - 16)]).toEqual(new Array(12).fill(0));
    expect([...result.ciphertext.subarray(at + 4, at + 16)]).toEqual([...new Array(11).fill(0), 1]);
  });

  it.each(WAYS)('%s: under a policy that does not write it', async (_, run) => {
    const message = foreign({ suite, body: bytes(50) });
    const result = await run(message, { keyring: from, to, commitmentPolicy: REREAD });
    expect(result).toMatchObject({ dataKey: 'new', header: { suiteId: 0x0578 } });
    expect((await decrypt(result.ciphertext, { keyring: to })).plaintext).toEqual(bytes(50));
  });
});

describe.each(SUITE_ROWS.filter(([, suite]) => suite.signature))('signed, suite %s', (_, suite) => {
  it.each(WAYS)('%s: with a wrong signature is none', async (_, run) => {
    const commitmentPolicy = policyFor(suite);
    for (const body of [frames(bytes(100), FRAME_LENGTH), withEmptyFinalFrame(bytes(100))]) {
      const message = foreign({ suite, body, spoilSignature: true });
      expect(await failureCode(run(message, { keyring: from, to, commitmentPolicy }))).toBe(
        'AUTHENTICATION_FAILED',
      );
    }
  });
});

describe('limits', () => {
  it.each(WAYS)('%s: of a frame, of the old message and of the new one', async (_, run) => {
    const { ciphertext } = await encrypt(bytes(3000), { keyring: from, frameLength: 1000 });
    const options = { keyring: from, to };
    expect(await failureCode(run(ciphertext, { ...options, maxFrameLength: 999 }))).toBe('LIMIT_EXCEEDED');
    const both = { maxFrameLength: 1000, frameLength: 1001 };
    const error = await failure(async () => run(ciphertext, { ...options, ...both }));
    expect(error.code).toBe('LIMIT_EXCEEDED');
    expect(error.message).toContain('"frameLength" is 1001');
    const result = await run(ciphertext, { ...options, maxFrameLength: 1000, frameLength: 1000 });
    expect((await decrypt(result.ciphertext, { keyring: to })).plaintext).toEqual(bytes(3000));
  });

  it.each(WAYS)('%s: a non-framed body under a small maxFrameLength', async (_, run) => {
    const suite = SUITE_ROWS.find(([, { id }]) => id === 0x0178)![1];
    const message = foreign({ suite, body: bytes(200) });
    const options = { keyring: from, to, commitmentPolicy: policyFor(suite) };
    expect(await failureCode(run(message, { ...options, maxFrameLength: 199 }))).toBe('LIMIT_EXCEEDED');
    const result = await run(message, { ...options, maxFrameLength: 200 });
    expect(result.header.frameLength).toBe(200);
  });

  it.each(WAYS)('%s: a frame length above 2^31 - 1, which no message is written with', async (_, run) => {
    const suite = SUITE_ROWS.find(([, { id }]) => id === 0x0478)![1];
    const message = foreign({ suite, body: frames(bytes(50), 50), frameLength: 2 ** 32 - 1 });
    const options = { keyring: from, to, maxFrameLength: 2 ** 32 - 1 };
    const result = await run(message, options);
    expect(result.header.frameLength).toBe(2 ** 31 - 1);
    const opened = await decrypt(result.ciphertext, { keyring: to, maxFrameLength: 2 ** 31 - 1 });
    expect(opened.plaintext).toEqual(bytes(50));
  });

  it('streamed: of the header, and of what is held', async () => {
    const { ciphertext } = await encrypt(bytes(3000), { keyring: from, frameLength: 100 });
    const options = { keyring: from, to };
    const run = (more: object) => rewrapInPieces(ciphertext, { ...options, ...more }, every(77));
    expect(await failureCode(run({ maxHeaderLength: 100 }))).toBe('LIMIT_EXCEEDED');
    expect(await failureCode(run({ signedStreams: 'hold-all', maxHeldBytes: 2999 }))).toBe('LIMIT_EXCEEDED');
    expect(await failureCode(run({ signedStreams: 'refuse' }))).toBe('UNSUPPORTED');
    const { ciphertext: held } = await run({ signedStreams: 'hold-all', maxHeldBytes: 3000 });
    expect((await decrypt(held, { keyring: to })).plaintext).toEqual(bytes(3000));
  });

  it.each(WAYS)('%s: a changed message is found out behind any frame', async (_, run) => {
    const { ciphertext, header } = await encrypt(bytes(200), { keyring: from, frameLength: 50 });
    for (let frame = 0; frame < 4; frame++) {
      const changed = flip(ciphertext, header.headerLength + frame * 82 + 30);
      expect(await failureCode(run(changed, { keyring: from, to }))).toBe('AUTHENTICATION_FAILED');
    }
  });
});

/** Frames of a message, by its length: all but the final one are full. */
function frameCount(message: Uint8Array, { signature }: AlgorithmSuite): number {
  const { headerLength, frameLength } = parseHeader(message);
  const footer = signature ? 2 + (signature.curve === 'P-256' ? 71 : 103) : 0;
  return 1 + Math.floor((message.length - headerLength - footer - 40) / (frameLength + 32));
}
