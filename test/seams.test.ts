/**
 * Where callers' code meets ours: whatever it answers, wipes, keeps or forgets, no message is written under a key that is
 * not its own, no required pair is lost, and every error is typed.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import {
  type CryptographicMaterialsManager,
  decrypt,
  defaultCmm,
  type EncryptionMaterials,
  encrypt,
  FramesealError,
  type Keyring,
  multiKeyring,
  parseHeader,
  rawAesKeyring,
  rawRsaKeyring,
} from '../src/index.ts';
import { awsKmsKeyring, type KmsApi } from '../src/keyring/aws-kms/index.ts';
import {
  aesKeyring,
  bytes,
  failure,
  failureCode,
  policyFor,
  rsaPem,
  SUITE_ROWS,
} from './support/messages.ts';
import { frames, writeNaively } from './support/naive.ts';
import { type ResizableBuffer, resizable } from './support/streams.ts';

const ARN = 'arn:aws:kms:us-east-1:000000000000:key/11111111-1111-1111-1111-111111111111';
const ZERO = new Uint8Array(32);
const KEEPS = expect.stringContaining('keep its length');
const keyring = aesKeyring();
const inner = defaultCmm({ keyring });
const FAST = { algorithmSuite: 0x0478 } as const;

// Opens a message under this data key, if it is its own.
const opensUnder = async (ciphertext: Uint8Array, dataKey: Uint8Array) => {
  const reader: Keyring = {
    onEncrypt: async (materials) => materials,
    onDecrypt: async (materials) => ({ ...materials, plaintextDataKey: dataKey }),
  };
  return decrypt(ciphertext, { keyring: reader }).then(
    () => true,
    () => false,
  );
};

describe('nobody encrypts under a wiped key', () => {
  it('a KmsApi may wipe what it was given', async () => {
    const api: KmsApi = {
      generateDataKey: async ({ KeyId }) => ({ KeyId, Plaintext: bytes(32), CiphertextBlob: bytes(9) }),
      encrypt: async ({ KeyId, Plaintext }) => {
        Plaintext.fill(0);
        return { KeyId, CiphertextBlob: bytes(9) };
      },
      decrypt: async () => ({}),
    };
    const kms = awsKmsKeyring({ generatorKeyId: ARN, keyIds: [ARN, ARN], clientSupplier: () => api });
    const { ciphertext } = await encrypt(bytes(3), { ...FAST, keyring: kms });
    expect(await opensUnder(ciphertext, ZERO)).toBe(false);
    expect(await opensUnder(ciphertext, bytes(32))).toBe(true);
  });

  it("a caller's child keyring may wipe what it was given", async () => {
    const wiping: Keyring = {
      onEncrypt: async (materials) => {
        materials.plaintextDataKey!.fill(0);
        const edk = { providerId: 'w', providerInfo: bytes(1), ciphertext: bytes(1) };
        return { ...materials, encryptedDataKeys: [...materials.encryptedDataKeys, edk] };
      },
      onDecrypt: async (materials) => materials,
    };
    const multi = multiKeyring({ generator: keyring, children: [wiping, aesKeyring(2)] });
    const { ciphertext, header } = await encrypt(bytes(3), { ...FAST, keyring: multi });
    expect(header.encryptedDataKeys).toHaveLength(3);
    expect(await opensUnder(ciphertext, ZERO)).toBe(false);
    for (const one of [keyring, aesKeyring(2)])
      expect((await decrypt(ciphertext, { keyring: one })).plaintext).toEqual(bytes(3));
  });

  it.each([
    ['text', 'k'.repeat(32)],
    ['a number', 32],
    ['an object with a length', { length: 32 }],
    ['an ArrayBuffer', new ArrayBuffer(32)],
    ['an array', new Array(32).fill(1)],
    ['other words', new Uint32Array(32)],
  ])('%s is no data key', async (_, plaintextDataKey) => {
    const answering: CryptographicMaterialsManager = {
      getEncryptionMaterials: async (request) =>
        ({ ...(await inner.getEncryptionMaterials(request)), plaintextDataKey }) as never,
      decryptMaterials: async (request) =>
        ({ ...(await inner.decryptMaterials(request)), plaintextDataKey }) as never,
    };
    const odd: Keyring = {
      onEncrypt: async (materials) =>
        ({ ...(await keyring.onEncrypt(materials, {})), plaintextDataKey }) as never,
      onDecrypt: async (materials) => ({ ...materials, plaintextDataKey }) as never,
    };
    const { ciphertext } = await encrypt(bytes(3), { keyring });
    for (const options of [
      { cmm: answering },
      { keyring: odd },
      { keyring: multiKeyring({ generator: odd }) },
    ]) {
      expect(await failureCode(encrypt(bytes(3), options))).toBe('INVALID_ARGUMENT');
      expect(['INVALID_ARGUMENT', 'NO_DATA_KEY']).toContain(await failureCode(decrypt(ciphertext, options)));
    }
  });

  it('our keyrings and managers cannot be patched into handing out the same key twice', () => {
    for (const ours of [
      keyring,
      multiKeyring({ children: [keyring] }),
      inner,
      rawRsaKeyring({ keyNamespace: 'r', keyName: 'r', padding: 'oaep-sha1', ...rsaPem() }),
    ]) {
      expect(Object.isFrozen(ours)).toBe(true);
    }
  });
});

describe('data keys are wiped', () => {
  it("a caller's manager keeps its materials", async () => {
    const seen: Uint8Array[] = [];
    const spy: CryptographicMaterialsManager = {
      ...inner,
      getEncryptionMaterials: async (request) => {
        const materials = await inner.getEncryptionMaterials(request);
        seen.push(materials.plaintextDataKey!);
        return materials;
      },
    };
    await encrypt(bytes(1), { cmm: spy });
    expect(seen[0]!.some((byte) => byte !== 0)).toBe(true);
  });

  it('also when a later member of a multi-keyring fails', async () => {
    let lent: Uint8Array | undefined;
    const api: KmsApi = {
      generateDataKey: async ({ KeyId }) => ({ KeyId, Plaintext: bytes(32), CiphertextBlob: bytes(9) }),
      encrypt: async () => ({}),
      decrypt: async () => ({}),
    };
    const failing: Keyring = {
      onEncrypt: (materials) => {
        lent = materials.plaintextDataKey as Uint8Array;
        return Promise.reject(new Error('no'));
      },
      onDecrypt: async (materials) => materials,
    };
    const kms = awsKmsKeyring({ generatorKeyId: ARN, clientSupplier: () => api });
    await expect(
      encrypt(bytes(1), { keyring: multiKeyring({ generator: kms, children: [failing] }) }),
    ).rejects.toThrow('no');
    expect(lent).toEqual(ZERO);
  });
});

describe('the context cannot be lost', () => {
  const tenant = { tenant: 'acme' };

  it.each([
    ['a promise', Promise.resolve(tenant)],
    ['URLSearchParams', new URLSearchParams(tenant)],
    ['Headers', new Headers(tenant)],
    ['a Set', new Set(['tenant'])],
    ['a Date', new Date()],
    ['an array', [['tenant', 'acme']]],
    ['bytes', bytes(3)],
    [
      'an instance of a class',
      new (class {
        tenant = 'acme';
      })(),
    ],
    ['a function', () => tenant],
    ['null', null],
    ['an object that inherits its pairs', Object.create(Object.assign(Object.create(null), tenant))],
    ['pairs under symbols', { [Symbol('tenant')]: 'acme' }],
    ['Object.prototype', Object.prototype],
  ])('%s is no context', async (_, encryptionContext) => {
    const { ciphertext } = await encrypt(bytes(1), { keyring, encryptionContext: { tenant: 'evil' } });
    for (const work of [
      encrypt(bytes(1), { keyring, encryptionContext: encryptionContext as never }),
      decrypt(ciphertext, { keyring, encryptionContext: encryptionContext as never }),
    ]) {
      expect(await failureCode(work)).toBe('INVALID_ARGUMENT');
    }
  });

  it('a Map and an object of another realm are contexts', async () => {
    const { runInNewContext } = await import('node:vm');
    for (const source of [
      "new Map([['tenant', 'acme']])",
      "({ tenant: 'acme' })",
      'Object.assign(Object.create(null), { tenant: "acme" })',
    ]) {
      const { header } = await encrypt(bytes(1), {
        ...FAST,
        keyring,
        encryptionContext: runInNewContext(source),
      });
      expect({ ...header.encryptionContext }).toEqual(tenant);
    }
  });

  it('a misspelt option is no message without a context', async () => {
    expect(await failureCode(encrypt(bytes(1), { keyring, encryptionContxt: tenant } as never))).toBe(
      'INVALID_ARGUMENT',
    );
    expect(await failureCode(decrypt(bytes(1), { keyring, encryptionContxt: tenant } as never))).toBe(
      'INVALID_ARGUMENT',
    );
    expect(await failureCode(decrypt(bytes(1), { keyring, sidecr: bytes(9) } as never))).toBe(
      'INVALID_ARGUMENT',
    );
  });

  it('a manager that forgets what the caller requires is found out', async () => {
    const { ciphertext } = await encrypt(bytes(1), { keyring, encryptionContext: { tenant: 'evil' } });
    const forgetful: CryptographicMaterialsManager = {
      ...inner,
      decryptMaterials: ({ reproducedEncryptionContext: _, ...request }) => inner.decryptMaterials(request),
    };
    expect(await failureCode(decrypt(ciphertext, { cmm: forgetful, encryptionContext: tenant }))).toBe(
      'CONTEXT_MISMATCH',
    );
    expect(
      await failureCode(decrypt(ciphertext, { cmm: forgetful, encryptionContext: { owner: 'me' } })),
    ).toBe('CONTEXT_MISMATCH');
  });

  it('a manager cannot make up what was authenticated', async () => {
    const { ciphertext } = await encrypt(bytes(1), { keyring, encryptionContext: tenant });
    const lying: CryptographicMaterialsManager = {
      ...inner,
      decryptMaterials: async (request) => ({
        ...(await inner.decryptMaterials(request)),
        encryptionContext: { tenant: 'fake' },
      }),
    };
    const opened = await decrypt(ciphertext, { cmm: lying });
    expect(opened.authenticatedContext.tenant).toBe('acme');
    const changing: CryptographicMaterialsManager = {
      ...inner,
      decryptMaterials: (request) => {
        (request.encryptionContext as Record<string, string>).tenant = 'fake';
        return inner.decryptMaterials(request);
      },
    };
    await expect(decrypt(ciphertext, { cmm: changing })).rejects.toThrow(TypeError);
  });

  it('the verification key is the stored one: not a reproduced one, not another of the manager', async () => {
    const other = await encrypt(bytes(1), { keyring });
    const key = other.header.encryptionContext['aws-crypto-public-key']!;
    const { ciphertext } = await encrypt(bytes(1), { keyring });
    const swapping: CryptographicMaterialsManager = {
      ...inner,
      decryptMaterials: async (request) => ({
        ...(await inner.decryptMaterials(request)),
        verificationKey: new Uint8Array(Buffer.from(key, 'base64')),
      }),
    };
    expect(await failureCode(decrypt(ciphertext, { cmm: swapping }))).toBe('INVALID_ARGUMENT');
    expect(
      await failureCode(
        decrypt(ciphertext, { keyring, encryptionContext: { 'aws-crypto-public-key': key } }),
      ),
    ).toBe('INVALID_ARGUMENT');
    const [, signed] = SUITE_ROWS.at(-1)!;
    const request = {
      algorithmSuite: signed,
      commitmentPolicy: policyFor(signed),
      encryptedDataKeys: [],
      encryptionContext: {},
    };
    const reproducedEncryptionContext = { 'aws-crypto-public-key': key };
    expect(await failureCode(inner.decryptMaterials({ ...request, reproducedEncryptionContext }))).toBe(
      'INVALID_MESSAGE',
    );
  });

  it('costs linear time, whatever is reproduced', async () => {
    const pairs = Object.fromEntries(Array.from({ length: 4000 }, (_, i) => [`k${i}`, 'v']));
    const { ciphertext } = await encrypt(bytes(1), { ...FAST, keyring });
    const started = performance.now();
    expect(await failureCode(decrypt(ciphertext, { keyring, encryptionContext: pairs }))).toBe(
      'CONTEXT_MISMATCH',
    );
    expect(performance.now() - started).toBeLessThan(3000);
  });
});

describe('a hostile list of encrypted data keys', () => {
  const suite = SUITE_ROWS.at(-2)![1];
  const hostile = (providerId: string, providerInfo: Uint8Array<ArrayBuffer>, length: number) =>
    Array.from({ length }, () => ({ providerId, providerInfo, ciphertext: new Uint8Array(256).fill(7, 1) }));
  const materials = { algorithmSuite: suite, encryptionContext: {}, requiredEncryptionContextKeys: [] };
  const utf8 = (text: string) => new TextEncoder().encode(text);

  it.each(['oaep-sha256', 'pkcs1'] as const)(
    'RSA %s: the signal fires and other work goes on',
    async (padding) => {
      const rsa = rawRsaKeyring({ keyNamespace: 'r', keyName: 'r', padding, ...rsaPem() });
      let ticks = 0;
      const ticking = setInterval(() => ticks++, 10);
      const started = performance.now();
      const code = await failureCode(
        rsa.onDecrypt(materials, hostile('r', utf8('r'), 5000), {
          signal: AbortSignal.timeout(150),
          confirmDataKey: async () => false,
        }),
      );
      clearInterval(ticking);
      expect(code).toBe('ABORTED');
      expect(ticks).toBeGreaterThan(2);
      expect(performance.now() - started).toBeLessThan(2000);
    },
  );

  it('KMS: the deadline holds when every call fails at once', async () => {
    const api = {
      generateDataKey: async () => ({}),
      encrypt: async () => ({}),
      decrypt: () => Promise.reject(new Error('no')),
    };
    const kms = awsKmsKeyring({ keyIds: [ARN], clientSupplier: () => api, deadlineMs: 150 });
    const started = performance.now();
    const error = await failure(
      kms.onDecrypt(materials, hostile('aws-kms', utf8(ARN), 20_000), { signal: AbortSignal.timeout(400) }),
    );
    expect(['ABORTED', 'NO_DATA_KEY']).toContain(error.code);
    expect(performance.now() - started).toBeLessThan(4000);
  });

  it('cuts names that are long', async () => {
    const long = { providerId: 'x', providerInfo: new Uint8Array(60_000).fill(0xff), ciphertext: bytes(3) };
    const other: Keyring = {
      onEncrypt: async (m) => ({ ...m, encryptedDataKeys: [...m.encryptedDataKeys, long] }),
      onDecrypt: async (m) => m,
    };
    const { ciphertext } = await encrypt(bytes(1), {
      keyring: multiKeyring({ generator: keyring, children: [other] }),
    });
    const error = await failure(decrypt(ciphertext, { keyring: aesKeyring(9) }));
    expect(error.attempts).toHaveLength(2);
    expect(error.message.length).toBeLessThan(2500);
  });
});

describe('answers that are none', () => {
  const answering = (answer: unknown): Keyring => ({
    onEncrypt: async () => answer as never,
    onDecrypt: async () => answer as never,
  });
  let ciphertext: Uint8Array;
  beforeAll(async () => {
    ({ ciphertext } = await encrypt(bytes(3), { keyring }));
  });

  it.each([
    ['undefined', undefined],
    ['null', null],
    ['a number', 5],
    ['an empty object', {}],
    ['materials without lists', { plaintextDataKey: bytes(32) }],
    ['an entry that is null', { plaintextDataKey: bytes(32), encryptedDataKeys: [null] }],
    [
      'an entry of text',
      {
        plaintextDataKey: bytes(32),
        encryptedDataKeys: [{ providerId: 'a', providerInfo: 'b', ciphertext: 'c' }],
      },
    ],
    [
      'an entry with a lone surrogate',
      {
        plaintextDataKey: bytes(32),
        encryptedDataKeys: [{ providerId: '\ud800', providerInfo: bytes(1), ciphertext: bytes(1) }],
      },
    ],
  ])('%s from a keyring', async (_, answer) => {
    expect(await failureCode(encrypt(bytes(1), { keyring: answering(answer) }))).toBe('INVALID_ARGUMENT');
    expect(
      await failureCode(
        encrypt(bytes(1), { keyring: multiKeyring({ generator: keyring, children: [answering(answer)] }) }),
      ),
    ).toBe('INVALID_ARGUMENT');
  });

  it.each([[undefined], [null], [5], [{}], [{ plaintextDataKey: null }], [{ plaintextDataKey: bytes(3) }]])(
    '%j from a member never stops the next one',
    async (answer) => {
      expect(await failureCode(decrypt(ciphertext, { keyring: answering(answer) }))).toBe('NO_DATA_KEY');
      const opened = await decrypt(ciphertext, {
        keyring: multiKeyring({ children: [answering(answer), keyring] }),
      });
      expect(opened.plaintext).toEqual(bytes(3));
    },
  );

  it.each([
    ['undefined', () => undefined],
    ['an empty object', () => ({})],
    ['no list of required keys', (m: object) => ({ ...m, requiredEncryptionContextKeys: undefined })],
    ['no context', (m: object) => ({ ...m, encryptionContext: undefined })],
  ])('%s from a manager', async (_, change) => {
    const cmm: CryptographicMaterialsManager = {
      getEncryptionMaterials: async (request) => change(await inner.getEncryptionMaterials(request)) as never,
      decryptMaterials: async (request) => change(await inner.decryptMaterials(request)) as never,
    };
    expect(await failureCode(encrypt(bytes(1), { cmm }))).toBe('INVALID_ARGUMENT');
    expect(await failureCode(decrypt(ciphertext, { cmm }))).toBe('INVALID_ARGUMENT');
  });

  it.each([
    ['another data key', (m: EncryptionMaterials) => ({ ...m, plaintextDataKey: bytes(32, 8) })],
    ['fewer entries', (m: EncryptionMaterials) => ({ ...m, encryptedDataKeys: [] })],
    [
      'other entries',
      (m: EncryptionMaterials) => ({
        ...m,
        encryptedDataKeys: m.encryptedDataKeys.map((edk) => ({ ...edk, ciphertext: bytes(3) })),
      }),
    ],
  ])('a child that answers %s', async (_, change) => {
    const child: Keyring = { onEncrypt: async (m) => change(m), onDecrypt: async (m) => m };
    const multi = multiKeyring({ generator: keyring, children: [child] });
    expect(await failureCode(encrypt(bytes(1), { keyring: multi }))).toBe('INVALID_ARGUMENT');
  });

  it.each([
    ['empties the list', (edks: { ciphertext: Uint8Array }[]) => edks.splice(0, edks.length)],
    ['changes an entry', (edks: { ciphertext: Uint8Array }[]) => edks[0]!.ciphertext.fill(0)],
  ])('a child that %s in place changes nothing of ours', async (_, change) => {
    const child: Keyring = {
      onEncrypt: async (m) => {
        change(m.encryptedDataKeys as never);
        return m;
      },
      onDecrypt: async (m) => m,
    };
    const multi = multiKeyring({ generator: keyring, children: [child] });
    expect(await failureCode(encrypt(bytes(1), { keyring: multi }))).toBe('INVALID_ARGUMENT');
  });

  it('a generator cannot change the materials that the others see', async () => {
    const generator: Keyring = {
      onEncrypt: async (m) => {
        const { plaintextDataKey, encryptedDataKeys } = await keyring.onEncrypt(m, {});
        return { plaintextDataKey, encryptedDataKeys, encryptionContext: { evil: '1' } } as never;
      },
      onDecrypt: async (m) => m,
    };
    const multi = multiKeyring({ generator, children: [aesKeyring(2)] });
    const { ciphertext: message } = await encrypt(bytes(4), {
      keyring: multi,
      encryptionContext: { a: 'b' },
    });
    for (const one of [keyring, aesKeyring(2)])
      expect((await decrypt(message, { keyring: one })).plaintext).toEqual(bytes(4));
  });

  it("a manager's context is text for text, or refused", async () => {
    const changed = (encryptionContext: unknown): CryptographicMaterialsManager => ({
      ...inner,
      getEncryptionMaterials: async (request) =>
        ({ ...(await inner.getEncryptionMaterials(request)), encryptionContext }) as never,
    });
    for (const wrong of [undefined, null, { a: 5 }, Promise.resolve({})]) {
      expect(await failureCode(encrypt(bytes(1), { ...FAST, cmm: changed(wrong) }))).toBe('INVALID_ARGUMENT');
    }
    const { header } = await encrypt(bytes(1), { ...FAST, cmm: changed(new Map([['a', 'b']])) });
    expect({ ...header.encryptionContext }).toEqual({ a: 'b' });
  });

  it('an answer that comes after an abort raises nothing', async () => {
    const raised: unknown[] = [];
    const onRejection = (reason: unknown) => raised.push(reason);
    process.on('unhandledRejection', onRejection);
    const later = (answer: unknown) => new Promise((resolve) => setTimeout(resolve, 30, answer)) as never;
    for (const answer of [undefined, {}, null]) {
      const cmm: CryptographicMaterialsManager = {
        getEncryptionMaterials: () => later(answer),
        decryptMaterials: () => later(answer),
      };
      expect(await failureCode(encrypt(bytes(1), { cmm, signal: AbortSignal.timeout(5) }))).toBe('ABORTED');
      expect(await failureCode(decrypt(ciphertext, { cmm, signal: AbortSignal.timeout(5) }))).toBe('ABORTED');
    }
    await new Promise((resolve) => setTimeout(resolve, 60));
    process.off('unhandledRejection', onRejection);
    expect(raised).toEqual([]);
  });

  it('an answer without a promise is an answer', async () => {
    const materials = await inner.getEncryptionMaterials({
      encryptionContext: {},
      commitmentPolicy: 'REQUIRE_ENCRYPT_REQUIRE_DECRYPT',
    });
    const cmm = { ...inner, getEncryptionMaterials: () => materials as never };
    const { signal } = new AbortController();
    const { ciphertext: message } = await encrypt(bytes(2), { cmm, signal });
    expect((await decrypt(message, { keyring })).plaintext).toEqual(bytes(2));
  });

  it('whatever is thrown becomes a text', async () => {
    for (const thrown of [Object.create(null), 5, undefined, 'plain text']) {
      const throwing: Keyring = {
        onEncrypt: () => Promise.reject(thrown),
        onDecrypt: () => Promise.reject(thrown),
      };
      const multi = multiKeyring({ children: [throwing, throwing] });
      expect(await failureCode(decrypt(ciphertext, { keyring: multi }))).toBe('NO_DATA_KEY');
      const wrapping = multiKeyring({ generator: keyring, children: [throwing] });
      expect(await failureCode(encrypt(bytes(1), { keyring: wrapping }))).toBe('INVALID_ARGUMENT');
    }
  });

  it('a signing key that is of another curve, or signs nonsense', async () => {
    const changed = (signingKey: object): CryptographicMaterialsManager => ({
      ...inner,
      getEncryptionMaterials: async (request) => {
        const m = await inner.getEncryptionMaterials(request);
        const { publicKey } = { ...m.signingKey, ...signingKey } as { publicKey: Uint8Array };
        const encryptionContext = { 'aws-crypto-public-key': Buffer.from(publicKey).toString('base64') };
        return { ...m, encryptionContext, signingKey: { ...m.signingKey, ...signingKey } as never };
      },
    });
    const p256 = new Uint8Array(33).fill(2);
    expect(await failureCode(encrypt(bytes(1), { cmm: changed({ publicKey: p256 }) }))).toBe(
      'INVALID_ARGUMENT',
    );
    for (const junk of [undefined, 'x', bytes(5)]) {
      expect(await failureCode(encrypt(bytes(1), { cmm: changed({ sign: () => junk }) }))).toBe(
        'INVALID_ARGUMENT',
      );
    }
  });

  it('a keyring that never answers, and one that answers with the reason of the signal', async () => {
    const never: Keyring = { onEncrypt: () => new Promise(() => {}), onDecrypt: () => new Promise(() => {}) };
    const rejecting: Keyring = {
      onEncrypt: (_, { signal }) =>
        new Promise((_resolve, reject) => signal!.addEventListener('abort', () => reject(signal!.reason))),
      onDecrypt: (_, __, { signal }) =>
        new Promise((_resolve, reject) => signal!.addEventListener('abort', () => reject(signal!.reason))),
    };
    for (const one of [never, rejecting, multiKeyring({ children: [rejecting], generator: never })]) {
      expect(await failureCode(encrypt(bytes(1), { keyring: one, signal: AbortSignal.timeout(30) }))).toBe(
        'ABORTED',
      );
      expect(await failureCode(decrypt(ciphertext, { keyring: one, signal: AbortSignal.timeout(30) }))).toBe(
        'ABORTED',
      );
    }
  });

  it("a signal's reason is never taken for an error of ours", async () => {
    const signal = AbortSignal.abort(new FramesealError('NO_DATA_KEY', 'not ours'));
    expect(await failureCode(encrypt(bytes(1), { keyring, signal }))).toBe('ABORTED');
  });
});

describe('arguments of every factory', () => {
  it.each([
    ['rawAesKeyring()', () => rawAesKeyring(undefined as never)],
    ['rawRsaKeyring()', () => rawRsaKeyring(undefined as never)],
    ['multiKeyring()', () => multiKeyring(undefined as never)],
    ['awsKmsKeyring()', () => awsKmsKeyring(undefined as never)],
    ['defaultCmm()', () => defaultCmm(undefined as never)],
    ['parseHeader(b, null)', () => parseHeader(bytes(9), null as never)],
    ['children that are a number', () => multiKeyring({ children: 5 } as never)],
    ['a child that is null', () => multiKeyring({ children: [null] } as never)],
    [
      'a PEM as a Buffer',
      () =>
        rawRsaKeyring({
          keyNamespace: 'n',
          keyName: 'k',
          padding: 'oaep-sha1',
          publicKey: Buffer.from('x'),
        } as never),
    ],
    [
      'a PEM that is null',
      () =>
        rawRsaKeyring({ keyNamespace: 'n', keyName: 'k', padding: 'oaep-sha1', privateKey: null } as never),
    ],
    [
      'a wrapping key that is null',
      () => rawAesKeyring({ keyNamespace: 'n', keyName: 'k', wrappingKey: null } as never),
    ],
    [
      'an unknown option',
      () =>
        rawAesKeyring({ keyNamespace: 'n', keyName: 'k', wrappingKey: bytes(32), iv: bytes(12) } as never),
    ],
  ])('%s', async (_, make) => {
    expect(await failureCode(make)).toBe('INVALID_ARGUMENT');
  });

  it('a CryptoKey without the usage', async () => {
    const wrappingKey = await crypto.subtle.importKey('raw', bytes(32), 'AES-GCM', false, ['decrypt']);
    const readOnly = rawAesKeyring({ keyNamespace: 'test', keyName: 'aes-1', wrappingKey });
    expect(await failureCode(encrypt(bytes(1), { keyring: readOnly }))).toBe('INVALID_ARGUMENT');
    const { ciphertext } = await encrypt(bytes(1), { keyring });
    expect((await decrypt(ciphertext, { keyring: readOnly })).plaintext).toEqual(bytes(1));
  });

  it('bytes that have been transferred are not taken for none', async () => {
    const gone = bytes(10);
    structuredClone(gone, { transfer: [gone.buffer] });
    expect(gone).toHaveLength(0);
    expect(await failureCode(encrypt(gone, { keyring }))).toBe('INVALID_ARGUMENT');
    expect(await failureCode(decrypt(gone, { keyring }))).toBe('INVALID_ARGUMENT');
    await encrypt(new Uint8Array(0), { keyring });
  });

  it.each([
    ['shrinks', 300, (buffer: ResizableBuffer) => buffer.resize(200)],
    ['shrinks to nothing', 300, (buffer: ResizableBuffer) => buffer.resize(0)],
    ['grows', 300, (buffer: ResizableBuffer) => buffer.resize(301)],
    ['is transferred', 300, (buffer: ResizableBuffer) => structuredClone(buffer, { transfer: [buffer] })],
  ])('a plaintext that %s meanwhile makes no message', async (_, length, change) => {
    const buffer = resizable(length, 2 * length);
    const pending = encrypt(new Uint8Array(buffer), { keyring });
    change(buffer);
    expect(await failure(pending)).toMatchObject({ code: 'INVALID_ARGUMENT', message: KEEPS });
  });

  it.each([
    ['shrinks', (buffer: ResizableBuffer) => buffer.resize(8500)],
    ['grows', (buffer: ResizableBuffer) => buffer.resize(9001)],
    ['is transferred', (buffer: ResizableBuffer) => structuredClone(buffer, { transfer: [buffer] })],
  ])('a plaintext that %s between two batches makes no message', async (_, change) => {
    const buffer = resizable(9000, 9001);
    let changed = false;
    const onProgress = () => {
      if (!changed) change(buffer);
      changed = true;
    };
    const pending = encrypt(new Uint8Array(buffer), { keyring, frameLength: 4, onProgress });
    expect(await failure(pending)).toMatchObject({ code: 'INVALID_ARGUMENT', message: KEEPS });
  });

  it("an RSA keyring's entries share no bytes", async () => {
    const pem = rsaPem();
    const rsa = rawRsaKeyring({ keyNamespace: 'r', keyName: 'r', padding: 'oaep-sha256', ...pem });
    const first = await encrypt(bytes(1), { keyring: rsa });
    first.header.encryptedDataKeys[0]!.providerInfo.fill(0x7a);
    const second = await encrypt(bytes(2), { keyring: rsa });
    expect((await decrypt(second.ciphertext, { keyring: rsa })).plaintext).toEqual(bytes(2));
  });

  it('a message from the second writer still opens', async () => {
    const [, suite] = SUITE_ROWS.at(-1)!;
    const message = writeNaively({
      wrappingKey: bytes(32),
      keyNamespace: 'test',
      keyName: 'aes-1',
      suite,
      frameLength: 16,
      body: frames(bytes(20), 16),
    });
    expect((await decrypt(message, { keyring })).plaintext).toEqual(bytes(20));
  });
});
