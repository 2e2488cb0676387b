/** The loop, by a clock that the test turns: nothing here depends on how fast this machine is. */
import { describe, expect, it } from 'vitest';
import { clockStep, loopHarness } from '../../src/bench/index.ts';
import { failure } from '../support/messages.ts';

/** Milliseconds that looking at the clock takes. */
const LOOK = 0.0001;

/** A clock of steps. It notes how much time passed between two looks. */
function clock(step: number) {
  let time = 0;
  let spent = 0;
  const passed: number[] = [];
  return {
    passed,
    now: () => {
      if (spent > 0) passed.push(spent);
      spent = 0;
      time += LOOK;
      return Math.floor(time / step) * step;
    },
    work: (milliseconds: number) => {
      time += milliseconds;
      spent += milliseconds;
    },
  };
}

describe('the step of a clock', () => {
  it.each([0.005, 0.1, 1])('of %d ms is found', (step) => {
    expect(clockStep(clock(step).now)).toBeCloseTo(step, 6);
  });

  it('that stands still is refused', async () => {
    const error = await failure(() => loopHarness(() => 5));
    expect(error.code).toBe('UNSUPPORTED');
    expect(error.message).toContain('clock');
  });
});

describe('the loop', () => {
  it.each([
    [0.001, 0.003, 0.5],
    [0.1, 0.003, 10],
    [1, 0.05, 100],
    [1, 7, 100],
  ])('with steps of %d ms times a call of %d ms in batches of at least %d ms', async (step, cost, batch) => {
    const { now, work, passed } = clock(step);
    const time = await loopHarness(now).time(() => work(cost), { maxTime: 500, minSamples: 3 });
    expect(time).toBeGreaterThan(980 * cost);
    expect(time).toBeLessThan(1020 * cost);
    expect(passed.filter((spent) => spent >= batch - step).length).toBeGreaterThanOrEqual(3);
  });

  it('knows in the next round how many calls make a batch', async () => {
    const { now, work, passed } = clock(0.001);
    const harness = loopHarness(now);
    const call = () => work(0.01);
    await harness.time(call, { maxTime: 50, minSamples: 3 });
    passed.length = 0;
    await harness.time(call, { maxTime: 50, minSamples: 3 });
    expect(passed.filter((spent) => spent > 0.4).length).toBe(passed.length);
    expect(passed.length).toBeGreaterThanOrEqual(2);
  });

  it('takes the median of its batches', async () => {
    const { now, work } = clock(0.001);
    const costs = [1, 1, 50, 1, 1];
    let calls = 0;
    const call = () => work(costs[calls++] ?? 1);
    expect(await loopHarness(now).time(call, { maxTime: 1000, minSamples: 5 })).toBeCloseTo(1000, -1);
    expect(calls).toBe(5);
  });

  it('ends when its time is over', async () => {
    const { now, work } = clock(0.001);
    let calls = 0;
    const call = () => {
      calls++;
      work(1);
    };
    await loopHarness(now).time(call, { maxTime: 10, minSamples: 1000 });
    expect(calls).toBe(10);
  });

  it('runs a call that takes longer once, to its end', async () => {
    const { now, work } = clock(0.001);
    let calls = 0;
    const call = () => {
      calls++;
      work(300);
    };
    expect(await loopHarness(now).time(call, { maxTime: 5, minSamples: 9 })).toBeCloseTo(300_000, -2);
    expect(calls).toBe(1);
  });

  it('waits for a promise', async () => {
    const { now, work } = clock(0.001);
    let inFlight = 0;
    let most = 0;
    const call = async () => {
      most = Math.max(most, ++inFlight);
      await undefined;
      work(2);
      inFlight--;
    };
    expect(await loopHarness(now).time(call, { maxTime: 50, minSamples: 3 })).toBeCloseTo(2000, -1);
    expect(most).toBe(1);
  });

  it('tells what a call throws', async () => {
    const { now } = clock(0.001);
    const limits = { maxTime: 5, minSamples: 1 };
    const fail = () => {
      throw new Error('no');
    };
    await expect(loopHarness(now).time(fail, limits)).rejects.toThrow('no');
    await expect(loopHarness(now).time(async () => fail(), limits)).rejects.toThrow('no');
  });
});
