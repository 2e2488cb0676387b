import { describe, expect, it, onTestFinished } from 'vitest';
import { createPinnedDataKey, openPinnedDataKey } from '../../src/deterministic/index.ts';
import {
  addWrappingKeys,
  decrypt,
  defaultCmm,
  encrypt,
  multiKeyring,
  parseHeader,
  rawRsaKeyring,
} from '../../src/index.ts';
import { awsKmsKeyring } from '../../src/keyring/aws-kms/index.ts';
import { startLocalKms } from '../../src/local-kms/index.ts';
import { aesKeyring, bytes, failure, failureCode, flip, rsaPem } from '../support/messages.ts';

const EMAIL = { field: 'users.email' };
const REGIONS = ['us-east-1', 'eu-west-1', 'ap-south-1'];

describe('a pinned data key is a message', () => {
  it('with 32 bytes of plaintext, others each time', async () => {
    const messages = [];
    for (let i = 0; i < 3; i++) messages.push(await createPinnedDataKey({ keyring: aesKeyring() }));
    const opened = messages.map((message) => decrypt(message, { keyring: aesKeyring() }));
    const secrets = (await Promise.all(opened)).map(({ plaintext }) =>
      Buffer.from(plaintext).toString('hex'),
    );
    expect(new Set(secrets).size).toBe(3);
    for (const secret of secrets) {
      expect(secret).toHaveLength(64);
      expect(secret).not.toBe('0'.repeat(64));
    }
    expect(parseHeader(messages[0]!).suiteId).toBe(0x0578);
    expect(messages[0]!.buffer.byteLength).toBe(messages[0]!.length);
  });

  it('under two raw keys and an escrow key, each of which opens it to the same key', async () => {
    const escrow = rawRsaKeyring({ keyNamespace: 'e', keyName: 'e', padding: 'oaep-sha256', ...rsaPem() });
    const [one, two] = [aesKeyring(1), aesKeyring(2)];
    const pinned = await createPinnedDataKey({
      keyring: multiKeyring({ generator: one, children: [two, escrow] }),
    });
    const keys = await Promise.all(
      [one, two, escrow].map((keyring) => openPinnedDataKey(pinned, { keyring })),
    );
    const ciphertexts = await Promise.all(keys.map((key) => key.encrypt(bytes(9), EMAIL)));
    for (const [i, key] of keys.entries()) {
      expect(key.keyId).toEqual(keys[0]!.keyId);
      expect(await key.decrypt(ciphertexts[(i + 1) % 3]!, EMAIL)).toEqual(bytes(9));
      expect(ciphertexts[i]).toEqual(ciphertexts[0]);
    }
    const stranger = openPinnedDataKey(pinned, { keyring: aesKeyring(3) });
    expect(await failureCode(stranger)).toBe('NO_DATA_KEY');
  });

  it('under KMS keys of three regions: any one of them is enough', async () => {
    const kms = await startLocalKms({ regions: REGIONS, clientOptions: { maxAttempts: 1 } });
    onTestFinished(() => kms.close());
    const arns = [];
    for (const region of REGIONS) arns.push((await kms.createKey({ region })).arn);
    const [generatorKeyId, ...keyIds] = arns as [string, string, string];
    const { clientSupplier } = kms;
    const keyring = awsKmsKeyring({ generatorKeyId, keyIds, clientSupplier });
    const encryptionContext = { purpose: 'pinned data key' };
    const pinned = await createPinnedDataKey({ keyring, encryptionContext });
    const ids = new Set<string>();
    for (const [i, arn] of arns.entries()) {
      for (const region of REGIONS) kms.setFault(region, region === REGIONS[i] ? null : { kind: 'down' });
      const only = awsKmsKeyring({ keyIds: [arn], clientSupplier });
      for (const opener of [only, keyring]) {
        using key = await openPinnedDataKey(pinned, { keyring: opener, encryptionContext });
        ids.add(Buffer.from(key.keyId).toString('hex'));
      }
    }
    expect(ids.size).toBe(1);
    for (const region of REGIONS) kms.setFault(region, { kind: 'down' });
    expect(await failureCode(openPinnedDataKey(pinned, { keyring }))).toBe('NO_DATA_KEY');
  });

  it('opens with a key that was added later', async () => {
    const pinned = await createPinnedDataKey({ keyring: aesKeyring(1) });
    const { sidecar } = await addWrappingKeys(pinned, { keyring: aesKeyring(1), add: aesKeyring(2) });
    const key = await openPinnedDataKey(pinned, { keyring: aesKeyring(2), sidecar });
    const first = await openPinnedDataKey(pinned, { keyring: aesKeyring(1) });
    expect(key.keyId).toEqual(first.keyId);
  });
});

