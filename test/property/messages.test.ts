/**
 * Properties of whole messages. SLOW=1 widens the counts; a failure prints its seed.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concat } from '../../src/bytes.ts';
import { decrypt, encrypt, FramesealError } from '../../src/index.ts';
import { ALGORITHM_SUITES } from '../../src/suite/algorithm-suites.ts';
import { aesKeyring, bytes, policyFor } from '../support/messages.ts';

const numRuns = process.env.SLOW ? 20_000 : 300;
const keyring = aesKeyring();
const suites = fc.constantFrom(...ALGORITHM_SUITES);
const text = fc.string({ unit: 'grapheme', maxLength: 12 }).filter((s) => !/\p{Surrogate}/u.test(s));
const context = fc.dictionary(
  text.filter((key) => !key.startsWith('aws-crypto-')),
  text,
  { maxKeys: 6 },
);

describe('properties', () => {
  it('whatever is written is read, with its context', async () => {
    const frameLength = fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constantFrom(4096, 65_536));
    const plaintext = fc.uint8Array({ maxLength: 300 });
    await fc.assert(
      fc.asyncProperty(
        suites,
        frameLength,
        plaintext,
        context,
        async (suite, frame, data, encryptionContext) => {
          const options = { keyring, commitmentPolicy: policyFor(suite), encryptionContext };
          const { ciphertext } = await encrypt(data, {
            ...options,
            algorithmSuite: suite.id,
            frameLength: frame,
          });
          const opened = await decrypt(ciphertext, options);
          expect(Buffer.compare(opened.plaintext, data)).toBe(0);
          for (const [key, value] of Object.entries(encryptionContext))
            expect(opened.authenticatedContext[key]).toBe(value);
        },
      ),
      { numRuns },
    );
  });

  it('whatever is altered is refused with a FramesealError', async () => {
    const messages = await Promise.all(
      ALGORITHM_SUITES.map(async (suite) => {
        const options = { keyring, commitmentPolicy: policyFor(suite), encryptionContext: { a: 'b' } };
        return {
          suite,
          ...(await encrypt(bytes(60), { ...options, algorithmSuite: suite.id, frameLength: 16 })),
        };
      }),
    );
    const edit = fc.record({
      at: fc.nat(10_000),
      remove: fc.nat(6),
      insert: fc.oneof(
        fc.uint8Array({ maxLength: 6 }),
        fc.constantFrom(Uint8Array.of(255, 255), Uint8Array.of(0, 0, 0, 0)),
      ),
    });
    const message = fc.constantFrom(...messages);
    await fc.assert(
      fc.asyncProperty(
        message,
        fc.array(edit, { minLength: 1, maxLength: 3 }),
        async ({ ciphertext, suite }, edits) => {
          let altered: Uint8Array = ciphertext;
          for (const { at, remove, insert } of edits) {
            const from = at % (altered.length + 1);
            altered = concat(altered.subarray(0, from), insert, altered.subarray(from + remove));
          }
          fc.pre(Buffer.compare(altered, ciphertext) !== 0);
          const outcome = await decrypt(altered, { keyring, commitmentPolicy: policyFor(suite) }).catch(
            (error) => error,
          );
          expect(outcome).toBeInstanceOf(FramesealError);
        },
      ),
      { numRuns: numRuns * 3 },
    );
  });
});
