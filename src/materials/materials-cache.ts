/**
 * What callers see of a cache. They cannot write one: data keys in plaintext never leave the library's hands.
 */
import { invalidArgument, kindOf } from '../errors.ts';
import type { Cache } from './cache-steps.ts';

/** A cache of `localCache` or `stormTrackingCache`. */
export interface MaterialsCache {
  /** Entries that it holds. */
  readonly size: number;
  /** Wipes all entries. Misses that are in flight still serve those who wait for them, and are not kept. */
  clear(): void;
}

const caches = new WeakMap<object, Cache>();

/** The caller's side of a cache. */
export function publicCache(cache: Cache): MaterialsCache {
  const shown = Object.freeze({
    get size(): number {
      return cache.entries.size;
    },
    clear: () => cache.clear(),
  });
  caches.set(shown, cache);
  return shown;
}

/** @throws FramesealError `INVALID_ARGUMENT` for anything but a cache of this library. */
export function cacheOf(shown: MaterialsCache): Cache {
  const cache = caches.get(shown);
  if (cache === undefined)
    throw invalidArgument('cache', 'a cache of localCache or stormTrackingCache', kindOf(shown));
  return cache;
}
