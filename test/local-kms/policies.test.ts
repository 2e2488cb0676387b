import {
  CreateKeyCommand,
  DecryptCommand,
  DeleteAliasCommand,
  DescribeKeyCommand,
  GenerateDataKeyCommand,
  GetKeyPolicyCommand,
  type KMSClient,
  PutKeyPolicyCommand,
  ReplicateKeyCommand,
  UpdateAliasCommand,
} from '@aws-sdk/client-kms';
import { beforeEach, describe, expect, test } from 'vitest';
import type { LocalKms } from '../../src/local-kms/index.ts';
import { clientAs, clientOf, EAST, failureOf, start, WEST } from './helpers.ts';

const ROOT = 'arn:aws:iam::000000000000:root';
const ALICE = 'arn:aws:iam::000000000000:user/alice';
const ALLOW_ACCOUNT = { Effect: 'Allow', Principal: { AWS: ROOT }, Action: 'kms:*', Resource: '*' };
const policyOf = (...Statement: object[]) => JSON.stringify({ Version: '2012-10-17', Statement });

let kms: LocalKms;
let client: KMSClient;
let alice: KMSClient;
let arn: string;

beforeEach(async () => {
  kms = await start();
  client = await clientOf(kms);
  alice = clientAs(kms, { principal: 'user/alice' });
  ({ arn } = await kms.createKey({ region: EAST, alias: 'one' }));
});

const put = (Policy: string, BypassPolicyLockoutSafetyCheck = false, from = client) =>
  from.send(new PutKeyPolicyCommand({ KeyId: arn, Policy, BypassPolicyLockoutSafetyCheck }));
const get = async (KeyId = arn, from = client) =>
  (await from.send(new GetKeyPolicyCommand({ KeyId }))).Policy;
const dataKey = (from = client) =>
  from.send(new GenerateDataKeyCommand({ KeyId: 'alias/one', NumberOfBytes: 32 }));

function explicitDeny(action: string, caller = ROOT) {
  return {
    name: 'AccessDeniedException',
    message: `User: ${caller} is not authorized to perform: kms:${action} on resource: ${arn} with an explicit deny in a resource-based policy`,
    status: 400,
  };
}

describe('the policy document', () => {
  test('of a new key allows the account everything, in the words of AWS', async () => {
    const answer = await client.send(new GetKeyPolicyCommand({ KeyId: arn }));
    expect(answer.PolicyName).toBe('default');
    expect(JSON.parse(answer.Policy as string)).toEqual({
      Version: '2012-10-17',
      Id: 'key-default-1',
      Statement: [
        {
          Sid: 'Enable IAM User Permissions',
          Effect: 'Allow',
          Principal: { AWS: ROOT },
          Action: 'kms:*',
          Resource: '*',
        },
      ],
    });
  });

  test('is answered as it was put, or given to CreateKey and ReplicateKey', async () => {
    const policy = `  ${policyOf(ALLOW_ACCOUNT)}\n`;
    await put(policy);
    expect(await get()).toBe(policy);
    const { KeyMetadata } = await client.send(new CreateKeyCommand({ Policy: policy, MultiRegion: true }));
    const KeyId = KeyMetadata?.KeyId as string;
    expect(await get(KeyId)).toBe(policy);
    const west = await clientOf(kms, WEST);
    const plain = await client.send(new ReplicateKeyCommand({ KeyId, ReplicaRegion: WEST }));
    expect(JSON.parse(plain.ReplicaPolicy as string).Id).toBe('key-default-1');
    expect(JSON.parse((await get(KeyId, west)) as string).Id).toBe('key-default-1');
  });

  test('a replica has the policy that it was made with', async () => {
    const mrk = await kms.createKey({ region: EAST, multiRegion: true });
    const Policy = policyOf(ALLOW_ACCOUNT);
    const made = await client.send(new ReplicateKeyCommand({ KeyId: mrk.arn, ReplicaRegion: WEST, Policy }));
    expect(made.ReplicaPolicy).toBe(Policy);
    expect(await get(mrk.arn.replace(EAST, WEST), await clientOf(kms, WEST))).toBe(Policy);
  });

  test('only one name exists', async () => {
    const missing = { name: 'NotFoundException', message: 'No such policy exists', status: 400 };
    const other = new GetKeyPolicyCommand({ KeyId: arn, PolicyName: 'other' });
    expect(await failureOf(client.send(other))).toEqual(missing);
    const written = { KeyId: arn, PolicyName: 'other', Policy: policyOf(ALLOW_ACCOUNT) };
    expect(await failureOf(client.send(new PutKeyPolicyCommand(written)))).toEqual(missing);
    expect(
      (await client.send(new GetKeyPolicyCommand({ KeyId: arn, PolicyName: 'default' }))).Policy,
    ).toBeDefined();
  });

  test.each([
    ['no JSON', 'MalformedPolicyDocumentException'],
    ['[]', 'MalformedPolicyDocumentException'],
    ['{}', 'MalformedPolicyDocumentException'],
    ['{"Statement":[1]}', 'MalformedPolicyDocumentException'],
    [policyOf({ ...ALLOW_ACCOUNT, Effect: 'Perhaps' }), 'MalformedPolicyDocumentException'],
    [policyOf({ ...ALLOW_ACCOUNT, Principal: undefined }), 'MalformedPolicyDocumentException'],
    [policyOf({ ...ALLOW_ACCOUNT, Principal: { AWS: 'alice' } }), 'MalformedPolicyDocumentException'],
    [policyOf({ ...ALLOW_ACCOUNT, Action: [1] }), 'MalformedPolicyDocumentException'],
    [policyOf({ ...ALLOW_ACCOUNT, Colour: 'red' }), 'MalformedPolicyDocumentException'],
    [policyOf({ ...ALLOW_ACCOUNT, Sid: '\u2603' }), 'MalformedPolicyDocumentException'],
    [policyOf({ ...ALLOW_ACCOUNT, Sid: 'x'.repeat(33_000) }), 'LimitExceededException'],
    [policyOf({ ...ALLOW_ACCOUNT, Condition: { Bool: {} } }), 'UnsupportedOperationException'],
    [
      policyOf({ Effect: 'Allow', Principal: '*', NotAction: 'kms:Decrypt' }),
      'UnsupportedOperationException',
    ],
    ['', 'ValidationException'],
  ])('%s is refused', async (policy, name) => {
    expect((await failureOf(put(policy, true))).name).toBe(name);
    expect(JSON.parse((await get()) as string).Id).toBe('key-default-1');
  });

  test('must leave its writer a way to replace it, unless told otherwise', async () => {
    const locked = {
      name: 'MalformedPolicyDocumentException',
      message: 'The new key policy will not allow you to update the key policy in the future.',
      status: 400,
    };
    const onlyAlice = policyOf({ ...ALLOW_ACCOUNT, Principal: { AWS: ALICE } });
    const noPut = policyOf(ALLOW_ACCOUNT, { ...ALLOW_ACCOUNT, Effect: 'Deny', Action: 'kms:Put*' });
    for (const policy of [onlyAlice, noPut]) expect(await failureOf(put(policy))).toEqual(locked);
    expect(await failureOf(client.send(new CreateKeyCommand({ Policy: onlyAlice })))).toEqual(locked);
    await put(onlyAlice, true);
    expect((await failureOf(put(policyOf(ALLOW_ACCOUNT)))).name).toBe('AccessDeniedException');
    await put(policyOf(ALLOW_ACCOUNT, { ...ALLOW_ACCOUNT, Principal: { AWS: ALICE } }), false, alice);
    expect((await dataKey()).KeyId).toBe(arn);
  });
});

