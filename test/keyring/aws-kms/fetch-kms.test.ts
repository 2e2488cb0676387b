import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { decrypt, encrypt } from '../../../src/index.ts';
import {
  awsKmsDiscoveryKeyring,
  awsKmsKeyring,
  awsKmsMrkDiscoveryKeyring,
  awsKmsMrkKeyring,
  type FetchKmsClientOptions,
  fetchKmsClient,
  limitRegions,
  type SigningRequest,
} from '../../../src/keyring/aws-kms/fetch.ts';
import { awsKmsKeyring as withSdk } from '../../../src/keyring/aws-kms/index.ts';
import { type LocalKms, startLocalKms } from '../../../src/local-kms/index.ts';
import { bytes, failure, failureCode } from '../../support/messages.ts';
import { FakeKms, keyArn } from './fake-kms.ts';

process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';

const REGIONS = ['us-east-1', 'eu-west-1', 'cn-north-1'] as const;
const FAST = { algorithmSuite: 0x0478 } as const;
let kms: LocalKms;
let arns: string[];
/** Multi-Region, in the first two regions. */
let replicas: string[];

beforeAll(async () => {
  kms = await startLocalKms({ regions: REGIONS, clientOptions: { maxAttempts: 1 } });
  arns = [];
  for (const region of REGIONS) arns.push((await kms.createKey({ region })).arn);
  const { arn } = await kms.createKey({ region: REGIONS[0], multiRegion: true });
  replicas = [arn, (await kms.replicateKey({ arn, region: REGIONS[1] })).arn];
});
afterAll(() => kms.close());
beforeEach(() => {
  for (const region of REGIONS) kms.setFault(region, null);
  kms.requests.length = 0;
});

const supplier =
  (options: Partial<FetchKmsClientOptions> = {}) =>
  (region = 'us-east-1') =>
    fetchKmsClient({
      region,
      credentials: kms.credentials,
      endpoint: kms.regionEndpoint(region),
      ...options,
    });
const keyring = (options: Partial<FetchKmsClientOptions> = {}, attemptTimeoutMs = 5000) =>
  awsKmsKeyring({
    generatorKeyId: arns[0],
    keyIds: arns.slice(1),
    clientSupplier: supplier(options),
    attemptTimeoutMs,
  });
const encryptionContext = { tenant: 'a', ключ: '\u{1F600}', ' spaces  and "quotes" ': '\\' };

