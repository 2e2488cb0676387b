import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { decrypt, encrypt, type Keyring, multiKeyring } from '../../../src/index.ts';
import {
  type AwsKmsKeyringOptions,
  awsKmsKeyring,
  awsKmsMrkKeyring,
} from '../../../src/keyring/aws-kms/index.ts';
import { type LocalKms, startLocalKms } from '../../../src/local-kms/index.ts';
import { aesKeyring, bytes, failure, failureCode } from '../../support/messages.ts';

process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';

const REGIONS = ['us-east-1', 'eu-west-1', 'ap-south-1'] as const;
const FAST = { algorithmSuite: 0x0478 } as const;
let kms: LocalKms;
/** Replicas of one multi-Region key, by region. */
let replicas: string[];
/** A single-Region key in the first region. */
let single: string;

beforeAll(async () => {
  kms = await startLocalKms({ regions: REGIONS, clientOptions: { maxAttempts: 1 } });
  const { arn } = await kms.createKey({ region: REGIONS[0], multiRegion: true, alias: 'alias/app' });
  replicas = [arn];
  for (const region of REGIONS.slice(1)) replicas.push((await kms.replicateKey({ arn, region })).arn);
  single = (await kms.createKey({ region: REGIONS[0] })).arn;
});
afterAll(() => kms.close());
beforeEach(() => {
  for (const region of REGIONS) kms.setFault(region, null);
  kms.requests.length = 0;
});

const mrk = (options: AwsKmsKeyringOptions): Keyring =>
  awsKmsMrkKeyring({ clientSupplier: kms.clientSupplier, ...options });
const strict = (options: AwsKmsKeyringOptions): Keyring =>
  awsKmsKeyring({ clientSupplier: kms.clientSupplier, ...options });
const log = () => kms.requests.map(({ operation, region, keyId }) => `${operation} ${region} ${keyId}`);

