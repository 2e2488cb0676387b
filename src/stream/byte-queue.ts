/**
 * Bytes between a writer and a reader: what has been written and not yet taken.
 *
 * One buffer, which only the reader moves or enlarges, inside {@link ByteQueue.need}: a view of what is there stays good
 * until the next `need`, even while the writer goes on. A writer waits while the buffer is full. It is small at first,
 * and grows while the writer is ahead of the reader, or as far as the reader asks: never by what a length field claims,
 * only by what has come.
 */
import type { Bytes } from '../bytes.ts';
import { type FramesealError, invalidArgument } from '../errors.ts';

const SMALLEST = 2 ** 14;
/** Bytes up to which the buffer grows of its own accord. */
const ROOM = 2 ** 18;

/** The queue. One reader, one writer. */
export class ByteQueue {
  #buffer: Bytes = new Uint8Array(0);
  #start = 0;
  #end = 0;
  #ended = false;
  #failure: { readonly reason: unknown } | undefined;
  #wakeReader = () => {};
  #wakeWriter: (() => void) | undefined;

  /** What is there. Good until the next {@link need}. */
  get bytes(): Uint8Array {
    return this.#buffer.subarray(this.#start, this.#end);
  }

  /** Whether nothing more will come. */
  get ended(): boolean {
    return this.#ended;
  }

  /**
   * Settles when all of it has been copied.
   * @throws FramesealError `INVALID_ARGUMENT` when the chunk loses bytes before that.
   */
  async write(chunk: Uint8Array): Promise<void> {
    const { length } = chunk;
    for (let at = 0; at < length; ) {
      const free = this.#buffer.length - this.#end;
      if (this.#failure) throw this.#failure.reason;
      if (free === 0) {
        await this.#untilRoom();
        continue;
      }
      if (chunk.length < length) throw shrunk(length, chunk.length);
      const part = chunk.subarray(at, Math.min(at + free, length));
      this.#buffer.set(part, this.#end);
      this.#end += part.length;
      at += part.length;
      this.#wakeReader();
    }
  }

  /** Nothing more will come. */
  end(): void {
    this.#ended = true;
    this.#wakeReader();
  }

  /** Reader and writer fail with this reason from now on. */
  fail(reason: unknown): void {
    this.#failure ??= { reason };
    this.#wakeReader();
    this.#wakeWriter?.();
  }

  /** Waits until that many bytes are there. `false` when fewer are, and no more will come. */
  async need(count: number): Promise<boolean> {
    while (true) {
      if (this.#failure) throw this.#failure.reason;
      if (this.#end - this.#start >= count) return true;
      if (this.#ended) return false;
      this.#makeRoom();
      await new Promise<void>((resolve) => {
        this.#wakeReader = resolve;
        this.#wakeWriter?.();
      });
    }
  }

  /** Takes that many bytes away from the front. */
  skip(count: number): void {
    this.#start += count;
  }

  /** Wipes what is there. */
  wipe(): void {
    this.#buffer.fill(0);
    this.#buffer = new Uint8Array(0);
    this.#start = this.#end = 0;
  }

  #untilRoom(): Promise<void> {
    return new Promise((resolve) => {
      this.#wakeWriter = () => {
        this.#wakeWriter = undefined;
        resolve();
      };
      this.#wakeReader();
    });
  }

  // Free space behind what is there: as much again as there is, so that each byte is moved once or twice in all. By
  // moving to the front, or into a larger buffer.
  #makeRoom(): void {
    const { length } = this.#buffer;
    if (this.#end < length) return;
    const there = this.#end - this.#start;
    const ahead = this.#wakeWriter ? Math.min(length * 2, ROOM) : 0;
    const wanted = Math.max(SMALLEST, there * 2, ahead);
    if (wanted > length) {
      const smaller = this.#buffer;
      this.#buffer = new Uint8Array(wanted);
      this.#buffer.set(smaller.subarray(this.#start, this.#end));
      smaller.fill(0); // what has been taken from it too
    } else {
      this.#buffer.copyWithin(0, this.#start, this.#end);
    }
    this.#start = 0;
    this.#end = there;
  }
}

// Transferred or resized while its write was waiting: the rest must not be missing without a word.
function shrunk(length: number, left: number): FramesealError {
  return invalidArgument('chunk', `to keep its ${length} bytes until its write settles`, `${left} bytes`);
}
