/**
 * Candidates in turn, in shuffled order, round after round: what else the machine does hits them all alike.
 */
import type { Harness, Limits } from './harness.ts';
import { type Summary, summarize } from './statistics.ts';

/** How candidates are compared. */
export interface RoundOptions extends Limits {
  readonly harness: Harness;
  readonly rounds: number;
  /** Milliseconds for which each candidate runs before: code is compiled meanwhile. */
  readonly warmUp: number;
}

/** The same work by each, by name. */
export type Candidates = Readonly<Record<string, () => unknown>>;

/** Times them all. */
export async function inRounds(
  candidates: Candidates,
  { harness, rounds, warmUp, ...limits }: RoundOptions,
): Promise<Record<string, Summary>> {
  const names = Object.keys(candidates);
  const samples = new Map<string, number[]>(names.map((name) => [name, []]));
  for (const name of names) await run(candidates[name]!, warmUp);
  for (let round = 0; round < rounds; round++) {
    for (const name of shuffled(names))
      samples.get(name)!.push(await harness.time(candidates[name]!, limits));
  }
  return Object.fromEntries([...samples].map(([name, values]) => [name, summarize(values)]));
}

async function run(call: () => unknown, milliseconds: number): Promise<void> {
  const until = performance.now() + milliseconds;
  do await call();
  while (performance.now() < until);
}

/** The same in another order. */
export function shuffled<T>(items: readonly T[]): readonly T[] {
  const order = [...items];
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}
