/**
 * A message's way through a pair of Web Streams.
 *
 * The protocol is a generator that takes from a queue and yields bytes, so that it reads from top to bottom as it does in
 * one shot. The consumer pulls it: nothing runs ahead by more than one piece, and a writer waits while the queue is full.
 * Whatever ends it early, at either end or by a signal, fails the other end too, aborts what is under way, runs the
 * generator's `finally`, and leaves nothing behind.
 */
import { type Bytes, chunkBytes } from '../bytes.ts';
import { onAbort } from '../deadline.ts';
import { aborted, FramesealError, invalidArgument, kindOf } from '../errors.ts';
import type { MessageHeader } from '../format/message-header.ts';
import { ByteQueue } from './byte-queue.ts';

/** A pair of streams and what comes of them. */
export interface MessageStream<Result> {
  readonly readable: ReadableStream<Bytes>;
  /** Takes chunks of any size: ArrayBuffers, shared ones, and views of them. They are copied before a write settles. */
  readonly writable: WritableStream<ArrayBufferLike | ArrayBufferView>;
  /** Resolves as soon as the header is authentic. Marked as handled: whoever ignores it hears of no rejection. */
  readonly header: Promise<MessageHeader>;
  /** Resolves when the last byte has been released. Marked as handled. */
  readonly result: Promise<Result>;
}

/** The protocol's side of a stream. */
export interface MessageRun {
  readonly input: ByteQueue;
  /** Aborts when the stream ends early, for whatever reason. */
  readonly signal: AbortSignal;
  /** Makes the header known. */
  onHeader(header: MessageHeader): void;
}

/** Takes from the input, yields bytes, and in the end returns the result. */
export type MessageProtocol<Result> = (run: MessageRun) => AsyncGenerator<Bytes, Result>;

/**
 * Starts a protocol.
 * @param signal the caller's.
 */
export function messageStream<Result>(
  protocol: MessageProtocol<Result>,
  signal: AbortSignal | undefined,
): MessageStream<Result> {
  const { readable, writable, header, result } = new Running(protocol, signal);
  return { readable, writable, header, result };
}

class Running<Result> implements MessageStream<Result> {
  readonly readable: ReadableStream<Bytes>;
  readonly writable: WritableStream<ArrayBufferLike | ArrayBufferView>;
  readonly #header = deferred<MessageHeader>();
  readonly #result = deferred<Result>();
  readonly #input = new ByteQueue();
  readonly #abort = new AbortController();
  readonly #output: AsyncGenerator<Bytes, Result>;
  #readable!: ReadableStreamDefaultController<Bytes>;
  #writable!: WritableStreamDefaultController;
  #leave = () => {};
  #over = false;

  constructor(protocol: MessageProtocol<Result>, signal: AbortSignal | undefined) {
    const onHeader = this.#header.resolve;
    this.#output = protocol({ input: this.#input, signal: this.#abort.signal, onHeader });
    this.readable = new ReadableStream<Bytes>({
      start: (controller) => {
        this.#readable = controller;
      },
      pull: () => this.#pull(),
      cancel: (reason) => this.#fail(reason ?? stopped('the reader has cancelled the stream')),
    });
    this.writable = new WritableStream<ArrayBufferLike | ArrayBufferView>({
      start: (controller) => {
        this.#writable = controller;
      },
      write: (chunk) => this.#write(chunk),
      close: () => this.#close(),
      abort: (reason) => {
        if (this.#writable.signal === undefined) void this.#fail(abortReason({ reason })); // WebKit before 16.4
      },
    });
    // Where it can be not the sink's own `abort`, which would come after a write that itself waits for the reader. When the signal fires
    // the streams are half way into their next state: a moment later they are there.
    const writer: AbortSignal | undefined = this.#writable.signal;
    const failSoon = () => queueMicrotask(() => void this.#fail(abortReason(writer!)));
    writer?.addEventListener('abort', failSoon, { once: true });
    this.#follow(signal);
  }

  get header(): Promise<MessageHeader> {
    return this.#header.promise;
  }

  get result(): Promise<Result> {
    return this.#result.promise;
  }

  #follow(signal: AbortSignal | undefined): void {
    if (signal?.aborted) void this.#fail(aborted(signal));
    this.#leave = onAbort(signal, () => void this.#fail(aborted(signal!)));
  }

  async #pull(): Promise<void> {
    try {
      const { done, value } = await this.#output.next();
      if (this.#over) return;
      if (done) this.#finish(value);
      else this.#readable.enqueue(value);
    } catch (error) {
      await this.#fail(error);
    }
  }

  async #write(chunk: unknown): Promise<void> {
    try {
      await this.#input.write(checkedBytes(chunk));
    } catch (error) {
      void this.#fail(error);
      throw error;
    }
  }

  // The writer is told how it ended: a pipe into the stream fails when the message is found to be wrong at its end.
  async #close(): Promise<void> {
    this.#input.end();
    await this.result;
  }

  #finish(result: Result): void {
    this.#end();
    this.#readable.close();
    this.#result.resolve(result);
  }

  // Settles when the protocol has cleaned up.
  async #fail(reason: unknown): Promise<void> {
    if (this.#over) return;
    this.#end();
    this.#input.fail(reason);
    this.#abort.abort(reason);
    this.#readable.error(reason);
    this.#writable.error(reason);
    this.#header.reject(reason);
    this.#result.reject(reason);
    await this.#output.return(undefined as never).catch(() => {});
  }

  #end(): void {
    this.#over = true;
    this.#leave();
  }
}

function checkedBytes(chunk: unknown): Uint8Array {
  const bytes = chunkBytes(chunk);
  if (bytes) return bytes;
  throw invalidArgument('chunk', 'an ArrayBuffer or a view of one, not detached', kindOf(chunk));
}

// The writer's own reason; the streams' stand-in for none is an AbortError.
function abortReason({ reason }: { readonly reason: unknown }): unknown {
  return reason === undefined || (reason instanceof DOMException && reason.name === 'AbortError')
    ? stopped('the writer has aborted the stream', reason)
    : reason;
}

function stopped(what: string, cause?: unknown): FramesealError {
  return new FramesealError('ABORTED', what, { cause });
}

interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (reason: unknown) => void;
}

function deferred<T>(): Deferred<T> {
  let [resolve, reject]: [Deferred<T>['resolve'], Deferred<T>['reject']] = [() => {}, () => {}];
  const promise = new Promise<T>((done, failed) => {
    resolve = done;
    reject = failed;
  });
  promise.catch(() => {}); // handled: nobody has to look at it
  return { promise, resolve, reject };
}
