import { DecryptCommand, EncryptCommand, GenerateDataKeyCommand, type KMSClient } from '@aws-sdk/client-kms';
import { beforeEach, describe, expect, test } from 'vitest';
import type { LocalKms } from '../../src/local-kms/index.ts';
import { clientOf, EAST, failureOf, sharedClient, start } from './helpers.ts';

let kms: LocalKms;
let client: KMSClient;
let arn: string;

beforeEach(async () => {
  kms = await start();
  client = await clientOf(kms);
  ({ arn } = await kms.createKey({ region: EAST, alias: 'one' }));
});

const dataKey = (from: KMSClient = client, KeyId = arn) =>
  from.send(new GenerateDataKeyCommand({ KeyId, NumberOfBytes: 32 }));

const opened = (CiphertextBlob: Uint8Array | undefined) =>
  client.send(new DecryptCommand({ CiphertextBlob }));

describe('errors', () => {
  test('throttle for the next calls only', async () => {
    kms.setFault(EAST, { kind: 'throttle', times: 2 });
    const throttled = { name: 'ThrottlingException', message: 'Rate exceeded', status: 400 };
    expect(await failureOf(dataKey())).toEqual(throttled);
    expect(await failureOf(dataKey())).toEqual(throttled);
    expect((await dataKey()).KeyId).toBe(arn);
    expect(kms.requests.map(({ outcome }) => outcome)).toEqual([
      'ThrottlingException',
      'ThrottlingException',
      'ok',
    ]);
  });

  test.each([
    ['KMSInternalException', 500],
    ['KeyUnavailableException', 500],
    ['DependencyTimeoutException', 503],
    ['AccessDeniedException', 400],
    ['ExpiredTokenException', 400],
  ])('error %s has status %i', async (name, status) => {
    kms.setFault(EAST, { kind: 'error', name, message: 'as asked' });
    expect(await failureOf(dataKey())).toEqual({ name, message: 'as asked', status });
    expect(kms.requests.at(-1)?.outcome).toBe(name);
  });

  test('an SDK that retries gets over one internal error; the log has both attempts', async () => {
    kms.setFault(EAST, { kind: 'error', name: 'KMSInternalException', times: 1 });
    await dataKey(sharedClient(kms, { maxAttempts: 3 }));
    expect(kms.requests.map(({ attempt, outcome }) => [attempt, outcome])).toEqual([
      [1, 'KMSInternalException'],
      [2, 'ok'],
    ]);
  });

  test.each([
    ['garbage', 200],
    ['html', 503],
  ] as const)('%s is no KMS answer', async (kind, status) => {
    kms.setFault(EAST, { kind });
    const error = (await dataKey().catch((thrown: unknown) => thrown)) as Error & {
      $response?: { statusCode: number };
    };
    expect(error).toBeInstanceOf(SyntaxError);
    expect(error.$response?.statusCode).toBe(status);
    expect(kms.requests.at(-1)?.outcome).toBe(kind);
  });
});

describe('credentials and clocks', () => {
  test('expired-credentials', async () => {
    kms.setFault(EAST, { kind: 'expired-credentials', times: 1 });
    expect(await failureOf(dataKey())).toEqual({
      name: 'ExpiredTokenException',
      message: 'The security token included in the request is expired',
      status: 400,
    });
    expect(kms.requests[0]?.outcome).toBe('ExpiredTokenException');
    expect((await dataKey()).KeyId).toBe(arn);
  });

  test.each([
    [600_000, 'Signature expired:'],
    [-600_000, 'Signature not yet current:'],
  ])('clock-skew of %i ms', async (skewMs, message) => {
    kms.setFault(EAST, { kind: 'clock-skew', skewMs });
    const failure = await failureOf(dataKey());
    expect(failure).toMatchObject({ name: 'InvalidSignatureException', status: 400 });
    expect(failure.message).toContain(message);
  });

  test('an SDK that corrects its clock by the date header gets over a skew', async () => {
    kms.setFault(EAST, { kind: 'clock-skew', skewMs: 600_000 });
    expect((await dataKey(sharedClient(kms, { maxAttempts: 2 }))).KeyId).toBe(arn);
    expect(kms.requests.map(({ outcome }) => outcome)).toEqual(['InvalidSignatureException', 'ok']);
  });
});

