/**
 * The rotation of one object: read, rewrapped, replaced, with the journal told before and after; or tried out.
 */
import { openMessage } from '../begin-decrypt.ts';
import { chunkBytes, hex } from '../bytes.ts';
import { onAbort, untilAborted } from '../deadline.ts';
import { type DecryptStreamRequest, readHeader } from '../decrypt-stream.ts';
import { aborted, FramesealError, invalidArgument, kindOf } from '../errors.ts';
import type { ParsedHeader } from '../format/message-header.ts';
import { ByteQueue } from '../stream/byte-queue.ts';
import type { MessageStream } from '../stream/message-stream.ts';
import { checkRewrap, type RewrapReport, type RewrapRequest } from './begin-rewrap.ts';
import { type RewrapStreamOptions, rewrapStream } from './rewrap-stream.ts';
import type { RotationNames } from './rotation-journal.ts';
import type { RotationResult } from './rotation-report.ts';
import type { WrapLimit } from './wrap-limit.ts';

/** A message in a store: a file, an object of a bucket. */
export interface StoredMessage {
  /** Unique and stable: what the journal knows it by. */
  readonly name: string;
  /** Bytes, if they are known. */
  readonly size?: number;
  /** Begins to read it. What is not read to its end is cancelled. */
  read(options: { readonly signal: AbortSignal }): Promise<ReadableStream<Uint8Array>>;
  /**
   * Replaces the object by the body, whole or not at all, and only if it is still what was last read. Resolves when that is
   * durable; rejects, and leaves the object as it was, when the body fails or the signal aborts.
   */
  replace(body: ReadableStream<Uint8Array>, options: { readonly signal: AbortSignal }): Promise<void>;
}

/** What the objects of a run share. */
export interface Rotation {
  /** Of each rewrap, without a signal. Its `to` counts. */
  readonly options: RewrapStreamOptions;
  readonly request: DecryptStreamRequest;
  readonly wishes: RewrapRequest;
  readonly names: RotationNames;
  readonly wraps: WrapLimit;
  readonly dryRun: boolean;
  /** Told of bytes as they are read. */
  onBytes(count: number): void;
}

/** One object, from its name to its result. It never rejects: a failure is a result too. */
export async function rotateMessage(
  message: StoredMessage,
  rotation: Rotation,
  signal: AbortSignal,
): Promise<RotationResult> {
  const { name } = message;
  const own = new AbortController();
  const stop = () => own.abort(aborted(signal));
  const leave = onAbort(signal, stop);
  if (signal.aborted) stop();
  try {
    return await rotation.names.visit(name, (ids) => rotate(message, ids, rotation, own.signal));
  } catch (error) {
    own.abort(error); // whatever of this object is still under way
    return { name, outcome: 'failed', error };
  } finally {
    leave();
  }
}

async function rotate(
  message: StoredMessage,
  ids: readonly string[] | undefined,
  rotation: Rotation,
  signal: AbortSignal,
): Promise<RotationResult> {
  const { name } = message;
  const { names, wraps, dryRun, request } = rotation;
  if (ids === undefined) return { name, outcome: 'done-before' };
  if (ids.length > 0) {
    const id = hex((await headerOf(message, request, signal)).messageId);
    if (ids.includes(id)) {
      if (!dryRun) await names.finish(name, id);
      return { name, outcome: 'done-before' };
    }
  }
  wraps.check();
  return dryRun ? tryOut(message, rotation, signal) : rewrite(message, rotation, signal);
}

// All that can be known without asking `to` and without reading the body.
async function tryOut(
  message: StoredMessage,
  { request, wishes, wraps }: Rotation,
  signal: AbortSignal,
): Promise<RotationResult> {
  const header = await headerOf(message, request, signal);
  const opened = await openMessage(header, { ...request, signal });
  opened.opener.dispose();
  const { plan } = checkRewrap(wishes, header, opened);
  wraps.claim();
  const { name, size } = message;
  const { dataKey, suite } = plan;
  return {
    name,
    outcome: 'would-rewrap',
    dataKey,
    suite: suite.name,
    ...(size !== undefined && { bytes: size }),
  };
}

// The journal has the new message's id before the store is given its first byte.
async function rewrite(
  message: StoredMessage,
  { options, names, onBytes }: Rotation,
  signal: AbortSignal,
): Promise<RotationResult> {
  const { name } = message;
  const stream = rewrapStream({ ...options, signal });
  const end = follow(stream);
  const body = await read(message, signal);
  let bytes = 0;
  const counted = new TransformStream<Uint8Array, ArrayBufferView>({
    transform(chunk, controller) {
      const { byteLength = 0 } = chunk ?? {};
      bytes += byteLength;
      onBytes(byteLength);
      controller.enqueue(chunk);
    },
  });
  body
    .pipeThrough(counted)
    .pipeTo(stream.writable, { signal })
    .catch(() => {}); // it fails as the stream does
  const id = hex((await stream.header).messageId);
  await names.begin(name, id);
  const { dataKey, header, missingKeys } = await replaced(message, stream, end, signal);
  await names.finish(name, id);
  return { name, outcome: 'rewrapped', dataKey, suite: header.algorithmSuite, bytes, missingKeys };
}

/** How a stream has ended; without either field it has not. */
interface End {
  readonly report?: RewrapReport;
  readonly failure?: unknown;
}

function follow({ result }: MessageStream<RewrapReport>): End {
  const end: { report?: RewrapReport; failure?: unknown } = {};
  result.then(
    (report) => {
      end.report = report;
    },
    (error: unknown) => {
      end.failure = error;
    },
  );
  return end;
}

// Of two failures that of the message says more, unless it is that its reader gave up.
async function replaced(
  message: StoredMessage,
  { readable }: MessageStream<RewrapReport>,
  end: End,
  signal: AbortSignal,
): Promise<RewrapReport> {
  try {
    await untilAborted(signal, message.replace(readable, { signal }));
  } catch (error) {
    throw end.failure === undefined || isAbort(end.failure) ? error : end.failure;
  }
  if (end.report) return end.report;
  throw end.failure ?? invalidArgument('replace', 'to read the body to its end', 'less');
}

function isAbort(error: unknown): boolean {
  return error instanceof FramesealError && error.code === 'ABORTED';
}

async function read(message: StoredMessage, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
  const late = (body: ReadableStream) => void body.cancel().catch(() => {});
  const body = await untilAborted(signal, message.read({ signal }), late);
  if (typeof body?.pipeThrough === 'function' && typeof body.getReader === 'function') return body;
  throw invalidArgument('read', 'to answer a ReadableStream', kindOf(body));
}

/** The header, not yet authentic. No more of the message is read than the chunks that hold it. */
async function headerOf(
  message: StoredMessage,
  request: DecryptStreamRequest,
  signal: AbortSignal,
): Promise<ParsedHeader> {
  const reader = (await read(message, signal)).getReader();
  const queue = new ByteQueue();
  try {
    void readInto(queue, reader);
    return await untilAborted(signal, readHeader(queue, request));
  } finally {
    queue.fail(undefined);
    await untilAborted(signal, reader.cancel()).catch(() => {});
  }
}

async function readInto(queue: ByteQueue, reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      const bytes = chunkBytes(next.value);
      if (bytes === undefined)
        throw invalidArgument('chunk', 'an ArrayBuffer or a view of one', kindOf(next.value));
      await queue.write(bytes);
    }
    queue.end();
  } catch (error) {
    queue.fail(error);
  }
}
