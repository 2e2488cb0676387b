import {
  CreateGrantCommand,
  type CreateGrantCommandInput,
  DisableKeyCommand,
  GenerateDataKeyCommand,
  type KMSClient,
  ListGrantsCommand,
  type ListGrantsCommandInput,
  RetireGrantCommand,
  type RetireGrantCommandInput,
  RevokeGrantCommand,
  type RevokeGrantCommandInput,
} from '@aws-sdk/client-kms';
import { beforeEach, describe, expect, test } from 'vitest';
import type { LocalKms } from '../../src/local-kms/index.ts';
import { clientAs, clientOf, EAST, failureOf, start, WEST } from './helpers.ts';

const principal = (name: string) => `arn:aws:iam::000000000000:${name}`;
const ALICE = principal('user/alice');

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
const dataKey = (from: KMSClient) => from.send(new GenerateDataKeyCommand({ KeyId: arn, NumberOfBytes: 32 }));
const list = async (input: Partial<ListGrantsCommandInput> = {}) =>
  (await client.send(new ListGrantsCommand({ KeyId: arn, ...input }))).Grants ?? [];

describe('CreateGrant and ListGrants', () => {
  test('answer an id, a token, and what was granted', async () => {
    const made = await grant({
      Name: 'mine',
      RetiringPrincipal: principal('role/boss'),
      Constraints: { EncryptionContextSubset: { a: '1' } },
    });
    expect(made.GrantId).toMatch(/^[0-9a-f]{64}$/);
    expect(made.GrantToken?.length).toBeGreaterThan(100);
    expect(await list()).toEqual([
      {
        KeyId: arn,
        GrantId: made.GrantId,
        Name: 'mine',
        CreationDate: expect.any(Date),
        GranteePrincipal: ALICE,
        RetiringPrincipal: principal('role/boss'),
        IssuingAccount: principal('root'),
        Operations: ['GenerateDataKey', 'Decrypt', 'Encrypt'],
        Constraints: { EncryptionContextSubset: { a: '1' } },
      },
    ]);
  });

  test('the same request under a name is the same grant, under another token', async () => {
    const [one, two] = [await grant({ Name: 'n' }), await grant({ Name: 'n' })];
    expect(two.GrantId).toBe(one.GrantId);
    expect(two.GrantToken).not.toBe(one.GrantToken);
    const reordered: GrantInput = { Operations: ['Encrypt', 'Decrypt', 'GenerateDataKey'] };
    expect((await grant({ Name: 'n', ...reordered })).GrantId).toBe(one.GrantId);
    const others: GrantInput[] = [
      { Operations: ['Decrypt'] },
      { GranteePrincipal: principal('role/bob') },
      { RetiringPrincipal: principal('role/boss') },
      { Constraints: { EncryptionContextEquals: { a: '1' } } },
      { Constraints: { EncryptionContextSubset: { a: '1' } } },
      { Name: 'm' },
    ];
    for (const other of others) {
      expect((await grant({ Name: 'n', ...other })).GrantId).not.toBe(one.GrantId);
    }
    expect((await grant()).GrantId).not.toBe((await grant()).GrantId);
    expect(await list()).toHaveLength(others.length + 3);
  });

  test('lists are filtered and paged', async () => {
    const made = [await grant(), await grant(), await grant({ GranteePrincipal: principal('role/bob') })];
    const ids = made.map(({ GrantId }) => GrantId).sort();
    const first = await client.send(new ListGrantsCommand({ KeyId: arn, Limit: 2 }));
    expect(first.Truncated).toBe(true);
    const second = await list({ Limit: 2, Marker: first.NextMarker });
    expect([...(first.Grants ?? []), ...second].map(({ GrantId }) => GrantId)).toEqual(ids);
    expect(await list({ GranteePrincipal: principal('role/bob') })).toHaveLength(1);
    expect((await list({ GrantId: ids[1] })).map(({ GrantId }) => GrantId)).toEqual([ids[1]]);
    const marker = client.send(new ListGrantsCommand({ KeyId: arn, Marker: '%' }));
    expect((await failureOf(marker)).name).toBe('InvalidMarkerException');
  });

  test.each([
    [{ GranteePrincipal: undefined }, 'ValidationException'],
    [{ GranteePrincipal: 'alice' }, 'InvalidArnException'],
    [{ RetiringPrincipal: 'alice' }, 'InvalidArnException'],
    [{ Operations: undefined }, 'ValidationException'],
    [{ Operations: [] }, 'ValidationException'],
    [{ Operations: ['Sign'] }, 'ValidationException'],
    [{ Operations: ['Fly'] }, 'ValidationException'],
    [{ Name: 'a b' }, 'ValidationException'],
    [{ KeyId: 'alias/one' }, 'NotFoundException'],
    [{ GranteeServicePrincipal: 'x.amazonaws.com' }, 'UnsupportedOperationException'],
    [{ Constraints: { SourceArn: 'arn:aws:s3:::x' } }, 'UnsupportedOperationException'],
    [
      { Constraints: { EncryptionContextEquals: Object.fromEntries([...'abcdefghi'].map((k) => [k, k])) } },
      'ValidationException',
    ],
    [{ DryRun: true }, 'DryRunOperationException'],
  ] as [GrantInput, string][])('%j is refused', async (input, name) => {
    expect((await failureOf(grant(input))).name).toBe(name);
    expect(await list()).toHaveLength(0);
  });

  test('not for a disabled key', async () => {
    await client.send(new DisableKeyCommand({ KeyId: arn }));
    expect((await failureOf(grant())).name).toBe('DisabledException');
    expect(await list()).toEqual([]);
  });

  test('grants are on one key in one region', async () => {
    const mrk = await kms.createKey({ region: EAST, multiRegion: true });
    const replica = await kms.replicateKey({ arn: mrk.arn, region: WEST });
    await grant({ KeyId: mrk.arn });
    const west = clientAs(kms, { principal: 'user/alice' }, WEST);
    const command = new GenerateDataKeyCommand({ KeyId: replica.arn, NumberOfBytes: 1 });
    expect((await failureOf(west.send(command))).name).toBe('AccessDeniedException');
  });
});

