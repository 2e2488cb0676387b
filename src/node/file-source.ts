/**
 * A file as the source of `decryptRange`: only what a range needs is read.
 */
import type { FileHandle } from 'node:fs/promises';
import type { Bytes } from '../bytes.ts';
import { invalidArgument, kindOf } from '../errors.ts';
import { checkInteger } from '../options.ts';
import { checkPath, OpenedFile } from './opened-file.ts';

/** A file that ranges are read from. */
export interface FileSource {
  /** Bytes of the file when it was opened. */
  readonly size: number;
  /**
   * The bytes from `start` to `end`, exclusive; never fewer.
   * @throws FramesealError `IO`, also when the file is no longer as long as it was; `INVALID_ARGUMENT`
   */
  read(start: number, end: number): Promise<Bytes>;
  /** Closes the file, unless it came as a handle: that stays its owner's. What is being read fails. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Opens a regular file for reading ranges. Reads do not move a handle's position.
 * @throws FramesealError `IO`, `INVALID_ARGUMENT`
 */
export async function fileSource(file: string | FileHandle): Promise<FileSource> {
  if (typeof file === 'string') {
    checkPath('file', file);
    const opened = await OpenedFile.open(file);
    return sourceOf(opened, () => opened.close());
  }
  if (typeof file?.read !== 'function' || typeof file.stat !== 'function') {
    throw invalidArgument('file', 'a path or a FileHandle', kindOf(file));
  }
  return sourceOf(await OpenedFile.of(file, `file descriptor ${file.fd}`), async () => {});
}

function sourceOf(file: OpenedFile, close: () => Promise<void>): FileSource {
  return {
    size: file.size,
    async read(start, end) {
      checkInteger('start', start, 0, file.size);
      checkInteger('end', end, start, file.size);
      const bytes = await file.readInto(new Uint8Array(end - start), start);
      await file.checkSize();
      return bytes;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
