/**
 * Errors of files: code `IO`, with what was tried, on which path, what the system answered, and what to do about it.
 * Texts of errno names: errno(3).
 */
import { sep } from 'node:path';
import { escapeText, FramesealError } from '../errors.ts';

const ADVICE: Readonly<Record<string, string>> = {
  EACCES: 'check the permissions of the file and of its folder',
  EBADF: 'it has been closed',
  EBUSY: 'it is in use, or a mount point',
  EDQUOT: 'the quota is used up: free some space, or choose another folder',
  EEXIST: 'remove it, choose another name, or allow "overwrite"',
  EFBIG: 'the file system takes no file of this size: choose another folder',
  EIO: 'the device failed: look at the system log',
  EISDIR: 'it is a folder: name a file',
  ELOOP: 'symbolic links lead in a circle: name the file itself',
  EMFILE: 'too many files are open: work on fewer at a time',
  ENAMETOOLONG: 'choose a shorter name',
  ENFILE: 'too many files are open on this machine',
  ENOENT: 'check the path; a folder that is written to must exist',
  ENOSPC: 'the disk is full: free some space, or choose another folder',
  ENOTDIR: 'a part of the path is no folder: check the path',
  ENXIO: 'it is a socket or a device: read and write it through a stream',
  EPERM: 'check the owner and the attributes of the file and of its folder',
  EROFS: 'the file system is read-only: choose another folder',
  EXDEV: 'the folder lies on several file systems: choose another one',
};

/**
 * What a failed operation on a file is reported as. Failures that are not the system's are returned as they are.
 * @param what as it follows "cannot": `read`, `write`, `flush the folder of`.
 */
export function ioError(what: string, path: string, cause: unknown): unknown {
  const code = systemCode(cause);
  if (code === undefined) return cause;
  const { message } = cause as Error;
  const said = /^[A-Z0-9_]+: (.+?)(?:, \w+(?: '.*)?)?$/s.exec(message)?.[1] ?? message;
  const advice = ADVICE[code];
  const text = `cannot ${what} ${shown(path)}: ${escapeText(said)} (${code})${advice ? `: ${advice}` : ''}`;
  return new FramesealError('IO', text, { cause, operation: what });
}

/** A refusal of ours, before the system was asked. */
export function refused(what: string, path: string, why: string): FramesealError {
  return new FramesealError('IO', `cannot ${what} ${shown(path)}: ${why}`, { operation: what });
}

/** The errno name of a system error, such as `ENOENT`; `undefined` for any other failure. */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || !('syscall' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** A path in quotes, without characters that a terminal obeys. */
export function shown(path: string): string {
  return `"${path.split(sep).map(escapeText).join(sep)}"`;
}
