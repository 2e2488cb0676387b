/**
 * Who uses whose entries and misses: one call for all who ask at once, and nobody's trouble is another's.
 */
import { describe, expect, it, vi } from 'vitest';
import {
  algorithmSuite,
  type CryptographicMaterialsManager,
  cachingCmm,
  decrypt,
  encrypt,
  localCache,
  requiredEncryptionContextCmm,
  stormTrackingCache,
} from '../../src/index.ts';
import { awsKmsKeyring } from '../../src/keyring/aws-kms/index.ts';
import { markOurs } from '../../src/materials/data-key.ts';
import { FakeKms, keyArn } from '../keyring/aws-kms/fake-kms.ts';
import { encryptMany, gate, openMany, settle, UNSIGNED, watched } from '../support/caching.ts';
import { aesKeyring, bytes, failureCode } from '../support/messages.ts';

const HOUR = { maxAgeSeconds: 3600 };
const KINDS = [
  ['local', () => localCache({ entryCapacity: 1000 })],
  ['storm tracking', () => stormTrackingCache({ entryCapacity: 1000 })],
] as const;

describe.each(KINDS)('requests that miss at the same time, with a %s cache', (_, cache) => {
  it('100 cold messages under keys in three KMS regions are one set of KMS calls', async () => {
    const kms = new FakeKms();
    const [generatorKeyId, ...keyIds] = ['us-east-1', 'eu-west-1', 'ap-south-1'].map((region) =>
      keyArn(region),
    );
    const keyring = awsKmsKeyring({
      generatorKeyId: generatorKeyId!,
      keyIds,
      clientSupplier: kms.clientSupplier,
    });
    const cmm = cachingCmm({ keyring, cache: cache(), ...HOUR });
    const messages = await encryptMany(100, 50, { cmm });
    expect(kms.log).toEqual(['GenerateDataKey us-east-1', 'Encrypt eu-west-1', 'Encrypt ap-south-1']);
    kms.reset();
    const opened = await Promise.all(messages.map((message) => decrypt(message, { cmm })));
    expect(kms.log).toEqual(['Decrypt us-east-1']);
    for (const [i, { plaintext }] of opened.entries()) expect(plaintext).toEqual(bytes(50, i));
    await openMany(messages, 50, keyring);
  });

  it("one caller's abort fails no other, whether it led or waited", async () => {
    for (const leaver of [0, 1, 2]) {
      const under = watched();
      const hold = gate();
      under.before = () => hold.opened;
      const cmm = cachingCmm({ cmm: under.cmm, cache: cache(), ...HOUR });
      const controllers = [0, 1, 2].map(() => new AbortController());
      const work = controllers.map(({ signal }, i) => encrypt(bytes(9, i), { cmm, ...UNSIGNED, signal }));
      const codes = work.map((one) =>
        one.then(
          () => 'done',
          ({ code }) => code as string,
        ),
      );
      await settle();
      controllers[leaver]!.abort();
      expect(await codes[leaver]).toBe('ABORTED');
      expect(under.encrypts[0]!.signal!.aborted).toBe(false);
      hold.open();
      expect((await Promise.all(codes)).sort()).toEqual(['ABORTED', 'done', 'done']);
      expect(under.encrypts).toHaveLength(1);
    }
  });

  it('when the last has gone the shared call is cancelled, its late data key is wiped, and the next asks anew', async () => {
    const under = watched();
    const hold = gate();
    under.before = () => hold.opened;
    const kept = cache();
    const cmm = cachingCmm({ cmm: under.cmm, cache: kept, ...HOUR });
    const controllers = [0, 1, 2].map(() => new AbortController());
    const work = controllers.map(({ signal }) =>
      failureCode(encrypt(bytes(9), { cmm, ...UNSIGNED, signal })),
    );
    await settle();
    const signal = under.encrypts[0]!.signal!;
    for (const [i, controller] of controllers.entries()) {
      expect(signal.aborted).toBe(false);
      controller.abort();
      expect(await work[i]).toBe('ABORTED');
    }
    expect(signal.aborted).toBe(true);
    hold.open();
    await settle();
    expect(under.dataKeys).toEqual([new Uint8Array(32)]);
    expect(kept.size).toBe(0);
    await encrypt(bytes(9), { cmm, ...UNSIGNED });
    expect([under.encrypts.length, kept.size]).toEqual([2, 1]);
  });

  it('the same for decrypt', async () => {
    const { ciphertext } = await encrypt(bytes(9), { keyring: aesKeyring(), ...UNSIGNED });
    const under = watched();
    const hold = gate();
    under.before = () => hold.opened;
    const cmm = cachingCmm({ cmm: under.cmm, cache: cache(), ...HOUR });
    const controllers = [0, 1].map(() => new AbortController());
    const work = controllers.map(({ signal }) => failureCode(decrypt(ciphertext, { cmm, signal })));
    await settle();
    for (const controller of controllers) controller.abort();
    expect(await Promise.all(work)).toEqual(['ABORTED', 'ABORTED']);
    expect([under.decrypts.length, under.decrypts[0]!.signal!.aborted]).toEqual([1, true]);
    hold.open();
    await settle();
    expect(under.dataKeys).toEqual([new Uint8Array(32)]);
    expect((await decrypt(ciphertext, { cmm })).plaintext).toEqual(bytes(9));
  });

  it('a request whose signal has aborted before asks nobody', async () => {
    const under = watched();
    const cmm = cachingCmm({ cmm: under.cmm, cache: cache(), ...HOUR });
    const request = {
      encryptionContext: {},
      commitmentPolicy: 'REQUIRE_ENCRYPT_REQUIRE_DECRYPT',
      signal: AbortSignal.abort(),
    } as const;
    expect(await failureCode(cmm.getEncryptionMaterials(request))).toBe('ABORTED');
    expect(under.encrypts).toHaveLength(0);
  });

  it('a manager that throws at once, or answers nothing, fails the request with its error', async () => {
    const error = new Error('at once');
    const answers: CryptographicMaterialsManager['getEncryptionMaterials'][] = [
      () => {
        throw error;
      },
      async () => undefined as never,
      async () => ({ plaintextDataKey: bytes(32) }) as never,
      async () =>
        ({
          plaintextDataKey: bytes(32),
          encryptedDataKeys: [{}],
          requiredEncryptionContextKeys: [],
        }) as never,
    ];
    for (const getEncryptionMaterials of answers) {
      const under = { getEncryptionMaterials, decryptMaterials: getEncryptionMaterials as never };
      const cmm = cachingCmm({ cmm: under, cache: cache(), ...HOUR });
      const work = encrypt(bytes(1), { cmm });
      if (getEncryptionMaterials === answers[0]) await expect(work).rejects.toBe(error);
      else expect(await failureCode(work)).toBe('INVALID_ARGUMENT');
    }
  });

  it('the data key of materials that are none is wiped', async () => {
    const under = watched();
    const wrong = markOurs<CryptographicMaterialsManager>({
      ...under.cmm,
      getEncryptionMaterials: async (request) => ({
        ...(await under.cmm.getEncryptionMaterials(request)),
        encryptedDataKeys: 'none' as never,
      }),
    });
    const cmm = cachingCmm({ cmm: wrong, cache: cache(), ...HOUR });
    expect(await failureCode(encrypt(bytes(1), { cmm }))).toBe('INVALID_ARGUMENT');
    expect(under.dataKeys).toEqual([new Uint8Array(32)]);
  });

  it("a caller's own manager may hand out the same data key again: it is copied and never wiped", async () => {
    const under = watched();
    const dataKey = bytes(32, 5);
    const own: CryptographicMaterialsManager = {
      getEncryptionMaterials: async (request) => {
        const materials = await under.cmm.getEncryptionMaterials(request);
        materials.plaintextDataKey!.set(dataKey);
        return { ...materials, plaintextDataKey: dataKey };
      },
      decryptMaterials: async (request) => ({
        ...(await under.cmm.decryptMaterials(request)),
        plaintextDataKey: dataKey,
      }),
    };
    const kept = cache();
    const common = { cmm: own, cache: kept, ...HOUR };
    const encryptionContext = { tenant: 'a' };
    for (const cmm of [
      cachingCmm({ ...common, maxMessages: 3 }),
      cachingCmm({ ...common, maxBytes: 1 }), // each message alone
      requiredEncryptionContextCmm({ cmm: own, requiredKeys: ['tenant'] }),
    ]) {
      const messages = await encryptMany(10, 20, { cmm, encryptionContext });
      kept.clear();
      for (const [i, message] of messages.entries())
        expect((await decrypt(message, { cmm, encryptionContext })).plaintext).toEqual(bytes(20, i));
      kept.clear();
    }
    expect(dataKey).toEqual(bytes(32, 5));
  });

  it('what one message is handed may be changed, and the next gets the same', async () => {
    const under = watched();
    const cmm = cachingCmm({ cmm: under.cmm, cache: cache(), ...HOUR });
    const request = { encryptionContext: {}, commitmentPolicy: 'REQUIRE_ENCRYPT_REQUIRE_DECRYPT' } as const;
    const first = await cmm.getEncryptionMaterials(request);
    const before = structuredClone([first.plaintextDataKey, first.encryptedDataKeys]);
    first.plaintextDataKey!.fill(1);
    first.encryptedDataKeys[0]!.ciphertext.fill(1);
    (first.encryptedDataKeys as unknown[]).push('more');
    (first.missingKeys as unknown[]).push('more');
    (first.requiredEncryptionContextKeys as unknown[]).push('more');
    const second = await cmm.getEncryptionMaterials(request);
    expect([second.plaintextDataKey, second.encryptedDataKeys]).toEqual(before);
    expect([second.missingKeys, second.requiredEncryptionContextKeys]).toEqual([[], []]);
    expect(under.encrypts).toHaveLength(1);
  });

  it('missing keys of a quorum stay with the entry', async () => {
    const kms = new FakeKms();
    const [generatorKeyId, ...keyIds] = ['us-east-1', 'eu-west-1'].map((region) => keyArn(region));
    const { clientSupplier } = kms;
    kms.set('eu-west-1', Object.assign(new Error('throttled'), { name: 'ThrottlingException' }));
    const quorum = { atLeast: 1 };
    const keyring = awsKmsKeyring({ generatorKeyId: generatorKeyId!, keyIds, clientSupplier, quorum });
    const cmm = cachingCmm({ keyring, cache: cache(), ...HOUR });
    for (let i = 0; i < 3; i++) {
      const { missingKeys } = await encrypt(bytes(1), { cmm });
      expect(missingKeys.map(({ keyId }) => keyId)).toEqual(keyIds);
      kms.set('eu-west-1', null);
    }
  });
});

