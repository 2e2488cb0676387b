import {
  CreateGrantCommand,
  CreateKeyCommand,
  DecryptCommand,
  type DecryptCommandInput,
  DescribeKeyCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GenerateDataKeyWithoutPlaintextCommand,
  GenerateRandomCommand,
  type KMSClient,
  ReEncryptCommand,
} from '@aws-sdk/client-kms';
import { beforeEach, describe, expect, test } from 'vitest';
import type { LocalKms } from '../../src/local-kms/index.ts';
import { clientOf, EAST, failureOf, start, WEST } from './helpers.ts';

const PLAINTEXT = new TextEncoder().encode('a secret');
const ABSENT = '11111111-2222-4333-8444-555555555555';

let kms: LocalKms;
let client: KMSClient;
let arn: string;

beforeEach(async () => {
  kms = await start();
  client = await clientOf(kms);
  ({ arn } = await kms.createKey({ region: EAST, alias: 'alias/one' }));
});

async function encrypt(EncryptionContext?: Record<string, string>, KeyId = arn): Promise<Uint8Array> {
  const answer = await client.send(
    new EncryptCommand({ KeyId, Plaintext: PLAINTEXT, ...(EncryptionContext && { EncryptionContext }) }),
  );
  return answer.CiphertextBlob as Uint8Array;
}

function decrypt(CiphertextBlob: Uint8Array, EncryptionContext?: Record<string, string>, KeyId?: string) {
  return client.send(
    new DecryptCommand({
      CiphertextBlob,
      ...(EncryptionContext && { EncryptionContext }),
      ...(KeyId !== undefined && { KeyId }),
    }),
  );
}

describe('data keys', () => {
  test('GenerateDataKey answers a key that Decrypt opens', async () => {
    const made = await client.send(new GenerateDataKeyCommand({ KeyId: arn, NumberOfBytes: 24 }));
    expect(made.Plaintext).toHaveLength(24);
    expect(made.KeyId).toBe(arn);
    expect(made.KeyMaterialId).toMatch(/^[0-9a-f]{64}$/);
    const opened = await decrypt(made.CiphertextBlob as Uint8Array);
    expect(opened.Plaintext).toEqual(made.Plaintext);
    expect(opened).toMatchObject({
      KeyId: arn,
      EncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
      KeyMaterialId: made.KeyMaterialId,
    });
    const described = await client.send(new DescribeKeyCommand({ KeyId: arn }));
    expect(described.KeyMetadata?.CurrentKeyMaterialId).toBe(made.KeyMaterialId);
  });

  test.each([
    ['AES_128', 16],
    ['AES_256', 32],
  ] as const)('KeySpec %s gives %i bytes, new ones each time', async (KeySpec, length) => {
    const one = await client.send(new GenerateDataKeyCommand({ KeyId: arn, KeySpec }));
    const two = await client.send(new GenerateDataKeyCommand({ KeyId: arn, KeySpec }));
    expect(one.Plaintext).toHaveLength(length);
    expect(one.Plaintext).not.toEqual(two.Plaintext);
    expect(one.CiphertextBlob).not.toEqual(two.CiphertextBlob);
  });

  test('GenerateDataKeyWithoutPlaintext', async () => {
    const made = await client.send(
      new GenerateDataKeyWithoutPlaintextCommand({ KeyId: arn, NumberOfBytes: 32 }),
    );
    expect(made).not.toHaveProperty('Plaintext');
    expect((await decrypt(made.CiphertextBlob as Uint8Array)).Plaintext).toHaveLength(32);
  });

  test.each([
    [{}, 'Please specify either number of bytes or key spec.'],
    [{ KeySpec: 'AES_256', NumberOfBytes: 32 }, 'Please specify either number of bytes or key spec.'],
    [
      { NumberOfBytes: 0 },
      "1 validation error detected: Value '0' at 'numberOfBytes' failed to satisfy constraint: Member must have value greater than or equal to 1",
    ],
    [
      { NumberOfBytes: 1025 },
      "1 validation error detected: Value '1025' at 'numberOfBytes' failed to satisfy constraint: Member must have value less than or equal to 1024",
    ],
    [
      { KeySpec: 'AES_257' },
      "1 validation error detected: Value 'AES_257' at 'keySpec' failed to satisfy constraint: Member must satisfy enum value set: [AES_256, AES_128]",
    ],
  ])('length %j is refused', async (length, message) => {
    const command = new GenerateDataKeyCommand({ KeyId: arn, ...(length as { NumberOfBytes?: number }) });
    expect(await failureOf(client.send(command))).toEqual({
      name: 'ValidationException',
      message,
      status: 400,
    });
  });

  test('GenerateRandom', async () => {
    const { Plaintext } = await client.send(new GenerateRandomCommand({ NumberOfBytes: 1024 }));
    expect(Plaintext).toHaveLength(1024);
    expect((await failureOf(client.send(new GenerateRandomCommand({})))).name).toBe('ValidationException');
  });
});

