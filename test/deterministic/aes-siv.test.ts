import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openSiv, sealSiv } from '../../src/deterministic/aes-siv.ts';
import { bytes, flip } from '../support/messages.ts';
import { naiveSiv } from '../support/naive-siv.ts';

// RFC 5297, appendix A. The nonce of A.2 is the last string before the plaintext: section 3.
const RFC_5297 = [
  {
    name: 'A.1, deterministic',
    key: 'fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0 f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff',
    associatedData: ['101112131415161718191a1b1c1d1e1f 2021222324252627'],
    plaintext: '112233445566778899aabbccddee',
    sealed: '85632d07c6e8f37f950acd320a2ecc93 40c02b9690c4dc04daef7f6afe5c',
  },
  {
    name: 'A.2, with a nonce',
    key: '7f7e7d7c7b7a79787776757473727170 404142434445464748494a4b4c4d4e4f',
    associatedData: [
      '00112233445566778899aabbccddeeff deaddadadeaddadaffeeddccbbaa9988 7766554433221100',
      '102030405060708090a0',
      '09f911029d74e35bd84156c5635688c0',
    ],
    plaintext:
      '7468697320697320736f6d6520706c61 696e7465787420746f20656e63727970 74207573696e67205349562d414553',
    sealed:
      '7bdb6e3b432667eb06f4d14bff2fbd0f cb900f2fddbe404326601965c889bf17 dba77ceb094fa663b7a3f748ba8af829 ea64ad544a272e9c485b62a3fd5c0d',
  },
];

describe.each(RFC_5297)('RFC 5297 $name', ({ key, associatedData, plaintext, sealed }) => {
  const vector = [fromHex(key), associatedData.map(fromHex), fromHex(plaintext)] as const;

  it('seals', () => {
    expect(sealSiv(...vector)).toEqual(fromHex(sealed));
    expect(naiveSiv(...vector)).toEqual(Buffer.from(fromHex(sealed)));
  });

  it('opens', () => {
    expect(openSiv(vector[0], vector[1], fromHex(sealed))).toEqual(vector[2]);
    expect(openSiv(vector[0], vector[1].slice(1), fromHex(sealed))).toBeUndefined();
  });
});

describe('AES-256-SIV', () => {
  const key = bytes(64);

  it('is that of a second implementation, for every length to 70 and up to four strings', () => {
    for (let length = 0; length <= 70; length++) {
      for (let strings = 0; strings <= 4; strings++) {
        const associatedData = Array.from({ length: strings }, (_, i) => bytes((length * i) % 37, i));
        const plaintext = bytes(length, strings);
        const sealed = sealSiv(key, associatedData, plaintext);
        expect(Buffer.compare(sealed, naiveSiv(key, associatedData, plaintext))).toBe(0);
        expect(openSiv(key, associatedData, sealed)).toEqual(plaintext);
      }
    }
  });

  it('is that of a second implementation, whatever the bytes and wherever they lie', () => {
    const views = fc
      .tuple(fc.uint8Array({ maxLength: 300 }), fc.nat({ max: 7 }))
      .map(([content, at]) => Uint8Array.from([...bytes(at), ...content]).subarray(at));
    const strings = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 5 });
    const keys = fc.uint8Array({ minLength: 64, maxLength: 64 });
    fc.assert(
      fc.property(keys, strings, views, (anyKey, associatedData, plaintext) => {
        const before = plaintext.slice();
        const sealed = sealSiv(anyKey, associatedData, plaintext);
        expect(Buffer.compare(sealed, naiveSiv(anyKey, associatedData, plaintext))).toBe(0);
        expect(openSiv(anyKey, associatedData, sealed)).toEqual(before);
        expect(plaintext).toEqual(before);
      }),
    );
  });

  it('refuses every flipped bit', () => {
    const sealed = sealSiv(key, [bytes(3)], bytes(20));
    for (let i = 0; i < sealed.length * 8; i++) {
      expect(openSiv(key, [bytes(3)], flip(sealed, i >> 3, i & 7))).toBeUndefined();
    }
  });

  it('tells strings from each other wherever they are divided', () => {
    const divisions = [
      [bytes(6)],
      [bytes(6).subarray(0, 2), bytes(6).subarray(2)],
      [bytes(6).subarray(0, 3), bytes(6).subarray(3)],
      [bytes(6), bytes(0)],
      [bytes(0), bytes(6)],
    ];
    const sealed = divisions.map((strings) => Buffer.from(sealSiv(key, strings, bytes(9))).toString('hex'));
    expect(new Set(sealed).size).toBe(divisions.length);
  });

  it('answers plaintexts that own their whole buffer', () => {
    for (const length of [0, 1, 5, 16, 33]) {
      const sealed = Uint8Array.from([0, ...sealSiv(key, [], bytes(length))]).subarray(1);
      expect(openSiv(key, [], sealed)!.buffer).toEqual(bytes(length).buffer);
    }
  });
});

function fromHex(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'));
}
