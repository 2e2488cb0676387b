import {
  CancelKeyDeletionCommand,
  CreateAliasCommand,
  CreateGrantCommand,
  DecryptCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  GenerateDataKeyCommand,
  type KMSClient,
  ListAliasesCommand,
  ListGrantsCommand,
  PutKeyPolicyCommand,
  ReplicateKeyCommand,
  ScheduleKeyDeletionCommand,
  UpdatePrimaryRegionCommand,
} from '@aws-sdk/client-kms';
import { beforeEach, describe, expect, test } from 'vitest';
import type { LocalKms } from '../../src/local-kms/index.ts';
import { clientOf, EAST, failureOf, startWithClock, WEST } from './helpers.ts';

const NORTH = 'eu-north-1';
const DAY = 86_400_000;

let kms: LocalKms;
let pass: (ms: number) => Promise<void>;
let clients: Record<string, KMSClient>;
let arn: string;

async function begin(options: Parameters<typeof startWithClock>[0] = {}): Promise<void> {
  ({ kms, pass } = await startWithClock({ regions: [EAST, WEST, NORTH], ...options }));
  clients = Object.fromEntries(
    await Promise.all([EAST, WEST, NORTH].map(async (region) => [region, await clientOf(kms, region)])),
  );
  ({ arn } = await kms.createKey({ region: EAST, multiRegion: true }));
}

beforeEach(() => begin());

const at = (region: string) => arn.replace(EAST, region);
const client = (region: string) => clients[region] as KMSClient;
const describeKey = async (region: string) =>
  (await client(region).send(new DescribeKeyCommand({ KeyId: at(region) }))).KeyMetadata;
const stateOf = async (region: string) => (await describeKey(region))?.KeyState;
const dataKey = (region: string) =>
  client(region).send(new GenerateDataKeyCommand({ KeyId: at(region), NumberOfBytes: 32 }));
const update = (from: string, PrimaryRegion: string, KeyId = at(from)) =>
  client(from).send(new UpdatePrimaryRegionCommand({ KeyId, PrimaryRegion }));
const replicate = (to: string, from = EAST) =>
  client(from).send(new ReplicateKeyCommand({ KeyId: at(from), ReplicaRegion: to }));
const schedule = (region: string, PendingWindowInDays = 7) =>
  client(region).send(new ScheduleKeyDeletionCommand({ KeyId: at(region), PendingWindowInDays }));

describe('ReplicateKey', () => {
  test('describes a key without material yet, and its policy', async () => {
    const { ReplicaKeyMetadata, ReplicaPolicy, ...rest } = await replicate(WEST);
    expect(ReplicaKeyMetadata).toMatchObject({ KeyState: 'Creating', Enabled: false, Arn: at(WEST) });
    expect(ReplicaKeyMetadata).not.toHaveProperty('CurrentKeyMaterialId');
    expect(JSON.parse(ReplicaPolicy as string).Id).toBe('key-default-1');
    expect(Object.keys(rest)).toEqual(['$metadata']);
  });

  test('Creating becomes Enabled; meanwhile only its deletion can be scheduled', async () => {
    await begin({ replicaCreatingMs: 1000 });
    await replicate(WEST);
    expect(await describeKey(WEST)).toMatchObject({ KeyState: 'Creating', Enabled: false });
    const creating = { name: 'KMSInvalidStateException', message: `${at(WEST)} is creating.`, status: 400 };
    expect(await failureOf(dataKey(WEST))).toEqual(creating);
    for (const command of [EnableKeyCommand, DisableKeyCommand]) {
      expect(await failureOf(client(WEST).send(new command({ KeyId: at(WEST) })))).toEqual(creating);
    }
    expect(await failureOf(update(EAST, WEST))).toEqual(creating);
    await pass(1000);
    expect(await describeKey(WEST)).toMatchObject({ KeyState: 'Enabled', Enabled: true });
    await begin({ replicaCreatingMs: 1000 });
    await replicate(WEST);
    expect((await schedule(WEST)).KeyState).toBe('PendingDeletion');
  });
});

