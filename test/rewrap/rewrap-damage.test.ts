/**
 * Damaged messages: rewrap says of each what decrypt says, and never answers or releases a whole message.
 */
import { describe, expect, it } from 'vitest';
import { concat } from '../../src/bytes.ts';
import {
  type Bytes,
  decrypt,
  type ErrorCode,
  encrypt,
  FramesealError,
  rewrap,
  rewrapStream,
} from '../../src/index.ts';
import type { AlgorithmSuite } from '../../src/suite/algorithm-suites.ts';
import { aesKeyring, bytes, failureCode, flip, policyFor, SUITE_ROWS } from '../support/messages.ts';
import { every, randomly, through, whole } from '../support/streams.ts';

const from = aesKeyring(1);
const to = aesKeyring(2);
const CUTS = [whole, every(1), randomly(4), randomly(5)];

async function codeOf(work: Promise<unknown>): Promise<ErrorCode | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    if (error instanceof FramesealError) return error.code;
    throw error;
  }
}

/** The same error as of decrypt, in one shot and streamed. */
async function expectSameError(
  message: Uint8Array,
  suite: AlgorithmSuite,
  number: number,
): Promise<ErrorCode> {
  const commitmentPolicy = policyFor(suite);
  const options = { keyring: from, to, commitmentPolicy };
  const expected = await codeOf(decrypt(message, { keyring: from, commitmentPolicy }));
  expect(expected).toBeDefined();
  expect(await codeOf(rewrap(message, options)), `one shot, ${number}`).toBe(expected);
  const outcome = await through(rewrapStream(options), CUTS[number % CUTS.length]!(message));
  expect(outcome.error?.code, `streamed, ${number}`).toBe(expected);
  const released = decrypt(outcome.bytes, { keyring: to, commitmentPolicy });
  expect(await failureCode(released)).toBe('TRUNCATED');
  return expected!;
}

async function written(suite: AlgorithmSuite): Promise<Bytes> {
  const how = { commitmentPolicy: policyFor(suite), algorithmSuite: suite.id, encryptionContext: { a: 'b' } };
  return (await encrypt(bytes(10), { keyring: from, frameLength: 4, ...how })).ciphertext;
}

/** Every bit of these; of the others, one bit of each byte. */
const WHOLLY: readonly number[] = process.env.SLOW ? SUITE_ROWS.map(([, { id }]) => id) : [0x0478, 0x0578];

describe.each(SUITE_ROWS)('suite %s', { timeout: 600_000 }, (_, suite) => {
  it('cut off anywhere', async () => {
    const message = await written(suite);
    for (let length = 0; length < message.length; length++)
      expect(await expectSameError(message.subarray(0, length), suite, length)).toBe('TRUNCATED');
  });

  it('with any bit flipped', async () => {
    const message = await written(suite);
    for (let at = 0; at < message.length; at++) {
      const bits = WHOLLY.includes(suite.id) ? [0, 1, 2, 3, 4, 5, 6, 7] : [at % 8];
      for (const bit of bits) await expectSameError(flip(message, at, bit), suite, 8 * at + bit);
    }
  });

  it('with bytes behind its end', async () => {
    const message = await written(suite);
    for (const [i, more] of [bytes(1), new Uint8Array(1), bytes(100), message].entries())
      expect(await expectSameError(concat(message, more), suite, i)).toBe('TRAILING_BYTES');
  });
});
