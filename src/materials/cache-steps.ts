/**
 * How a request goes through a cache: one step after another, each decided anew by the kind of cache.
 *
 * An entry is used, a miss in flight is joined, or a call of the underlying manager is made. Nothing goes round for ever: a
 * step ends with an answer or an error, or waits for what others do.
 */
import { throwIfAborted } from '../errors.ts';
import type { CacheEntry, Materials } from './cache-entry.ts';
import { Flight, type Served } from './cache-flight.ts';
import { isAdmitted, type Lookup } from './cache-lookup.ts';
import { CacheStore } from './cache-store.ts';

/** What a request does next. */
export type Step =
  | { readonly do: 'use'; readonly entry: CacheEntry }
  /** In the flight that is there, or in a new one. */
  | { readonly do: 'fetch'; readonly flight?: Flight | undefined }
  | { readonly do: 'wait'; readonly flight: Flight; readonly milliseconds?: number }
  | { readonly do: 'pause'; readonly over: Promise<void> }
  | { readonly do: 'fail'; readonly error: Error };

/** A request's place in a flight, and since when it has it. */
export class Seat {
  flight: Flight | undefined;
  since = 0;

  take(flight: Flight, lookup: Lookup): void {
    if (flight === this.flight) return;
    this.leave();
    flight.join(lookup);
    this.flight = flight;
    this.since = performance.now();
  }

  leave(): void {
    this.flight?.leave();
    this.flight = undefined;
  }
}

/** Entries, the misses in flight, and the rules by which requests share both. */
export abstract class Cache {
  readonly entries: CacheStore;
  /**
   * The flight that requests of a key may join, by the time of its last call. One that has reached a limit makes room for
   * another, and lands for those who have joined it.
   */
  protected readonly flights: Map<string, Flight> = new Map();
  readonly #failsAll: boolean;
  #cleared = 0;

  /** @param failsAll whether a failed call fails all who wait for it, or the one who made it. */
  constructor(entryCapacity: number, failsAll: boolean) {
    this.entries = new CacheStore(entryCapacity);
    this.#failsAll = failsAll;
  }

  /** The next step of a request. */
  protected abstract decide(lookup: Lookup, seat: Seat): Step;

  /** A request has ended. */
  protected ended(): void {}

  /**
   * Materials for a request; `undefined`: ask the underlying manager for this request alone.
   * @throws FramesealError `ABORTED`, `TIMEOUT`; and what the underlying manager throws
   */
  async obtain<M extends Materials>(lookup: Lookup<M>): Promise<Served<M> | undefined> {
    const seat = new Seat();
    try {
      return (await this.#serve(lookup, seat)) as Served<M> | undefined; // the key says which kind they are
    } finally {
      seat.leave();
      this.ended();
    }
  }

  /** Wipes all entries. What is in flight serves those who wait for it, and is not kept. */
  clear(): void {
    this.entries.clear();
    this.flights.clear();
    this.#cleared++;
  }

  /** The flight that this request may join. */
  protected joinable(lookup: Lookup): Flight | undefined {
    const flight = this.flights.get(lookup.key);
    return flight && isAdmitted(flight.usage, lookup) ? flight : undefined;
  }

  async #serve(lookup: Lookup, seat: Seat): Promise<Served | undefined> {
    for (;;) {
      throwIfAborted(lookup.signal);
      if (seat.flight?.isOver) seat.leave();
      const step = this.decide(lookup, seat);
      if (step.do === 'fail') throw step.error;
      if (step.do === 'use') return this.#use(step.entry, lookup);
      if (step.do === 'pause') {
        await step.over;
        continue;
      }
      const leads = step.do === 'fetch';
      const flight = step.flight ?? this.#open(lookup.key);
      seat.take(flight, lookup);
      const outcome = await (leads ? this.#lead(flight, lookup) : flight.wait(lookup, step.milliseconds));
      if (outcome === 'ask-alone') return undefined;
      if (outcome === undefined) continue;
      if ('materials' in outcome) return outcome;
      const entry = leads && this.entries.find(lookup); // it was to be replaced before its time, and still serves
      if (entry) return this.#use(entry, lookup);
      throw outcome.failure;
    }
  }

  #use(entry: CacheEntry, lookup: Lookup): Served {
    return { materials: this.entries.use(entry, lookup), entry, provisional: entry.provisional };
  }

  #open(key: string): Flight {
    const cleared = this.#cleared;
    const flight = new Flight(key, this.#failsAll, (entry) => {
      if (this.flights.get(key) === flight) this.flights.delete(key);
      if (entry === undefined) return;
      if (cleared === this.#cleared) this.entries.put(entry);
      else entry.wipe();
    });
    this.flights.set(key, flight);
    return flight;
  }

  #lead(flight: Flight, lookup: Lookup): ReturnType<Flight['lead']> {
    if (this.flights.get(flight.key) === flight) {
      this.flights.delete(flight.key);
      this.flights.set(flight.key, flight); // behind those whose last call is older
    }
    return flight.lead(lookup);
  }
}
