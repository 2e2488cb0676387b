import { describe, expect, it } from 'vitest';
import { unpadOrSubstitute } from '../../src/crypto/pkcs1.ts';
import { bytes } from '../support/messages.ts';

const LENGTH = 32;
const substitute = bytes(LENGTH, 77);
const message = bytes(LENGTH, 5);

function encoded(change: (block: Uint8Array) => void = () => {}, size = 256): Uint8Array {
  const block = new Uint8Array(size).fill(0xaa);
  block.set([0, 2]);
  block[size - LENGTH - 1] = 0;
  block.set(message, size - LENGTH);
  change(block);
  return block;
}

describe('unpadding with implicit rejection', () => {
  it('gives the message of the right length', () => {
    for (const size of [64, 128, 256, 512])
      expect(unpadOrSubstitute(encoded(undefined, size), LENGTH, substitute)).toEqual(message);
  });

  it.each([
    ['a first byte that is not 0', (b: Uint8Array) => b.fill(1, 0, 1)],
    ['a second byte that is not 2', (b: Uint8Array) => b.fill(1, 1, 2)],
    ['a 0 among the first padding bytes', (b: Uint8Array) => b.fill(0, 2, 3)],
    ['a 0 among the last padding bytes: a longer message', (b: Uint8Array) => b.fill(0, 222, 223)],
    ['no separator: a shorter message', (b: Uint8Array) => b.fill(7, 223, 224)],
    ['everything 0', (b: Uint8Array) => b.fill(0)],
    ['everything 255', (b: Uint8Array) => b.fill(255)],
  ])('substitutes for %s', (_, change) => {
    expect(unpadOrSubstitute(encoded(change), LENGTH, substitute)).toEqual(substitute);
  });

  it('finds every single wrong padding byte', () => {
    for (let at = 2; at < 223; at++) {
      const block = encoded((b) => b.fill(0, at, at + 1));
      expect(unpadOrSubstitute(block, LENGTH, substitute)).toEqual(substitute);
    }
    for (let value = 1; value < 256; value++) {
      const block = encoded((b) => b.fill(value, 2, 223));
      expect(unpadOrSubstitute(block, LENGTH, substitute)).toEqual(message);
    }
  });
});
