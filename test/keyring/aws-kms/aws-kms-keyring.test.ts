import { CreateGrantCommand, KMSClient } from '@aws-sdk/client-kms';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { decrypt, encrypt, type Keyring, multiKeyring } from '../../../src/index.ts';
import {
  type AwsKmsKeyringOptions,
  awsKmsKeyring,
  type KmsApi,
  type KmsCall,
} from '../../../src/keyring/aws-kms/index.ts';
import { type LocalKms, startLocalKms } from '../../../src/local-kms/index.ts';
import { aesKeyring, bytes, failure, failureCode } from '../../support/messages.ts';
import { FakeKms } from './fake-kms.ts';

process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';

const REGIONS = ['us-east-1', 'us-west-2', 'eu-west-1', 'cn-north-1', 'us-gov-west-1'] as const;
const FAST = { algorithmSuite: 0x0478 } as const;
let kms: LocalKms;
let arns: string[];

beforeAll(async () => {
  kms = await startLocalKms({ regions: REGIONS, clientOptions: { maxAttempts: 1 } });
  arns = [];
  for (const region of REGIONS) arns.push((await kms.createKey({ region, alias: 'alias/app' })).arn);
});
afterAll(() => kms.close());
beforeEach(() => {
  for (const region of REGIONS) kms.setFault(region, null);
  kms.requests.length = 0;
});

const keyring = (options: AwsKmsKeyringOptions = {}): Keyring =>
  awsKmsKeyring({
    generatorKeyId: arns[0]!,
    keyIds: arns.slice(1, 3),
    clientSupplier: kms.clientSupplier,
    ...options,
  });
const only = (i: number, options: Partial<AwsKmsKeyringOptions> = {}): Keyring =>
  awsKmsKeyring({ keyIds: [arns[i]!], clientSupplier: kms.clientSupplier, ...options });
const calls = () => kms.requests.map(({ operation, region }) => `${operation} ${region}`);

