/**
 * The required encryption context manager: pairs that must be there, are authenticated, and are stored nowhere.
 */
import { describe, expect, it } from 'vitest';
import {
  type CryptographicMaterialsManager,
  cachingCmm,
  decrypt,
  decryptRange,
  decryptStream,
  defaultCmm,
  type EncryptionMaterials,
  encrypt,
  encryptStream,
  parseHeader,
  rawRsaKeyring,
  requiredEncryptionContextCmm,
} from '../../src/index.ts';
import { markOurs } from '../../src/materials/data-key.ts';
import { UNSIGNED, watched } from '../support/caching.ts';
import { aesKeyring, bytes, failure, failureCode, rsaPem } from '../support/messages.ts';
import { every, through } from '../support/streams.ts';

const encryptionContext = { tenant: 'a', user: 'u', purpose: 'p' };
const requiredKeys = ['tenant', 'user'];
const rsa = rawRsaKeyring({ keyNamespace: 'test', keyName: 'rsa', padding: 'oaep-sha256', ...rsaPem() });

describe.each([
  ['AES', aesKeyring()],
  ['RSA, whose wrapped keys bind no context', rsa],
])('required pairs under %s', (_, keyring) => {
  const cmm = requiredEncryptionContextCmm({ keyring, requiredKeys });

  it('are authenticated and not stored: one shot, streamed and a range', async () => {
    for (const suite of [
      UNSIGNED,
      {},
      { commitmentPolicy: 'FORBID_ENCRYPT_ALLOW_DECRYPT', algorithmSuite: 0x0178 } as const,
    ]) {
      const options = { cmm, encryptionContext, frameLength: 64, ...suite };
      const read = {
        cmm,
        encryptionContext,
        ...('commitmentPolicy' in suite && { commitmentPolicy: suite.commitmentPolicy }),
      };
      const shot = (await encrypt(bytes(300), options)).ciphertext;
      const streamed = (await through(encryptStream(options), every(50)(bytes(300)))).bytes;
      for (const message of [shot, streamed]) {
        const stored = parseHeader(message).encryptionContext;
        expect(Object.keys(stored).filter((key) => !key.startsWith('aws-crypto-'))).toEqual(['purpose']);
        expect(Buffer.from(message).includes('tenant')).toBe(false);
        const opened = await decrypt(message, read);
        expect(opened.plaintext).toEqual(bytes(300));
        expect({ ...opened.authenticatedContext }).toMatchObject(encryptionContext);
        const again = await through(decryptStream(read), every(77)(message));
        expect(again.bytes).toEqual(bytes(300));
        const range = { ...read, start: 100, end: 200, allowUnverifiedSignature: true };
        expect((await decryptRange(new Blob([message]), range)).plaintext).toEqual(
          bytes(300).slice(100, 200),
        );
        expect((await decrypt(message, { ...read, cmm: defaultCmm({ keyring }) })).plaintext).toEqual(
          bytes(300),
        );
      }
    }
  });

  it('with another value open nothing, in any way', async () => {
    const { ciphertext } = await encrypt(bytes(300), { cmm, encryptionContext, ...UNSIGNED });
    const wrong = { ...encryptionContext, user: 'v' };
    for (const reader of [cmm, defaultCmm({ keyring })]) {
      const read = { cmm: reader, encryptionContext: wrong };
      expect(await failureCode(decrypt(ciphertext, read))).toBe('CONTEXT_MISMATCH');
      expect((await through(decryptStream(read), every(77)(ciphertext))).error?.code).toBe(
        'CONTEXT_MISMATCH',
      );
      const range = decryptRange(new Blob([ciphertext]), { ...read, start: 0, end: 1 });
      expect(await failureCode(range)).toBe('CONTEXT_MISMATCH');
    }
  });

  it('are named when they are missing', async () => {
    const { user: _, ...without } = encryptionContext;
    const writing = await failure(encrypt(bytes(1), { cmm, encryptionContext: without }));
    expect([writing.code, writing.message]).toEqual(['INVALID_ARGUMENT', expect.stringContaining('"user"')]);
    const { ciphertext } = await encrypt(bytes(1), { cmm, encryptionContext });
    const reading = await failure(decrypt(ciphertext, { cmm, encryptionContext: without }));
    expect([reading.code, reading.message]).toEqual(['CONTEXT_MISMATCH', expect.stringContaining('"user"')]);
    expect(await failureCode(decrypt(ciphertext, { cmm }))).toBe('CONTEXT_MISMATCH');
  });

  it('may be stored in older messages: then their value must be the same', async () => {
    const { ciphertext } = await encrypt(bytes(1), { keyring, encryptionContext });
    expect((await decrypt(ciphertext, { cmm, encryptionContext })).plaintext).toEqual(bytes(1));
    const wrong = { ...encryptionContext, user: 'v' };
    expect(await failureCode(decrypt(ciphertext, { cmm, encryptionContext: wrong }))).toBe(
      'CONTEXT_MISMATCH',
    );
  });

  it('work around a cache and inside one', async () => {
    const around = requiredEncryptionContextCmm({
      cmm: cachingCmm({ keyring, maxAgeSeconds: 60 }),
      requiredKeys,
    });
    const inside = cachingCmm({ cmm, maxAgeSeconds: 60 });
    for (const both of [around, inside]) {
      for (let i = 0; i < 3; i++) {
        const { ciphertext } = await encrypt(bytes(9, i), { cmm: both, encryptionContext });
        expect(Object.keys(parseHeader(ciphertext).encryptionContext)).not.toContain('user');
        for (let j = 0; j < 2; j++) {
          const opened = await decrypt(ciphertext, { cmm: both, encryptionContext });
          expect(opened.plaintext).toEqual(bytes(9, i));
          const wrong = { ...encryptionContext, user: 'v' };
          expect(await failureCode(decrypt(ciphertext, { cmm: both, encryptionContext: wrong }))).toBe(
            'CONTEXT_MISMATCH',
          );
          expect(await failureCode(decrypt(ciphertext, { cmm: both }))).toBe('CONTEXT_MISMATCH');
        }
      }
    }
  });

  it('of two managers, one in the other, are required together', async () => {
    const outer = requiredEncryptionContextCmm({ cmm, requiredKeys: ['purpose', 'tenant'] });
    const { header, ciphertext } = await encrypt(bytes(1), { cmm: outer, encryptionContext, ...UNSIGNED });
    expect(Object.keys(header.encryptionContext)).toEqual([]);
    expect((await decrypt(ciphertext, { cmm: outer, encryptionContext })).plaintext).toEqual(bytes(1));
    expect(await failureCode(encrypt(bytes(1), { cmm: outer, encryptionContext: { tenant: 'a' } }))).toBe(
      'INVALID_ARGUMENT',
    );
  });
});

