import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openPinnedDataKey, type PinnedDataKey } from '../../src/deterministic/index.ts';
import { encrypt } from '../../src/index.ts';
import { aesKeyring, bytes, failure, failureCode, flip } from '../support/messages.ts';
import { naivePinned } from '../support/naive-siv.ts';

const keyring = aesKeyring();
const SECRET = Uint8Array.from({ length: 32 }, (_, i) => i);
const ANN = new TextEncoder().encode('ann@example.com');
const EMAIL = { field: 'users.email' };

/** Made once: the secret above under `aesKeyring()`. */
const MESSAGE =
  'AgR42KjGtsiWhUT5oyBtS+j2xvBKroy7l5dhwBCbzlcUO64AHAABAAdwdXJwb3NlAA9waW5uZWQgZGF0YSBrZXkAAQAEdGVzdAAZYWVzLTEAAACAAAAA' +
  'DB/aIA6yR5UI5ibyRAAwuVYxCqsVosSo1ye9AfdJ8D7zRY+ozZ/lfgqSWznfoIbAS1H11x607RdVQo7qVgMaAgAAEABMzFe6GMY+y5jhbDUgEvF2bgtu' +
  'XwNQnc8bV0EARyamy4Cg9LJLU1b/xxc3xCmmFBz/////AAAAAQAAAAAAAAAAAAAAAQAAACDDItZSbL1gPTN2IwubK6rZ244tzTIkeNRCpIJJgc2Mc/B0' +
  'NcP7tSrcqi4raFwap2g=';

// Computed with another library (Python's cryptography 48: HKDF, AESSIV) from the layout in pinned-data-key.ts.
const KEY_ID = '2c83f6adad7acd2a';
const CIPHERTEXTS = [
  [ANN, 'users.email', {}, '311f39d756db48a5d0345c7630375b8fee51c0b0ca6fc8e559e30107474bcd'],
  [
    ANN,
    'users.email',
    { '\u{ff5e}': '\u{1f512}', tenant: 'acme' },
    '38c75de69dc32cac0bf93bcf1cfe62e8f18db4ea104f53a2f68fedbaaf17be',
  ],
  [bytes(0), 'users.nickname', {}, '4246b8824954895993971157cef341e9'],
  [
    Uint8Array.from({ length: 40 }, (_, i) => i),
    '\u{e9}',
    { '': '' },
    '120bfc23ec291499f5987033ec76573f7510f015de032e6a04e447aece9e29f68e4f984c0044146f07e5700a55969c94a8b053c7b901c61d',
  ],
] as const;
const INDICES = [
  [ANN, EMAIL, '3d257e1d25e743747e8d92304752c808cfbda9e473165d3281f6fb175f4ef0f3'],
  [
    ANN,
    { ...EMAIL, length: 64 },
    '3d257e1d25e743747e8d92304752c808cfbda9e473165d3281f6fb175f4ef0f3e435bd8e1a2024fbda5d7e11fe347360bc60c3da84612c9edc937f5f9b776399',
  ],
  [bytes(0), { field: 'x', length: 16 }, 'de89c0b93b87cce7a23eddb92bafdcdd'],
] as const;

describe('the format, once and for all', () => {
  it('a message that was made before opens to the same key', async () => {
    const key = await openPinnedDataKey(Buffer.from(MESSAGE, 'base64'), { keyring });
    expect(hex(key.keyId)).toBe(KEY_ID);
  });

  it.each(CIPHERTEXTS)('%# encrypts as before', async (plaintext, field, context, sealed) => {
    const key = await openKey();
    const ciphertext = await key.encrypt(plaintext, { field, context });
    expect(hex(ciphertext)).toBe(`01${KEY_ID}${sealed}`);
    expect(await key.decrypt(ciphertext, { field, context })).toEqual(plaintext);
  });

  it.each(INDICES)('%# has the same index as before', async (value, options, index) => {
    expect(hex(await (await openKey()).index(value, options))).toBe(index);
  });
});

