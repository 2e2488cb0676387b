/**
 * What is said of a rotation: of each object, while it goes on, and in the end.
 */
import type { MissingKey } from '../materials/materials.ts';
import type { AlgorithmSuiteName } from '../suite/algorithm-suites.ts';

/** What became of one object. */
export interface RotationResult {
  readonly name: string;
  /** `done-before`: by an earlier run, as the journal says. `would-rewrap`: in a dry run. */
  readonly outcome: 'rewrapped' | 'done-before' | 'would-rewrap' | 'failed';
  /** Whoever holds a kept data key, or once did, can read the new message too. */
  readonly dataKey?: 'kept' | 'new';
  /** Of the new message. */
  readonly suite?: AlgorithmSuiteName;
  /** Of the old message; in a dry run its `size`, if that is known. */
  readonly bytes?: number;
  /** Keys of `to` that a quorum let go missing. */
  readonly missingKeys?: readonly MissingKey[];
  /** Why it failed: a FramesealError, or whatever the store threw. */
  readonly error?: unknown;
}

/** How far a rotation has come. */
export interface RotationProgress {
  /** Objects that have come to an end, those that were done before and failed ones included. */
  readonly objects: number;
  readonly failed: number;
  /** Bytes of old messages that have been read to be rewrapped. */
  readonly bytes: number;
}

/** What a rotation answers. */
export interface RotationReport {
  readonly objects: number;
  readonly rewrapped: number;
  /** In a dry run alone. */
  readonly wouldRewrap: number;
  /** Objects that the journal knows as done, or whose header shows that they are. */
  readonly doneBefore: number;
  readonly failed: number;
  /** The first 1,000 of them. */
  readonly failures: readonly { readonly name: string; readonly error: unknown }[];
  /** Of old messages that have been read to be rewrapped; in a dry run their sizes, as far as they are known. */
  readonly bytes: number;
  /**
   * How often `to` was asked to wrap, by earlier runs too, as far as the journal shows; in a dry run how often it would have
   * been.
   */
  readonly wraps: number;
  /** Whether objects failed because `maxWraps` was reached. */
  readonly limitReached: boolean;
  /** Data keys of the messages that were rewrapped, or would be. */
  readonly dataKeys: { readonly kept: number; readonly new: number };
  /** Messages that lack a key of `to`, because a quorum let it go missing. */
  readonly missingKeys: number;
  /** Whether none failed: each object was rewrapped, or done before; in a dry run, whether each could be opened. */
  readonly completed: boolean;
}

/** Failures that a report has. */
const MAX_FAILURES = 1000;

/** Counts results. */
export class RotationTally {
  /** Of old messages, as they are read. */
  bytes = 0;
  readonly #failures: { name: string; error: unknown }[] = [];
  readonly #counts = { rewrapped: 0, 'would-rewrap': 0, 'done-before': 0, failed: 0, kept: 0, new: 0 };
  #objects = 0;
  #missingKeys = 0;

  add({ name, outcome, dataKey, bytes = 0, missingKeys = [], error }: RotationResult): void {
    this.#objects++;
    this.#counts[outcome]++;
    if (dataKey) this.#counts[dataKey]++;
    if (missingKeys.length > 0) this.#missingKeys++;
    if (outcome === 'would-rewrap') this.bytes += bytes;
    if (outcome === 'failed' && this.#failures.length < MAX_FAILURES) this.#failures.push({ name, error });
  }

  get progress(): RotationProgress {
    return { objects: this.#objects, failed: this.#counts.failed, bytes: this.bytes };
  }

  report({ count, reached }: { readonly count: number; readonly reached: boolean }): RotationReport {
    const counts = this.#counts;
    return {
      objects: this.#objects,
      rewrapped: counts.rewrapped,
      wouldRewrap: counts['would-rewrap'],
      doneBefore: counts['done-before'],
      failed: counts.failed,
      failures: this.#failures,
      bytes: this.bytes,
      wraps: count,
      limitReached: reached,
      dataKeys: { kept: counts.kept, new: counts.new },
      missingKeys: this.#missingKeys,
      completed: counts.failed === 0,
    };
  }
}
