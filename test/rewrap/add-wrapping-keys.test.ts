/**
 * Keys added to finished messages: the sidecar opens them, in every suite and every way to decrypt, under keyrings of
 * every kind, and nothing else changes.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  addWrappingKeys,
  type Bytes,
  type CryptographicMaterialsManager,
  type DecryptOptions,
  decrypt,
  decryptRange,
  decryptStream,
  defaultCmm,
  encrypt,
  type Keyring,
  multiKeyring,
  type RsaPadding,
  rawRsaKeyring,
} from '../../src/index.ts';
import { decryptFile } from '../../src/node/index.ts';
import {
  aesKeyring,
  bytes,
  failure,
  failureCode,
  policyFor,
  rsaPem,
  SUITE_ROWS,
} from '../support/messages.ts';
import { malleableKeyring, spied, withSidecar } from '../support/sidecars.ts';
import { every, through } from '../support/streams.ts';

const first = aesKeyring(1);
const added = aesKeyring(2);
const stranger = aesKeyring(3);
const rsa = rsaPem();
const rsaKeyring = (padding: RsaPadding, half: Partial<typeof rsa> = rsa): Keyring =>
  rawRsaKeyring({ keyNamespace: 'escrow', keyName: padding, padding, ...half });

/** The four ways to decrypt. */
const WAYS: readonly (readonly [string, (message: Bytes, options: DecryptOptions) => Promise<Bytes>])[] = [
  ['one shot', async (message, options) => (await decrypt(message, options)).plaintext],
  ['a stream', readStream],
  ['a range', readRange],
  ['a file', readFileWay],
];

async function readStream(message: Bytes, options: DecryptOptions): Promise<Bytes> {
  const outcome = await through(decryptStream(options), every(13)(message));
  if (outcome.error) throw outcome.error;
  return outcome.bytes;
}

async function readRange(message: Bytes, options: DecryptOptions): Promise<Bytes> {
  const range = { start: 0, end: 100, allowUnverifiedSignature: true };
  return (await decryptRange(new Blob([message]), { ...options, ...range })).plaintext;
}

async function readFileWay(message: Bytes, options: DecryptOptions): Promise<Bytes> {
  const folder = await mkdtemp(join(tmpdir(), 'frameseal-sidecars-'));
  try {
    await writeFile(join(folder, 'a'), message);
    await decryptFile(join(folder, 'a'), join(folder, 'b'), options);
    return new Uint8Array(await readFile(join(folder, 'b')));
  } finally {
    await rm(folder, { recursive: true });
  }
}

