/**
 * How one candidate is timed once. The library's own loop runs everywhere; a program may put another harness in its place.
 */
import { FramesealError } from '../errors.ts';

/** Times calls. */
export interface Harness {
  /** With its version, for reports. */
  readonly name: string;
  /**
   * @param call awaited where it returns a promise.
   * @returns microseconds of one call.
   */
  time(call: () => unknown, limits: Limits): Promise<number>;
}

/** How long and how often a candidate is run in a round. */
export interface Limits {
  /** Milliseconds. A call that takes longer is run to its end. */
  readonly maxTime: number;
  /** Batches whose median is taken, where the time allows it. */
  readonly minSamples: number;
}

/** A batch lasts so many steps of the clock: what the step hides is then at most 1 %. */
const STEPS_OF_A_BATCH = 100;
/** In milliseconds: shorter batches are mostly other work's interruptions. */
const SHORTEST_BATCH = 0.5;

/** The loop. @throws FramesealError `UNSUPPORTED` where the clock stands still, as in deployed Cloudflare Workers. */
export function loopHarness(now: () => number = () => performance.now()): Harness {
  const batch = Math.max(SHORTEST_BATCH, STEPS_OF_A_BATCH * clockStep(now));
  // From one round to the next: finding it anew each time, one interruption would pass for a batch.
  const counts = new WeakMap<() => unknown, number>();
  return {
    name: 'loop',
    async time(call, { maxTime, minSamples }) {
      const samples: number[] = [];
      const ends = now() + maxTime;
      let count = counts.get(call) ?? 1;
      while (samples.length === 0 || (samples.length < minSamples && now() < ends)) {
        const took = await repeat(call, count, now);
        if (took >= batch || now() >= ends + batch) samples.push(took / count);
        else count = nextCount(count, took, batch);
      }
      counts.set(call, count);
      return 1000 * middle(samples);
    },
  };
}

/** The least difference, in milliseconds, that a clock shows. */
export function clockStep(now: () => number): number {
  const TRIES = 5_000_000;
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0, steps = 0, before = now(); i < TRIES && steps < 20; i++) {
    const after = now();
    if (after > before) {
      least = Math.min(least, after - before);
      steps++;
    }
    before = after;
  }
  if (least === Number.POSITIVE_INFINITY)
    throw new FramesealError(
      'UNSUPPORTED',
      'the clock of this runtime stands still while code runs, so nothing can be timed in it: time whole requests from outside',
    );
  return least;
}

async function repeat(call: () => unknown, count: number, now: () => number): Promise<number> {
  const started = now();
  for (let i = 0; i < count; i++) {
    const result = call();
    if (result instanceof Promise) await result;
  }
  return now() - started;
}

// So many that a batch is just long enough; at most ten times as many, as the first calls are the slowest.
function nextCount(count: number, took: number, batch: number): number {
  const wanted = took > 0 ? Math.ceil((1.1 * count * batch) / took) : 10 * count;
  return Math.min(Math.max(wanted, count + 1), 10 * count);
}

function middle(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}
