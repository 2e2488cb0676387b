import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateGrantCommand,
  DecryptCommand,
  DescribeKeyCommand,
  GenerateDataKeyCommand,
  type KMSClient,
  ListGrantsCommand,
} from '@aws-sdk/client-kms';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { FaultBoard } from '../../src/local-kms/fault-board.ts';
import type { Fault, LocalKms } from '../../src/local-kms/index.ts';
import { canConnect, clientAs, clientOf, EAST, failureOf, sharedClient, start, WEST } from './helpers.ts';

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

/** How so many requests end, one after the other. */
async function outcomes(count: number): Promise<(string | undefined)[]> {
  kms.requests.length = 0;
  for (let i = 0; i < count; i += 1) await dataKey().catch(() => undefined);
  await vi.waitFor(() => expect(kms.requests.every(({ outcome }) => outcome !== undefined)).toBe(true));
  return kms.requests.map(({ outcome }) => outcome);
}

describe('lists of faults', () => {
  test('play from beginning to end', async () => {
    kms.setFault(EAST, [
      { kind: 'none', times: 2 },
      { kind: 'throttle', times: 1 },
      { kind: 'reset', times: 1 },
      { kind: 'none', times: 1 },
      { kind: 'error', name: 'KMSInternalException', times: 2 },
    ]);
    expect(await outcomes(9)).toEqual([
      'ok',
      'ok',
      'ThrottlingException',
      'reset',
      'ok',
      'KMSInternalException',
      'KMSInternalException',
      'ok',
      'ok',
    ]);
  });

  test('a request meets the first fault that is meant for it', async () => {
    const other = await kms.createKey({ region: EAST });
    kms.setFault(EAST, [
      { kind: 'error', name: 'DisabledException', keyId: other.arn },
      { kind: 'error', name: 'KeyUnavailableException', operation: 'Decrypt' },
      { kind: 'throttle', times: 1 },
    ]);
    const names = [
      await failureOf(dataKey(client, other.arn)),
      await failureOf(client.send(new DecryptCommand({ CiphertextBlob: new Uint8Array(9) }))),
      await failureOf(dataKey()),
    ].map(({ name }) => name);
    expect(names).toEqual(['DisabledException', 'KeyUnavailableException', 'ThrottlingException']);
    expect((await dataKey()).KeyId).toBe(arn);
  });

  test('can end with a region that goes down, once the answer before it has left', async () => {
    kms.setFault(EAST, [{ kind: 'none', times: 2 }, { kind: 'down' }]);
    const url = kms.regionEndpoint(EAST);
    expect(await canConnect(url)).toBe(true);
    await dataKey();
    await dataKey();
    await vi.waitFor(async () => expect(await canConnect(url)).toBe(false));
    await expect(dataKey()).rejects.toMatchObject({ code: expect.stringMatching(/^ECONN(REFUSED|RESET)$/) });
    kms.setFault(EAST, null);
    expect((await dataKey()).KeyId).toBe(arn);
  });

  test('an empty one heals', async () => {
    kms.setFault(EAST, { kind: 'throttle' });
    kms.setFault(EAST, []);
    expect((await dataKey()).KeyId).toBe(arn);
  });
});

describe('probability', () => {
  const hits = async (fault: Partial<Fault>) => {
    kms.setFault(EAST, { kind: 'throttle', ...fault });
    return (await outcomes(40)).map((outcome) => (outcome === 'ok' ? 0 : 1));
  };

  test('hits a share of the requests, the same ones each time', async () => {
    const half = await hits({ probability: 0.5 });
    const sum = half.reduce<number>((total, hit) => total + hit, 0);
    expect(sum).toBeGreaterThan(8);
    expect(sum).toBeLessThan(32);
    expect(await hits({ probability: 0.5 })).toEqual(half);
    expect(await hits({ probability: 0.5, seed: 'other' })).not.toEqual(half);
    expect(await hits({ probability: 0 })).not.toContain(1);
    expect(await hits({ probability: 1 })).not.toContain(0);
  });

  test('counts only what it hits', async () => {
    const all = await hits({ probability: 0.5 });
    const three = await hits({ probability: 0.5, times: 3 });
    const third = all.flatMap((hit, index) => (hit ? [index] : []))[2] as number;
    expect(three.slice(0, third + 1)).toEqual(all.slice(0, third + 1));
    expect(three.slice(third + 1)).not.toContain(1);
  });
});

