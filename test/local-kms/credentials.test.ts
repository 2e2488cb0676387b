import { DescribeKeyCommand, GenerateDataKeyCommand, GenerateRandomCommand } from '@aws-sdk/client-kms';
import { describe, expect, test } from 'vitest';
import { clientAs, EAST, failureOf, sharedClient, start, startWithClock, WEST } from './helpers.ts';

const random = new GenerateRandomCommand({ NumberOfBytes: 8 });

describe('credentials', () => {
  test('of the account do what its own do', async () => {
    const kms = await start();
    const credentials = kms.issueCredentials();
    expect(credentials).toEqual({
      accessKeyId: expect.stringMatching(/^AKIDLOCAL/),
      secretAccessKey: expect.stringMatching(/^.{40}$/),
    });
    const client = sharedClient(kms, { credentials });
    expect((await client.send(random)).Plaintext).toHaveLength(8);
    const swapped = { ...credentials, secretAccessKey: kms.credentials.secretAccessKey };
    const failure = await failureOf(sharedClient(kms, { credentials: swapped }).send(random));
    expect(failure.name).toBe('InvalidSignatureException');
  });

  test('of a user name the user, in the partition of the first region', async () => {
    const kms = await start({ regions: ['cn-north-1'], accountId: '123456789012' });
    const { arn } = await kms.createKey({ region: 'cn-north-1' });
    const client = clientAs(kms, { principal: 'role/team/app' }, 'cn-north-1');
    const failure = await failureOf(client.send(new DescribeKeyCommand({ KeyId: arn })));
    expect(failure.message).toContain('User: arn:aws-cn:iam::123456789012:role/team/app is not authorized');
  });

  test('that are temporary expire by the server’s clock', async () => {
    const { kms, pass } = await startWithClock();
    const credentials = kms.issueCredentials({ lifetimeMs: 60_000 });
    expect(credentials.accessKeyId).toMatch(/^ASIDLOCAL/);
    expect(credentials.expiration).toBeInstanceOf(Date);
    const client = sharedClient(kms, { credentials });
    await client.send(random);
    await pass(59_999);
    await client.send(random);
    await pass(1);
    expect(await failureOf(client.send(random))).toEqual({
      name: 'ExpiredTokenException',
      message: 'The security token included in the request is expired',
      status: 400,
    });
  });

  test('that are temporary need their own session token', async () => {
    const kms = await start();
    const { sessionToken, ...bare } = kms.issueCredentials({ lifetimeMs: 60_000 });
    const other = kms.issueCredentials({ lifetimeMs: 60_000 });
    for (const token of [undefined, other.sessionToken]) {
      const credentials = { ...bare, ...(token !== undefined && { sessionToken: token }) };
      expect(await failureOf(sharedClient(kms, { credentials }).send(random))).toEqual({
        name: 'UnrecognizedClientException',
        message: 'The security token included in the request is invalid.',
        status: 400,
      });
    }
    expect(sessionToken).not.toBe(other.sessionToken);
  });

  test('a provider is asked again before its credentials expire', async () => {
    const kms = await start();
    let asked = 0;
    const credentials = async () => {
      asked += 1;
      return kms.issueCredentials({ lifetimeMs: asked === 1 ? 1000 : 3_600_000 });
    };
    const client = sharedClient(kms, { credentials });
    for (let i = 0; i < 3; i += 1) await client.send(random);
    expect(asked).toBe(2);
  });

  test('are the same from the same seed, and differ from one another', async () => {
    const issue = async () => {
      const kms = await start({ seed: 'golden' });
      const user = { principal: 'user/alice' };
      return [kms.issueCredentials(user), kms.issueCredentials(user), kms.issueCredentials()];
    };
    const [one, two, three] = await issue();
    expect(await issue()).toEqual([one, two, three]);
    expect(new Set([one, two, three].map((each) => each?.secretAccessKey)).size).toBe(3);
    const other = await start({ seed: 'golden' });
    other.issueCredentials({ principal: 'user/bob' });
    expect(other.issueCredentials({ principal: 'user/alice' })).toEqual(one);
  });

  test.each([
    [{ principal: 'alice' }, TypeError],
    [{ principal: 'user/' }, TypeError],
    [{ principal: 'group/x' }, TypeError],
    [{ principal: 'user/a:b' }, TypeError],
    [{ lifetimeMs: -1 }, RangeError],
    [{ lifetimeMs: Number.NaN }, RangeError],
  ])('%j is refused', async (options, error) => {
    const kms = await start();
    expect(() => kms.issueCredentials(options)).toThrow(error);
  });

  test('serve every region that is served', async () => {
    const kms = await start();
    const { arn } = await kms.createKey({ region: WEST });
    const credentials = kms.issueCredentials();
    const west = sharedClient(kms, { credentials, region: WEST });
    expect((await west.send(new GenerateDataKeyCommand({ KeyId: arn, NumberOfBytes: 1 }))).KeyId).toBe(arn);
    expect(
      (
        await failureOf(
          sharedClient(kms, { credentials, region: EAST }).send(new DescribeKeyCommand({ KeyId: arn })),
        )
      ).message,
    ).toBe('Invalid arn us-west-2');
  });
});
