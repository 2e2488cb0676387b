import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { KMSClient } from '@aws-sdk/client-kms';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { decrypt, encrypt, type Keyring } from '../../../src/index.ts';
import { fetchKmsClient } from '../../../src/keyring/aws-kms/fetch.ts';
import {
  awsKmsKeyring,
  awsKmsMrkDiscoveryKeyring,
  type KmsApi,
  type KmsCall,
} from '../../../src/keyring/aws-kms/index.ts';
import { type FaultKind, type LocalKms, startLocalKms } from '../../../src/local-kms/index.ts';
import { bytes, failure } from '../../support/messages.ts';

process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';

const REGIONS = ['us-east-1', 'us-west-2'] as const;
const FAST = { algorithmSuite: 0x0478 } as const;
const FAULTS: readonly { kind: FaultKind; name?: string }[] = [
  { kind: 'throttle' },
  { kind: 'error', name: 'ExpiredTokenException' },
  { kind: 'error', name: 'KMSInternalException' },
  { kind: 'html' },
  { kind: 'garbage' },
  { kind: 'truncate' },
  { kind: 'hang-body' },
  { kind: 'reset' },
  { kind: 'down' },
  { kind: 'black-hole' },
  { kind: 'wrong-key-id' },
  { kind: 'wrong-length' },
  { kind: 'missing-plaintext' },
];

/** Milliseconds: enough for a region that answers. */
const TIMEOUT = 400;

let kms: LocalKms;
let arns: string[];
let ciphertext: Uint8Array;
/** The message's data key, as it would show in an answer or in a dump of bytes. */
let canaries: string[];

beforeAll(async () => {
  kms = await startLocalKms({ regions: REGIONS, clientOptions: { maxAttempts: 1 } });
  arns = [];
  for (const region of REGIONS) arns.push((await kms.createKey({ region })).arn);
  const inner = keyring(10_000); // the first call loads the SDK
  let dataKey = new Uint8Array();
  const spy: Keyring = {
    ...inner,
    onEncrypt: async (...all) => {
      const materials = await inner.onEncrypt(...all);
      dataKey = materials.plaintextDataKey!.slice();
      return materials;
    },
  };
  ciphertext = (await encrypt(bytes(9), { ...FAST, keyring: spy })).ciphertext;
  const start = dataKey.subarray(0, 9);
  const buffer = Buffer.from(start);
  canaries = [buffer.toString('base64'), buffer.toString('hex'), buffer.toString('latin1'), start.join(', ')];
  canaries.push(inspect(buffer).slice(8, -1));
});
afterAll(() => kms.close());

const keyring = (attemptTimeoutMs = TIMEOUT) =>
  awsKmsKeyring({
    generatorKeyId: arns[0],
    keyIds: arns.slice(1),
    clientSupplier: kms.clientSupplier,
    attemptTimeoutMs,
  });

function everything(error: unknown): string {
  return inspect(error, { depth: 20, showHidden: true, maxArrayLength: null, maxStringLength: null });
}

