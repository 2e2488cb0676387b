import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { decrypt, type EncryptResult, encrypt, type Keyring, multiKeyring } from '../../../src/index.ts';
import {
  type AwsKmsKeyringOptions,
  awsKmsKeyring,
  awsKmsMrkKeyring,
  type Quorum,
} from '../../../src/keyring/aws-kms/index.ts';
import { type LocalKms, startLocalKms } from '../../../src/local-kms/index.ts';
import { aesKeyring, bytes, failure, failureCode } from '../../support/messages.ts';
import { type Behaviour, FakeKms, keyArn, named } from './fake-kms.ts';

process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';

const REGIONS = ['us-east-1', 'us-west-2', 'eu-west-1'] as const;
const ARNS = REGIONS.map((region) => keyArn(region));
const FAST = { algorithmSuite: 0x0478 } as const;
const TWO: Quorum = { atLeast: 2 };
const kms = new FakeKms();
beforeEach(() => kms.reset());

const strict = (options: AwsKmsKeyringOptions = {}): Keyring =>
  awsKmsKeyring({
    generatorKeyId: ARNS[0],
    keyIds: ARNS.slice(1),
    clientSupplier: kms.clientSupplier,
    attemptTimeoutMs: 60,
    ...options,
  });
const sealed = (keyring: Keyring) => encrypt(bytes(9), { ...FAST, keyring });
const entries = ({ header }: EncryptResult) =>
  header.encryptedDataKeys.map(({ providerInfo }) => new TextDecoder().decode(providerInfo));

/** Every key that is in the message opens it, and no other does. */
async function expectOpens(result: EncryptResult, regions: readonly string[]): Promise<void> {
  kms.reset();
  for (const [i, region] of REGIONS.entries()) {
    const reader = awsKmsKeyring({ keyIds: [ARNS[i]!], clientSupplier: kms.clientSupplier });
    const opened = await decrypt(result.ciphertext, { keyring: reader }).catch((error) => error.code);
    expect(opened.plaintext ?? opened).toEqual(regions.includes(region) ? bytes(9) : 'NO_DATA_KEY');
  }
}

const OUT_OF_REACH: readonly (readonly [string, Behaviour])[] = [
  ['a timeout', 'hang'],
  ['a refused connection', named('Error', undefined, 'ECONNREFUSED')],
  ['a reset connection', named('Error', undefined, 'ECONNRESET')],
  ['a name that is not found', named('Error', undefined, 'ENOTFOUND')],
  ['a timeout of the client', named('TimeoutError')],
  ['a network error of fetch', Object.assign(new TypeError('fetch failed'))],
  ['throttling', named('ThrottlingException', 400)],
  ['HTTP 429', named('SomethingElse', 429)],
  ['HTTP 500', named('KMSInternalException', 500)],
  ['HTTP 503', named('DependencyTimeoutException', 503)],
  ['a fault of the service by name alone', named('KeyUnavailableException')],
  ['throttling by name alone', named('ThrottlingException')],
];
const NOT_OUT_OF_REACH: readonly (readonly [string, Behaviour])[] = [
  ['AccessDenied', named('AccessDeniedException', 400)],
  ['Disabled', named('DisabledException', 400)],
  ['NotFound', named('NotFoundException', 400)],
  ['pending deletion', named('KMSInvalidStateException', 400)],
  ['a fault of the service with HTTP 400', named('KMSInternalException', 400)],
  ['a quota', named('LimitExceededException', 400)],
  ['expired credentials', named('ExpiredTokenException', 400)],
  ['missing credentials', named('CredentialsProviderError')],
  ['an error without name', new Error('something')],
  ['a defect of the client', new TypeError('x is not a function')],
  ['a certificate', named('Error', undefined, 'CERT_HAS_EXPIRED')],
  ['a wrong key', (output) => ({ ...output, KeyId: keyArn('us-east-1', 'other') })],
  ['no blob', ({ CiphertextBlob: _, ...output }) => output],
  ['no answer', () => undefined],
];

