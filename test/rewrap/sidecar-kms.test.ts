/**
 * Sidecars and KMS keys: another region is added to a message that was written in one, on the local KMS.
 */
import { describe, expect, it } from 'vitest';
import { addWrappingKeys, decrypt, encrypt, multiKeyring } from '../../src/index.ts';
import {
  type AwsKmsKeyringOptions,
  awsKmsDiscoveryKeyring,
  awsKmsKeyring,
  awsKmsMrkKeyring,
} from '../../src/keyring/aws-kms/index.ts';
import type { LocalKms } from '../../src/local-kms/index.ts';
import { EAST, start, WEST } from '../local-kms/helpers.ts';
import { aesKeyring, bytes, failure, failureCode, flip } from '../support/messages.ts';
import { fieldsOf } from '../support/sidecar-fields.ts';
import { spied } from '../support/sidecars.ts';

const SOUTH = 'ap-south-1';
const PLAINTEXT = bytes(100);

async function written(algorithmSuite = 0x0578) {
  const kms = await start({ regions: [EAST, WEST, SOUTH] });
  const { clientSupplier } = kms;
  const keyOf = async (region: string) => (await kms.createKey({ region })).arn;
  const [east, west, south] = [await keyOf(EAST), await keyOf(WEST), await keyOf(SOUTH)];
  const under = (...keyIds: string[]) => awsKmsKeyring({ keyIds, clientSupplier, attemptTimeoutMs: 500 });
  const generating = (options: AwsKmsKeyringOptions) => awsKmsKeyring({ clientSupplier, ...options });
  const message = { keyring: generating({ generatorKeyId: east }), encryptionContext: { tenant: 'a' } };
  const { ciphertext, header } = await encrypt(PLAINTEXT, { ...message, algorithmSuite });
  kms.requests.length = 0;
  return { kms, clientSupplier, east, west, south, under, generating, ciphertext, header };
}

const logOf = ({ requests }: LocalKms) =>
  requests.map(({ operation, region, outcome }) => `${operation} ${region} ${outcome}`);

describe('another region', () => {
  it('is added by one Decrypt and one Encrypt, under the full context of the message', async () => {
    const { kms, east, west, under, ciphertext, header } = await written();
    const { sidecar } = await addWrappingKeys(ciphertext, { keyring: under(east), add: under(west) });
    expect(logOf(kms)).toEqual([`Decrypt ${EAST} ok`, `Encrypt ${WEST} ok`]);
    expect(kms.requests.map(({ keyId }) => keyId)).toEqual([east, west]);
    expect(Object.keys(header.encryptionContext).sort()).toEqual(['aws-crypto-public-key', 'tenant']);
    for (const { encryptionContext } of kms.requests) {
      expect({ ...encryptionContext }).toEqual({ ...header.encryptionContext });
    }
    kms.requests.length = 0;
    expect((await decrypt(ciphertext, { keyring: under(west), sidecar })).plaintext).toEqual(PLAINTEXT);
    expect(logOf(kms)).toEqual([`Decrypt ${WEST} ok`]);
  });

  it('serves when the first one is away, and is not called while it is there', async () => {
    const { kms, east, west, under, ciphertext } = await written();
    const { sidecar } = await addWrappingKeys(ciphertext, { keyring: under(east), add: under(west) });
    kms.requests.length = 0;
    const options = { keyring: under(east, west), sidecar };
    expect((await decrypt(ciphertext, options)).plaintext).toEqual(PLAINTEXT);
    expect(logOf(kms)).toEqual([`Decrypt ${EAST} ok`]);
    kms.setFault(EAST, { kind: 'down' });
    expect((await decrypt(ciphertext, options)).plaintext).toEqual(PLAINTEXT);
    kms.setFault(EAST, { kind: 'black-hole' });
    expect((await decrypt(ciphertext, options)).plaintext).toEqual(PLAINTEXT);
    kms.setFault(WEST, { kind: 'down' });
    const error = await failure(decrypt(ciphertext, options));
    expect(error.code).toBe('NO_DATA_KEY');
    expect(error.attempts.map(({ keyName }) => keyName)).toEqual([east, west]);
  });

  it('wraps under a generator that is given, and under a raw key beside it', async () => {
    const { kms, east, west, south, under, generating, ciphertext } = await written();
    const regions = generating({ generatorKeyId: west, keyIds: [south] });
    const add = multiKeyring({ generator: regions, children: [aesKeyring(9)] });
    const answer = await addWrappingKeys(ciphertext, { keyring: under(east), add });
    expect(answer.encryptedDataKeys).toHaveLength(3);
    expect(logOf(kms).sort()).toEqual([`Decrypt ${EAST} ok`, `Encrypt ${SOUTH} ok`, `Encrypt ${WEST} ok`]);
    const { sidecar } = answer;
    for (const keyring of [under(west), under(south), aesKeyring(9), under(east)]) {
      expect((await decrypt(ciphertext, { keyring, sidecar })).plaintext).toEqual(PLAINTEXT);
    }
  });

  it('fails when its key does, and says which', async () => {
    const { kms, east, west, under, ciphertext } = await written();
    kms.setFault(WEST, { kind: 'down' });
    const error = await failure(addWrappingKeys(ciphertext, { keyring: under(east), add: under(west) }));
    expect(error).toMatchObject({ code: 'KMS_FAILED', operation: 'Encrypt', region: WEST, keyId: west });
  });

  it('may be missing when a quorum says so, and is told', async () => {
    const { kms, east, west, south, under, generating, ciphertext } = await written();
    kms.setFault(SOUTH, { kind: 'down' });
    const add = generating({ keyIds: [west, south], quorum: { atLeast: 1 } });
    const answer = await addWrappingKeys(ciphertext, { keyring: under(east), add });
    expect(answer.missingKeys).toMatchObject([
      { keyId: south, region: SOUTH, error: { code: 'KMS_FAILED' } },
    ]);
    expect(answer.encryptedDataKeys).toHaveLength(1);
    const both = generating({ keyIds: [west, south], quorum: { atLeast: 2 } });
    const keyring = under(east);
    expect(await failureCode(addWrappingKeys(ciphertext, { keyring, add: both }))).toBe('KMS_FAILED');
    const none = spied(generating({ keyIds: [south], quorum: { atLeast: 1 } }));
    expect(await failureCode(addWrappingKeys(ciphertext, { keyring, add: none }))).toBe('KMS_FAILED');
  });
});

