import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { decrypt, encrypt, type Keyring, multiKeyring } from '../../../src/index.ts';
import {
  type AwsKmsDiscoveryKeyringOptions,
  awsKmsDiscoveryKeyring,
  awsKmsKeyring,
  awsKmsMrkDiscoveryKeyring,
} from '../../../src/keyring/aws-kms/index.ts';
import { type LocalKms, startLocalKms } from '../../../src/local-kms/index.ts';
import { bytes, failure, failureCode } from '../../support/messages.ts';
import { FakeKms } from './fake-kms.ts';

process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';

const REGIONS = ['us-east-1', 'eu-west-1', 'ap-south-1', 'cn-north-1'] as const;
const FAST = { algorithmSuite: 0x0478 } as const;
const OWN = { partition: 'aws', accountIds: ['000000000000'] } as const;
let kms: LocalKms;
let replicas: string[];
let singles: string[];
/** Under single-Region keys in the first, second and fourth region. */
let plain: Uint8Array;
/** Under the multi-Region key of the first region. */
let multi: Uint8Array;

beforeAll(async () => {
  kms = await startLocalKms({ regions: REGIONS, clientOptions: { maxAttempts: 1 } });
  const { arn } = await kms.createKey({ region: REGIONS[0], multiRegion: true });
  replicas = [arn];
  for (const region of REGIONS.slice(1, 3)) replicas.push((await kms.replicateKey({ arn, region })).arn);
  singles = [];
  for (const region of REGIONS) singles.push((await kms.createKey({ region })).arn);
  plain = await sealed(singles[0]!, singles[1]!, singles[3]!);
  multi = await sealed(replicas[0]!);
});
afterAll(() => kms.close());
beforeEach(() => {
  for (const region of REGIONS) kms.setFault(region, null);
  kms.requests.length = 0;
});

async function sealed(generatorKeyId: string, ...keyIds: string[]): Promise<Uint8Array> {
  const keyring = awsKmsKeyring({ generatorKeyId, keyIds, clientSupplier: kms.clientSupplier });
  return (await encrypt(bytes(9), { ...FAST, keyring })).ciphertext;
}
type Options = Partial<AwsKmsDiscoveryKeyringOptions>;
const discovery = (options: Options = {}): Keyring =>
  awsKmsDiscoveryKeyring({
    regions: REGIONS,
    discoveryFilter: OWN,
    clientSupplier: kms.clientSupplier,
    ...options,
  });
const mrkDiscovery = (options: Options = {}): Keyring =>
  awsKmsMrkDiscoveryKeyring({
    regions: REGIONS,
    discoveryFilter: OWN,
    clientSupplier: kms.clientSupplier,
    ...options,
  });
const log = () => kms.requests.map(({ operation, region, keyId }) => `${operation} ${region} ${keyId}`);
const BOTH = [
  ['awsKmsDiscoveryKeyring', discovery, awsKmsDiscoveryKeyring],
  ['awsKmsMrkDiscoveryKeyring', mrkDiscovery, awsKmsMrkDiscoveryKeyring],
] as const;

