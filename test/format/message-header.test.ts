import { describe, expect, it } from 'vitest';
import { concat, Reader } from '../../src/bytes.ts';
import { parseContext, serializeContext, toContext } from '../../src/encryption-context.ts';
import { scanFrames } from '../../src/format/message-body.ts';
import { parseFooter } from '../../src/format/message-footer.ts';
import {
  encodeHeaderAuth,
  encodeHeaderBody,
  type HeaderFields,
  parseMessageHeader,
} from '../../src/format/message-header.ts';
import { decrypt, encrypt, parseHeader } from '../../src/index.ts';
import { aesKeyring, bytes, failure, failureCode, flip, policyFor, SUITE_ROWS } from '../support/messages.ts';

const utf8 = (text: string) => new TextEncoder().encode(text);
const EDK = { providerId: 'p', providerInfo: utf8('info'), ciphertext: bytes(48) };

const fields = (suiteIndex: number, change: Partial<HeaderFields> = {}): HeaderFields => {
  const [, suite] = SUITE_ROWS.at(suiteIndex)!;
  return {
    suite,
    messageId: bytes(suite.messageIdLength),
    encryptionContext: toContext([
      ['b', '2'],
      ['a', '1'],
    ]),
    encryptedDataKeys: [EDK, { ...EDK, providerId: 'q' }],
    contentType: 'framed',
    frameLength: 4096,
    suiteData: bytes(suite.committing ? 32 : 0),
    ...change,
  };
};
const whole = (f: HeaderFields) => concat(encodeHeaderBody(f), encodeHeaderAuth(f.suite, bytes(16)));

describe('encode and parse', () => {
  it.each(SUITE_ROWS)('%s gives back every field, and the same bytes again', (_, suite) => {
    const written = fields(SUITE_ROWS.findIndex(([, one]) => one === suite));
    const message = whole(written);
    const parsed = parseMessageHeader(message);
    expect(parsed).toMatchObject({
      ...written,
      length: message.length,
      tag: bytes(16),
      iv: new Uint8Array(12),
    });
    expect(encodeHeaderBody(parsed)).toEqual(parsed.body);
  });

  it('reads the header of any prefix that holds it, and TRUNCATED of any shorter one', async () => {
    for (const index of [0, -1]) {
      const message = whole(fields(index));
      expect(parseHeader(concat(message, bytes(99))).headerLength).toBe(message.length);
      for (let length = 0; length < message.length; length++) {
        expect(await failureCode(() => parseHeader(message.subarray(0, length)))).toBe('TRUNCATED');
      }
    }
  });
});

describe('a hostile header', () => {
  const v1 = whole(fields(0));
  const v2 = whole(fields(-1));

  it.each([
    ['version 0', flip(v2, 0, 1), 'INVALID_MESSAGE', 'version'],
    ['version 3', flip(v2, 0), 'INVALID_MESSAGE', 'version'],
    ['another type', flip(v1, 1), 'INVALID_MESSAGE', 'type'],
    ['an unknown suite', flip(v2, 1, 7), 'INVALID_MESSAGE', 'algorithm suite'],
    [
      'a version 1 suite under version 2',
      concat(Uint8Array.of(2, 1, 0x78), v2.subarray(3)),
      'INVALID_MESSAGE',
      'algorithm suite',
    ],
    [
      'the reserved suite',
      concat(Uint8Array.of(1, 0x80, 0, 0), v1.subarray(4)),
      'INVALID_MESSAGE',
      'algorithm suite',
    ],
    [
      'no encrypted data keys',
      whole(fields(-1, { encryptedDataKeys: [] })),
      'INVALID_MESSAGE',
      'encrypted data key count',
    ],
    ['frame length 0', whole(fields(-1, { frameLength: 0 })), 'INVALID_MESSAGE', 'frame length'],
    [
      'a frame length without frames',
      whole(fields(-1, { contentType: 'non-framed' })),
      'INVALID_MESSAGE',
      'frame length',
    ],
    ['a reserved field that is not zero', flip(v1, v1.length - 28 - 6), 'INVALID_MESSAGE', 'reserved'],
    ['another IV length', flip(v1, v1.length - 28 - 5), 'INVALID_MESSAGE', 'IV length'],
    ['another content type', flip(v1, v1.length - 28 - 10, 3), 'INVALID_MESSAGE', 'content type'],
    ['base64 text of version 1', utf8(Buffer.from(v1).toString('base64')), 'BASE64_MESSAGE', 'base64'],
    [
      'base64 text of 0478',
      utf8(Buffer.from(whole(fields(-2))).toString('base64')),
      'BASE64_MESSAGE',
      'base64',
    ],
    ['base64 text of 0578', utf8(Buffer.from(v2).toString('base64')), 'BASE64_MESSAGE', 'base64'],
  ])('%s', async (_, message, code, text) => {
    const error = await failure(() => parseHeader(message));
    expect(error.code).toBe(code);
    expect(error.message).toContain(text);
  });

  it('costs what it holds: 65,535 entries, and lengths that lie', async () => {
    const many = whole(fields(-1, { encryptedDataKeys: new Array(65_535).fill(EDK) }));
    const started = performance.now();
    expect(parseHeader(many).encryptedDataKeys).toHaveLength(65_535);
    expect(performance.now() - started).toBeLessThan(5000);
    expect(await failureCode(() => parseHeader(many, { maxEncryptedDataKeys: 65_534 }))).toBe(
      'LIMIT_EXCEEDED',
    );
    const lying = new Uint8Array(v2.subarray(0, 40));
    lying.fill(255, 35, 37);
    expect(await failureCode(() => parseHeader(lying))).toBe('TRUNCATED');
  });

  it('refuses fields that do not fit when it is written', async () => {
    const long = { ...EDK, ciphertext: new Uint8Array(65_536) };
    expect(await failureCode(() => encodeHeaderBody(fields(-1, { encryptedDataKeys: [long] })))).toBe(
      'LIMIT_EXCEEDED',
    );
  });
});

