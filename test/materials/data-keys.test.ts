import { describe, expect, it, vi } from 'vitest';
import {
  type CryptographicMaterialsManager,
  decrypt,
  defaultCmm,
  type EncryptionMaterials,
  encrypt,
  type Keyring,
  multiKeyring,
  rawAesKeyring,
} from '../../src/index.ts';
import { awsKmsKeyring, type KmsApi } from '../../src/keyring/aws-kms/index.ts';
import { DataKey } from '../../src/materials/data-key.ts';
import { aesKeyring, bytes, failure } from '../support/messages.ts';

const ARN = 'arn:aws:kms:us-east-1:000000000000:key/11111111-1111-1111-1111-111111111111';

describe('nobody encrypts under a wiped key', () => {
  it("a caller's keyring may hand out the same data key for every message", async () => {
    const dataKey = bytes(32, 9);
    const edk = { providerId: 'fixed', providerInfo: bytes(1), ciphertext: bytes(1) };
    const fixed: Keyring = {
      onEncrypt: async (materials) => ({ ...materials, plaintextDataKey: dataKey, encryptedDataKeys: [edk] }),
      onDecrypt: async (materials) => ({ ...materials, plaintextDataKey: dataKey }),
    };
    for (const keyring of [fixed, multiKeyring({ generator: fixed, children: [aesKeyring()] })]) {
      const messages = await Promise.all(
        Array.from({ length: 20 }, (_, i) => encrypt(bytes(i), { keyring })),
      );
      expect(dataKey).toEqual(bytes(32, 9));
      for (const [i, { ciphertext }] of messages.entries()) {
        expect((await decrypt(ciphertext, { keyring: fixed })).plaintext).toEqual(bytes(i));
      }
      expect(dataKey).toEqual(bytes(32, 9));
    }
  });

  it("a caller's manager may keep materials of ours and hand them out for 100 messages", async () => {
    const keyring = aesKeyring();
    const inner = defaultCmm({ keyring });
    let kept: Promise<EncryptionMaterials> | undefined;
    const cmm: CryptographicMaterialsManager = {
      getEncryptionMaterials: (request) => (kept ??= inner.getEncryptionMaterials(request)),
      decryptMaterials: (request) => inner.decryptMaterials(request),
    };
    const options = { cmm, algorithmSuite: 0x0478 };
    const work = Array.from({ length: 100 }, (_, i) => {
      const signal = i % 3 === 0 ? AbortSignal.abort() : undefined;
      return encrypt(bytes(i), { ...options, ...(signal && { signal }) }).catch(() => undefined);
    });
    const messages = await Promise.all(work);
    expect(messages.filter((message) => message !== undefined)).toHaveLength(66);
    for (const [i, message] of messages.entries()) {
      if (message) expect((await decrypt(message.ciphertext, { keyring })).plaintext).toEqual(bytes(i));
    }
    expect((await kept)!.plaintextDataKey!.some((byte) => byte !== 0)).toBe(true);
  });

  it('wipes the data keys that our own keyrings make, on success and on failure', async () => {
    const seen: Uint8Array[] = [];
    let refuse = false;
    const kms: KmsApi = {
      generateDataKey: async () => ({ KeyId: ARN, Plaintext: bytes(32), CiphertextBlob: bytes(50) }),
      encrypt: async ({ Plaintext }) => {
        seen.push(Plaintext);
        if (refuse) throw new Error('refused');
        return { KeyId: ARN, CiphertextBlob: bytes(50) };
      },
      decrypt: async () => ({ KeyId: ARN, Plaintext: bytes(32) }),
    };
    const keyring = awsKmsKeyring({ generatorKeyId: ARN, keyIds: [ARN], clientSupplier: () => kms });
    await encrypt(bytes(5), { keyring });
    refuse = true;
    await failure(encrypt(bytes(5), { keyring }));
    expect(seen).toHaveLength(2);
    for (const dataKey of seen) expect(dataKey).toEqual(new Uint8Array(32));
  });

  it('throws when a data key is used after it has been wiped, whatever its bytes', () => {
    const key = new DataKey(bytes(32));
    key.dispose();
    expect(() => key.bytes).toThrow('wiped');
    const zeros = new DataKey(new Uint8Array(32)); // a look for zeros would refuse this one
    expect(zeros.bytes).toHaveLength(32);
  });

  it('copies the wrapping key of a caller and never wipes it', async () => {
    const wrappingKey = bytes(32);
    const keyring = rawAesKeyring({ keyNamespace: 'n', keyName: 'k', wrappingKey });
    const { ciphertext } = await encrypt(bytes(5), { keyring });
    expect(wrappingKey).toEqual(bytes(32));
    wrappingKey.fill(7);
    expect((await decrypt(ciphertext, { keyring })).plaintext).toEqual(bytes(5));
  });
});

