/**
 * Tampered and crafted messages.
 */
import { FramesealError } from '../../../src/index.ts';
import { toHex } from '../../support/vectors.ts';
import { decrypt } from '../../support/vectors-engine.ts';
import { casesOf, type VectorCase } from '../../support/vectors-manifest.ts';
import { open } from '../../support/vectors-open.ts';
import { type DeclareSet, rejects, type Tally } from '../../support/vectors-tally.ts';
import { FRAME_IV_RULE } from './frame-iv-rule.ts';
import { allowedCodes } from './negative-codes.ts';

const BY_FRAME_IV_RULE: readonly string[] = [
  'crafted/0478-random-frame-ivs',
  'crafted/0578-random-frame-ivs',
];
const ANY_FRAME_LENGTH = 0xffff_ffff;

const COUNTS = { reject: 2294, accept: 88, unspecified: 43 } as const;

/** The negative sets. */
export function negative(vectorSet: DeclareSet): void {
  vectorSet('negative, to be rejected', COUNTS.reject, (tally) =>
    each('reject', async ({ name, message, options, test }) => {
      const codes = allowedCodes(test.class!, name);
      await tally.check(name, () => rejects(() => decrypt(message, options), codes));
    }),
  );
  vectorSet('negative, to be accepted', COUNTS.accept, (tally) =>
    each('accept', (one) => accepted(tally, one)),
  );
  vectorSet('negative, unspecified', COUNTS.unspecified, async (tally) => {
    const known = new Set(
      casesOf('negative').flatMap(({ plaintext }) => (plaintext ? [toHex(plaintext)] : [])),
    );
    await each('unspecified', (one) => unspecified(tally, one, known));
  });
}

async function each(expect: string, judge: (one: VectorCase) => Promise<void>): Promise<void> {
  for (const one of casesOf('negative')) if (one.test.expect === expect) await judge(one);
}

async function accepted(tally: Tally, { name, message, plaintext, options }: VectorCase): Promise<void> {
  if (!BY_FRAME_IV_RULE.includes(name)) return tally.check(name, () => open(message, plaintext!, options));
  await tally.rejectedByRule(FRAME_IV_RULE, name, () =>
    rejects(() => decrypt(message, options), ['INVALID_MESSAGE']),
  );
}

// Either way is right, as long as nothing but a FramesealError is thrown and no other plaintext is returned: what a
// message opens to is one of the plaintexts that these messages were made from.
async function unspecified(
  tally: Tally,
  { name, message, options }: VectorCase,
  known: Set<string>,
): Promise<void> {
  await tally.check(name, async () => {
    for (const maxFrameLength of [undefined, ANY_FRAME_LENGTH]) {
      const opened = await attempt(message, { ...options, ...(maxFrameLength && { maxFrameLength }) });
      if (opened instanceof Uint8Array && !known.has(toHex(opened))) throw new Error('another plaintext');
      if (maxFrameLength) tally.note(opened instanceof Uint8Array ? 'opened' : `rejected: ${opened}`);
    }
  });
}

async function attempt(message: Uint8Array, options: VectorCase['options']): Promise<Uint8Array | string> {
  try {
    return (await decrypt(message, options)).plaintext;
  } catch (error) {
    if (error instanceof FramesealError) return error.code;
    throw error;
  }
}
