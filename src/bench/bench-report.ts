/**
 * A report: rows with the machine and the runtimes that they come from.
 */
import type { BenchRow } from './bench-case.ts';
import { clockStep, type Harness } from './harness.ts';
import { type Machine, type Runtime, runtimeHere } from './machine.ts';

/** What is written as JSON. */
export interface BenchReport {
  readonly format: 1;
  /** ISO 8601. */
  readonly date: string;
  /** What made it. */
  readonly command: string;
  readonly machine: Machine;
  readonly runtimes: readonly RuntimeReport[];
}

/** The rows of one runtime. */
export interface RuntimeReport extends Runtime {
  /** With its version. */
  readonly harness: string;
  /** The least time that the clock shows. */
  readonly clockStepMicroseconds: number;
  readonly rows: readonly BenchRow[];
  /** Why there is nothing of it. */
  readonly notRun?: string;
}

/** A report of this runtime alone. @param machine as it was before: measuring adds to its load. */
export function reportHere(
  command: string,
  machine: Machine,
  harness: Harness,
  rows: readonly BenchRow[],
): BenchReport {
  const clockStepMicroseconds = 1000 * clockStep(() => performance.now());
  const runtime = { ...runtimeHere(), harness: harness.name, clockStepMicroseconds, rows };
  return { format: 1, date: new Date().toISOString(), command, machine, runtimes: [runtime] };
}