describe('what is equal, and what is not', () => {
  it('the same value, field and context give the same bytes, in whatever order the pairs come', async () => {
    const [one, two] = [await openKey(), await openKey()];
    const first = await one.encrypt(ANN, { ...EMAIL, context: { a: '1', b: '2' } });
    const pairs = new Map([
      ['b', '2'],
      ['a', '1'],
    ]);
    expect(await two.encrypt(ANN, { ...EMAIL, context: pairs })).toEqual(first);
    expect(await two.index(ANN, EMAIL)).toEqual(await one.index(ANN, EMAIL));
    expect(await one.encrypt(ANN, EMAIL)).toEqual(await one.encrypt(ANN, { ...EMAIL, context: {} }));
  });

  it('another value, field, context or pinned data key gives other bytes', async () => {
    const key = await openKey();
    const variants = [
      { field: 'a' },
      { field: 'b' },
      { field: 'a', context: { a: '' } },
      { field: 'a', context: { '': 'a' } },
      { field: 'a', context: { a: 'b' } },
      { field: 'aa', context: { b: '' } },
      { field: 'a\0\u{1}\0\u{1}a\0\0' }, // a field that ends like a serialised context
      { field: 'e\u{301}' },
      { field: '\u{e9}' },
    ];
    const made = [
      ...variants.map((options) => key.encrypt(ANN, options)),
      key.encrypt(flip(ANN, 0), { field: 'a' }),
      (await openKey(bytes(32))).encrypt(ANN, { field: 'a' }),
    ];
    const parts = (await Promise.all(made)).map((ciphertext) => hex(ciphertext.subarray(9)));
    expect(new Set(parts).size).toBe(made.length);
  });

  it('the keys of fields, of AES-SIV and the key id have nothing in common', async () => {
    const key = await openKey();
    const { sivKey } = naivePinned(SECRET);
    const fields = ['a', 'b', '\0', 'siv', 'id', '\0\0\0\u{1}a'];
    const indices = await Promise.all(fields.map((field) => key.index(ANN, { field, length: 64 })));
    const all = [...indices, sivKey, SECRET, key.keyId, await key.encrypt(ANN, { field: 'a' })];
    const starts = all.map((value) => hex(value.subarray(0, 8)));
    expect(new Set(starts).size).toBe(all.length);
  });

  it('a shorter index is the beginning of a longer one', async () => {
    const key = await openKey();
    const whole = await key.index(ANN, { ...EMAIL, length: 64 });
    for (const length of [16, 17, 63])
      expect(await key.index(ANN, { ...EMAIL, length })).toEqual(whole.slice(0, length));
    expect(await key.index(ANN, EMAIL)).toEqual(whole.slice(0, 32));
  });

  it('whatever the bytes: a second implementation writes the same, and they come back', async () => {
    const key = await openKey();
    const second = naivePinned(SECRET);
    const text = fc
      .string({ unit: 'grapheme', maxLength: 12 })
      .filter((some) => !/\p{Surrogate}/u.test(some));
    const field = text.filter((some) => some !== '');
    const contexts = fc.dictionary(
      text.filter((some) => !some.startsWith('aws-crypto-')),
      text,
      { maxKeys: 4 },
    );
    const values = fc.uint8Array({ maxLength: 200 });
    const lengths = fc.integer({ min: 16, max: 64 });
    await fc.assert(
      fc.asyncProperty(values, field, contexts, lengths, async (value, name, context, length) => {
        const ciphertext = await key.encrypt(value, { field: name, context });
        expect(hex(ciphertext)).toBe(hex(second.encrypt(value, name, Object.entries(context))));
        expect(hex(await key.decrypt(ciphertext, { field: name, context }))).toBe(hex(value));
        const index = await key.index(value, { field: name, length });
        expect(hex(index)).toBe(hex(second.index(value, name, length)));
      }),
      { numRuns: process.env.SLOW ? 5000 : 200 },
    );
  });
});

