/**
 * A case: the same work by several candidates, whose results are checked before any is timed; and the row that comes of it.
 */
import { textOf } from '../errors.ts';
import { type Candidates, inRounds, type RoundOptions } from './rounds.ts';
import type { Summary } from './statistics.ts';

/** What a row says of the work, besides its name: `bytes`, `frameLength`, `suite`, `verb` and the like. */
export type Parameters = Readonly<Record<string, string | number>>;

export interface BenchCase {
  /** What belongs together in tables and charts. */
  readonly group: string;
  /** Unique in its group. */
  readonly name: string;
  readonly parameters: Parameters;
  /** Bytes of plaintext that one call handles, for rates. */
  readonly bytes?: number;
  /** Messages that one call handles, for messages per second. */
  readonly messages?: number;
  /** Changes to how it is timed: fewer rounds for long calls, a longer warm-up for much code. */
  readonly timing?: Partial<Omit<RoundOptions, 'harness'>>;
  /** Makes the inputs, runs every candidate once and checks that they agree. The first is the library's own. */
  prepare(): Promise<Candidates>;
}

/** What was measured, or why not. */
export interface BenchRow extends Omit<BenchCase, 'prepare' | 'timing'> {
  readonly candidates: Readonly<Record<string, Summary>>;
  /** What is not a time, for each candidate: calls, bytes of memory, CPU time. Names carry the unit: `peakMiB`. */
  readonly figures?: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Why nothing was measured. */
  readonly failed?: string;
}

/** Runs a case. A failure is said in its row, and stops no other. */
export async function runCase(one: BenchCase, options: RoundOptions): Promise<BenchRow> {
  const { prepare: _, timing, ...about } = one;
  try {
    return { ...about, candidates: await inRounds(await one.prepare(), { ...options, ...timing }) };
  } catch (error) {
    return { ...about, candidates: {}, failed: textOf(error) };
  }
}
