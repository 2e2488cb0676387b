/**
 * A file that appears whole or not at all: written to a temporary file beside the target, which takes the target's name
 * when everything is on the disk. Until then an existing target stays as it is.
 *
 * The order of flushes is that of fsync(2) and rename(2): the content, the name, then the folder that holds the name.
 */
import { close, constants, fchmod, fchown, fsync, openSync, write } from 'node:fs';
import { link, lstat, open, rename, unlink } from 'node:fs/promises';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { promisify } from 'node:util';
import { type FramesealError, invalidArgument, kindOf } from '../errors.ts';
import { checkInteger } from '../options.ts';
import { inTurn } from './in-turn.ts';
import { ioError, refused, systemCode } from './io-error.ts';
import { removeLeftovers } from './leftovers.ts';
import { track, untrack } from './live-temporaries.ts';
import { checkPath, type FileIdentity, MAX_CALL } from './opened-file.ts';
import { temporaryName } from './temporary-name.ts';

/** How the target is written. */
export interface TargetOptions {
  /** Default true: an existing file is replaced when the new one is complete. False: it is an error. */
  readonly overwrite?: boolean | undefined;
  /** Permission bits of the result, 0 to 0o777; default 0o600, also where the file that is replaced had others. */
  readonly mode?: number | undefined;
}

/** Of a file that takes the place of another and is to belong to whom that did. */
export interface ReplacementOptions extends TargetOptions {
  readonly owner?: { readonly uid: number; readonly gid: number } | undefined;
}

const CREATE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0);
const OWNER_ONLY = 0o600;

// The file is created in one step with its entry among the live ones, which no signal can come between; so it has a
// descriptor and no FileHandle.
const writeTo = promisify(write);
const flush = promisify(fsync);
const changeMode = promisify(fchmod);
const changeOwner = promisify(fchown);
const closeDescriptor = promisify(close);