describe('Encrypt and Decrypt', () => {
  test('round trip, with and without a KeyId', async () => {
    const blob = await encrypt();
    expect((await decrypt(blob)).Plaintext).toEqual(PLAINTEXT);
    expect((await decrypt(blob, undefined, 'alias/one')).Plaintext).toEqual(PLAINTEXT);
  });

  test('Encrypt says which algorithm it used', async () => {
    const answer = await client.send(new EncryptCommand({ KeyId: 'alias/one', Plaintext: PLAINTEXT }));
    expect(answer).toMatchObject({ KeyId: arn, EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' });
  });

  test('plaintext of 4096 bytes fits, 4097 does not', async () => {
    const send = (length: number) =>
      client.send(new EncryptCommand({ KeyId: arn, Plaintext: new Uint8Array(length) }));
    const { CiphertextBlob } = await send(4096);
    expect((await decrypt(CiphertextBlob as Uint8Array)).Plaintext).toHaveLength(4096);
    expect(await failureOf(send(4097))).toEqual({
      name: 'ValidationException',
      message:
        "1 validation error detected: Value at 'plaintext' failed to satisfy constraint: Member must have length less than or equal to 4096",
      status: 400,
    });
    expect((await failureOf(send(0))).message).toContain('greater than or equal to 1');
  });

  test('a blob longer than 6144 bytes is refused', async () => {
    expect((await failureOf(decrypt(new Uint8Array(6145)))).name).toBe('ValidationException');
  });

  test('a blob looks random and names no key', async () => {
    const [one, two] = [await encrypt(), await encrypt()];
    expect(one.subarray(0, 16)).not.toEqual(two.subarray(0, 16));
    const text = Buffer.from(one).toString('latin1');
    expect(text).not.toContain('arn:');
    expect(text).not.toContain(arn.slice(-36));
  });

  test.each([0, 20, 130, 140, -1])('a blob changed at %i is no ciphertext', async (at) => {
    const blob = Uint8Array.from(await encrypt());
    const index = at < 0 ? blob.length + at : at;
    blob[index] = (blob[index] as number) ^ 1;
    expect(await failureOf(decrypt(blob))).toEqual({
      name: 'InvalidCiphertextException',
      message: 'UnknownError',
      status: 400,
    });
  });

  test('a cut blob, parts of two blobs, and a blob of another server are no ciphertext', async () => {
    const [one, two] = [await encrypt(), await encrypt()];
    const spliced = Buffer.concat([one.subarray(0, 124), two.subarray(124)]);
    const foreign = await clientOf(await start());
    for (const attempt of [decrypt(one.subarray(0, 7)), decrypt(spliced)]) {
      expect((await failureOf(attempt)).name).toBe('InvalidCiphertextException');
    }
    const abroad = foreign.send(new DecryptCommand({ CiphertextBlob: one }));
    expect((await failureOf(abroad)).name).toBe('InvalidCiphertextException');
  });

  test('a blob of another key than the one named', async () => {
    const other = await kms.createKey({ region: EAST });
    expect(await failureOf(decrypt(await encrypt(), undefined, other.arn))).toEqual({
      name: 'IncorrectKeyException',
      message: 'The key ID in the request does not identify a CMK that can perform this operation.',
      status: 400,
    });
  });

  test('a blob of another region, without and with a KeyId', async () => {
    const west = await clientOf(kms, WEST);
    const blob = await encrypt();
    expect(await failureOf(west.send(new DecryptCommand({ CiphertextBlob: blob })))).toEqual({
      name: 'AccessDeniedException',
      message:
        'The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access.',
      status: 400,
    });
    const local = await kms.createKey({ region: WEST });
    const named = west.send(new DecryptCommand({ CiphertextBlob: blob, KeyId: local.arn }));
    expect((await failureOf(named)).name).toBe('IncorrectKeyException');
  });

  test('an algorithm of other keys', async () => {
    const command = new EncryptCommand({
      KeyId: arn,
      Plaintext: PLAINTEXT,
      EncryptionAlgorithm: 'RSAES_OAEP_SHA_256',
    });
    expect(await failureOf(client.send(command))).toEqual({
      name: 'InvalidKeyUsageException',
      message: 'Algorithm RSAES_OAEP_SHA_256 is incompatible with key spec SYMMETRIC_DEFAULT.',
      status: 400,
    });
  });

  test('a signing key does not encrypt', async () => {
    const made = await client.send(
      new CreateKeyCommand({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' }),
    );
    const KeyId = made.KeyMetadata?.Arn as string;
    const command = new EncryptCommand({ KeyId, Plaintext: PLAINTEXT });
    expect(await failureOf(client.send(command))).toEqual({
      name: 'InvalidKeyUsageException',
      message: `${KeyId} key usage is SIGN_VERIFY which is not valid for Encrypt.`,
      status: 400,
    });
  });

  test('DryRun says that it would have worked, or why not', async () => {
    const dry = { KeyId: arn, DryRun: true };
    for (const command of [
      new EncryptCommand({ ...dry, Plaintext: PLAINTEXT }),
      new GenerateDataKeyCommand({ ...dry, NumberOfBytes: 32 }),
      new DecryptCommand({ ...dry, CiphertextBlob: await encrypt() }),
      new DecryptCommand({ ...dry, DryRunModifiers: ['IGNORE_CIPHERTEXT'] }),
      new GenerateDataKeyWithoutPlaintextCommand({ ...dry, NumberOfBytes: 32 }),
      new ReEncryptCommand({ DestinationKeyId: arn, CiphertextBlob: await encrypt(), DryRun: true }),
      new ReEncryptCommand({
        DestinationKeyId: arn,
        SourceKeyId: arn,
        DryRun: true,
        DryRunModifiers: ['IGNORE_CIPHERTEXT'],
      }),
    ]) {
      expect(await failureOf(client.send(command as EncryptCommand))).toEqual({
        name: 'DryRunOperationException',
        message: 'The request would have succeeded, but the DryRun option is set.',
        status: 400,
      });
    }
    const ignoring = { DryRunModifiers: ['IGNORE_CIPHERTEXT'] };
    for (const wrong of [
      { ...dry, ...ignoring, KeyId: undefined },
      { ...dry, ...ignoring, DryRun: false },
      { ...dry, DryRunModifiers: ['IGNORE_EVERYTHING'] },
    ]) {
      const command = new DecryptCommand(wrong as DecryptCommandInput);
      expect((await failureOf(client.send(command))).name).toBe('ValidationException');
    }
    const absent = new EncryptCommand({ ...dry, KeyId: ABSENT, Plaintext: PLAINTEXT });
    expect((await failureOf(client.send(absent))).name).toBe('NotFoundException');
  });

  test('ReEncrypt moves a blob to another key and context', async () => {
    const other = await kms.createKey({ region: EAST });
    const moved = await client.send(
      new ReEncryptCommand({
        CiphertextBlob: await encrypt({ from: 'here' }),
        SourceEncryptionContext: { from: 'here' },
        DestinationKeyId: other.arn,
        DestinationEncryptionContext: { to: 'there' },
      }),
    );
    expect(moved).toMatchObject({
      KeyId: other.arn,
      SourceKeyId: arn,
      SourceEncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
      DestinationEncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
    });
    expect(moved.SourceKeyMaterialId).not.toBe(moved.DestinationKeyMaterialId);
    const opened = await decrypt(moved.CiphertextBlob as Uint8Array, { to: 'there' });
    expect(opened).toMatchObject({ KeyId: other.arn, Plaintext: PLAINTEXT });
  });
});

describe('encryption context', () => {
  test('order does not matter, and an empty one is none', async () => {
    const blob = await encrypt({ a: '1', b: '2' });
    expect((await decrypt(blob, { b: '2', a: '1' })).Plaintext).toEqual(PLAINTEXT);
    expect((await decrypt(await encrypt({}))).Plaintext).toEqual(PLAINTEXT);
    expect((await decrypt(await encrypt(), {})).Plaintext).toEqual(PLAINTEXT);
  });

  test.each([
    [{ a: 'bc' }, { ab: 'c' }],
    [{ a: 'bc' }, { A: 'bc' }],
    [{ a: 'bc' }, { a: 'BC' }],
    [{ a: 'bc' }, undefined],
    [{ a: 'bc' }, { a: 'bc', d: '' }],
    [{ a: 'b', c: 'd' }, { a: 'bcd' }],
    [{ 'aws-crypto-public-key': 'x' }, { 'aws-crypto-public-key': 'y' }],
    [{ 'aws-crypto-public-key': 'x' }, {}],
    [JSON.parse('{"__proto__":"x"}'), {}],
  ])('%j is not %j', async (written, read) => {
    const blob = await encrypt(written);
    expect((await decrypt(blob, written)).Plaintext).toEqual(PLAINTEXT);
    expect((await failureOf(decrypt(blob, read))).name).toBe('InvalidCiphertextException');
  });

  test('is limited to 8192 bytes and to valid Unicode', async () => {
    await encrypt({ k: 'v'.repeat(8191) });
    expect((await failureOf(encrypt({ k: 'v'.repeat(8192) }))).name).toBe('ValidationException');
    expect((await failureOf(encrypt({ k: '\ud800' }))).name).toBe('SerializationException');
  });
});

describe('key ids', () => {
  test('every form reaches the key; the answer has its ARN', async () => {
    const id = arn.slice(-36);
    const aliasArn = arn.replace(`key/${id}`, 'alias/one');
    const blob = await encrypt();
    for (const KeyId of [id, arn, 'alias/one', aliasArn]) {
      const made = await client.send(new GenerateDataKeyCommand({ KeyId, NumberOfBytes: 1 }));
      expect(made.KeyId).toBe(arn);
      expect((await decrypt(blob, undefined, KeyId)).KeyId).toBe(arn);
      const described = await client.send(new DescribeKeyCommand({ KeyId }));
      expect(described.KeyMetadata).toMatchObject({ KeyId: id, Arn: arn });
    }
  });

  test.each([
    ['no-such-form', "Invalid keyId 'no-such-form'"],
    ['mrk-123', "Invalid keyId 'mrk-123'"],
    [ABSENT, `Key 'arn:aws:kms:us-east-1:000000000000:key/${ABSENT}' does not exist`],
    [
      `arn:aws:kms:us-east-1:999999999999:key/${ABSENT}`,
      `Key 'arn:aws:kms:us-east-1:999999999999:key/${ABSENT}' does not exist`,
    ],
    ['alias/none', 'Alias arn:aws:kms:us-east-1:000000000000:alias/none is not found.'],
    [
      'arn:aws:kms:us-east-1:000000000000:alias/none',
      'Alias arn:aws:kms:us-east-1:000000000000:alias/none is not found.',
    ],
    [`arn:aws:kms:us-west-2:000000000000:key/${ABSENT}`, 'Invalid arn us-west-2'],
    ['arn:aws:kms:us-west-2:000000000000:alias/one', 'Invalid arn us-west-2'],
    ['arn:aws:s3:us-east-1:000000000000:key/x', "Invalid keyId 'arn:aws:s3:us-east-1:000000000000:key/x'"],
    [
      `arn:aws-cn:kms:us-east-1:000000000000:key/${ABSENT}`,
      `Invalid keyId 'arn:aws-cn:kms:us-east-1:000000000000:key/${ABSENT}'`,
    ],
  ])('%s is not found', async (KeyId, message) => {
    const command = new EncryptCommand({ KeyId, Plaintext: PLAINTEXT });
    expect(await failureOf(client.send(command))).toEqual({
      name: 'NotFoundException',
      message,
      status: 400,
    });
  });

  test('an existing key is not reached through another region', async () => {
    const west = await clientOf(kms, WEST);
    const command = new GenerateDataKeyCommand({ KeyId: arn, NumberOfBytes: 32 });
    expect(await failureOf(west.send(command))).toMatchObject({
      name: 'NotFoundException',
      message: 'Invalid arn us-east-1',
    });
  });

  test('at most 10 grant tokens, which the log records', async () => {
    const { GrantToken } = await client.send(
      new CreateGrantCommand({
        KeyId: arn,
        GranteePrincipal: 'arn:aws:iam::000000000000:user/alice',
        Operations: ['Decrypt'],
      }),
    );
    const send = (count: number) =>
      client.send(
        new GenerateDataKeyCommand({
          KeyId: arn,
          NumberOfBytes: 32,
          GrantTokens: Array(count).fill(GrantToken),
        }),
      );
    await send(10);
    expect(kms.requests.at(-1)?.grantTokens).toHaveLength(10);
    expect((await failureOf(send(11))).name).toBe('ValidationException');
  });
});
