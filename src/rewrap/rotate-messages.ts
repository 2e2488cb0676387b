/**
 * The rotation of many messages: all objects of a store under other wrapping keys, some at a time, with a journal from which
 * another run goes on.
 */
import { onAbort, turns, untilAborted } from '../deadline.ts';
import { aborted, invalidArgument, kindOf } from '../errors.ts';
import { type Rotation, rotateMessage, type StoredMessage } from './rotate-message.ts';
import { type ResolvedRotation, type RotateOptions, resolveRotation } from './rotate-options.ts';
import { type JournalEntry, RotationNames } from './rotation-journal.ts';
import { type RotationReport, type RotationResult, RotationTally } from './rotation-report.ts';
import { WrapLimit } from './wrap-limit.ts';

/**
 * Rewraps the messages of a store, as `rewrapStream` does each: verified to the last byte, written anew under the keys of
 * `to`, with a new data key unless `freshDataKey` is false, and replaced.
 *
 * Objects fail one by one: the report counts them, and the others go on. What ends the run rejects: the signal, an
 * iterable that fails (when the objects under way have ended), a journal that fails, and a callback that throws. There is no
 * report then: `onResult` has told of every object that had come to an end, and the journal has them.
 *
 * With a journal, a run that was killed at whatever moment is gone on with by the next one with the same journal: `keyring` need
 * not open what is under `to` already. A journal belongs to one rotation: for the next one take a new one.
 *
 * Memory is that of some frames for each object under way, whatever their size and number; with a journal, its names.
 * @param objects taken as they are needed, one after the other. No name comes twice: that object fails, where the name
 *   is known, because both are under way or a journal has it.
 * @throws FramesealError `INVALID_ARGUMENT`, `UNSUPPORTED`, `COMMITMENT_POLICY`, `LIMIT_EXCEEDED`, `ABORTED`; what iterable,
 *   journal and callbacks throw
 */
export async function rotateMessages(
  objects: AsyncIterable<StoredMessage> | Iterable<StoredMessage>,
  options: RotateOptions,
): Promise<RotationReport> {
  const resolved = resolveRotation(options);
  const sources = objects as Partial<AsyncIterable<unknown> & Iterable<unknown>> | undefined;
  if (!sources?.[Symbol.asyncIterator] && !sources?.[Symbol.iterator])
    throw invalidArgument('objects', 'an iterable or async iterable of stored messages', kindOf(objects));
  return new Run(resolved).all(objects);
}

/** One call. */
class Run {
  readonly #resolved: ResolvedRotation;
  readonly #tally = new RotationTally();
  readonly #stop = new AbortController();
  /** Callbacks that were async: their failure ends the run as well. */
  readonly #called = new Set<Promise<unknown>>();
  /** What ends the run, and not one object alone. */
  #failure: { readonly error: unknown } | undefined;

  constructor(resolved: ResolvedRotation) {
    this.#resolved = resolved;
  }

  async all(objects: AsyncIterable<StoredMessage> | Iterable<StoredMessage>): Promise<RotationReport> {
    const { signal } = this.#resolved.request;
    const leave = onAbort(signal, () => this.#fail(aborted(signal!)));
    const source = checked(objects);
    try {
      const rotation = await this.#begin();
      const { concurrency } = this.#resolved;
      const work = () => this.#rotateThose(source, rotation);
      const ends = await Promise.allSettled(Array.from({ length: concurrency }, work));
      const failed = ends.find((end) => end.status === 'rejected');
      if (failed) throw failed.reason;
      await Promise.all(this.#called);
      if (this.#failure) throw this.#failure.error;
      return this.#tally.report(rotation.wraps);
    } catch (error) {
      throw this.#failure ? this.#failure.error : error;
    } finally {
      leave();
      source.return(undefined).catch(() => {}); // not waited for: it may itself be waiting for the next object
    }
  }

  async #begin(): Promise<Rotation> {
    const { rewrap, request, wishes, dryRun, journal, maxWraps } = this.#resolved;
    const { signal } = this.#stop;
    const append = (entry: JournalEntry) => this.#append(entry);
    const names = await untilAborted(signal, RotationNames.load(journal, append, signal));
    const wraps = new WrapLimit(maxWraps, names.begunBefore);
    const options = { ...rewrap, to: wraps.counting(rewrap.to) };
    return { options, request, wishes, names, wraps, dryRun, onBytes: (count) => this.#addBytes(count) };
  }

  async #rotateThose(source: AsyncGenerator<StoredMessage>, rotation: Rotation): Promise<void> {
    const { signal } = this.#stop;
    const turn = turns(signal);
    while (true) {
      await turn();
      const { done, value } = await untilAborted(signal, source.next());
      if (done) return;
      this.#settle(await rotateMessage(value, rotation, signal));
    }
  }

  #settle(result: RotationResult): void {
    this.#tally.add(result);
    this.#call(() => this.#resolved.onResult?.(result));
    this.#call(() => this.#resolved.onProgress?.(this.#tally.progress));
  }

  #addBytes(count: number): void {
    this.#tally.bytes += count;
    this.#call(() => this.#resolved.onProgress?.(this.#tally.progress));
  }

  // Without its journal nothing goes on.
  async #append(entry: JournalEntry): Promise<void> {
    try {
      await untilAborted(this.#stop.signal, this.#resolved.journal!.append(entry));
    } catch (error) {
      this.#fail(error);
      throw error;
    }
  }

  // What ends because the run does is told to nobody.
  #call(callback: () => unknown): void {
    if (this.#stop.signal.aborted) return;
    try {
      const answer = callback();
      if (answer instanceof Promise) this.#follow(answer);
    } catch (error) {
      this.#fail(error);
    }
  }

  // Forgotten when it has settled: a run may have millions.
  #follow(answer: Promise<unknown>): void {
    const settled = answer
      .catch((error: unknown) => this.#fail(error))
      .finally(() => this.#called.delete(settled));
    this.#called.add(settled);
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#stop.abort(error);
  }
}

// A generator answers one `next` after the other, so those under way may ask at the same time; and after a failure it has
// ended.
async function* checked(
  objects: AsyncIterable<StoredMessage> | Iterable<StoredMessage>,
): AsyncGenerator<StoredMessage> {
  for await (const message of objects) {
    const { name, read, replace } = message ?? {};
    if (typeof name !== 'string' || typeof read !== 'function' || typeof replace !== 'function')
      throw invalidArgument('objects', 'objects with name, read and replace', kindOf(message));
    yield message;
  }
}
