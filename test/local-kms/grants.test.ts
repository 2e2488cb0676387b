import {
  CreateGrantCommand,
  type CreateGrantCommandInput,
  DecryptCommand,
  DescribeKeyCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  type KMSClient,
  ListGrantsCommand,
  type ListGrantsCommandInput,
  ListKeysCommand,
  ReEncryptCommand,
  RevokeGrantCommand,
} from '@aws-sdk/client-kms';
import { beforeEach, describe, expect, test } from 'vitest';
import type { LocalKms } from '../../src/local-kms/index.ts';
import { clientAs, clientOf, EAST, failureOf, startWithClock } from './helpers.ts';

const principal = (name: string) => `arn:aws:iam::000000000000:${name}`;
const ALICE = principal('user/alice');
const PLAINTEXT = new TextEncoder().encode('a secret');

let kms: LocalKms;
let pass: (ms: number) => Promise<void>;
let client: KMSClient;
let alice: KMSClient;
let arn: string;

beforeEach(async () => {
  ({ kms, pass } = await startWithClock());
  client = await clientOf(kms);
  alice = clientAs(kms, { principal: 'user/alice' });
  ({ arn } = await kms.createKey({ region: EAST, alias: 'one' }));
});

type GrantInput = Partial<CreateGrantCommandInput>;
const grant = (input: GrantInput = {}, from = client) =>
  from.send(
    new CreateGrantCommand({
      KeyId: arn,
      GranteePrincipal: ALICE,
      Operations: ['GenerateDataKey', 'Decrypt', 'Encrypt'],
      ...input,
    }),
  );
const dataKey = (
  from: KMSClient,
  EncryptionContext: Record<string, string> = {},
  GrantTokens: string[] = [],
) => from.send(new GenerateDataKeyCommand({ KeyId: arn, NumberOfBytes: 32, EncryptionContext, GrantTokens }));
const list = async (input: Partial<ListGrantsCommandInput> = {}) =>
  (await client.send(new ListGrantsCommand({ KeyId: arn, ...input }))).Grants ?? [];

function denied(action: string, caller = ALICE) {
  return {
    name: 'AccessDeniedException',
    message: `User: ${caller} is not authorized to perform: kms:${action} on resource: ${arn} because no resource-based policy allows the kms:${action} action`,
    status: 400,
  };
}

