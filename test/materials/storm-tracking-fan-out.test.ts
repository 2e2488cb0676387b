/**
 * The fan-out of the storm tracking cache: how many keys have calls out at once, and whose turn is next.
 */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { encrypt } from '../../src/index.ts';
import { settle, UNSIGNED } from '../support/caching.ts';
import { bytes } from '../support/messages.ts';
import { make, outcomes } from '../support/storms.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date', 'performance', 'setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('the fan-out', () => {
  it('blocks other keys until a place is free, first come, first served', async () => {
    const { asked, open, tenants } = make({ fanOut: 2 });
    const all = [];
    for (const tenant of ['a', 'b', 'c', 'd', 'c', 'b']) all.push(...(await asked(1, tenant)));
    expect(tenants).toEqual(['a', 'b']);
    await open(1);
    expect(tenants).toEqual(['a', 'b', 'c']);
    expect(outcomes(all)).toEqual(['pending', 1, 'pending', 'pending', 'pending', 1]);
    await open(0);
    expect(tenants).toEqual(['a', 'b', 'c', 'd']);
    await open(2, 3);
    expect(outcomes(all)).not.toContain('pending');
    expect([tenants.length, vi.getTimerCount()]).toEqual([4, 1]);
  });

  it('never has more calls out, and all are served in the end', async () => {
    const { cmm, under } = make({ fanOut: 3 });
    let out = 0;
    let most = 0;
    under.before = async () => {
      most = Math.max(most, ++out);
      await settle(5);
      out--;
    };
    const work = Array.from({ length: 120 }, (_, i) =>
      encrypt(bytes(1), { cmm, ...UNSIGNED, encryptionContext: { n: String(i % 60) } }),
    );
    await Promise.all(work);
    expect([most, under.encrypts.length]).toEqual([3, 60]);
  });

  it('lets those who are blocked leave by their own signal, and passes their place on', async () => {
    const { asked, open, tenants } = make({ fanOut: 1 });
    await asked(1, 'a');
    const [b] = await asked(1, 'b');
    const [c] = await asked(1, 'c');
    const [d] = await asked(1, 'd');
    b!.abort();
    await settle();
    expect(b!.outcome).toBe('ABORTED');
    c!.abort();
    await open(0);
    expect([c!.outcome, tenants]).toEqual(['ABORTED', ['a', 'd']]);
    await open(1);
    expect(d!.outcome).toBe(2);
    expect(vi.getTimerCount()).toBe(1);
  });

  it('passes a place on whose request aborts while it is called, or soon after', async () => {
    const seen = new Set<string>();
    for (let turns = 0; turns < 20; turns++) {
      const { asked, tenants } = make({ fanOut: 1 });
      const [a] = await asked(1, 'a');
      const [b] = await asked(1, 'b');
      const [c] = await asked(1, 'c');
      a!.abort();
      await settle(turns);
      b!.abort();
      await settle(120);
      expect(outcomes([a!, b!, c!])).toEqual(['ABORTED', 'ABORTED', 'pending']);
      expect(tenants.at(-1)).toBe('c');
      seen.add(tenants.join());
    }
    expect([...seen].sort()).toEqual(['a,b,c', 'a,c']);
  });

  it('no longer counts a call that is out for the in-flight TTL', async () => {
    const { asked, pass, tenants } = make({ fanOut: 1 });
    await asked(1, 'a');
    await asked(1, 'b');
    await pass(9_999);
    expect(tenants).toEqual(['a']);
    await pass(1);
    expect(tenants).toEqual(['a', 'b']);
  });

  it('does not count a key whose call has failed and for which nobody waits', async () => {
    const { asked, fail, tenants } = make({ fanOut: 1 });
    await asked(1, 'a');
    await asked(1, 'b');
    await fail(0);
    expect(tenants).toEqual(['a', 'b']);
  });

  it('is free again after clear()', async () => {
    const { asked, cache, open, tenants } = make({ fanOut: 1 });
    const [a] = await asked(1, 'a');
    const [b] = await asked(1, 'b');
    cache.clear();
    await settle();
    expect(tenants).toEqual(['a', 'b']);
    await open(0, 1);
    expect([a!.outcome, b!.outcome, cache.size]).toEqual([1, 2, 1]);
  });
});
