import { afterEach, describe, expect, it, vi } from 'vitest';
import { messageRandom } from '../../src/crypto/random.ts';

// Every four bytes that the platform gives are other ones.
function countedRandom() {
  let next = 1;
  return vi.spyOn(globalThis.crypto, 'getRandomValues').mockImplementation((array) => {
    const bytes = array as unknown as Uint8Array;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = 0; at + 4 <= bytes.length; at += 4) view.setUint32(at, next++);
    return array;
  });
}

const words = (bytes: Uint8Array) =>
  Array.from({ length: bytes.length / 4 }, (_, i) => bytes.slice(4 * i, 4 * i + 4).join());

afterEach(() => vi.restoreAllMocks());

describe('random bytes of a message', () => {
  it.each([
    ['a data key, an IV and a message id, in one call of the platform', [32, 12, 32], 1],
    ['as many as the first draw and what is kept beside it', [64, 64], 1],
    ['more than that', [32, 64, 4], 2],
    ['many wrapped keys', [32, ...Array<number>(40).fill(12), 32], 8],
    ['long draws between short ones', [32, 68, 12, 200, 16, 64, 32, 4], 4],
    ['none', [0, 0], 0],
  ])('%s: none is given twice', (_, lengths, calls) => {
    const spy = countedRandom();
    const random = messageRandom();
    const drawn = lengths.map((length) => random(length));
    expect(drawn.map(({ length }) => length)).toEqual(lengths);
    const all = drawn.flatMap(words);
    expect(new Set(all).size).toBe(all.length);
    expect(all).not.toContain('0,0,0,0');
    expect(spy).toHaveBeenCalledTimes(calls);
  });

  it('of two messages are drawn apart, whatever the turn they take', () => {
    countedRandom();
    const [one, other] = [messageRandom(), messageRandom()];
    const all = [32, 12, 32, 64].flatMap((length) => [one(length), other(length)]).flatMap(words);
    expect(new Set(all).size).toBe(all.length);
  });

  it.each([
    ['does nothing', (array: Uint8Array) => array],
    ['answers an array of its own', (array: Uint8Array) => new Uint8Array(array.length).fill(7)],
    [
      'asks for a message itself',
      (array: Uint8Array) => {
        vi.restoreAllMocks();
        array.fill(7);
        messageRandom()(32);
        return array;
      },
    ],
  ])('are none of a replaced generator that %s', (_, replaced) => {
    vi.spyOn(globalThis.crypto, 'getRandomValues').mockImplementation(replaced as never);
    const expected = expect.objectContaining({ code: 'UNSUPPORTED' });
    expect(() => messageRandom()(32)).toThrow(expected);
  });

  it.each([Number.NaN, undefined, -20, 0.5, 1e9])('%s bytes change nothing for the next draws', (length) => {
    countedRandom();
    const random = messageRandom();
    const before = [random(32), random(12)];
    try {
      random(length as number);
    } catch {}
    const all = [...before, random(12), random(32)].flatMap(words);
    expect(all).toHaveLength(22);
    expect(new Set(all).size).toBe(22);
    expect(all).not.toContain('0,0,0,0');
  });

  it('are kept in no place that messages share, and belong to whom they are given', () => {
    const spy = countedRandom();
    const drawn = messageRandom()(32);
    const shared = spy.mock.calls[0]![0] as Uint8Array;
    expect(shared).toEqual(new Uint8Array(shared.length));
    expect(drawn.buffer).not.toBe(shared.buffer);
    expect(drawn).not.toEqual(new Uint8Array(32));
  });
});