describe('a miss that fails', () => {
  it('is not cached, and fails those who wait for it', async () => {
    const under = watched();
    const hold = gate();
    under.before = () => hold.opened;
    const cache = localCache({ entryCapacity: 10 });
    const cmm = cachingCmm({ cmm: under.cmm, cache, ...HOUR });
    const work = [0, 1, 2].map(() => encrypt(bytes(1), { cmm, ...UNSIGNED }));
    await settle();
    const error = new Error('down');
    hold.fail(error);
    for (const one of work) await expect(one).rejects.toBe(error);
    expect([under.encrypts.length, cache.size]).toEqual([1, 0]);
    under.before = () => {};
    await encrypt(bytes(1), { cmm, ...UNSIGNED });
    expect([under.encrypts.length, cache.size]).toEqual([2, 1]);
  });

  it('fails no request that has come after it', async () => {
    const under = watched();
    const cmm = cachingCmm({ cmm: under.cmm, ...HOUR });
    under.before = () => {
      throw new Error('down');
    };
    const first = encrypt(bytes(1), { cmm, ...UNSIGNED });
    const again = first.catch(() => {
      under.before = () => {};
      return encrypt(bytes(1), { cmm, ...UNSIGNED });
    });
    await again;
    expect(under.encrypts).toHaveLength(2);
  });
});

