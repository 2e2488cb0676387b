/**
 * The state kept in a file between runs.
 *
 * The file holds key material in clear text; it is for tests and says so. It is written whole to a temporary
 * file beside it and then renamed, so a crash leaves the old or the new one. Two servers on one file would
 * overwrite each other's changes: use one.
 */
import { lstatSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import type { KeyStore } from './key-store.ts';
import { formatState, parseState, type SavedState } from './state-format.ts';

/**
 * Reads a file; `undefined` if there is none yet.
 *
 * Throws if it is no regular file, if group or others have any access to it, or if it is not of this format.
 */
export function loadState(path: string): SavedState | undefined {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return undefined;
  if (!stats.isFile()) throw new Error(`local KMS: "${path}" is not a regular file`);
  if (process.platform !== 'win32' && (stats.mode & 0o077) !== 0) {
    const mode = (stats.mode & 0o777).toString(8).padStart(4, '0');
    throw new Error(`local KMS: others may read "${path}" (mode ${mode}); make it 0600`);
  }
  try {
    return parseState(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new Error(`local KMS: "${path}" is not a state file of this version`, { cause });
  }
}

/** Replaces the file by the store's present state, readable by its owner only. */
export function saveState(path: string, secret: Uint8Array, store: KeyStore): void {
  replaceFile(path, formatState(secret, store));
}

/** Nothing is left of the temporary file, which holds keys too, if this fails. */
function replaceFile(path: string, text: string): void {
  const temporary = `${path}.${process.pid}.tmp`;
  rmSync(temporary, { force: true });
  try {
    writeFileSync(temporary, text, { flag: 'wx', mode: 0o600, flush: true });
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}
