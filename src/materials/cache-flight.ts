/**
 * A miss in flight: one or more calls of the underlying manager, and all requests that share what it answers.
 *
 * The calls have a signal of their own, which aborts when the last request has left, or when another call was quicker. Each
 * request is served a copy at the moment the answer comes, and has been counted when it joined.
 */
import { type Answer, CacheEntry, type Materials } from './cache-entry.ts';
import type { Lookup } from './cache-lookup.ts';
import { Usage } from './cache-usage.ts';
import { toldWithin } from './cache-waiting.ts';

/** Materials for one request. */
export interface Served<M extends Materials = Materials> {
  readonly materials: M;
  /** Where they come from. It may have been wiped. */
  readonly entry: CacheEntry;
  /** Whether the request has still to ask its own message whether the data key is the right one. */
  readonly provisional: boolean;
}

/** What becomes of a request that waits: served, failed, or told to ask the underlying manager for itself. */
export type Outcome = Served | { readonly failure: unknown } | 'ask-alone';

/** A failure that is one message's own: it says nothing about the others that wait. `cause` is what that one is told. */
export class OwnFailure extends Error {}

/** One of the calls. */
interface Call {
  readonly controller: AbortController;
  readonly lookup: Lookup;
}

/** One who waits. */
interface Waiter {
  readonly lookup: Lookup;
  /** The call that it has made. */
  readonly own: Call | undefined;
  readonly tell: (outcome: Outcome) => void;
}

export class Flight {
  readonly key: string;
  readonly usage: Usage = new Usage();
  /** When the last call was made, by the clock of `performance`. */
  started: number = Number.NEGATIVE_INFINITY;
  lastFailure: unknown;
  readonly #failsAll: boolean;
  readonly #over: (entry: CacheEntry | undefined) => void;
  readonly #calls = new Set<Call>();
  readonly #waiting = new Set<Waiter>();
  #members = 0;
  #isOver = false;

  /**
   * @param failsAll whether a failed call fails all who wait, or the one who made it.
   * @param over called once, with what is to be kept.
   */
  constructor(key: string, failsAll: boolean, over: (entry: CacheEntry | undefined) => void) {
    this.key = key;
    this.#failsAll = failsAll;
    this.#over = over;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Whether anyone shares it. */
  get isShared(): boolean {
    return this.#members > 0;
  }

  /** Counts a request in, until it leaves. */
  join({ claim }: Lookup): void {
    if (claim) this.usage.reserve(claim);
    this.#members++;
  }

  leave(): void {
    this.#members--;
    if (this.#members === 0 && this.#calls.size > 0 && !this.#isOver) this.#end(undefined);
  }

  /** Calls the underlying manager for a request that has joined, and waits for the outcome. */
  lead(lookup: Lookup): Promise<Outcome | undefined> {
    this.started = performance.now();
    const call = { controller: new AbortController(), lookup };
    this.#calls.add(call);
    const outcome = this.wait(lookup, undefined, call);
    lookup.fetch(call.controller.signal).then(
      (answer) => this.#answered(call, answer),
      (failure: unknown) => this.#failed(call, failure),
    );
    return outcome;
  }

  /** Waits for the outcome; `undefined` when the time is over. @throws FramesealError when the request's signal aborts. */
  wait(lookup: Lookup, milliseconds: number | undefined, own?: Call): Promise<Outcome | undefined> {
    return toldWithin<Outcome>(lookup.signal, milliseconds, (tell) => {
      const waiter = { lookup, own, tell };
      this.#waiting.add(waiter);
      return () => this.#waiting.delete(waiter);
    });
  }

  #answered(call: Call, answer: Answer): void {
    this.#calls.delete(call);
    if (this.#isOver) {
      answer.dataKey.dispose();
      return;
    }
    const entry = new CacheEntry(this.key, answer, call.lookup.maxAge, this.usage);
    this.#serveAll(call, entry);
    const isKept = !entry.single && !this.usage.isExhausted;
    if (!isKept) entry.wipe();
    this.#end(isKept ? entry : undefined);
  }

  // What one request has asked for may not fit the others, although they have asked the same.
  #serveAll(call: Call, entry: CacheEntry): void {
    const waiting = [...this.#waiting].sort((a, b) => Number(b.own === call) - Number(a.own === call));
    for (const [i, { lookup, own, tell }] of waiting.entries()) {
      const isServed = own === call || (entry.single ? i === 0 : lookup.fits(entry));
      const provisional = entry.provisional && own !== call;
      tell(isServed ? { materials: entry.take(), entry, provisional } : 'ask-alone');
    }
  }

  #failed(call: Call, failure: unknown): void {
    this.#calls.delete(call);
    if (this.#isOver) return;
    const isOwn = failure instanceof OwnFailure;
    this.lastFailure = isOwn ? failure.cause : failure;
    for (const { own, tell } of [...this.#waiting]) {
      if (own === call || (this.#failsAll && !isOwn)) tell({ failure: this.lastFailure });
      else if (isOwn) tell('ask-alone');
    }
    if (isOwn || this.#failsAll) this.#end(undefined);
  }

  #end(entry: CacheEntry | undefined): void {
    this.#isOver = true;
    for (const { controller } of this.#calls) abortCall(controller);
    this.#over(entry);
  }
}

// A call of another request of a worker cannot be aborted from this one: that is no reason to leave the flight half ended.
function abortCall(controller: AbortController): void {
  try {
    controller.abort();
  } catch {}
}