describe('encrypt under three regions', () => {
  it('calls GenerateDataKey first, then Encrypt in parallel, and keeps the configured order', async () => {
    kms.setFault('us-west-2', { kind: 'latency', ms: 250 });
    kms.setFault('eu-west-1', { kind: 'latency', ms: 100 });
    const { header } = await encrypt(bytes(10), { ...FAST, keyring: keyring() });
    const [generate, west, europe] = ['us-east-1', 'us-west-2', 'eu-west-1'].map(
      (region) => kms.requests.find((one) => one.region === region)!,
    );
    expect(kms.requests).toHaveLength(3);
    expect(generate!.operation).toBe('GenerateDataKey');
    expect([west!.operation, europe!.operation]).toEqual(['Encrypt', 'Encrypt']);
    expect(generate!.endedAt).toBeLessThanOrEqual(Math.min(west!.startedAt, europe!.startedAt));
    expect(Math.max(west!.startedAt, europe!.startedAt)).toBeLessThan(
      Math.min(west!.endedAt!, europe!.endedAt!),
    );
    expect(europe!.endedAt).toBeLessThan(west!.endedAt!);
    const names = header.encryptedDataKeys.map((edk) => new TextDecoder().decode(edk.providerInfo));
    expect(names).toEqual(arns.slice(0, 3));
  });

  it('opens with each key alone, wherever it is', async () => {
    const all = keyring({ keyIds: arns.slice(1) });
    const { ciphertext } = await encrypt(bytes(1000), { keyring: all, encryptionContext: { a: 'b' } });
    for (let i = 0; i < arns.length; i++) {
      kms.requests.length = 0;
      expect((await decrypt(ciphertext, { keyring: only(i) })).plaintext).toEqual(bytes(1000));
      expect(calls()).toEqual([`Decrypt ${REGIONS[i]}`]);
    }
    expect(arns.map((arn) => arn.split(':')[1])).toEqual(['aws', 'aws', 'aws', 'aws-cn', 'aws-us-gov']);
  });

  it('sends the whole context, the verification key included', async () => {
    const encryptionContext = new Map([
      ['tenant', 'a'],
      ['ключ', '\u{1F600}'],
      ['__proto__', 'p'],
    ]);
    const { header, ciphertext } = await encrypt(bytes(1), {
      keyring: keyring(),
      encryptionContext,
    });
    await decrypt(ciphertext, { keyring: only(1) });
    expect(kms.requests).toHaveLength(4);
    for (const request of kms.requests) {
      expect(Object.fromEntries(Object.entries(request.encryptionContext!))).toEqual(
        Object.fromEntries(Object.entries(header.encryptionContext)),
      );
      expect(Object.keys(request.encryptionContext!)).toContain('aws-crypto-public-key');
    }
  });

  it('sends grant tokens with every call, a copy each, and no list without any', async () => {
    const fake = new FakeKms();
    const grantTokens = ['token-1', 'token-2'];
    const { clientSupplier } = fake;
    for (const options of [{ clientSupplier, grantTokens }, { clientSupplier }]) {
      const both = keyring(options);
      const { ciphertext } = await encrypt(bytes(1), { ...FAST, keyring: both });
      await decrypt(ciphertext, { keyring: both });
    }
    expect(fake.calls.map((call) => call.grantTokens)).toEqual([
      ...new Array(4).fill(grantTokens),
      ...new Array(4).fill(undefined),
    ]);
    expect(fake.calls[0]!.grantTokens).not.toBe(fake.calls[1]!.grantTokens);
  });

  it('works under a grant that is not yet known everywhere, by its token', async () => {
    const fresh = await startLocalKms({ regions: ['us-east-1'], grantDelayMs: 60_000 });
    onTestFinished(() => fresh.close());
    const { arn } = await fresh.createKey({ region: 'us-east-1' });
    const { GrantToken } = await (await fresh.clientSupplier())!.send(
      new CreateGrantCommand({
        KeyId: arn,
        GranteePrincipal: 'arn:aws:iam::000000000000:user/app',
        Operations: ['GenerateDataKey', 'Decrypt'],
      }),
    );
    const client = new KMSClient({
      region: 'us-east-1',
      endpoint: fresh.endpoint,
      credentials: fresh.issueCredentials({ principal: 'user/app' }),
    });
    onTestFinished(() => client.destroy());
    const options = { generatorKeyId: arn, clientSupplier: () => client };
    const token = awsKmsKeyring({ ...options, grantTokens: [GrantToken!] });
    const { ciphertext } = await encrypt(bytes(3), { ...FAST, keyring: token });
    expect((await decrypt(ciphertext, { keyring: token })).plaintext).toEqual(bytes(3));
    const error = await failure(decrypt(ciphertext, { keyring: awsKmsKeyring(options) }));
    expect(error.attempts[0]!.reason).toContain('AccessDeniedException');
  });

  it('asks for exactly the key length of the suite', async () => {
    for (const [algorithmSuite, length] of [
      [0x0114, 16],
      [0x0146, 24],
      [0x0178, 32],
    ] as const) {
      const options = { keyring: keyring(), commitmentPolicy: 'FORBID_ENCRYPT_ALLOW_DECRYPT' as const };
      const { ciphertext } = await encrypt(bytes(1), { ...options, algorithmSuite });
      let seen = 0;
      const spy: Keyring = {
        onEncrypt: options.keyring.onEncrypt,
        onDecrypt: async (...all) => {
          const answer = await options.keyring.onDecrypt(...all);
          seen = answer.plaintextDataKey!.length;
          return answer;
        },
      };
      await decrypt(ciphertext, { ...options, keyring: spy });
      expect(seen).toBe(length);
    }
  });

  it('wraps the data key of another generator under all its keys', async () => {
    const both = multiKeyring({ generator: aesKeyring(), children: [keyring()] });
    const { ciphertext, header } = await encrypt(bytes(7), { ...FAST, keyring: both });
    expect(header.encryptedDataKeys.map(({ providerId }) => providerId)).toEqual([
      'test',
      'aws-kms',
      'aws-kms',
      'aws-kms',
    ]);
    expect(calls().sort()).toEqual(['Encrypt eu-west-1', 'Encrypt us-east-1', 'Encrypt us-west-2']);
    expect((await decrypt(ciphertext, { keyring: only(0) })).plaintext).toEqual(bytes(7));
  });
});

