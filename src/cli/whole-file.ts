/**
 * New files that appear whole or not at all, for what is streamed or small.
 */
import { lstat } from 'node:fs/promises';
import { fileTarget } from '../node/index.ts';
import { refusedFile } from './failure.ts';

/** How a file is written. */
export interface WriteOptions {
  readonly overwrite: boolean;
  readonly mode: number;
}

/**
 * Refuses a target before anything is read for it.
 * @param hint what to do when it exists; `undefined` if it may be replaced.
 * @throws FramesealError `IO`
 */
export async function checkTarget(path: string, hint: string | undefined): Promise<void> {
  const stats = await lstat(path).catch(() => undefined);
  if (stats === undefined) return;
  if (!stats.isFile()) throw refusedFile(path, 'is no regular file: --output - writes to pipes and devices');
  if (hint !== undefined) throw refusedFile(path, `exists already: ${hint}`);
}

/**
 * Writes what a source gives into a file that appears when all is on the disk.
 * @throws FramesealError `IO`, and what the source throws; then nothing is left, and an existing file is as it was
 */
export async function writeWhole(
  path: string,
  contents: string | AsyncIterable<Uint8Array>,
  options: WriteOptions,
): Promise<void> {
  const writer = (await fileTarget(path, { ...options })).getWriter();
  try {
    if (typeof contents === 'string') await writer.write(new TextEncoder().encode(contents));
    else for await (const chunk of contents) await writer.write(chunk as Uint8Array<ArrayBuffer>);
    await writer.close();
  } catch (error) {
    await writer.abort(error).catch(() => {});
    throw error;
  }
}