describe('RetireGrant and RevokeGrant', () => {
  const retire = (input: RetireGrantCommandInput, from = client) => from.send(new RetireGrantCommand(input));
  const revoke = (input: Partial<RevokeGrantCommandInput>, from = client) =>
    from.send(new RevokeGrantCommand({ KeyId: arn, GrantId: undefined, ...input }));

  test('the account retires by token, or by key and grant id', async () => {
    await retire({ GrantToken: (await grant()).GrantToken });
    await retire({ KeyId: arn, GrantId: (await grant()).GrantId });
    expect(await list()).toEqual([]);
    expect((await failureOf(dataKey(alice))).name).toBe('AccessDeniedException');
  });

  test('the retiring principal may, and a grantee whom the grant allows it', async () => {
    const boss = clientAs(kms, { principal: 'role/boss' });
    const token = async (input: GrantInput = {}) => (await grant(input)).GrantToken;
    await retire({ GrantToken: await token({ RetiringPrincipal: principal('role/boss') }) }, boss);
    await retire({ GrantToken: await token({ Operations: ['RetireGrant'] }) }, alice);
    const GrantToken = await token();
    for (const other of [alice, boss]) {
      expect((await failureOf(retire({ GrantToken }, other))).name).toBe('AccessDeniedException');
    }
    expect(await list()).toHaveLength(1);
  });

  test('revoking takes the permission of the key policy', async () => {
    const { GrantId } = await grant({ Operations: ['RetireGrant', 'Decrypt'] });
    expect(await failureOf(revoke({ GrantId }, alice))).toEqual({
      name: 'AccessDeniedException',
      message: `User: ${ALICE} is not authorized to perform: kms:RevokeGrant on resource: ${arn} because no resource-based policy allows the kms:RevokeGrant action`,
      status: 400,
    });
    await revoke({ GrantId });
    expect(await failureOf(revoke({ GrantId }))).toEqual({
      name: 'NotFoundException',
      message: `Grant ID ${GrantId} not found`,
      status: 400,
    });
  });

  test('a dry run changes nothing', async () => {
    const { GrantId, GrantToken } = await grant();
    expect(await failureOf(revoke({ GrantId, DryRun: true }))).toEqual({
      name: 'DryRunOperationException',
      message: 'The request would have succeeded, but the DryRun option is set.',
      status: 400,
    });
    expect((await failureOf(retire({ GrantToken, DryRun: true }))).name).toBe('DryRunOperationException');
    expect(await list()).toHaveLength(1);
  });

  test('what names no grant', async () => {
    const { GrantToken, GrantId } = await grant();
    expect((await failureOf(revoke({ GrantId: 'no-id' }))).name).toBe('InvalidGrantIdException');
    expect((await failureOf(retire({}))).name).toBe('ValidationException');
    expect((await failureOf(retire({ KeyId: arn }))).name).toBe('ValidationException');
    expect((await failureOf(retire({ GrantToken, GrantId }))).name).toBe('ValidationException');
    expect((await failureOf(retire({ GrantToken: 'x' }))).name).toBe('InvalidGrantTokenException');
    const other = await kms.createKey({ region: EAST });
    expect((await failureOf(retire({ KeyId: other.arn, GrantId }))).name).toBe('NotFoundException');
    const west = await clientOf(kms, WEST);
    expect((await failureOf(retire({ GrantToken }, west))).name).toBe('InvalidGrantTokenException');
    await retire({ GrantToken });
    expect((await failureOf(retire({ GrantToken }))).name).toBe('InvalidGrantTokenException');
  });
});