describe('randomness is never kept', () => {
  it('draws all random bytes of an unsigned message under two keys in one call inside encrypt', async () => {
    const keyring = multiKeyring({ generator: aesKeyring(1), children: [aesKeyring(2)] });
    const spy = vi.spyOn(globalThis.crypto, 'getRandomValues');
    const first = await encrypt(bytes(5), { keyring, algorithmSuite: 0x0478 });
    expect(spy).toHaveBeenCalledTimes(1);
    const second = await encrypt(bytes(5), { keyring, algorithmSuite: 0x0478 });
    expect(spy).toHaveBeenCalledTimes(2);
    spy.mockRestore();
    const ivs = [first, second].flatMap(({ header }) =>
      header.encryptedDataKeys.map((edk) => edk.providerInfo.slice(-12).join()),
    );
    expect(new Set(ivs).size).toBe(4);
  });
});

describe('materials of a caller are checked as if they came from anyone', () => {
  const keyring = aesKeyring();
  const inner = defaultCmm({ keyring });
  const changed = (change: (materials: EncryptionMaterials) => unknown): CryptographicMaterialsManager => ({
    getEncryptionMaterials: async (request) =>
      change(await inner.getEncryptionMaterials(request)) as EncryptionMaterials,
    decryptMaterials: (request) => inner.decryptMaterials(request),
  });

  it.each([
    [
      'a short data key',
      (m: EncryptionMaterials) => ({ ...m, plaintextDataKey: bytes(31) }),
      'INVALID_ARGUMENT',
    ],
    ['no data key', ({ plaintextDataKey: _, ...m }: EncryptionMaterials) => m, 'INVALID_ARGUMENT'],
    [
      'no encrypted data keys',
      (m: EncryptionMaterials) => ({ ...m, encryptedDataKeys: [] }),
      'INVALID_ARGUMENT',
    ],
    ['no signing key', ({ signingKey: _, ...m }: EncryptionMaterials) => m, 'INVALID_ARGUMENT'],
    [
      'no verification key in the context',
      (m: EncryptionMaterials) => ({ ...m, encryptionContext: {} }),
      'INVALID_ARGUMENT',
    ],
    [
      'a required key that is not there',
      (m: EncryptionMaterials) => ({ ...m, requiredEncryptionContextKeys: ['x'] }),
      'INVALID_ARGUMENT',
    ],
    [
      'an unknown suite',
      (m: EncryptionMaterials) => ({ ...m, algorithmSuite: { ...m.algorithmSuite, id: 9 } }),
      'INVALID_ARGUMENT',
    ],
    [
      'a suite that the policy forbids',
      (m: EncryptionMaterials) => ({ ...m, algorithmSuite: { id: 0x0178 } }),
      'COMMITMENT_POLICY',
    ],
  ])('refuses %s', async (_, change, code) => {
    const error = await failure(encrypt(bytes(1), { cmm: changed(change) }));
    expect(error.code).toBe(code);
  });

  it('checks the policy again on what comes back for decrypt', async () => {
    const old = await encrypt(bytes(1), { keyring, commitmentPolicy: 'FORBID_ENCRYPT_ALLOW_DECRYPT' });
    const { ciphertext } = await encrypt(bytes(1), { keyring });
    const other = old.header.algorithmSuite;
    const cmm: CryptographicMaterialsManager = {
      ...inner,
      decryptMaterials: async (request) => ({
        ...(await inner.decryptMaterials(request)),
        algorithmSuite: { ...request.algorithmSuite, id: old.header.suiteId, name: other },
      }),
    };
    expect((await failure(decrypt(ciphertext, { cmm }))).code).toBe('INVALID_ARGUMENT');
  });

  it('stores no required pair, and takes it reproduced', async () => {
    const cmm = changed((m) => ({ ...m, requiredEncryptionContextKeys: ['tenant'] }));
    const encryptionContext = { tenant: 'a', purpose: 'x' };
    const { ciphertext, header } = await encrypt(bytes(9), { cmm, encryptionContext });
    expect(Object.keys(header.encryptionContext)).not.toContain('tenant');
    const opened = await decrypt(ciphertext, { keyring, encryptionContext: { tenant: 'a' } });
    expect({ ...opened.authenticatedContext }).toMatchObject(encryptionContext);
    for (const wrong of [{ tenant: 'b' }, { purpose: 'y', tenant: 'a' }]) {
      expect((await failure(decrypt(ciphertext, { keyring, encryptionContext: wrong }))).code).toBe(
        'CONTEXT_MISMATCH',
      );
    }
    expect((await failure(decrypt(ciphertext, { keyring }))).code).toBe('NO_DATA_KEY');
  });
});