describe('options are those of encrypt and decrypt', () => {
  const keyring = aesKeyring();

  it('suite, policy and a materials manager are passed on', async () => {
    const cmm = defaultCmm({ keyring });
    const old = { cmm, commitmentPolicy: 'FORBID_ENCRYPT_ALLOW_DECRYPT' } as const;
    const pinned = await createPinnedDataKey({ ...old, algorithmSuite: 0x0178 });
    expect(parseHeader(pinned).suiteId).toBe(0x0178);
    expect(await failureCode(openPinnedDataKey(pinned, { cmm }))).toBe('COMMITMENT_POLICY');
    expect((await openPinnedDataKey(pinned, old)).keyId).toHaveLength(8);
  });

  it('the context is stored, and required when opening', async () => {
    const encryptionContext = { purpose: 'pinned data key', table: 'users' };
    const pinned = await createPinnedDataKey({ keyring, encryptionContext });
    expect(parseHeader(pinned).encryptionContext).toMatchObject(encryptionContext);
    expect((await openPinnedDataKey(pinned, { keyring, encryptionContext })).keyId).toHaveLength(8);
    const other = openPinnedDataKey(pinned, { keyring, encryptionContext: { table: 'orders' } });
    expect(await failureCode(other)).toBe('CONTEXT_MISMATCH');
  });

  it('limits and signals hold', async () => {
    const two = multiKeyring({ generator: keyring, children: [aesKeyring(2)] });
    const limited = { keyring: two, maxEncryptedDataKeys: 1 };
    expect(await failureCode(createPinnedDataKey(limited))).toBe('LIMIT_EXCEEDED');
    const pinned = await createPinnedDataKey({ keyring: two });
    expect(await failureCode(openPinnedDataKey(pinned, limited))).toBe('LIMIT_EXCEEDED');
    const aborted = { keyring, signal: AbortSignal.abort() };
    expect(await failureCode(createPinnedDataKey(aborted))).toBe('ABORTED');
    expect(await failureCode(openPinnedDataKey(pinned, aborted))).toBe('ABORTED');
  });

  it('a keyring is needed, and a misspelt option refused', async () => {
    const pinned = await createPinnedDataKey({ keyring });
    for (const options of [undefined, {}, { keyring, encryptioncontext: {} }]) {
      expect(await failureCode(createPinnedDataKey(options as never))).toBe('INVALID_ARGUMENT');
      expect(await failureCode(openPinnedDataKey(pinned, options as never))).toBe('INVALID_ARGUMENT');
    }
    const { code, message } = await failure(openPinnedDataKey('text' as never, { keyring }));
    expect([code, message]).toEqual(['INVALID_ARGUMENT', expect.stringContaining('"bytes"')]);
  });
});

describe('what is no pinned data key', () => {
  const keyring = aesKeyring();

  it.each([0, 31, 33, 64])('a message of %i bytes', async (length) => {
    const { ciphertext } = await encrypt(bytes(length), { keyring });
    const { code, message } = await failure(openPinnedDataKey(ciphertext, { keyring }));
    expect([code, message]).toEqual(['INVALID_MESSAGE', expect.stringContaining(`${length} bytes`)]);
  });

  it('one that was altered or cut off', async () => {
    const pinned = await createPinnedDataKey({ keyring });
    const altered = flip(pinned, pinned.length - 130);
    expect(await failureCode(openPinnedDataKey(altered, { keyring }))).toBe('AUTHENTICATION_FAILED');
    expect(await failureCode(openPinnedDataKey(pinned.subarray(0, -1), { keyring }))).toBe('TRUNCATED');
  });
});
