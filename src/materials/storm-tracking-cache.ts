/**
 * The storm tracking cache: a local cache that renews entries before they expire, and bounds the calls that are out at once.
 *
 * Where the specification sleeps and looks again, requests wait for a signal or for the time at which the answer changes.
 * Source: AWS Encryption SDK specification, `framework/storm-tracking-cryptographic-materials-cache.md`.
 */
import { checkOptions, FramesealError, invalidArgument, kindOf, quote } from '../errors.ts';
import type { CacheEntry } from './cache-entry.ts';
import type { Flight } from './cache-flight.ts';
import type { Lookup } from './cache-lookup.ts';
import { Cache, type Seat, type Step } from './cache-steps.ts';
import { toldWithin } from './cache-waiting.ts';
import { checkCapacity } from './local-cache.ts';
import { type MaterialsCache, publicCache } from './materials-cache.ts';

/** Options of {@link stormTrackingCache}. Times are whole numbers from 1 in `timeUnits`; so are their defaults. */
export interface StormTrackingCacheOptions {
  /** Entries at most, 0 to 1,000,000. */
  readonly entryCapacity: number;
  /** So long before an entry expires one request renews it, while the others go on with it. Default 10. */
  readonly gracePeriod?: number | undefined;
  /**
   * So long after a call for a key no other is made for it; then the next request makes one. Default 1. Longer than a call
   * usually takes, and at most `inflightTtl`.
   */
  readonly graceInterval?: number | undefined;
  /** Keys whose calls may be out at once; requests for others wait for their turn. Default 20. */
  readonly fanOut?: number | undefined;
  /**
   * So long a request waits for the calls of others before it fails with `TIMEOUT`, and a call counts for `fanOut`. At most
   * `gracePeriod`. Default 20, or the grace period where that is shorter.
   */
  readonly inflightTtl?: number | undefined;
  /** Default `seconds`. */
  readonly timeUnits?: 'seconds' | 'milliseconds' | undefined;
}

/**
 * A local cache for many requests over a slow or failing key service. A failed call fails the request that made it; those
 * that wait make another after `graceInterval`, one at a time. A request that was to renew an entry and failed uses the old
 * one while it lasts.
 *
 * The specification's `sleepMilli` is not needed: nothing here sleeps and looks again, requests are woken.
 * @throws FramesealError `INVALID_ARGUMENT`, also for times that do not fit together
 */
export function stormTrackingCache(options: StormTrackingCacheOptions): MaterialsCache {
  const names = ['entryCapacity', 'gracePeriod', 'graceInterval', 'fanOut', 'inflightTtl', 'timeUnits'];
  checkOptions(options, names);
  const { gracePeriod = 10, graceInterval = 1, fanOut = 20, timeUnits = 'seconds' } = options;
  checkCount('gracePeriod', gracePeriod, MAX_COUNT);
  checkCount('graceInterval', graceInterval, MAX_COUNT);
  checkCount('fanOut', fanOut, MAX_COUNT);
  const { inflightTtl = Math.min(20, gracePeriod) } = options;
  checkCount('inflightTtl', inflightTtl, gracePeriod, ', the gracePeriod');
  checkCount('graceInterval', graceInterval, inflightTtl, ', the inflightTtl');
  if (timeUnits !== 'seconds' && timeUnits !== 'milliseconds')
    throw invalidArgument('timeUnits', 'seconds or milliseconds', quote(timeUnits));
  const unit = timeUnits === 'seconds' ? 1000 : 1;
  const times = {
    gracePeriod: gracePeriod * unit,
    graceInterval: graceInterval * unit,
    inflightTtl: inflightTtl * unit,
  };
  return publicCache(new StormTrackingCache(checkCapacity(options.entryCapacity), fanOut, times));
}

const MAX_COUNT = 2 ** 31 - 1;

function checkCount(name: string, value: number, max: number, what = ''): void {
  if (!Number.isSafeInteger(value) || value < 1 || value > max)
    throw invalidArgument(name, `1..${max}${what}`, kindOf(value));
}

/** In milliseconds. */
interface Times {
  readonly gracePeriod: number;
  readonly graceInterval: number;
  readonly inflightTtl: number;
}

/** Requests of one key that wait for their turn. */
type Group = Set<(group: Group) => void>;

