/**
 * What a rotation knows of names: which objects are done, and under which message ids others may have been replaced
 * already. It comes from a journal that outlives the run, and from the run itself.
 *
 * ```
 * begun, id   the new message with this id may be in the store from now on: written before it can be
 * done, id    it is
 * ```
 * After a crash an object that is begun and not done tells by the message id in its own header which of the two it is. All ids
 * of an object count, not the last one alone: what a killed run had sent off may arrive after the next run has looked.
 */
import { invalidArgument, kindOf, quote, throwIfAborted } from '../errors.ts';

/** A step of one object. */
export interface JournalEntry {
  readonly name: string;
  readonly state: 'begun' | 'done';
  /** Of the new message: hexadecimal, 16 or 32 bytes. */
  readonly messageId: string;
}

/** What a rotation writes down, so that another run can go on where it was killed. One journal serves one rotation. */
export interface RotationJournal {
  /** The entries of earlier runs, in order. */
  entries(): AsyncIterable<JournalEntry> | Iterable<JournalEntry>;
  /** Settles when the entry is durable. Calls overlap. */
  append(entry: JournalEntry): Promise<void>;
}

/** Ids under which an object may have been replaced, or `done` by an earlier run, or `seen` in this one. */
type Known = readonly string[] | 'done' | 'seen';

/**
 * The names of one run. Without a journal it holds those of the objects under way alone; with one, all that the journal
 * has and those that come: some 100 bytes each and the name, and at most 2^24 of them, which is what a Map holds.
 */
export class RotationNames {
  /** Entries `begun` of earlier runs: each is a data key that was wrapped. */
  readonly begunBefore: number;
  readonly #append: RotationJournal['append'] | undefined;
  readonly #known: Map<string, Known>;
  readonly #running = new Set<string>();

  private constructor(
    append: RotationJournal['append'] | undefined,
    known: Map<string, Known>,
    begun: number,
  ) {
    this.#append = append;
    this.#known = known;
    this.begunBefore = begun;
  }

  /**
   * Reads what earlier runs have written.
   * @param append the journal's, as the run calls it.
   * @throws FramesealError `INVALID_ARGUMENT` for what is no entry, and what the journal throws
   */
  static async load(
    journal: RotationJournal | undefined,
    append: RotationJournal['append'],
    signal: AbortSignal,
  ): Promise<RotationNames> {
    const known = new Map<string, Known>();
    if (journal === undefined) return new RotationNames(undefined, known, 0);
    let begun = 0;
    for await (const entry of journal.entries()) {
      throwIfAborted(signal);
      checkEntry(entry);
      if (entry.state === 'begun') begun++;
      note(known, entry);
    }
    return new RotationNames(append, known, begun);
  }

  /**
   * Does the work of one object. When that succeeds, and there is a journal, the name may not come again.
   * @param work is given the ids under which earlier runs may have replaced it; `undefined` when it is done.
   * @throws FramesealError `INVALID_ARGUMENT` for a name that came before, and what the work throws
   */
  async visit<T>(name: string, work: (ids: readonly string[] | undefined) => Promise<T>): Promise<T> {
    const known = this.#known.get(name) ?? [];
    if (known === 'seen' || this.#running.has(name))
      throw invalidArgument('objects', 'each name once', `${quote(name)} twice`);
    this.#running.add(name);
    try {
      const result = await work(known === 'done' ? undefined : known);
      if (this.#append) this.#known.set(name, 'seen');
      return result;
    } finally {
      this.#running.delete(name);
    }
  }

  /** The new message with this id may be in the store when this has settled. */
  async begin(name: string, messageId: string): Promise<void> {
    await this.#note({ name, state: 'begun', messageId });
  }

  /** It is in the store. */
  async finish(name: string, messageId: string): Promise<void> {
    await this.#note({ name, state: 'done', messageId });
  }

  async #note(entry: JournalEntry): Promise<void> {
    if (this.#append === undefined) return;
    await this.#append(entry);
    note(this.#known, entry);
  }
}

function note(known: Map<string, Known>, { name, state, messageId }: JournalEntry): void {
  const before = known.get(name) ?? [];
  if (typeof before === 'string') return; // done is done
  known.set(name, state === 'done' ? 'done' : [...before, messageId]);
}

/** @throws FramesealError `INVALID_ARGUMENT` */
export function checkEntry(entry: JournalEntry): void {
  const { name, state, messageId } = entry ?? {};
  const isEntry =
    typeof name === 'string' &&
    (state === 'begun' || state === 'done') &&
    typeof messageId === 'string' &&
    /^(?:[0-9a-f]{32}){1,2}$/.test(messageId);
  if (isEntry) return;
  throw invalidArgument(
    'journal',
    'entries { name, state: "begun" | "done", messageId: 32 or 64 hexadecimal digits }',
    kindOf(entry),
  );
}

/** @throws FramesealError `INVALID_ARGUMENT` unless it has the two operations of a journal. */
export function checkJournal(journal: RotationJournal | undefined): void {
  if (journal === undefined) return;
  if (typeof journal?.entries !== 'function' || typeof journal.append !== 'function')
    throw invalidArgument('journal', 'an object with entries and append', kindOf(journal));
}
