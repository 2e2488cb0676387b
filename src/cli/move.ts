/**
 * One message from its input to its output: from file to file by the library's own crash-safe way, anything else through
 * a stream.
 */
import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { FramesealError } from '../errors.ts';
import type { CommonOptions, Context, EncryptedDataKey, MessageHeader, MessageStream } from '../index.ts';
import { decodeBase64, peek } from './base64.ts';
import { fileError } from './failure.ts';
import { type Io, write } from './io.ts';
import { type Job, STDIO } from './plan.ts';
import { namingSidecars, readSidecars, type SidecarFile } from './sidecars.ts';
import { openSource } from './source.ts';
import { checkTarget, writeWhole } from './whole-file.ts';

/** What a message says of itself, when it is authentic. */
export interface Message {
  readonly header: MessageHeader;
  /** Of decrypting: the pairs stored, and those that the caller reproduced. */
  readonly authenticatedContext?: Context;
  /** Of rewrapping: whether the data key has stayed. */
  readonly dataKey?: 'kept' | 'new';
  /** Of rewrapping: the old encrypted data keys that the new message still has. */
  readonly remaining?: readonly EncryptedDataKey[];
}

/** What one message came to. */
export interface Moved extends Message {
  readonly bytesRead: number;
  readonly bytesWritten: number;
  /** Of adding keys: the new encrypted data keys, and all of the sidecar. */
  readonly added?: readonly EncryptedDataKey[];
  readonly sidecarKeys?: readonly EncryptedDataKey[];
  /** Of rewrapping in place: the sidecar of the old message, which is gone. */
  readonly removedSidecar?: string;
}

/** One direction, with the options of the call. */
export interface Mover {
  /** Whether base64 text of a message is taken for the message. */
  readonly readsBase64: boolean;
  /** The sidecars that the call names, where messages are read with theirs. */
  readonly sidecars?: readonly string[];
  readonly file: (source: string, target: string, options: FileOptions) => Promise<Moved>;
  readonly stream: (options: Pick<FileOptions, 'onProgress' | 'sidecars'>) => MessageStream<Message>;
}

/** What a mover is told of one message. */
export interface FileOptions extends Pick<MoveOptions, 'onProgress' | 'overwrite' | 'dryRun'> {
  readonly sidecars: readonly SidecarFile[];
}

/** How one message is moved. */
export interface MoveOptions {
  readonly overwrite: boolean;
  /** Whether nothing is to be written. Only movers of files that are renewed know of it. */
  readonly dryRun: boolean;
  readonly onProgress: NonNullable<CommonOptions['onProgress']>;
  /** Told what people should know. */
  readonly onNote: (text: string) => Promise<void>;
  /** Told of bytes that stdout has been given. */
  readonly onStdout: (bytes: number) => void;
}

/** @throws ClosedPipe, FramesealError, and errors of the system */
export async function move(job: Job, mover: Mover, io: Io, options: MoveOptions): Promise<Moved> {
  const sidecars = mover.sidecars ? await readSidecars(job.input, mover.sidecars) : [];
  try {
    return await moveWith(job, mover, io, { ...options, sidecars });
  } catch (error) {
    throw namingSidecars(error, sidecars);
  }
}

type AllOptions = MoveOptions & FileOptions;

async function moveWith(job: Job, mover: Mover, io: Io, options: AllOptions): Promise<Moved> {
  const { input, output, inFolder, renews } = job;
  const { onProgress, overwrite, dryRun, sidecars } = options;
  const moveFile = () => mover.file(input, output, { onProgress, overwrite, dryRun, sidecars });
  if (output === STDIO) return moveStream(job, mover, io, options);
  if (!renews) await checkTarget(output, overwrite ? undefined : 'say --overwrite to replace it');
  if (inFolder && !dryRun) await makeFolder(dirname(output));
  if (renews || dryRun) return moveFile();
  if (input === STDIO || !(await stat(input)).isFile()) return moveStream(job, mover, io, options);
  try {
    return await moveFile();
  } catch (error) {
    const isText = error instanceof FramesealError && error.code === 'BASE64_MESSAGE';
    if (!isText) throw error;
    return moveStream(job, mover, io, options);
  }
}

async function moveStream(job: Job, mover: Mover, io: Io, options: AllOptions): Promise<Moved> {
  const { input, output } = job;
  const source = openSource(input, io);
  let bytesWritten = 0;
  try {
    const bytes = mover.readsBase64 ? await decoded(source.bytes, options) : source.bytes;
    const stream = mover.stream(options);
    const result = counted(through(bytes, stream), (length) => {
      bytesWritten += length;
    });
    if (output === STDIO) await print(result, io, options);
    else await writeWhole(output, result, { overwrite: options.overwrite, mode: 0o600 });
    return { ...(await stream.result), bytesRead: source.length, bytesWritten };
  } finally {
    source.close();
  }
}

async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
  } catch (cause) {
    throw fileError(path, 'make the folder', cause);
  }
}

async function decoded(
  bytes: AsyncIterable<Uint8Array>,
  { onNote }: MoveOptions,
): Promise<AsyncIterable<Uint8Array>> {
  const { base64, source } = await peek(bytes);
  if (!base64) return source;
  await onNote('the input is the base64 text of a message, which is decoded');
  return decodeBase64(source);
}

async function print(
  chunks: AsyncIterable<Uint8Array>,
  { stdout }: Io,
  { onStdout }: MoveOptions,
): Promise<void> {
  for await (const chunk of chunks) {
    await write(stdout, chunk);
    onStdout(chunk.length);
  }
}

async function* counted(
  chunks: AsyncIterable<Uint8Array>,
  count: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    count(chunk.length);
    yield chunk;
  }
}

// When the readable side fails, or is left, the writing side fails too; what it says then is the same.
async function* through(
  source: AsyncIterable<Uint8Array>,
  { readable, writable }: MessageStream<unknown>,
): AsyncGenerator<Uint8Array> {
  const fed = feed(source, writable);
  fed.catch(() => {});
  yield* readable;
  await fed;
}

async function feed(
  source: AsyncIterable<Uint8Array>,
  writable: WritableStream<BufferSource>,
): Promise<void> {
  const writer = writable.getWriter();
  try {
    for await (const chunk of source) await writer.write(chunk as Uint8Array<ArrayBuffer>);
    await writer.close();
  } catch (error) {
    await writer.abort(error).catch(() => {});
    throw error;
  }
}