describe('key identifiers', () => {
  it('encrypts under an alias, an alias ARN and a bare id; they never match on decrypt, and the error says so', async () => {
    const id = arns[0]!.split('/')[1]!;
    const aliasArn = arns[0]!.replace(/key\/.*/, 'alias/app');
    for (const name of ['alias/app', aliasArn, id]) {
      const named = awsKmsKeyring({ generatorKeyId: name, clientSupplier: kms.clientSupplier });
      const { ciphertext, header } = await encrypt(bytes(3), { ...FAST, keyring: named });
      expect(new TextDecoder().decode(header.encryptedDataKeys[0]!.providerInfo)).toBe(arns[0]);
      expect((await decrypt(ciphertext, { keyring: only(0) })).plaintext).toEqual(bytes(3));
      kms.requests.length = 0;
      const error = await failure(decrypt(ciphertext, { keyring: named }));
      expect(error.code).toBe('NO_DATA_KEY');
      expect(error.attempts[0]!.reason).toContain(`${name}: aliases and bare ids encrypt but never match`);
      expect(kms.requests).toEqual([]);
    }
  });

  it.each([
    ['nothing', {}],
    ['an empty name', { generatorKeyId: '' }],
    ['an ARN of another service', { generatorKeyId: 'arn:aws:s3:us-east-1:000000000000:key/x' }],
    ['an ARN without account', { generatorKeyId: 'arn:aws:kms:us-east-1::key/x' }],
    ['a region that is no region', { keyIds: ['arn:aws:kms:evil.example/?:000000000000:key/x'] }],
    ['attemptTimeoutMs 0', { generatorKeyId: 'alias/a', attemptTimeoutMs: 0 }],
    ['keyIds that are text', { keyIds: 'alias/a' }],
    ['grant tokens that are text', { generatorKeyId: 'alias/a', grantTokens: 'abc' }],
    ['a supplier that is no function', { generatorKeyId: 'alias/a', clientSupplier: 'x' }],
    ['an option that it does not know', { generatorKeyId: 'alias/a', timeoutMs: 5 }],
    ['an ARN with a line break in it', { generatorKeyId: 'arn:aws:kms:us-east-1:000000000000:key/x\n' }],
    ['an ARN with more parts', { generatorKeyId: 'arn:aws:kms:us-east-1:000000000000:key/x:y' }],
    ['deadlineMs Infinity', { generatorKeyId: 'alias/a', deadlineMs: Number.POSITIVE_INFINITY }],
  ])('refuses %s', async (_, options) => {
    expect(await failureCode(() => awsKmsKeyring(options as never))).toBe('INVALID_ARGUMENT');
  });

  it('fails on an entry whose provider information is no key ARN, and the multi-keyring goes on', async () => {
    const odd: Keyring = {
      onEncrypt: async (materials) => {
        const edk = {
          providerId: 'aws-kms',
          providerInfo: new TextEncoder().encode('alias/x'),
          ciphertext: bytes(9),
        };
        return { ...materials, encryptedDataKeys: [...materials.encryptedDataKeys, edk] };
      },
      onDecrypt: async (materials) => materials,
    };
    const { ciphertext } = await encrypt(bytes(3), {
      ...FAST,
      keyring: multiKeyring({ generator: keyring(), children: [odd, aesKeyring()] }),
    });
    const error = await failure(decrypt(ciphertext, { keyring: keyring() }));
    expect([error.code, error.attempts[0]!.reason]).toEqual([
      'NO_DATA_KEY',
      'its provider information is no key ARN',
    ]);
    const going = multiKeyring({ children: [keyring(), aesKeyring()] });
    expect((await decrypt(ciphertext, { keyring: going })).plaintext).toEqual(bytes(3));
  });
});

