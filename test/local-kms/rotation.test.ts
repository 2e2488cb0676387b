import {
  CancelKeyDeletionCommand,
  CreateKeyCommand,
  type CreateKeyCommandInput,
  DecryptCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  DisableKeyRotationCommand,
  EnableKeyCommand,
  EnableKeyRotationCommand,
  GenerateDataKeyCommand,
  GetKeyRotationStatusCommand,
  type KMSClient,
  ListKeyRotationsCommand,
  ReEncryptCommand,
  RotateKeyOnDemandCommand,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms';
import { beforeEach, describe, expect, test } from 'vitest';
import type { LocalKms } from '../../src/local-kms/index.ts';
import { clientOf, EAST, failureOf, startWithClock, WEST } from './helpers.ts';

const DAY = 86_400_000;

let kms: LocalKms;
let pass: (ms: number) => Promise<void>;
let client: KMSClient;
let arn: string;

beforeEach(async () => {
  ({ kms, pass } = await startWithClock({ rotationMs: 0 }));
  client = await clientOf(kms);
  ({ arn } = await kms.createKey({ region: EAST, alias: 'one' }));
});

const dataKey = (KeyId = arn, from = client) =>
  from.send(new GenerateDataKeyCommand({ KeyId, NumberOfBytes: 32 }));
const decrypt = (CiphertextBlob: Uint8Array | undefined, from = client) =>
  from.send(new DecryptCommand({ CiphertextBlob }));
const rotate = (KeyId = arn, from = client) => from.send(new RotateKeyOnDemandCommand({ KeyId }));
const status = (KeyId = arn, from = client) => from.send(new GetKeyRotationStatusCommand({ KeyId }));
const rotations = async (KeyId = arn, from = client) =>
  (await from.send(new ListKeyRotationsCommand({ KeyId, IncludeKeyMaterial: 'ALL_KEY_MATERIAL' }))).Rotations;
const currentId = async (KeyId = arn, from = client) =>
  (await from.send(new DescribeKeyCommand({ KeyId }))).KeyMetadata?.CurrentKeyMaterialId;

describe('on demand', () => {
  test('new blobs are under new material, old ones still open, and both say which', async () => {
    const before = await currentId();
    const old = await dataKey();
    expect((await rotate(arn.slice(-36))).KeyId).toBe(arn);
    const after = await currentId();
    expect(after).toMatch(/^[0-9a-f]{64}$/);
    expect(after).not.toBe(before);
    const young = await dataKey();
    expect(young.KeyMaterialId).toBe(after);
    expect(await decrypt(old.CiphertextBlob)).toMatchObject({
      Plaintext: old.Plaintext,
      KeyId: arn,
      KeyMaterialId: before,
    });
    expect(await decrypt(young.CiphertextBlob)).toMatchObject({ KeyMaterialId: after });
  });

  test('ReEncrypt under the same key moves a blob to the current material', async () => {
    const old = await dataKey();
    await rotate();
    const moved = await client.send(
      new ReEncryptCommand({ CiphertextBlob: old.CiphertextBlob, DestinationKeyId: arn }),
    );
    expect(moved.SourceKeyMaterialId).toBe(old.KeyMaterialId);
    expect(moved.DestinationKeyMaterialId).toBe(await currentId());
    expect((await decrypt(moved.CiphertextBlob)).Plaintext).toEqual(old.Plaintext);
  });

  test('takes a while if so configured, and no second one meanwhile', async () => {
    ({ kms, pass } = await startWithClock({ rotationMs: 5000 }));
    client = await clientOf(kms);
    ({ arn } = await kms.createKey({ region: EAST }));
    const before = await currentId();
    await rotate();
    expect((await status()).OnDemandRotationStartDate).toBeInstanceOf(Date);
    expect(await currentId()).toBe(before);
    expect(await failureOf(rotate())).toMatchObject({ name: 'ConflictException', status: 400 });
    await pass(5000);
    expect(await status()).not.toHaveProperty('OnDemandRotationStartDate');
    expect(await currentId()).not.toBe(before);
    await rotate();
  });

  test('ten times at most', async () => {
    for (let i = 0; i < 10; i += 1) await rotate();
    expect(await rotations()).toHaveLength(11);
    expect(await failureOf(rotate())).toEqual({
      name: 'LimitExceededException',
      message: `The on-demand rotations limit has been reached for the given keyId. No more on-demand rotations can be performed for this key: ${arn}`,
      status: 400,
    });
  });

  test('what cannot be rotated', async () => {
    const create = async (input: CreateKeyCommandInput) =>
      (await client.send(new CreateKeyCommand(input))).KeyMetadata?.Arn as string;
    const signing = await create({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' });
    expect(await failureOf(rotate(signing))).toEqual({
      name: 'UnsupportedOperationException',
      message: 'UnknownError',
      status: 400,
    });
    const external = await create({ Origin: 'EXTERNAL' });
    expect(await failureOf(rotate(external))).toEqual({
      name: 'KMSInvalidStateException',
      message: `${external} is pending import.`,
      status: 400,
    });
    await client.send(new DisableKeyCommand({ KeyId: arn }));
    expect(await failureOf(rotate())).toEqual({
      name: 'DisabledException',
      message: `${arn} is disabled.`,
      status: 400,
    });
    const absent = arn.replace(/[^/]*$/, '11111111-2222-4333-8444-555555555555');
    expect((await failureOf(rotate(absent))).message).toBe(`Key '${absent}' does not exist`);
    expect((await failureOf(rotate('alias/one'))).message).toBe("Invalid keyId 'alias/one'");
  });
});

describe('by schedule', () => {
  const enable = (RotationPeriodInDays?: number, KeyId = arn, from = client) =>
    from.send(new EnableKeyRotationCommand({ KeyId, ...(RotationPeriodInDays && { RotationPeriodInDays }) }));

  test('is off at first, on by default for a year, and off again', async () => {
    const off = await status();
    expect(off).toMatchObject({ KeyId: arn, KeyRotationEnabled: false });
    expect(off).not.toHaveProperty('NextRotationDate');
    expect(off).not.toHaveProperty('RotationPeriodInDays');
    await enable();
    const on = await status();
    expect(on).toMatchObject({ KeyRotationEnabled: true, RotationPeriodInDays: 365 });
    expect(Math.round(((on.NextRotationDate?.getTime() ?? 0) - Date.now()) / DAY)).toBe(365);
    await client.send(new DisableKeyRotationCommand({ KeyId: arn }));
    expect((await status()).KeyRotationEnabled).toBe(false);
  });

  test('rotates at each date, whenever somebody looks', async () => {
    const old = await dataKey();
    await enable(90);
    await pass(89.9 * DAY);
    expect(await rotations()).toHaveLength(1);
    await pass(0.1 * DAY);
    expect(await currentId()).not.toBe(old.KeyMaterialId);
    await pass(185 * DAY);
    const list = await rotations();
    expect(list?.map(({ RotationType, KeyMaterialState }) => [RotationType, KeyMaterialState])).toEqual([
      [undefined, 'NON_CURRENT'],
      ['AUTOMATIC', 'NON_CURRENT'],
      ['AUTOMATIC', 'NON_CURRENT'],
      ['AUTOMATIC', 'CURRENT'],
    ]);
    expect((await decrypt(old.CiphertextBlob)).Plaintext).toEqual(old.Plaintext);
  });

  test('on-demand rotations leave the schedule as it is, but not right before its date', async () => {
    await enable(90);
    const { NextRotationDate } = await status();
    await rotate();
    expect((await status()).NextRotationDate).toEqual(NextRotationDate);
    await pass(90 * DAY - 10 * 60_000);
    expect((await failureOf(rotate())).name).toBe('ConflictException');
    await pass(10 * 60_000);
    expect((await rotations())?.at(-1)?.RotationType).toBe('AUTOMATIC');
  });

  test('a disabled key rests, and makes up for it once', async () => {
    await enable(90);
    await client.send(new DisableKeyCommand({ KeyId: arn }));
    await pass(200 * DAY);
    expect((await status()).KeyRotationEnabled).toBe(true);
    expect(await rotations()).toHaveLength(1);
    expect((await failureOf(enable(90))).name).toBe('DisabledException');
    await client.send(new EnableKeyCommand({ KeyId: arn }));
    expect(await rotations()).toHaveLength(2);
  });

  test('a key pending deletion has none', async () => {
    await enable(90);
    await client.send(new ScheduleKeyDeletionCommand({ KeyId: arn }));
    expect((await status()).KeyRotationEnabled).toBe(false);
    expect((await failureOf(enable(90))).message).toBe(`${arn} is pending deletion.`);
    await client.send(new CancelKeyDeletionCommand({ KeyId: arn }));
    expect((await status()).KeyRotationEnabled).toBe(true);
  });

  test.each([
    [89, 'have value greater than or equal to 90'],
    [2561, 'have value less than or equal to 2560'],
  ])('a period of %i days is refused', async (days, rule) => {
    expect(await failureOf(enable(days))).toEqual({
      name: 'ValidationException',
      message: `1 validation error detected: Value '${days}' at 'rotationPeriodInDays' failed to satisfy constraint: Member must ${rule}`,
      status: 400,
    });
  });

  test('not for key material from elsewhere', async () => {
    const { KeyMetadata } = await client.send(new CreateKeyCommand({ Origin: 'EXTERNAL' }));
    const refused = {
      name: 'UnsupportedOperationException',
      message: `${KeyMetadata?.Arn} origin is EXTERNAL which is not valid for this operation.`,
      status: 400,
    };
    expect(await failureOf(enable(undefined, KeyMetadata?.Arn))).toEqual(refused);
    expect(await failureOf(status(KeyMetadata?.Arn))).toEqual(refused);
  });
});

describe('ListKeyRotations', () => {
  test('lists rotations, or all key material, in pages', async () => {
    const none = await client.send(new ListKeyRotationsCommand({ KeyId: arn }));
    expect(none).toMatchObject({ Rotations: [], Truncated: false });
    const first = await currentId();
    await rotate();
    await rotate();
    const page = await client.send(new ListKeyRotationsCommand({ KeyId: arn, Limit: 1 }));
    expect(page.Truncated).toBe(true);
    const rest = await client.send(
      new ListKeyRotationsCommand({ KeyId: arn, ...(page.NextMarker && { Marker: page.NextMarker }) }),
    );
    expect([...(page.Rotations ?? []), ...(rest.Rotations ?? [])]).toEqual([
      {
        KeyId: arn,
        KeyMaterialId: expect.stringMatching(/^[0-9a-f]{64}$/),
        KeyMaterialState: 'NON_CURRENT',
        RotationDate: expect.any(Date),
        RotationType: 'ON_DEMAND',
      },
      expect.objectContaining({ KeyMaterialId: await currentId(), KeyMaterialState: 'CURRENT' }),
    ]);
    const all = await rotations();
    expect(all?.[0]).toEqual({ KeyId: arn, KeyMaterialId: first, KeyMaterialState: 'NON_CURRENT' });
    expect(all).toHaveLength(3);
  });
});

describe('multi-Region keys', () => {
  let primary: string;
  let replica: string;
  let west: KMSClient;

  beforeEach(async () => {
    west = await clientOf(kms, WEST);
    primary = (await kms.createKey({ region: EAST, multiRegion: true })).arn;
    replica = (await kms.replicateKey({ arn: primary, region: WEST })).arn;
  });

  test('a rotation of the primary reaches the replicas, old ones and new ones', async () => {
    const old = await dataKey(primary);
    await rotate(primary);
    expect(await currentId(replica, west)).toBe(await currentId(primary));
    const young = await dataKey(replica, west);
    expect((await decrypt(young.CiphertextBlob)).Plaintext).toEqual(young.Plaintext);
    expect((await decrypt(old.CiphertextBlob, west)).Plaintext).toEqual(old.Plaintext);
    expect(await rotations(replica, west)).toHaveLength(2);
  });

  test('so does the schedule', async () => {
    await client.send(new EnableKeyRotationCommand({ KeyId: primary, RotationPeriodInDays: 100 }));
    expect(await status(replica, west)).toMatchObject({
      KeyId: replica,
      KeyRotationEnabled: true,
      RotationPeriodInDays: 100,
    });
    await pass(100 * DAY);
    expect((await rotations(replica, west))?.at(-1)).toMatchObject({ RotationType: 'AUTOMATIC' });
    expect(await currentId(replica, west)).toBe(await currentId(primary));
  });

  test('a replica has no rotation of its own', async () => {
    const refused = {
      name: 'UnsupportedOperationException',
      message: `${replica} is not a multi-region primary key.`,
      status: 400,
    };
    expect(await failureOf(rotate(replica, west))).toEqual(refused);
    for (const command of [EnableKeyRotationCommand, DisableKeyRotationCommand]) {
      expect(await failureOf(west.send(new command({ KeyId: replica })))).toEqual(refused);
    }
  });
});
