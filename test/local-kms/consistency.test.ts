import {
  CreateAliasCommand,
  CreateKeyCommand,
  DecryptCommand,
  DeleteAliasCommand,
  DescribeKeyCommand,
  GenerateDataKeyCommand,
  type KMSClient,
  ListAliasesCommand,
  ListKeysCommand,
  ReplicateKeyCommand,
} from '@aws-sdk/client-kms';
import { beforeEach, describe, expect, test } from 'vitest';
import type { LocalKms } from '../../src/local-kms/index.ts';
import { clientOf, EAST, failureOf, startWithClock, WEST } from './helpers.ts';

describe('eventual consistency', () => {
  let kms: LocalKms;
  let pass: (ms: number) => Promise<void>;
  let client: KMSClient;

  beforeEach(async () => {
    ({ kms, pass } = await startWithClock({ visibilityDelayMs: 1000 }));
    client = await clientOf(kms);
  });

  const dataKey = (KeyId: string, from = client) =>
    from.send(new GenerateDataKeyCommand({ KeyId, NumberOfBytes: 32 }));

  test('a key that a request has made is not found at first', async () => {
    const { KeyMetadata } = await client.send(new CreateKeyCommand({}));
    const KeyId = KeyMetadata?.Arn as string;
    const missing = { name: 'NotFoundException', message: `Key '${KeyId}' does not exist`, status: 400 };
    expect(await failureOf(dataKey(KeyId))).toEqual(missing);
    expect(await failureOf(client.send(new DescribeKeyCommand({ KeyId })))).toEqual(missing);
    expect((await client.send(new ListKeysCommand({}))).Keys).toEqual([]);
    await pass(1000);
    expect((await dataKey(KeyId)).KeyId).toBe(KeyId);
    expect((await client.send(new ListKeysCommand({}))).Keys).toHaveLength(1);
  });

  test('nor is an alias, which is taken all the same', async () => {
    const { arn } = await kms.createKey({ region: EAST });
    const create = () => client.send(new CreateAliasCommand({ AliasName: 'alias/new', TargetKeyId: arn }));
    await create();
    const missing = `Alias ${arn.replace(/key\/.*/, 'alias/new')} is not found.`;
    expect((await failureOf(dataKey('alias/new'))).message).toBe(missing);
    const remove = new DeleteAliasCommand({ AliasName: 'alias/new' });
    expect((await failureOf(client.send(remove))).message).toBe(missing);
    expect((await client.send(new ListAliasesCommand({}))).Aliases).toEqual([]);
    expect((await failureOf(create())).name).toBe('AlreadyExistsException');
    await pass(1000);
    expect((await dataKey('alias/new')).KeyId).toBe(arn);
  });

  test('nor is a replica, and blobs do not open by it', async () => {
    const { arn } = await kms.createKey({ region: EAST, multiRegion: true });
    const { CiphertextBlob } = await dataKey(arn);
    await client.send(new ReplicateKeyCommand({ KeyId: arn, ReplicaRegion: WEST }));
    const west = await clientOf(kms, WEST);
    const open = () => west.send(new DecryptCommand({ CiphertextBlob }));
    expect((await failureOf(open())).name).toBe('AccessDeniedException');
    await pass(1000);
    expect((await open()).KeyId).toBe(arn.replace(EAST, WEST));
  });

  test('what the server’s own methods make is there at once', async () => {
    const { arn } = await kms.createKey({ region: EAST, alias: 'one', multiRegion: true });
    expect((await dataKey('alias/one')).KeyId).toBe(arn);
    const replica = await kms.replicateKey({ arn, region: WEST });
    expect((await dataKey(replica.arn, await clientOf(kms, WEST))).KeyId).toBe(replica.arn);
  });
});