describe('what is enforced', () => {
  const deny = (rest: object) => policyOf(ALLOW_ACCOUNT, { ...ALLOW_ACCOUNT, Effect: 'Deny', ...rest });

  test.each([
    [{ Action: 'kms:GenerateDataKey' }],
    [{ Action: ['kms:Decrypt', 'KMS:generatedatakey'] }],
    [{ Action: 'kms:Generate*' }],
    [{ Action: 'kms:GenerateDataKe?' }],
    [{ Action: 'kms:GenerateDataKey', Principal: '*' }],
    [{ Action: 'kms:GenerateDataKey', Principal: { AWS: '*' } }],
    [{ Action: 'kms:GenerateDataKey', Principal: { AWS: ['000000000000', ALICE] } }],
    [{ Action: 'kms:GenerateDataKey', Resource: ['arn:aws:kms:us-east-1:*:key/*'] }],
  ])('an explicit Deny %j', async (statement) => {
    await put(deny(statement));
    expect(await failureOf(dataKey())).toEqual(explicitDeny('GenerateDataKey'));
    expect((await client.send(new DescribeKeyCommand({ KeyId: arn }))).KeyMetadata?.Arn).toBe(arn);
  });

  test.each([
    [{ Action: 'kms:GenerateDataKeyWithoutPlaintext' }],
    [{ Action: 'kms:GenerateDataKey', Principal: { AWS: ALICE } }],
    [{ Action: 'kms:GenerateDataKey', Principal: { AWS: '111111111111' } }],
    [{ Action: 'kms:GenerateDataKey', Principal: { Service: 's3.amazonaws.com' } }],
    [{ Action: 'kms:GenerateDataKey', Resource: 'arn:aws:kms:us-west-2:*' }],
    [{ Action: undefined }],
    [{ Action: 'kms:*', Resource: undefined }],
  ])('a Deny %j does not concern the account', async (statement) => {
    await put(deny(statement));
    expect((await dataKey()).KeyId).toBe(arn);
  });

  test('an Allow for a user reaches the user alone', async () => {
    const statement = {
      Effect: 'Allow',
      Principal: { AWS: ALICE },
      Action: 'kms:GenerateDataKey',
      Resource: '*',
    };
    await put(policyOf(ALLOW_ACCOUNT, statement));
    expect((await dataKey(alice)).KeyId).toBe(arn);
    expect((await failureOf(dataKey(clientAs(kms, { principal: 'user/bob' })))).name).toBe(
      'AccessDeniedException',
    );
    const decrypt = new DecryptCommand({ CiphertextBlob: (await dataKey()).CiphertextBlob, KeyId: arn });
    expect((await failureOf(alice.send(decrypt))).message).toContain('no resource-based policy allows');
  });

  test('a Deny for the account reaches its users, whatever else allows them', async () => {
    const allow = { Effect: 'Allow', Principal: { AWS: ALICE }, Action: 'kms:*', Resource: '*' };
    const refuse = { Effect: 'Deny', Principal: { AWS: ROOT }, Action: 'kms:GenerateDataKey', Resource: '*' };
    await put(policyOf(ALLOW_ACCOUNT, allow, refuse));
    expect(await failureOf(dataKey(alice))).toEqual(explicitDeny('GenerateDataKey', ALICE));
  });

  test('aliases take the permission for their key', async () => {
    const other = await kms.createKey({ region: EAST });
    await put(deny({ Action: ['kms:UpdateAlias', 'kms:DeleteAlias'] }));
    const update = new UpdateAliasCommand({ AliasName: 'alias/one', TargetKeyId: other.arn });
    expect(await failureOf(client.send(update))).toEqual(explicitDeny('UpdateAlias'));
    const remove = new DeleteAliasCommand({ AliasName: 'alias/one' });
    expect(await failureOf(client.send(remove))).toEqual(explicitDeny('DeleteAlias'));
  });
});