describe('wrong answers', () => {
  test('wrong-key-id names another key, in a well-formed ARN', async () => {
    const mrk = await kms.createKey({ region: EAST, multiRegion: true });
    kms.setFault(EAST, { kind: 'wrong-key-id' });
    const single = await dataKey();
    expect(single.KeyId).not.toBe(arn);
    expect(single.KeyId).toMatch(/^arn:aws:kms:us-east-1:000000000000:key\/[0-9a-f-]{36}$/);
    const multi = await dataKey(client, mrk.arn);
    expect(multi.KeyId).not.toBe(mrk.arn);
    expect(multi.KeyId).toMatch(/key\/mrk-[0-9a-f]{32}$/);
  });

  test('wrong-length and missing-plaintext', async () => {
    const { CiphertextBlob } = await dataKey();
    const decrypt = () => client.send(new DecryptCommand({ CiphertextBlob }));
    kms.setFault(EAST, { kind: 'wrong-length' });
    expect((await dataKey()).Plaintext).toHaveLength(31);
    expect((await decrypt()).Plaintext).toHaveLength(31);
    kms.setFault(EAST, { kind: 'missing-plaintext' });
    expect((await dataKey()).Plaintext).toBeUndefined();
    expect((await decrypt()).Plaintext).toBeUndefined();
    expect(kms.requests.at(-1)?.outcome).toBe('missing-plaintext');
  });

  test('empty-blob', async () => {
    kms.setFault(EAST, { kind: 'empty-blob' });
    const answer = await dataKey();
    expect(answer.CiphertextBlob).toHaveLength(0);
    expect(answer.Plaintext).toHaveLength(32);
  });

  test('missing-blob', async () => {
    kms.setFault(EAST, { kind: 'missing-blob' });
    const answer = await dataKey();
    expect(answer).not.toHaveProperty('CiphertextBlob');
    expect(answer.Plaintext).toHaveLength(32);
  });

  test('blob-swap answers a blob of another key that opens to something else', async () => {
    kms.setFault(EAST, { kind: 'blob-swap' });
    const alone = await dataKey();
    expect(kms.requests.at(-1)?.outcome).toBe('ok');
    expect(await opened(alone.CiphertextBlob)).toMatchObject({ KeyId: arn, Plaintext: alone.Plaintext });
    const other = await kms.createKey({ region: EAST });
    const swapped = await dataKey();
    expect(swapped.KeyId).toBe(arn);
    const { KeyId, Plaintext } = await opened(swapped.CiphertextBlob);
    expect(KeyId).toBe(other.arn);
    expect(Plaintext).toHaveLength(32);
    expect(Plaintext).not.toEqual(swapped.Plaintext);
    const named = new DecryptCommand({ CiphertextBlob: swapped.CiphertextBlob, KeyId: arn });
    expect((await failureOf(client.send(named))).name).toBe('IncorrectKeyException');
  });

  test('blob-swap keeps the length and the encryption context of what was encrypted', async () => {
    await kms.createKey({ region: EAST });
    kms.setFault(EAST, { kind: 'blob-swap', operation: 'Encrypt' });
    const EncryptionContext = { a: 'b' };
    const { CiphertextBlob } = await client.send(
      new EncryptCommand({ KeyId: arn, Plaintext: new Uint8Array(7), EncryptionContext }),
    );
    const open = new DecryptCommand({ CiphertextBlob, EncryptionContext });
    expect((await client.send(open)).Plaintext).toHaveLength(7);
  });

  test('an answer without the member is left alone and does not count', async () => {
    kms.setFault(EAST, { kind: 'missing-plaintext', times: 1 });
    await client.send(new EncryptCommand({ KeyId: arn, Plaintext: new Uint8Array(1) }));
    expect(kms.requests.at(-1)?.outcome).toBe('ok');
    expect((await dataKey()).Plaintext).toBeUndefined();
    expect((await dataKey()).Plaintext).toHaveLength(32);
  });
});