describe.each(BOTH)('%s', (name, keyring, make) => {
  it.each([
    ['no regions', { regions: undefined }],
    ['empty regions', { regions: [] }],
    ['an empty region', { regions: ['us-east-1', ''] }],
    ['a region that is null', { regions: [null] }],
    ['a region that is a host', { regions: ['us-east-1.example.com'] }],
    ['regions that are text', { regions: 'us-east-1' }],
    ['no filter', { discoveryFilter: undefined }],
    ['a filter that is null', { discoveryFilter: null }],
    ['another word for a filter', { discoveryFilter: 'any' }],
    ['a filter without accounts', { discoveryFilter: { partition: 'aws', accountIds: [] } }],
    ['a filter with a misspelt name', { discoveryFilter: { partition: 'aws', accounts: ['000000000000'] } }],
    ['an account of 11 digits', { discoveryFilter: { partition: 'aws', accountIds: ['00000000000'] } }],
    ['accounts that are numbers', { discoveryFilter: { partition: 'aws', accountIds: [111111111111] } }],
    ['no partition', { discoveryFilter: { accountIds: ['000000000000'] } }],
    ['a quorum', { quorum: { atLeast: 1 } }],
    ['a hedge', { hedgeAfterMs: 10 }],
    ['keyIds', { keyIds: ['alias/a'] }],
    ['preferredRegions that are no regions', { preferredRegions: ['nowhere'] }],
  ])('refuses %s', async (_, options) => {
    const all = { regions: REGIONS, discoveryFilter: OWN, ...options };
    expect(await failureCode(() => make(all as never))).toBe('INVALID_ARGUMENT');
  });

  it('does not encrypt, and says which keyrings do', async () => {
    const error = await failure(encrypt(bytes(1), { keyring: keyring() }));
    expect(error.code).toBe('INVALID_ARGUMENT');
    expect(error.message).toContain('awsKmsKeyring');
    expect(error.message).toContain(name);
    const child = multiKeyring({
      generator: awsKmsKeyring({ generatorKeyId: singles[0], clientSupplier: kms.clientSupplier }),
      children: [keyring()],
    });
    expect(await failureCode(encrypt(bytes(1), { keyring: child }))).toBe('INVALID_ARGUMENT');
  });

  it('opens each entry in its own region, in the order of the message', async () => {
    expect((await decrypt(plain, { keyring: keyring() })).plaintext).toEqual(bytes(9));
    expect(log()).toEqual([`Decrypt us-east-1 ${singles[0]}`]);
    kms.requests.length = 0;
    kms.setFault('us-east-1', { kind: 'error', name: 'AccessDeniedException' });
    expect((await decrypt(plain, { keyring: keyring() })).plaintext).toEqual(bytes(9));
    expect(log()).toEqual([`Decrypt us-east-1 ${singles[0]}`, `Decrypt eu-west-1 ${singles[1]}`]);
  });

  it('calls no region that is not configured, and says so', async () => {
    const asked: (string | undefined)[] = [];
    const clientSupplier = (region: string | undefined) => {
      asked.push(region);
      return kms.clientSupplier(region);
    };
    const one = keyring({ regions: ['eu-west-1'], clientSupplier });
    expect((await decrypt(plain, { keyring: one })).plaintext).toEqual(bytes(9));
    expect(asked).toEqual(['eu-west-1']);
    const none = keyring({ regions: ['ap-south-1'], clientSupplier });
    const error = await failure(decrypt(plain, { keyring: none }));
    expect(error.code).toBe('NO_DATA_KEY');
    expect(error.attempts.map(({ reason }) => reason)).toEqual([
      'its region us-east-1 is none of ap-south-1',
      'its region eu-west-1 is none of ap-south-1',
      'its partition is not aws (discoveryFilter)',
    ]);
    expect(asked).toEqual(['eu-west-1']);
  });

  it('goes by the filter: partition and account', async () => {
    const china = keyring({ discoveryFilter: { partition: 'aws-cn', accountIds: ['000000000000'] } });
    expect((await decrypt(plain, { keyring: china })).plaintext).toEqual(bytes(9));
    expect(log()).toEqual([`Decrypt cn-north-1 ${singles[3]}`]);
    kms.requests.length = 0;
    const strangers = keyring({ discoveryFilter: { partition: 'aws', accountIds: ['111111111111'] } });
    const error = await failure(decrypt(plain, { keyring: strangers }));
    expect(error.attempts[0]!.reason).toBe('its account is not in the discoveryFilter');
    expect(kms.requests).toEqual([]);
    const several = { partition: 'aws', accountIds: ['111111111111', '000000000000'] };
    await decrypt(plain, { keyring: keyring({ discoveryFilter: several }) });
    await decrypt(plain, { keyring: keyring({ discoveryFilter: 'any-account' }) });
    expect(kms.requests).toHaveLength(2);
  });

  it('never lets a region of the message reach the supplier', async () => {
    const asked: (string | undefined)[] = [];
    const hostile = ['evil.example/#', 'us-east-1.evil.example', 'us-east-1\n', '__proto__', 'us-east-2'].map(
      (region) => ({
        providerId: 'aws-kms',
        providerInfo: new TextEncoder().encode(`arn:aws:kms:${region}:000000000000:key/a`),
        ciphertext: bytes(9),
      }),
    );
    const one = keyring({
      discoveryFilter: 'any-account',
      clientSupplier: (region) => {
        asked.push(region);
        return undefined;
      },
    });
    const materials = {
      algorithmSuite: { keyLength: 32 },
      encryptionContext: {},
      requiredEncryptionContextKeys: [],
    };
    const error = await failure(one.onDecrypt(materials as never, hostile, {}));
    expect(error.code).toBe('NO_DATA_KEY');
    expect(error.attempts).toHaveLength(hostile.length);
    expect(asked).toEqual([]);
    expect(error.message).not.toContain('\n');
  });

  it('fails on a KMS entry whose provider information is no key ARN', async () => {
    const odd = {
      providerId: 'aws-kms',
      providerInfo: new TextEncoder().encode('alias/a'),
      ciphertext: bytes(9),
    };
    const error = await failure(
      keyring().onDecrypt({ algorithmSuite: { keyLength: 32 } } as never, [odd], {}),
    );
    expect(error.attempts[0]).toMatchObject({
      keyring: name,
      reason: 'its provider information is no key ARN',
    });
  });

  it('refuses materials that have a data key', async () => {
    const materials = { plaintextDataKey: bytes(32) } as never;
    expect(await failureCode(keyring().onDecrypt(materials, [], {}))).toBe('INVALID_ARGUMENT');
  });

  it('prefers regions', async () => {
    await decrypt(plain, { keyring: keyring({ preferredRegions: ['sa-east-1', 'eu-west-1'] }) });
    expect(log()).toEqual([`Decrypt eu-west-1 ${singles[1]}`]);
  });

  it('sends grant tokens', async () => {
    const fake = new FakeKms();
    const one = keyring({ grantTokens: ['token-1'], clientSupplier: fake.clientSupplier });
    await failure(decrypt(plain, { keyring: one }));
    expect(fake.calls.map((call) => call.grantTokens)).toEqual([['token-1'], ['token-1']]);
  });
});