it('a cache in the middle keeps a required pair apart from a stored one', async () => {
  const under = watched();
  const cache = cachingCmm({ cmm: under.cmm, maxAgeSeconds: 60 });
  const cmm = requiredEncryptionContextCmm({ cmm: cache, requiredKeys });
  for (const writer of [cache, cmm, cache, cmm]) {
    const { header } = await encrypt(bytes(1), { cmm: writer, encryptionContext, ...UNSIGNED });
    expect(Object.keys(header.encryptionContext).includes('user')).toBe(writer === cache);
  }
  expect(under.encrypts).toHaveLength(2);
});

it('without keys it requires nothing', async () => {
  const cmm = requiredEncryptionContextCmm({ keyring: aesKeyring(), requiredKeys: [] });
  const { ciphertext } = await encrypt(bytes(1), { cmm, encryptionContext });
  expect((await decrypt(ciphertext, { cmm })).plaintext).toEqual(bytes(1));
});

describe('a manager below that leaves the pairs out is found out, and its data key wiped', () => {
  const inner = defaultCmm({ keyring: aesKeyring() });
  const make = (change: (materials: EncryptionMaterials) => unknown) => {
    const dataKeys: Uint8Array[] = [];
    const wrong = markOurs<CryptographicMaterialsManager>({
      async getEncryptionMaterials(request) {
        const materials = await inner.getEncryptionMaterials(request);
        dataKeys.push(materials.plaintextDataKey!);
        return change(materials) as EncryptionMaterials;
      },
      async decryptMaterials(request) {
        const materials = await inner.decryptMaterials(request);
        dataKeys.push(materials.plaintextDataKey!);
        return change(materials as never) as never;
      },
    });
    return { dataKeys, cmm: requiredEncryptionContextCmm({ cmm: wrong, requiredKeys }) };
  };

  it('on encrypt', async () => {
    for (const keys of [[], ['tenant'], undefined, 'tenant user']) {
      const { cmm, dataKeys } = make((materials) => ({ ...materials, requiredEncryptionContextKeys: keys }));
      const error = await failure(encrypt(bytes(1), { cmm, encryptionContext }));
      expect(error.code).toBe('INVALID_ARGUMENT');
      expect(error.message).toMatch(/"tenant"|"user"/);
      expect(dataKeys).toEqual([new Uint8Array(32)]);
    }
  });

  it('on decrypt', async () => {
    const writer = requiredEncryptionContextCmm({ keyring: aesKeyring(), requiredKeys });
    const { ciphertext } = await encrypt(bytes(1), { cmm: writer, encryptionContext });
    for (const context of [{}, { ...encryptionContext, user: 'v' }, undefined]) {
      const { cmm, dataKeys } = make((materials) => ({ ...materials, encryptionContext: context }));
      expect(await failureCode(decrypt(ciphertext, { cmm, encryptionContext }))).toBe('INVALID_ARGUMENT');
      expect(dataKeys).toEqual([new Uint8Array(32)]);
    }
  });
});

it.each([
  ['no list', undefined],
  ['text', 'tenant'],
  ['a number in it', [5]],
  ['half a surrogate pair', ['\ud800']],
  ['a key twice', ['a', 'b', 'a']],
  ['a key of the format', ['aws-crypto-public-key']],
  ['a key like those of the format', ['aws-crypto-']],
])('refuses %s', async (_, keys) => {
  const options = { keyring: aesKeyring(), requiredKeys: keys as string[] };
  expect(await failureCode(() => requiredEncryptionContextCmm(options))).toBe('INVALID_ARGUMENT');
});

it('takes exactly one of keyring and manager, and no other names', async () => {
  const keyring = aesKeyring();
  for (const options of [
    {},
    { keyring, cmm: defaultCmm({ keyring }) },
    { keyring: {} },
    { keyring, keys: ['a'] },
  ]) {
    const all = { requiredKeys: [], ...options } as never;
    expect(await failureCode(() => requiredEncryptionContextCmm(all))).toBe('INVALID_ARGUMENT');
  }
});