it('a multi-Region key in a sidecar opens in the region of its replica', async () => {
  const { kms, clientSupplier, east, under, ciphertext } = await written(0x0478);
  const primary = await kms.createKey({ region: WEST, multiRegion: true });
  const replica = await kms.replicateKey({ arn: primary.arn, region: SOUTH });
  const mrk = (arn: string) => awsKmsMrkKeyring({ keyIds: [arn], clientSupplier });
  const { sidecar } = await addWrappingKeys(ciphertext, { keyring: under(east), add: mrk(primary.arn) });
  kms.requests.length = 0;
  expect((await decrypt(ciphertext, { keyring: mrk(replica.arn), sidecar })).plaintext).toEqual(PLAINTEXT);
  expect(logOf(kms)).toEqual([`Decrypt ${SOUTH} ok`]);
});

describe('discovery', () => {
  it('asks only in its regions and of its accounts, whatever a sidecar names', async () => {
    const { kms, clientSupplier, east, west, under, ciphertext } = await written();
    const { sidecar } = await addWrappingKeys(ciphertext, { keyring: under(east), add: under(west) });
    kms.requests.length = 0;
    const seen: (string | undefined)[] = [];
    const discovery = (regions: string[], accountId: string) =>
      awsKmsDiscoveryKeyring({
        regions,
        discoveryFilter: { partition: 'aws', accountIds: [accountId] },
        clientSupplier: (region) => {
          seen.push(region);
          return clientSupplier(region);
        },
      });
    const own = '000000000000';
    const options = { keyring: discovery([WEST], own), sidecar };
    expect((await decrypt(ciphertext, options)).plaintext).toEqual(PLAINTEXT);
    expect(logOf(kms)).toEqual([`Decrypt ${WEST} ok`]);
    kms.requests.length = 0;
    for (const keyring of [discovery([SOUTH], own), discovery([WEST], '111111111111')]) {
      expect(await failureCode(decrypt(ciphertext, { keyring, sidecar }))).toBe('NO_DATA_KEY');
    }
    // The region in the entry is changed to one that is not configured: it reaches no host name.
    const { info } = fieldsOf(sidecar);
    const altered = flip(sidecar, info.at + 'arn:aws:kms:'.length);
    expect(await failureCode(decrypt(ciphertext, { ...options, sidecar: altered }))).toBe('NO_DATA_KEY');
    expect(logOf(kms)).toEqual([]);
    expect([...new Set(seen)]).toEqual([WEST]);
  });

  it('is bounded by maxEncryptedDataKeys before a call', async () => {
    const { kms, clientSupplier, east, west, south, under, ciphertext } = await written();
    const { sidecar } = await addWrappingKeys(ciphertext, { keyring: under(east), add: under(west, south) });
    kms.requests.length = 0;
    const filter = { discoveryFilter: 'any-account', clientSupplier } as const;
    const keyring = awsKmsDiscoveryKeyring({ regions: [EAST, WEST, SOUTH], ...filter });
    const limited = { keyring, sidecar, maxEncryptedDataKeys: 2 };
    expect(await failureCode(decrypt(ciphertext, limited))).toBe('LIMIT_EXCEEDED');
    expect(logOf(kms)).toEqual([]);
  });

  it('cannot be added: it wraps nothing', async () => {
    const { kms, clientSupplier, east, under, ciphertext } = await written();
    const add = awsKmsDiscoveryKeyring({ regions: [WEST], discoveryFilter: 'any-account', clientSupplier });
    const error = await failure(addWrappingKeys(ciphertext, { keyring: under(east), add }));
    expect(error.code).toBe('INVALID_ARGUMENT');
    expect(error.message).toMatch(/^"add"/);
    expect(logOf(kms)).toEqual([`Decrypt ${EAST} ok`]);
  });
});
