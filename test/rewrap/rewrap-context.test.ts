/**
 * The encryption context of a rewrapped message: stored pairs stay stored, required ones stay required and unstored.
 */
import { describe, expect, it } from 'vitest';
import {
  type CryptographicMaterialsManager,
  cachingCmm,
  decrypt,
  defaultCmm,
  encrypt,
  type Keyring,
  type RewrapOptions,
  rawRsaKeyring,
  requiredEncryptionContextCmm,
} from '../../src/index.ts';
import { aesKeyring, bytes, failureCode, policyFor, rsaPem, SUITE_ROWS } from '../support/messages.ts';
import { WAYS } from '../support/rewrap.ts';

const from = aesKeyring(1);
const to = aesKeyring(2);
const PLAINTEXT = bytes(100);
const SECRET = { secret: 'b', ключ: '値' };
const CONTEXT = { tenant: 'a', ...SECRET };

/** A caller's own manager: writes messages with pairs that are authenticated and not stored. */
function requiring(keyring: Keyring): CryptographicMaterialsManager {
  const inner = defaultCmm({ keyring });
  const requiredEncryptionContextKeys = Object.keys(SECRET);
  return {
    ...inner,
    getEncryptionMaterials: (request) =>
      inner.getEncryptionMaterials({ ...request, requiredEncryptionContextKeys }),
  };
}

const MODES: readonly Partial<RewrapOptions>[] = [{}, { freshDataKey: true }, { keepExisting: true }];

describe.each(SUITE_ROWS)('required pairs, suite %s', (_, suite) => {
  const commitmentPolicy = policyFor(suite);
  const keeps = suite.signature === undefined && suite.kdf !== undefined;
  const modes = MODES.filter(({ keepExisting }) => keeps || !keepExisting);
  const written = async () => {
    const how = { commitmentPolicy, algorithmSuite: suite.id, encryptionContext: CONTEXT };
    return (await encrypt(PLAINTEXT, { cmm: requiring(from), ...how })).ciphertext;
  };

  it.each(WAYS)('%s: stay required and unstored', async (_, run) => {
    const old = await written();
    for (const wishes of modes) {
      const options = { keyring: from, to, commitmentPolicy, ...wishes };
      const result = await run(old, { ...options, encryptionContext: SECRET });
      expect(result.dataKey).toBe(keeps && !wishes.freshDataKey ? 'kept' : 'new');
      const { 'aws-crypto-public-key': _, ...stored } = result.header.encryptionContext;
      expect(stored).toEqual({ tenant: 'a' });
      for (const keyring of wishes.keepExisting ? [from, to] : [to]) {
        const read = (encryptionContext: Record<string, string>) =>
          decrypt(result.ciphertext, { keyring, commitmentPolicy, encryptionContext });
        const opened = await read(SECRET);
        expect(opened.plaintext).toEqual(PLAINTEXT);
        expect({ ...opened.authenticatedContext }).toMatchObject(CONTEXT);
        expect((await read(CONTEXT)).plaintext).toEqual(PLAINTEXT);
        expect(await failureCode(read({}))).toBe('NO_DATA_KEY');
        expect(await failureCode(read({ tenant: 'a' }))).toBe('NO_DATA_KEY');
        for (const wrong of [{ secret: 'b' }, { ...SECRET, secret: 'c' }, { ...SECRET, more: 'd' }])
          expect(await failureCode(read(wrong as Record<string, string>))).toBe('CONTEXT_MISMATCH');
      }
    }
  });

  it.each(WAYS)('%s: are needed to rewrap', async (_, run) => {
    const old = await written();
    const options = { keyring: from, to, commitmentPolicy };
    expect(await failureCode(run(old, options))).toBe('NO_DATA_KEY');
    for (const wrong of [{ secret: 'b' }, { ...SECRET, secret: 'c' }, { ...SECRET, tenant: 'b' }]) {
      const work = run(old, { ...options, encryptionContext: wrong as Record<string, string> });
      expect(await failureCode(work)).toBe('CONTEXT_MISMATCH');
    }
  });

  it.each(WAYS)('%s: are authenticated by the header itself, where keys bind no context', async (_, run) => {
    const rsa = rawRsaKeyring({ keyNamespace: 'rsa', keyName: 'k', padding: 'oaep-sha256', ...PEM });
    for (const freshDataKey of [undefined, true]) {
      const options = { keyring: from, to: rsa, commitmentPolicy, freshDataKey };
      const { ciphertext } = await run(await written(), { ...options, encryptionContext: SECRET });
      const read = { keyring: rsa, commitmentPolicy };
      expect(await failureCode(decrypt(ciphertext, read))).toBe('AUTHENTICATION_FAILED');
      const opened = await decrypt(ciphertext, { ...read, encryptionContext: SECRET });
      expect(opened.plaintext).toEqual(PLAINTEXT);
    }
  });
});

const PEM = rsaPem();

