/**
 * Attempts at opening a data key, one after another or, with a hedge, side by side. The first good answer wins.
 */
import type { DecryptionMaterials } from '../../materials/materials.ts';
import { isOutOfReach } from './kms-failure.ts';
import type { Candidate } from './kms-operations.ts';

/** How attempts are made. */
export interface RaceOptions {
  readonly open: (candidate: Candidate) => Promise<DecryptionMaterials>;
  /** Told of each attempt that has failed, in the order of failing; may throw to end the race. */
  readonly failed: (candidate: Candidate, error: unknown) => void;
  /** Lets others have the thread. */
  readonly turn: () => Promise<void> | undefined;
  /** Milliseconds without an answer after which the next one starts as well. */
  readonly hedgeAfterMs: number | undefined;
}

/** One attempt that has ended. */
interface Ended {
  readonly candidate: Candidate;
  readonly opened?: DecryptionMaterials;
  readonly error?: unknown;
}

/**
 * The first materials that open, or `undefined`. Attempts still under way then are the caller's to abort; a data key that
 * one of them brings all the same is wiped.
 */
export async function firstToOpen(
  candidates: readonly Candidate[],
  options: RaceOptions,
): Promise<DecryptionMaterials | undefined> {
  const { failed, turn, hedgeAfterMs } = options;
  let queue = [...candidates];
  const running = new Map<Candidate, Promise<Ended>>();
  const outOfReach = new Set<string>();
  try {
    for (;;) {
      await turn();
      const next = elsewhere(queue, running);
      for (const candidate of next < 0 ? [] : queue.splice(next, 1)) {
        running.set(candidate, endOf(candidate, options));
      }
      if (running.size === 0) return undefined;
      const canHedge = hedgeAfterMs !== undefined && elsewhere(queue, running) >= 0;
      const ended = await firstOf([...running.values()], canHedge ? hedgeAfterMs : undefined);
      if (ended === undefined) continue;
      const { candidate, opened, error } = ended;
      running.delete(candidate);
      if (opened !== undefined) return opened;
      failed(candidate, error);
      if (!isOutOfReach(error) || outOfReach.has(candidate.region)) continue;
      outOfReach.add(candidate.region);
      queue = withLast(queue, candidate.region);
    }
  } finally {
    for (const late of running.values()) void late.then(wipe);
  }
}

// The next candidate of a region that no attempt is waiting for: a second call there would wait for the same.
function elsewhere(queue: readonly Candidate[], running: ReadonlyMap<Candidate, unknown>): number {
  if (running.size === 0) return queue.length === 0 ? -1 : 0;
  const regions = new Set([...running.keys()].map(({ region }) => region));
  return queue.findIndex(({ region }) => !regions.has(region));
}

function withLast(queue: readonly Candidate[], region: string): Candidate[] {
  const isLast = (candidate: Candidate) => candidate.region === region;
  return [...queue.filter((candidate) => !isLast(candidate)), ...queue.filter(isLast)];
}

function endOf(candidate: Candidate, { open }: RaceOptions): Promise<Ended> {
  return open(candidate).then(
    (opened) => ({ candidate, opened }),
    (error: unknown) => ({ candidate, error }),
  );
}

async function firstOf(
  attempts: readonly Promise<Ended>[],
  milliseconds: number | undefined,
): Promise<Ended | undefined> {
  if (milliseconds === undefined) return Promise.race(attempts);
  let stop = () => {};
  const hedge = new Promise<undefined>((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    stop = () => clearTimeout(timer);
  });
  try {
    return await Promise.race([...attempts, hedge]);
  } finally {
    stop();
  }
}

function wipe({ opened }: Ended): void {
  opened?.plaintextDataKey?.fill(0);
}
