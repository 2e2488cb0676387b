/**
 * The local cache: the least recently used entries go first, and requests that miss at the same time share one call.
 *
 * Source: AWS Encryption SDK specification, `framework/local-cryptographic-materials-cache.md`.
 */
import { checkOptions, invalidArgument, kindOf } from '../errors.ts';
import type { Lookup } from './cache-lookup.ts';
import { Cache, type Seat, type Step } from './cache-steps.ts';
import { type MaterialsCache, publicCache } from './materials-cache.ts';

/** Options of {@link localCache}. */
export interface LocalCacheOptions {
  /** Entries at most, 0 to 1,000,000. With 0 nothing is kept; requests that miss at the same time share a call all the same. */
  readonly entryCapacity: number;
}

const MAX_CAPACITY = 1_000_000;

/**
 * A cache in this process. Data keys lie in its memory and are wiped when their entry leaves: by age, for a younger one, at
 * a limit, or by `clear()`.
 * @throws FramesealError `INVALID_ARGUMENT`
 */
export function localCache(options: LocalCacheOptions): MaterialsCache {
  checkOptions(options, ['entryCapacity']);
  return publicCache(new LocalCache(checkCapacity(options.entryCapacity)));
}

/** @throws FramesealError `INVALID_ARGUMENT` unless a cache may have so many entries. */
export function checkCapacity(entryCapacity: number): number {
  if (Number.isSafeInteger(entryCapacity) && entryCapacity >= 0 && entryCapacity <= MAX_CAPACITY)
    return entryCapacity;
  throw invalidArgument('entryCapacity', `0..${MAX_CAPACITY}`, kindOf(entryCapacity));
}

/**
 * When a call that others wait for is taken for lost, and made again: the request that made it may have been dropped, as
 * workers do. The timer also tells a worker that a request which waits for another one's call is alive.
 */
const LOST_AFTER_MS = 20_000;

class LocalCache extends Cache {
  constructor(entryCapacity: number) {
    super(entryCapacity, true);
  }

  protected decide(lookup: Lookup, _seat: Seat): Step {
    const entry = this.entries.find(lookup);
    if (entry) return { do: 'use', entry };
    const flight = this.joinable(lookup);
    if (flight === undefined) return { do: 'fetch' };
    const milliseconds = flight.started + LOST_AFTER_MS - performance.now();
    return milliseconds > 0 ? { do: 'wait', flight, milliseconds } : { do: 'fetch', flight };
  }
}
