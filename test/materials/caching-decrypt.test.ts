/**
 * Decrypting through a cache: every message is judged for itself, whatever the entry was made for.
 */
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  algorithmSuite,
  type CryptographicMaterialsManager,
  cachingCmm,
  type DecryptionMaterialsRequest,
  decrypt,
  decryptStream,
  defaultCmm,
  encrypt,
  type Keyring,
  localCache,
  rawRsaKeyring,
  requiredEncryptionContextCmm,
  stormTrackingCache,
} from '../../src/index.ts';
import { gate, settle, UNSIGNED, type Watched, watched } from '../support/caching.ts';
import { aesKeyring, bytes, failure, flip, rsaPem } from '../support/messages.ts';
import { every, through } from '../support/streams.ts';

const HOUR = { maxAgeSeconds: 3600 };
const KINDS = [
  ['local', () => localCache({ entryCapacity: 1000 })],
  ['storm tracking', () => stormTrackingCache({ entryCapacity: 1000 })],
] as const;
const pem = rsaPem();
const rsa = (padding: 'pkcs1' | 'oaep-sha256'): Keyring =>
  rawRsaKeyring({ keyNamespace: 'test', keyName: 'rsa', padding, ...pem });

afterEach(() => vi.useRealTimers());

async function outcome(work: Promise<{ plaintext: Uint8Array }>): Promise<string> {
  return work.then(
    ({ plaintext }) => plaintext.join(),
    ({ code }) => code as string,
  );
}

