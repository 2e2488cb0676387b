import {
  CancelKeyDeletionCommand,
  CreateAliasCommand,
  CreateKeyCommand,
  type CreateKeyCommandInput,
  DecryptCommand,
  DeleteAliasCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  type KMSClient,
  ListAliasesCommand,
  ListKeysCommand,
  ReplicateKeyCommand,
  ScheduleKeyDeletionCommand,
  UpdateAliasCommand,
} from '@aws-sdk/client-kms';
import { beforeEach, describe, expect, test } from 'vitest';
import type { LocalKms } from '../../src/local-kms/index.ts';
import { clientOf, EAST, failureOf, start, WEST } from './helpers.ts';

const DAY = 86_400_000;
let time: number;
let kms: LocalKms;
let client: KMSClient;

beforeEach(async () => {
  const started = Date.now();
  time = 0;
  kms = await start({ now: () => started + time });
  client = await clientOf(kms);
});

const dataKey = (KeyId: string, from: KMSClient = client) =>
  from.send(new GenerateDataKeyCommand({ KeyId, NumberOfBytes: 32 }));

async function stateOf(KeyId: string, from: KMSClient = client): Promise<string | undefined> {
  return (await from.send(new DescribeKeyCommand({ KeyId }))).KeyMetadata?.KeyState;
}

/** Lets days go by. The server's clock leaves the client's behind, so the client is given a new one. */
async function pass(days: number): Promise<void> {
  time += days * DAY;
  Object.assign(client.config, { systemClockOffset: time });
}

describe('CreateKey', () => {
  test('a symmetric key with its metadata', async () => {
    const { KeyMetadata } = await client.send(new CreateKeyCommand({ Description: 'mine' }));
    expect(KeyMetadata?.KeyId).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
    expect(KeyMetadata).toMatchObject({
      AWSAccountId: '000000000000',
      Arn: `arn:aws:kms:us-east-1:000000000000:key/${KeyMetadata?.KeyId}`,
      Description: 'mine',
      Enabled: true,
      EncryptionAlgorithms: ['SYMMETRIC_DEFAULT'],
      KeyManager: 'CUSTOMER',
      KeySpec: 'SYMMETRIC_DEFAULT',
      KeyState: 'Enabled',
      KeyUsage: 'ENCRYPT_DECRYPT',
      MultiRegion: false,
      Origin: 'AWS_KMS',
    });
    expect(KeyMetadata?.CreationDate).toBeInstanceOf(Date);
  });

  test('a key that waits for its import', async () => {
    const { KeyMetadata } = await client.send(new CreateKeyCommand({ Origin: 'EXTERNAL' }));
    expect(KeyMetadata).toMatchObject({ KeyState: 'PendingImport', Enabled: false, Origin: 'EXTERNAL' });
    expect(await failureOf(dataKey(KeyMetadata?.Arn as string))).toEqual({
      name: 'KMSInvalidStateException',
      message: `${KeyMetadata?.Arn} is pending import.`,
      status: 400,
    });
  });

  test.each([
    [{ KeySpec: 'RSA_2048', KeyUsage: 'ENCRYPT_DECRYPT' }, 'UnsupportedOperationException'],
    [{ KeySpec: 'RSA_2048' }, 'ValidationException'],
    [{ KeyUsage: 'SIGN_VERIFY' }, 'ValidationException'],
    [{ Origin: 'AWS_CLOUDHSM' }, 'UnsupportedOperationException'],
    [{ Origin: 'NOWHERE' }, 'ValidationException'],
    [{ CustomKeyStoreId: 'x' }, 'UnsupportedOperationException'],
    [{ Description: 'x'.repeat(8193) }, 'ValidationException'],
  ])('%j is refused', async (input, name) => {
    const command = new CreateKeyCommand(input as CreateKeyCommandInput);
    expect((await failureOf(client.send(command))).name).toBe(name);
  });

  test.each([
    ['cn-north-1', 'aws-cn'],
    ['us-gov-west-1', 'aws-us-gov'],
    ['eusc-de-east-1', 'aws-eusc'],
    ['us-iso-east-1', 'aws-iso'],
    ['us-isob-east-1', 'aws-iso-b'],
    ['eu-isoe-west-1', 'aws-iso-e'],
    ['us-isof-south-1', 'aws-iso-f'],
    ['eu-central-1', 'aws'],
  ])('region %s is in partition %s', async (region, partition) => {
    const other = await start({ regions: [region], accountId: '123456789012' });
    const { KeyMetadata } = await (await clientOf(other, region)).send(new CreateKeyCommand({}));
    expect(KeyMetadata?.Arn).toBe(`arn:${partition}:kms:${region}:123456789012:key/${KeyMetadata?.KeyId}`);
  });

  test('ids that the caller chooses', async () => {
    const keyId = '11111111-2222-4333-8444-555555555555';
    const mrk = `mrk-${'0123456789abcdef'.repeat(2)}`;
    const first = await kms.createKey({ region: EAST, keyId });
    expect(first.arn).toBe(`arn:aws:kms:us-east-1:000000000000:key/${keyId}`);
    expect((await kms.createKey({ region: EAST, keyId: mrk })).arn).toContain(mrk);
    expect((await failureOf(kms.createKey({ region: EAST, keyId }))).name).toBe('AlreadyExistsException');
    expect((await failureOf(kms.createKey({ region: WEST, keyId: mrk }))).name).toBe(
      'AlreadyExistsException',
    );
    await expect(kms.createKey({ region: EAST, keyId, multiRegion: true })).rejects.toThrow(TypeError);
    await expect(kms.createKey({ region: 'eu-west-1' })).rejects.toThrow(RangeError);
  });

  test('equal ids in two regions are still two keys', async () => {
    const keyId = '11111111-2222-4333-8444-555555555555';
    await kms.createKey({ region: EAST, keyId });
    await kms.createKey({ region: WEST, keyId });
    const { CiphertextBlob } = await dataKey(keyId);
    const west = await clientOf(kms, WEST);
    expect((await failureOf(west.send(new DecryptCommand({ CiphertextBlob })))).name).toBe(
      'AccessDeniedException',
    );
  });
});

