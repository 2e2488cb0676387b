/**
 * Encrypts a file into a file.
 */
import type { EncryptOptions } from '../begin-encrypt.ts';
import { type EncryptStreamResult, encryptStream } from '../encrypt-stream.ts';
import { checkInteger } from '../options.ts';
import type { TargetOptions } from './atomic-file.ts';
import { type FileResult, transformFile } from './transform-file.ts';

/** Options of {@link encryptFile}. */
export interface EncryptFileOptions extends EncryptOptions, TargetOptions {}

/** What {@link encryptFile} answers. */
export interface EncryptFileResult extends EncryptStreamResult, FileResult {}

/**
 * Encrypts a regular file. The target appears under its name when the whole message is on the disk; on any failure it
 * is as it was, and nothing else is left.
 *
 * The source must keep its length meanwhile. A target that is a symbolic link, a folder or the source itself is refused;
 * an existing file is replaced, unless `overwrite` is false. The result has mode 0600, unless `mode` says otherwise.
 * @param source path of a regular file; symbolic links are followed.
 * @param target path of the message; its folder must exist.
 * @throws FramesealError `IO`, and what `encryptStream` fails with
 */
export async function encryptFile(
  source: string,
  target: string,
  options: EncryptFileOptions,
): Promise<EncryptFileResult> {
  const { overwrite, mode, plaintextLength, ...rest } = { ...options };
  const { signal } = rest;
  if (plaintextLength !== undefined)
    checkInteger('plaintextLength', plaintextLength, 0, Number.MAX_SAFE_INTEGER);
  // The length is known: it bounds what caches and managers reserve, and is the total of the progress.
  return transformFile(source, target, { overwrite, mode, signal }, ({ size }) =>
    encryptStream({ ...rest, plaintextLength: Math.min(size, plaintextLength ?? size) }),
  );
}
