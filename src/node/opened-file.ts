/**
 * A regular file that is open for reading: reads are exact, and a file that changes its length meanwhile is an error.
 */
import { type BigIntStats, constants } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import type { Bytes } from '../bytes.ts';
import { invalidArgument, kindOf } from '../errors.ts';
import { ioError, refused } from './io-error.ts';

/** What tells one file from another, whatever its names. */
export interface FileIdentity {
  readonly dev: bigint;
  readonly ino: bigint;
}

// Without O_NONBLOCK, opening a FIFO would wait for its writer, where no signal reaches it.
const FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/** Bytes that one call to the system is asked for at most: more than 2^31 - 1 are refused. */
export const MAX_CALL: number = 2 ** 30;

/** A file and the size that it had when it was opened. */
export class OpenedFile {
  readonly path: string;
  readonly size: number;
  readonly identity: FileIdentity;
  readonly #handle: FileHandle;
  /** When it was last written to, in nanoseconds. */
  readonly #modified: bigint;

  private constructor(path: string, handle: FileHandle, stats: BigIntStats) {
    this.path = path;
    this.size = Number(stats.size);
    this.identity = stats;
    this.#handle = handle;
    this.#modified = stats.mtimeNs;
  }

  /** Opens a file. Symbolic links to it are followed. @throws FramesealError `IO` */
  static async open(path: string): Promise<OpenedFile> {
    let handle: FileHandle;
    try {
      handle = await open(path, FLAGS);
    } catch (cause) {
      throw ioError('read', path, cause);
    }
    try {
      return await OpenedFile.of(handle, path);
    } catch (error) {
      await handle.close().catch(() => {});
      throw error;
    }
  }

  /** Reads through a handle that stays its owner's. @throws FramesealError `IO` */
  static async of(handle: FileHandle, path: string): Promise<OpenedFile> {
    const stats = await attempt(path, () => handle.stat({ bigint: true }));
    if (stats.isDirectory()) throw refused('read', path, 'it is a folder: name a file');
    if (!stats.isFile()) {
      throw refused('read', path, 'it is no regular file: read pipes and devices through a stream');
    }
    return new OpenedFile(path, handle, stats);
  }

  /**
   * Fills the buffer from offset `start` on, or as much of it as there are bytes.
   * @returns the filled part.
   * @throws FramesealError `IO`, also if the file has become shorter.
   */
  async readInto(buffer: Bytes, start: number): Promise<Bytes> {
    const length = Math.min(buffer.length, this.size - start);
    for (let filled = 0; filled < length; ) {
      const { bytesRead } = await attempt(this.path, () =>
        this.#handle.read(buffer, filled, Math.min(length - filled, MAX_CALL), start + filled),
      );
      if (bytesRead === 0) throw this.#changed(`it ends at byte ${start + filled}`);
      filled += bytesRead;
    }
    return buffer.subarray(0, length);
  }

  /**
   * Fails if the file is no longer as long as it was. A byte behind the end is looked for too: files of `/proc` have
   * content and say that they are empty.
   * @throws FramesealError `IO`
   */
  async checkSize(): Promise<void> {
    const stats = await attempt(this.path, () => this.#handle.stat({ bigint: true }));
    if (stats.size !== BigInt(this.size)) throw this.#changed(`it has ${stats.size} bytes now`);
    const probe = new Uint8Array(1);
    const { bytesRead } = await attempt(this.path, () => this.#handle.read(probe, 0, 1, this.size));
    if (bytesRead !== 0) throw this.#changed('it has more now');
  }

  /**
   * Fails if there is another file under the path than the one that was opened, or if that has been written to since.
   * @throws FramesealError `IO`
   */
  async checkUnchanged(): Promise<void> {
    const { dev, ino, size, mtimeNs } = await attempt(this.path, () => stat(this.path, { bigint: true }));
    const { identity } = this;
    if (dev !== identity.dev || ino !== identity.ino) throw this.#changed('another file has its name now');
    if (size !== BigInt(this.size)) throw this.#changed(`it has ${size} bytes now`);
    if (mtimeNs !== this.#modified) throw this.#changed('it has been written to');
  }

  /** Closes the file. What is being read fails. */
  async close(): Promise<void> {
    await attempt(this.path, () => this.#handle.close());
  }

  #changed(how: string): Error {
    const why = `it changed while it was read: it had ${this.size} bytes, and ${how}. Read it when nobody writes to it, or through a stream`;
    return refused('read', this.path, why);
  }
}

/** @throws FramesealError `INVALID_ARGUMENT` unless this is text that can be a path. */
export function checkPath(name: string, path: string): void {
  if (typeof path !== 'string' || path === '') throw invalidArgument(name, 'a path', kindOf(path));
  if (path.includes('\0')) throw invalidArgument(name, 'a path without the character U+0000', kindOf(path));
}

async function attempt<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw ioError('read', path, cause);
  }
}
