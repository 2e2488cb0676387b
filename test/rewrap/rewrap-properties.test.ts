/**
 * Properties of rewrap. SLOW=1 widens the counts; a failure prints its seed.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addWrappingKeys,
  ciphertextLength,
  decrypt,
  encrypt,
  type Keyring,
  multiKeyring,
  parseHeader,
  type RewrapResult,
  rewrap,
} from '../../src/index.ts';
import { ALGORITHM_SUITES, type AlgorithmSuite } from '../../src/suite/algorithm-suites.ts';
import { aesKeyring, bytes, failure, failureCode, policyFor } from '../support/messages.ts';
import { frames, writeNaively } from '../support/naive.ts';
import { dataKeyOf, rewrapInPieces } from '../support/rewrap.ts';
import { randomly } from '../support/streams.ts';

const numRuns = process.env.SLOW ? 5_000 : 300;
const suites = fc.constantFrom(...ALGORITHM_SUITES);
const engines = fc.constantFrom('auto' as const, 'native' as const, 'wasm' as const, 'hybrid' as const);
const frameLengths = fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constantFrom(1000, 4096, 65_536));
const text = fc.string({ unit: 'grapheme', maxLength: 12 });
const key = text.filter((name) => !name.startsWith('aws-crypto-'));

/** A message, and what is asked of its rewrap. */
const cases = fc.record({
  suite: suites,
  suiteAfter: fc.option(suites),
  engine: engines,
  context: fc.uniqueArray(fc.tuple(key, text), { selector: ([name]) => name, maxLength: 6 }),
  frameLength: frameLengths,
  frameLengthAfter: fc.option(frameLengths),
  length: fc.oneof(fc.nat(200), fc.nat(20_000)),
  /** Who wrote it: this library, another with an empty final frame, another without frames. */
  writer: fc.constantFrom('ours', 'ours', 'empty final frame', 'non-framed'),
  oldKeys: fc.integer({ min: 1, max: 3 }),
  newKeys: fc.integer({ min: 1, max: 3 }),
  sidecar: fc.boolean(),
  keepExisting: fc.option(fc.boolean(), { nil: undefined }),
  freshDataKey: fc.option(fc.boolean(), { nil: undefined }),
  seed: fc.nat(2 ** 31 - 2),
});
type Case = typeof cases extends fc.Arbitrary<infer C> ? C : never;

const OLD = [1, 2, 3].map((seed) => aesKeyring(seed));
const NEW = [4, 5, 6].map((seed) => aesKeyring(seed));
const ADDED = aesKeyring(7);

function together([generator, ...children]: readonly Keyring[]): Keyring {
  return multiKeyring({ generator, children });
}

async function write(one: Case, plaintext: Uint8Array): Promise<Uint8Array> {
  const { suite, frameLength, context, writer, oldKeys } = one;
  const encryptionContext = new Map(context);
  if (writer === 'ours') {
    const how = {
      algorithmSuite: suite.id,
      commitmentPolicy: policyFor(suite),
      frameLength,
      encryptionContext,
    };
    return (await encrypt(plaintext, { keyring: together(OLD.slice(0, oldKeys)), ...how })).ciphertext;
  }
  const full = frames(plaintext, frameLength);
  const last = full.at(-1)!;
  const empty = { sequenceNumber: full.length + 1, plaintext: new Uint8Array(0), final: true };
  const isFull = last.plaintext.length === frameLength;
  return writeNaively({
    suite,
    wrappingKey: bytes(32, 1),
    keyNamespace: 'test',
    keyName: 'aes-1',
    context: Object.fromEntries(context),
    frameLength,
    body:
      writer === 'non-framed' && suite.messageVersion === 1
        ? plaintext
        : isFull
          ? [...full.map((frame) => ({ ...frame, final: false })), empty]
          : full,
  });
}