describe('multi-Region keys', () => {
  let arn: string;
  let west: KMSClient;

  beforeEach(async () => {
    ({ arn } = await kms.createKey({ region: EAST, multiRegion: true }));
    west = await clientOf(kms, WEST);
  });

  const replicate = (from: KMSClient, KeyId: string, ReplicaRegion: string) =>
    from.send(new ReplicateKeyCommand({ KeyId, ReplicaRegion }));

  test('a blob of either opens in the other, under the ARN of that region', async () => {
    expect(arn).toMatch(/:key\/mrk-[0-9a-f]{32}$/);
    const replica = await kms.replicateKey({ arn, region: WEST });
    expect(replica.arn).toBe(arn.replace(EAST, WEST));
    const east = await dataKey(arn);
    const opened = await west.send(new DecryptCommand({ CiphertextBlob: east.CiphertextBlob }));
    expect(opened).toMatchObject({
      KeyId: replica.arn,
      Plaintext: east.Plaintext,
      KeyMaterialId: east.KeyMaterialId,
    });
    const back = await dataKey(replica.arn, west);
    const named = new DecryptCommand({ CiphertextBlob: back.CiphertextBlob, KeyId: arn });
    expect((await client.send(named)).Plaintext).toEqual(back.Plaintext);
  });

  test('ReplicateKey answers a key that is being created and then works', async () => {
    const { ReplicaKeyMetadata } = await replicate(client, arn, WEST);
    expect(ReplicaKeyMetadata).toMatchObject({
      Arn: arn.replace(EAST, WEST),
      KeyState: 'Creating',
      Enabled: false,
      MultiRegionConfiguration: {
        MultiRegionKeyType: 'REPLICA',
        PrimaryKey: { Arn: arn, Region: EAST },
        ReplicaKeys: [{ Arn: arn.replace(EAST, WEST), Region: WEST }],
      },
    });
    expect(await stateOf(arn.replace(EAST, WEST), west)).toBe('Enabled');
    const primary = await client.send(new DescribeKeyCommand({ KeyId: arn }));
    expect(primary.KeyMetadata?.MultiRegionConfiguration?.MultiRegionKeyType).toBe('PRIMARY');
  });

  test('a replica can stay in creation for a while', async () => {
    const now = Date.now();
    let passed = 0;
    const slow = await start({ replicaCreatingMs: 1000, now: () => now + passed });
    const key = await slow.createKey({ region: EAST, multiRegion: true });
    const [east, there] = [await clientOf(slow), await clientOf(slow, WEST)];
    await replicate(east, key.arn, WEST);
    const replica = key.arn.replace(EAST, WEST);
    expect(await failureOf(dataKey(replica, there))).toEqual({
      name: 'KMSInvalidStateException',
      message: `${replica} is creating.`,
      status: 400,
    });
    passed = 1000;
    expect((await dataKey(replica, there)).Plaintext).toHaveLength(32);
  });

  test('what cannot be replicated', async () => {
    await kms.replicateKey({ arn, region: WEST });
    const replica = arn.replace(EAST, WEST);
    const single = await kms.createKey({ region: EAST });
    expect(await failureOf(replicate(west, replica, EAST))).toEqual({
      name: 'UnsupportedOperationException',
      message: `${replica} is not a multi-region primary key.`,
      status: 400,
    });
    expect(await failureOf(replicate(client, single.arn, WEST))).toMatchObject({
      message: `${single.arn} is not a multi-region primary key.`,
    });
    expect((await failureOf(replicate(client, arn, WEST))).name).toBe('AlreadyExistsException');
    expect((await failureOf(replicate(client, arn, EAST))).name).toBe('AlreadyExistsException');
    expect((await failureOf(replicate(client, arn, 'eu-west-1'))).name).toBe('ValidationException');
  });

  test('a replica does not cross partitions', async () => {
    const other = await start({ regions: [EAST, 'cn-north-1'] });
    const key = await other.createKey({ region: EAST, multiRegion: true });
    const failure = await failureOf(other.replicateKey({ arn: key.arn, region: 'cn-north-1' }));
    expect(failure.name).toBe('UnsupportedOperationException');
  });

  test('a primary key waits for its replicas to be gone', async () => {
    await kms.replicateKey({ arn, region: WEST });
    const replica = arn.replace(EAST, WEST);
    const scheduled = await client.send(
      new ScheduleKeyDeletionCommand({ KeyId: arn, PendingWindowInDays: 7 }),
    );
    expect(scheduled).toMatchObject({ KeyState: 'PendingReplicaDeletion', PendingWindowInDays: 7 });
    expect(scheduled.DeletionDate).toBeUndefined();
    expect((await failureOf(dataKey(arn))).message).toBe(`${arn} is pending replica deletion.`);
    expect((await dataKey(replica, west)).KeyId).toBe(replica);
    await west.send(new ScheduleKeyDeletionCommand({ KeyId: replica, PendingWindowInDays: 8 }));
    await pass(9);
    expect(await stateOf(arn)).toBe('PendingDeletion');
    await pass(8);
    expect((await failureOf(stateOf(arn))).message).toBe(`Key '${arn}' does not exist`);
  });
});

