/**
 * From a file through a message stream into a file that appears when all has succeeded. Reading, sealing or opening, and
 * writing overlap; memory is bounded by two buffers and what the stream holds.
 */
import { resolve } from 'node:path';
import { throwIfAborted } from '../errors.ts';
import type { MessageStream } from '../stream/message-stream.ts';
import { AtomicFile, checkTarget, resolveTarget, type TargetOptions } from './atomic-file.ts';
import { checkPath, OpenedFile } from './opened-file.ts';

/** What every operation from file to file answers. */
export interface FileResult {
  /** Bytes of the source. */
  readonly bytesRead: number;
  /** Bytes of the target. */
  readonly bytesWritten: number;
  /**
   * Temporary files of other runs to the same target, which were not removed: their runs may live. The next run that
   * finds them dead removes them.
   */
  readonly leftovers: readonly string[];
}

/** How a file is transformed. */
export interface TransformOptions extends TargetOptions {
  readonly signal?: AbortSignal | undefined;
  /** Whether the target is the source itself, which is then replaced, unless it has changed meanwhile. */
  readonly inPlace?: boolean;
}

/** Bytes of a read; there are two buffers. */
const BUFFER_LENGTH = 2 ** 20;

/**
 * @param start makes the stream, when the files are open.
 * @throws FramesealError `IO`, `INVALID_ARGUMENT`, `ABORTED`, and what the stream fails with
 */
export async function transformFile<R>(
  source: string,
  target: string,
  options: TransformOptions,
  start: (source: OpenedFile) => MessageStream<R>,
): Promise<R & FileResult> {
  checkPath('source', source);
  const path = resolveTarget(target, options);
  const input = await OpenedFile.open(resolve(source));
  try {
    await checkTarget(path, options, options.inPlace ? undefined : input.identity);
    const check = options.inPlace ? () => checkSame(path, input) : undefined;
    return await writeFile(input, await AtomicFile.create(path, options), options.signal, start, check);
  } finally {
    await input.close().catch(() => {}); // all of it has been read, or something else is the matter
  }
}

async function writeFile<R>(
  input: OpenedFile,
  output: AtomicFile,
  signal: AbortSignal | undefined,
  start: (source: OpenedFile) => MessageStream<R>,
  check: (() => Promise<void>) | undefined,
): Promise<R & FileResult> {
  try {
    const result = await pump(input, start(input), output);
    throwIfAborted(signal);
    await output.commit(check);
    const { length, leftovers } = output;
    return { ...result, bytesRead: input.size, bytesWritten: length, leftovers };
  } catch (error) {
    await output.discard();
    throw error;
  }
}

// What is replaced is what was read, and no link to it. It is closed first, because Windows replaces no open file.
async function checkSame(path: string, input: OpenedFile): Promise<void> {
  await checkTarget(path, {});
  await input.checkUnchanged();
  await input.close();
}

// Both sides have come to an end when this does. What makes one fail makes the stream fail, with that as its reason; only
// the last write may fail when the stream is over.
async function pump<R>(
  input: OpenedFile,
  { readable, writable, result }: MessageStream<R>,
  output: AtomicFile,
): Promise<R> {
  const [, drained] = await Promise.allSettled([feed(input, writable), drain(readable, output)]);
  const answer = await result;
  if (drained.status === 'rejected') throw drained.reason;
  return answer;
}

// A stream has copied a chunk when its write settles; so two buffers serve by turns.
async function feed(input: OpenedFile, writable: WritableStream<BufferSource>): Promise<void> {
  const writer = writable.getWriter();
  const buffers = [new Uint8Array(BUFFER_LENGTH), new Uint8Array(BUFFER_LENGTH)];
  try {
    let ahead = handled(input.readInto(buffers[0]!, 0));
    for (let at = 0, turn = 1; at < input.size; turn ^= 1) {
      const chunk = await ahead;
      at += chunk.length;
      ahead = handled(input.readInto(buffers[turn]!, at));
      await writer.write(chunk);
    }
    await input.checkSize();
    await writer.close();
  } catch (error) {
    await writer.abort(error).catch(() => {});
    throw error;
  }
}

async function drain(readable: ReadableStream<Uint8Array>, output: AtomicFile): Promise<void> {
  const reader = readable.getReader();
  let written = Promise.resolve();
  try {
    while (true) {
      const { done, value } = await reader.read();
      await written;
      if (done) return;
      written = handled(output.write(value));
    }
  } catch (error) {
    await written.catch(() => {});
    await reader.cancel(error).catch(() => {});
    throw error;
  }
}

// A promise that may fail while nobody waits for it yet.
function handled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}
