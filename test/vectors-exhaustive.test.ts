/**
 * Small messages, altered in every way of one kind: cut off at every byte, and with every bit flipped.
 */
import { describe, expect, it } from 'vitest';
import { decrypt, FramesealError } from '../src/index.ts';
import { type OwnVector, ownVectors } from './support/vectors-own.ts';

const NAMES = ['0178-full-final-frame', '0378-non-framed', '0478-full-final-frame', '0578-full-final-frame'];
const VECTORS: readonly OwnVector[] = ownVectors('manifest.json').filter(({ name }) => NAMES.includes(name));

describe.each(VECTORS)('$name', ({ message, options }) => {
  it('cut off at any byte is TRUNCATED', async () => {
    const codes = new Set<string>();
    for (let length = 0; length < message.length; length++) {
      codes.add(await codeOf(message.subarray(0, length), options));
    }
    expect([...codes]).toEqual(['TRUNCATED']);
  });

  it('with any bit flipped is rejected', async () => {
    for (let bit = 0; bit < message.length * 8; bit++) {
      const altered = new Uint8Array(message);
      altered[bit >> 3]! ^= 1 << (bit & 7);
      const code = await codeOf(altered, options);
      if (code === 'ACCEPTED') expect.fail(`bit ${bit & 7} of byte ${bit >> 3} can be flipped`);
    }
  });
});

it('knows its messages', () => expect(VECTORS.map(({ name }) => name)).toEqual(NAMES));

async function codeOf(message: Uint8Array, options: OwnVector['options']): Promise<string> {
  try {
    await decrypt(message, options);
    return 'ACCEPTED';
  } catch (error) {
    if (error instanceof FramesealError) return error.code;
    throw error;
  }
}
