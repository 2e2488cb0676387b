import { describe, expect, it } from 'vitest';
import { decodeBase64, isBase64Message, peek } from '../../src/cli/base64.ts';
import { encrypt } from '../../src/index.ts';
import { aesKeyring, bytes, failure, failureCode, policyFor, SUITE_ROWS } from '../support/messages.ts';

async function* pieces(text: string, length: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < text.length; at += length) yield Buffer.from(text.slice(at, at + length), 'latin1');
}

async function all(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const decode = (text: string, length = 5) => all(decodeBase64(pieces(text, length)));

describe('base64 text of a message', () => {
  it.each(SUITE_ROWS)('of suite %s is told by its first characters', async (_, suite) => {
    const options = { keyring: aesKeyring(), algorithmSuite: suite.id, commitmentPolicy: policyFor(suite) };
    const { ciphertext } = await encrypt(bytes(10), options);
    expect(isBase64Message(ciphertext)).toBe(false);
    expect(isBase64Message(Buffer.from(Buffer.from(ciphertext).toString('base64')))).toBe(true);
  });

  it.each([1, 3, 4, 100])('is looked at without losing a byte, in chunks of %i', async (length) => {
    for (const text of ['', 'A', 'AY', 'AgV4AQID', 'BBBBBBBB']) {
      const { base64, source } = await peek(pieces(text, length));
      expect(base64).toBe(text.startsWith('AY') || text.startsWith('AgV4'));
      expect((await all(source)).toString()).toBe(text);
    }
  });
});

describe('decoding', () => {
  it('gives the bytes, however the text is cut and wrapped', async () => {
    for (let length = 0; length < 40; length++) {
      const whole = Buffer.from(bytes(length));
      const text = whole.toString('base64');
      const wrapped = `${text.replace(/(.{7})/g, '$1\r\n \t')}\n`;
      for (const cut of [1, 2, 3, 4, 5, 64]) {
        expect(await decode(text, cut)).toEqual(whole);
        expect(await decode(wrapped, cut)).toEqual(whole);
      }
    }
  });

  it.each([
    ['a character outside the alphabet', 'AAAA-AAA'],
    ['the alphabet of URLs', 'AA_A'],
    ['a zero byte', 'AA\0A'],
    ['padding before the end', 'AA==AAAA'],
    ['text behind the padding, later', `AA==${' '.repeat(50)}A`],
    ['three signs of padding', 'A==='],
    ['bits that are no byte', 'AB=='],
    ['bits that are no byte in the third character', 'AAB='],
  ])('refuses %s', async (_, text) => {
    for (const cut of [1, 4, 100])
      expect(['INVALID_MESSAGE', 'TRUNCATED']).toContain(await failureCode(decode(text, cut)));
    expect(await failureCode(decode(text.padEnd(text.length + ((4 - (text.length % 4)) % 4), 'A')))).toBe(
      'INVALID_MESSAGE',
    );
  });

  it('says when the text is cut off', async () => {
    expect(await failure(decode('AAAAA'))).toMatchObject({ code: 'TRUNCATED' });
    expect(await failureCode(decode('AAA'))).toBe('TRUNCATED');
  });
});
