/**
 * What killed runs leave behind: a temporary file beside the target, which the next run to that target removes.
 *
 * Names are never used twice, so a file whose writer is dead stays dead, and two runs that find the same one cannot
 * harm each other or a third.
 */
import { lstat, readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { isAlive, isTemporary, writerOf } from './temporary-name.ts';

/** Writers that cannot be asked, on another host or before a boot, are taken for dead after a day of silence. */
const SILENCE_MS = 24 * 3600 * 1000;

/** Entries of a large folder. */
const LARGE = 1000;

/**
 * Removes the temporary files of dead runs to the target `name`: regular files of this user only.
 * @returns the paths of those that stay, because their run may live or because they cannot be removed.
 */
export async function removeLeftovers(folder: string, name: string): Promise<string[]> {
  const left: string[] = [];
  for (const entry of await temporariesIn(folder)) {
    const path = join(folder, entry);
    const writer = writerOf(entry, name);
    if (writer === undefined) continue;
    const stays = await removeIfDead(path, isAlive(writer)).catch(isThere);
    if (stays) left.push(path);
  }
  return left;
}

async function removeIfDead(path: string, alive: boolean | undefined): Promise<boolean> {
  const stats = await lstat(path);
  const dead = alive === false || (alive === undefined && Date.now() - stats.mtimeMs > SILENCE_MS);
  const ours = process.geteuid === undefined || stats.uid === process.geteuid();
  if (!dead || !ours || !stats.isFile()) return true;
  await unlink(path);
  return false;
}

// Another run may have removed it first, or its own may have ended.
function isThere(error: NodeJS.ErrnoException): boolean {
  return error.code !== 'ENOENT';
}

interface Look {
  readonly folder: string;
  readonly entries: Promise<string[]>;
  /** On the clock of the process. */
  expires: number;
}

let last: Look | undefined;

// Looking takes time that grows with the folder. In large ones no more than a twentieth of the time goes into it: else
// writing a hundred thousand files into one folder would take hours.
function temporariesIn(folder: string): Promise<string[]> {
  if (last?.folder === folder && performance.now() < last.expires) return last.entries;
  const started = performance.now();
  const all = readdir(folder).catch((): string[] => []); // a folder may be written to and not read
  const look: Look = {
    folder,
    entries: all.then((names) => names.filter(isTemporary)),
    expires: Number.POSITIVE_INFINITY,
  };
  last = look;
  void all.then(({ length }) => {
    const now = performance.now();
    look.expires = length < LARGE ? now : now + 19 * (now - started);
  });
  return look.entries;
}
