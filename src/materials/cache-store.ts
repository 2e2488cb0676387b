/**
 * The entries of a cache: the least recently used goes first, and none is kept longer than its time.
 *
 * An entry that leaves is wiped. Expired ones leave when they are met, and by one timer when nothing happens. A worker's
 * timers end with the request that has set them: what is overdue then is done at the next use.
 * Source: AWS Encryption SDK specification, `framework/local-cryptographic-materials-cache.md`.
 */
import type { CacheEntry, Materials } from './cache-entry.ts';
import { isAdmitted, type Lookup } from './cache-lookup.ts';
import { MAX_TIMER } from './cache-waiting.ts';

/** How many of the least recently used entries each look-up checks. */
const PRUNING_TAIL = 10;

export class CacheStore {
  // From the least to the most recently used.
  readonly #entries = new Map<string, CacheEntry>();
  readonly #capacity: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #timerAt = Number.POSITIVE_INFINITY;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** The entry that may serve this request. Expired ones among the least recently used leave. */
  find(lookup: Lookup): CacheEntry | undefined {
    this.#sweepIfDue();
    this.#prune();
    const entry = this.#entries.get(lookup.key);
    if (entry === undefined) return undefined;
    if (entry.left <= 0) this.evict(entry);
    else if (isAdmitted(entry.usage, lookup) && lookup.fits(entry)) return entry;
    return undefined;
  }

  /** Takes materials of an entry just found, and counts them. */
  use(entry: CacheEntry, { claim }: Lookup): Materials {
    this.#entries.delete(entry.key);
    this.#entries.set(entry.key, entry);
    const materials = entry.take();
    if (claim) {
      entry.usage.reserve(claim);
      if (entry.usage.isExhausted) this.evict(entry);
    }
    return materials;
  }

  /** Keeps an entry, in the place of what was kept under its key. */
  put(entry: CacheEntry): void {
    this.#sweepIfDue();
    const before = this.#entries.get(entry.key);
    if (before) this.evict(before);
    this.#entries.set(entry.key, entry);
    for (const oldest of this.#entries.values()) {
      if (this.#entries.size <= this.#capacity) break;
      this.evict(oldest);
    }
    if (this.#entries.has(entry.key)) this.#wakeIn(entry.left);
  }

  /** Wipes an entry, and keeps it no longer. */
  evict(entry: CacheEntry): void {
    if (this.#entries.get(entry.key) === entry) this.#entries.delete(entry.key);
    entry.wipe();
    if (this.#entries.size === 0) this.#stopTimer();
  }

  /** Wipes all. */
  clear(): void {
    for (const entry of this.#entries.values()) this.evict(entry);
  }

  #prune(): void {
    let checked = 0;
    for (const entry of this.#entries.values()) {
      if (checked++ === PRUNING_TAIL) break;
      if (entry.left <= 0) this.evict(entry);
    }
  }

  #sweepIfDue(): void {
    if (this.#timerAt <= performance.now()) this.#sweep();
  }

  // A sweep looks at every entry, so a large cache is swept less often: a thousand entries are wiped up to 1 ms late.
  #sweep(): void {
    this.#stopTimer();
    let next = Number.POSITIVE_INFINITY;
    for (const entry of this.#entries.values()) {
      const { left } = entry;
      if (left <= 0) this.evict(entry);
      else next = Math.min(next, left);
    }
    if (this.#entries.size > 0) this.#wakeIn(Math.max(next, this.#entries.size / 1000));
  }

  #wakeIn(milliseconds: number): void {
    const delay = Math.min(Math.max(1, Math.ceil(milliseconds)), MAX_TIMER);
    const at = performance.now() + delay;
    if (at >= this.#timerAt) return;
    this.#stopTimer();
    this.#timerAt = at;
    this.#timer = setTimeout(() => this.#sweep(), delay);
    (this.#timer as { unref?: () => void }).unref?.(); // it keeps no process alive
  }

  #stopTimer(): void {
    clearTimeout(this.#timer);
    this.#timerAt = Number.POSITIVE_INFINITY;
  }
}
