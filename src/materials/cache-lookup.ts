/**
 * What a caching manager asks of a cache for one request.
 */
import type { Answer, CacheEntry, Materials } from './cache-entry.ts';
import type { Claim, Usage } from './cache-usage.ts';

/** One request. */
export interface Lookup<M extends Materials = Materials> {
  /** Of `cache-id.ts`: it tells partitions, kinds of materials and requests apart. */
  readonly key: string;
  /** What an encrypt asks of its data key. A decrypt asks nothing: it may use one for ever. */
  readonly claim: Claim | undefined;
  /** Milliseconds that an entry of this request's making may serve. */
  readonly maxAge: number;
  readonly signal: AbortSignal | undefined;
  /** Whether the entry may serve this request, its usage apart. */
  fits(entry: CacheEntry): boolean;
  /** Calls the underlying manager. */
  fetch(signal: AbortSignal): Promise<Answer<M>>;
}

/** Whether a data key so used may serve this request as well. */
export function isAdmitted(usage: Usage, { claim }: Lookup): boolean {
  return claim === undefined || usage.admits(claim);
}
