/**
 * What `frameseal bench` runs, and what the benchmarks of the repository share with it: cases, rounds and statistics, in
 * any runtime and without a dependency.
 */
export { type Advice, engineAdvice, type ForcedEngine } from './advice.ts';
export { type BenchCase, type BenchRow, type Parameters, runCase } from './bench-case.ts';
export { type BenchReport, type RuntimeReport, reportHere } from './bench-report.ts';
export { commonCases, roundsOf } from './common-cases.ts';
export {
  type EnginePlace,
  engineCases,
  enginePlaces,
} from './engine-cases.ts';
export { clockStep, type Harness, type Limits, loopHarness } from './harness.ts';
export { mustAgree, type Scale, sizeText, testBytes } from './inputs.ts';
export { keyDerivationCases } from './key-derivation-cases.ts';
export { type Machine, machineHere, type Runtime, runtimeHere } from './machine.ts';
export { type MessagePlace, messageCases, messagePlaces } from './message-cases.ts';
export { type FrameWorker, nativeFrameWorkers } from './native-frames.ts';
export { type Candidates, inRounds, type RoundOptions, shuffled } from './rounds.ts';
export { quantile, type Summary, summarize } from './statistics.ts';
