import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  DecryptCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  KMSClient,
} from '@aws-sdk/client-kms';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { type LocalKms, startLocalKms } from '../../src/local-kms/index.ts';
import { clientOf, EAST, failureOf, sharedClient, start, WEST } from './helpers.ts';

const dataKey = async (kms: LocalKms, KeyId: string, region = EAST) =>
  (await clientOf(kms, region)).send(
    new GenerateDataKeyCommand({ KeyId, NumberOfBytes: 32, EncryptionContext: { a: 'b' } }),
  );

const decrypt = async (kms: LocalKms, CiphertextBlob: Uint8Array | undefined) =>
  (await clientOf(kms)).send(new DecryptCommand({ CiphertextBlob, EncryptionContext: { a: 'b' } }));

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'local-kms-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

describe('start', () => {
  test.each([
    [{ regions: [] }],
    [{ regions: ['us-east-1', 'us-east-1'] }],
    [{ regions: ['US-EAST-1'] }],
    [{ regions: ['us-east-1.evil.example'] }],
    [{ regions: [EAST], accountId: '12' }],
    [{ regions: [EAST], port: 70_000 }],
    [{ regions: [EAST], maxRequests: 0 }],
    [{ regions: [EAST], replicaCreatingMs: -1 }],
    [{ regions: [EAST], primaryUpdateMs: -1 }],
    [{ regions: [EAST], rotationMs: Number.NaN }],
    [{ regions: [EAST], grantDelayMs: -1 }],
    [{ regions: [EAST], visibilityDelayMs: -1 }],
  ])('%j is refused', async (options) => {
    await expect(startLocalKms(options)).rejects.toThrow(/expected|regions/);
  });

  test('refuses production unless told otherwise', async () => {
    vi.stubEnv('NODE_ENV', 'production');
    onTestFinished(() => void vi.unstubAllEnvs());
    await expect(startLocalKms({ regions: [EAST] })).rejects.toThrow('NODE_ENV=production');
    await start({ allowProduction: true });
  });

  test('takes the port asked for, and fails if it is taken', async () => {
    const first = await start();
    const port = Number(new URL(first.endpoint).port);
    await expect(start({ port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    await first.close();
    expect((await start({ port })).endpoint).toBe(first.endpoint);
  });
});

describe('clients', () => {
  test('one real client per region, with the options given', async () => {
    const { clientSupplier } = await start({ clientOptions: { maxAttempts: 2 } });
    const client = await clientSupplier(EAST);
    expect(client).toBeInstanceOf(KMSClient);
    expect(await clientSupplier(EAST)).toBe(client);
    expect(await clientSupplier()).toBe(client);
    expect(await clientSupplier(undefined)).toBe(client);
    expect(await clientSupplier(WEST)).not.toBe(client);
    expect(await clientSupplier('eu-west-1')).toBeUndefined();
    expect(await client?.config.maxAttempts()).toBe(2);
    expect(await client?.config.region()).toBe(EAST);
  });

  test('the environment is enough for an SDK', async () => {
    const kms = await start();
    expect(Object.keys(kms.env).sort()).toEqual([
      'AWS_ACCESS_KEY_ID',
      'AWS_ENDPOINT_URL_KMS',
      'AWS_REGION',
      'AWS_SECRET_ACCESS_KEY',
    ]);
    for (const [name, value] of Object.entries(kms.env)) vi.stubEnv(name, value);
    onTestFinished(() => void vi.unstubAllEnvs());
    const client = new KMSClient({});
    onTestFinished(() => client.destroy());
    const { arn } = await kms.createKey({ region: EAST });
    expect((await client.send(new DescribeKeyCommand({ KeyId: arn }))).KeyMetadata?.Arn).toBe(arn);
  });
});

describe('request log', () => {
  test('says what was asked, when and how it ended, and holds no secrets', async () => {
    const kms = await start();
    const { arn } = await kms.createKey({ region: EAST, alias: 'one' });
    const before = performance.now();
    const made = await dataKey(kms, 'alias/one');
    const after = performance.now();
    await decrypt(kms, made.CiphertextBlob);
    const [first, second] = kms.requests;
    expect(first).toEqual({
      operation: 'GenerateDataKey',
      region: EAST,
      keyId: 'alias/one',
      encryptionContext: { a: 'b' },
      grantTokens: [],
      userAgent: expect.stringContaining('aws-sdk-js/'),
      startedAt: expect.any(Number),
      endedAt: expect.any(Number),
      outcome: 'ok',
      attempt: 1,
    });
    expect(first?.startedAt).toBeGreaterThanOrEqual(before);
    expect(first?.endedAt).toBeGreaterThanOrEqual(first?.startedAt as number);
    expect(first?.endedAt).toBeLessThanOrEqual(after);
    expect(second).toMatchObject({ operation: 'Decrypt', keyId: undefined, outcome: 'ok' });
    const text = JSON.stringify(kms.requests);
    expect(text).not.toContain(Buffer.from(made.Plaintext as Uint8Array).toString('base64'));
    expect(text).not.toContain(Buffer.from(made.CiphertextBlob as Uint8Array).toString('base64'));
    expect(await failureOf(dataKey(kms, 'alias/none'))).toBeDefined();
    expect(kms.requests.at(-1)?.outcome).toBe('NotFoundException');
    expect(arn).toContain(EAST);
  });

  test('shows which requests overlapped', async () => {
    const kms = await start();
    const { arn } = await kms.createKey({ region: EAST });
    kms.setFault(EAST, { kind: 'latency', ms: 40 });
    await Promise.all([dataKey(kms, arn), dataKey(kms, arn)]);
    await dataKey(kms, arn);
    const [one, two, three] = kms.requests.map(({ startedAt, endedAt = 0 }) => ({ startedAt, endedAt }));
    expect(two?.startedAt).toBeLessThan(one?.endedAt as number);
    expect(one?.startedAt).toBeLessThan(two?.endedAt as number);
    expect(three?.startedAt).toBeGreaterThanOrEqual(Math.max(one?.endedAt ?? 0, two?.endedAt ?? 0));
    expect((one?.endedAt ?? 0) - (one?.startedAt ?? 0)).toBeGreaterThanOrEqual(39);
  });

  test('has a request from its start, unfinished', async () => {
    const kms = await start();
    const { arn } = await kms.createKey({ region: EAST });
    kms.setFault(EAST, { kind: 'latency', ms: 100 });
    const pending = dataKey(kms, arn);
    for (let i = 0; i < 50 && kms.requests.length === 0; i += 1) await sleep(2);
    expect(kms.requests[0]).toMatchObject({
      operation: 'GenerateDataKey',
      outcome: undefined,
      endedAt: undefined,
    });
    await pending;
    expect(kms.requests[0]?.outcome).toBe('ok');
  });

  test('keeps the newest records, and can be emptied', async () => {
    const kms = await start({ maxRequests: 2 });
    const { arn } = await kms.createKey({ region: EAST });
    for (let i = 0; i < 3; i += 1) await dataKey(kms, arn);
    expect(kms.requests).toHaveLength(2);
    kms.requests.length = 0;
    await dataKey(kms, arn);
    expect(kms.requests).toHaveLength(1);
  });
});

describe('close', () => {
  const tcpResources = () => process.getActiveResourcesInfo().filter((name) => name.startsWith('TCP'));

  test('ends stuck connections and leaves nothing open', async () => {
    const kms = await startLocalKms({ regions: [EAST, WEST], clientOptions: { maxAttempts: 1 } });
    const { arn } = await kms.createKey({ region: EAST });
    const shared = sharedClient(kms);
    kms.setFault(EAST, { kind: 'black-hole' });
    const stuck = [
      failureOf(dataKey(kms, arn)),
      failureOf(shared.send(new GenerateDataKeyCommand({ KeyId: arn, NumberOfBytes: 1 }))),
    ];
    while (kms.requests.length < 2) await sleep(2);
    const started = performance.now();
    await kms.close();
    expect(performance.now() - started).toBeLessThan(500);
    for (const failure of await Promise.all(stuck)) expect(failure.name).toBe('TimeoutError');
    shared.destroy();
    await vi.waitFor(() => expect(tcpResources()).toEqual([]));
    expect(kms.requests.map(({ outcome }) => outcome)).toEqual(['black-hole', 'black-hole']);
  });

  test('while a region is down, or about to heal', async () => {
    const kms = await startLocalKms({ regions: [EAST, WEST] });
    kms.setFault(EAST, { kind: 'down' });
    kms.setFault(WEST, { kind: 'down' });
    kms.setFault(WEST, null);
    await kms.close();
    await kms.close();
    await sleep(10);
    await expect(kms.clientSupplier(EAST)).rejects.toThrow('closed');
    expect(() => kms.setFault(EAST, null)).toThrow('closed');
    await expect(fetch(kms.endpoint)).rejects.toThrow();
  });

  test('is what disposing does', async () => {
    const kms = await startLocalKms({ regions: [EAST] });
    await kms[Symbol.asyncDispose]();
    await expect(fetch(kms.endpoint)).rejects.toThrow();
  });
});

describe('file', () => {
  test('is private, warns, and opens old blobs after a restart', async () => {
    const file = join(folder(), 'kms.json');
    const first = await start({ file, accountId: '123456789012' });
    const { arn } = await first.createKey({ region: EAST, alias: 'one' });
    const mrk = await first.createKey({ region: EAST, multiRegion: true });
    await first.replicateKey({ arn: mrk.arn, region: WEST });
    const made = await dataKey(first, 'alias/one');
    await first.close();

    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(JSON.parse(readFileSync(file, 'utf8')).notice).toContain('NO security boundary');
    expect(readdirSync(join(file, '..'))).toEqual(['kms.json']);

    const second = await start({ file });
    expect(await decrypt(second, made.CiphertextBlob)).toMatchObject({
      KeyId: arn,
      Plaintext: made.Plaintext,
    });
    expect((await dataKey(second, 'alias/one')).KeyId).toBe(arn);
    expect((await dataKey(second, mrk.arn.replace(EAST, WEST), WEST)).Plaintext).toHaveLength(32);
    await (await clientOf(second)).send(new DisableKeyCommand({ KeyId: arn }));
    await second.close();

    const third = await start({ file });
    expect((await failureOf(dataKey(third, arn))).name).toBe('DisabledException');
  });

  test('keeps the keys of regions that are not served this time', async () => {
    const file = join(folder(), 'kms.json');
    const both = await start({ file });
    const { arn } = await both.createKey({ region: WEST });
    await both.close();
    await (await start({ file, regions: [EAST] })).createKey({ region: EAST });
    expect((await dataKey(await start({ file }), arn, WEST)).KeyId).toBe(arn);
  });

  test.each([0o640, 0o604, 0o660, 0o777])('of mode %o is refused', async (mode) => {
    const file = join(folder(), 'kms.json');
    await (await start({ file })).close();
    chmodSync(file, mode);
    await expect(start({ file })).rejects.toThrow('others may read');
  });

  test('of another account or format, or behind a link, is refused', async () => {
    const file = join(folder(), 'kms.json');
    await (await start({ file })).close();
    await expect(start({ file, accountId: '123456789012' })).rejects.toThrow('of account 000000000000');
    const link = join(folder(), 'link.json');
    symlinkSync(file, link);
    await expect(start({ file: link })).rejects.toThrow('not a regular file');
    for (const text of ['', '{}', '[]', readFileSync(file, 'utf8').replace('"version": 2', '"version": 3')]) {
      writeFileSync(file, text);
      await expect(start({ file })).rejects.toThrow('not a state file');
    }
  });

  test('a change that cannot be written fails the request', async () => {
    const path = folder();
    const file = join(path, 'gone', 'kms.json');
    await expect(start({ file })).rejects.toMatchObject({ code: 'ENOENT' });
    const kms = await start({ file: join(path, 'kms.json') });
    const { arn } = await kms.createKey({ region: EAST });
    rmSync(join(path, 'kms.json'));
    mkdirSync(join(path, 'kms.json'));
    const disable = (await clientOf(kms)).send(new DisableKeyCommand({ KeyId: arn }));
    expect(await failureOf(disable)).toMatchObject({ name: 'KMSInternalException', status: 500 });
    expect(readdirSync(path)).toEqual(['kms.json']);
  });
});

describe('seed', () => {
  async function run(seed: string | Uint8Array, reversed = false) {
    const kms = await start({ seed });
    const keys = [
      await kms.createKey({ region: EAST }),
      await kms.createKey({ region: EAST, multiRegion: true }),
    ];
    const asked = reversed ? [...keys].reverse() : keys;
    const made = new Map<string, unknown>();
    for (const { arn } of asked) {
      const { CiphertextBlob, Plaintext } = await dataKey(kms, arn);
      const encrypted = await (await clientOf(kms)).send(
        new EncryptCommand({ KeyId: arn, Plaintext: new Uint8Array([1, 2, 3]) }),
      );
      made.set(arn, { CiphertextBlob, Plaintext, encrypted: encrypted.CiphertextBlob });
      expect((await decrypt(kms, CiphertextBlob)).Plaintext).toEqual(Plaintext);
    }
    return keys.map(({ arn }) => [arn, made.get(arn)]);
  }

  test('gives the same keys, data keys and blobs again, whatever the order of keys', async () => {
    expect(await run('golden')).toEqual(await run('golden'));
    expect(await run('golden', true)).toEqual(await run('golden'));
    expect(await run('golden')).toEqual(await run(new TextEncoder().encode('golden')));
  });

  test('another seed, or none, gives others', async () => {
    const [golden, other, none] = [await run('golden'), await run('other'), await start()];
    expect(other[0]?.[0]).not.toBe(golden[0]?.[0]);
    expect((await none.createKey({ region: EAST })).arn).not.toBe(golden[0]?.[0]);
  });

  test('repeated requests still differ', async () => {
    const kms = await start({ seed: 'golden' });
    const { arn } = await kms.createKey({ region: EAST });
    const [one, two] = [await dataKey(kms, arn), await dataKey(kms, arn)];
    expect(one.Plaintext).not.toEqual(two.Plaintext);
  });

  test('the derivation stays as it is', async () => {
    const kms = await start({ seed: 'golden' });
    const { arn } = await kms.createKey({ region: EAST });
    const { Plaintext, CiphertextBlob } = await dataKey(kms, arn);
    expect(arn).toMatchInlineSnapshot(
      `"arn:aws:kms:us-east-1:000000000000:key/bcb2f904-b1c8-4963-92fe-12d676c70d65"`,
    );
    expect(Buffer.from(Plaintext as Uint8Array).toString('hex')).toMatchInlineSnapshot(
      `"b1c8685d1f284b751f97b105bc462cf618fb0935738b4a24d1b2435053408814"`,
    );
    expect(
      Buffer.from(CiphertextBlob as Uint8Array)
        .toString('hex')
        .slice(0, 48),
    ).toMatchInlineSnapshot(`"a52a5292cd3edd99ba6b050c36c3f7ffb0fe99d82f9175c4"`);
  });

  test('with a file, new keys get new ids after a restart', async () => {
    const file = join(folder(), 'kms.json');
    const first = await start({ file, seed: 'golden' });
    const one = await first.createKey({ region: EAST });
    await first.close();
    const second = await start({ file, seed: 'golden' });
    expect((await second.createKey({ region: EAST })).arn).not.toBe(one.arn);
    expect((await dataKey(second, one.arn)).KeyId).toBe(one.arn);
  });
});