describe('UpdatePrimaryRegion', () => {
  beforeEach(async () => {
    for (const region of [WEST, NORTH]) await kms.replicateKey({ arn, region });
  });

  test('makes a replica the primary key and the primary a replica, everywhere', async () => {
    const before = await dataKey(EAST);
    await update(EAST, NORTH);
    const types = { [EAST]: 'REPLICA', [WEST]: 'REPLICA', [NORTH]: 'PRIMARY' };
    for (const [region, type] of Object.entries(types)) {
      expect((await describeKey(region))?.MultiRegionConfiguration).toEqual({
        MultiRegionKeyType: type,
        PrimaryKey: { Arn: at(NORTH), Region: NORTH },
        ReplicaKeys: [
          { Arn: at(EAST), Region: EAST },
          { Arn: at(WEST), Region: WEST },
        ],
      });
    }
    const { CiphertextBlob } = before;
    const opened = await client(NORTH).send(new DecryptCommand({ CiphertextBlob }));
    expect(opened.Plaintext).toEqual(before.Plaintext);
    expect((await failureOf(update(EAST, WEST))).message).toBe(
      `${at(EAST)} is not a multi-region primary key.`,
    );
    await update(NORTH, EAST);
    expect((await describeKey(EAST))?.MultiRegionConfiguration?.MultiRegionKeyType).toBe('PRIMARY');
  });

  test('both keys are Updating for a while, and encrypt all the same', async () => {
    await begin({ primaryUpdateMs: 1000 });
    await kms.replicateKey({ arn, region: WEST });
    await update(EAST, WEST);
    for (const region of [EAST, WEST]) {
      const updating = {
        name: 'KMSInvalidStateException',
        message: `${at(region)} is updating.`,
        status: 400,
      };
      expect(await stateOf(region)).toBe('Updating');
      expect((await dataKey(region)).KeyId).toBe(at(region));
      const disable = new DisableKeyCommand({ KeyId: at(region) });
      expect(await failureOf(client(region).send(disable))).toEqual(updating);
      expect(await failureOf(schedule(region))).toEqual(updating);
    }
    expect((await failureOf(replicate(NORTH, WEST))).message).toBe(`${at(WEST)} is updating.`);
    await pass(1000);
    expect([await stateOf(EAST), await stateOf(WEST)]).toEqual(['Enabled', 'Enabled']);
  });

  test('what it refuses', async () => {
    expect(await failureOf(update(EAST, 'eu-west-9'))).toEqual({
      name: 'NotFoundException',
      message: `Key '${at('eu-west-9')}' does not exist`,
      status: 400,
    });
    expect((await failureOf(update(EAST, EAST))).name).toBe('UnsupportedOperationException');
    const single = await kms.createKey({ region: EAST });
    expect(await failureOf(update(EAST, WEST, single.arn))).toEqual({
      name: 'UnsupportedOperationException',
      message: `${single.arn} is not a multi-region primary key.`,
      status: 400,
    });
    await client(WEST).send(new DisableKeyCommand({ KeyId: at(WEST) }));
    expect((await failureOf(update(EAST, WEST))).message).toBe(`${at(WEST)} is disabled.`);
    await client(EAST).send(new DisableKeyCommand({ KeyId: at(EAST) }));
    expect((await failureOf(update(EAST, NORTH))).message).toBe(`${at(EAST)} is disabled.`);
  });

  test('takes the permission for both keys', async () => {
    const statement = { Effect: 'Allow', Principal: { AWS: '000000000000' }, Action: 'kms:*', Resource: '*' };
    const refuse = { ...statement, Effect: 'Deny', Action: 'kms:UpdatePrimaryRegion' };
    const Policy = JSON.stringify({ Statement: [statement, refuse] });
    await client(WEST).send(new PutKeyPolicyCommand({ KeyId: at(WEST), Policy }));
    expect((await failureOf(update(EAST, WEST))).name).toBe('AccessDeniedException');
    await update(EAST, NORTH);
  });
});

describe('deletion', () => {
  beforeEach(async () => {
    for (const region of [WEST, NORTH]) await kms.replicateKey({ arn, region });
  });

  test('a primary key waits until its last replica is gone, then its own period begins', async () => {
    expect(await schedule(EAST, 10)).toMatchObject({
      KeyId: arn,
      KeyState: 'PendingReplicaDeletion',
      PendingWindowInDays: 10,
    });
    expect(await describeKey(EAST)).toMatchObject({ PendingDeletionWindowInDays: 10 });
    expect(await describeKey(EAST)).not.toHaveProperty('DeletionDate');
    await schedule(WEST, 7);
    await pass(8 * DAY);
    expect(await stateOf(EAST)).toBe('PendingReplicaDeletion');
    expect((await describeKey(EAST))?.MultiRegionConfiguration?.ReplicaKeys).toEqual([
      { Arn: at(NORTH), Region: NORTH },
    ]);
    await schedule(NORTH, 7);
    await pass(7 * DAY);
    const due = await describeKey(EAST);
    expect(due).toMatchObject({ KeyState: 'PendingDeletion', DeletionDate: expect.any(Date) });
    await pass(10 * DAY);
    expect((await failureOf(stateOf(EAST))).message).toBe(`Key '${arn}' does not exist`);
  });

  test('can be cancelled while it waits', async () => {
    await schedule(EAST);
    await client(EAST).send(new CancelKeyDeletionCommand({ KeyId: arn }));
    expect(await stateOf(EAST)).toBe('Disabled');
    await schedule(WEST);
    await schedule(NORTH);
    await pass(8 * DAY);
    expect(await stateOf(EAST)).toBe('Disabled');
  });

  test('takes aliases and grants along: a replica made anew has none', async () => {
    const west = client(WEST);
    await west.send(new CreateAliasCommand({ AliasName: 'alias/west', TargetKeyId: at(WEST) }));
    await west.send(
      new CreateGrantCommand({
        KeyId: at(WEST),
        GranteePrincipal: 'arn:aws:iam::000000000000:user/alice',
        Operations: ['Decrypt'],
      }),
    );
    await schedule(WEST);
    await pass(8 * DAY);
    await replicate(WEST);
    expect((await west.send(new ListGrantsCommand({ KeyId: at(WEST) }))).Grants).toEqual([]);
    expect((await west.send(new ListAliasesCommand({}))).Aliases).toEqual([]);
  });

  test('after another key has become the primary one, it is a replica like others', async () => {
    await update(EAST, WEST);
    expect((await schedule(EAST)).KeyState).toBe('PendingDeletion');
    await pass(8 * DAY);
    expect((await describeKey(WEST))?.MultiRegionConfiguration?.ReplicaKeys).toHaveLength(1);
    const again = await client(WEST).send(new ReplicateKeyCommand({ KeyId: at(WEST), ReplicaRegion: EAST }));
    expect(again.ReplicaKeyMetadata?.Arn).toBe(arn);
  });
});
