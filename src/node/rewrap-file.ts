/**
 * Rewraps a message file, in place or into another file.
 */
import { resolve } from 'node:path';
import { openMessage } from '../begin-decrypt.ts';
import { resolveDecryptStream } from '../decrypt-stream.ts';
import { invalidArgument, kindOf } from '../errors.ts';
import { parseMessageHeader } from '../format/message-header.ts';
import { beginRewrap, REWRAP_OPTIONS, type RewrapReport, resolveRewrap } from '../rewrap/begin-rewrap.ts';
import { type RewrapStreamOptions, rewrapStream } from '../rewrap/rewrap-stream.ts';
import { checkTarget, resolveTarget, type TargetOptions } from './atomic-file.ts';
import { checkPath, OpenedFile } from './opened-file.ts';
import { readHeader } from './read-header.ts';
import { type FileResult, transformFile } from './transform-file.ts';

/** Options of {@link rewrapFile}. */
export interface RewrapFileOptions extends RewrapStreamOptions, TargetOptions {
  /**
   * Default false. True: the old header is opened, the keyring of `to` is asked, and the answer is that of a rewrap, but
   * for 0 bytes written. The rest of the message is not read, and nothing is written.
   */
  readonly dryRun?: boolean | undefined;
}

/** What {@link rewrapFile} answers. */
export interface RewrapFileResult extends RewrapReport, FileResult {}

/**
 * Rewraps a regular file as `rewrapStream` does. The target has the new message when the old one has been verified to
 * its last byte and the new one is on the disk; on any failure it is as it was, and nothing else is left.
 *
 * In place, the file is replaced: there is no moment at which neither message is there. A file that has changed since it
 * was opened is left as it is, with `IO`. A sidecar of the old message does not fit the new one; this function leaves
 * sidecar files alone.
 * @param source path of a regular file; symbolic links are followed unless it is rewritten in place.
 * @param target path of the new message; `undefined`, or the source's own path: in place. Its mode is 0600 unless `mode`
 *   says otherwise.
 * @throws FramesealError `IO`, and what `rewrapStream` fails with
 */
export async function rewrapFile(
  source: string,
  target: string | undefined,
  options: RewrapFileOptions,
): Promise<RewrapFileResult> {
  const { overwrite, mode, dryRun = false, ...rest } = { ...options };
  checkPath('source', source);
  const path = resolveTarget(target ?? source, { overwrite, mode });
  const inPlace = path === resolve(source);
  if (inPlace && overwrite === false)
    throw invalidArgument('overwrite', 'true or no value where a file is rewritten in place', 'false');
  if (typeof dryRun !== 'boolean') throw invalidArgument('dryRun', 'true or false', kindOf(dryRun));
  if (dryRun) return tryOut(source, path, { overwrite }, inPlace, rest);
  const { signal } = rest;
  return transformFile(source, path, { overwrite, mode, signal, inPlace }, () => rewrapStream(rest));
}

async function tryOut(
  source: string,
  path: string,
  target: TargetOptions,
  inPlace: boolean,
  options: RewrapStreamOptions,
): Promise<RewrapFileResult> {
  const input = await OpenedFile.open(resolve(source));
  try {
    await checkTarget(path, target, inPlace ? undefined : input.identity);
    return await beginOnly(input, options);
  } finally {
    await input.close().catch(() => {});
  }
}

async function beginOnly(input: OpenedFile, options: RewrapStreamOptions): Promise<RewrapFileResult> {
  const request = resolveDecryptStream(options, REWRAP_OPTIONS);
  const wishes = resolveRewrap(options, request);
  const header = parseMessageHeader(await readHeader(input, request), request.maxEncryptedDataKeys);
  const opened = await openMessage(header, request, true);
  try {
    const { message, report } = await beginRewrap(wishes, request, header, opened, { streamed: true });
    message.sealer.dispose();
    return { ...report, bytesRead: header.length, bytesWritten: 0, leftovers: [] };
  } finally {
    opened.opener.dispose();
    opened.dataKey!.dispose();
  }
}
