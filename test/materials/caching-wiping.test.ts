/**
 * How long entries live, and that nothing is left of them: data keys in memory are zeros when their entry has gone, and no
 * message is ever encrypted under such zeros.
 */
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  type CachingCmmOptions,
  cachingCmm,
  decrypt,
  encrypt,
  encryptStream,
  localCache,
  type MaterialsCache,
  stormTrackingCache,
} from '../../src/index.ts';
import { CacheEntry } from '../../src/materials/cache-entry.ts';
import { Usage } from '../../src/materials/cache-usage.ts';
import { DataKey } from '../../src/materials/data-key.ts';
import { settle, UNSIGNED, type Watched, watched } from '../support/caching.ts';
import { aesKeyring, bytes, failureCode } from '../support/messages.ts';
import { every, through } from '../support/streams.ts';

const ZEROS = new Uint8Array(32);
const KINDS = [
  ['local', (entryCapacity: number) => localCache({ entryCapacity })],
  ['storm tracking', (entryCapacity: number) => stormTrackingCache({ entryCapacity })],
] as const;

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

function make(cache: MaterialsCache, options: Partial<CachingCmmOptions> = {}) {
  const under = watched();
  const cmm = cachingCmm({ cmm: under.cmm, cache, maxAgeSeconds: 60, ...options });
  const seal = (tenant: string) => encrypt(bytes(3), { cmm, ...UNSIGNED, encryptionContext: { tenant } });
  return { under, cmm, cache, seal };
}

/** For each data key that has been answered, whether it is wiped. */
const wiped = ({ dataKeys }: Watched) => dataKeys.map((key) => key.join() === ZEROS.join());

/** Timers that never fire, as those of a request of a worker do that has ended. */
async function losingTimers(work: () => Promise<unknown>): Promise<void> {
  const timers = vi.spyOn(globalThis, 'setTimeout').mockReturnValue(0 as never);
  await work().finally(() => timers.mockRestore());
}