describe('without a quorum', () => {
  it.each([...OUT_OF_REACH, ...NOT_OUT_OF_REACH])('%s anywhere fails the encrypt', async (_, behaviour) => {
    for (const [i, region] of REGIONS.entries()) {
      kms.reset();
      kms.set(region, behaviour);
      const error = await failure(sealed(strict()));
      expect(['KMS_FAILED', 'TIMEOUT']).toContain(error.code);
      expect(error).toMatchObject({
        region,
        keyId: ARNS[i],
        operation: i === 0 ? 'GenerateDataKey' : 'Encrypt',
      });
      expect(kms.calls).toHaveLength(i === 0 ? 1 : 3);
    }
  });

  it('all wraps are tried, and the error names each key that failed', async () => {
    kms.set('us-west-2', named('DisabledException', 400));
    kms.set('eu-west-1', 'hang');
    const error = await failure(sealed(strict()));
    expect(error.code).toBe('KMS_FAILED');
    expect(error.message).toContain('2 keys could not wrap the data key');
    for (const part of [
      ARNS[1]!,
      'us-west-2',
      'DisabledException',
      ARNS[2]!,
      'eu-west-1',
      'attemptTimeoutMs',
    ]) {
      expect(error.message).toContain(part);
    }
    expect((error.cause as AggregateError).errors).toHaveLength(2);
    expect(error.message).not.toContain('quorum');
  });

  it('wipes the data key that could not be wrapped, and every copy that it has lent', async () => {
    kms.set('eu-west-1', named('DisabledException', 400));
    const wiped: string[] = [];
    const fill = vi.spyOn(Uint8Array.prototype, 'fill').mockImplementation(function (
      this: Uint8Array,
      value,
    ) {
      wiped.push(this.join());
      for (let i = 0; i < this.length; i++) this[i] = value;
      return this;
    });
    try {
      await failure(sealed(strict()));
    } finally {
      fill.mockRestore();
    }
    const dataKey = kms.calls[0]!.output!.Plaintext!.join();
    expect(wiped.filter((content) => content === dataKey)).toHaveLength(3);
  });

  it('keeps the reason of an abort, however many wraps it has ended', async () => {
    for (const region of REGIONS) kms.set(region, 'hang');
    const materials = {
      algorithmSuite: { keyLength: 32 },
      encryptionContext: {},
      encryptedDataKeys: [],
      plaintextDataKey: bytes(32),
    };
    for (const quorum of [undefined, TWO]) {
      const signal = AbortSignal.timeout(20);
      const error = await failure(strict({ quorum }).onEncrypt(materials as never, { signal }));
      expect([error.code, error.message, error.cause]).toEqual([
        'ABORTED',
        'aborted by the caller',
        signal.reason,
      ]);
    }
  });
});