/** What the outcome must be: an error's code, or what becomes of data key and suite. */
function expectedOf({ suite, suiteAfter, keepExisting, freshDataKey }: Case) {
  if (keepExisting && freshDataKey) return { code: 'INVALID_ARGUMENT' };
  if (suiteAfter && suiteAfter.committing !== suite.committing) return { code: 'COMMITMENT_POLICY' };
  const after: AlgorithmSuite = suiteAfter ?? suite;
  const keeps = after === suite && suite.signature === undefined && suite.kdf !== undefined;
  if (freshDataKey) return { dataKey: 'new', after };
  if (keeps) return { dataKey: 'kept', after };
  return keepExisting || freshDataKey === false ? { code: 'UNSUPPORTED' } : { dataKey: 'new', after };
}

describe('whatever is rewrapped in any way', { timeout: 1_200_000 }, () => {
  it('is the same plaintext and context, under the new keys, and under old ones only where asked', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async (one) => {
        fc.pre(one.length / Math.min(one.frameLength, one.frameLengthAfter ?? 4096) < 1000);
        fc.pre(!one.context.some(([name]) => name === '__proto__') || one.writer === 'ours');
        const plaintext = bytes(one.length, one.seed);
        const commitmentPolicy = policyFor(one.suite);
        const message = await write(one, plaintext);
        const reading = { keyring: OLD[0]!, commitmentPolicy };
        const sidecar = one.sidecar
          ? (await addWrappingKeys(message, { ...reading, add: ADDED })).sidecar
          : undefined;
        const options = {
          ...reading,
          to: together(NEW.slice(0, one.newKeys)),
          engine: one.engine,
          keepExisting: one.keepExisting,
          freshDataKey: one.freshDataKey,
          sidecar,
          ...(one.suiteAfter && { algorithmSuite: one.suiteAfter.id }),
          ...(one.frameLengthAfter && { frameLength: one.frameLengthAfter }),
        };
        const { code, ...expected } = expectedOf(one);
        for (const work of [
          async () => rewrap(message, options),
          async () => rewrapInPieces(message, options, randomly(one.seed)),
        ]) {
          if (code) {
            expect((await failure(work)).code).toBe(code);
            continue;
          }
          const result = await work();
          expect(result.dataKey).toBe(expected.dataKey);
          expect(result.header.suiteId).toBe(expected.after!.id);
          await expectSame(one, message, result, plaintext);
        }
      }),
      { numRuns },
    );
  });
});

async function expectSame(
  one: Case,
  message: Uint8Array,
  result: RewrapResult,
  plaintext: Uint8Array,
): Promise<void> {
  const commitmentPolicy = policyFor(one.suite);
  const { ciphertext, header, remaining } = result;
  const before = parseHeader(message);
  const added = one.sidecar ? 1 : 0;
  const kept = one.keepExisting ? before.encryptedDataKeys.length + added : 0;
  expect(remaining).toHaveLength(kept);
  expect(header.encryptedDataKeys).toHaveLength(kept + one.newKeys);
  expect(header.encryptedDataKeys.slice(0, kept)).toEqual(remaining);
  const frameLength = before.contentType === 'framed' ? before.frameLength : 4096;
  expect(header.frameLength).toBe(one.frameLengthAfter ?? frameLength);
  expect(parseHeader(ciphertext)).toEqual(header);
  expect(ciphertext.length).toBe(ciphertextLength(plaintext.length, header));
  const old = kept > 0 ? [...OLD.slice(0, before.encryptedDataKeys.length), ...(added ? [ADDED] : [])] : [];
  const readers = [...old, ...NEW.slice(0, one.newKeys)];
  for (const keyring of [...OLD, ...NEW, ADDED]) {
    const work = decrypt(ciphertext, { keyring, commitmentPolicy });
    if (readers.includes(keyring)) {
      const { plaintext: read, authenticatedContext } = await work;
      expect(Buffer.compare(read, plaintext)).toBe(0);
      const { 'aws-crypto-public-key': _, ...pairs } = authenticatedContext;
      expect(new Map(Object.entries(pairs))).toEqual(new Map(one.context));
    } else expect(await failureCode(work)).toBe('NO_DATA_KEY');
  }
  const keys = [
    await dataKeyOf(message, OLD[0]!, { commitmentPolicy }),
    await dataKeyOf(ciphertext, NEW[0]!, { commitmentPolicy }),
  ];
  expect(Buffer.compare(keys[0]!, keys[1]!) === 0).toBe(result.dataKey === 'kept');
}