describe('latency by percentiles', () => {
  const target = { operation: 'Decrypt', isKey: () => true };
  const draws = (fault: Partial<Fault>, count = 2000) => {
    const board = new FaultBoard(() => undefined);
    board.set(EAST, [{ kind: 'latency', percentiles: { 99: 900, 50: 20, 90: 80 }, ...fault }]);
    return Array.from({ length: count }, () => board.match(EAST, target)?.delay());
  };

  test('gives each its share, the same draws each time', () => {
    const delays = draws({});
    const share = (ms: number) => delays.filter((delay) => delay === ms).length / delays.length;
    expect(share(20)).toBeCloseTo(0.5, 1);
    expect(share(80)).toBeCloseTo(0.4, 1);
    expect(share(900)).toBeCloseTo(0.1, 1);
    expect(new Set(delays).size).toBe(3);
    expect(draws({})).toEqual(delays);
    expect(draws({ seed: 'other' })).not.toEqual(delays);
  });

  test('requests wait as long as is drawn', async () => {
    kms.setFault(EAST, { kind: 'latency', percentiles: { 100: 40 } });
    expect(await outcomes(3)).toEqual(['ok', 'ok', 'ok']);
    for (const { startedAt, endedAt = 0 } of kms.requests)
      expect(endedAt - startedAt).toBeGreaterThanOrEqual(39);
  });
});

describe('rate limit', () => {
  test('lets so many requests through, then throttles', async () => {
    kms.setFault(EAST, { kind: 'throttle', perSecond: 0.001 });
    expect(await outcomes(4)).toEqual([
      'ok',
      'ThrottlingException',
      'ThrottlingException',
      'ThrottlingException',
    ]);
    kms.setFault(EAST, { kind: 'throttle', perSecond: 20 });
    const burst = await Promise.allSettled(Array.from({ length: 60 }, () => dataKey()));
    const served = burst.filter(({ status }) => status === 'fulfilled').length;
    expect(served).toBeGreaterThanOrEqual(20);
    expect(served).toBeLessThan(60);
    await sleep(200);
    expect((await dataKey()).KeyId).toBe(arn);
  });

  test('counts what it is limited to', async () => {
    kms.setFault(EAST, { kind: 'throttle', perSecond: 0.001, operation: 'Decrypt' });
    expect(await outcomes(3)).toEqual(['ok', 'ok', 'ok']);
  });
});

describe('flapping', () => {
  test('the region comes and goes until it is healed', async () => {
    const url = kms.regionEndpoint(EAST);
    const shared = sharedClient(kms);
    kms.setFault(EAST, { kind: 'flapping', downMs: 60, upMs: 60 });
    expect(await canConnect(url)).toBe(false);
    await expect(dataKey(shared)).rejects.toMatchObject({ code: 'ECONNRESET' });
    for (const up of [true, false, true]) {
      await vi.waitFor(async () => expect(await canConnect(url)).toBe(up), { timeout: 5000, interval: 5 });
    }
    const { arn: western } = await kms.createKey({ region: WEST });
    expect((await dataKey(await clientOf(kms, WEST), western)).KeyId).toBe(western);
    kms.setFault(EAST, null);
    expect((await dataKey()).KeyId).toBe(arn);
    await sleep(150);
    expect(await canConnect(url)).toBe(true);
  });

  test('a server that is closed flaps no more', async () => {
    kms.setFault(EAST, { kind: 'flapping', downMs: 5, upMs: 5 });
    await sleep(20);
    const url = kms.regionEndpoint(EAST);
    await kms.close();
    await sleep(30);
    expect(await canConnect(url)).toBe(false);
  });
});