describe('what does not decrypt', () => {
  it('every flipped bit is refused: with the version, the key id, or the tag', async () => {
    const key = await openKey();
    const ciphertext = await key.encrypt(bytes(5), EMAIL);
    for (let i = 0; i < ciphertext.length; i++) {
      const expected = i === 0 ? 'INVALID_MESSAGE' : i < 9 ? 'NO_DATA_KEY' : 'AUTHENTICATION_FAILED';
      for (let bit = 0; bit < 8; bit++)
        expect(await failureCode(key.decrypt(flip(ciphertext, i, bit), EMAIL))).toBe(expected);
    }
  });

  it('every length but the right one is refused', async () => {
    const key = await openKey();
    const ciphertext = await key.encrypt(bytes(5), EMAIL);
    for (let length = 0; length < ciphertext.length; length++) {
      const expected = length < 25 ? 'TRUNCATED' : 'AUTHENTICATION_FAILED';
      expect(await failureCode(key.decrypt(ciphertext.subarray(0, length), EMAIL))).toBe(expected);
    }
    const longer = Uint8Array.from([...ciphertext, 0]);
    expect(await failureCode(key.decrypt(longer, EMAIL))).toBe('AUTHENTICATION_FAILED');
  });

  it('another field or context is refused with the one text', async () => {
    const key = await openKey();
    const context = { tenant: 'acme' };
    const ciphertext = await key.encrypt(ANN, { ...EMAIL, context });
    const others = [
      EMAIL,
      { field: 'users.name', context },
      { ...EMAIL, context: { tenant: 'acne' } },
      { ...EMAIL, context: { ...context, more: '' } },
    ];
    const errors = await Promise.all(others.map((options) => failure(key.decrypt(ciphertext, options))));
    for (const { code } of errors) expect(code).toBe('AUTHENTICATION_FAILED');
    expect(new Set(errors.map(({ message }) => message)).size).toBe(1);
  });

  it('the ciphertext of another pinned data key: both are named', async () => {
    const [key, other] = [await openKey(), await openKey(bytes(32))];
    const { code, message } = await failure(key.decrypt(await other.encrypt(ANN, EMAIL), EMAIL));
    expect(code).toBe('NO_DATA_KEY');
    expect(message).toContain(`names the pinned data key ${hex(other.keyId)}; this one is ${KEY_ID}`);
  });

  it('a message of encrypt() is told from a field', async () => {
    const key = await openKey();
    const { ciphertext } = await encrypt(ANN, { keyring });
    const { code, message } = await failure(key.decrypt(ciphertext, EMAIL));
    expect([code, message]).toEqual(['INVALID_MESSAGE', expect.stringContaining('begins with 02')]);
  });
});

