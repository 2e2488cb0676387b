import { chmodSync, copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateGrantCommand,
  CreateKeyCommand,
  DecryptCommand,
  DescribeKeyCommand,
  EnableKeyRotationCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GetKeyPolicyCommand,
  GetKeyRotationStatusCommand,
  ListAliasesCommand,
  ListGrantsCommand,
  ListKeyRotationsCommand,
  PutKeyPolicyCommand,
  ReplicateKeyCommand,
  RotateKeyOnDemandCommand,
  UpdatePrimaryRegionCommand,
} from '@aws-sdk/client-kms';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { clientAs, clientOf, EAST, failureOf, start, WEST } from './helpers.ts';

const VERSION_1 = new URL('state-1.json', import.meta.url);
const PLAINTEXT = new TextEncoder().encode('a secret');
const PRINCIPAL = 'arn:aws:iam::000000000000:user/alice';
const POLICY = JSON.stringify({
  Statement: [{ Effect: 'Allow', Principal: { AWS: '000000000000' }, Action: 'kms:*', Resource: '*' }],
});

let file: string;

beforeEach(() => {
  const path = mkdtempSync(join(tmpdir(), 'local-kms-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  file = join(path, 'kms.json');
});

const read = () => JSON.parse(readFileSync(file, 'utf8'));

test('rotations and their schedule are kept, and old blobs open', async () => {
  const first = await start({ file, rotationMs: 3_600_000 });
  const { arn: KeyId } = await first.createKey({ region: EAST });
  const client = await clientOf(first);
  const { CiphertextBlob } = await client.send(new EncryptCommand({ KeyId, Plaintext: PLAINTEXT }));
  await client.send(new EnableKeyRotationCommand({ KeyId, RotationPeriodInDays: 100 }));
  await client.send(new RotateKeyOnDemandCommand({ KeyId }));
  const status = await client.send(new GetKeyRotationStatusCommand({ KeyId }));
  await first.close();

  let passed = 0;
  const second = await start({ file, rotationMs: 3_600_000, now: () => Date.now() + passed });
  const again = await clientOf(second);
  const { $metadata: _, ...kept } = await again.send(new GetKeyRotationStatusCommand({ KeyId }));
  expect(status).toMatchObject(kept);
  expect(kept.OnDemandRotationStartDate).toBeInstanceOf(Date);
  passed = 3_600_000;
  Object.assign(again.config, { systemClockOffset: passed });
  expect((await again.send(new ListKeyRotationsCommand({ KeyId }))).Rotations).toMatchObject([
    { RotationType: 'ON_DEMAND', KeyMaterialState: 'CURRENT' },
  ]);
  await second.close();

  const third = await clientOf(await start({ file }));
  expect((await third.send(new DecryptCommand({ CiphertextBlob }))).Plaintext).toEqual(PLAINTEXT);
  expect((await third.send(new ListKeyRotationsCommand({ KeyId }))).Rotations).toHaveLength(1);
});

test('grants are kept, their tokens too', async () => {
  const first = await start({ file, grantDelayMs: 3_600_000 });
  const { arn: KeyId } = await first.createKey({ region: EAST });
  const { GrantToken } = await (await clientOf(first)).send(
    new CreateGrantCommand({
      KeyId,
      GranteePrincipal: PRINCIPAL,
      RetiringPrincipal: PRINCIPAL,
      Name: 'mine',
      Operations: ['GenerateDataKey', 'DescribeKey'],
      Constraints: { EncryptionContextSubset: { a: 'b' } },
    }),
  );
  const { Grants } = await (await clientOf(first)).send(new ListGrantsCommand({ KeyId }));
  await first.close();

  const second = await start({ file });
  expect((await (await clientOf(second)).send(new ListGrantsCommand({ KeyId }))).Grants).toEqual(Grants);
  const alice = clientAs(second, { principal: 'user/alice' });
  const made = { KeyId, NumberOfBytes: 8, EncryptionContext: { a: 'b' } };
  expect((await failureOf(alice.send(new GenerateDataKeyCommand(made)))).name).toBe('AccessDeniedException');
  const withToken = new GenerateDataKeyCommand({ ...made, GrantTokens: [GrantToken as string] });
  expect((await alice.send(withToken)).Plaintext).toHaveLength(8);
});

test('policies, replicas, the primary region and transient states are kept', async () => {
  const options = { file, replicaCreatingMs: 3_600_000, primaryUpdateMs: 3_600_000 };
  const first = await start({ regions: [EAST, WEST, 'eu-west-1'], ...options });
  const { arn: KeyId } = await first.createKey({ region: EAST, multiRegion: true });
  const replica = (await first.replicateKey({ arn: KeyId, region: WEST })).arn;
  const client = await clientOf(first);
  await client.send(new PutKeyPolicyCommand({ KeyId, Policy: POLICY }));
  await client.send(new ReplicateKeyCommand({ KeyId, ReplicaRegion: 'eu-west-1' }));
  await client.send(new UpdatePrimaryRegionCommand({ KeyId, PrimaryRegion: WEST }));
  await first.close();

  const second = await start({ file });
  const east = await clientOf(second);
  expect((await east.send(new GetKeyPolicyCommand({ KeyId }))).Policy).toBe(POLICY);
  expect((await east.send(new DescribeKeyCommand({ KeyId }))).KeyMetadata).toMatchObject({
    KeyState: 'Updating',
    MultiRegionConfiguration: { MultiRegionKeyType: 'REPLICA', PrimaryKey: { Arn: replica } },
  });
  const states = read().keys.map(({ region, state }: { region: string; state: string }) => [region, state]);
  expect(states.sort()).toEqual([
    ['eu-west-1', 'Creating'],
    [EAST, 'Updating'],
    [WEST, 'Updating'],
  ]);
});

test('a file of version 1 is read, and written as version 2', async () => {
  copyFileSync(VERSION_1, file);
  chmodSync(file, 0o600);
  const { keys, blobs } = read().test as { keys: Record<string, string>; blobs: Record<string, string> };
  const kms = await start({ file });
  const client = await clientOf(kms);
  for (const [name, blob] of Object.entries(blobs)) {
    const CiphertextBlob = Buffer.from(blob, 'base64');
    const command = new DecryptCommand({ CiphertextBlob, EncryptionContext: { a: 'b' } });
    const opened = await client.send(command);
    expect(opened.KeyId).toBe(keys[name]);
    expect(opened.Plaintext).toEqual(PLAINTEXT);
  }
  const west = await clientOf(kms, WEST);
  const replica = keys.multi?.replace(EAST, WEST) as string;
  const described = (await west.send(new DescribeKeyCommand({ KeyId: replica }))).KeyMetadata;
  expect(described?.MultiRegionConfiguration?.MultiRegionKeyType).toBe('REPLICA');
  expect(
    await failureOf(client.send(new GenerateDataKeyCommand({ KeyId: keys.disabled, NumberOfBytes: 1 }))),
  ).toMatchObject({
    name: 'DisabledException',
  });
  const external = await client.send(new DescribeKeyCommand({ KeyId: keys.external }));
  expect(external.KeyMetadata?.KeyState).toBe('PendingImport');
  expect((await client.send(new ListAliasesCommand({}))).Aliases).toMatchObject([{ AliasName: 'alias/one' }]);
  expect(read()).toMatchObject({ version: 2, grants: [] });
  await client.send(new RotateKeyOnDemandCommand({ KeyId: keys.single as string }));
  const single = Buffer.from(blobs.single as string, 'base64');
  const old = new DecryptCommand({ CiphertextBlob: single, EncryptionContext: { a: 'b' } });
  expect((await client.send(old)).Plaintext).toEqual(PLAINTEXT);
});

test.each([
  ['"version": 2', '"version": 0'],
  ['"grants": []', '"grants": {}'],
  ['"materials": [', '"other": ['],
  ['"bytes": "', '"bytes": "AAAA'],
  ['"state": "Enabled"', '"state": "Gone"'],
  ['"since": ', '"until": '],
])('%s in place of %s is refused', async (found, other) => {
  const kms = await start({ file });
  await kms.createKey({ region: EAST });
  await kms.close();
  const text = readFileSync(file, 'utf8');
  expect(text).toContain(found);
  writeFileSync(file, text.replace(found, other));
  await expect(start({ file })).rejects.toThrow('not a state file of this version');
});

test('a seed gives the same rotations after a restart as without one', async () => {
  const rotate = async (restart: boolean) => {
    const at = `${file}-${restart}`;
    let kms = await start({ file: at, seed: 'golden' });
    const { KeyMetadata } = await (await clientOf(kms)).send(new CreateKeyCommand({}));
    const KeyId = KeyMetadata?.KeyId as string;
    for (let i = 0; i < 3; i += 1) {
      if (restart) {
        await kms.close();
        kms = await start({ file: at, seed: 'golden' });
      }
      await (await clientOf(kms)).send(new RotateKeyOnDemandCommand({ KeyId }));
    }
    const { Rotations } = await (await clientOf(kms)).send(new ListKeyRotationsCommand({ KeyId }));
    return Rotations?.map(({ KeyMaterialId }) => KeyMaterialId);
  };
  const ids = await rotate(false);
  expect(new Set(ids).size).toBe(3);
  expect(await rotate(true)).toEqual(ids);
});
