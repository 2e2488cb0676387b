/**
 * Decrypts a file into a file.
 */
import { type DecryptStreamOptions, type DecryptStreamResult, decryptStream } from '../decrypt-stream.ts';
import type { TargetOptions } from './atomic-file.ts';
import { type FileResult, transformFile } from './transform-file.ts';

/** Options of {@link decryptFile}. */
export interface DecryptFileOptions extends DecryptStreamOptions, TargetOptions {}

/** What {@link decryptFile} answers. */
export interface DecryptFileResult extends DecryptStreamResult, FileResult {}

/**
 * Decrypts a regular file. The target appears under its name when the message has been verified to its last byte, the
 * signature of a signed one too, and the plaintext is on the disk; on any failure it is as it was, and nothing else is
 * left.
 *
 * A target that is a symbolic link, a folder or the source itself is refused; an existing file is replaced, unless
 * `overwrite` is false. The plaintext has mode 0600, unless `mode` says otherwise.
 * @param source path of a regular file; symbolic links are followed.
 * @param target path of the plaintext; its folder must exist.
 * @throws FramesealError `IO`, and what `decryptStream` fails with
 */
export async function decryptFile(
  source: string,
  target: string,
  options: DecryptFileOptions,
): Promise<DecryptFileResult> {
  const { overwrite, mode, ...rest } = { ...options };
  const { signal } = rest;
  return transformFile(source, target, { overwrite, mode, signal }, () => decryptStream(rest));
}