describe.each(KINDS)('with a %s cache', (_, cache) => {
  describe.each([
    ['AES, which binds the context', () => aesKeyring()],
    ['RSA-OAEP, which does not', () => rsa('oaep-sha256')],
    ['RSA PKCS#1 v1.5', () => rsa('pkcs1')],
  ])('under %s', (_, keyringOf) => {
    it('equal, different and absent contexts end as without a cache, cold and warm', async () => {
      const keyring = keyringOf();
      const writer = requiredEncryptionContextCmm({ keyring, requiredKeys: ['user'] });
      const encryptionContext = { tenant: 'a', user: 'u' };
      const { ciphertext } = await encrypt(bytes(9), { cmm: writer, encryptionContext });
      const contexts = [
        encryptionContext,
        { user: 'u' },
        { tenant: 'b', user: 'u' },
        { tenant: 'a', user: 'v' },
        { tenant: 'a' },
        {},
        { tenant: 'a', user: 'u', more: 'x' },
      ];
      const expected: string[] = [];
      for (const context of contexts)
        expected.push(await outcome(decrypt(ciphertext, { keyring, encryptionContext: context })));
      expect(expected.slice(0, 4)).toEqual([
        bytes(9).join(),
        bytes(9).join(),
        'CONTEXT_MISMATCH',
        'CONTEXT_MISMATCH',
      ]);
      expect(new Set(expected).size).toBeGreaterThan(2);
      const manager = () => cachingCmm({ keyring, cache: cache(), ...HOUR });
      const run = (cmm: CryptographicMaterialsManager, context: Record<string, string>) =>
        outcome(decrypt(ciphertext, { cmm, encryptionContext: context }));
      for (const [i, context] of contexts.entries()) expect(await run(manager(), context)).toBe(expected[i]);
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] });
      const warm = manager();
      await run(warm, encryptionContext);
      for (const order of [contexts, [...contexts].reverse(), contexts]) {
        for (const context of order) {
          await vi.advanceTimersByTimeAsync(1000); // a key that has failed is in flight for so long
          expect(await run(warm, context)).toBe(expected[contexts.indexOf(context)]);
        }
      }
    });

    it('all of them at once end as each alone', async () => {
      const keyring = keyringOf();
      const { ciphertext } = await encrypt(bytes(9), { keyring, encryptionContext: { tenant: 'a' } });
      const cmm = cachingCmm({ keyring, cache: cache(), ...HOUR });
      const contexts = [{ tenant: 'a' }, { tenant: 'b' }, {}];
      const work = Array.from({ length: 30 }, (_, i) =>
        outcome(decrypt(ciphertext, { cmm, encryptionContext: contexts[i % 3]! })),
      );
      const good = bytes(9).join();
      expect(await Promise.all(work)).toEqual(
        Array.from({ length: 30 }, (_, i) => [good, 'CONTEXT_MISMATCH', good][i % 3]),
      );
    });
  });

  it('an altered message fails alone, streamed and in one shot, and leaves the entry as it is', async () => {
    const under = watched();
    const cmm = cachingCmm({ cmm: under.cmm, cache: cache(), ...HOUR });
    const { ciphertext, header } = await encrypt(bytes(500), { keyring: aesKeyring(), frameLength: 64 });
    for (const at of [12, header.headerLength - 3, header.headerLength + 30, ciphertext.length - 5]) {
      const altered = flip(ciphertext, at);
      expect(await outcome(decrypt(altered, { cmm }))).toBe('AUTHENTICATION_FAILED');
      const streamed = await through(decryptStream({ cmm }), every(99)(altered));
      expect(streamed.error?.code).toBe('AUTHENTICATION_FAILED');
      expect(await outcome(decrypt(ciphertext, { cmm }))).toBe(bytes(500).join());
    }
    expect(under.decrypts).toHaveLength(1);
  });

  it('the policy is checked for each message, warm as well', async () => {
    const commitmentPolicy = 'FORBID_ENCRYPT_ALLOW_DECRYPT';
    const { ciphertext } = await encrypt(bytes(9), { keyring: aesKeyring(), commitmentPolicy });
    const under = watched();
    const cmm = cachingCmm({ cmm: under.cmm, cache: cache(), ...HOUR });
    for (let i = 0; i < 3; i++) {
      expect(await outcome(decrypt(ciphertext, { cmm, commitmentPolicy }))).toBe(bytes(9).join());
      expect(await outcome(decrypt(ciphertext, { cmm }))).toBe('COMMITMENT_POLICY');
    }
    expect(under.decrypts).toHaveLength(1);
  });

  it('materials of a caller that do not fit the request are a miss each time', async () => {
    const { ciphertext } = await encrypt(bytes(9), { keyring: aesKeyring(), ...UNSIGNED });
    const under = watched();
    const wrong: CryptographicMaterialsManager = {
      getEncryptionMaterials: (request) => under.cmm.getEncryptionMaterials(request),
      decryptMaterials: async (request) => ({
        ...(await under.cmm.decryptMaterials(request)),
        algorithmSuite: algorithmSuite(0x0178),
      }),
    };
    const cmm = cachingCmm({ cmm: wrong, cache: cache(), ...HOUR });
    for (let i = 1; i < 3; i++) {
      expect(await outcome(decrypt(ciphertext, { cmm }))).toBe('INVALID_ARGUMENT');
      expect(under.decrypts).toHaveLength(i);
    }
  });

  it('a reproduced pair that the materials do not hold is a miss each time', async () => {
    const { header } = await encrypt(bytes(9), { keyring: aesKeyring(), ...UNSIGNED });
    const under = watched();
    const careless: CryptographicMaterialsManager = {
      ...under.cmm,
      decryptMaterials: ({ reproducedEncryptionContext: _, ...request }) =>
        under.cmm.decryptMaterials(request),
    };
    const cmm = cachingCmm({ cmm: careless, cache: cache(), ...HOUR });
    for (let i = 1; i < 3; i++) {
      await cmm.decryptMaterials({
        algorithmSuite: algorithmSuite(header.suiteId),
        commitmentPolicy: 'REQUIRE_ENCRYPT_REQUIRE_DECRYPT',
        encryptedDataKeys: header.encryptedDataKeys,
        encryptionContext: header.encryptionContext,
        reproducedEncryptionContext: { user: 'u' },
      });
      expect(under.decrypts).toHaveLength(i);
    }
  });

  it('changes of what one message was handed do not reach the next: the key, the verification key', async () => {
    const { header } = await encrypt(bytes(9), { keyring: aesKeyring() });
    const request: DecryptionMaterialsRequest = {
      algorithmSuite: algorithmSuite(header.suiteId),
      commitmentPolicy: 'REQUIRE_ENCRYPT_REQUIRE_DECRYPT',
      encryptedDataKeys: header.encryptedDataKeys,
      encryptionContext: header.encryptionContext,
    };
    const cmm = cachingCmm({ keyring: aesKeyring(), cache: cache(), ...HOUR });
    const first = await cmm.decryptMaterials(request);
    const before = structuredClone([first.plaintextDataKey, first.verificationKey]);
    first.plaintextDataKey!.fill(1);
    first.verificationKey!.fill(1);
    const second = await cmm.decryptMaterials(request);
    expect([second.plaintextDataKey, second.verificationKey]).toEqual(before);
  });

  it('100 messages at once cost one call, and 100 of suites without key derivation 100', async () => {
    const under = watched();
    const cmm = cachingCmm({ cmm: under.cmm, cache: cache(), ...HOUR });
    const commitmentPolicy = 'FORBID_ENCRYPT_ALLOW_DECRYPT';
    for (const [suite, calls] of [
      [0x0178, 1],
      [0x0078, 100],
    ] as const) {
      under.decrypts.length = 0;
      const options = { keyring: aesKeyring(), commitmentPolicy, algorithmSuite: suite } as const;
      const { ciphertext } = await encrypt(bytes(9), options);
      const hold = gate();
      under.before = () => hold.opened;
      const work = Array.from({ length: 100 }, () => outcome(decrypt(ciphertext, { cmm, commitmentPolicy })));
      await settle();
      expect(under.decrypts).toHaveLength(calls);
      hold.open();
      expect(new Set(await Promise.all(work))).toEqual(new Set([bytes(9).join()]));
      expect(under.decrypts).toHaveLength(calls);
    }
  });

  describe('keyrings that ask the message whether the data key is its own', () => {
    const keyring = rsa('pkcs1');
    const make = (): { under: Watched; cmm: CryptographicMaterialsManager } => {
      const under = watched(keyring);
      return { under, cmm: cachingCmm({ cmm: under.cmm, cache: cache(), ...HOUR }) };
    };

    it('ask each message, and share the call', async () => {
      const { under, cmm } = make();
      const { ciphertext } = await encrypt(bytes(9), { keyring });
      const work = [1, 2, 3].map(() => outcome(decrypt(ciphertext, { cmm })));
      expect(await Promise.all(work)).toEqual(Array(3).fill(bytes(9).join()));
      expect(await outcome(decrypt(ciphertext, { cmm }))).toBe(bytes(9).join());
      expect(under.decrypts).toHaveLength(1);
      const [{ confirmDataKey, signal: _, ...asked }] = under.decrypts as [DecryptionMaterialsRequest];
      let questions = 0;
      const question = async (answer: boolean) => {
        questions++;
        return answer;
      };
      await cmm.decryptMaterials({ ...asked, confirmDataKey: () => question(true) });
      expect([questions, under.decrypts.length]).toEqual([1, 1]);
      expect(
        (await failure(cmm.decryptMaterials({ ...asked, confirmDataKey: () => question(false) }))).code,
      ).toBe('AUTHENTICATION_FAILED');
      expect([questions, under.decrypts.length]).toEqual([3, 2]); // the entry, and then the keyring for itself
      await cmm.decryptMaterials(asked);
      expect([typeof confirmDataKey, under.decrypts.length]).toEqual(['function', 2]);
    });

    it('a forged message that leads the miss fails alone: those who wait ask for themselves', async () => {
      const { under, cmm } = make();
      const hold = gate();
      under.before = () => hold.opened;
      const { ciphertext } = await encrypt(bytes(9), { keyring });
      const work = [flip(ciphertext, 10), ciphertext, ciphertext].map((message) =>
        outcome(decrypt(message, { cmm })),
      );
      await settle();
      expect(under.decrypts).toHaveLength(1);
      hold.open();
      expect(await Promise.all(work)).toEqual(['AUTHENTICATION_FAILED', bytes(9).join(), bytes(9).join()]);
      expect(under.decrypts).toHaveLength(3);
      expect(await outcome(decrypt(ciphertext, { cmm }))).toBe(bytes(9).join());
      expect(await outcome(decrypt(ciphertext, { cmm }))).toBe(bytes(9).join());
      expect(under.decrypts).toHaveLength(4);
    });

    it('a forged message that waits for the miss, or comes later, fails alone', async () => {
      const { under, cmm } = make();
      const { ciphertext } = await encrypt(bytes(9), { keyring });
      const forged = flip(ciphertext, 10);
      const work = [ciphertext, forged, ciphertext].map((message) => outcome(decrypt(message, { cmm })));
      expect(await Promise.all(work)).toEqual([bytes(9).join(), 'AUTHENTICATION_FAILED', bytes(9).join()]);
      expect(await outcome(decrypt(forged, { cmm }))).toBe('AUTHENTICATION_FAILED');
      expect(await outcome(decrypt(ciphertext, { cmm }))).toBe(bytes(9).join());
      expect(under.decrypts).toHaveLength(3);
    });

    it('a question that throws fails that message alone, and leaves no data key behind', async () => {
      const { under, cmm } = make();
      const { header } = await encrypt(bytes(9), { keyring });
      const request: DecryptionMaterialsRequest = {
        algorithmSuite: algorithmSuite(header.suiteId),
        commitmentPolicy: 'REQUIRE_ENCRYPT_REQUIRE_DECRYPT',
        encryptedDataKeys: header.encryptedDataKeys,
        encryptionContext: header.encryptionContext,
      };
      await cmm.decryptMaterials({ ...request, confirmDataKey: async () => true });
      let seen: Uint8Array | undefined;
      const confirmDataKey: DecryptionMaterialsRequest['confirmDataKey'] = async ({ plaintextDataKey }) => {
        seen = plaintextDataKey;
        throw new Error('asked in vain');
      };
      await expect(cmm.decryptMaterials({ ...request, confirmDataKey })).rejects.toThrow('asked in vain');
      expect(seen).toEqual(new Uint8Array(32));
      await cmm.decryptMaterials({ ...request, confirmDataKey: async () => true });
      expect(under.decrypts).toHaveLength(1);
    });
  });

  it('messages of an uncached writer, of a default manager and of a caching one open alike', async () => {
    const cmm = cachingCmm({ keyring: aesKeyring(), cache: cache(), ...HOUR });
    const writers = [{ keyring: aesKeyring() }, { cmm: defaultCmm({ keyring: aesKeyring() }) }, { cmm }];
    for (const writer of writers) {
      const { ciphertext } = await encrypt(bytes(9), writer);
      for (const reader of writers) expect(await outcome(decrypt(ciphertext, reader))).toBe(bytes(9).join());
    }
  });
});
