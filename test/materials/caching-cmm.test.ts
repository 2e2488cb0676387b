/**
 * The caching manager: what it keeps, for how long and for how many messages, and what it refuses.
 */
import { describe, expect, it, vi } from 'vitest';
import {
  algorithmSuite,
  type CachingCmmOptions,
  type CryptographicMaterialsManager,
  cachingCmm,
  decrypt,
  decryptRange,
  decryptStream,
  encrypt,
  encryptStream,
  localCache,
  type MaterialsCache,
  stormTrackingCache,
} from '../../src/index.ts';
import { dataKeysOf, encryptMany, gate, openMany, settle, UNSIGNED, watched } from '../support/caching.ts';
import { aesKeyring, bytes, failureCode } from '../support/messages.ts';
import { every, through } from '../support/streams.ts';

const HOUR = { maxAgeSeconds: 3600 };
const KINDS = [
  ['local', () => localCache({ entryCapacity: 1000 })],
  ['storm tracking', () => stormTrackingCache({ entryCapacity: 1000 })],
] as const;

describe.each(KINDS)('with a %s cache', (_, cache) => {
  it('asks once for many messages, and once to open them', async () => {
    const under = watched();
    const cmm = cachingCmm({ cmm: under.cmm, cache: cache(), ...HOUR });
    const encryptionContext = { tenant: 'a' };
    for (const options of [{}, UNSIGNED]) {
      under.encrypts.length = under.decrypts.length = 0;
      for (let i = 0; i < 5; i++) {
        const { ciphertext } = await encrypt(bytes(100 + i), { cmm, encryptionContext, ...options });
        const opened = await decrypt(ciphertext, { cmm, encryptionContext });
        expect(opened.plaintext).toEqual(bytes(100 + i));
        expect({ ...opened.authenticatedContext }).toMatchObject(encryptionContext);
        expect((await decrypt(ciphertext, { keyring: aesKeyring() })).plaintext).toEqual(bytes(100 + i));
        const range = { start: 10, end: 20, allowUnverifiedSignature: true };
        const middle = await decryptRange(new Blob([ciphertext]), { cmm, ...range });
        expect(middle.plaintext).toEqual(bytes(100 + i).slice(10, 20));
      }
      expect([under.encrypts.length, under.decrypts.length]).toEqual([1, 2]); // with and without the context
    }
  });

  it('gives every message an id, and so derived keys, of its own', async () => {
    const cmm = cachingCmm({ keyring: aesKeyring(), cache: cache(), ...HOUR });
    const headers = await Promise.all(
      Array.from({ length: 50 }, async () => (await encrypt(bytes(1), { cmm, ...UNSIGNED })).header),
    );
    expect(new Set(headers.map(({ messageId }) => messageId.join())).size).toBe(50);
    expect(
      new Set(headers.map(({ encryptedDataKeys }) => encryptedDataKeys[0]!.ciphertext.join())).size,
    ).toBe(1);
  });

  it('serves one shot and streams from one entry', async () => {
    const under = watched();
    const cmm = cachingCmm({ cmm: under.cmm, cache: cache(), ...HOUR });
    const first = await encrypt(bytes(9000), { cmm });
    const streamed = await through(encryptStream({ cmm }), every(1000)(bytes(9000, 2)));
    const again = await encrypt(bytes(9000, 3), { cmm });
    expect(dataKeysOf([first.ciphertext, streamed.bytes, again.ciphertext])).toBe(1);
    expect(under.encrypts).toHaveLength(1);
    expect(under.encrypts[0]).toMatchObject({ streamed: true, reusable: true });
    for (const [message, seed] of [
      [first.ciphertext, 1],
      [streamed.bytes, 2],
      [again.ciphertext, 3],
    ] as const) {
      const opened = await through(decryptStream({ cmm }), every(777)(message));
      expect(opened.bytes).toEqual(bytes(9000, seed));
    }
    expect(under.decrypts).toHaveLength(1);
  });

  it('passes on nothing of the message that leads: not its random bytes, its length or its signal', async () => {
    const under = watched();
    const cmm = cachingCmm({ cmm: under.cmm, cache: cache(), ...HOUR });
    const { signal } = new AbortController();
    const { ciphertext } = await encrypt(bytes(10), { cmm, signal });
    await decrypt(ciphertext, { cmm, signal });
    const [asked] = under.encrypts;
    expect(Object.keys(asked!).sort()).toEqual([
      'commitmentPolicy',
      'encryptionContext',
      'reusable',
      'signal',
      'streamed',
    ]);
    expect(asked!.signal).toBeInstanceOf(AbortSignal);
    expect([asked!.signal, under.decrypts[0]!.signal]).not.toContain(signal);
  });

  it('draws the random bytes of each message inside its own encrypt', async () => {
    const cmm = cachingCmm({ keyring: aesKeyring(), cache: cache(), ...HOUR });
    await encrypt(bytes(1), { cmm, ...UNSIGNED });
    const spy = vi.spyOn(globalThis.crypto, 'getRandomValues');
    for (let i = 1; i < 4; i++) {
      await encrypt(bytes(1), { cmm, ...UNSIGNED });
      expect(spy).toHaveBeenCalledTimes(i);
    }
    spy.mockRestore();
  });

  it('tells contexts, suites and policies apart', async () => {
    const under = watched();
    const cmm = cachingCmm({ cmm: under.cmm, cache: cache(), ...HOUR });
    const forbid = 'FORBID_ENCRYPT_ALLOW_DECRYPT' as const;
    const requests = [
      {},
      UNSIGNED,
      { algorithmSuite: 0x0578 },
      { encryptionContext: { a: 'b' } },
      { encryptionContext: { a: 'c' } },
      { encryptionContext: { b: 'a' } },
      { commitmentPolicy: forbid },
      { commitmentPolicy: forbid, algorithmSuite: 0x0178 },
    ];
    for (const [i, request] of requests.entries()) {
      await encrypt(bytes(1), { cmm, ...request });
      await encrypt(bytes(1), { cmm, ...request });
      expect(under.encrypts).toHaveLength(i + 1);
    }
  });

  describe('suites without key derivation', () => {
    const options = { algorithmSuite: 0x0078, commitmentPolicy: 'FORBID_ENCRYPT_ALLOW_DECRYPT' } as const;

    it('are neither cached nor shared: 100 at once have 100 data keys', async () => {
      const under = watched();
      const cmm = cachingCmm({ cmm: under.cmm, cache: cache(), ...HOUR });
      const hold = gate();
      under.before = () => hold.opened;
      const work = encryptMany(100, 20, { cmm, ...options });
      await settle();
      expect(under.encrypts).toHaveLength(100); // nobody waits for another
      hold.open();
      const messages = await work;
      expect(dataKeysOf(messages)).toBe(100);
      expect(new Set(under.drawn).size).toBe(100);
      await openMany(messages, 20);
      for (let i = 0; i < 2; i++)
        await decrypt(messages[0]!, { cmm, commitmentPolicy: options.commitmentPolicy });
      expect(under.decrypts).toHaveLength(2);
    });

    it('are so too when the manager below chooses one: 100 at once have 100 data keys', async () => {
      const under = watched();
      const choosing: CryptographicMaterialsManager = {
        getEncryptionMaterials: (request) =>
          under.cmm.getEncryptionMaterials({ ...request, algorithmSuite: algorithmSuite(0x0078) }),
        decryptMaterials: (request) => under.cmm.decryptMaterials(request),
      };
      const kept = cache();
      const cmm = cachingCmm({ cmm: choosing, cache: kept, ...HOUR });
      const { commitmentPolicy } = options;
      const work = Array.from({ length: 100 }, (_, i) => encrypt(bytes(20, i), { cmm, commitmentPolicy }));
      const messages = (await Promise.all(work)).map(({ ciphertext }) => ciphertext);
      expect([dataKeysOf(messages), new Set(under.drawn).size]).toEqual([100, 100]);
      expect(kept.size).toBe(0);
      await openMany(messages, 20);
    });
  });
});