describe('who shares', () => {
  it('nobody by default, although the cache is one', async () => {
    const cache = localCache({ entryCapacity: 100 });
    const under = watched();
    const managers = [1, 2].map(() => cachingCmm({ cmm: under.cmm, cache, ...HOUR }));
    const work = managers.flatMap((cmm) => [0, 1, 2].map(() => encrypt(bytes(1), { cmm, ...UNSIGNED })));
    await Promise.all(work);
    for (const cmm of managers) await encrypt(bytes(1), { cmm, ...UNSIGNED });
    expect([under.encrypts.length, cache.size]).toEqual([2, 2]);
  });

  it('managers with the same partition id on the same cache, entries and misses alike', async () => {
    const cache = localCache({ entryCapacity: 100 });
    const under = watched();
    const managers = [1, 2].map(() => cachingCmm({ cmm: under.cmm, cache, partitionId: 'team', ...HOUR }));
    const work = managers.flatMap((cmm) => [0, 1, 2].map(() => encrypt(bytes(1), { cmm, ...UNSIGNED })));
    const messages = await Promise.all(work);
    for (const cmm of managers) await encrypt(bytes(1), { cmm, ...UNSIGNED });
    for (const cmm of managers) await decrypt(messages[0]!.ciphertext, { cmm });
    expect([under.encrypts.length, under.decrypts.length, cache.size]).toEqual([1, 1, 2]);
    const other = cachingCmm({ cmm: under.cmm, cache, partitionId: 'Team', ...HOUR });
    await encrypt(bytes(1), { cmm: other, ...UNSIGNED });
    expect(under.encrypts).toHaveLength(2);
  });

  it('each by its own limits: an entry that is too old for one serves the other', async () => {
    vi.useFakeTimers();
    try {
      const cache = localCache({ entryCapacity: 100 });
      const under = watched();
      const make = (maxAgeSeconds: number, maxMessages: number) =>
        cachingCmm({ cmm: under.cmm, cache, partitionId: 'team', maxAgeSeconds, maxMessages });
      const [long, short] = [make(100, 100), make(10, 100)];
      const { ciphertext } = await encrypt(bytes(1), { cmm: long, ...UNSIGNED });
      await decrypt(ciphertext, { cmm: long });
      vi.advanceTimersByTime(9_999);
      await encrypt(bytes(1), { cmm: short, ...UNSIGNED });
      await decrypt(ciphertext, { cmm: short });
      expect([under.encrypts.length, under.decrypts.length]).toEqual([1, 1]);
      vi.advanceTimersByTime(1);
      for (const cmm of [long, short, short, long]) {
        await encrypt(bytes(1), { cmm, ...UNSIGNED });
        await decrypt(ciphertext, { cmm });
      }
      expect([under.encrypts.length, under.decrypts.length]).toEqual([2, 2]);
      const few = make(100, 4);
      for (const calls of [2, 3]) {
        await encrypt(bytes(1), { cmm: few, ...UNSIGNED });
        expect(under.encrypts).toHaveLength(calls);
      }
    } finally {
      vi.useRealTimers();
    }
  });

  it('nobody below a caching manager: the outer one caches, the inner one does not', async () => {
    const under = watched();
    const cache = localCache({ entryCapacity: 10 });
    const inner = cachingCmm({ cmm: under.cmm, cache, ...HOUR });
    const outer = [1, 2].map(() => cachingCmm({ cmm: inner, maxMessages: 2, ...HOUR }));
    for (const cmm of [...outer, ...outer]) await encrypt(bytes(1), { cmm, ...UNSIGNED });
    expect([under.encrypts.length, cache.size]).toEqual([2, 0]);
  });

  it('CVE-2026-6550: a shared cache does not get around the commitment policy', async () => {
    const cache = localCache({ entryCapacity: 100 });
    const keyring = aesKeyring();
    const make = () => cachingCmm({ keyring, cache, partitionId: 'shared', ...HOUR });
    const forbid = 'FORBID_ENCRYPT_ALLOW_DECRYPT' as const;
    const old = await encrypt(bytes(1), { cmm: make(), commitmentPolicy: forbid });
    expect(old.header.algorithmSuite).not.toContain('COMMIT');
    const { header } = await encrypt(bytes(1), { cmm: make() });
    expect(header.algorithmSuite).toContain('COMMIT');
    for (const suite of [0x0178, 0x0378]) {
      await encrypt(bytes(1), { cmm: make(), commitmentPolicy: forbid, algorithmSuite: suite });
      expect(await failureCode(encrypt(bytes(1), { cmm: make(), algorithmSuite: suite }))).toBe(
        'COMMITMENT_POLICY',
      );
    }
    await decrypt(old.ciphertext, { cmm: make(), commitmentPolicy: 'REQUIRE_ENCRYPT_ALLOW_DECRYPT' });
    const asked = { cmm: make(), commitmentPolicy: 'REQUIRE_ENCRYPT_REQUIRE_DECRYPT' } as const;
    expect(await failureCode(decrypt(old.ciphertext, asked))).toBe('COMMITMENT_POLICY');
    const { suiteId, encryptedDataKeys, encryptionContext } = old.header;
    const stored = { algorithmSuite: algorithmSuite(suiteId), encryptedDataKeys, encryptionContext };
    const request = { ...stored, commitmentPolicy: asked.commitmentPolicy };
    expect(await failureCode(make().decryptMaterials(request))).toBe('COMMITMENT_POLICY');
    const lax = { ...watched().cmm, decryptMaterials: () => Promise.reject(new Error('it was asked')) };
    const around = cachingCmm({ cmm: lax, cache, ...HOUR });
    expect(await failureCode(around.decryptMaterials(request))).toBe('COMMITMENT_POLICY');
  });

  it('a suite, policy or required key that does not fit is a miss, whatever the manager below answers', async () => {
    const cache = localCache({ entryCapacity: 100 });
    let suite = 0x0178;
    const under = watched();
    const wrong: CryptographicMaterialsManager = {
      getEncryptionMaterials: (request) =>
        under.cmm.getEncryptionMaterials({
          ...request,
          algorithmSuite: algorithmSuite(suite),
          commitmentPolicy: suite === 0x0178 ? 'FORBID_ENCRYPT_ALLOW_DECRYPT' : request.commitmentPolicy,
        }),
      decryptMaterials: (request) => under.cmm.decryptMaterials(request),
    };
    const cmm = cachingCmm({ cmm: wrong, cache, ...HOUR });
    const all = await Promise.allSettled([0, 1, 2].map(() => encrypt(bytes(1), { cmm })));
    expect(all.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    suite = 0x0478;
    await encrypt(bytes(1), { cmm });
    const calls = under.encrypts.length;
    await encrypt(bytes(1), { cmm });
    expect(under.encrypts).toHaveLength(calls);
    const required = { encryptionContext: { a: 'b' }, requiredEncryptionContextKeys: ['a'] };
    const careless: CryptographicMaterialsManager = {
      ...under.cmm,
      getEncryptionMaterials: async (request) => ({
        ...(await under.cmm.getEncryptionMaterials(request)),
        requiredEncryptionContextKeys: [],
      }),
    };
    const around = cachingCmm({ cmm: careless, cache, ...HOUR });
    const before = under.encrypts.length;
    for (let i = 1; i < 3; i++) {
      await around.getEncryptionMaterials({
        ...required,
        commitmentPolicy: 'REQUIRE_ENCRYPT_REQUIRE_DECRYPT',
      });
      expect(under.encrypts).toHaveLength(before + i);
    }
    suite = 0x0578; // answers another one than is asked for
    await encrypt(bytes(1), { cmm, ...UNSIGNED });
    await encrypt(bytes(1), { cmm, ...UNSIGNED });
    expect(under.encrypts).toHaveLength(calls + 2 + 2);
  });
});
