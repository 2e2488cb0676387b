/**
 * Properties of streams. One shot is the measure. SLOW=1 widens the counts; a failure prints its seed.
 */
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { concat } from '../../src/bytes.ts';
import { type Bytes, type DecryptStreamOptions, decrypt, encrypt, encryptStream } from '../../src/index.ts';
import { ALGORITHM_SUITES } from '../../src/suite/algorithm-suites.ts';
import { aesKeyring, bytes, policyFor } from '../support/messages.ts';
import { frames, writeNaively } from '../support/naive.ts';
import {
  every,
  inOneShot,
  randomly,
  regularBytes,
  type StreamOutcome,
  streamed,
  through,
  whole,
} from '../support/streams.ts';

const numRuns = process.env.SLOW ? 5_000 : 200;
const keyring = aesKeyring();
const suites = fc.constantFrom(...ALGORITHM_SUITES);
const engines = fc.constantFrom('auto', 'native', 'wasm', 'hybrid');
const seeds = fc.nat(2 ** 31 - 2);

describe('properties of streams', { timeout: 1_200_000 }, () => {
  it('whatever is written in any pieces is read in any pieces, and in one shot', async () => {
    const frameLength = fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constantFrom(1000, 4096, 65_536));
    const length = fc.oneof(fc.nat(200), fc.nat(20_000));
    await fc.assert(
      fc.asyncProperty(
        suites,
        engines,
        frameLength,
        length,
        seeds,
        async (suite, engine, frame, size, seed) => {
          fc.pre(size / frame < 1000);
          const common = { keyring, engine, commitmentPolicy: policyFor(suite) };
          const options = { ...common, algorithmSuite: suite.id, frameLength: frame };
          const written = await through(encryptStream(options), randomly(seed)(bytes(size, seed)));
          expect(written.error).toBeUndefined();
          expect(Buffer.compare((await decrypt(written.bytes, common)).plaintext, bytes(size, seed))).toBe(0);
          await streamed(written.bytes, common, randomly(seed + 1), await inOneShot(written.bytes, common));
        },
      ),
      { numRuns },
    );
  });

  // A byte changed, inserted or taken out, a part repeated or moved, the end cut off: mostly several at once.
  interface Original {
    readonly message: Bytes;
    readonly options: DecryptStreamOptions;
    readonly plaintext: Bytes;
  }
  const originals: Original[] = [];
  beforeAll(async () => {
    for (const suite of ALGORITHM_SUITES) {
      const options = { keyring, commitmentPolicy: policyFor(suite) };
      for (const [length, frameLength] of [
        [60, 16],
        [64, 16],
        [5, 1],
        [3000, 50],
      ] as const) {
        const plaintext = bytes(length);
        const sealed = await encrypt(plaintext, { ...options, algorithmSuite: suite.id, frameLength });
        originals.push({ message: sealed.ciphertext, options, plaintext });
      }
      const naive = { wrappingKey: bytes(32), keyNamespace: 'test', keyName: 'aes-1', suite };
      const nonFramed = writeNaively({ ...naive, frameLength: 0, body: bytes(100) });
      originals.push({ message: nonFramed, options, plaintext: bytes(100) });
      const spoiled = { ...naive, frameLength: 16, body: frames(bytes(60), 16), spoilSignature: true };
      if (suite.signature) originals.push({ message: writeNaively(spoiled), options, plaintext: bytes(60) });
    }
  });

  const edit = fc.record({
    at: fc.nat(2 ** 31 - 1),
    remove: fc.constantFrom(0, 0, 1, 4, 48, 66),
    insert: fc.oneof(
      fc.uint8Array({ maxLength: 6 }),
      fc.constantFrom(Uint8Array.of(255, 255, 255, 255), new Uint8Array(4), new Uint8Array(40)),
    ),
    flip: fc.nat(7),
    kind: fc.constantFrom('flip', 'flip', 'splice', 'repeat', 'cut'),
  });

  function altered(
    message: Uint8Array,
    edits: readonly (typeof edit extends fc.Arbitrary<infer E> ? E : never)[],
  ): Uint8Array {
    let changed: Uint8Array = message.slice();
    for (const { at, remove, insert, flip, kind } of edits) {
      const from = at % (changed.length + 1);
      const [head, tail] = [changed.subarray(0, from), changed.subarray(from)];
      if (kind === 'splice') changed = concat(head, insert, tail.subarray(remove));
      else if (kind === 'repeat')
        changed = concat(head, changed.subarray(Math.max(0, from - remove), from), tail);
      else if (kind === 'cut') changed = head.slice();
      else if (from < changed.length) changed[from]! ^= 1 << flip;
    }
    return changed;
  }

  it('whatever is altered has the same outcome however it is cut: an error, and a prefix in whole frames', async () => {
    const structure = ['INVALID_MESSAGE', 'TRUNCATED', 'TRAILING_BYTES'];
    const pick = fc.nat(10_000);
    const edits = fc.array(edit, { minLength: 1, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(pick, edits, engines, seeds, async (number, changes, engine, seed) => {
        const { message, options, plaintext } = originals[number % originals.length]!;
        const changed = altered(message, changes);
        const request = { ...options, engine };
        const oneShot = await inOneShot(changed, request);
        const outcomes: StreamOutcome<unknown>[] = [];
        for (const cut of [whole, randomly(seed), randomly(seed + 1), every(1)]) {
          const outcome = await streamed(changed, request, cut, oneShot);
          outcomes.push(outcome);
          expect(Buffer.compare(outcome.bytes, plaintext.subarray(0, outcome.bytes.length))).toBe(0);
          if (!outcome.error) continue;
          expect(outcome.bytes.length).toBeLessThanOrEqual(regularBytes(message, plaintext.length));
          // Wrong twice: one shot looks at the whole structure first, a stream at each frame as it comes.
          if (outcome.error.code !== 'AUTHENTICATION_FAILED')
            expect(outcome.error.code).toBe(oneShot.error!.code);
          else expect([...structure, 'AUTHENTICATION_FAILED']).toContain(oneShot.error!.code);
        }
        expect(new Set(outcomes.map(({ error }) => error?.code)).size, 'codes').toBe(1);
        expect(new Set(outcomes.map((outcome) => outcome.bytes.length)).size, 'released').toBe(1);
      }),
      { numRuns: numRuns * 3 },
    );
  });
});
