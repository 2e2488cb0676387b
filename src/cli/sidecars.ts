/**
 * Sidecar files: FILE.sidecar beside the message FILE, and those that the call names.
 */
import { resolve } from 'node:path';
import { FramesealError } from '../errors.ts';
import { fileSource } from '../node/index.ts';
import { SIDECAR_SUFFIX, STDIO } from './plan.ts';

/** Longer files are no sidecars: as many bytes as a header may have. */
const MAX_SIDECAR = 4 * 2 ** 20;

/** A sidecar as it was read. */
export interface SidecarFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** Where the sidecar of a message lies, if it has one. */
export function besideOf(message: string): string {
  return message + SIDECAR_SUFFIX;
}

/**
 * The sidecars of a message: the one beside it, if there is one, and those that are given.
 * @throws FramesealError `IO`, `LIMIT_EXCEEDED`
 */
export async function readSidecars(message: string, given: readonly string[]): Promise<SidecarFile[]> {
  const beside = message === STDIO ? undefined : await readIfThere(besideOf(message));
  const others = given.filter((path) => beside === undefined || resolve(path) !== resolve(beside.path));
  const files = beside === undefined ? [] : [beside];
  for (const path of others) files.push({ path, bytes: await read(path) });
  return files;
}

/** Sidecars as the library takes them. */
export function bytesOf(sidecars: readonly SidecarFile[]): readonly Uint8Array[] {
  return sidecars.map(({ bytes }) => bytes);
}

/** An error with the names of the sidecars that it is about, if it is about sidecars. */
export function namingSidecars(error: unknown, sidecars: readonly SidecarFile[]): unknown {
  if (!(error instanceof FramesealError) || error.code !== 'SIDECAR_MISMATCH' || sidecars.length === 0)
    return error;
  const names = sidecars.map(({ path }) => `"${path}"`).join(', ');
  const what = `${error.message}; look at ${names}, which no longer serves a message that was written anew`;
  return new FramesealError(error.code, what, { cause: error });
}

async function readIfThere(path: string): Promise<SidecarFile | undefined> {
  try {
    return { path, bytes: await read(path) };
  } catch (error) {
    const { code } = ((error as Error).cause ?? {}) as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}

async function read(path: string): Promise<Uint8Array> {
  const source = await fileSource(path);
  try {
    if (source.size <= MAX_SIDECAR) return await source.read(0, source.size);
    throw new FramesealError('LIMIT_EXCEEDED', `the sidecar "${path}" has more than ${MAX_SIDECAR} bytes`);
  } finally {
    await source.close();
  }
}