describe('arguments', () => {
  it.each([
    ['no options', undefined],
    ['no field', {}],
    ['an empty field', { field: '' }],
    ['a field that is no text', { field: 5 }],
    ['a field that is not well-formed', { field: 'a\u{d800}' }],
    ['an unknown option', { ...EMAIL, contex: {} }],
  ])('%s is refused everywhere', async (_, options) => {
    const key = await openKey();
    const ciphertext = await key.encrypt(ANN, EMAIL);
    for (const work of [
      () => key.encrypt(ANN, options as never),
      () => key.decrypt(ciphertext, options as never),
      () => key.index(ANN, options as never),
    ])
      expect(await failureCode(work())).toBe('INVALID_ARGUMENT');
  });

  it('contexts are checked as in messages, and no index takes one', async () => {
    const key = await openKey();
    const contexts: unknown[] = [{ 'aws-crypto-a': '' }, { a: 1 }, { a: '\u{d800}' }, [['a', 'b']], 'a'];
    for (const context of contexts)
      expect(await failureCode(key.encrypt(ANN, { ...EMAIL, context } as never))).toBe('INVALID_ARGUMENT');
    expect(await failureCode(key.index(ANN, { ...EMAIL, context: {} } as never))).toBe('INVALID_ARGUMENT');
    const long = key.encrypt(ANN, { ...EMAIL, context: { a: 'x'.repeat(65_536) } });
    expect(await failureCode(long)).toBe('LIMIT_EXCEEDED');
  });

  it('an index has 16 to 64 bytes', async () => {
    const key = await openKey();
    for (const length of [0, 15, 65, 16.5, Number.NaN, '32'])
      expect(await failureCode(key.index(ANN, { ...EMAIL, length } as never))).toBe('INVALID_ARGUMENT');
  });

  it('what is no bytes is refused, a transferred buffer too', async () => {
    const key = await openKey();
    const transferred = bytes(30);
    structuredClone(transferred.buffer, { transfer: [transferred.buffer] });
    for (const value of ['text', [1], undefined, new ArrayBuffer(30), transferred]) {
      for (const name of ['encrypt', 'decrypt', 'index'] as const)
        expect(await failureCode(key[name](value as never, EMAIL))).toBe('INVALID_ARGUMENT');
    }
  });

  it('16 MiB are the most', async () => {
    const key = await openKey();
    const longest = new Uint8Array(16 * 2 ** 20);
    const ciphertext = await key.encrypt(longest, EMAIL);
    expect((await key.decrypt(ciphertext, EMAIL)).length).toBe(longest.length);
    const one = Buffer.alloc(1);
    const { code, message } = await failure(key.encrypt(Buffer.concat([longest, one]), EMAIL));
    expect([code, message]).toEqual(['LIMIT_EXCEEDED', expect.stringContaining('encrypt()')]);
    const work = key.decrypt(Buffer.concat([ciphertext, one]), EMAIL);
    expect(await failureCode(work)).toBe('LIMIT_EXCEEDED');
  });
});

describe('bytes', () => {
  it('inputs are any view, are not changed, and may change when the call has returned', async () => {
    const key = await openKey();
    const around = Buffer.from([9, 9, 9, ...ANN, 9]);
    const view = around.subarray(3, 3 + ANN.length);
    const working = key.encrypt(view, EMAIL);
    expect(view).toEqual(Buffer.from(ANN));
    const expected = await key.encrypt(ANN, EMAIL);
    around.fill(0);
    expect(await working).toEqual(expected);
    const sealed = Buffer.from([1, ...expected]).subarray(1);
    const opening = key.decrypt(sealed, EMAIL);
    sealed.fill(0);
    expect(await opening).toEqual(ANN);
    const shared = new Uint8Array(new SharedArrayBuffer(ANN.length));
    shared.set(ANN);
    expect(await key.encrypt(shared, EMAIL)).toEqual(expected);
    expect(await key.index(shared, EMAIL)).toEqual(await key.index(ANN, EMAIL));
  });

  it('results own their whole buffer', async () => {
    const key = await openKey();
    const ciphertext = await key.encrypt(ANN, EMAIL);
    const results = [
      ciphertext,
      await key.decrypt(ciphertext, EMAIL),
      await key.index(ANN, EMAIL),
      key.keyId,
    ];
    for (const result of results) {
      expect(Object.getPrototypeOf(result)).toBe(Uint8Array.prototype);
      expect(result.buffer.byteLength).toBe(result.length);
    }
  });

  it('whoever writes into the key id changes no ciphertext', async () => {
    const key = await openKey();
    const ciphertext = await key.encrypt(ANN, EMAIL);
    key.keyId.fill(0);
    expect(await key.encrypt(ANN, EMAIL)).toEqual(ciphertext);
    expect(await key.decrypt(ciphertext, EMAIL)).toEqual(ANN);
  });
});

/** A pinned data key with this secret. */
async function openKey(secret: Uint8Array = SECRET): Promise<PinnedDataKey> {
  const { ciphertext } = await encrypt(secret, { keyring, algorithmSuite: 0x0478 });
  return openPinnedDataKey(ciphertext, { keyring });
}

function hex(some: Uint8Array): string {
  return Buffer.from(some).toString('hex');
}