describe('answers are checked', () => {
  it.each([
    ['wrong-key-id', 'GenerateDataKey'],
    ['wrong-length', 'GenerateDataKey'],
    ['missing-plaintext', 'GenerateDataKey'],
    ['empty-blob', 'GenerateDataKey'],
    ['wrong-key-id', 'Encrypt'],
    ['empty-blob', 'Encrypt'],
    ['html', 'Encrypt'],
    ['garbage', 'GenerateDataKey'],
    ['truncate', 'Encrypt'],
  ] as const)('encrypt: %s from %s', async (kind, operation) => {
    const at = operation === 'Encrypt' ? 1 : 0;
    kms.setFault(REGIONS[at], { kind });
    const error = await failure(encrypt(bytes(3), { ...FAST, keyring: keyring() }));
    expect(error).toMatchObject({ code: 'KMS_FAILED', operation, region: REGIONS[at], keyId: arns[at] });
    for (const part of [operation, REGIONS[at], arns[at]!]) expect(error.message).toContain(part);
    expect(error.cause).toBeInstanceOf(Error);
  });

  it.each(['wrong-key-id', 'wrong-length', 'missing-plaintext', 'reset'] as const)(
    'decrypt: %s, and the next key serves',
    async (kind) => {
      const { ciphertext } = await encrypt(bytes(3), { ...FAST, keyring: keyring() });
      kms.setFault('us-east-1', { kind });
      kms.requests.length = 0;
      expect((await decrypt(ciphertext, { keyring: keyring() })).plaintext).toEqual(bytes(3));
      expect(calls()).toEqual(['Decrypt us-east-1', 'Decrypt us-west-2']);
      const error = await failure(decrypt(ciphertext, { keyring: only(0) }));
      expect(error.code).toBe('NO_DATA_KEY');
      expect(error.attempts[0]).toMatchObject({
        providerId: 'aws-kms',
        keyName: arns[0],
        keyring: 'awsKmsKeyring',
      });
      expect(error.attempts[0]!.reason).toContain('KMS Decrypt in us-east-1');
    },
  );

  it('says what KMS said, of every key that failed', async () => {
    kms.setFault('us-west-2', { kind: 'error', name: 'AccessDeniedException', message: 'not for you' });
    kms.setFault('eu-west-1', { kind: 'error', name: 'DisabledException' });
    const error = await failure(encrypt(bytes(3), { ...FAST, keyring: keyring() }));
    expect(error.code).toBe('KMS_FAILED');
    for (const part of ['AccessDeniedException: not for you', 'DisabledException', arns[1]!, arns[2]!]) {
      expect(error.message).toContain(part);
    }
  });

  it('never shows an answer that may hold a key', async () => {
    const secret = 'c2VjcmV0LWRhdGEta2V5';
    const broken: KmsApi = {
      generateDataKey: async () => JSON.parse(`{"Plaintext":"${secret}",`),
      encrypt: async () => ({}),
      decrypt: async () => ({}),
    };
    const error = await failure(encrypt(bytes(3), { keyring: keyring({ clientSupplier: () => broken }) }));
    const everything = [
      error.message,
      String(error.cause),
      JSON.stringify(error.cause),
      (error.cause as Error).stack,
    ].join();
    expect(everything).not.toContain(secret);
    expect(error.code).toBe('KMS_FAILED');
  });
});

