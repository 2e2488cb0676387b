/**
 * Counts what became of each case of a set, and hands the counts to the table at the end of the run.
 */
import { describe, expect, it } from 'vitest';
import { type ErrorCode, FramesealError } from '../../src/index.ts';
import { MISSING, toHex } from './vectors.ts';

/** One line of the table. */
export interface VectorRow {
  readonly run: string;
  readonly set: string;
  passed: number;
  /** Names of the cases that failed, with the reason. */
  readonly failed: string[];
  /** Cases that this run cannot judge: why, and how many. */
  readonly notApplicable: Record<string, number>;
  /** Cases that a rule of ours rejects although others accept them: the rule, and the names. */
  readonly rejectedByRule: Record<string, string[]>;
  /** What else was found of passed cases, and how often. */
  readonly notes: Record<string, number>;
}

declare module 'vitest' {
  interface TaskMeta {
    vectors?: VectorRow;
  }
}

/** Judges the cases of one set. */
export class Tally {
  readonly row: VectorRow;

  constructor(run: string, set: string) {
    this.row = { run, set, passed: 0, failed: [], notApplicable: {}, rejectedByRule: {}, notes: {} };
  }

  /** One case: passes unless `judge` throws. */
  async check(
    name: string,
    judge: () => unknown,
    passed: () => unknown = () => this.row.passed++,
  ): Promise<void> {
    try {
      await judge();
    } catch (error) {
      this.row.failed.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
      return;
    }
    passed();
  }

  /** A case that cannot be judged. */
  notApplicable(reason: string): void {
    this.row.notApplicable[reason] = (this.row.notApplicable[reason] ?? 0) + 1;
  }

  /** A case that a rule of ours rejects: fails unless `judge` finds it rejected. */
  async rejectedByRule(rule: string, name: string, judge: () => unknown): Promise<void> {
    await this.check(name, judge, () => {
      this.row.rejectedByRule[rule] ??= [];
      this.row.rejectedByRule[rule].push(name);
    });
  }

  /** Something worth telling of a case that passes. */
  note(what: string): void {
    this.row.notes[what] = (this.row.notes[what] ?? 0) + 1;
  }
}

/** How a set is declared: its name, and how many cases it must turn out to have. */
export type DeclareSet = (set: string, cases: number, judge: (tally: Tally) => unknown) => void;

/** A run over the shared data; it fails when they are missing. */
export function vectorRun(run: string, declare: (vectorSet: DeclareSet) => void): void {
  describe(`vectors, ${run}`, () => {
    if (MISSING !== undefined) {
      console.error(MISSING);
      it('has the shared vectors', () => expect.fail(MISSING));
      return;
    }
    declare((set, cases, judge) =>
      it(set, async ({ task }) => {
        const tally = new Tally(run, set);
        task.meta.vectors = tally.row;
        try {
          await judge(tally);
        } catch (error) {
          tally.row.failed.push(`the set: ${String(error)}`);
        }
        expect(tally.row.failed).toEqual([]);
        expect(countCases(tally.row), 'cases judged').toBe(cases);
      }),
    );
  });
}

/** Fails unless the bytes are the same. */
export function sameBytes(got: Uint8Array | undefined, expected: Uint8Array, what: string): void {
  if (got === undefined || Buffer.compare(got, expected) !== 0) {
    const shown = (bytes: Uint8Array) => `${bytes.length} bytes ${toHex(bytes.subarray(0, 32))}`;
    throw new Error(`${what}: expected ${shown(expected)}, got ${got ? shown(got) : 'nothing'}`);
  }
}

/** Fails unless the call rejects with a FramesealError of one of these codes; any other error class fails. */
export async function rejects(call: () => unknown, codes: readonly ErrorCode[]): Promise<void> {
  let answer: unknown;
  try {
    answer = await call();
  } catch (error) {
    if (!(error instanceof FramesealError)) throw new Error(`rejected with ${String(error)}`);
    if (!codes.includes(error.code)) {
      throw new Error(`expected ${codes.join(' or ')}, got ${error.code} (${error.message})`);
    }
    return;
  }
  throw new Error(`expected ${codes.join(' or ')}, but it was accepted: ${typeof answer}`);
}

function countCases({ passed, failed, notApplicable, rejectedByRule }: VectorRow): number {
  const unjudged = Object.values(notApplicable).reduce((sum, count) => sum + count, 0);
  return passed + failed.length + unjudged + Object.values(rejectedByRule).flat().length;
}
