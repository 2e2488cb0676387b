/**
 * Text and big-endian fields, against what the platform makes of the same.
 */
import { describe, expect, it } from 'vitest';
import { isWellFormed, Reader, startsWith, utf8, utf8Text, Writer } from '../src/bytes.ts';

describe('UTF-8', () => {
  const LENGTHS = [0, 1, 63, 64, 65, 300];
  const ALPHABETS = ['a', '\0', '\x7f', '\x80', 'é', '中', '😀', '\ufeff', 'az~', 'aé', 'z😀'];

  it.each(ALPHABETS)('%j is what TextEncoder writes, and reads back, at every length', (alphabet) => {
    for (const length of LENGTHS) {
      const text = alphabet.repeat(Math.ceil(length / alphabet.length));
      const late = 'a'.repeat(length) + text; // what is not ASCII comes after what is
      for (const one of [text, late]) {
        expect(utf8(one)).toEqual(new TextEncoder().encode(one));
        expect(utf8Text(utf8(one)!)).toBe(one);
      }
    }
  });

  it.each(['\ud800', '\udc00', 'a\ud800a', '\udc00\ud800', '😀\udfff', `${'a'.repeat(80)}\udbff`])(
    '%j is no text',
    (text) => {
      expect(utf8(text)).toBeUndefined();
      expect(isWellFormed(text)).toBe(false);
    },
  );

  it.each([0, 42, true, null, undefined, {}, ['a'], new String('a')])(
    '%j is no text, and has no bytes',
    (value) => {
      expect(utf8(value as string)).toBeUndefined();
    },
  );

  it('each answer has a buffer of its own', () => {
    expect(utf8('same')!.buffer).not.toBe(utf8('same')!.buffer);
    expect(utf8('same')!.buffer.byteLength).toBe(4);
  });
});

describe('startsWith', () => {
  it.each([
    ['abc', 'ab', true],
    ['abc', 'abc', true],
    ['abc', '', true],
    ['', '', true],
    ['abc', 'abd', false],
    ['abc', 'b', false],
    ['ab', 'abc', false],
  ])('%j begins with %j: %s', (whole, start, answer) => {
    expect(startsWith(utf8(whole)!, utf8(start)!)).toBe(answer);
  });
});

describe('fields', () => {
  const NUMBERS = [0, 1, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x1_0000, 0x7fff_ffff, 0xffff_ffff];

  it('are written as a DataView writes them, and read back', () => {
    for (const number of NUMBERS) {
      const expected = new DataView(new ArrayBuffer(7));
      expected.setUint8(0, number);
      expected.setUint16(1, number);
      expected.setUint32(3, number);
      const { bytes } = new Writer(7).u8(number).u16(number).u32(number);
      expect(bytes).toEqual(new Uint8Array(expected.buffer));
      const reader = new Reader(new Uint8Array([1, ...bytes, 2]).subarray(1, 8)); // a view
      expect([reader.u8('a'), reader.u16('b'), reader.u32('c')]).toEqual([
        number & 0xff,
        number & 0xffff,
        number,
      ]);
      expect(reader.left).toBe(0);
    }
    const wide = new Reader(new Uint8Array([9, 0xff, 1, 2, 3, 4, 5, 6, 7]).subarray(1));
    expect(wide.u64('d')).toBe(0xff01_0203_0405_0607n);
  });

  it('are never written beyond the length that was counted', () => {
    expect(() => new Writer(1).u16(1)).toThrow(RangeError);
    expect(() => new Writer(3).u32(1)).toThrow(RangeError);
    expect(() => new Writer(0).u8(1)).toThrow(RangeError);
    expect(() => new Writer(1).put(new Uint8Array(2))).toThrow(RangeError);
  });

  it.each(['u8', 'u16', 'u32', 'u64'] as const)(
    '%s that is cut off is named, and nothing is read',
    (read) => {
      const reader = new Reader(new Uint8Array(read === 'u8' ? 0 : Number(read.slice(1)) / 8 - 1), 100);
      expect(() => reader[read]('field')).toThrow(/ends inside its field: .* at offset 100/);
      expect(reader.offset).toBe(0);
    },
  );
});
