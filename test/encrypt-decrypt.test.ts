import { describe, expect, it } from 'vitest';
import { decrypt, encrypt, parseHeader } from '../src/index.ts';
import { aesKeyring, bytes, failure, failureCode, policyFor, SUITE_ROWS } from './support/messages.ts';

const keyring = aesKeyring();

describe('round trip', () => {
  it.each(SUITE_ROWS)('%s at every length around a frame, with a context', async (_, suite) => {
    const commitmentPolicy = policyFor(suite);
    const encryptionContext = {
      purpose: 'test',
      empty: '',
      ключ: '値',
      '\u{1F600}': 'astral',
      '\uFFFD': 'bmp',
    };
    for (const length of [0, 1, 15, 16, 17, 31, 32, 33, 100]) {
      const plaintext = bytes(length);
      const options = { keyring, commitmentPolicy, encryptionContext };
      const sealed = await encrypt(plaintext, { ...options, algorithmSuite: suite.name, frameLength: 16 });
      const opened = await decrypt(sealed.ciphertext, options);
      expect(opened.plaintext).toEqual(plaintext);
      expect({ ...opened.authenticatedContext }).toMatchObject(encryptionContext);
      expect(opened.header).toEqual(sealed.header);
      expect(parseHeader(sealed.ciphertext)).toEqual(sealed.header);
      expect(sealed.header.suiteId).toBe(suite.id);
      expect(sealed.missingKeys).toEqual([]);
    }
  });

  it('uses the default suites, frame length and policy of the specification and the SDKs', async () => {
    const { header } = await encrypt(bytes(10), { keyring });
    expect(header).toMatchObject({ version: 2, suiteId: 0x0578, frameLength: 4096, contentType: 'framed' });
    const forbid = await encrypt(bytes(10), { keyring, commitmentPolicy: 'FORBID_ENCRYPT_ALLOW_DECRYPT' });
    expect(forbid.header).toMatchObject({ version: 1, suiteId: 0x0378 });
  });

  it('takes a plaintext and a ciphertext that are views into larger buffers', async () => {
    const larger = bytes(10_000);
    const view = larger.subarray(333, 9000);
    const { ciphertext } = await encrypt(view, { keyring, frameLength: 256 });
    const around = new Uint8Array(ciphertext.length + 77);
    around.set(ciphertext, 50);
    const { plaintext } = await decrypt(around.subarray(50, 50 + ciphertext.length), { keyring });
    expect(plaintext).toEqual(larger.slice(333, 9000));
    expect(plaintext.buffer.byteLength).toBe(plaintext.length);
  });

  it('takes the context as a Map and gives it back without a prototype', async () => {
    const encryptionContext = new Map([
      ['__proto__', 'polluted'],
      ['a', 'b'],
    ]);
    const { ciphertext, header } = await encrypt(bytes(3), { keyring, encryptionContext });
    expect(Object.getPrototypeOf(header.encryptionContext)).toBe(null);
    const opened = await decrypt(ciphertext, { keyring, encryptionContext });
    expect(Object.entries(opened.authenticatedContext)).toContainEqual(['__proto__', 'polluted']);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  it('writes each message under its own message id, commit key and data key', async () => {
    const [a, b] = await Promise.all(
      [1, 2].map(() => encrypt(bytes(5), { keyring, algorithmSuite: 0x0478 })),
    );
    expect(a!.header.messageId).not.toEqual(b!.header.messageId);
    expect(a!.ciphertext).not.toEqual(b!.ciphertext);
  });

  it('tells progress and stops between batches when aborted', async () => {
    const plaintext = bytes(3 * 2 ** 20);
    const seen: number[] = [];
    const onProgress = ({ bytes: done, total }: { bytes: number; total?: number }) => {
      expect(total).toBe(plaintext.length);
      seen.push(done);
    };
    await encrypt(plaintext, { keyring, onProgress });
    expect(seen.length).toBeGreaterThan(1);
    expect(seen.at(-1)).toBe(plaintext.length);
    const controller = new AbortController();
    const stopped = encrypt(plaintext, {
      keyring,
      signal: controller.signal,
      onProgress: () => controller.abort('enough'),
    });
    const error = await failure(stopped);
    expect([error.code, error.cause]).toEqual(['ABORTED', 'enough']);
  });
});

describe('arguments', () => {
  it.each([
    ['no keyring', {}],
    ['keyring and cmm', { keyring, cmm: {} }],
    ['an unknown suite', { keyring, algorithmSuite: 0x0099 }],
    ['an unknown suite name', { keyring, algorithmSuite: 'AES' }],
    ['frame length 0', { keyring, frameLength: 0 }],
    ['frame length 2^31', { keyring, frameLength: 2 ** 31, maxFrameLength: 2 ** 32 - 1 }],
    ['a fraction', { keyring, frameLength: 1.5 }],
    ['an unknown policy', { keyring, commitmentPolicy: 'ALLOW' }],
    ['maxEncryptedDataKeys 0', { keyring, maxEncryptedDataKeys: 0 }],
    ['a context that is text', { keyring, encryptionContext: 'a=b' }],
    ['a context value that is a number', { keyring, encryptionContext: { a: 1 } }],
    ['an engine that is none', { keyring, engine: 'fast' }],
  ])('refuses %s', async (_, options) => {
    expect(await failureCode(encrypt(bytes(1), options as never))).toBe('INVALID_ARGUMENT');
  });

  it('names the argument, what was expected and what came', async () => {
    const error = await failure(encrypt(bytes(1), { keyring, frameLength: 0 }));
    expect(error.message).toBe('"frameLength" expected 1..2147483647, got 0');
    const text = await failure(encrypt('secret plaintext' as never, { keyring }));
    expect(text.code).toBe('INVALID_ARGUMENT');
  });

  it.each(['auto', 'native', 'wasm', 'hybrid'] as const)(
    'engine %s writes what every engine reads',
    async (engine) => {
      for (const frameLength of [16, 300, 4096]) {
        const { ciphertext, header } = await encrypt(bytes(10_000), { keyring, engine, frameLength });
        for (const reader of ['auto', 'native', 'wasm', 'hybrid'] as const) {
          expect((await decrypt(ciphertext, { keyring, engine: reader })).plaintext).toEqual(bytes(10_000));
          const altered = ciphertext.slice();
          altered[header.headerLength + 20]! ^= 1;
          expect(await failureCode(decrypt(altered, { keyring, engine: reader }))).toBe(
            'AUTHENTICATION_FAILED',
          );
        }
      }
    },
  );

  it.each(['auto', 'native', 'wasm', 'hybrid'] as const)(
    'engine %s: a plaintext that is a view encrypts the right bytes',
    async (engine) => {
      const larger = bytes(40_000);
      const view = larger.subarray(333, 30_333);
      const { ciphertext } = await encrypt(view, { keyring, engine, frameLength: 1000 });
      const around = new Uint8Array(ciphertext.length + 77);
      around.set(ciphertext, 50);
      const opened = await decrypt(around.subarray(50, 50 + ciphertext.length), { keyring, engine });
      expect(opened.plaintext).toEqual(larger.slice(333, 30_333));
    },
  );

  it('keeps to plaintextLength, frameLength and maxFrameLength', async () => {
    expect(await failureCode(encrypt(bytes(11), { keyring, plaintextLength: 10 }))).toBe('LIMIT_EXCEEDED');
    await encrypt(bytes(10), { keyring, plaintextLength: 10 });
    expect(await failureCode(encrypt(bytes(1), { keyring, frameLength: 2 ** 26 + 1 }))).toBe(
      'LIMIT_EXCEEDED',
    );
    const large = { keyring, frameLength: 2 ** 26 + 1, maxFrameLength: 2 ** 27 };
    const { ciphertext } = await encrypt(bytes(1), large);
    expect(await failureCode(decrypt(ciphertext, { keyring }))).toBe('LIMIT_EXCEEDED');
    expect((await decrypt(ciphertext, { keyring, maxFrameLength: 2 ** 27 })).plaintext).toEqual(bytes(1));
  });

  it('refuses a context that does not fit the header', async () => {
    const encryptionContext = { a: 'x'.repeat(65_536) };
    expect(await failureCode(encrypt(bytes(1), { keyring, encryptionContext }))).toBe('LIMIT_EXCEEDED');
  });
});

describe('commitment policy', () => {
  it.each(SUITE_ROWS)('%s is written and read as the policy says', async (_, suite) => {
    const write = (commitmentPolicy: never) =>
      encrypt(bytes(1), { keyring, algorithmSuite: suite.id, commitmentPolicy });
    const { ciphertext } = await write(policyFor(suite) as never);
    for (const policy of [
      'REQUIRE_ENCRYPT_REQUIRE_DECRYPT',
      'REQUIRE_ENCRYPT_ALLOW_DECRYPT',
      'FORBID_ENCRYPT_ALLOW_DECRYPT',
    ]) {
      const commitmentPolicy = policy as never;
      const mayWrite = suite.committing === policy.startsWith('REQUIRE_ENCRYPT');
      const mayRead = suite.committing || policy.endsWith('ALLOW_DECRYPT');
      if (mayWrite) await write(commitmentPolicy);
      else expect(await failureCode(write(commitmentPolicy))).toBe('COMMITMENT_POLICY');
      if (mayRead) await decrypt(ciphertext, { keyring, commitmentPolicy });
      else
        expect(await failureCode(decrypt(ciphertext, { keyring, commitmentPolicy }))).toBe(
          'COMMITMENT_POLICY',
        );
    }
  });

  it('is checked before the materials manager is asked', async () => {
    let asked = 0;
    const cmm = {
      getEncryptionMaterials: () => Promise.reject(new Error(`asked ${++asked}`)),
      decryptMaterials: () => Promise.reject(new Error(`asked ${++asked}`)),
    };
    expect(await failureCode(encrypt(bytes(1), { cmm, algorithmSuite: 0x0178 }))).toBe('COMMITMENT_POLICY');
    const old = await encrypt(bytes(1), { keyring, commitmentPolicy: 'FORBID_ENCRYPT_ALLOW_DECRYPT' });
    expect(await failureCode(decrypt(old.ciphertext, { cmm }))).toBe('COMMITMENT_POLICY');
    expect(asked).toBe(0);
  });
});

describe('the context that the caller requires', () => {
  const encryptionContext = { tenant: 'a', purpose: 'x' };

  it('must be carried with equal values', async () => {
    const { ciphertext } = await encrypt(bytes(4), { keyring, encryptionContext });
    await decrypt(ciphertext, { keyring, encryptionContext: { tenant: 'a' } });
    expect(await failureCode(decrypt(ciphertext, { keyring, encryptionContext: { tenant: 'b' } }))).toBe(
      'CONTEXT_MISMATCH',
    );
  });

  it('fails as a mismatch when the message does not have the pair at all', async () => {
    const { ciphertext } = await encrypt(bytes(4), { keyring, encryptionContext });
    const error = await failure(decrypt(ciphertext, { keyring, encryptionContext: { owner: 'me' } }));
    expect(error.code).toBe('CONTEXT_MISMATCH');
    expect(error.message).toContain('"owner"');
    expect(error.attempts).toHaveLength(1);
  });
});

describe('sizes', () => {
  it.each(SUITE_ROWS)('%s has exact sizes, signatures included', async (_, suite) => {
    const lengths = new Set<number>();
    for (let i = 0; i < 8; i++) {
      const options = {
        keyring,
        algorithmSuite: suite.id,
        commitmentPolicy: policyFor(suite),
        frameLength: 64,
      };
      const { ciphertext, header } = await encrypt(bytes(100), options);
      const signature = suite.signature ? 2 + suite.signature.signatureLength : 0;
      expect(ciphertext.length).toBe(header.headerLength + 100 + 32 + 40 + signature);
      lengths.add(ciphertext.length);
    }
    expect(lengths.size).toBe(1);
  });
});