describe('managers of this library', () => {
  const requiredKeys = Object.keys(SECRET);

  it.each(WAYS)('%s: required pairs written by one, and read through it', async (_, run) => {
    const cmm = requiredEncryptionContextCmm({ keyring: from, requiredKeys });
    for (const algorithmSuite of [0x0478, 0x0578]) {
      const { ciphertext } = await encrypt(PLAINTEXT, { cmm, algorithmSuite, encryptionContext: CONTEXT });
      for (const reader of [{ keyring: from }, { cmm }]) {
        for (const freshDataKey of [undefined, true]) {
          const result = await run(ciphertext, { ...reader, to, freshDataKey, encryptionContext: SECRET });
          const { 'aws-crypto-public-key': _, ...stored } = result.header.encryptionContext;
          expect(stored).toEqual({ tenant: 'a' });
          const read = { keyring: to, encryptionContext: SECRET };
          expect((await decrypt(result.ciphertext, read)).plaintext).toEqual(PLAINTEXT);
          expect(await failureCode(decrypt(result.ciphertext, { keyring: to }))).toBe('NO_DATA_KEY');
        }
      }
      expect(await failureCode(run(ciphertext, { cmm, to }))).toBe('CONTEXT_MISMATCH');
    }
  });

  it.each(WAYS)(
    '%s: one that caches keeps its data key, however often it is read through',
    async (_, run) => {
      const cmm = cachingCmm({ keyring: from, maxAgeSeconds: 60 });
      const written = await Promise.all(
        [1, 2, 3].map(() => encrypt(PLAINTEXT, { cmm, algorithmSuite: 0x0478, encryptionContext: CONTEXT })),
      );
      for (const { ciphertext } of [...written, ...written]) {
        for (const freshDataKey of [undefined, true]) {
          const result = await run(ciphertext, { cmm, to, freshDataKey });
          expect((await decrypt(result.ciphertext, { keyring: to })).plaintext).toEqual(PLAINTEXT);
        }
      }
      for (const { ciphertext } of written)
        expect((await decrypt(ciphertext, { cmm })).plaintext).toEqual(PLAINTEXT);
    },
  );
});

describe('stored pairs', () => {
  it.each(WAYS)('%s: stay stored, also those that the caller requires', async (_, run) => {
    for (const algorithmSuite of [0x0478, 0x0578]) {
      const written = { keyring: from, algorithmSuite, encryptionContext: CONTEXT };
      const { ciphertext } = await encrypt(PLAINTEXT, written);
      const result = await run(ciphertext, { keyring: from, to, encryptionContext: SECRET });
      expect({ ...result.header.encryptionContext }).toMatchObject(CONTEXT);
      expect((await decrypt(result.ciphertext, { keyring: to })).plaintext).toEqual(PLAINTEXT);
      const wrong = { keyring: from, to, encryptionContext: { tenant: 'b' } };
      expect(await failureCode(run(ciphertext, wrong))).toBe('CONTEXT_MISMATCH');
    }
  });

  it.each(WAYS)('%s: whatever their names, and as many as there may be', async (_, run) => {
    const odd = new Map([
      ['__proto__', 'p'],
      ['constructor', ''],
      ['', 'empty'],
      ['\u{10000}', 'astral'],
      ['\uffff', 'the last of its plane'],
    ]);
    const many = new Map(Array.from({ length: 3000 }, (_, i) => [`key ${i}`, `value ${i}`] as const));
    for (const encryptionContext of [odd, many, new Map<string, string>()]) {
      const { ciphertext } = await encrypt(PLAINTEXT, {
        keyring: from,
        algorithmSuite: 0x0478,
        encryptionContext,
      });
      for (const freshDataKey of [undefined, true]) {
        const result = await run(ciphertext, { keyring: from, to, freshDataKey });
        const opened = await decrypt(result.ciphertext, { keyring: to, encryptionContext });
        expect(new Map(Object.entries(opened.header.encryptionContext))).toEqual(
          new Map([...encryptionContext]),
        );
      }
    }
  });

  it.each(WAYS)('%s: fail a signed message that has no room for its verification key', async (_, run) => {
    const encryptionContext = { long: 'x'.repeat(65_000) };
    const how = { keyring: from, algorithmSuite: 0x0478, encryptionContext };
    const { ciphertext } = await encrypt(PLAINTEXT, how);
    const full = { long: `${encryptionContext.long}${'x'.repeat(65_535 - 65_000 - 2 - 4 - 4)}` };
    const longest = await encrypt(PLAINTEXT, { ...how, encryptionContext: full });
    const options = { keyring: from, to, algorithmSuite: 0x0578 };
    expect((await run(ciphertext, options)).header.suiteId).toBe(0x0578);
    expect(await failureCode(run(longest.ciphertext, options))).toBe('LIMIT_EXCEEDED');
    expect((await run(longest.ciphertext, { keyring: from, to })).dataKey).toBe('kept');
  });
});
