/**
 * Who owns a data key, and so may wipe it.
 *
 * Our own keyrings and materials managers hand over bytes that nobody else holds: the receiver wipes them. Bytes from a
 * caller's keyring or manager may be the caller's to keep, so they are copied and the copy is wiped: a caller that
 * hands out the same materials twice never has its second message encrypted under zeros.
 */
import { type Bytes, copy } from '../bytes.ts';
import { unreachable } from '../errors.ts';

const ours = new WeakSet<object>();

/**
 * Marks a keyring or materials manager of this library: it hands over each data key for good. It is frozen, so that what
 * is marked is what answers.
 */
export function markOurs<T extends object>(source: T): T {
  ours.add(Object.freeze(source));
  return source;
}

/** Whether {@link markOurs} has marked it. */
export function isOurs(source: object): boolean {
  return ours.has(source);
}

/** The data key that `source` has answered, as bytes that are the caller's own to wipe. */
export function takeDataKey(source: object, bytes: Uint8Array): DataKey {
  return new DataKey(isOurs(source) ? (bytes as Bytes) : copy(bytes));
}

/** A data key with one owner. After `dispose`, asking for its bytes throws. */
export class DataKey {
  readonly #bytes: Bytes;
  #disposed = false;

  constructor(bytes: Bytes) {
    this.#bytes = bytes;
  }

  get bytes(): Bytes {
    if (this.#disposed) throw unreachable('a data key was used after it had been wiped');
    return this.#bytes;
  }

  /** Wipes the bytes. */
  dispose(): void {
    this.#disposed = true;
    this.#bytes.fill(0);
  }
}