describe('awsKmsMrkKeyring', () => {
  it('opens with any replica what one has wrapped, each in its own region', async () => {
    const { ciphertext, header } = await encrypt(bytes(9), {
      ...FAST,
      keyring: mrk({ generatorKeyId: replicas[0] }),
    });
    expect(header.encryptedDataKeys).toHaveLength(1);
    for (const [i, region] of REGIONS.entries()) {
      kms.requests.length = 0;
      const { plaintext } = await decrypt(ciphertext, { keyring: mrk({ keyIds: [replicas[i]!] }) });
      expect(plaintext).toEqual(bytes(9));
      expect(log()).toEqual([`Decrypt ${region} ${replicas[i]}`]);
    }
  });

  it('writes the ARN of the key that was called, so that it opens where all others are down', async () => {
    const keyring = mrk({ generatorKeyId: replicas[1], keyIds: [single] });
    const { ciphertext, header } = await encrypt(bytes(9), { ...FAST, keyring });
    const names = header.encryptedDataKeys.map((edk) => new TextDecoder().decode(edk.providerInfo));
    expect(names).toEqual([replicas[1], single]);
    kms.setFault('us-east-1', { kind: 'down' });
    kms.setFault('eu-west-1', { kind: 'down' });
    const elsewhere = mrk({ keyIds: [replicas[2]!] });
    expect((await decrypt(ciphertext, { keyring: elsewhere })).plaintext).toEqual(bytes(9));
  });

  it('does not match what the specification does not match, and makes no call for it', async () => {
    const { ciphertext } = await encrypt(bytes(9), {
      ...FAST,
      keyring: mrk({ generatorKeyId: replicas[0] }),
    });
    const id = replicas[0]!.split('/')[1]!;
    const other = replicas[1]!.replace(/mrk-./, (text) => (text === 'mrk-0' ? 'mrk-1' : 'mrk-0'));
    kms.requests.length = 0;
    for (const name of [
      single,
      other,
      id,
      'alias/app',
      replicas[1]!.replace(':000000000000:', ':111111111111:'),
    ]) {
      const error = await failure(decrypt(ciphertext, { keyring: mrk({ keyIds: [name] }) }));
      expect(error.code).toBe('NO_DATA_KEY');
      expect(error.attempts[0]).toMatchObject({ keyring: 'awsKmsMrkKeyring', keyName: replicas[0] });
    }
    expect(kms.requests).toEqual([]);
  });

  it('encrypts under a bare multi-Region id and an alias, whose answers are checked', async () => {
    const id = replicas[0]!.split('/')[1]!;
    for (const name of [id, 'alias/app']) {
      const { ciphertext } = await encrypt(bytes(9), { ...FAST, keyring: mrk({ generatorKeyId: name }) });
      const { plaintext } = await decrypt(ciphertext, { keyring: mrk({ keyIds: [replicas[2]!] }) });
      expect(plaintext).toEqual(bytes(9));
    }
  });

  it('takes the answer of the key that was asked alone, not of a related one', async () => {
    const { ciphertext } = await encrypt(bytes(9), {
      ...FAST,
      keyring: mrk({ generatorKeyId: replicas[0] }),
    });
    const relating = mrk({
      keyIds: [replicas[1]!],
      clientSupplier: () => ({
        generateDataKey: async () => ({}),
        encrypt: async () => ({}),
        decrypt: async () => ({ KeyId: replicas[0], Plaintext: bytes(32) }),
      }),
    });
    const error = await failure(decrypt(ciphertext, { keyring: relating }));
    expect(error.attempts[0]!.reason).toContain('the answer is of another key');
  });

  it('refuses related keys, and names them; the keyring for single keys takes them', async () => {
    const options = { generatorKeyId: replicas[0]!, keyIds: [replicas[2]!, single] };
    const error = await failure(() => mrk(options));
    expect(error.code).toBe('INVALID_ARGUMENT');
    expect(error.message).toContain(`${replicas[0]}, ${replicas[2]}`);
    const { header, ciphertext } = await encrypt(bytes(9), { ...FAST, keyring: strict(options) });
    expect(header.encryptedDataKeys).toHaveLength(3);
    kms.requests.length = 0;
    const third = await decrypt(ciphertext, { keyring: strict({ keyIds: [replicas[2]!] }) });
    expect(third.plaintext).toEqual(bytes(9));
    expect(log()).toEqual([`Decrypt ap-south-1 ${replicas[2]}`]);
    expect(await failureCode(decrypt(ciphertext, { keyring: strict({ keyIds: [replicas[1]!] }) }))).toBe(
      'NO_DATA_KEY',
    );
  });

  it('tries every entry of related keys under its one key', async () => {
    const { ciphertext } = await encrypt(bytes(9), {
      ...FAST,
      keyring: strict({ generatorKeyId: replicas[0], keyIds: [replicas[2]!] }),
    });
    kms.setFault('eu-west-1', { kind: 'error', name: 'InvalidCiphertextException', times: 1 });
    kms.requests.length = 0;
    const { plaintext } = await decrypt(ciphertext, { keyring: mrk({ keyIds: [replicas[1]!] }) });
    expect(plaintext).toEqual(bytes(9));
    expect(log()).toEqual([`Decrypt eu-west-1 ${replicas[1]}`, `Decrypt eu-west-1 ${replicas[1]}`]);
  });

  it('wraps another generator’s data key, and refuses materials that have a data key on decrypt', async () => {
    const keyring = mrk({ keyIds: [replicas[0]!] });
    const both = multiKeyring({ generator: aesKeyring(), children: [keyring] });
    const { ciphertext } = await encrypt(bytes(9), { ...FAST, keyring: both });
    expect((await decrypt(ciphertext, { keyring })).plaintext).toEqual(bytes(9));
    const materials = { plaintextDataKey: bytes(32) } as never;
    expect(await failureCode(keyring.onDecrypt(materials, [], {}))).toBe('INVALID_ARGUMENT');
    expect(await failureCode(encrypt(bytes(9), { keyring }))).toBe('INVALID_ARGUMENT');
  });
});