describe('with a quorum of two of three', () => {
  it('misses nothing when nothing is missing', async () => {
    const result = await sealed(strict({ quorum: TWO }));
    expect(result.missingKeys).toEqual([]);
    expect(entries(result)).toEqual(ARNS);
    await expectOpens(result, REGIONS);
  });

  it.each(OUT_OF_REACH)('%s at one key is a missing key', async (_, behaviour) => {
    for (const [i, region] of REGIONS.entries()) {
      kms.reset();
      kms.set(region, behaviour);
      const result = await sealed(strict({ quorum: TWO }));
      const rest = REGIONS.filter((one) => one !== region);
      expect(result.missingKeys).toEqual([{ keyId: ARNS[i], region, error: expect.any(Error) }]);
      expect(result.missingKeys[0]!.error).toMatchObject({ region, keyId: ARNS[i] });
      expect(entries(result)).toEqual(ARNS.filter((arn) => arn !== ARNS[i]));
      const generators = kms.calls.filter(({ operation }) => operation === 'GenerateDataKey');
      expect(generators.map((call) => call.region)).toEqual(i === 0 ? REGIONS.slice(0, 2) : ['us-east-1']);
      await expectOpens(result, rest);
    }
  });

  it.each(NOT_OUT_OF_REACH)('%s at one key fails the encrypt', async (_, behaviour) => {
    for (const [i, region] of REGIONS.entries()) {
      kms.reset();
      kms.set(region, behaviour);
      const error = await failure(sealed(strict({ quorum: TWO })));
      expect(error).toMatchObject({ code: 'KMS_FAILED', region, keyId: ARNS[i] });
    }
  });

  it('fails when two keys are out of reach, and names both', async () => {
    kms.set('us-east-1', 'hang');
    kms.set('eu-west-1', named('ThrottlingException', 400));
    const error = await failure(sealed(strict({ quorum: TWO })));
    expect(error.message).toContain('2 keys could not wrap the data key (quorum: at least 2 of 3)');
    for (const part of [ARNS[0]!, ARNS[2]!]) expect(error.message).toContain(part);
    expect(error.message).not.toContain(ARNS[1]);
    kms.reset();
    kms.set('us-east-1', 'hang');
    kms.set('us-west-2', 'hang');
    expect(await failureCode(sealed(strict({ quorum: TWO })))).toBe('TIMEOUT');
    expect(kms.log).toEqual(['GenerateDataKey us-east-1', 'GenerateDataKey us-west-2']);
  });

  it('one key out of reach and another forbidden is a failure, even if the quorum is met', async () => {
    kms.set('us-west-2', 'hang');
    kms.set('eu-west-1', named('AccessDeniedException', 400));
    expect(await failureCode(sealed(strict({ quorum: { atLeast: 1 } })))).toBe('KMS_FAILED');
  });

  it('one of three: the last key generates when the others are gone', async () => {
    kms.set('us-east-1', named('KMSInternalException', 500));
    kms.set('us-west-2', 'hang');
    const result = await sealed(strict({ quorum: { atLeast: 1 } }));
    expect(result.missingKeys.map(({ keyId }) => keyId)).toEqual(ARNS.slice(0, 2));
    expect(entries(result)).toEqual([ARNS[2]]);
    expect(kms.log).toEqual(REGIONS.map((region) => `GenerateDataKey ${region}`));
    await expectOpens(result, ['eu-west-1']);
  });

  it.each([
    [0, 'GenerateDataKey'],
    [2, 'Encrypt'],
  ] as const)('mustInclude: key %i must not be missing', async (i, operation) => {
    const keyring = strict({ quorum: { atLeast: 1, mustInclude: [ARNS[i]!] } });
    kms.set(REGIONS[i], named('ThrottlingException', 400));
    expect(await failure(sealed(keyring))).toMatchObject({ code: 'KMS_FAILED', operation, keyId: ARNS[i] });
    kms.reset();
    kms.set('us-west-2', named('ThrottlingException', 400));
    expect((await sealed(keyring)).missingKeys).toHaveLength(1);
  });

  it('wipes a data key that comes late', async () => {
    const ours = new FakeKms(true);
    let answer: (() => void) | undefined;
    ours.set('us-east-1', (output) => new Promise((resolve) => (answer = () => resolve(output))));
    const result = await sealed(strict({ quorum: TWO, clientSupplier: ours.clientSupplier }));
    expect(entries(result)).toEqual(ARNS.slice(1));
    const late = ours.calls[0]!.output!.Plaintext!;
    expect(late).not.toEqual(new Uint8Array(32));
    answer!();
    await new Promise((resolve) => setTimeout(resolve, 0));
    expect(late).toEqual(new Uint8Array(32));
  });

  it('deadlineMs bounds the encrypt; keys that it cuts off are missing', async () => {
    kms.set('eu-west-1', 'hang');
    const options = { attemptTimeoutMs: 2 ** 31 - 1, deadlineMs: 80 };
    const { missingKeys } = await sealed(strict({ ...options, quorum: TWO }));
    expect(missingKeys.map(({ error }) => (error as Error).message)[0]).toContain('deadlineMs');
    kms.set('us-east-1', 'hang');
    const error = await failure(sealed(strict({ ...options, quorum: TWO })));
    expect([error.code, error.message]).toEqual(['TIMEOUT', expect.stringContaining('deadlineMs')]);
  });

  it('an abort is no missing key', async () => {
    kms.set('eu-west-1', 'hang');
    const options = { ...FAST, keyring: strict({ quorum: TWO, attemptTimeoutMs: 5000 }) };
    const error = await failure(encrypt(bytes(9), { ...options, signal: AbortSignal.timeout(40) }));
    expect(error.code).toBe('ABORTED');
    kms.set('us-east-1', 'hang');
    expect(await failureCode(encrypt(bytes(9), { ...options, signal: AbortSignal.timeout(40) }))).toBe(
      'ABORTED',
    );
  });

  it('serves awsKmsMrkKeyring too', async () => {
    kms.set('us-east-1', 'hang');
    const keyring = awsKmsMrkKeyring({
      generatorKeyId: ARNS[0],
      keyIds: ARNS.slice(1),
      clientSupplier: kms.clientSupplier,
      attemptTimeoutMs: 60,
      quorum: TWO,
    });
    expect((await sealed(keyring)).missingKeys).toMatchObject([{ keyId: ARNS[0], region: 'us-east-1' }]);
  });

  it('counts a key and its alias once', async () => {
    const aliasArn = ARNS[0]!.replace(/key\/.*/, 'alias/app');
    const clientSupplier = (region: string | undefined) => {
      const api = kms.clientSupplier(region) as never as Record<string, (...all: never[]) => Promise<object>>;
      const named = async (output: Promise<object>) => ({ ...(await output), KeyId: ARNS[0] });
      return {
        generateDataKey: (...all: never[]) => named(api.generateDataKey!(...all)),
        encrypt: (...all: never[]) => named(api.encrypt!(...all)),
        decrypt: api.decrypt!,
      } as never;
    };
    const keys = { keyIds: [aliasArn, keyArn('eu-west-1')], clientSupplier };
    kms.set('eu-west-1', 'hang');
    expect(await failureCode(sealed(strict({ ...keys, quorum: TWO })))).toBe('INVALID_ARGUMENT');
    const two = { ...keys, keyIds: [aliasArn] };
    expect(await failureCode(sealed(strict({ ...two, quorum: TWO })))).toBe('INVALID_ARGUMENT');
    expect((await sealed(strict(two))).missingKeys).toEqual([]);
    expect((await sealed(strict({ ...keys, quorum: { atLeast: 1 } }))).missingKeys).toHaveLength(1);
  });

  it('names a bare id without a region', async () => {
    kms.set(undefined as never, named('ThrottlingException', 400));
    const { missingKeys } = await sealed(strict({ keyIds: ['alias/app', ARNS[1]!], quorum: TWO }));
    expect(missingKeys).toEqual([{ keyId: 'alias/app', error: expect.any(Error) }]);
  });
});