describe('time', () => {
  it('gives up an attempt that a region never answers', async () => {
    kms.setFault('us-east-1', { kind: 'black-hole' });
    const started = performance.now();
    const error = await failure(encrypt(bytes(3), { ...FAST, keyring: keyring({ attemptTimeoutMs: 300 }) }));
    expect(error).toMatchObject({
      code: 'TIMEOUT',
      operation: 'GenerateDataKey',
      region: 'us-east-1',
      keyId: arns[0],
    });
    expect(performance.now() - started).toBeLessThan(2000);
  });

  it('goes on to the next region on decrypt', async () => {
    const { ciphertext } = await encrypt(bytes(3), { ...FAST, keyring: keyring() });
    kms.setFault('us-east-1', { kind: 'black-hole' });
    const started = performance.now();
    const opened = await decrypt(ciphertext, { keyring: keyring({ attemptTimeoutMs: 300 }) });
    expect(opened.plaintext).toEqual(bytes(3));
    expect(performance.now() - started).toBeGreaterThan(290);
  });

  it('bounds the whole unwrap, not one call', async () => {
    const { ciphertext } = await encrypt(bytes(3), { ...FAST, keyring: keyring() });
    for (const region of REGIONS) kms.setFault(region, { kind: 'black-hole' });
    const started = performance.now();
    const error = await failure(
      decrypt(ciphertext, { keyring: keyring({ attemptTimeoutMs: 400, deadlineMs: 600 }) }),
    );
    const took = performance.now() - started;
    expect(error.code).toBe('NO_DATA_KEY');
    expect(error.attempts).toHaveLength(3);
    expect(error.attempts[0]!.reason).toContain('attemptTimeoutMs');
    expect(error.attempts[2]!.reason).toContain('deadlineMs');
    expect(took).toBeGreaterThan(590);
    expect(took).toBeLessThan(2000);
  });

  it('leaves a client behind that ignores its signal, whose late answer stays its own', async () => {
    const shared = bytes(32);
    let answer: (() => void) | undefined;
    const deaf: KmsApi = {
      generateDataKey: () =>
        new Promise((resolve) => {
          answer = () => resolve({ KeyId: arns[0]!, Plaintext: shared, CiphertextBlob: bytes(9) });
        }),
      encrypt: async ({ KeyId }) => ({ KeyId, CiphertextBlob: bytes(9) }),
      decrypt: async () => ({}),
    };
    const slow = keyring({ clientSupplier: () => deaf, attemptTimeoutMs: 50 });
    expect(await failureCode(encrypt(bytes(3), { keyring: slow }))).toBe('TIMEOUT');
    answer!();
    await new Promise((resolve) => setTimeout(resolve, 0));
    expect(shared).toEqual(bytes(32));
  });

  it('wipes an answer that comes late to a client of its own', async () => {
    const before = { ...process.env };
    Object.assign(process.env, kms.env);
    const late = bytes(32);
    const answer = { KeyId: arns[0]!, Plaintext: late, CiphertextBlob: bytes(9) };
    const send = vi
      .spyOn(KMSClient.prototype, 'send')
      .mockImplementation(() => new Promise((resolve) => setTimeout(resolve, 80, answer)) as never);
    try {
      const slow = awsKmsKeyring({ generatorKeyId: arns[0]!, attemptTimeoutMs: 30 });
      expect(await failureCode(encrypt(bytes(3), { keyring: slow }))).toBe('TIMEOUT');
      await new Promise((resolve) => setTimeout(resolve, 100));
      expect(late).toEqual(new Uint8Array(32));
    } finally {
      send.mockRestore();
      process.env = before;
    }
  });

  it('asks a supplier again that has not answered in time', async () => {
    const fake = new FakeKms();
    let asked = 0;
    const once = keyring({
      attemptTimeoutMs: 60,
      clientSupplier: (region) => (asked++ === 0 ? new Promise(() => {}) : fake.clientSupplier(region)),
    });
    expect(await failureCode(encrypt(bytes(3), { ...FAST, keyring: once }))).toBe('TIMEOUT');
    expect(asked).toBe(1);
    await encrypt(bytes(3), { ...FAST, keyring: once });
    expect(asked).toBe(4);
  });

  it('keeps the reason of an abort, with several keys and in a multi-keyring', async () => {
    for (const region of REGIONS) kms.setFault(region, { kind: 'black-hole', operation: 'Encrypt' });
    for (const one of [keyring(), multiKeyring({ generator: aesKeyring(), children: [only(0), only(1)] })]) {
      const error = await failure(
        encrypt(bytes(3), { ...FAST, keyring: one, signal: AbortSignal.timeout(80) }),
      );
      expect(error.code).toBe('ABORTED');
      expect((error.cause as Error).name).toBe('TimeoutError');
    }
  });

  it('leaves no listener and no warning behind, with many keys', async () => {
    const warnings: Error[] = [];
    const onWarning = (warning: Error) => warnings.push(warning);
    process.on('warning', onWarning);
    const api: KmsApi = {
      generateDataKey: async ({ KeyId }) => ({ KeyId, Plaintext: bytes(32), CiphertextBlob: bytes(9) }),
      encrypt: async ({ KeyId }) => ({ KeyId, CiphertextBlob: bytes(9) }),
      decrypt: async () => ({}),
    };
    const many = keyring({ keyIds: new Array(30).fill(arns[1]), clientSupplier: () => api });
    const { signal } = new AbortController();
    const added = vi.spyOn(signal, 'addEventListener');
    const removed = vi.spyOn(signal, 'removeEventListener');
    for (let i = 0; i < 20; i++) await encrypt(bytes(3), { ...FAST, keyring: many, signal });
    await new Promise((resolve) => setTimeout(resolve, 5));
    process.off('warning', onWarning);
    expect(warnings.filter(({ name }) => name === 'MaxListenersExceededWarning')).toEqual([]);
    expect(added.mock.calls.length).toBeGreaterThan(0);
    const left = new Set(added.mock.calls.map(([, listener]) => listener));
    for (const [, listener] of removed.mock.calls) left.delete(listener);
    expect(left.size).toBe(0);
  });

  it('stops at once when the caller aborts, on encrypt and on decrypt', async () => {
    const { ciphertext } = await encrypt(bytes(3), { ...FAST, keyring: keyring() });
    for (const region of REGIONS) kms.setFault(region, { kind: 'black-hole' });
    for (const work of [
      (signal: AbortSignal) => encrypt(bytes(3), { keyring: keyring(), signal }),
      (signal: AbortSignal) => decrypt(ciphertext, { keyring: keyring(), signal }),
      (signal: AbortSignal) =>
        decrypt(ciphertext, { keyring: multiKeyring({ children: [keyring(), aesKeyring()] }), signal }),
    ]) {
      const controller = new AbortController();
      const running = work(controller.signal);
      setTimeout(() => controller.abort('no longer needed'), 50);
      const started = performance.now();
      const error = await failure(running);
      expect([error.code, error.cause]).toEqual(['ABORTED', 'no longer needed']);
      expect(performance.now() - started).toBeLessThan(1000);
    }
  });

  it('makes no second attempt of its own', async () => {
    kms.setFault('us-east-1', { kind: 'throttle' });
    const error = await failure(encrypt(bytes(3), { ...FAST, keyring: keyring() }));
    expect(error.message).toContain('ThrottlingException');
    expect(calls()).toEqual(['GenerateDataKey us-east-1']);
  });
});

