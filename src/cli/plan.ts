/**
 * Which files a call is about, and where each of them goes: known before anything is written.
 *
 * Without `--output` a file's result lies beside it; with a folder it goes there, the files of a folder under their
 * paths within that folder. Encrypting appends the suffix, decrypting strips it. Rewrapping replaces the file unless it
 * is told otherwise, and adding keys makes or renews the message's sidecar.
 */
import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, join, relative, resolve, sep } from 'node:path';
import type { FramesealError } from '../errors.ts';
import { fileError, refusedFile, UsageError } from './failure.ts';

/** What becomes of files. */
export type Direction = 'encrypt' | 'decrypt' | 'rewrap' | 'add-keys';

/** What a call is asked for. */
export interface PlanOptions {
  readonly direction: Direction;
  /** Files, folders or `-`; none is `-`. */
  readonly inputs: readonly string[];
  readonly output: string | undefined;
  readonly recursive: boolean;
  readonly suffix: string;
}

/** One message. `-` is stdin or stdout. */
export interface Job {
  readonly input: string;
  readonly output: string;
  /** Whether the output lies in a folder that is made if need be. */
  readonly inFolder: boolean;
  /** Whether an output that exists is renewed: the message itself, or a sidecar. */
  readonly renews: boolean;
}

/** A file that nothing can be done with. */
export interface Refused {
  readonly input: string;
  readonly error: FramesealError;
}

/** What is to be done. */
export interface Plan {
  readonly jobs: readonly Job[];
  readonly refused: readonly Refused[];
  /** Entries of folders that are left alone: links, devices, and files that their suffix shows to be of no concern. */
  readonly skipped: number;
}

/** Stdin or stdout as a file name. */
export const STDIO = '-';
/** What the name of a message's sidecar ends in. */
export const SIDECAR_SUFFIX = '.sidecar';

/** @throws UsageError if inputs and output do not go together, or two files would be one. */
export async function makePlan(options: PlanOptions): Promise<Plan> {
  if (/[/\\]/.test(options.suffix)) throw new UsageError('--suffix expected a part of a file name');
  if (options.inputs.length === 0 || options.inputs.includes(STDIO)) return streamPlan(options);
  const sources = await findSources(options);
  const target = await findTarget(options, sources.oneFile);
  const jobs: Job[] = [];
  for (const source of sources.files) {
    const job = jobOf(source, target, options);
    if ('error' in job) sources.refused.push(job);
    else jobs.push(job);
  }
  checkDistinct(jobs, sources.files);
  return { jobs, refused: sources.refused, skipped: sources.skipped };
}

interface Source {
  readonly path: string;
  /** Its path within the folder that was named, or its own name. */
  readonly within: string;
}

interface Sources {
  readonly files: Source[];
  readonly refused: Refused[];
  skipped: number;
  /** Whether the call names one file, and no folder. */
  oneFile: boolean;
}

interface Target {
  readonly kind: 'beside' | 'stdout' | 'file' | 'folder';
  /** Of a file or a folder. */
  readonly path: string;
}

async function streamPlan({ direction, inputs, output = STDIO }: PlanOptions): Promise<Plan> {
  if (direction === 'add-keys') throw new UsageError('add-keys expected files or folders');
  if (inputs.length > 1) throw new UsageError('standard input (-) and files do not go into one call');
  const stats = await stat(output).catch(() => undefined);
  if (output !== STDIO && (stats?.isDirectory() || namesFolder(output))) {
    throw new UsageError('standard input has no name: --output expected a file or -, got a folder');
  }
  return { jobs: [{ input: STDIO, output, inFolder: false, renews: false }], refused: [], skipped: 0 };
}

async function findSources(options: PlanOptions): Promise<Sources> {
  const sources: Sources = { files: [], refused: [], skipped: 0, oneFile: options.inputs.length === 1 };
  for (const input of options.inputs) {
    try {
      if (!(await stat(input)).isDirectory()) {
        sources.files.push({ path: input, within: basename(input) });
        continue;
      }
      sources.oneFile = false;
      if (options.recursive) await walk(input, input, options, sources);
      else sources.refused.push({ input, error: refusedFile(input, 'is a folder: say --recursive') });
    } catch (cause) {
      sources.refused.push({ input, error: fileError(input, 'read', cause) });
    }
  }
  return sources;
}