describe('what one data key may encrypt', () => {
  const make = (options: Partial<CachingCmmOptions>, cache: MaterialsCache) => {
    const under = watched();
    return { under, cmm: cachingCmm({ cmm: under.cmm, cache, ...HOUR, ...options }) };
  };

  describe.each(KINDS)('with a %s cache', (_, cache) => {
    it('is maxMessages messages, one after another, and no more', async () => {
      const { under, cmm } = make({ maxMessages: 3 }, cache());
      const calls: number[] = [];
      for (let i = 0; i < 7; i++) {
        await encrypt(bytes(5), { cmm, ...UNSIGNED });
        calls.push(under.encrypts.length);
      }
      expect(calls).toEqual([1, 1, 1, 2, 2, 2, 3]);
    });

    it.each([
      [3, 10, 4],
      [100, 100, 1],
      [99, 100, 2],
      [1, 7, 7],
    ])('maxMessages %i: %i at once take %i data keys', async (maxMessages, count, keys) => {
      const { under, cmm } = make({ maxMessages }, cache());
      const messages = await encryptMany(count, 8, { cmm });
      expect([dataKeysOf(messages), under.encrypts.length]).toEqual([keys, keys]);
      await openMany(messages, 8);
    });

    it('those beyond the limit ask at once, side by side', async () => {
      const { under, cmm } = make({ maxMessages: 2 }, cache());
      const open: (() => void)[] = [];
      under.before = () => new Promise<void>((resolve) => open.push(resolve));
      const work = encryptMany(6, 8, { cmm });
      await settle();
      expect(under.encrypts).toHaveLength(3);
      for (const each of open.reverse()) each();
      expect(dataKeysOf(await work)).toBe(3);
    });

    it('is maxBytes bytes exactly', async () => {
      for (const maxBytes of [30, 30n]) {
        const { under, cmm } = make({ maxBytes }, cache());
        for (const length of [10, 10, 10]) await encrypt(bytes(length), { cmm, ...UNSIGNED });
        expect(under.encrypts).toHaveLength(1);
        await encrypt(bytes(0), { cmm, ...UNSIGNED });
        expect(under.encrypts).toHaveLength(2);
        await encrypt(bytes(30), { cmm, ...UNSIGNED });
        expect(under.encrypts).toHaveLength(2);
        for (const length of [29, 1]) await encrypt(bytes(length), { cmm, ...UNSIGNED });
        expect(under.encrypts).toHaveLength(3);
        for (const length of [29, 2]) await encrypt(bytes(length), { cmm, ...UNSIGNED });
        expect(under.encrypts).toHaveLength(5);
      }
    });

    it('counts bytes of those who wait for one miss', async () => {
      const { cmm } = make({ maxBytes: 100 }, cache());
      expect(dataKeysOf(await encryptMany(10, 10, { cmm }))).toBe(1);
      const other = make({ maxBytes: 99 }, cache());
      expect(dataKeysOf(await encryptMany(10, 10, { cmm: other.cmm }))).toBe(2);
    });

    it('a message longer than maxBytes has a data key of its own, and leaves the entry as it is', async () => {
      const kept = cache();
      const { under, cmm } = make({ maxBytes: 30 }, kept);
      const small = await encrypt(bytes(10), { cmm, ...UNSIGNED });
      const large = await encrypt(bytes(31), { cmm, ...UNSIGNED });
      const again = await encrypt(bytes(20), { cmm, ...UNSIGNED });
      expect(dataKeysOf([small.ciphertext, large.ciphertext, again.ciphertext])).toBe(2);
      expect(dataKeysOf([small.ciphertext, again.ciphertext])).toBe(1);
      expect([under.encrypts.length, under.encrypts[1]!.reusable]).toEqual([2, undefined]);
    });

    it('counts a stream by its plaintextLength', async () => {
      const { under, cmm } = make({ maxBytes: 100 }, cache());
      const options = { cmm, ...UNSIGNED, plaintextLength: 50 };
      for (const calls of [1, 1, 2]) {
        await through(encryptStream(options), [bytes(3)]);
        expect(under.encrypts).toHaveLength(calls);
      }
    });

    it('counts a stream of unknown length as it goes, and retires the entry at the bound', async () => {
      const kept = cache();
      const { under, cmm } = make({ maxBytes: 100 }, kept);
      const options = { cmm, ...UNSIGNED, frameLength: 10 };
      const run = async (length: number) => {
        const { bytes: message } = await through(encryptStream(options), every(10)(bytes(length)));
        expect((await decrypt(message, { keyring: aesKeyring() })).plaintext).toEqual(bytes(length));
        return [under.encrypts.length, kept.size];
      };
      expect(await run(60)).toEqual([1, 1]);
      expect(await run(39)).toEqual([1, 1]);
      expect(await run(1)).toEqual([1, 0]); // exactly 100
      expect(await run(99)).toEqual([2, 1]);
      expect(await run(50)).toEqual([2, 0]); // goes on beyond it, and no other begins
      expect(await run(500)).toEqual([3, 0]);
      expect(await run(0)).toEqual([4, 1]);
    });

    it('counts messages that fail and messages that are aborted', async () => {
      const { under, cmm } = make({ maxMessages: 3 }, cache());
      await encrypt(bytes(5), { cmm, ...UNSIGNED });
      const onProgress = () => {
        throw new Error('no');
      };
      await expect(encrypt(bytes(5), { cmm, ...UNSIGNED, onProgress })).rejects.toThrow('no');
      const controller = new AbortController();
      const stream = encryptStream({ cmm, ...UNSIGNED, signal: controller.signal });
      const writer = stream.writable.getWriter();
      writer.write(bytes(1)).catch(() => {});
      await stream.header;
      controller.abort();
      await expect(stream.result).rejects.toThrow();
      await writer.closed.catch(() => {});
      expect(under.encrypts).toHaveLength(1);
      await encrypt(bytes(5), { cmm, ...UNSIGNED });
      expect(under.encrypts).toHaveLength(2);
    });

    it('counts who is aborted while it waits for a miss', async () => {
      const { under, cmm } = make({ maxMessages: 2 }, cache());
      let open = () => {};
      under.before = () => new Promise<void>((resolve) => (open = resolve));
      const controller = new AbortController();
      const first = encrypt(bytes(5), { cmm, ...UNSIGNED });
      const gone = failureCode(encrypt(bytes(5), { cmm, ...UNSIGNED, signal: controller.signal }));
      await settle();
      controller.abort();
      expect(await gone).toBe('ABORTED');
      under.before = () => {};
      await encrypt(bytes(5), { cmm, ...UNSIGNED });
      expect(under.encrypts).toHaveLength(2);
      open();
      await first;
    });
  });

  it.each([
    ['no age', { maxAgeSeconds: undefined }],
    ['an age of 0', { maxAgeSeconds: 0 }],
    ['an age below 0', { maxAgeSeconds: -1 }],
    ['an age without end', { maxAgeSeconds: Number.POSITIVE_INFINITY }],
    ['no messages', { maxMessages: 0 }],
    ['half a message', { maxMessages: 1.5 }],
    ['more than 2^32 messages', { maxMessages: 2 ** 32 + 1 }],
    ['bytes below 0', { maxBytes: -1 }],
    ['bytes below 0, big', { maxBytes: -1n }],
    ['half a byte', { maxBytes: 0.5 }],
    ['more than 2^63 - 1 bytes', { maxBytes: 2n ** 63n }],
    ['an inexact number of bytes', { maxBytes: 2 ** 60 }],
    ['an empty partition', { partitionId: '' }],
    ['a partition with U+0000', { partitionId: 'a\0b' }],
    ['a partition that is no text', { partitionId: 5 }],
    ['a partition with half a surrogate pair', { partitionId: '\ud800' }],
    ['an unknown option', { maxAge: 5 }],
    ['a cache of its own', { cache: { size: 0, clear() {}, get() {}, put() {} } }],
    ['a cache that looks like ours', { cache: Object.create(localCache({ entryCapacity: 5 })) }],
    ['both a keyring and a manager', { cmm: cachingCmm({ keyring: aesKeyring(), ...HOUR }) }],
    ['neither', { keyring: undefined }],
    ['a keyring that is none', { keyring: {} }],
    ['a manager that is none', { keyring: undefined, cmm: {} }],
  ])('refuses %s', async (_, change) => {
    const options = { keyring: aesKeyring(), ...HOUR, ...change } as unknown as CachingCmmOptions;
    expect(await failureCode(() => cachingCmm(options))).toBe('INVALID_ARGUMENT');
  });

  it('takes the largest limits, and the smallest', async () => {
    for (const limits of [
      { maxMessages: 2 ** 32, maxBytes: 2n ** 63n - 1n },
      { maxMessages: 1, maxBytes: 0 },
    ]) {
      const cmm = cachingCmm({ keyring: aesKeyring(), ...HOUR, ...limits, maxAgeSeconds: 1e-3 });
      await openMany(await encryptMany(3, 4, { cmm }), 4);
      await openMany(await encryptMany(3, 0, { cmm }), 0);
    }
  });
});