describe.each(KINDS)('an entry of a %s cache is wiped', (_, create) => {
  it('when the cache is full: the least recently used goes', async () => {
    const { under, seal, cache } = make(create(2));
    for (const tenant of ['a', 'b', 'a', 'c']) await seal(tenant);
    expect([wiped(under), cache.size]).toEqual([[false, true, false], 2]);
    await seal('a');
    expect(under.encrypts).toHaveLength(3);
    await seal('b');
    expect(wiped(under)).toEqual([false, true, true, false]);
  });

  it('at once when nothing is kept, and those who ask together share all the same', async () => {
    const { under, seal, cache } = make(create(0));
    await Promise.all([1, 2, 3].map(() => seal('a')));
    expect([under.encrypts.length, wiped(under), cache.size]).toEqual([1, [true], 0]);
    await seal('a');
    expect(under.encrypts).toHaveLength(2);
  });

  it('when it is replaced', async () => {
    const { under, seal } = make(create(9), { maxBytes: 5 });
    await seal('a');
    await seal('a');
    expect(wiped(under)).toEqual([true, false]);
  });

  it('when it is used up', async () => {
    const { under, seal, cache } = make(create(9), { maxMessages: 2 });
    await seal('a');
    expect([wiped(under), cache.size]).toEqual([[false], 1]);
    await seal('a');
    expect([wiped(under), cache.size]).toEqual([[true], 0]);
    await Promise.all([seal('a'), seal('a')]);
    expect([wiped(under), cache.size]).toEqual([[true, true], 0]);
    await Promise.all([seal('a'), seal('a'), seal('a')]);
    expect([wiped(under), cache.size]).toEqual([[true, true, true, false], 1]);
  });

  it('by clear()', async () => {
    const { under, seal, cache, cmm } = make(create(9));
    const { ciphertext } = await seal('a');
    await decrypt(ciphertext, { cmm });
    expect([wiped(under), cache.size]).toEqual([[false, false], 2]);
    cache.clear();
    expect([wiped(under), cache.size]).toEqual([[true, true], 0]);
    cache.clear();
    await seal('a');
    expect(under.encrypts).toHaveLength(2);
  });

  it('and what was in flight when it was cleared is not kept', async () => {
    const { under, seal, cache } = make(create(9));
    let open = () => {};
    under.before = () => new Promise<void>((resolve) => (open = resolve));
    const early = [seal('a'), seal('a')];
    await settle();
    cache.clear();
    const openEarly = open;
    const late = seal('a');
    await settle();
    expect(under.encrypts).toHaveLength(2);
    open();
    await late;
    expect(cache.size).toBe(1);
    openEarly();
    await Promise.all(early);
    expect([wiped(under), cache.size]).toEqual([[false, true], 1]);
  });

  it('when its time is over, without any activity, by one timer for all', async () => {
    vi.useFakeTimers();
    const { under, seal, cache, cmm } = make(create(100));
    expect(vi.getTimerCount()).toBe(0);
    const { ciphertext } = await seal('a');
    await decrypt(ciphertext, { cmm });
    vi.advanceTimersByTime(10_000);
    for (let i = 0; i < 20; i++) await seal(`tenant ${i}`);
    expect([vi.getTimerCount(), cache.size]).toEqual([1, 22]);
    vi.advanceTimersByTime(49_999);
    expect(cache.size).toBe(22);
    vi.advanceTimersByTime(1);
    expect([cache.size, vi.getTimerCount()]).toEqual([20, 1]);
    expect(wiped(under).slice(0, 3)).toEqual([true, true, false]);
    vi.advanceTimersByTime(10_000);
    expect([cache.size, vi.getTimerCount()]).toEqual([0, 0]);
    expect(wiped(under)).not.toContain(false);
  });

  it('by its own time where managers differ', async () => {
    vi.useFakeTimers();
    const cache = create(100);
    const [long, short] = [make(cache, { maxAgeSeconds: 100 }), make(cache, { maxAgeSeconds: 1 })];
    await long.seal('a');
    await short.seal('a');
    vi.advanceTimersByTime(1_000);
    expect([wiped(long.under), wiped(short.under), vi.getTimerCount()]).toEqual([[false], [true], 1]);
    vi.advanceTimersByTime(99_000);
    expect([cache.size, vi.getTimerCount()]).toEqual([0, 0]);
    await long.seal('a');
    expect(vi.getTimerCount()).toBe(1);
    cache.clear();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('when its timer was lost: at the next use, which sets another one', async () => {
    vi.useFakeTimers();
    const cache = create(100);
    const [long, short] = [make(cache, { maxAgeSeconds: 100 }), make(cache, { maxAgeSeconds: 10 })];
    await losingTimers(() => long.seal('a'));
    await losingTimers(() => short.seal('a'));
    vi.advanceTimersByTime(9_999);
    await long.seal('a');
    expect([cache.size, vi.getTimerCount()]).toEqual([2, 0]); // nothing is overdue
    vi.advanceTimersByTime(1);
    await long.seal('a'); // a hit
    expect([wiped(long.under), wiped(short.under), vi.getTimerCount()]).toEqual([[false], [true], 1]);
    vi.advanceTimersByTime(90_000);
    expect([wiped(long.under), vi.getTimerCount()]).toEqual([[true], 0]);
  });

  it('when its timer was lost while the next one was fetched', async () => {
    vi.useFakeTimers();
    const { under, seal, cache } = make(create(9));
    await losingTimers(() => seal('a'));
    under.before = () => void vi.advanceTimersByTime(60_000);
    await seal('b');
    expect([wiped(under), cache.size, vi.getTimerCount()]).toEqual([[true, false], 1, 1]);
  });

  it('after longer than a timer runs', async () => {
    vi.useFakeTimers();
    const { under, seal, cache } = make(create(9), { maxAgeSeconds: 5_000_000 }); // 2^31 ms are 24.8 days
    await seal('a');
    vi.advanceTimersByTime(2 ** 31);
    expect([cache.size, vi.getTimerCount()]).toEqual([1, 1]);
    vi.advanceTimersByTime(5_000_000_000 - 2 ** 31 - 1);
    expect(cache.size).toBe(1);
    vi.advanceTimersByTime(1);
    expect([cache.size, wiped(under)]).toEqual([0, [true]]);
  });

  it('with a timer that keeps no process alive, and none when there is nothing to wipe', async () => {
    const timers: NodeJS.Timeout[] = [];
    const real = setTimeout;
    vi.spyOn(globalThis, 'setTimeout').mockImplementation(((...call: Parameters<typeof setTimeout>) => {
      const timer = real(...call);
      if (call[1]! >= 1000) timers.push(timer); // others only give way to others
      return timer;
    }) as never);
    const { seal, cache } = make(create(5));
    expect(timers).toHaveLength(0);
    for (const tenant of ['a', 'b']) await seal(tenant);
    expect(new Set(timers.map((timer) => timer.hasRef()))).toEqual(new Set([false]));
    cache.clear();
  });
});

describe('the age of an entry', () => {
  const clocks = () => {
    const now = { wall: 1_000_000, mono: 500 };
    vi.spyOn(Date, 'now').mockImplementation(() => now.wall);
    vi.spyOn(performance, 'now').mockImplementation(() => now.mono);
    return now;
  };
  const step = { wall: 0, mono: 0 };

  it.each([
    ['both clocks say so', { wall: 60_000, mono: 60_000 }, 2],
    ['neither does', { wall: 59_998, mono: 59_998 }, 1],
    ['the wall clock says so: the machine was suspended', { ...step, wall: 60_000 }, 2],
    ['the other says so: the wall clock was set back', { ...step, mono: 60_000 }, 2],
    ['the wall clock is before it was made', { ...step, wall: -1 }, 2],
  ])('is over when %s', async (_, by, calls) => {
    const times = { gracePeriod: 1, timeUnits: 'milliseconds' } as const;
    for (const cache of [
      localCache({ entryCapacity: 5 }),
      stormTrackingCache({ entryCapacity: 5, ...times }),
    ]) {
      const now = clocks();
      const { under, seal } = make(cache);
      await seal('a');
      now.wall += by.wall;
      now.mono += by.mono;
      await seal('a');
      expect(under.encrypts).toHaveLength(calls);
      cache.clear();
    }
  });

  it('is looked at in the 10 least recently used at each request', async () => {
    const now = clocks();
    const { under, seal, cache } = make(localCache({ entryCapacity: 100 }));
    for (let i = 0; i < 30; i++) await seal(`${i}`);
    now.wall += 60_000; // no timer is due: the machine was suspended
    await seal('new');
    expect(cache.size).toBe(21);
    expect(wiped(under).lastIndexOf(true)).toBe(9);
    await seal('25'); // expired, and not among those: it is met
    expect([under.encrypts.length, wiped(under)[25]]).toEqual([32, true]);
    expect(cache.size).toBe(11);
    cache.clear();
  });
});

describe('localCache', () => {
  it.each([undefined, -1, 1.5, 1_000_001, '5', Number.NaN])(
    'refuses a capacity of %s',
    async (entryCapacity) => {
      expect(await failureCode(() => localCache({ entryCapacity } as never))).toBe('INVALID_ARGUMENT');
      expect(await failureCode(() => stormTrackingCache({ entryCapacity } as never))).toBe(
        'INVALID_ARGUMENT',
      );
    },
  );

  it('takes 1,000,000, and no name that it does not know', async () => {
    expect(localCache({ entryCapacity: 1_000_000 }).size).toBe(0);
    expect(await failureCode(() => localCache({ entryCapacity: 5, ttl: 5 } as never))).toBe(
      'INVALID_ARGUMENT',
    );
  });
});

describe('nobody encrypts under a wiped key', () => {
  it('an entry that has been wiped serves no more, whatever its bytes', () => {
    const answer = {
      materials: {} as never,
      handOut: (key: Uint8Array) => key as never,
      single: false,
      provisional: false,
    };
    const entry = new CacheEntry('k', { ...answer, dataKey: new DataKey(bytes(32)) }, 1000, new Usage());
    expect(entry.take()).toEqual(bytes(32));
    entry.wipe();
    expect(() => entry.take()).toThrow('wiped');
    entry.wipe();
  });

  const ACTIONS = ['clear', 'expire', 'evict', 'abort'] as const;

  it.each(ACTIONS)('%s at every await, while 100 messages share entries', async (action) => {
    vi.useFakeTimers({ toFake: ['Date', 'performance', 'setTimeout', 'clearTimeout'] });
    const keyring = aesKeyring();
    for (let at = 0; at < 40; at++) {
      const cache = KINDS[(at >> 1) % 2]![1](2);
      const under = watched(keyring);
      under.before = () => settle(at % 7);
      const cmm = cachingCmm({ cmm: under.cmm, cache, maxAgeSeconds: 0.5, maxMessages: 60 });
      const controller = new AbortController();
      const aborted = { ...UNSIGNED, signal: controller.signal };
      const work = Array.from({ length: 100 }, (_, i) =>
        settle(i % 5).then(() => encrypt(bytes(9, i), { cmm, ...(i % 3 === 0 ? aborted : UNSIGNED) })),
      );
      const outcomes = Promise.allSettled(work);
      await settle(at);
      if (action === 'clear') cache.clear();
      if (action === 'expire') vi.advanceTimersByTime(500);
      if (action === 'abort') controller.abort();
      if (action === 'evict') {
        const others = ['a', 'b'].map((tenant) => ({ cmm, encryptionContext: { tenant }, ...UNSIGNED }));
        for (const other of others) await encrypt(bytes(1), other);
      }
      const ended = await outcomes;
      const done = ended.flatMap((one, i) => (one.status === 'fulfilled' ? [[i, one.value] as const] : []));
      expect(done.length).toBeGreaterThanOrEqual(action === 'abort' ? 66 : 100);
      const opened = done.map(async ([i, { ciphertext }]) => {
        const { plaintext } = await decrypt(ciphertext, { keyring });
        return plaintext.join() === bytes(9, i).join();
      });
      expect(await Promise.all(opened)).not.toContain(false);
      cache.clear();
      expect(wiped(under)).not.toContain(false);
    }
  });

  it('nor does a stream whose entry goes while it is written, or opens under one while it is read', async () => {
    const keyring = aesKeyring();
    const cache = localCache({ entryCapacity: 9 });
    const cmm = cachingCmm({ keyring, cache, maxAgeSeconds: 60 });
    const clearing = function* (data: Uint8Array) {
      for (const piece of every(5000)(data)) {
        cache.clear();
        yield piece;
      }
    };
    for (const options of [UNSIGNED, {}]) {
      const written = await through(encryptStream({ cmm, ...options }), clearing(bytes(50_000)));
      expect((await decrypt(written.bytes, { keyring })).plaintext).toEqual(bytes(50_000));
    }
  });

  it('decrypts 100 messages at once while entries go', async () => {
    const keyring = aesKeyring();
    const cache = localCache({ entryCapacity: 1 });
    const cmm = cachingCmm({ keyring, cache, maxAgeSeconds: 60 });
    const messages = await Promise.all(
      Array.from({ length: 100 }, (_, i) =>
        encrypt(bytes(20, i), { keyring, ...UNSIGNED, encryptionContext: { n: String(i % 3) } }),
      ),
    );
    const work = [...messages, ...messages].map(({ ciphertext }) => decrypt(ciphertext, { cmm }));
    for (let i = 0; i < 30; i++) {
      await null;
      cache.clear();
    }
    for (const [i, { plaintext }] of (await Promise.all(work)).entries())
      expect(plaintext).toEqual(bytes(20, i % 100));
  });
});
