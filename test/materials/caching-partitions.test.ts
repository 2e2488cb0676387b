/**
 * Managers that share a partition share limits too: the strictest of those who use a data key hold for all.
 */
import { describe, expect, it, vi } from 'vitest';
import { cachingCmm, encrypt, localCache, stormTrackingCache } from '../../src/index.ts';
import { UNSIGNED, watched } from '../support/caching.ts';
import { bytes } from '../support/messages.ts';

const KINDS = [
  ['local', () => localCache({ entryCapacity: 10 })],
  ['storm tracking', () => stormTrackingCache({ entryCapacity: 10 })],
] as const;

describe.each(KINDS)('one partition of a %s cache', (_, make) => {
  function managers(strict: { maxMessages?: number; maxBytes?: number }) {
    const under = watched();
    const shared = { cmm: under.cmm, cache: make(), partitionId: 'team', maxAgeSeconds: 3600 };
    return { under, strict: cachingCmm({ ...shared, ...strict }), lax: cachingCmm(shared) };
  }

  it('at the same time: those without limits do not join beyond those of the first', async () => {
    const { under, strict, lax } = managers({ maxMessages: 2 });
    const calls = [strict, ...Array.from({ length: 9 }, () => lax)];
    await Promise.all(calls.map((cmm) => encrypt(bytes(1), { cmm, ...UNSIGNED })));
    const first = under.drawn[0];
    expect(under.drawn.length).toBeGreaterThan(1);
    expect(under.drawn.filter((key) => key === first)).toHaveLength(1);
  });

  it('one after the other: messages', async () => {
    const { under, strict, lax } = managers({ maxMessages: 2 });
    for (const cmm of [lax, strict, lax]) await encrypt(bytes(1), { cmm, ...UNSIGNED });
    expect(under.encrypts).toHaveLength(2);
  });

  it('one after the other: bytes', async () => {
    const { under, strict, lax } = managers({ maxBytes: 10 });
    for (const [cmm, length] of [
      [strict, 5],
      [lax, 5],
      [lax, 1],
    ] as const)
      await encrypt(bytes(length), { cmm, ...UNSIGNED });
    expect(under.encrypts).toHaveLength(2);
    await encrypt(bytes(100), { cmm: lax, ...UNSIGNED });
    expect(under.encrypts).toHaveLength(2);
  });
});

describe('a call whose request has been dropped', () => {
  it('is made again by one that waits for it, and not waited for without end', async () => {
    vi.useFakeTimers();
    try {
      const under = watched();
      const cmm = cachingCmm({ cmm: under.cmm, maxAgeSeconds: 3600 });
      under.before = () => new Promise(() => {}); // nobody will ever hear of it
      void encrypt(bytes(1), { cmm, ...UNSIGNED });
      await vi.advanceTimersByTimeAsync(1);
      const waiting = encrypt(bytes(1), { cmm, ...UNSIGNED });
      await vi.advanceTimersByTimeAsync(10_000);
      under.before = () => {};
      expect(under.encrypts).toHaveLength(1);
      await vi.advanceTimersByTimeAsync(10_001);
      expect((await waiting).header.version).toBe(2);
      expect(under.encrypts).toHaveLength(2);
    } finally {
      vi.useRealTimers();
    }
  });
});