describe('the encryption context', () => {
  const serialized = (...pairs: readonly (readonly [Uint8Array, Uint8Array])[]) => {
    const sized = (part: Uint8Array) => concat(Uint8Array.of(part.length >> 8, part.length & 255), part);
    return concat(
      Uint8Array.of(0, pairs.length),
      ...pairs.flatMap(([key, value]) => [sized(key), sized(value)]),
    );
  };

  it('is sorted by the bytes of its keys, not by UTF-16', () => {
    const context = toContext([
      ['\u{10000}', '4'],
      ['\uFFFF', '3'],
      ['b', '2'],
      ['B', '1'],
    ]);
    expect(Object.keys(parseContext(serializeContext(context)))).toEqual(['B', 'b', '\uFFFF', '\u{10000}']);
    expect(serializeContext(toContext([]))).toHaveLength(0);
  });

  it('serialises again to the sorted form, in whichever order it was parsed, and never to no pairs', () => {
    const texts = { B: '1', a: '', b: '2', é: '3', '\uFFFF': '4', '\u{10000}': '5' };
    const pairs = Object.entries(texts).map(([key, value]) => [utf8(key), utf8(value)] as const);
    const sorted = serialized(...pairs);
    for (const order of [pairs, [...pairs].reverse(), [...pairs.slice(1), pairs[0]!]]) {
      const message = serialized(...order);
      const context = parseContext(message);
      message.fill(0); // it is the caller's
      expect(serializeContext(context)).toEqual(sorted);
      expect(serializeContext(toContext(Object.entries(context)))).toEqual(sorted);
    }
    expect(serializeContext(parseContext(serialized()))).toHaveLength(0);
  });

  it('keeps a byte order mark and a NUL', () => {
    const context = toContext([
      ['\uFEFFa', '\uFEFF'],
      ['a\0b', ''],
    ]);
    expect(parseContext(serializeContext(context))).toEqual(context);
  });

  it.each([
    ['a repeated key', serialized([utf8('a'), utf8('1')], [utf8('a'), utf8('2')])],
    ['a key that is not UTF-8', serialized([Uint8Array.of(0xff), utf8('1')])],
    ['an overlong NUL', serialized([Uint8Array.of(0xc0, 0x80), utf8('1')])],
    ['a lone surrogate', serialized([utf8('a'), Uint8Array.of(0xed, 0xa0, 0x80)])],
    ['bytes after the last pair', concat(serialized([utf8('a'), utf8('1')]), bytes(1))],
    ['a count that is too high', concat(Uint8Array.of(0, 2), serialized([utf8('a'), utf8('1')]).subarray(2))],
    ['one byte', bytes(1)],
  ])('refuses %s', async (_, message) => {
    expect(await failureCode(() => parseContext(message))).toBe('INVALID_MESSAGE');
  });

  it('refuses ill-formed UTF-16 and reserved keys from a caller', async () => {
    const keyring = aesKeyring();
    for (const encryptionContext of [
      { '\ud800': 'a' },
      { a: '\udc00' },
      { 'aws-crypto-public-key': 'x' },
      { 'aws-crypto-x': 'y' },
    ]) {
      expect(await failureCode(encrypt(bytes(1), { keyring, encryptionContext }))).toBe('INVALID_ARGUMENT');
    }
  });
});

