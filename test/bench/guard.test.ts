/**
 * What the regression guard says of samples and of counts.
 */
import { describe, expect, it } from 'vitest';
// @ts-expect-error: a program, without types
import { difference, judge } from '../../bench/guard/ratios.mjs';
import { summarize } from '../../src/bench/statistics.ts';

const ROUNDS = 40;

/** The same for the same seed: samples about a time, each up to `noise` more or less. */
function samples(time: number, noise: number, seed: number) {
  let state = seed;
  return Array.from({ length: ROUNDS }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return time * (1 + noise * (2 * ((state >>> 8) / 2 ** 24) - 1));
  });
}

function verdict(times: { present: number; previous: number; again: number }, noise: number, seed = 1) {
  const entries = Object.entries(times).map(([name, time], i) => {
    return [name, summarize(samples(time, noise, seed * 10 + i))];
  });
  return judge(Object.fromEntries(entries), summarize);
}

describe('times of two versions', () => {
  it('are no different where there is only noise', () => {
    for (let seed = 1; seed <= 50; seed++) {
      const { text } = verdict({ present: 10, previous: 10, again: 10 }, 0.2, seed);
      expect(text).toMatch(/^no difference beyond the noise/);
    }
  });

  it('are told apart where the difference is larger than the noise, by its size', () => {
    expect(verdict({ present: 11, previous: 10, again: 10 }, 0.02).text).toMatch(/^slower by (9|10)\.\d %$/);
    expect(verdict({ present: 9, previous: 10, again: 10 }, 0.02).text).toMatch(/^faster by (9|10)\.\d %$/);
  });

  it('are not told apart where equal versions differ as much', () => {
    expect(verdict({ present: 11, previous: 10, again: 10.6 }, 0.02).text).toMatch(/^no difference/);
  });

  it('are compared round by round: what slows a round down slows both', () => {
    const load = samples(1, 0.9, 5);
    const of = (time: number) => summarize(load.map((one) => one * time));
    const { text, noise } = judge({ present: of(10.5), previous: of(10), again: of(10) }, summarize);
    expect(text).toBe('slower by 5.0 %');
    expect(noise).toBe(0.03);
  });
});

describe('counts of two versions', () => {
  it('are told as they are', () => {
    expect(difference(110, 100)).toBe('+10.00 %');
    expect(difference(99_900, 100_000)).toBe('-0.10 %');
    expect(difference(100, 100)).toBe('the same');
  });

  it('are no different within their noise', () => {
    expect(difference(1002, 1000, 0.003)).toMatch(/^\+0\.20 %, no difference/);
    expect(difference(1004, 1000, 0.003)).toBe('+0.40 %');
  });
});