describe('errors name operation, region and key, and never show a data key', () => {
  it('the search finds a key that is there', () => {
    const leaky = Object.assign(new Error('x'), { cause: { deep: [canaries[0]] } });
    expect(canaries.some((canary) => everything(leaky).includes(canary))).toBe(true);
  });

  it.each(FAULTS)('decrypt: $kind $name', async (fault) => {
    for (const region of REGIONS) kms.setFault(region, fault);
    const calls: KmsCall[] = [];
    const options = { clientSupplier: kms.clientSupplier, attemptTimeoutMs: TIMEOUT };
    const onKmsCall = (call: KmsCall) => calls.push(call);
    for (const one of [
      awsKmsKeyring({ keyIds: arns, ...options, onKmsCall }),
      awsKmsMrkDiscoveryKeyring({ regions: REGIONS, discoveryFilter: 'any-account', ...options, onKmsCall }),
    ]) {
      const error = await failure(decrypt(ciphertext, { keyring: one }));
      expect(error.code).toBe('NO_DATA_KEY');
      expect(error.attempts.map(({ keyName }) => keyName)).toEqual(arns);
      for (const [i, region] of REGIONS.entries()) {
        expect(error.attempts[i]!.reason).toContain(`KMS Decrypt in ${region} for ${arns[i]}`);
      }
      const shown = everything([error, calls]);
      for (const canary of canaries) expect(shown).not.toContain(canary);
    }
    expect(calls).toHaveLength(4);
    for (const region of REGIONS) kms.setFault(region, null);
  });

  it.each(FAULTS)('encrypt: $kind $name', async (fault) => {
    kms.setFault('us-west-2', fault);
    const shown = everything(
      await encrypt(bytes(9), { ...FAST, keyring: keyring() }).then(
        () => 'it was done',
        (error) => error,
      ),
    );
    // These two change nothing in an answer of Encrypt.
    const harmless = ['wrong-length', 'missing-plaintext'].includes(fault.kind);
    if (harmless) expect(shown).toContain('it was done');
    else expect(shown).toContain(`KMS Encrypt in us-west-2 for ${arns[1]}`);
    kms.setFault('us-west-2', null);
  });

  it.each([
    ['JSON with a comma too many', (key: string) => `{"KeyId":"${arns[0]}","Plaintext":"${key}",}`],
    ['a text before it', (key: string) => `OK {"Plaintext":"${key}"}`],
    ['the key as a name', (key: string) => `{"Plaintext":{"${key}":1}}`],
    ['the key alone', (key: string) => JSON.stringify(key)],
    ['the key in an array', (key: string) => JSON.stringify([key])],
    ['the key in the wrong place', (key: string) => JSON.stringify({ KeyId: key, Plaintext: 'AAAA' })],
    ['a key of another length', (key: string) => JSON.stringify({ KeyId: arns[0], Plaintext: `${key}AAAA` })],
    [
      'base64 with a blank in it',
      (key: string) => JSON.stringify({ KeyId: arns[0], Plaintext: `${key} AAA` }),
    ],
  ])('an answer that is whole and wrong: %s', async (_, answer) => {
    const body = answer(canaries[0]!);
    const server = createServer((request, response) => {
      request.resume();
      response.writeHead(200, { 'content-type': 'application/x-amz-json-1.1' }).end(body);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { credentials } = kms;
    const client = new KMSClient({ region: 'us-east-1', endpoint, credentials, maxAttempts: 1 });
    onTestFinished(() => {
      client.destroy();
      server.closeAllConnections();
      server.close();
    });
    const overFetch = fetchKmsClient({ region: 'us-east-1', endpoint, credentials });
    for (const clientSupplier of [() => client, () => overFetch]) {
      const one = awsKmsKeyring({ keyIds: [arns[0]!], clientSupplier });
      const error = await failure(decrypt(ciphertext, { keyring: one }));
      expect(error.attempts[0]!.reason).toContain(`KMS Decrypt in us-east-1 for ${arns[0]}`);
      const shown = everything(error);
      for (const canary of canaries) expect(shown).not.toContain(canary);
    }
  });

  it.each([
    [
      'a parser’s that quotes it',
      (key: string) => new SyntaxError(`Unexpected token, "{"Plaintext":"${key}" is no JSON`),
    ],
    [
      'one with its text attached',
      (key: string) => Object.defineProperty(new Error('x'), '$responseBodyText', { value: key }),
    ],
    [
      'one with the response attached',
      (key: string) =>
        Object.defineProperty(new TypeError(`bad base64 ${key}`), '$response', {
          value: { statusCode: 200, body: key },
        }),
    ],
  ])('a client’s error that holds the answer is replaced: %s', async (_, make) => {
    const client: KmsApi = {
      generateDataKey: async () => ({}),
      encrypt: async () => ({}),
      decrypt: () => Promise.reject(make(canaries[0]!)),
    };
    const one = awsKmsKeyring({ keyIds: [arns[0]!], clientSupplier: () => client });
    const error = await failure(decrypt(ciphertext, { keyring: one }));
    expect(error.attempts[0]!.reason).toContain('failed: the answer is none that the client can read');
    expect(everything(error)).not.toContain(canaries[0]);
  });

  it('blobs that were swapped between entries', async () => {
    const { header } = await encrypt(bytes(9), { ...FAST, keyring: keyring() });
    const [first, second] = header.encryptedDataKeys;
    const swapped = [
      { ...first!, ciphertext: second!.ciphertext },
      { ...second!, ciphertext: first!.ciphertext },
    ];
    const materials = {
      algorithmSuite: { keyLength: 32 },
      encryptionContext: {},
      requiredEncryptionContextKeys: [],
    };
    const error = await failure(keyring().onDecrypt(materials as never, swapped, {}));
    expect(error.code).toBe('NO_DATA_KEY');
    expect(error.attempts).toHaveLength(2);
    for (const { reason } of error.attempts)
      expect(reason).toMatch(/IncorrectKey|InvalidCiphertext|AccessDenied/);
    expect((error.cause as AggregateError).errors.map(({ code }: { code: string }) => code)).toEqual([
      'KMS_FAILED',
      'KMS_FAILED',
    ]);
  });

  it('credentials that cannot be had, or have expired', async () => {
    for (const name of ['CredentialsProviderError', 'ExpiredTokenException']) {
      const without: KmsApi = {
        generateDataKey: () => Promise.reject(Object.assign(new Error('no credentials'), { name })),
        encrypt: async () => ({}),
        decrypt: async () => ({}),
      };
      const one = awsKmsKeyring({ generatorKeyId: arns[0], clientSupplier: () => without });
      const error = await failure(encrypt(bytes(9), { keyring: one }));
      expect(error).toMatchObject({
        code: 'KMS_FAILED',
        operation: 'GenerateDataKey',
        region: 'us-east-1',
        keyId: arns[0],
        cause: { name, message: 'no credentials' },
      });
    }
  });
});
