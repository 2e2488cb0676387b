/**
 * The `benchmark` package in a page, with a finer clock than Date.
 */
import { clockStep } from '../../dist/bench/index.js';
import { benchmarkHarness } from '../benchmark-harness.mjs';

/** Milliseconds: shorter batches are mostly other work's interruptions. */
const SHORTEST = 0.5;
const now = () => performance.now();

/** @param Benchmark what the package's classic script has made global. */
export function pageHarness(Benchmark) {
  const place = globalThis.chrome ?? {};
  place.Interval = Interval;
  globalThis.chromium = place;
  return benchmarkHarness(Benchmark, Math.max(SHORTEST, 100 * clockStep(now)) / 1000);
}

/** What the package looks for where Chromium is started with `--enable-benchmarking`, and prefers to Date. */
class Interval {
  #started = 0;
  start() {
    this.#started = now();
  }
  stop() {}
  microseconds() {
    return 1000 * (now() - this.#started);
  }
}