describe.each(SUITE_ROWS)('suite %s', (_, suite) => {
  const commitmentPolicy = policyFor(suite);
  const written = { commitmentPolicy, encryptionContext: { tenant: 'a' }, algorithmSuite: suite.id };

  it.each(WAYS)(
    'opens in %s by a key of the sidecar, and as before by those of the header',
    async (_, read) => {
      const { ciphertext, sidecar, plaintext } = await withSidecar(written);
      const options = (keyring: Keyring, more = {}) => ({ keyring, commitmentPolicy, ...more });
      expect(await read(ciphertext, options(added, { sidecar }))).toEqual(plaintext);
      expect(await read(ciphertext, options(first, { sidecar }))).toEqual(plaintext);
      expect(await read(ciphertext, options(first))).toEqual(plaintext);
      expect(await failureCode(read(ciphertext, options(added)))).toBe('NO_DATA_KEY');
      expect(await failureCode(read(ciphertext, options(stranger, { sidecar })))).toBe('NO_DATA_KEY');
    },
  );

  it('needs the header alone, to its last byte, and changes nothing', async () => {
    const { ciphertext, header } = await encrypt(bytes(100), { ...written, keyring: first });
    const before = ciphertext.slice();
    const add = spied(added);
    const options = { keyring: first, commitmentPolicy, add };
    const cut = (length: number) => addWrappingKeys(ciphertext.subarray(0, length), options);
    expect(await failureCode(cut(header.headerLength - 1))).toBe('TRUNCATED');
    expect(await failureCode(cut(0))).toBe('TRUNCATED');
    expect(add.wraps.count).toBe(0);
    const answer = await cut(header.headerLength);
    expect(ciphertext).toEqual(before);
    const keyring = added;
    const opened = await decrypt(ciphertext, { keyring, commitmentPolicy, sidecar: answer.sidecar });
    expect(opened.plaintext).toEqual(bytes(100));
    expect(answer.header).toEqual(opened.header);
    expect(answer).toMatchObject({ verified: 'header', missingKeys: [] });
    expect(answer.encryptedDataKeys).toHaveLength(1);
  });

  it('gives the added keyring the full context, and the data key as it is', async () => {
    const seen: Parameters<Keyring['onEncrypt']>[0][] = [];
    const add: Keyring = {
      ...malleableKeyring(),
      onEncrypt: async (materials, options) => {
        seen.push({ ...materials, plaintextDataKey: materials.plaintextDataKey!.slice() });
        return malleableKeyring().onEncrypt(materials, options);
      },
    };
    const cmm: CryptographicMaterialsManager = {
      ...defaultCmm({ keyring: first }),
      getEncryptionMaterials: async (request) => ({
        ...(await defaultCmm({ keyring: first }).getEncryptionMaterials(request)),
        requiredEncryptionContextKeys: ['secret'],
      }),
    };
    const encryptionContext = { tenant: 'a', secret: 'b' };
    const { ciphertext, header } = await encrypt(bytes(100), { ...written, cmm, encryptionContext });
    const reproduced = { commitmentPolicy, encryptionContext: { secret: 'b' } };
    const { sidecar } = await addWrappingKeys(ciphertext, { ...reproduced, keyring: first, add });
    const [materials] = seen;
    expect({ ...materials!.encryptionContext }).toEqual({ ...header.encryptionContext, secret: 'b' });
    expect('aws-crypto-public-key' in materials!.encryptionContext).toBe(suite.signature !== undefined);
    expect(materials).toMatchObject({ requiredEncryptionContextKeys: ['secret'], encryptedDataKeys: [] });
    expect(materials!.plaintextDataKey).toHaveLength(suite.keyLength);
    const opened = await decrypt(ciphertext, { ...reproduced, keyring: malleableKeyring(), sidecar });
    expect(opened.plaintext).toEqual(bytes(100));
    expect({ ...opened.authenticatedContext }).toEqual({ ...header.encryptionContext, secret: 'b' });
  });
});

