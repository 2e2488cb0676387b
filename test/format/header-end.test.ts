import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { concat } from '../../src/bytes.ts';
import { toContext } from '../../src/encryption-context.ts';
import { FramesealError } from '../../src/errors.ts';
import { HeaderEnd } from '../../src/format/header-end.ts';
import {
  encodeHeaderAuth,
  encodeHeaderBody,
  type HeaderFields,
  parseMessageHeader,
} from '../../src/format/message-header.ts';
import { ALGORITHM_SUITES, type AlgorithmSuite } from '../../src/suite/algorithm-suites.ts';
import { bytes, flip, SUITE_ROWS } from '../support/messages.ts';
import { ownVectors } from '../support/vectors-own.ts';

const MAX_LENGTH = 2 ** 30;
const MANIFEST = ownVectors('manifest.json');
const VECTORS = [...MANIFEST, ...ownVectors('foreign.json')];
const SMALL = ['0178-full-final-frame', '0378-non-framed', '0478-full-final-frame', '0578-non-framed'].map(
  (name) => MANIFEST.find((vector) => vector.name === name)!.message,
);
const utf8 = (text: string) => new TextEncoder().encode(text);

const headerEnd = (maxEncryptedDataKeys = 0xffff, maxLength = MAX_LENGTH) =>
  new HeaderEnd({ maxEncryptedDataKeys, maxLength });

/** What the parser says: the length of the header, or what is wrong with it. */
function verdict(message: Uint8Array, max?: number): number | string {
  try {
    return parseMessageHeader(message, max).length;
  } catch (error) {
    if (error instanceof FramesealError) return `${error.code}: ${error.message}`;
    throw error;
  }
}

/** The answer to bytes that come one by one, and how many had come. */
function byteByByte(message: Uint8Array, max?: number): number | undefined {
  const end = headerEnd(max);
  for (let length = 0; length <= message.length; length++) {
    const answer = end.find(message.subarray(0, length));
    if (answer === undefined) continue;
    expect(answer).toBe(length); // no sooner, and no byte later
    return answer;
  }
  return undefined;
}

/** Fails unless bytes one by one lead to what the parser says of the whole. */
function agrees(message: Uint8Array, max?: number): void {
  const expected = verdict(message, max);
  const answer = byteByByte(message, max);
  expect(verdict(message.subarray(0, answer ?? message.length), max)).toBe(expected);
  if (typeof expected === 'number') expect(answer).toBe(expected);
  expect(headerEnd(max).find(message)).toBe(answer);
}

function encode(suite: AlgorithmSuite, change: Partial<HeaderFields> = {}): Uint8Array {
  const body = encodeHeaderBody({
    suite,
    messageId: bytes(suite.messageIdLength),
    encryptionContext: toContext([['a', '1']]),
    encryptedDataKeys: [{ providerId: 'p', providerInfo: utf8('info'), ciphertext: bytes(48) }],
    contentType: 'framed',
    frameLength: 4096,
    suiteData: bytes(suite.committing ? 32 : 0),
    ...change,
  });
  return concat(body, encodeHeaderAuth(suite, bytes(16)));
}

describe('the end of a header', () => {
  it('is the parser’s for every vector, sound or not, byte by byte and at once', () => {
    expect(VECTORS.length).toBeGreaterThan(600);
    for (const { message, options } of VECTORS) agrees(message, options.maxEncryptedDataKeys);
  });

  it.each(SUITE_ROWS)('%s: undefined until the last byte is there', (_, suite) => {
    for (const contentType of ['framed', 'non-framed'] as const) {
      const header = encode(suite, { contentType, frameLength: contentType === 'framed' ? 1 : 0 });
      for (let length = 0; length < header.length; length++) {
        expect(headerEnd().find(header.subarray(0, length))).toBeUndefined();
      }
      expect(headerEnd().find(header)).toBe(header.length);
      expect(headerEnd().find(concat(header, header))).toBe(header.length);
    }
  });

  it('is the same for any fields in any pieces, and asked again', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 8 });
    const edk = fc.record({
      providerId: text,
      providerInfo: fc.uint8Array({ maxLength: 9 }).map((info) => new Uint8Array(info)),
      ciphertext: fc.uint8Array({ maxLength: 300 }).map((sealed) => new Uint8Array(sealed)),
    });
    const fields = fc.record({
      encryptionContext: fc
        .dictionary(text, text, { maxKeys: 4 })
        .map((pairs) => toContext(Object.entries(pairs))),
      encryptedDataKeys: fc.array(edk, { minLength: 1, maxLength: 6 }),
      frameLength: fc.integer({ min: 1, max: 0xffff_ffff }),
    });
    const cuts = fc.array(fc.nat(4000), { maxLength: 12 });
    fc.assert(
      fc.property(fc.constantFrom(...ALGORITHM_SUITES), fields, cuts, (suite, change, at) => {
        const header = encode(suite, change);
        const message = concat(header, bytes(40));
        const end = headerEnd();
        const pieces = [...at.filter((length) => length < header.length).sort((a, b) => a - b)];
        for (const length of pieces) expect(end.find(message.slice(0, length))).toBeUndefined();
        for (const length of [header.length, message.length]) {
          expect(end.find(message.slice(0, length))).toBe(header.length);
        }
      }),
      { numRuns: process.env.SLOW ? 5000 : 300 },
    );
  });
});

