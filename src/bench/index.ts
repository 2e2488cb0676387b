/**
 * What `frameseal bench` runs, and what the benchmarks of the repository share with it: cases, rounds and statistics, in
 * any runtime and without a dependency.
 */
export { type BenchCase, type BenchRow, type Parameters, runCase } from './bench-case.ts';
export { clockStep, type Harness, type Limits, loopHarness } from './harness.ts';
export { type Candidates, inRounds, type RoundOptions, shuffled } from './rounds.ts';
export { quantile, type Summary, summarize } from './statistics.ts';