describe('options', () => {
  it.each([
    ['0', { atLeast: 0 }],
    ['more than there are', { atLeast: 4 }],
    ['a fraction', { atLeast: 1.5 }],
    ['NaN', { atLeast: Number.NaN }],
    ['a text', { atLeast: '2' }],
    ['nothing', {}],
    ['a misspelt name', { atLeast: 2, mustinclude: [] }],
    ['a key that is not configured', { atLeast: 2, mustInclude: [keyArn('sa-east-1')] }],
    ['undefined as a key', { atLeast: 2, mustInclude: [undefined] }],
    ['keys that are text', { atLeast: 2, mustInclude: ARNS[0] }],
  ])('a quorum of %s is refused', async (_, quorum) => {
    expect(await failureCode(() => strict({ quorum: quorum as never }))).toBe('INVALID_ARGUMENT');
  });

  it('a quorum that is no object, or over a key twice, is refused', async () => {
    expect(await failureCode(() => strict({ quorum: 2 as never }))).toBe('INVALID_ARGUMENT');
    expect(await failureCode(() => strict({ quorum: TWO, keyIds: [ARNS[1]!, ARNS[1]!] }))).toBe(
      'INVALID_ARGUMENT',
    );
    expect(await failureCode(() => strict({ quorum: TWO, keyIds: [ARNS[0]!] }))).toBe('INVALID_ARGUMENT');
    strict({ keyIds: [ARNS[1]!, ARNS[1]!] });
    strict({ quorum: { atLeast: 3, mustInclude: ARNS } });
  });
});

