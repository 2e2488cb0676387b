/**
 * The project's own vectors, `test/vectors`, in pieces.
 */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { defaultCrypto } from '../../src/crypto/default-crypto.ts';
import { parseMessageHeader } from '../../src/format/message-header.ts';
import { locateBody } from '../../src/stream/message-opener.ts';
import { type Cut, every, inOneShot, randomly, streamed, whole } from './streams.ts';
import { ownVectors } from './vectors-own.ts';

/** The ways to cut the vector of this number. */
function cutsOf(number: number): readonly (readonly [string, Cut])[] {
  return [
    ['in one piece', whole],
    ['at random', randomly(number + 1)],
    ['byte by byte', every(1)],
  ];
}

/** Declares the tests of all of them, for one provider of primitives. */
export function testStreamedVectors(provider: 'node' | 'webcrypto'): void {
  it(`uses ${provider}`, () => expect(defaultCrypto().name).toBe(provider));
  describe.each(['manifest.json', 'foreign.json'] as const)('%s', (file) => {
    const vectors = ownVectors(file);
    it.each(vectors.map((vector, number) => ({ ...vector, number })))('$name', async (vector) => {
      const { message, options, number } = vector;
      const oneShot = await inOneShot(message, options);
      for (const [name, cut] of cutsOf(number)) {
        const outcome = await streamed(message, options, cut, oneShot);
        expect(outcome.error?.code, name).toBe(oneShot.error?.code);
        if (!outcome.error) continue;
        expect(outcome.bytes, name).toEqual(plaintextOf(vector.name).slice(0, outcome.bytes.length));
        expect(outcome.bytes.length, name).toBeLessThanOrEqual(mostReleased(message));
      }
    });
  });
}

// What a message with a fault was made from: `scripts/make-vectors/faults.mjs`.
function plaintextOf(name: string): Uint8Array {
  const hash = createHash('shake256', { outputLength: 40 });
  return new Uint8Array(hash.update(`frameseal vectors 1 ${name} plaintext`).digest());
}

/** What a message that is wrong may release at most: the regular frames that its structure has. */
export function mostReleased(message: Uint8Array): number {
  try {
    const header = parseMessageHeader(message);
    const rest = message.subarray(header.length);
    if (header.contentType === 'non-framed') return 0;
    const run = locateBody(header, rest, Number.MAX_SAFE_INTEGER).frames!;
    return run.regular * header.frameLength;
  } catch {
    return message.length; // its structure is what is wrong
  }
}