describe('text of a header that people see', () => {
  it('has no control, ANSI or bidirectional characters', async () => {
    const name = '\u001b[31mred\u202Egnp.exe\u0007\n';
    const message = whole(
      fields(-1, { encryptedDataKeys: [{ ...EDK, providerId: name, providerInfo: utf8(name) }] }),
    );

    const { header } = await encrypt(bytes(1), { keyring: aesKeyring() });
    const context = header.encryptionContext;
    const signed = whole(
      fields(-1, { encryptionContext: context, encryptedDataKeys: parseHeader(message).encryptedDataKeys }),
    );
    const error = await failure(decrypt(signed, { keyring: aesKeyring() }));
    expect(error.code).toBe('NO_DATA_KEY');
    for (const text of [error.message, error.attempts[0]!.providerId, error.attempts[0]!.keyName]) {
      expect(text).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
      expect(text).toContain('\\u{1b}[31mred\\u{202e}');
    }
  });
});

describe('frames and footer', () => {
  const rules = { frameLength: 16, ivIsSequenceNumber: true };

  it('finds whole frames only, and stops where told', async () => {
    const { ciphertext, header } = await encrypt(bytes(50), {
      keyring: aesKeyring(),
      algorithmSuite: 0x0478,
      frameLength: 16,
    });
    const body = ciphertext.subarray(header.headerLength);
    expect(scanFrames(body, 1, rules)).toEqual({ regular: 3, finalLength: 2, length: body.length });
    expect(scanFrames(body, 1, rules, 2)).toEqual({ regular: 2, finalLength: undefined, length: 96 });
    for (let length = 0; length < body.length; length++) {
      const run = scanFrames(body.subarray(0, length), 1, rules);
      expect(run).toEqual({
        regular: Math.min(3, Math.floor(length / 48)),
        finalLength: undefined,
        length: Math.min(3, Math.floor(length / 48)) * 48,
      });
    }
  });

  it('reads sequence numbers up to the last that there is', () => {
    const frame = new Uint8Array(40 + 3);
    const view = new DataView(frame.buffer);
    view.setUint32(0, 0xffff_ffff);
    view.setUint32(4, 0xffff_ffff);
    view.setUint32(16, 0xffff_ffff);
    view.setUint32(20, 3);
    expect(scanFrames(frame, 0xffff_ffff, rules)).toEqual({ regular: 0, finalLength: 3, length: 43 });
    expect(() => scanFrames(frame, 2 ** 32, rules)).toThrow('out of order');
  });

  it('bounds the footer by its declared length', async () => {
    expect(parseFooter(new Reader(Uint8Array.of(0, 2, 7, 8, 9)))).toEqual(Uint8Array.of(7, 8));
    expect(await failureCode(() => parseFooter(new Reader(Uint8Array.of(0, 2, 7))))).toBe('TRUNCATED');
  });

  it.each(SUITE_ROWS)('%s: nothing may follow the message, and nothing may lack', async (_, suite) => {
    const options = { keyring: aesKeyring(), commitmentPolicy: policyFor(suite) };
    const { ciphertext } = await encrypt(bytes(20), {
      ...options,
      algorithmSuite: suite.id,
      frameLength: 16,
    });
    expect(await failureCode(decrypt(concat(ciphertext, Uint8Array.of(0)), options))).toBe('TRAILING_BYTES');
    expect(await failureCode(decrypt(concat(ciphertext, ciphertext), options))).toBe('TRAILING_BYTES');
    expect(await failureCode(decrypt(ciphertext.subarray(0, -1), options))).toBe('TRUNCATED');
  });
});
