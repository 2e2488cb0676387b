/**
 * Sizes of messages of other implementations: the plaintext is within its range, the message within its bound.
 */
import { ciphertextLength, parseHeader, plaintextLength } from '../../../src/index.ts';
import { casesOf, type VectorCase } from '../../support/vectors-manifest.ts';
import { type Tally, vectorRun } from '../../support/vectors-tally.ts';

const OUR_FORM = 'of the length that we write';
const EMPTY_FINAL_FRAME = '32 bytes longer: an empty final frame';

const SETS = [
  ['esdk/net-4.0.1', 59, 0],
  ['esdk/net-4.0.0-valid', 3, 0],
  ['esdk/dafny-4.1.0', 178, 0],
  ['esdk/python-1.3.5-parse-only', 22, 9],
  ['esdk-python', 453, 93],
] as const;

vectorRun('sizes', (vectorSet) => {
  for (const [folder, count, emptyFinalFrames] of SETS) {
    vectorSet(folder, count, async (tally) => {
      for (const one of casesOf(folder)) await tally.check(one.name, () => fits(tally, one));
      const found = tally.row.notes[EMPTY_FINAL_FRAME] ?? 0;
      if (found !== emptyFinalFrames) throw new Error(`${emptyFinalFrames} must be longer, not ${found}`);
    });
  }
});

function fits(tally: Tally, { message, plaintext }: VectorCase): void {
  const header = parseHeader(message);
  const { length } = plaintext!;
  const { min, max } = plaintextLength(message.length, header);
  if (min > length || max < length) throw new Error(`${length} bytes of plaintext are not ${min} to ${max}`);
  const signed = header.algorithmSuite.includes('ECDSA');
  if (!signed && min !== max) throw new Error(`unsigned, but ${min} to ${max}`);
  const bound = ciphertextLength(length, header, { writer: 'any' });
  if (bound < message.length) throw new Error(`${message.length} bytes, above the bound ${bound}`);
  const beyond = message.length - ciphertextLength(length, header);
  if (beyond !== 0 && beyond !== 32) throw new Error(`${beyond} bytes longer than in our form`);
  tally.note(beyond === 0 ? OUR_FORM : EMPTY_FINAL_FRAME);
}