/** What file systems without hard links answer. */
const NO_LINKS = ['EPERM', 'EACCES', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'];

/** What folders answer that cannot be flushed, or may be written to and not opened. */
const NO_FLUSH = ['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'EISDIR', 'EACCES', 'EPERM'];

/**
 * Options and path of a target, before any file is touched.
 * @returns the absolute path, which a change of the working folder does not move.
 * @throws FramesealError `INVALID_ARGUMENT`; `IO` for the name of a folder
 */
export function resolveTarget(target: string, { overwrite, mode }: TargetOptions): string {
  checkPath('target', target);
  if (overwrite !== undefined && typeof overwrite !== 'boolean')
    throw invalidArgument('overwrite', 'true or false', kindOf(overwrite));
  if (mode !== undefined) checkInteger('mode', mode, 0, 0o777);
  if (target.endsWith('/') || target.endsWith(sep)) throw refused('write', target, 'it names a folder');
  return resolve(target);
}

/**
 * Refuses a target that is no regular file, or must not be replaced.
 * @param source the file that is read meanwhile: it is never the target, under whatever name.
 * @throws FramesealError `IO`
 */
export async function checkTarget(
  target: string,
  options: TargetOptions,
  source?: FileIdentity,
): Promise<void> {
  const stats = await lstat(target, { bigint: true }).catch((cause) => {
    if (systemCode(cause) === 'ENOENT') return undefined;
    throw ioError('write', target, cause);
  });
  if (stats === undefined) return;
  if (stats.dev === source?.dev && stats.ino === source.ino) {
    throw refused('write', target, 'it is the source itself: choose another name');
  }
  if (stats.isSymbolicLink()) {
    throw refused('write', target, 'it is a symbolic link, which is not followed: name the file itself');
  }
  if (stats.isDirectory()) throw refused('write', target, 'it is a folder: name a file in it');
  if (!stats.isFile()) {
    throw refused('write', target, 'it is no regular file: write to pipes and devices through a stream');
  }
  if (options.overwrite === false) throw exists(target);
}

/** A file that is being written. It ends with `commit` or with `discard`. */
export class AtomicFile {
  /** Temporary files of other runs to the same target, which may live. */
  readonly leftovers: readonly string[];
  readonly #path: string;
  readonly #temporary: string;
  readonly #options: ReplacementOptions;
  readonly #descriptor: number;
  #open = true;
  #length = 0;

  private constructor(path: string, options: ReplacementOptions, leftovers: readonly string[]) {
    this.leftovers = leftovers;
    this.#path = path;
    this.#options = options;
    this.#temporary = join(dirname(path), temporaryName(basename(path)));
    track(this.#temporary);
    try {
      this.#descriptor = openSync(this.#temporary, CREATE, OWNER_ONLY);
    } catch (cause) {
      untrack(this.#temporary);
      throw this.#failure('write', cause);
    }
  }

  /**
   * Removes what dead runs left of this target, and creates the temporary file, for its owner only.
   * @param path absolute, of a checked target.
   * @throws FramesealError `IO`
   */
  static async create(path: string, options: ReplacementOptions): Promise<AtomicFile> {
    const leftovers = await removeLeftovers(dirname(path), basename(path));
    return new AtomicFile(path, options, leftovers);
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#length;
  }

  /** Appends bytes. Calls may not overlap. @throws FramesealError `IO` */
  async write(bytes: Uint8Array): Promise<void> {
    const { length } = bytes;
    for (let done = 0; done < length; ) {
      // Transferred or resized meanwhile: the rest must not be missing without a word.
      if (bytes.length < length)
        throw invalidArgument(
          'chunk',
          `to keep its ${length} bytes until it is written`,
          `${bytes.length} bytes`,
        );
      const { bytesWritten } = await this.#attempt('write', () =>
        writeTo(this.#descriptor, bytes, done, Math.min(length - done, MAX_CALL), this.#length),
      );
      done += bytesWritten;
      this.#length += bytesWritten;
    }
  }

  /**
   * Gives the file its name when all of it is on the disk.
   * @param check the last word before that: where it throws, the target stays as it is.
   * @throws FramesealError `IO`
   */
  async commit(check: () => Promise<void> = async () => {}): Promise<void> {
    const { mode = OWNER_ONLY, overwrite = true, owner } = this.#options;
    if (owner)
      await this.#attempt('keep owner and group of', () =>
        changeOwner(this.#descriptor, owner.uid, owner.gid),
      );
    await this.#attempt('write', async () => {
      if (mode !== OWNER_ONLY) await changeMode(this.#descriptor, mode);
      await flush(this.#descriptor);
      await this.#close();
    });
    await inTurn(dirname(this.#path), async () => {
      await check();
      if (overwrite) await this.#attempt('write', () => rename(this.#temporary, this.#path));
      else await this.#publish();
    });
    untrack(this.#temporary);
    await flushFolder(this.#path, 'flush the folder of the complete file');
  }

  /** Leaves nothing; after `commit` it does nothing. It never fails: the reason for it is what matters. */
  async discard(): Promise<void> {
    await this.#close().catch(() => {});
    await unlink(this.#temporary).catch(() => {});
    untrack(this.#temporary);
  }

  // A hard link is refused where a name exists, which a rename is not.
  async #publish(): Promise<void> {
    try {
      await link(this.#temporary, this.#path);
    } catch (cause) {
      if (!NO_LINKS.includes(systemCode(cause) ?? '')) throw this.#failure('write', cause);
      return this.#renameUnlessThere();
    }
    await this.#attempt('write', () => unlink(this.#temporary));
  }

  async #renameUnlessThere(): Promise<void> {
    const there = await lstat(this.#path).then(
      () => true,
      () => false,
    );
    if (there) throw exists(this.#path);
    await this.#attempt('write', () => rename(this.#temporary, this.#path));
  }

  async #close(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    await closeDescriptor(this.#descriptor);
  }

  async #attempt<T>(what: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (cause) {
      throw this.#failure(what, cause);
    }
  }

  #failure(what: string, cause: unknown): unknown {
    return ioError(what, this.#path, cause);
  }
}

/**
 * Flushes the folder that holds the file's name, where the system can.
 * @param what says it in an error.
 * @throws FramesealError `IO`
 */
export async function flushFolder(path: string, what: string): Promise<void> {
  if (process.platform === 'win32') return; // folders cannot be opened there
  try {
    const folder = await open(dirname(path), constants.O_RDONLY);
    await folder.sync().finally(() => folder.close());
  } catch (cause) {
    if (NO_FLUSH.includes(systemCode(cause) ?? '')) return;
    throw ioError(what, path, cause);
  }
}

function exists(target: string): FramesealError {
  return refused(
    'write',
    target,
    'it exists already, and "overwrite" is false: remove it, or choose another name',
  );
}
