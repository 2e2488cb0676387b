/**
 * The storm tracking cache, sentence by sentence, with timers that the test moves.
 */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { decrypt, encrypt, type StormTrackingCacheOptions, stormTrackingCache } from '../../src/index.ts';
import { settle } from '../support/caching.ts';
import { aesKeyring, bytes, failureCode } from '../support/messages.ts';
import { make, outcomes } from '../support/storms.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date', 'performance', 'setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a key that is not in the cache', () => {
  it('is fetched by one request, while the others are blocked until it appears', async () => {
    const { calls, asked, open } = make();
    const requests = await asked(5);
    expect([calls.length, outcomes(requests)]).toEqual([1, Array(5).fill('pending')]);
    await open(0);
    expect(outcomes(requests)).toEqual(Array(5).fill(1));
    expect(vi.getTimerCount()).toBe(1);
  });

  it('is fetched once more by one of those who wait when the grace interval is over', async () => {
    const { calls, asked, open, pass } = make();
    const requests = await asked(5);
    await pass(999);
    expect(calls).toHaveLength(1);
    await pass(1);
    expect(calls).toHaveLength(2);
    await pass(999);
    expect(calls).toHaveLength(2);
    await pass(1);
    expect(calls).toHaveLength(3);
    await open(1);
    expect(outcomes(requests)).toEqual(Array(5).fill(1));
  });

  it('comes from whichever call answers first; the others are aborted, and what they bring is wiped', async () => {
    const { under, calls, asked, open, pass, cache } = make();
    const requests = await asked(3);
    await pass(1000);
    expect(calls).toHaveLength(2);
    await open(1);
    expect(outcomes(requests)).toEqual([1, 1, 1]);
    expect(under.encrypts.map(({ signal }) => signal!.aborted)).toEqual([true, false]);
    await open(0);
    expect(under.dataKeys.map((key) => key.some((byte) => byte !== 0))).toEqual([true, false]);
    expect(cache.size).toBe(1);
  });

  it('comes from one of two calls that answer at the same time; the other data key is wiped', async () => {
    const { under, asked, open, pass, cache } = make();
    const requests = await asked(3);
    await pass(1000);
    await open(0, 1);
    for (let turns = 0; turns < 12; turns++) {
      cache.clear();
      const calls = under.dataKeys.length;
      const more = await asked(3);
      await pass(1000);
      const [first, second] = [under.encrypts.length - 2, under.encrypts.length - 1];
      open(first);
      await settle(turns);
      await open(second);
      expect(outcomes(more)).not.toContain('pending');
      expect(under.dataKeys.slice(calls).map((key) => key.some((byte) => byte !== 0))).toEqual([true, false]);
    }
    expect([new Set(outcomes(requests)).size, cache.size]).toEqual([1, 1]);
  });

  it('fails those who wait for others after the in-flight TTL, and not the one whose own call it is', async () => {
    const { asked, open, pass, calls } = make({ graceInterval: 10 });
    const early = await asked(2);
    await pass(4000);
    const late = await asked(1);
    await pass(5999);
    expect(outcomes([...early, ...late])).toEqual(['pending', 'pending', 'pending']);
    await pass(1);
    expect(outcomes([...early, ...late])).toEqual(['pending', 'TIMEOUT', 'pending']);
    expect(early[1]!.error!.message).toContain('inflightTtl');
    expect(early[1]!.error!.cause).toBeUndefined();
    expect(calls).toHaveLength(2); // the interval is over for the one who came later
    await open(0);
    expect(outcomes([...early, ...late])).toEqual([1, 'TIMEOUT', 1]);
  });

  it('whose call fails stays in flight: that request fails, the others wait, and one calls after the interval', async () => {
    const { calls, asked, fail, open, pass } = make();
    const requests = await asked(4);
    await pass(300);
    await fail(0);
    expect(outcomes(requests)).toEqual(['down', 'pending', 'pending', 'pending']);
    const late = await asked(1);
    expect(calls).toHaveLength(1);
    await pass(699);
    expect(calls).toHaveLength(1);
    await pass(1);
    expect(calls).toHaveLength(2);
    await open(1);
    expect(outcomes([...requests, ...late])).toEqual(['down', 1, 1, 1, 1]);
  });

  it('stays in flight also when nobody has waited; and no longer than the interval', async () => {
    const { calls, asked, fail, open, pass } = make();
    const first = await asked(1);
    await fail(0);
    const second = await asked(1);
    expect([outcomes(first), outcomes(second), calls.length]).toEqual([['down'], ['pending'], 1]);
    await pass(1000);
    expect(calls).toHaveLength(2);
    await fail(1);
    await pass(1000);
    const third = await asked(1);
    expect(calls).toHaveLength(3);
    await open(2);
    expect(outcomes(third)).toEqual([1]);
  });

  it('counts nothing of a call that has failed when the interval is over', async () => {
    const { calls, asked, fail, open, pass } = make({}, { maxMessages: 2 });
    await asked(1);
    await fail(0);
    await pass(1000);
    const requests = await asked(2);
    expect(calls).toHaveLength(2);
    await open(1);
    expect(outcomes(requests)).toEqual([1, 1]);
  });

  it('that fails again and again times out with the last failure as the cause', async () => {
    const { calls, asked, fail, pass } = make({ inflightTtl: 3 });
    const requests = await asked(10);
    for (let i = 0; i < 3; i++) {
      await fail(i, `down ${i}`);
      await pass(1000);
    }
    const codes = outcomes(requests);
    expect(codes.slice(0, 3)).toEqual(['down 0', 'down 1', 'down 2']);
    expect(new Set(codes.slice(3))).toEqual(new Set(['TIMEOUT']));
    expect((requests[5]!.error!.cause as Error).message).toBe('down 2');
    expect([calls.length, vi.getTimerCount()]).toEqual([3, 0]);
  });

  it('is no longer in flight once it has been written, although its entry has gone', async () => {
    const { calls, asked, open, cache } = make();
    await asked(1);
    await open(0);
    cache.clear();
    await asked(1);
    expect(calls).toHaveLength(2);
  });

  it('is no longer in flight when all who wanted it have gone', async () => {
    const { calls, asked, under } = make();
    for (const request of await asked(3)) request.abort();
    await settle();
    expect(under.encrypts[0]!.signal!.aborted).toBe(true);
    await asked(1);
    expect(calls).toHaveLength(2);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('lets those who wait leave at once by their own signal, whoever led', async () => {
    const { asked, open } = make();
    const requests = await asked(4);
    requests[0]!.abort();
    requests[2]!.abort();
    await settle();
    expect(outcomes(requests)).toEqual(['ABORTED', 'pending', 'ABORTED', 'pending']);
    await open(0);
    expect(outcomes(requests)).toEqual(['ABORTED', 1, 'ABORTED', 1]);
  });
});

describe('a key that is in the cache', () => {
  it('is used until its grace period begins', async () => {
    const { calls, asked, warm, pass } = make();
    await warm();
    await pass(49_999);
    expect(outcomes(await asked(3))).toEqual([1, 1, 1]);
    expect(calls).toHaveLength(1);
  });

  it('is renewed by one request in its grace period, while the others go on with it', async () => {
    const { calls, asked, warm, pass, open } = make();
    await warm();
    await pass(50_000);
    const [leader, ...others] = await asked(5);
    expect([calls.length, leader!.outcome, outcomes(others)]).toEqual([2, 'pending', [1, 1, 1, 1]]);
    await open(1);
    expect(leader!.outcome).toBe(2);
    expect(outcomes(await asked(2))).toEqual([2, 2]);
    await pass(49_999);
    expect(outcomes(await asked(2))).toEqual([2, 2]);
    expect(calls).toHaveLength(2);
  });

  it('is asked for once more by another request after each grace interval', async () => {
    const { calls, asked, warm, pass, open } = make();
    await warm();
    await pass(50_000);
    const [first] = await asked(1);
    await pass(999);
    expect(outcomes(await asked(1))).toEqual([1]);
    await pass(1);
    const [second, third] = await asked(2);
    expect([calls.length, first!.outcome, second!.outcome, third!.outcome]).toEqual([
      3,
      'pending',
      'pending',
      1,
    ]);
    await open(2);
    expect(outcomes([first!, second!])).toEqual([2, 2]);
  });

  it('is used as it is while the fan-out is reached', async () => {
    const { calls, asked, warm, pass, tenants } = make({ fanOut: 1 });
    await warm();
    await pass(50_000);
    await asked(1, 'other');
    expect(outcomes(await asked(3))).toEqual([1, 1, 1]);
    expect([calls.length, tenants]).toEqual([2, ['a', 'other']]);
  });

  it('still serves the request that was to renew it and failed; the next tries after the interval', async () => {
    const { calls, asked, warm, pass, fail, under } = make();
    await warm();
    await pass(50_000);
    const [leader] = await asked(1);
    await fail(1);
    expect(leader!.outcome).toBe(1);
    expect(outcomes(await asked(2))).toEqual([1, 1]);
    await pass(1000);
    const again = await asked(2);
    expect([calls.length, outcomes(again)]).toEqual([3, ['pending', 1]]);
    await pass(9000); // it has expired
    await fail(2);
    expect([again[0]!.outcome, under.encrypts.length]).toEqual(['down', 3]);
  });

  it('is never used beyond its time, and those who ask then wait', async () => {
    const { asked, warm, pass, open } = make();
    await warm();
    await pass(59_500);
    const [leader, other] = await asked(2);
    expect(outcomes([leader!, other!])).toEqual(['pending', 1]);
    await pass(500);
    const late = await asked(2);
    expect(outcomes(late)).toEqual(['pending', 'pending']);
    await open(1);
    expect(outcomes([leader!, ...late])).toEqual([2, 2, 2]);
  });
});

it('a forged message that waits or leads costs the others no time', async () => {
  const { cmm, under } = make();
  under.before = () => {};
  const { ciphertext } = await encrypt(bytes(9), { keyring: aesKeyring() });
  const forged = ciphertext.slice();
  forged[10]! ^= 1; // in the message id
  const work = [forged, ciphertext, ciphertext].map((message) => decrypt(message, { cmm }));
  const ended = await Promise.allSettled(work);
  expect(ended.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled']);
});

describe('options', () => {
  it.each([
    ['an interval above the period', { gracePeriod: 5, graceInterval: 6 }],
    ['an in-flight TTL above the period', { gracePeriod: 5, inflightTtl: 6 }],
    ['an in-flight TTL below the interval', { graceInterval: 5, inflightTtl: 4 }],
    ['a period of 0', { gracePeriod: 0 }],
    ['an interval of 0', { graceInterval: 0 }],
    ['a fan-out of 0', { fanOut: 0 }],
    ['an in-flight TTL of 0', { inflightTtl: 0 }],
    ['half a second', { graceInterval: 1.5 }],
    ['another unit', { timeUnits: 'minutes' }],
    ['a unit in capitals', { timeUnits: 'Seconds' }],
    ['sleepMilli, which is not needed', { sleepMilli: 20 }],
  ])('refuses %s', async (_, options) => {
    const all = { entryCapacity: 5, ...options } as StormTrackingCacheOptions;
    expect(await failureCode(() => stormTrackingCache(all))).toBe('INVALID_ARGUMENT');
  });

  it('takes times that are equal', () => {
    const options = { entryCapacity: 5, gracePeriod: 3, graceInterval: 3, inflightTtl: 3, fanOut: 1 };
    expect(stormTrackingCache(options).size).toBe(0);
  });

  it('has defaults of 10, 1 and 20, and an in-flight TTL of the grace period', async () => {
    const { calls, asked, pass, warm } = make();
    await warm('old');
    await pass(50_000);
    const tenants = Array.from({ length: 20 }, (_, i) => `tenant ${i}`);
    for (const tenant of tenants) await asked(1, tenant);
    const [blocked] = await asked(1, 'one more');
    expect([calls.length, blocked!.outcome]).toEqual([21, 'pending']);
    const [waiter] = await asked(1, 'tenant 0');
    await pass(1000);
    expect(calls).toHaveLength(22);
    const [other] = await asked(1, 'tenant 0');
    await pass(1000);
    expect([waiter!.outcome, other!.outcome, calls.length]).toEqual(['pending', 'pending', 23]);
  });

  it('has the same numbers in milliseconds', async () => {
    const { asked, pass, warm, calls } = make({ timeUnits: 'milliseconds' });
    await warm();
    await pass(59_989);
    expect(outcomes(await asked(1))).toEqual([1]);
    await pass(1);
    expect(outcomes(await asked(2))).toEqual(['pending', 1]);
    await pass(1);
    expect(outcomes(await asked(2))).toEqual(['pending', 1]);
    expect(calls).toHaveLength(3);
  });
});