describe('a header with a fault', () => {
  it('ends as the parser says whatever one byte is changed to', () => {
    for (const message of SMALL) {
      for (let at = 0; at < parseMessageHeader(message).length; at++) {
        for (const value of [...Array(8).keys()].map((bit) => message[at]! ^ (1 << bit)).concat(0, 0xff)) {
          const changed = new Uint8Array(message);
          changed[at] = value;
          agrees(changed);
        }
      }
    }
  });

  it('is told at the first byte that shows it', () => {
    let told = 0;
    for (const message of SMALL) {
      for (let bit = 0; bit < parseMessageHeader(message).length * 8; bit++) {
        const changed = flip(message, bit >> 3, bit & 7);
        const whole = verdict(changed);
        const contents = /encryption context is malformed|key provider id:/;
        if (typeof whole === 'number' || whole.startsWith('TRUNCATED') || contents.test(whole)) continue;
        let shortest = 0;
        while (verdict(changed.subarray(0, shortest)) !== whole) shortest++;
        if (changed[0] === 0x41) shortest = 2; // "A" may be the start of base64 text
        expect(byteByByte(changed)).toBe(shortest);
        told++;
      }
    }
    expect(told).toBeGreaterThan(300);
  });

  it.each([
    ['AY', 2, 'BASE64_MESSAGE'],
    ['AZ', 2, 'INVALID_MESSAGE'],
    ['AgR4', 4, 'BASE64_MESSAGE'],
    ['AgV4', 4, 'BASE64_MESSAGE'],
    ['AgV', undefined, 'INVALID_MESSAGE'],
    ['Agent', 3, 'INVALID_MESSAGE'],
    ['AgR5', 4, 'INVALID_MESSAGE'],
    ['A', undefined, 'INVALID_MESSAGE'],
    ['', undefined, 'TRUNCATED'],
    ['{', 1, 'INVALID_MESSAGE'],
  ])('text "%s" is judged after %s bytes: %s', (text, after, code) => {
    expect(byteByByte(utf8(text))).toBe(after);
    expect(verdict(utf8(text).subarray(0, after))).toContain(code);
  });

  it('waits for no key beyond the limit', () => {
    const edk = { providerId: 'p', providerInfo: bytes(0), ciphertext: bytes(1) };
    const header = encode(ALGORITHM_SUITES[0]!, { encryptedDataKeys: [edk, edk, edk] });
    agrees(header, 3);
    agrees(header, 2);
    expect(byteByByte(header, 2)).toBe(4 + 16 + 2 + 8 + 2);
  });
});

describe('the longest header', () => {
  const header = encode(ALGORITHM_SUITES.at(-1)!);

  it('may have maxLength bytes, and no more', () => {
    expect(headerEnd(1, header.length).find(header)).toBe(header.length);
    const text = `the header has more than ${header.length - 1} bytes; maxHeaderLength is ${header.length - 1}: raise it`;
    const tooLong = expect.objectContaining({ code: 'LIMIT_EXCEEDED', message: text });
    const end = headerEnd(1, header.length - 1);
    for (let call = 0; call < 2; call++) expect(() => end.find(header)).toThrow(tooLong);
  });

  it('is judged by what its lengths claim, before the bytes are there', () => {
    const claims = header.slice(0, 3 + 32 + 2).fill(0xff, 3 + 32);
    const end = headerEnd(1, 1000);
    expect(end.find(claims.subarray(0, -1))).toBeUndefined();
    expect(() => end.find(claims)).toThrow(expect.objectContaining({ code: 'LIMIT_EXCEEDED' }));
    expect(headerEnd().find(claims)).toBeUndefined();
  });
});

describe('the work', () => {
  afterEach(() => vi.restoreAllMocks());

  it('is one read of each field of structure, however the bytes come', () => {
    const edk = { providerId: '', providerInfo: bytes(1), ciphertext: bytes(2) };
    const header = encode(ALGORITHM_SUITES.at(-1)!, { encryptedDataKeys: new Array(0xffff).fill(edk) });
    const reads = 1 + 1 + 1 + 1 + 3 * 0xffff + 1 + 1; // version, suite, two counts, keys, content type, frame length
    for (const step of [1, 1000, header.length]) {
      const offsets = recordReads();
      const end = headerEnd();
      let answer: number | undefined;
      for (let length = step; answer === undefined; length += step)
        answer = end.find(header.subarray(0, length));
      vi.restoreAllMocks();
      expect(answer).toBe(header.length);
      expect(offsets.length).toBe(reads);
      expect(offsets.every((offset, i) => i === 0 || offset > offsets[i - 1]!)).toBe(true);
    }
  });

  /** The offsets of all reads through views, in order. */
  function recordReads(): number[] {
    const offsets: number[] = [];
    for (const name of ['getUint8', 'getUint16', 'getUint32'] as const) {
      const read = DataView.prototype[name];
      vi.spyOn(DataView.prototype, name).mockImplementation(function (this: DataView, at: number) {
        offsets.push(at);
        return read.call(this, at);
      });
    }
    return offsets;
  }
});
