/**
 * Time: deadlines that hold whatever a callee does, promises that are left behind when a signal aborts, and turns of the
 * event loop for everyone else.
 */
import { aborted, deadlineError, throwIfAborted } from './errors.ts';

/** A signal that aborts when its time is over, or when its parent's does. */
export class Deadline {
  readonly #controller = new AbortController();
  readonly #children = new Set<Deadline>();
  readonly #stop: () => void;

  /**
   * @param parent the caller's signal, or the deadline of the whole operation, of which this is a part.
   * @param expired the text when the time is over.
   * @throws FramesealError at once if the parent is aborted already.
   */
  constructor(milliseconds: number, parent: AbortSignal | Deadline | undefined, expired: string) {
    throwIfAborted(parent instanceof Deadline ? parent.signal : parent);
    const timer = setTimeout(() => this.#abort(deadlineError(expired)), milliseconds);
    const leave = parent instanceof Deadline ? parent.#adopt(this) : this.#follow(parent);
    this.#stop = () => {
      clearTimeout(timer);
      leave();
    };
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Ends it: no timer and no listener stays. */
  stop(): void {
    this.#stop();
  }

  #abort(reason: unknown): void {
    this.#controller.abort(reason);
    for (const child of this.#children) child.#abort(reason);
  }

  // Children hang on their parent, not on its signal: a signal warns of leaks when it has many listeners.
  #adopt(child: Deadline): () => void {
    this.#children.add(child);
    return () => this.#children.delete(child);
  }

  #follow(signal: AbortSignal | undefined): () => void {
    return onAbort(signal, () => this.#abort(aborted(signal!)));
  }
}

/** Calls `stop` once, when the signal aborts. Returns how to leave; nothing stays behind when the last one has left. */
export function onAbort(signal: AbortSignal | undefined, stop: () => void): () => void {
  if (signal === undefined || signal.aborted) return () => {};
  const all = waiters.get(signal) ?? new Waiters(signal);
  waiters.set(signal, all);
  return all.add(stop);
}

// Those who wait for one signal. One listener serves them all: runtimes warn of leaks when a signal has more than ten.
class Waiters {
  readonly #signal: AbortSignal;
  readonly #stops = new Set<() => void>();
  readonly #fire = () => {
    waiters.delete(this.#signal);
    for (const stop of this.#stops) stop();
  };

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener('abort', this.#fire, { once: true });
  }

  add(stop: () => void): () => void {
    const own = () => stop(); // the same function may wait twice
    this.#stops.add(own);
    return () => {
      this.#stops.delete(own);
      if (this.#stops.size > 0 || this.#signal.aborted) return;
      this.#signal.removeEventListener('abort', this.#fire);
      waiters.delete(this.#signal);
    };
  }
}

const waiters = new WeakMap<AbortSignal, Waiters>();

/**
 * The promise's outcome, or the signal's reason as soon as it aborts. What arrives later is given to `late`, whose own
 * failure concerns nobody any more.
 */
export function untilAborted<T>(
  signal: AbortSignal | undefined,
  promise: Promise<T>,
  late: (value: T) => void = () => {},
): Promise<T> {
  if (signal === undefined) return Promise.resolve(promise);
  return new Promise<T>((resolve, reject) => {
    const stop = () => reject(aborted(signal));
    if (signal.aborted) stop();
    const leave = onAbort(signal, stop);
    Promise.resolve(promise).then(
      (value) => {
        leave();
        if (!signal.aborted) return resolve(value);
        stop(); // the signal may have aborted before its listener had its turn
        try {
          late(value);
        } catch {}
      },
      (error: unknown) => {
        leave();
        reject(error);
      },
    );
  });
}

/** How long a loop may hold the thread. */
const TURN_MS = 20;

/**
 * For loops whose length a stranger decides: call it each time round. It lets timers and input in every few
 * milliseconds, which a promise alone does not.
 * @throws FramesealError when the signal has aborted.
 */
export function turns(signal: AbortSignal | undefined): () => Promise<void> | undefined {
  let since = performance.now();
  return () => {
    throwIfAborted(signal);
    if (performance.now() - since < TURN_MS) return undefined;
    return takeTurn(signal).then(() => {
      since = performance.now();
    });
  };
}

async function takeTurn(signal: AbortSignal | undefined): Promise<void> {
  await new Promise<void>(nextTurn);
  throwIfAborted(signal);
}

// A timer waits for a millisecond, and in pages for four once timers have set timers (HTML standard, section 8.6). What a page
// calls setImmediate may be a microtask, which lets nobody in, so it is taken only where it is the runtime's.
function nextTurn(resume: () => void): void {
  const { process, setImmediate, MessageChannel } = globalThis as Turns;
  if (process?.versions?.node !== undefined && typeof setImmediate === 'function') setImmediate(resume);
  else if (typeof MessageChannel === 'function') postTurn(new MessageChannel(), resume);
  else setTimeout(resume, 0);
}

function postTurn({ port1, port2 }: MessageChannel, resume: () => void): void {
  port1.onmessage = () => {
    port1.close();
    resume();
  };
  port2.postMessage(undefined);
}

interface Turns {
  readonly process?: { readonly versions?: { readonly node?: string } };
  readonly setImmediate?: (callback: () => void) => unknown;
  readonly MessageChannel?: typeof MessageChannel;
}
