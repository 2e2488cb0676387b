// @ts-check
/**
 * What is encrypted: plaintext sizes, frame lengths and encryption contexts.
 */
import { createHash } from 'node:crypto';
import { publicKeyPairLength } from './suites.mjs';

/** @typedef {import('./suites.mjs').Suite} Suite */

/**
 * @typedef {object} Shape
 * @property {number} size plaintext bytes
 * @property {number | undefined} frameLength the default, 4096, if undefined
 */

/** @type {readonly Shape[]} 31 of them: prime, so that they meet every key and every context over the suites */
export const SHAPES = [
  ...[16, 100, 256, 4096].flatMap((frameLength) =>
    [0, 1, frameLength - 1, frameLength, frameLength + 1, 2 * frameLength, 9 * frameLength + 7].map(
      (size) => ({ size, frameLength }),
    ),
  ),
  { size: 300 * 16, frameLength: 16 },
  { size: 100_000, frameLength: undefined },
  { size: 5, frameLength: 1 },
];

/** Added to the shapes, once for each suite. @type {Shape} */
export const LARGE_SHAPE = { size: 2 ** 20 + 1, frameLength: 65_536 };

/**
 * @typedef {object} NamedContext
 * @property {string} name
 * @property {(suite: Suite) => Record<string, string>} pairs
 */

/** @type {readonly NamedContext[]} */
export const CONTEXTS = [
  context('empty', {}),
  context('ASCII', { tenant: 'acme', purpose: 'interop', 'record-id': '42' }),
  context('empty values', { a: '', b: '', '': 'an empty key' }),
  context('upper and lower case', { b: '1', A: '2', a: '3', B: '4', _: '5', Z: '6', '-': '7' }),
  context('accents', { élan: 'à', elan: 'b', Élan: 'ç', zebra: 'd', ärger: 'e', 'e\u0301lan': 'f' }),
  context('astral next to U+E000..U+FFFF', {
    '\u{10000}': 'first astral',
    '\u{1f511}': 'key',
    '\u{10ffff}': 'last astral',
    '\ud7ff': 'before the surrogates',
    '\ue000': 'private use',
    '\uf8ff': 'private use',
    '\ufeffmark': '\ufeffvalue',
    '\uff5e': 'full width',
    '\uffff': 'the last of its plane',
    'a\u{1f511}': 'behind a letter',
    'a\uffff': 'behind a letter',
    plain: '\u{1f680}\ufffd',
  }),
  context('names of object properties', {
    ['__proto__']: 'p',
    constructor: 'c',
    toString: 't',
    10: 'x',
    9: 'y',
  }),
  context('control characters', { 'a\u0000': '\u0000', a: '\n', '\u0001': '\u007f', '\u0080': '\u009f' }),
  context('many pairs', manyPairs(300)),
  { name: 'as long as the format allows', pairs: longest },
];

/**
 * Bytes that anyone can make again, as a view into a larger buffer.
 * @param {string} label
 * @param {number} size
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function plaintextView(label, size) {
  const before = 1 + (label.length % 37);
  const backing = new Uint8Array(before + size + 29).fill(0xee);
  const view = backing.subarray(before, before + size);
  if (size > 0) view.set(createHash('shake256', { outputLength: size }).update(label).digest());
  return view;
}

/**
 * @param {string} name
 * @param {Record<string, string>} pairs
 * @returns {NamedContext}
 */
function context(name, pairs) {
  return { name, pairs: () => pairs };
}

/** @param {number} count */
function manyPairs(count) {
  /** @type {Record<string, string>} */
  const pairs = {};
  for (let i = 0; i < count; i++) {
    const n = (i * 7919) % count; // not in order
    pairs[`${String.fromCodePoint(0x61 + (n % 26))}-${n}`] = `value ${n}`;
  }
  return pairs;
}

/** @param {Suite} suite */
function longest(suite) {
  const others = 2 + publicKeyPairLength(suite) + 4 + 'long'.length;
  return { long: 'x'.repeat(0xffff - others) };
}