describe('changes mid-run', () => {
  test('the key is disabled under the request that finds it so', async () => {
    kms.setFault(EAST, [
      { kind: 'none', times: 1 },
      { kind: 'disable-key', times: 1 },
    ]);
    expect(await outcomes(3)).toEqual(['ok', 'DisabledException', 'DisabledException']);
  });

  test('the key’s deletion is scheduled, which a multi-Region primary key waits with', async () => {
    const mrk = await kms.createKey({ region: EAST, multiRegion: true });
    const replica = await kms.replicateKey({ arn: mrk.arn, region: WEST });
    kms.setFault(EAST, { kind: 'delete-key', times: 2 });
    expect(await failureOf(dataKey())).toEqual({
      name: 'KMSInvalidStateException',
      message: `${arn} is pending deletion.`,
      status: 400,
    });
    expect((await failureOf(dataKey(client, mrk.arn))).message).toContain('is pending replica deletion.');
    expect((await dataKey(await clientOf(kms, WEST), replica.arn)).KeyId).toBe(replica.arn);
  });

  test('grants are revoked, also by the blob’s key', async () => {
    const alice = clientAs(kms, { principal: 'user/alice' });
    const GranteePrincipal = 'arn:aws:iam::000000000000:user/alice';
    await client.send(new CreateGrantCommand({ KeyId: arn, GranteePrincipal, Operations: ['Decrypt'] }));
    const { CiphertextBlob } = await dataKey();
    const open = () => alice.send(new DecryptCommand({ CiphertextBlob }));
    expect((await open()).KeyId).toBe(arn);
    kms.setFault(EAST, { kind: 'revoke-grants', operation: 'Decrypt', times: 1 });
    expect((await failureOf(open())).name).toBe('AccessDeniedException');
    expect((await client.send(new ListGrantsCommand({ KeyId: arn }))).Grants).toEqual([]);
  });

  test('only the key that is meant', async () => {
    const other = await kms.createKey({ region: EAST });
    kms.setFault(EAST, { kind: 'disable-key', keyId: 'alias/one' });
    expect((await dataKey(client, other.arn)).KeyId).toBe(other.arn);
    expect((await failureOf(dataKey())).name).toBe('DisabledException');
    const described = await client.send(new DescribeKeyCommand({ KeyId: other.arn }));
    expect(described.KeyMetadata?.KeyState).toBe('Enabled');
  });
});

describe('what setFault refuses', () => {
  test.each([
    [{ kind: 'latency', ms: 1, percentiles: { 50: 1 } }, TypeError],
    [{ kind: 'latency', percentiles: {} }, TypeError],
    [{ kind: 'latency', percentiles: { 101: 1 } }, RangeError],
    [{ kind: 'latency', percentiles: { 50: -1 } }, RangeError],
    [{ kind: 'throttle', percentiles: { 50: 1 } }, TypeError],
    [{ kind: 'throttle', perSecond: 0 }, RangeError],
    [{ kind: 'reset', perSecond: 1 }, TypeError],
    [{ kind: 'throttle', probability: 1.1 }, RangeError],
    [{ kind: 'throttle', probability: -0.1 }, RangeError],
    [{ kind: 'throttle', name: 'X' }, TypeError],
    [{ kind: 'error', name: 'X', status: 99 }, RangeError],
    [{ kind: 'clock-skew' }, TypeError],
    [{ kind: 'clock-skew', skewMs: 0.5 }, RangeError],
    [{ kind: 'flapping', downMs: 5 }, TypeError],
    [{ kind: 'flapping', downMs: 0, upMs: 5 }, RangeError],
    [{ kind: 'flapping', downMs: 5, upMs: 5, times: 1 }, TypeError],
    [[{ kind: 'flapping', downMs: 5, upMs: 5 }, { kind: 'none' }], TypeError],
    [[{ kind: 'none' }, { kind: 'error' }], TypeError],
  ] as [Fault | Fault[], typeof Error][])('%j, and what was there before stays', async (fault, error) => {
    kms.setFault(EAST, { kind: 'throttle', times: 1 });
    expect(() => kms.setFault(EAST, fault)).toThrow(error);
    expect((await failureOf(dataKey())).name).toBe('ThrottlingException');
  });
});