describe('clients', () => {
  it('takes a KmsApi, and asks the supplier once for a region', async () => {
    const asked: (string | undefined)[] = [];
    const data = bytes(32);
    const own: KmsApi = {
      generateDataKey: async ({ KeyId, NumberOfBytes }) => ({
        KeyId,
        Plaintext: data.slice(0, NumberOfBytes),
        CiphertextBlob: data,
      }),
      encrypt: async ({ KeyId, Plaintext }) => ({ KeyId, CiphertextBlob: Plaintext.slice() }),
      decrypt: async ({ KeyId, CiphertextBlob }) => ({ KeyId, Plaintext: CiphertextBlob }),
    };
    const over = keyring({
      clientSupplier: async (region) => {
        asked.push(region);
        return own;
      },
    });
    for (let i = 0; i < 3; i++) {
      const { ciphertext } = await encrypt(bytes(i), { ...FAST, keyring: over });
      expect((await decrypt(ciphertext, { keyring: over })).plaintext).toEqual(bytes(i));
    }
    expect(asked).toEqual(['us-east-1', 'us-west-2', 'eu-west-1']);
    expect(data).toEqual(bytes(32));
  });

  it('asks for the environment’s own region when the name has none', async () => {
    const asked: (string | undefined)[] = [];
    const clientSupplier = (region: string | undefined) => {
      asked.push(region);
      return kms.clientSupplier(region);
    };
    await encrypt(bytes(1), {
      ...FAST,
      keyring: awsKmsKeyring({ generatorKeyId: 'alias/app', clientSupplier }),
    });
    expect(asked).toEqual([undefined]);
  });

  it('names the region that a supplier refuses', async () => {
    const refusing = keyring({
      clientSupplier: (region) => (region === 'us-west-2' ? undefined : kms.clientSupplier(region)),
    });
    const error = await failure(encrypt(bytes(1), { ...FAST, keyring: refusing }));
    expect(error).toMatchObject({ code: 'KMS_FAILED', region: 'us-west-2' });
    expect(error.message).toContain('refuses');
  });

  it('makes its own clients from the environment', async () => {
    const before = { ...process.env };
    Object.assign(process.env, kms.env);
    try {
      const own = awsKmsKeyring({
        generatorKeyId: arns[0]!,
        keyIds: [arns[1]!],
        userAgentSuffix: 'my-app/1',
      });
      const { ciphertext } = await encrypt(bytes(1), { ...FAST, keyring: own });
      expect((await decrypt(ciphertext, { keyring: own })).plaintext).toEqual(bytes(1));
      expect(kms.requests[0]!.userAgent).toMatch(/frameseal\/\d+\.\d+\.\d+/);
      expect(kms.requests[0]!.userAgent).toContain('my-app');
    } finally {
      process.env = before;
    }
  });

  it('does not fail with its metrics', async () => {
    for (const onKmsCall of [
      () => {
        throw new Error('metrics down');
      },
      () => Promise.reject(new Error('metrics down')),
    ]) {
      const { ciphertext } = await encrypt(bytes(1), { ...FAST, keyring: keyring({ onKmsCall }) });
      expect((await decrypt(ciphertext, { keyring: keyring({ onKmsCall }) })).plaintext).toEqual(bytes(1));
    }
  });

  it.each([
    ['null from the supplier', () => null],
    ['a number from the supplier', () => 5],
    ['an empty object from the supplier', () => ({})],
    [
      'a supplier that throws',
      () => {
        throw new Error('no credentials');
      },
    ],
    ['null as an answer', () => ({ generateDataKey: async () => null })],
    ['an answer without a promise', () => ({ generateDataKey: () => 7 })],
    [
      'a KeyId that is no text',
      () => ({ generateDataKey: async () => ({ KeyId: 5, Plaintext: bytes(32), CiphertextBlob: bytes(3) }) }),
    ],
    [
      'a blob that does not fit',
      () => ({
        generateDataKey: async () => ({
          KeyId: arns[0],
          Plaintext: bytes(32),
          CiphertextBlob: new Uint8Array(65_536),
        }),
      }),
    ],
    [
      'a plaintext that is text',
      () => ({
        generateDataKey: async () => ({
          KeyId: arns[0],
          Plaintext: 'x'.repeat(32),
          CiphertextBlob: bytes(3),
        }),
      }),
    ],
  ])('%s is one typed error with operation, region and key', async (_, clientSupplier) => {
    const error = await failure(
      encrypt(bytes(1), { keyring: keyring({ clientSupplier: clientSupplier as never }) }),
    );
    expect(error).toMatchObject({
      code: 'KMS_FAILED',
      operation: 'GenerateDataKey',
      region: 'us-east-1',
      keyId: arns[0],
    });
    expect(error.message).not.toMatch(/not a function|Cannot (use|read)/);
  });

  it('tells metrics of every call, and nothing of keys', async () => {
    const seen: KmsCall[] = [];
    kms.setFault('us-west-2', { kind: 'error', name: 'DisabledException' });
    await failure(encrypt(bytes(1), { ...FAST, keyring: keyring({ onKmsCall: (call) => seen.push(call) }) }));
    expect(seen.map(({ operation, region, outcome }) => `${operation} ${region} ${outcome}`).sort()).toEqual([
      'Encrypt eu-west-1 ok',
      'Encrypt us-west-2 DisabledException',
      'GenerateDataKey us-east-1 ok',
    ]);
    for (const call of seen) {
      expect(Object.keys(call).sort()).toEqual(['keyId', 'milliseconds', 'operation', 'outcome', 'region']);
      expect(call.milliseconds).toBeGreaterThan(0);
    }
  });
});
