/**
 * The cases that run in every runtime, and how often each is run.
 */
import type { BenchCase } from './bench-case.ts';
import { type EnginePlace, engineCases, enginePlaces } from './engine-cases.ts';
import type { Scale } from './inputs.ts';
import { keyDerivationCases } from './key-derivation-cases.ts';
import { messageCases, messagePlaces } from './message-cases.ts';
import type { RoundOptions } from './rounds.ts';

type Timing = Omit<RoundOptions, 'harness'>;

/** Milliseconds of a clock's step from which on every round is long, whatever is measured: browsers and workerd. */
const COARSE = 0.5;
/** Of long messages one call is enough for a round. */
const LONG = 16 * 2 ** 20;

/** How cases are run, unless they say otherwise. @param step of the clock in milliseconds: `clockStep`. */
export function roundsOf(scale: Scale, step: number): Timing {
  const coarse = step >= COARSE;
  if (scale === 'quick') return { rounds: coarse ? 3 : 5, maxTime: 8, minSamples: 3, warmUp: 20 };
  return { rounds: coarse ? 5 : 9, maxTime: 15, minSamples: 5, warmUp: 50 };
}

/** Which of them. */
export interface CommonOptions {
  /** `quick` takes about ten seconds, where a clock is fine; `full` some minutes. */
  readonly scale: Scale;
  /** Plaintext bytes of the longest messages of `full`; default 16 MiB. */
  readonly longest?: number;
  /** Whether `full` ends with the places that a selection table is found from; default true. */
  readonly table?: boolean;
}

/** All of them. */
export function commonCases({ scale, longest, table = true }: CommonOptions): readonly BenchCase[] {
  const places = enginePlaces(scale);
  const isNew = (place: EnginePlace) => !places.some((other) => isSame(place, other));
  const further = scale === 'full' && table ? enginePlaces('table').filter(isNew) : [];
  return [
    ...engineCases(places).map((one) => timed(one, engineTiming(scale))),
    ...keyDerivationCases(),
    ...messageCases(messagePlaces(scale, longest)).map((one) => timed(one, messageTiming(scale, one))),
    // Where calls answer with promises a batch of the suite's harness may take longer than this.
    ...engineCases(further, { baselines: false }).map((one) =>
      timed(one, { rounds: 7, maxTime: 5, warmUp: 15 }),
    ),
  ];
}

function timed(one: BenchCase, timing: Partial<Timing>): BenchCase {
  return { ...one, timing };
}

function engineTiming(scale: Scale): Partial<Timing> {
  return scale === 'quick' ? { maxTime: 6, warmUp: 15 } : { maxTime: 12, warmUp: 25 };
}

// Whole messages run much JavaScript, which takes its time until it is compiled.
function messageTiming(scale: Scale, { bytes = 0 }: BenchCase): Partial<Timing> {
  const quick = scale === 'quick';
  if (bytes >= LONG && quick) return { rounds: 3, minSamples: 1, warmUp: 0 };
  if (bytes >= LONG) return { rounds: 11, maxTime: 100, minSamples: 3, warmUp: 200 };
  return quick ? { maxTime: 12, minSamples: 5, warmUp: 100 } : { maxTime: 20, minSamples: 5, warmUp: 500 };
}

function isSame(a: EnginePlace, b: EnginePlace): boolean {
  return a.keyLength === b.keyLength && a.frameLength === b.frameLength && a.frames === b.frames;
}
