/**
 * The journal of a rotation as a file: lines of JSON that are only ever appended.
 *
 * ```
 * {"journal":"frameseal rotation 1"}
 * {"name":"2026/orders.fseal","state":"begun","messageId":"0b1f…"}
 * ```
 * A line counts from its newline on. One without, at the end, was being written when the run was killed: nobody has relied on it
 * yet, and it goes. Entries that come at the same time are flushed together.
 */
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { utf8Text } from '../bytes.ts';
import type { FramesealError } from '../errors.ts';
import type { JournalEntry, RotationJournal } from '../index.ts';
import { checkEntry } from '../rewrap/rotation-journal.ts';
import { flushFolder } from './atomic-file.ts';
import { ioError, refused } from './io-error.ts';
import { checkPath } from './opened-file.ts';

/** A journal in a file. */
export interface FileJournal extends RotationJournal {
  /** Closes the file when what is being appended has been written. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const FIRST_LINE = '{"journal":"frameseal rotation 1"}\n';
// With O_APPEND, two runs by mistake write behind each other. Without O_NONBLOCK, opening a FIFO would wait for its other end.
const CREATE = constants.O_RDWR | constants.O_CREAT | constants.O_APPEND;
const FLAGS = CREATE | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
const OWNER_ONLY = 0o600;

/** Bytes of a read, and of the longest line. */
const BUFFER_LENGTH = 2 ** 16;
const MAX_LINE = 2 ** 20;
const NEWLINE = 0x0a;

/**
 * Opens the journal of a rotation, or begins one: a file of mode 0600 in a folder that exists. One run at a time may use it;
 * another one that writes to it is noticed, and both fail.
 * @param path not among the messages. A symbolic link is not followed.
 * @throws FramesealError `INVALID_ARGUMENT`; `IO`, also for a file that is no journal. Reading its entries fails with `IO` at a
 *   damaged line, and names its number; an append that fails makes all later ones fail.
 */
export async function fileJournal(path: string): Promise<FileJournal> {
  checkPath('path', path);
  const file = resolve(path);
  const handle = await attempt('open', file, () => open(file, FLAGS, OWNER_ONLY));
  try {
    const length = await attempt('open', file, () => repair(handle, file));
    return new Journal(handle, file, length);
  } catch (error) {
    await handle.close().catch(() => {});
    throw error;
  }
}

// Cuts off a line that was torn. What does not begin as a journal is none, and nothing is cut off it.
async function repair(handle: FileHandle, path: string): Promise<number> {
  const stats = await handle.stat();
  if (!stats.isFile()) throw refused('open', path, 'it is no regular file');
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(FIRST_LINE.length), 0, FIRST_LINE.length, 0);
  const start = buffer.toString('latin1', 0, bytesRead);
  if (!FIRST_LINE.startsWith(start) || (bytesRead < FIRST_LINE.length && stats.size > bytesRead))
    throw refused('open', path, 'it is no journal of a rotation: name another file');
  if (bytesRead < FIRST_LINE.length) {
    await handle.truncate(0);
    await writeAll(handle, Buffer.from(FIRST_LINE));
  }
  const size = Math.max(stats.size, FIRST_LINE.length);
  const length = await lastNewline(handle, size);
  if (length < size) await handle.truncate(length); // else another run, which is noticed later, would lose what it has added
  await handle.sync();
  await flushFolder(path, 'flush the folder of the journal');
  return length;
}

// The offset behind it. There is one: that of the first line.
async function lastNewline(handle: FileHandle, size: number): Promise<number> {
  const buffer = Buffer.alloc(BUFFER_LENGTH);
  for (let end = size; ; end -= BUFFER_LENGTH) {
    const start = Math.max(0, end - BUFFER_LENGTH);
    const { bytesRead } = await handle.read(buffer, 0, end - start, start);
    const at = buffer.subarray(0, bytesRead).lastIndexOf(NEWLINE);
    if (at !== -1) return start + at + 1;
  }
}

