/**
 * Adds wrapping keys to a message file: the message stays as it is, the keys go into a sidecar file.
 */
import { lstat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { resolveDecrypt } from '../begin-decrypt.ts';
import type { EncryptedDataKey } from '../encrypted-data-key.ts';
import { FramesealError, invalidArgument, kindOf, throwIfAborted } from '../errors.ts';
import { parseSidecar } from '../format/sidecar.ts';
import {
  type AddWrappingKeysOptions,
  type AddWrappingKeysResult,
  addWrappingKeys,
} from '../rewrap/add-wrapping-keys.ts';
import { AtomicFile, checkTarget, resolveTarget, type TargetOptions } from './atomic-file.ts';
import { refused, shown, systemCode } from './io-error.ts';
import { checkPath, OpenedFile } from './opened-file.ts';
import { readHeader } from './read-header.ts';
import type { FileResult } from './transform-file.ts';

/** Options of {@link addWrappingKeysToFile}. */
export interface AddWrappingKeysToFileOptions extends AddWrappingKeysOptions, Pick<TargetOptions, 'mode'> {
  /** Default false. True: everything is done, the keyring of `add` asked too, but nothing is written. */
  readonly dryRun?: boolean | undefined;
}

/** What {@link addWrappingKeysToFile} answers. */
export interface AddWrappingKeysToFileResult extends AddWrappingKeysResult, Pick<FileResult, 'leftovers'> {
  /** The encrypted data keys that are new: neither in the sidecar file nor in a sidecar that was given. */
  readonly added: readonly EncryptedDataKey[];
}

/**
 * Wraps the data key of a message file under further keys, as `addWrappingKeys` does, and writes them into a sidecar file
 * beside it or elsewhere. Of the message no more is read than its header takes.
 *
 * A sidecar file that exists is read and verified, its keys open the message too, and the new file has its entries and the
 * new ones. The new file takes its place when it is on the disk; on any failure it is as it was, and nothing else is left.
 * Where message or sidecar have changed meanwhile, another run's keys among them, it fails with `IO`: call it again.
 * @param message path of a regular file; symbolic links are followed.
 * @param sidecar path of the sidecar file; its folder must exist. The file has mode 0600, unless `mode` says otherwise.
 * @throws FramesealError `IO`; `LIMIT_EXCEEDED`, also for a sidecar file longer than `maxHeaderLength`; and what
 *   `addWrappingKeys` throws
 */
export async function addWrappingKeysToFile(
  message: string,
  sidecar: string,
  options: AddWrappingKeysToFileOptions,
): Promise<AddWrappingKeysToFileResult> {
  const { mode, dryRun = false, ...rest } = { ...options };
  checkPath('message', message);
  const path = resolveTarget(sidecar, { mode });
  if (typeof dryRun !== 'boolean') throw invalidArgument('dryRun', 'true or false', kindOf(dryRun));
  const input = await OpenedFile.open(resolve(message));
  let former: OpenedFile | undefined;
  try {
    await checkTarget(path, {}, input.identity);
    former = await openIfThere(path);
    const result = await addKeys(input, former, rest);
    if (dryRun) return { ...result, leftovers: [] };
    const leftovers = await writeSidecar(path, result.sidecar, { input, former, mode, signal: rest.signal });
    return { ...result, leftovers };
  } finally {
    await input.close().catch(() => {});
    await former?.close().catch(() => {});
  }
}

async function openIfThere(path: string): Promise<OpenedFile | undefined> {
  try {
    return await OpenedFile.open(path);
  } catch (error) {
    if (error instanceof FramesealError && systemCode(error.cause) === 'ENOENT') return undefined;
    throw error;
  }
}

async function addKeys(
  input: OpenedFile,
  former: OpenedFile | undefined,
  options: AddWrappingKeysOptions,
): Promise<Omit<AddWrappingKeysToFileResult, 'leftovers'>> {
  const request = resolveDecrypt(options, ['add']);
  const given = [options.sidecar ?? []].flat();
  const header = await readHeader(input, request);
  const there = former ? [await readSidecar(former, request.maxHeaderLength)] : [];
  const sidecar = [...there, ...given];
  try {
    const result = await addWrappingKeys(header, { ...options, sidecar });
    const before = sidecar.flatMap((one) => parseSidecar(one, 0xffff).encryptedDataKeys.map(idOf));
    const added = result.encryptedDataKeys.filter((edk) => !before.includes(idOf(edk)));
    return { ...result, added };
  } catch (error) {
    throw former && given.length === 0 ? naming(former.path, error) : error;
  }
}

// No two ciphertexts of a data key are the same.
function idOf({ ciphertext }: EncryptedDataKey): string {
  return Buffer.from(ciphertext).toString('base64');
}

async function readSidecar(file: OpenedFile, maxLength: number): Promise<Uint8Array> {
  if (file.size > maxLength) {
    throw new FramesealError(
      'LIMIT_EXCEEDED',
      `the sidecar ${shown(file.path)} has ${file.size} bytes; maxHeaderLength is ${maxLength}`,
    );
  }
  const bytes = await file.readInto(new Uint8Array(file.size), 0);
  await file.checkSize();
  return bytes;
}

function naming(path: string, error: unknown): unknown {
  if (!(error instanceof FramesealError) || error.code !== 'SIDECAR_MISMATCH') return error;
  return new FramesealError(error.code, `${error.message}: look at ${shown(path)}`, { cause: error.cause });
}

async function checkAbsent(path: string): Promise<void> {
  const there = await lstat(path).then(
    () => true,
    () => false,
  );
  if (there) throw refused('write', path, 'another run has made it meanwhile: add the keys once more');
}

interface Writing {
  readonly input: OpenedFile;
  readonly former: OpenedFile | undefined;
  readonly mode: number | undefined;
  readonly signal: AbortSignal | undefined;
}

async function writeSidecar(
  path: string,
  bytes: Uint8Array,
  { input, former, mode, signal }: Writing,
): Promise<readonly string[]> {
  const overwrite = former !== undefined; // a new one never takes the place of one that another run has just made
  const file = await AtomicFile.create(path, { mode, overwrite });
  try {
    await file.write(bytes);
    throwIfAborted(signal);
    await file.commit(async () => {
      if (!overwrite) await checkAbsent(path);
      await input.checkUnchanged();
      await former?.checkUnchanged();
      await former?.close();
    });
    return file.leftovers;
  } catch (error) {
    await file.discard();
    throw error;
  }
}