describe('the added keyring', () => {
  const pkcs1 = rsaKeyring('pkcs1');
  const oaep = (['oaep-sha1', 'oaep-sha256', 'oaep-sha384', 'oaep-sha512'] as const).map(
    (padding) => [padding, rsaKeyring(padding, { publicKey: rsa.publicKey }), rsaKeyring(padding)] as const,
  );
  const both = multiKeyring({ generator: added, children: [pkcs1] });
  const childrenAlone = multiKeyring({ children: [pkcs1, added, malleableKeyring()] });
  const nested = multiKeyring({ generator: multiKeyring({ generator: added }), children: [childrenAlone] });

  it.each([
    ['AES', added, [added], 1],
    ['AES of 128 bits', aesKeyring(4, 16), [aesKeyring(4, 16)], 1],
    ...oaep.map(([padding, publicHalf, whole]) => [padding, publicHalf, [whole], 1] as const),
    ['pkcs1', pkcs1, [pkcs1], 1],
    ['a multi-keyring with a generator', both, [both, added, pkcs1], 2],
    ['a multi-keyring without one', childrenAlone, [added, pkcs1, malleableKeyring()], 3],
    ['multi-keyrings in one another', nested, [nested, added, pkcs1, malleableKeyring()], 4],
    ["a caller's own", malleableKeyring(), [malleableKeyring()], 1],
    ["a caller's own around ours", spied(added), [added], 1],
  ] as const)('may be %s', async (_, add, readers, count) => {
    const { ciphertext, sidecar, plaintext } = await withSidecar({ add, encryptionContext: { a: 'b' } });
    for (const keyring of readers) {
      expect((await decrypt(ciphertext, { keyring, sidecar })).plaintext).toEqual(plaintext);
    }
    const merged = await addWrappingKeys(ciphertext, { keyring: first, sidecar, add: stranger });
    expect(merged.encryptedDataKeys).toHaveLength(count + 1);
  });

  const answers = (change: (materials: Parameters<Keyring['onEncrypt']>[0]) => unknown): Keyring => ({
    ...malleableKeyring(),
    onEncrypt: async (materials) => change(materials) as never,
  });
  const edk = { providerId: 'x', providerInfo: bytes(1), ciphertext: bytes(1) };

  it.each([
    ['adds nothing', answers((materials) => materials), 'added nothing'],
    [
      'changes the data key',
      answers((m) => ({ ...m, plaintextDataKey: bytes(32, 77), encryptedDataKeys: [edk] })),
      'keep the data key',
    ],
    [
      'drops the data key',
      answers(({ plaintextDataKey: _, ...m }) => ({ ...m, encryptedDataKeys: [edk] })),
      'keep the data key',
    ],
    ['answers nothing', answers(() => undefined), 'keep the data key'],
    ['answers no list', answers((m) => ({ ...m, encryptedDataKeys: 'x' })), 'encrypted data keys'],
    [
      'answers entries that are none',
      answers((m) => ({ ...m, encryptedDataKeys: [{ ...edk, ciphertext: 'x' }] })),
      'ciphertext',
    ],
    ['is none', {} as Keyring, 'a keyring'],
    ['is missing', undefined as unknown as Keyring, 'a keyring'],
  ])('is refused when it %s', async (_, add, text) => {
    const { ciphertext } = await encrypt(bytes(10), { keyring: first });
    const error = await failure(addWrappingKeys(ciphertext, { keyring: first, add }));
    expect(error.code).toBe('INVALID_ARGUMENT');
    expect(error.message).toMatch(/^"add"/);
    expect(error.message).toContain(text);
  });

  it('may not wrap an entry that is too long', async () => {
    const { ciphertext } = await encrypt(bytes(10), { keyring: first });
    const long = answers((m) => ({ ...m, encryptedDataKeys: [{ ...edk, ciphertext: bytes(65_536) }] }));
    expect(await failureCode(addWrappingKeys(ciphertext, { keyring: first, add: long }))).toBe(
      'LIMIT_EXCEEDED',
    );
    const longest = answers((m) => ({ ...m, encryptedDataKeys: [{ ...edk, ciphertext: bytes(65_535) }] }));
    const { sidecar } = await addWrappingKeys(ciphertext, { keyring: first, add: longest });
    expect((await decrypt(ciphertext, { keyring: first, sidecar })).plaintext).toEqual(bytes(10));
  });

  it('throws what it throws', async () => {
    const { ciphertext } = await encrypt(bytes(10), { keyring: first });
    const wrong = new Error('no such key');
    const add: Keyring = { ...malleableKeyring(), onEncrypt: () => Promise.reject(wrong) };
    await expect(addWrappingKeys(ciphertext, { keyring: first, add })).rejects.toBe(wrong);
  });

  it('is lent a copy of the data key, which it may spoil', async () => {
    const spoils: Keyring = {
      ...malleableKeyring(),
      onEncrypt: async (materials, options) => {
        const answer = await malleableKeyring().onEncrypt(materials, options);
        materials.plaintextDataKey!.fill(0);
        return { ...answer, plaintextDataKey: materials.plaintextDataKey! };
      },
    };
    const add = multiKeyring({ children: [spoils, added] });
    const { ciphertext, sidecar, plaintext } = await withSidecar({ add });
    for (const keyring of [malleableKeyring(), added, first]) {
      expect((await decrypt(ciphertext, { keyring, sidecar })).plaintext).toEqual(plaintext);
    }
  });
});