interface Waiting {
  readonly line: string;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

class Journal implements FileJournal {
  readonly #handle: FileHandle;
  readonly #path: string;
  /** Bytes of the file that are durable. */
  #length: number;
  #waiting: Waiting[] = [];
  #writing: Promise<void> | undefined;
  #failure: FramesealError | undefined;
  #closed: Promise<void> | undefined;

  constructor(handle: FileHandle, path: string, length: number) {
    this.#handle = handle;
    this.#path = path;
    this.#length = length;
  }

  async *entries(): AsyncGenerator<JournalEntry> {
    const end = this.#length;
    const buffer = Buffer.alloc(BUFFER_LENGTH);
    let rest: Uint8Array = new Uint8Array(0);
    let number = 0;
    for (let at = 0; at < end; ) {
      const wanted = Math.min(BUFFER_LENGTH, end - at);
      const { bytesRead } = await attempt('read', this.#path, () => this.#handle.read(buffer, 0, wanted, at));
      if (bytesRead === 0) throw refused('read', this.#path, 'it has become shorter meanwhile');
      at += bytesRead;
      const lines = splitLines(Buffer.concat([rest, buffer.subarray(0, bytesRead)]));
      rest = lines.pop()!;
      if (rest.length > MAX_LINE) throw this.#damaged(number + lines.length + 1);
      for (const line of lines) if (++number > 1) yield this.#entryOf(line, number);
    }
  }

  async append(entry: JournalEntry): Promise<void> {
    checkEntry(entry);
    const { name, state, messageId } = entry;
    if (this.#closed) throw refused('write', this.#path, 'the journal has been closed');
    const line = `${JSON.stringify({ name, state, messageId })}\n`;
    if (line.length > MAX_LINE / 4) throw refused('write', this.#path, 'the name of the message is too long');
    await new Promise<void>((resolve, reject) => {
      this.#waiting.push({ line, resolve, reject });
      this.#writing ??= this.#writeAll();
    });
  }

  close(): Promise<void> {
    this.#closed ??= (async () => {
      await this.#writing;
      await attempt('close', this.#path, () => this.#handle.close());
    })();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  // Those who come while a group is being written make the next one.
  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const group = this.#waiting.splice(0);
      try {
        if (this.#failure) throw this.#failure;
        await attempt('write', this.#path, () => this.#write(group));
        for (const { resolve } of group) resolve();
      } catch (error) {
        this.#failure = error as FramesealError;
        for (const { reject } of group) reject(error);
      }
    }
    this.#writing = undefined;
  }

  async #write(group: readonly Waiting[]): Promise<void> {
    const { size } = await this.#handle.stat();
    if (size !== this.#length)
      throw refused('write', this.#path, 'something else has written to it: is another rotation using it?');
    const bytes = Buffer.from(group.map(({ line }) => line).join(''));
    await writeAll(this.#handle, bytes);
    await this.#handle.datasync();
    this.#length += bytes.length;
  }

  #entryOf(line: Uint8Array, number: number): JournalEntry {
    try {
      const { name, state, messageId } = JSON.parse(utf8Text(line)!);
      checkEntry({ name, state, messageId });
      return { name, state, messageId };
    } catch {
      throw this.#damaged(number);
    }
  }

  #damaged(number: number): FramesealError {
    const why = `line ${number} is damaged: restore the file from a copy, or take that line out if you know what it said`;
    return refused('read', this.#path, why);
  }
}

// Whole lines without their newlines, and what follows the last one.
function splitLines(bytes: Uint8Array): Uint8Array[] {
  const lines: Uint8Array[] = [];
  let start = 0;
  for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, start)) {
    lines.push(bytes.subarray(start, end));
    start = end + 1;
  }
  lines.push(bytes.subarray(start));
  return lines;
}

async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length; )
    done += (await handle.write(bytes, done, bytes.length - done)).bytesWritten;
}

async function attempt<T>(what: string, path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw ioError(what, path, cause);
  }
}