describe('key states', () => {
  let arn: string;

  beforeEach(async () => {
    ({ arn } = await kms.createKey({ region: EAST, alias: 'one' }));
  });

  test('a disabled key does nothing until it is enabled', async () => {
    const { CiphertextBlob } = await dataKey(arn);
    await client.send(new DisableKeyCommand({ KeyId: arn }));
    expect(await stateOf(arn)).toBe('Disabled');
    for (const command of [
      new DecryptCommand({ CiphertextBlob }),
      new EncryptCommand({ KeyId: arn, Plaintext: new Uint8Array(1) }),
      new GenerateDataKeyCommand({ KeyId: arn, NumberOfBytes: 32 }),
    ]) {
      expect(await failureOf(client.send(command as DecryptCommand))).toEqual({
        name: 'DisabledException',
        message: `${arn} is disabled.`,
        status: 400,
      });
    }
    await client.send(new EnableKeyCommand({ KeyId: arn.slice(-36) }));
    expect((await client.send(new DecryptCommand({ CiphertextBlob }))).KeyId).toBe(arn);
  });

  test('deletion is scheduled, cancelled, and done', async () => {
    const scheduled = await client.send(new ScheduleKeyDeletionCommand({ KeyId: arn }));
    expect(scheduled).toMatchObject({ KeyId: arn, KeyState: 'PendingDeletion', PendingWindowInDays: 30 });
    expect(scheduled.DeletionDate?.getTime()).toBeGreaterThan(Date.now() + 29 * DAY);
    const pending = { name: 'KMSInvalidStateException', message: `${arn} is pending deletion.`, status: 400 };
    expect(await failureOf(dataKey(arn))).toEqual(pending);
    expect(await failureOf(client.send(new EnableKeyCommand({ KeyId: arn })))).toEqual(pending);
    expect(await failureOf(client.send(new DisableKeyCommand({ KeyId: arn })))).toEqual(pending);
    expect(await failureOf(client.send(new ScheduleKeyDeletionCommand({ KeyId: arn })))).toEqual(pending);

    expect((await client.send(new CancelKeyDeletionCommand({ KeyId: arn }))).KeyId).toBe(arn);
    expect(await stateOf(arn)).toBe('Disabled');
    expect(await failureOf(client.send(new CancelKeyDeletionCommand({ KeyId: arn })))).toMatchObject({
      name: 'KMSInvalidStateException',
      message: `${arn} is not pending deletion.`,
    });

    await client.send(new ScheduleKeyDeletionCommand({ KeyId: arn, PendingWindowInDays: 7 }));
    await pass(7.1);
    expect((await failureOf(stateOf(arn))).message).toBe(`Key '${arn}' does not exist`);
    expect((await failureOf(stateOf('alias/one'))).name).toBe('NotFoundException');
  });

  test.each([6, 31])('a waiting period of %i days is refused', async (PendingWindowInDays) => {
    const command = new ScheduleKeyDeletionCommand({ KeyId: arn, PendingWindowInDays });
    expect((await failureOf(client.send(command))).name).toBe('ValidationException');
    expect(await stateOf(arn)).toBe('Enabled');
  });

  test('management takes no alias', async () => {
    const command = new DisableKeyCommand({ KeyId: 'alias/one' });
    expect(await failureOf(client.send(command))).toEqual({
      name: 'NotFoundException',
      message: "Invalid keyId 'alias/one'",
      status: 400,
    });
  });
});