describe('what a grant allows', () => {
  test('its operations on its key to its grantee, and nothing more', async () => {
    expect(await failureOf(dataKey(alice))).toEqual(denied('GenerateDataKey'));
    await grant();
    const made = await dataKey(alice);
    const { CiphertextBlob } = made;
    expect((await alice.send(new DecryptCommand({ CiphertextBlob }))).Plaintext).toEqual(made.Plaintext);
    expect(await failureOf(alice.send(new DescribeKeyCommand({ KeyId: arn })))).toEqual(
      denied('DescribeKey'),
    );
    const bob = clientAs(kms, { principal: 'role/bob' });
    expect(await failureOf(dataKey(bob))).toEqual(denied('GenerateDataKey', principal('role/bob')));
    const other = await kms.createKey({ region: EAST });
    const command = new EncryptCommand({ KeyId: other.arn, Plaintext: PLAINTEXT });
    expect((await failureOf(alice.send(command))).name).toBe('AccessDeniedException');
  });

  test('without a KeyId, Decrypt does not tell a forbidden key from a missing one', async () => {
    const { CiphertextBlob } = await dataKey(client);
    expect(await failureOf(alice.send(new DecryptCommand({ CiphertextBlob })))).toEqual({
      name: 'AccessDeniedException',
      message:
        'The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access.',
      status: 400,
    });
    const named = alice.send(new DecryptCommand({ CiphertextBlob, KeyId: arn }));
    expect(await failureOf(named)).toEqual(denied('Decrypt'));
  });

  test('operations on no key belong to the account', async () => {
    await grant();
    expect(await failureOf(alice.send(new ListKeysCommand({})))).toEqual({
      name: 'AccessDeniedException',
      message: `User: ${ALICE} is not authorized to perform: kms:ListKeys on resource: * because no identity-based policy allows the kms:ListKeys action`,
      status: 400,
    });
  });

  test('ReEncrypt takes one permission for each side', async () => {
    const { CiphertextBlob } = await dataKey(client);
    const move = () => alice.send(new ReEncryptCommand({ CiphertextBlob, DestinationKeyId: arn }));
    await grant({ Operations: ['ReEncryptFrom'] });
    expect(await failureOf(move())).toEqual(denied('ReEncryptTo'));
    await grant({ Operations: ['ReEncryptTo'] });
    expect((await move()).KeyId).toBe(arn);
  });

  test('under an encryption context that equals or contains the pairs of its constraint', async () => {
    await grant({ Constraints: { EncryptionContextEquals: { a: '1' } }, Name: 'equals' });
    expect((await dataKey(alice, { a: '1' })).KeyId).toBe(arn);
    for (const context of [{}, { a: '2' }, { a: '1', b: '2' }]) {
      expect((await failureOf(dataKey(alice, context))).name).toBe('AccessDeniedException');
    }
    await grant({ Constraints: { EncryptionContextSubset: { b: '2' } } });
    expect((await dataKey(alice, { a: '9', b: '2' })).KeyId).toBe(arn);
    expect((await failureOf(dataKey(alice, { a: '9' }))).name).toBe('AccessDeniedException');
  });

  test('a grant for CreateGrant passes on no more than it has', async () => {
    const operations = { Operations: ['Decrypt', 'CreateGrant'] as const };
    const onlyA = { EncryptionContextSubset: { a: '1' } };
    await grant({ Operations: [...operations.Operations], Constraints: onlyA });
    const bob = { GranteePrincipal: principal('role/bob') };
    const pass = (input: GrantInput) => grant({ ...bob, ...input }, alice);
    for (const refused of [
      { Operations: ['Encrypt'] },
      { Operations: ['Decrypt'] },
      { Operations: ['Decrypt'], Constraints: { EncryptionContextEquals: { a: '2' } } },
    ] as GrantInput[]) {
      expect((await failureOf(pass(refused))).name).toBe('AccessDeniedException');
    }
    await pass({ Operations: ['Decrypt'], Constraints: { EncryptionContextEquals: { a: '1', b: '2' } } });
    expect(await list(bob)).toHaveLength(1);
  });
});

describe('tokens', () => {
  test('a new grant counts with its token only, until it is consistent', async () => {
    ({ kms, pass } = await startWithClock({ grantDelayMs: 60_000 }));
    client = await clientOf(kms);
    alice = clientAs(kms, { principal: 'user/alice' });
    ({ arn } = await kms.createKey({ region: EAST }));
    const { GrantToken } = await grant();
    expect(await failureOf(dataKey(alice))).toEqual(denied('GenerateDataKey'));
    expect((await dataKey(alice, {}, [GrantToken as string])).KeyId).toBe(arn);
    await pass(60_000);
    Object.assign(alice.config, { systemClockOffset: 60_000 });
    expect((await dataKey(alice)).KeyId).toBe(arn);
  });

  test.each(['token', 'x'.repeat(107), ''])('%j is none, for whoever sends it', async (token) => {
    expect(await failureOf(dataKey(client, {}, [token]))).toEqual({
      name: 'InvalidGrantTokenException',
      message: 'The grant token is not valid.',
      status: 400,
    });
  });

  test('of another server, or changed, is none', async () => {
    const { GrantToken = '' } = await grant();
    const other = await startWithClock();
    const key = await other.kms.createKey({ region: EAST });
    const abroad = new GenerateDataKeyCommand({
      KeyId: key.arn,
      NumberOfBytes: 1,
      GrantTokens: [GrantToken],
    });
    expect((await failureOf((await clientOf(other.kms)).send(abroad))).name).toBe(
      'InvalidGrantTokenException',
    );
    const changed = (GrantToken.startsWith('A') ? 'B' : 'A') + GrantToken.slice(1);
    expect((await failureOf(dataKey(client, {}, [changed]))).name).toBe('InvalidGrantTokenException');
  });

  test('of a revoked grant opens nothing', async () => {
    const { GrantToken = '', GrantId } = await grant();
    await client.send(new RevokeGrantCommand({ KeyId: arn, GrantId }));
    expect(await failureOf(dataKey(alice, {}, [GrantToken]))).toEqual(denied('GenerateDataKey'));
  });
});