describe('in a multi-keyring', () => {
  const child = (quorum: Quorum): Keyring =>
    awsKmsKeyring({ keyIds: ARNS, clientSupplier: kms.clientSupplier, attemptTimeoutMs: 60, quorum });
  /** A caller's keyring around one of ours. */
  const around = (inner: Keyring): Keyring => ({
    onEncrypt: (...all) => inner.onEncrypt(...all),
    onDecrypt: (...all) => inner.onDecrypt(...all),
  });

  it.each([
    ['as generator', () => multiKeyring({ generator: strict({ quorum: TWO }), children: [aesKeyring()] })],
    ['as child', () => multiKeyring({ generator: aesKeyring(), children: [child(TWO)] })],
    [
      'as children, side by side',
      () => multiKeyring({ generator: aesKeyring(), children: [aesKeyring(2), child(TWO), aesKeyring(3)] }),
    ],
    [
      'nested',
      () => multiKeyring({ generator: aesKeyring(), children: [multiKeyring({ children: [child(TWO)] })] }),
    ],
    ['as generator in a caller’s', () => multiKeyring({ generator: around(strict({ quorum: TWO })) })],
    [
      'as child in a caller’s',
      () => multiKeyring({ generator: aesKeyring(), children: [around(child(TWO)), aesKeyring(2)] }),
    ],
  ])('%s: its missing keys arrive in the result', async (_, keyring) => {
    kms.set('us-west-2', 'hang');
    const { missingKeys } = await sealed(keyring());
    expect(missingKeys).toMatchObject([{ keyId: ARNS[1], region: 'us-west-2' }]);
  });

  it('those of several keyrings, each once', async () => {
    kms.set('us-west-2', 'hang');
    const keyring = multiKeyring({
      generator: strict({ quorum: TWO }),
      children: [around(child(TWO)), child(TWO), child(TWO), around(aesKeyring())],
    });
    const { missingKeys } = await sealed(keyring);
    expect(missingKeys.map(({ keyId }) => keyId)).toEqual([ARNS[1], ARNS[1], ARNS[1], ARNS[1]]);
  });

  it('other keyrings must succeed all the same', async () => {
    const broken: Keyring = {
      onEncrypt: () => Promise.reject(new Error('disk full')),
      onDecrypt: async (materials) => materials,
    };
    const keyring = multiKeyring({ generator: strict({ quorum: { atLeast: 1 } }), children: [broken] });
    await expect(sealed(keyring)).rejects.toThrow('disk full');
  });
});

describe('against the local KMS', () => {
  let local: LocalKms;
  let arns: string[];
  beforeAll(async () => {
    local = await startLocalKms({ regions: REGIONS, clientOptions: { maxAttempts: 1 } });
    arns = [];
    for (const region of REGIONS) arns.push((await local.createKey({ region })).arn);
    await sealed(keyring({ attemptTimeoutMs: 10_000 })); // the first call loads the SDK
  });
  afterAll(() => local.close());
  beforeEach(() => {
    for (const region of REGIONS) local.setFault(region, null);
    local.requests.length = 0;
  });
  const keyring = (options: AwsKmsKeyringOptions = {}) =>
    awsKmsKeyring({
      generatorKeyId: arns[0],
      keyIds: arns.slice(1),
      clientSupplier: local.clientSupplier,
      quorum: TWO,
      attemptTimeoutMs: 500,
      ...options,
    });

  it.each([
    ['down', { kind: 'down' }],
    ['a black hole', { kind: 'black-hole' }],
    ['throttled', { kind: 'throttle' }],
    ['failing with 500', { kind: 'error', name: 'KMSInternalException' }],
    ['answering HTML with 503', { kind: 'html' }],
    ['resetting connections', { kind: 'reset' }],
    ['cutting bodies off', { kind: 'truncate' }],
    ['hanging in the body', { kind: 'hang-body' }],
  ] as const)('a region that is %s is missing', async (_, fault) => {
    for (const [i, region] of REGIONS.entries()) {
      local.setFault(region, fault);
      const { missingKeys, ciphertext } = await sealed(keyring());
      expect(missingKeys).toMatchObject([{ keyId: arns[i], region }]);
      const rest = awsKmsKeyring({
        keyIds: arns.filter((arn) => arn !== arns[i]),
        clientSupplier: local.clientSupplier,
      });
      expect((await decrypt(ciphertext, { keyring: rest })).plaintext).toEqual(bytes(9));
      local.setFault(region, null);
    }
  });

  it.each([
    ['forbidden', { kind: 'error', name: 'AccessDeniedException' }],
    ['disabled', { kind: 'error', name: 'DisabledException' }],
    ['not found', { kind: 'error', name: 'NotFoundException' }],
    ['answering garbage with 200', { kind: 'garbage' }],
    ['answering for another key', { kind: 'wrong-key-id' }],
  ] as const)('a key that is %s fails the encrypt', async (_, fault) => {
    for (const [i, region] of REGIONS.entries()) {
      local.setFault(region, fault);
      const error = await failure(sealed(keyring()));
      expect(error).toMatchObject({ code: 'KMS_FAILED', region, keyId: arns[i] });
      local.setFault(region, null);
    }
  });
});
