import { describe, expect, it } from 'vitest';
import { type BenchCase, type Harness, inRounds, runCase, shuffled } from '../../src/bench/index.ts';

const OPTIONS = { rounds: 4, maxTime: 1, minSamples: 1, warmUp: 0 };

/** Notes who is timed, and answers with what it is given. */
function recorder(times: Record<string, number>) {
  const order: string[] = [];
  const harness: Harness = {
    name: 'recorder',
    async time(call) {
      const name = (await call()) as string;
      order.push(name);
      return times[name]! + order.length / 100;
    },
  };
  return { harness, order };
}

const candidates = { a: () => 'a', b: async () => 'b', c: () => 'c' };

describe('rounds', () => {
  it('have every candidate once, and keep a sample of each', async () => {
    const { harness, order } = recorder({ a: 10, b: 20, c: 30 });
    const summaries = await inRounds(candidates, { ...OPTIONS, harness });
    expect(order.length).toBe(12);
    for (let round = 0; round < 4; round++)
      expect(order.slice(3 * round, 3 * round + 3).sort()).toEqual(['a', 'b', 'c']);
    expect(Object.keys(summaries)).toEqual(['a', 'b', 'c']);
    for (const [name, least] of [
      ['a', 10],
      ['b', 20],
      ['c', 30],
    ] as const) {
      expect(summaries[name]!.samples.length).toBe(4);
      for (const sample of summaries[name]!.samples) expect(Math.floor(sample)).toBe(least);
    }
  });

  it('are in different orders', async () => {
    const { harness, order } = recorder({ a: 10, b: 20, c: 30 });
    await inRounds(candidates, { ...OPTIONS, rounds: 100, harness });
    const orders = new Set(Array.from({ length: 100 }, (_, i) => order.slice(3 * i, 3 * i + 3).join('')));
    expect(orders.size).toBe(6);
  });

  it('begin when each has run at least once', async () => {
    const log: string[] = [];
    const calls = { a: () => void log.push('run a'), b: () => void log.push('run b') };
    const harness: Harness = { name: 'none', time: async () => log.push('time') };
    await inRounds(calls, { ...OPTIONS, rounds: 1, harness });
    expect(log).toEqual(['run a', 'run b', 'time', 'time']);
  });
});

describe('a shuffled list', () => {
  it('has the same items, and leaves the old one alone', () => {
    const items = Object.freeze([1, 2, 3, 4, 5]);
    for (let i = 0; i < 50; i++) expect([...shuffled(items)].sort()).toEqual([1, 2, 3, 4, 5]);
  });

  it('has each item at each place', () => {
    const seen = new Set<string>();
    for (let i = 0; i < 500; i++) shuffled(['a', 'b', 'c']).forEach((item, at) => void seen.add(item + at));
    expect(seen.size).toBe(9);
  });
});

describe('a case', () => {
  const about = { group: 'g', name: 'n', parameters: { bytes: 5 }, bytes: 5 };

  it('becomes a row', async () => {
    const { harness } = recorder({ a: 10, b: 20, c: 30 });
    const one: BenchCase = { ...about, timing: { rounds: 2 }, prepare: async () => candidates };
    const row = await runCase(one, { ...OPTIONS, harness });
    expect(row).toMatchObject(about);
    expect(Object.keys(row)).not.toContain('prepare');
    expect(row.candidates.b!.samples.length).toBe(2);
    expect(row.failed).toBeUndefined();
  });

  it('whose preparation fails is not timed, and says why', async () => {
    const { harness, order } = recorder({});
    const prepare = () => Promise.reject(new Error('they disagree'));
    const row = await runCase({ ...about, prepare }, { ...OPTIONS, harness });
    expect(row).toEqual({ ...about, candidates: {}, failed: 'they disagree' });
    expect(order).toEqual([]);
  });
});