describe('nothing is wrapped before the header is authentic', () => {
  const add = spied(added);
  const refused = async (ciphertext: Uint8Array, options: DecryptOptions) => {
    const code = await failureCode(addWrappingKeys(ciphertext, { ...options, add }));
    expect(add.wraps.count).toBe(0);
    return code;
  };

  it('under a policy that does not read the suite', async () => {
    const commitmentPolicy = 'FORBID_ENCRYPT_ALLOW_DECRYPT';
    const { ciphertext } = await encrypt(bytes(10), { keyring: first, commitmentPolicy });
    const keyring = spied(first);
    expect(await refused(ciphertext, { keyring })).toBe('COMMITMENT_POLICY');
    expect(keyring.requests).toEqual([]);
    await addWrappingKeys(ciphertext, {
      keyring,
      add: added,
      commitmentPolicy: 'REQUIRE_ENCRYPT_ALLOW_DECRYPT',
    });
  });

  it('with another context, tag or commitment', async () => {
    const { ciphertext, header } = await encrypt(bytes(10), {
      keyring: first,
      encryptionContext: { a: 'b' },
    });
    const options = { keyring: first };
    expect(await refused(ciphertext, { ...options, encryptionContext: { a: 'c' } })).toBe('CONTEXT_MISMATCH');
    expect(await refused(ciphertext, { ...options, encryptionContext: { c: 'd' } })).toBe('CONTEXT_MISMATCH');
    for (const back of [1, 17, 40]) {
      const altered = ciphertext.slice();
      altered[header.headerLength - back]! ^= 1;
      expect(await refused(altered, options)).toBe('AUTHENTICATION_FAILED');
    }
  });

  it('without a key of the message, or of what is none', async () => {
    const { ciphertext } = await encrypt(bytes(10), { keyring: first });
    expect(await refused(ciphertext, { keyring: stranger })).toBe('NO_DATA_KEY');
    expect(await refused(bytes(200), { keyring: first })).toBe('INVALID_MESSAGE');
    const text = new TextEncoder().encode(Buffer.from(ciphertext).toString('base64'));
    expect(await refused(text, { keyring: first })).toBe('BASE64_MESSAGE');
    expect(await refused('text' as unknown as Uint8Array, { keyring: first })).toBe('INVALID_ARGUMENT');
    expect(await refused(ciphertext, { keyring: first, adds: added } as never)).toBe('INVALID_ARGUMENT');
  });
});

it('takes views and answers bytes of their own', async () => {
  const { ciphertext, sidecar } = await withSidecar();
  const view = (inner: Uint8Array) => {
    const outer = new Uint8Array(inner.length + 9).fill(0xee);
    outer.set(inner, 4);
    return outer.subarray(4, 4 + inner.length);
  };
  const given = { message: view(ciphertext), sidecar: view(sidecar) };
  const answer = await addWrappingKeys(given.message, {
    keyring: first,
    sidecar: given.sidecar,
    add: stranger,
  });
  const opened = await decrypt(ciphertext, { keyring: added, sidecar: given.sidecar });
  const expected = structuredClone(answer);
  for (const part of Object.values(given)) new Uint8Array(part.buffer).fill(0);
  expect(structuredClone(answer)).toEqual(expected);
  expect(opened.plaintext).toEqual(bytes(100));
  const { header, encryptedDataKeys } = answer;
  const entries = [...header.encryptedDataKeys, ...encryptedDataKeys];
  for (const part of [answer.sidecar, header.messageId, ...entries.flatMap(bytesOf)]) {
    expect(part.buffer.byteLength).toBe(part.length);
  }
  const keyring = stranger;
  expect((await decrypt(ciphertext, { keyring, sidecar: answer.sidecar })).plaintext).toEqual(bytes(100));
});

function bytesOf({ providerInfo, ciphertext }: { providerInfo: Bytes; ciphertext: Bytes }): Bytes[] {
  return [providerInfo, ciphertext];
}
