import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  DecryptCommand,
  DisableKeyCommand,
  GenerateDataKeyCommand,
  type KMSClient,
} from '@aws-sdk/client-kms';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { Fault, FaultKind, LocalKms } from '../../src/local-kms/index.ts';
import { canConnect, clientOf, EAST, failureOf, sharedClient, start, WEST } from './helpers.ts';

let kms: LocalKms;
let client: KMSClient;
let arn: string;

beforeEach(async () => {
  kms = await start();
  client = await clientOf(kms);
  ({ arn } = await kms.createKey({ region: EAST, alias: 'one' }));
});

const dataKey = (from: KMSClient = client, KeyId = arn, abortSignal?: AbortSignal) =>
  from.send(
    new GenerateDataKeyCommand({ KeyId, NumberOfBytes: 32 }),
    abortSignal === undefined ? {} : { abortSignal },
  );

/** How a call ends that is given up after a while. */
const within = (ms: number, from: KMSClient = client) =>
  failureOf(dataKey(from, arn, AbortSignal.timeout(ms)));

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < 200 && !(await condition()); i += 1) await sleep(5);
  expect(await condition()).toBe(true);
}

describe('connections', () => {
  test('down closes the port of its region only, and heals on the same port', async () => {
    const { arn: western } = await kms.createKey({ region: WEST });
    const url = kms.regionEndpoint(EAST);
    await dataKey();
    kms.setFault(EAST, { kind: 'down' });
    expect(await canConnect(url)).toBe(false);
    await sleep(10); // until the client has seen its idle connection close
    await expect(dataKey()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    expect((await dataKey(await clientOf(kms, WEST), western)).KeyId).toBe(western);
    kms.setFault(EAST, null);
    expect(kms.regionEndpoint(EAST)).toBe(url);
    expect((await dataKey()).KeyId).toBe(arn);
  });

  test('down, up and down again within one turn ends down', async () => {
    for (const fault of [{ kind: 'down' }, null, { kind: 'down' }, null, { kind: 'down' }] as const) {
      kms.setFault(EAST, fault);
    }
    await sleep(20);
    expect(await canConnect(kms.regionEndpoint(EAST))).toBe(false);
    kms.setFault(EAST, null);
    expect((await dataKey()).KeyId).toBe(arn);
  });

  test('down cuts the requests of its region on the shared endpoint, stuck ones too', async () => {
    const shared = sharedClient(kms);
    const { arn: western } = await kms.createKey({ region: WEST });
    kms.setFault(EAST, { kind: 'black-hole' });
    const stuck = failureOf(dataKey(shared));
    await until(() => kms.requests.length === 1);
    kms.setFault(EAST, { kind: 'down' });
    expect((await stuck).name).toBe('TimeoutError');
    await expect(dataKey(shared)).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(kms.requests.map(({ outcome }) => outcome)).toEqual(['down', 'down']);
    expect((await dataKey(sharedClient(kms, { region: WEST }), western)).KeyId).toBe(western);
    kms.setFault(EAST, null);
    expect((await dataKey(shared)).KeyId).toBe(arn);
  });

  test('a limited down leaves the port open and cuts the request', async () => {
    kms.setFault(EAST, { kind: 'down', times: 1 });
    expect(await canConnect(kms.regionEndpoint(EAST))).toBe(true);
    await expect(dataKey()).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect((await dataKey()).KeyId).toBe(arn);
  });

  test('black-hole connects and never answers', async () => {
    kms.setFault(EAST, { kind: 'black-hole' });
    expect(await canConnect(kms.regionEndpoint(EAST))).toBe(true);
    expect((await within(100)).name).toBe('AbortError');
    expect((await within(100, sharedClient(kms))).name).toBe('AbortError');
    await until(() => kms.requests.every(({ outcome }) => outcome === 'black-hole'));
    kms.setFault(EAST, null);
    expect((await dataKey()).KeyId).toBe(arn);
  });

  test('reset cuts the connection', async () => {
    kms.setFault(EAST, { kind: 'reset' });
    await expect(dataKey()).rejects.toMatchObject({ code: 'ECONNRESET' });
    await until(() => kms.requests[0]?.outcome === 'reset');
  });

  test('truncate sends half an answer and cuts the connection', async () => {
    kms.setFault(EAST, { kind: 'truncate' });
    await expect(dataKey()).rejects.toThrow(/^aborted/);
    await until(() => kms.requests[0]?.outcome === 'truncate');
  });

  test('hang-body sends the head and half an answer, and keeps the connection', async () => {
    kms.setFault(EAST, { kind: 'hang-body' });
    const port = Number(new URL(kms.regionEndpoint(EAST)).port);
    expect((await within(150)).name).toBe('AbortError');
    await until(() => kms.requests[0]?.outcome === 'hang-body');
    const socket = connect(port, '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    const lines = [
      'POST / HTTP/1.1',
      `host: 127.0.0.1:${port}`,
      'content-type: application/x-amz-json-1.1',
      'x-amz-target: TrentService.ListKeys',
      'authorization: AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/kms/aws4_request',
      'content-length: 2',
    ];
    let head = '';
    socket.on('data', (data) => {
      head += data.toString();
    });
    socket.write(`${lines.join('\r\n')}\r\n\r\n{}`);
    await until(() => /\r\n\r\n./.test(head));
    await sleep(50);
    expect(socket.readyState).toBe('open');
    const length = Number(/content-length: (\d+)/.exec(head)?.[1]);
    const body = head.slice(head.indexOf('\r\n\r\n') + 4);
    expect(length).toBeGreaterThan(0);
    expect(body.length).toBe(Math.ceil(length / 2));
  });

  test('hang-headers performs the request and sends not even a head', async () => {
    kms.setFault(EAST, { kind: 'hang-headers' });
    const disable = client.send(new DisableKeyCommand({ KeyId: arn }), {
      abortSignal: AbortSignal.timeout(100),
    });
    expect((await failureOf(disable)).name).toBe('AbortError');
    await until(() => kms.requests[0]?.outcome === 'hang-headers');
    kms.setFault(EAST, null);
    expect((await failureOf(dataKey())).name).toBe('DisabledException');
  });

  test('black-hole does not perform it', async () => {
    kms.setFault(EAST, { kind: 'black-hole' });
    const disable = client.send(new DisableKeyCommand({ KeyId: arn }), {
      abortSignal: AbortSignal.timeout(100),
    });
    expect((await failureOf(disable)).name).toBe('AbortError');
    kms.setFault(EAST, null);
    expect((await dataKey()).KeyId).toBe(arn);
  });

  test('wrong-content-length ends the answer halfway, for the client', async () => {
    kms.setFault(EAST, { kind: 'wrong-content-length', times: 1 });
    const error = (await dataKey().catch((thrown: unknown) => thrown)) as Error & {
      $response?: { statusCode: number; headers: Record<string, string> };
    };
    expect(error).toBeInstanceOf(SyntaxError);
    expect(error.$response?.statusCode).toBe(200);
    await until(() => kms.requests[0]?.outcome === 'wrong-content-length');
    expect((await dataKey()).KeyId).toBe(arn);
  });

  test('latency delays, and a client that leaves is noted', async () => {
    kms.setFault(EAST, { kind: 'latency', ms: 80 });
    const started = performance.now();
    expect((await dataKey()).KeyId).toBe(arn);
    expect(performance.now() - started).toBeGreaterThanOrEqual(79);
    expect(kms.requests[0]?.outcome).toBe('ok');
    expect((await within(20)).name).toBe('AbortError');
    await until(() => kms.requests[1]?.outcome === 'aborted');
  });

  test('every kind can wait first', async () => {
    kms.setFault(EAST, { kind: 'throttle', ms: 60 });
    const started = performance.now();
    expect((await failureOf(dataKey())).name).toBe('ThrottlingException');
    expect(performance.now() - started).toBeGreaterThanOrEqual(59);
  });
});

describe('which requests a fault hits', () => {
  test('one region', async () => {
    const { arn: western } = await kms.createKey({ region: WEST });
    kms.setFault(WEST, { kind: 'throttle' });
    expect((await dataKey()).KeyId).toBe(arn);
    expect((await failureOf(dataKey(await clientOf(kms, WEST), western))).name).toBe('ThrottlingException');
  });

  test('one operation', async () => {
    kms.setFault(EAST, { kind: 'throttle', operation: 'Decrypt' });
    const { CiphertextBlob } = await dataKey();
    const attempt = client.send(new DecryptCommand({ CiphertextBlob }));
    expect((await failureOf(attempt)).name).toBe('ThrottlingException');
  });

  test('one key, in any form, and by its blob', async () => {
    const other = await kms.createKey({ region: EAST });
    const blobs = [await dataKey(), await dataKey(client, other.arn)];
    kms.setFault(EAST, { kind: 'throttle', keyId: 'alias/one' });
    for (const keyId of [arn, arn.slice(-36), 'alias/one']) {
      expect((await failureOf(dataKey(client, keyId))).name).toBe('ThrottlingException');
    }
    expect((await dataKey(client, other.arn)).KeyId).toBe(other.arn);
    const [mine, theirs] = blobs.map(({ CiphertextBlob }) =>
      client.send(new DecryptCommand({ CiphertextBlob })),
    );
    expect((await failureOf(mine as Promise<unknown>)).name).toBe('ThrottlingException');
    expect((await theirs)?.KeyId).toBe(other.arn);
  });

  test('times counts concurrent requests too', async () => {
    kms.setFault(EAST, { kind: 'latency', ms: 300, times: 1 });
    await Promise.all([dataKey(), dataKey(), dataKey()]);
    const slow = kms.requests.filter(({ startedAt, endedAt = 0 }) => endedAt - startedAt >= 299);
    expect(slow).toHaveLength(1);
  });

  test('a second fault replaces the first', async () => {
    kms.setFault(EAST, { kind: 'down' });
    kms.setFault(EAST, { kind: 'throttle' });
    expect((await failureOf(dataKey())).name).toBe('ThrottlingException');
  });

  test.each([
    [{ kind: 'latency' }, TypeError],
    [{ kind: 'error' }, TypeError],
    [{ kind: 'earthquake' as FaultKind }, TypeError],
    [{ kind: 'throttle', times: 0 }, RangeError],
    [{ kind: 'latency', ms: -1 }, RangeError],
  ] as [Fault, typeof Error][])('%j is refused', (fault, error) => {
    expect(() => kms.setFault(EAST, fault)).toThrow(error);
    expect(() => kms.setFault('eu-west-1', { kind: 'down' })).toThrow(RangeError);
  });
});