describe('entries of multi-Region keys', () => {
  it('awsKmsDiscoveryKeyring knows them in their own region alone', async () => {
    expect((await decrypt(multi, { keyring: discovery() })).plaintext).toEqual(bytes(9));
    expect(log()).toEqual([`Decrypt us-east-1 ${replicas[0]}`]);
    expect(await failureCode(decrypt(multi, { keyring: discovery({ regions: ['eu-west-1'] }) }))).toBe(
      'NO_DATA_KEY',
    );
    expect(kms.requests).toHaveLength(1);
  });

  it.each([
    ['their own region first if it is configured', ['eu-west-1', 'us-east-1'], [], ['us-east-1']],
    ['else the first region', ['ap-south-1', 'eu-west-1'], [], ['ap-south-1']],
    [
      'a preferred region before that',
      ['us-east-1', 'ap-south-1', 'eu-west-1'],
      ['eu-west-1'],
      ['eu-west-1'],
    ],
  ])('awsKmsMrkDiscoveryKeyring asks %s', async (_, regions, preferredRegions, expected) => {
    const { plaintext } = await decrypt(multi, { keyring: mrkDiscovery({ regions, preferredRegions }) });
    expect(plaintext).toEqual(bytes(9));
    const arns = expected.map((region) => replicas[REGIONS.indexOf(region as never)]);
    expect(log()).toEqual(expected.map((region, i) => `Decrypt ${region} ${arns[i]}`));
  });

  it('awsKmsMrkDiscoveryKeyring goes on to every other region, as configured', async () => {
    kms.setFault('us-east-1', { kind: 'down' });
    kms.setFault('eu-west-1', { kind: 'error', name: 'KMSInvalidStateException' });
    const regions = ['cn-north-1', 'eu-west-1', 'us-east-1', 'ap-south-1'];
    const { plaintext } = await decrypt(multi, { keyring: mrkDiscovery({ regions }) });
    expect(plaintext).toEqual(bytes(9));
    const inChina = replicas[0]!.replace('us-east-1', 'cn-north-1');
    expect(log()).toEqual([
      `Decrypt cn-north-1 ${inChina}`,
      `Decrypt eu-west-1 ${replicas[1]}`,
      `Decrypt ap-south-1 ${replicas[2]}`,
    ]);
  });

  it('awsKmsMrkDiscoveryKeyring tries all entries in their best region before another region', async () => {
    const both = await sealed(replicas[0]!, singles[1]!);
    kms.requests.length = 0;
    kms.setFault('us-east-1', { kind: 'error', name: 'DisabledException' });
    await decrypt(both, { keyring: mrkDiscovery() });
    expect(log()).toEqual([`Decrypt us-east-1 ${replicas[0]}`, `Decrypt eu-west-1 ${singles[1]}`]);
    kms.requests.length = 0;
    kms.setFault('eu-west-1', { kind: 'error', name: 'DisabledException' });
    await decrypt(both, { keyring: mrkDiscovery() });
    expect(log()).toEqual([
      `Decrypt us-east-1 ${replicas[0]}`,
      `Decrypt eu-west-1 ${singles[1]}`,
      `Decrypt eu-west-1 ${replicas[1]}`,
      `Decrypt ap-south-1 ${replicas[2]}`,
    ]);
  });
});