describe('fetchKmsClient', () => {
  it('does what the SDK does: all three operations, signed, in every partition', async () => {
    const { ciphertext } = await encrypt(bytes(9), { keyring: keyring(), encryptionContext });
    expect(kms.requests.map(({ operation, outcome }) => `${operation} ${outcome}`)).toEqual([
      'GenerateDataKey ok',
      'Encrypt ok',
      'Encrypt ok',
    ]);
    const sdk = withSdk({ keyIds: arns.slice(0, 1), clientSupplier: kms.clientSupplier });
    expect((await decrypt(ciphertext, { keyring: sdk })).plaintext).toEqual(bytes(9));
    const other = await encrypt(bytes(9), {
      keyring: withSdk({ generatorKeyId: arns[2], clientSupplier: kms.clientSupplier }),
      encryptionContext,
    });
    expect((await decrypt(other.ciphertext, { keyring: keyring() })).plaintext).toEqual(bytes(9));
    expect(kms.requests.at(-1)).toMatchObject({ operation: 'Decrypt', region: 'cn-north-1', outcome: 'ok' });
  });

  it('serves all keyrings of its entry point', async () => {
    const clientSupplier = supplier();
    const mrk = awsKmsMrkKeyring({ generatorKeyId: replicas[0], clientSupplier });
    const { ciphertext } = await encrypt(bytes(9), { ...FAST, keyring: mrk });
    const filter = { discoveryFilter: 'any-account' as const, clientSupplier };
    for (const one of [
      awsKmsDiscoveryKeyring({ regions: ['us-east-1'], ...filter }),
      awsKmsMrkDiscoveryKeyring({ regions: ['eu-west-1'], ...filter }),
      awsKmsMrkKeyring({
        keyIds: [replicas[1]!],
        clientSupplier: limitRegions(clientSupplier, ['eu-west-1']),
      }),
    ]) {
      expect((await decrypt(ciphertext, { keyring: one })).plaintext).toEqual(bytes(9));
    }
  });

  it('signs a session token, and names the library', async () => {
    const requests: RequestInit[] = [];
    const options = {
      credentials: kms.issueCredentials({ lifetimeMs: 600_000 }),
      fetch: async (url: string | URL | Request, init?: RequestInit) => {
        requests.push(init!);
        return fetch(url, init);
      },
    };
    await encrypt(bytes(9), { ...FAST, keyring: keyring(options) });
    const headers = new Headers(requests[0]!.headers);
    expect(headers.get('x-amz-security-token')).toBe(options.credentials.sessionToken);
    expect(headers.get('authorization')).toMatch(
      /SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target;x-amz-user-agent,/,
    );
    expect(headers.get('x-amz-user-agent')).toMatch(/^frameseal\/\d/);
    expect(requests[0]!.redirect).toBe('manual');
    expect(kms.requests.map(({ outcome }) => outcome)).toEqual(['ok', 'ok', 'ok']);
  });

  it('asks for credentials before each request, so that they can be renewed', async () => {
    let asked = 0;
    const credentials = async () => {
      asked++;
      return asked === 2 ? { ...kms.credentials, secretAccessKey: 'expired' } : kms.credentials;
    };
    const one = awsKmsKeyring({ generatorKeyId: arns[0], clientSupplier: supplier({ credentials }) });
    await encrypt(bytes(9), { ...FAST, keyring: one });
    const error = await failure(encrypt(bytes(9), { ...FAST, keyring: one }));
    expect(error).toMatchObject({ code: 'KMS_FAILED', cause: { name: 'InvalidSignatureException' } });
    await encrypt(bytes(9), { ...FAST, keyring: one });
    expect(asked).toBe(3);
  });

  it.each([
    ['none', () => undefined],
    ['empty ones', () => ({ accessKeyId: '', secretAccessKey: 's3cr3t' })],
    ['a session token that is no text', () => ({ ...kms.credentials, sessionToken: 7 })],
    ['a failure', () => Promise.reject(new Error('the vault is sealed'))],
  ])('credentials: %s is one typed error, which shows none', async (_, credentials) => {
    const error = await failure(
      encrypt(bytes(9), { keyring: keyring({ credentials: credentials as never }) }),
    );
    expect(error).toMatchObject({ code: 'KMS_FAILED', operation: 'GenerateDataKey', region: 'us-east-1' });
    expect(error.message).toMatch(/CredentialsError|vault/);
    expect(error.message + (error.cause as Error).stack).not.toContain('s3cr3t');
    expect(kms.requests).toEqual([]);
  });

  it('lets a caller sign', async () => {
    const seen: SigningRequest[] = [];
    const signer = async (request: SigningRequest) => {
      seen.push(request);
      return { ...request.headers, authorization: 'AWS4-HMAC-SHA256 none' };
    };
    const error = await failure(encrypt(bytes(9), { ...FAST, keyring: keyring({ signer }) }));
    expect(error.message).toContain('IncompleteSignatureException');
    expect(seen[0]).toMatchObject({
      method: 'POST',
      url: `${kms.regionEndpoint('us-east-1')}/`,
      region: 'us-east-1',
      credentials: kms.credentials,
    });
    expect(JSON.parse(seen[0]!.body)).toMatchObject({ KeyId: arns[0], NumberOfBytes: 32 });
  });

  it.each([
    ['throttling', { kind: 'throttle' }, 'ThrottlingException: Rate exceeded', true],
    [
      'a forbidden key',
      { kind: 'error', name: 'AccessDeniedException', message: 'no' },
      'AccessDenied',
      false,
    ],
    ['a fault of the service', { kind: 'error', name: 'KMSInternalException' }, 'KMSInternalException', true],
    ['HTML with 503', { kind: 'html' }, 'HTTP 503 without an error of KMS', true],
    ['garbage with 200', { kind: 'garbage' }, 'the answer is no JSON object', false],
    ['half a body', { kind: 'truncate' }, 'NetworkError: the request got no whole answer', true],
    ['a reset', { kind: 'reset' }, 'NetworkError: the request got no whole answer (', true],
    ['a closed port', { kind: 'down' }, '(ECONNREFUSED)', true],
    ['no answer', { kind: 'black-hole' }, 'attemptTimeoutMs', true],
    ['an answer that hangs', { kind: 'hang-body' }, 'attemptTimeoutMs', true],
    ['a wrong length', { kind: 'wrong-length' }, 'has 31 bytes', false],
    ['no plaintext', { kind: 'missing-plaintext' }, 'the answer has no Plaintext', false],
    ['no blob', { kind: 'empty-blob' }, 'the answer has no CiphertextBlob', false],
    ['another key', { kind: 'wrong-key-id' }, 'of another key', false],
  ] as const)(
    '%s: one typed error, one request, and the right answer to whether a quorum may miss it',
    async (_, fault, text, canMiss) => {
      await encrypt(bytes(9), { ...FAST, keyring: keyring() });
      kms.setFault('us-east-1', fault);
      kms.requests.length = 0;
      const error = await failure(encrypt(bytes(9), { ...FAST, keyring: keyring({}, 500) }));
      expect(error).toMatchObject({ region: 'us-east-1', keyId: arns[0], operation: 'GenerateDataKey' });
      expect(error.code).toBe(text === 'attemptTimeoutMs' ? 'TIMEOUT' : 'KMS_FAILED');
      expect(error.message).toContain(text);
      expect(kms.requests.length).toBe(fault.kind === 'down' ? 0 : 1);
      const quorum = awsKmsKeyring({
        generatorKeyId: arns[0],
        keyIds: arns.slice(1),
        clientSupplier: supplier(),
        attemptTimeoutMs: 500,
        quorum: { atLeast: 2 },
      });
      const missing = encrypt(bytes(9), { ...FAST, keyring: quorum }).then(
        ({ missingKeys }) => missingKeys.length,
      );
      expect(await missing.catch((one) => one.code)).toBe(canMiss ? 1 : 'KMS_FAILED');
    },
  );

  it('follows no redirect', async () => {
    const server = createServer((request, response) => {
      request.resume();
      response.writeHead(307, { location: kms.regionEndpoint('us-east-1') }).end();
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    onTestFinished(() => void server.close());
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const error = await failure(encrypt(bytes(9), { keyring: keyring({ endpoint }) }));
    expect(error.message).toContain('HTTP 307 without an error of KMS');
    expect(kms.requests).toEqual([]);
  });

  it('passes the signal on, also while credentials and signature are awaited', async () => {
    for (const options of [
      { credentials: () => new Promise<never>(() => {}) },
      { signer: () => new Promise<never>(() => {}) },
    ]) {
      const signal = AbortSignal.timeout(50);
      expect(await failureCode(encrypt(bytes(9), { keyring: keyring(options), signal }))).toBe('ABORTED');
    }
    const seen: (AbortSignal | null | undefined)[] = [];
    const hanging = keyring({
      fetch: (_, init) => {
        seen.push(init?.signal);
        return new Promise(() => {});
      },
    });
    const signal = AbortSignal.timeout(50);
    expect(await failureCode(encrypt(bytes(9), { keyring: hanging, signal }))).toBe('ABORTED');
    expect(seen.map((one) => one?.aborted)).toEqual([true]);
  });

  it.each(['credentials', 'signer'] as const)('sends no request after an abort: %s', async (name) => {
    const sent = vi.fn(async () => new Response());
    let release: (() => void) | undefined;
    const late = () =>
      new Promise<never>((resolve) => {
        release = () => resolve((name === 'credentials' ? kms.credentials : {}) as never);
      });
    const one = keyring({ [name]: late, fetch: sent as never });
    expect(await failureCode(encrypt(bytes(9), { keyring: one, signal: AbortSignal.timeout(30) }))).toBe(
      'ABORTED',
    );
    release!();
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(sent).not.toHaveBeenCalled();
  });

  it.each([
    ['us-east-1', 'https://kms.us-east-1.amazonaws.com/'],
    ['us-gov-west-1', 'https://kms.us-gov-west-1.amazonaws.com/'],
    ['cn-north-1', 'https://kms.cn-north-1.amazonaws.com.cn/'],
    ['eusc-de-east-1', 'https://kms.eusc-de-east-1.amazonaws.eu/'],
    ['us-iso-east-1', 'https://kms.us-iso-east-1.c2s.ic.gov/'],
    ['us-isob-east-1', 'https://kms.us-isob-east-1.sc2s.sgov.gov/'],
    ['eu-isoe-west-1', 'https://kms.eu-isoe-west-1.cloud.adc-e.uk/'],
    ['us-isof-south-1', 'https://kms.us-isof-south-1.csp.hci.ic.gov/'],
  ])('knows where %s is', async (region, expected) => {
    const urls: string[] = [];
    const client = fetchKmsClient({
      region,
      credentials: kms.credentials,
      fetch: async (url) => {
        urls.push(String(url));
        return new Response('{}');
      },
    });
    const input = { KeyId: 'alias/a', EncryptionContext: {}, NumberOfBytes: 32 };
    expect(await client.generateDataKey(input, { signal: new AbortController().signal })).toEqual({});
    expect(urls).toEqual([expected]);
  });

  it.each([
    ['no region', { region: undefined }],
    ['a region that is a host', { region: 'us-east-1.example.com' }],
    ['no credentials', { credentials: undefined }],
    ['credentials that are text', { credentials: 'AKID' }],
    ['plain HTTP to another machine', { endpoint: 'http://kms.example.com' }],
    ['an endpoint that is no URL', { endpoint: 'kms.us-east-1.amazonaws.com' }],
    ['an endpoint with a path', { endpoint: 'https://kms.example.com/path' }],
    ['an endpoint with a password', { endpoint: 'https://a:b@kms.example.com' }],
    ['an endpoint of files', { endpoint: 'file:///kms' }],
    ['a fetch that is no function', { fetch: 7 }],
    ['a signer that is no function', { signer: {} }],
    ['an option that it does not know', { retries: 3 }],
  ])('refuses %s', async (_, options) => {
    const all = { region: 'us-east-1', credentials: kms.credentials, ...options };
    expect(await failureCode(() => fetchKmsClient(all as never))).toBe('INVALID_ARGUMENT');
  });
});

describe('the entry point without the SDK', () => {
  it('reaches no file that names the AWS SDK, whether at once or later', () => {
    const reached = new Set<string>();
    const visit = (file: URL) => {
      if (reached.has(file.href)) return;
      reached.add(file.href);
      const text = readFileSync(file, 'utf8');
      expect(text).not.toMatch(/(from|import)\s*\(?\s*'@(aws-sdk|smithy)/);
      for (const [, path] of text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g))
        visit(new URL(path!, file));
    };
    visit(new URL('../../../src/keyring/aws-kms/fetch.ts', import.meta.url));
    const names = [...reached].map((href) => href.split('/').at(-1));
    expect(names).toEqual(expect.arrayContaining(['fetch-kms.ts', 'unwrap.ts', 'deadline.ts']));
    expect(names).not.toContain('sdk.ts');
    expect(names).not.toContain('kms-client.ts');
  });

  it('has no default client, and takes no KMSClient', async () => {
    expect(await failureCode(() => awsKmsKeyring({ generatorKeyId: arns[0] } as never))).toBe(
      'INVALID_ARGUMENT',
    );
    const sender = awsKmsKeyring({ generatorKeyId: arns[0], clientSupplier: kms.clientSupplier as never });
    const error = await failure(encrypt(bytes(9), { keyring: sender }));
    expect(error).toMatchObject({ code: 'KMS_FAILED', region: 'us-east-1' });
    expect(error.message).toContain('frameseal/aws-kms');
  });

  it('has the same keyrings', async () => {
    const fake = new FakeKms();
    const one = awsKmsKeyring({
      generatorKeyId: keyArn('us-east-1'),
      keyIds: [keyArn('eu-west-1')],
      clientSupplier: fake.clientSupplier,
      quorum: { atLeast: 1 },
      hedgeAfterMs: 10,
    });
    fake.set('eu-west-1', 'hang');
    expect(await failureCode(() => awsKmsMrkKeyring({ clientSupplier: fake.clientSupplier }))).toBe(
      'INVALID_ARGUMENT',
    );
    const signal = AbortSignal.timeout(50);
    expect(await failureCode(encrypt(bytes(9), { ...FAST, keyring: one, signal }))).toBe('ABORTED');
  });
});
