/**
 * New files that appear whole or not at all, for what is streamed or small.
 */
import { randomBytes } from 'node:crypto';
import { link, lstat, open, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { FramesealError } from '../errors.ts';
import { fileError, refusedFile } from './failure.ts';

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
 * Writes what a source gives to a temporary file beside the target, which takes its name when all is on the disk.
 * @throws FramesealError `IO`, and what the source throws; then nothing is left, and an existing file is as it was
 */
export async function writeWhole(
  path: string,
  contents: string | AsyncIterable<Uint8Array>,
  { overwrite, mode }: WriteOptions,
): Promise<void> {
  const temporary = join(dirname(path), `.${randomBytes(16).toString('hex')}.frameseal-tmp`);
  try {
    await writeFile(temporary, contents, { flag: 'wx', mode, flush: true });
    // Unlike a rename, a link never replaces what is there.
    await (overwrite ? rename(temporary, path) : link(temporary, path));
    await flushFolder(dirname(path));
  } catch (error) {
    throw error instanceof FramesealError ? error : fileError(path, 'write', error);
  } finally {
    await rm(temporary, { force: true });
  }
}

// Not every folder can be opened: on Windows none can, and none needs it.
async function flushFolder(path: string): Promise<void> {
  const folder = await open(path).catch(() => undefined);
  await folder?.sync().finally(() => folder.close());
}