class StormTrackingCache extends Cache {
  readonly #fanOut: number;
  readonly #times: Times;
  readonly #queue = new Map<string, Group>();
  // Groups that have been told that it is their turn, and have not taken it yet.
  readonly #called = new Set<Group>();

  constructor(entryCapacity: number, fanOut: number, times: Times) {
    super(entryCapacity, false);
    this.#fanOut = fanOut;
    this.#times = times;
  }

  override clear(): void {
    super.clear();
    this.ended();
  }

  protected decide(lookup: Lookup, seat: Seat): Step {
    const now = performance.now();
    this.#forget(now);
    const entry = this.entries.find(lookup);
    if (entry && !this.#isToBeRenewed(entry, now)) return { do: 'use', entry };
    const flight = seat.flight ?? this.joinable(lookup);
    if (entry) return { do: 'fetch', flight };
    if (!this.flights.get(lookup.key)?.isShared && seat.flight === undefined && this.#isFull(now))
      return { do: 'pause', over: this.#turn(lookup, now) };
    return flight ? this.#share(flight, seat, now) : { do: 'fetch' };
  }

  /** Calls the next keys to the places that are free. */
  protected override ended(): void {
    if (this.#queue.size === 0) return;
    const now = performance.now();
    for (const [key, group] of this.#queue) {
      if (this.#isFull(now)) return;
      this.#queue.delete(key);
      this.#called.add(group);
      for (const tell of [...group]) tell(group);
    }
  }

  // One request waits for the calls of others, makes another when they have taken long, and gives up in the end.
  #share(flight: Flight, seat: Seat, now: number): Step {
    const waited = seat.flight === flight ? now - seat.since : 0;
    const left = this.#times.inflightTtl - waited;
    if (left <= 0) return { do: 'fail', error: this.#expired(flight) };
    const untilNext = this.#untilNextCall(flight, now);
    if (untilNext <= 0) return { do: 'fetch', flight };
    return { do: 'wait', flight, milliseconds: Math.min(untilNext, left) };
  }

  #isToBeRenewed(entry: CacheEntry, now: number): boolean {
    if (entry.left > this.#times.gracePeriod || this.#isFull(now)) return false;
    const flight = this.flights.get(entry.key);
    return flight === undefined || this.#untilNextCall(flight, now) <= 0;
  }

  #untilNextCall({ started }: Flight, now: number): number {
    return started + this.#times.graceInterval - now;
  }

  // A key whose call has failed is in flight until its interval is over, so that the next request waits.
  #forget(now: number): void {
    for (const [key, flight] of this.flights) {
      if (this.#untilNextCall(flight, now) > 0) return;
      if (!flight.isShared) this.flights.delete(key);
    }
  }

  #isFull(now: number): boolean {
    let places = this.#called.size;
    for (const flight of this.flights.values()) if (this.#hasPlace(flight, now)) places++;
    return places >= this.#fanOut;
  }

  #hasPlace({ isShared, started }: Flight, now: number): boolean {
    return isShared && now - started < this.#times.inflightTtl;
  }

  // Until it is this key's turn, or a call has been out for so long that it no longer counts.
  async #turn(lookup: Lookup, now: number): Promise<void> {
    const holders = [...this.flights.values()].filter((flight) => this.#hasPlace(flight, now));
    const first = Math.min(...holders.map(({ started }) => started));
    const milliseconds = Math.min(first - now, 0) + this.#times.inflightTtl;
    const called = await toldWithin<Group>(lookup.signal, milliseconds, (tell) => {
      const group: Group = this.#queue.get(lookup.key) ?? new Set();
      this.#queue.set(lookup.key, group.add(tell));
      return () => {
        group.delete(tell);
        if (group.size === 0 && this.#queue.get(lookup.key) === group) this.#queue.delete(lookup.key);
      };
    });
    if (called) this.#called.delete(called);
  }

  #expired({ lastFailure }: Flight): FramesealError {
    const text = `materials have not come within the cache's "inflightTtl" of ${this.#times.inflightTtl} ms: the calls of other requests for them were slow or failed`;
    return new FramesealError('TIMEOUT', text, lastFailure === undefined ? {} : { cause: lastFailure });
  }
}