// In the order of names. Links are not followed, so that nothing outside the folder is touched.
async function walk(folder: string, root: string, options: PlanOptions, sources: Sources): Promise<void> {
  let entries: Dirent[];
  try {
    entries = await readdir(folder, { withFileTypes: true });
  } catch (cause) {
    sources.refused.push({ input: folder, error: fileError(folder, 'read', cause) });
    return;
  }
  const names = new Set(entries.map(({ name }) => name));
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    const wanted = entry.isDirectory() || (entry.isFile() && isWanted(entry.name, names, options));
    if (!wanted) sources.skipped++;
    else if (entry.name.includes('\ufffd')) sources.refused.push(unnamed(path));
    else if (entry.isDirectory()) await walk(path, root, options, sources);
    else sources.files.push({ path, within: relative(root, path) });
  }
}

// U+FFFD stands for bytes that are not UTF-8: the name leads nowhere, or to another file.
function unnamed(path: string): Refused {
  return { input: path, error: refusedFile(path, 'is left alone: its name is not UTF-8') };
}

// So that a folder can be sealed again, and opened, when messages lie beside their originals, and sidecars beside these.
function isWanted(name: string, names: ReadonlySet<string>, { suffix, direction }: PlanOptions): boolean {
  const message = name.endsWith(SIDECAR_SUFFIX) ? name.slice(0, -SIDECAR_SUFFIX.length) : undefined;
  if (message?.endsWith(suffix) && names.has(message)) return false;
  return suffix === '' || name.endsWith(suffix) === (direction !== 'encrypt');
}

async function findTarget({ direction, output }: PlanOptions, oneFile: boolean): Promise<Target> {
  if (output === undefined) return { kind: 'beside', path: '' };
  if (output === STDIO) {
    if (direction === 'add-keys') throw new UsageError('--output expected a file or a folder for sidecars');
    if (!oneFile) throw new UsageError('--output - expected one file as input, got several or a folder');
    return { kind: 'stdout', path: STDIO };
  }
  const stats = await stat(output).catch(() => undefined);
  if (!oneFile && stats?.isFile()) {
    throw new UsageError(`--output expected a folder for several inputs, got the file "${output}"`);
  }
  const isFile = oneFile && !(stats?.isDirectory() ?? namesFolder(output));
  return { kind: isFile ? 'file' : 'folder', path: output };
}

function jobOf({ path, within }: Source, target: Target, options: PlanOptions): Job | Refused {
  const inFolder = target.kind === 'folder';
  const output = outputOf(path, within, target, options);
  if (output === undefined) {
    const what = `is no name that ends in "${options.suffix}", so its plaintext has no name: say --output`;
    return { input: path, error: refusedFile(path, what) };
  }
  const inPlace = target.kind === 'beside' && options.direction === 'rewrap';
  if (!inPlace && output !== STDIO && resolve(output) === resolve(path)) {
    const advice = options.direction === 'rewrap' ? 'leave --output out for that' : 'say --output';
    return { input: path, error: refusedFile(path, `would be replaced by its own result: ${advice}`) };
  }
  return { input: path, output, inFolder, renews: inPlace || options.direction === 'add-keys' };
}

function outputOf(path: string, within: string, target: Target, options: PlanOptions): string | undefined {
  if (target.kind === 'stdout') return STDIO;
  if (target.kind === 'file') return target.path;
  if (target.kind === 'beside') return renamed(path, options);
  return join(target.path, renamed(within, options) ?? within);
}

// What nothing can be stripped from, or what would be no name of a file then, is `undefined`.
function renamed(path: string, { direction, suffix }: PlanOptions): string | undefined {
  if (direction === 'encrypt') return path + suffix;
  if (direction === 'add-keys') return path + SIDECAR_SUFFIX;
  if (direction === 'rewrap') return path;
  const name = basename(path);
  const rest = name.slice(0, name.length - suffix.length);
  const fits = name.endsWith(suffix) && !['', '.', '..'].includes(rest);
  return fits ? path.slice(0, path.length - suffix.length) : undefined;
}

function checkDistinct(jobs: readonly Job[], files: readonly Source[]): void {
  const taken = new Map<string, string>();
  const inputs = new Set(files.map(({ path }) => resolve(path)));
  for (const { input, output } of jobs.filter((job) => job.output !== STDIO)) {
    const place = resolve(output);
    const other = taken.get(place);
    if (other !== undefined) throw new UsageError(`"${other}" and "${input}" would both become "${output}"`);
    if (inputs.has(place) && place !== resolve(input))
      throw new UsageError(`"${output}" is an input, and "${input}" would become it`);
    taken.set(place, input);
  }
}

function namesFolder(path: string): boolean {
  return path.endsWith('/') || path.endsWith(sep);
}