describe('aliases and lists', () => {
  const create = (AliasName: string, TargetKeyId: string) =>
    client.send(new CreateAliasCommand({ AliasName, TargetKeyId }));

  test('an alias is made, moved and removed', async () => {
    const [one, two] = [await kms.createKey({ region: EAST }), await kms.createKey({ region: EAST })];
    await create('alias/mine', one.arn);
    expect((await dataKey('alias/mine')).KeyId).toBe(one.arn);
    const { CiphertextBlob } = await dataKey('alias/mine');
    await client.send(new UpdateAliasCommand({ AliasName: 'alias/mine', TargetKeyId: two.arn }));
    expect((await dataKey('alias/mine')).KeyId).toBe(two.arn);
    const stale = client.send(new DecryptCommand({ CiphertextBlob, KeyId: 'alias/mine' }));
    expect((await failureOf(stale)).name).toBe('IncorrectKeyException');
    await client.send(new DeleteAliasCommand({ AliasName: 'alias/mine' }));
    const gone = {
      name: 'NotFoundException',
      message: 'Alias arn:aws:kms:us-east-1:000000000000:alias/mine is not found.',
      status: 400,
    };
    expect(await failureOf(dataKey('alias/mine'))).toEqual(gone);
    const remove = new DeleteAliasCommand({ AliasName: 'alias/mine' });
    expect(await failureOf(client.send(remove))).toEqual(gone);
    const update = new UpdateAliasCommand({ AliasName: 'alias/mine', TargetKeyId: two.arn });
    expect(await failureOf(client.send(update))).toEqual(gone);
  });

  test('names that are refused', async () => {
    const { arn } = await kms.createKey({ region: EAST, alias: 'alias/taken' });
    expect(await failureOf(create('alias/taken', arn))).toEqual({
      name: 'AlreadyExistsException',
      message: 'An alias with the name arn:aws:kms:us-east-1:000000000000:alias/taken already exists',
      status: 400,
    });
    expect((await failureOf(create('mine', arn))).message).toContain('must start with the prefix "alias/"');
    expect((await failureOf(create('alias/a b', arn))).name).toBe('ValidationException');
    expect((await failureOf(create('alias/a:b', arn))).name).toBe('InvalidAliasNameException');
    expect((await failureOf(create('alias/aws/s3', arn))).name).toBe('NotAuthorizedException');
    expect((await failureOf(create(`alias/${'x'.repeat(251)}`, arn))).name).toBe('ValidationException');
    expect((await failureOf(create('alias/two', 'alias/taken'))).name).toBe('NotFoundException');
    const before = (await client.send(new ListKeysCommand({}))).Keys?.length;
    expect((await failureOf(kms.createKey({ region: EAST, alias: 'taken' }))).name).toBe(
      'AlreadyExistsException',
    );
    expect((await client.send(new ListKeysCommand({}))).Keys).toHaveLength(before as number);
  });

  test('the same alias in two regions is two aliases', async () => {
    const east = await kms.createKey({ region: EAST, alias: 'same' });
    const west = await kms.createKey({ region: WEST, alias: 'same' });
    expect((await dataKey('alias/same')).KeyId).toBe(east.arn);
    expect((await dataKey('alias/same', await clientOf(kms, WEST))).KeyId).toBe(west.arn);
  });

  test('ListKeys goes through all pages, of one region', async () => {
    const made = await Promise.all(Array.from({ length: 5 }, () => kms.createKey({ region: EAST })));
    await kms.createKey({ region: WEST });
    const seen: (string | undefined)[] = [];
    let Marker: string | undefined;
    let pages = 0;
    do {
      const page = await client.send(new ListKeysCommand({ Limit: 2, ...(Marker && { Marker }) }));
      seen.push(...(page.Keys ?? []).map(({ KeyArn }) => KeyArn));
      expect(page.Truncated).toBe(page.NextMarker !== undefined);
      Marker = page.NextMarker;
      pages += 1;
    } while (Marker !== undefined);
    expect(pages).toBe(3);
    expect(seen.sort()).toEqual(made.map(({ arn }) => arn).sort());
    const wrong = new ListKeysCommand({ Marker: '%%%' });
    expect((await failureOf(client.send(wrong))).name).toBe('InvalidMarkerException');
  });

  test('ListAliases, all or those of one key', async () => {
    const { arn } = await kms.createKey({ region: EAST, alias: 'b' });
    await kms.createKey({ region: EAST, alias: 'a' });
    const all = await client.send(new ListAliasesCommand({}));
    expect(all.Aliases?.map(({ AliasName }) => AliasName)).toEqual(['alias/a', 'alias/b']);
    const { Aliases } = await client.send(new ListAliasesCommand({ KeyId: arn }));
    expect(Aliases).toMatchObject([
      {
        AliasName: 'alias/b',
        AliasArn: 'arn:aws:kms:us-east-1:000000000000:alias/b',
        TargetKeyId: arn.slice(-36),
      },
    ]);
    const first = await client.send(new ListAliasesCommand({ Limit: 1 }));
    expect(first.Truncated).toBe(true);
    const second = await client.send(
      new ListAliasesCommand({ Limit: 1, ...(first.NextMarker && { Marker: first.NextMarker }) }),
    );
    expect(second.Aliases?.[0]?.AliasName).toBe('alias/b');
  });
});
