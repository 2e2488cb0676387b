/**
 * The message files of a folder, for `rotateMessages`: each is replaced in place, whole or not at all.
 */
import type { BigIntStats, Dirent } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { checkOptions, combined, invalidArgument, kindOf, throwIfAborted } from '../errors.ts';
import type { StoredMessage } from '../index.ts';
import { AtomicFile, checkTarget } from './atomic-file.ts';
import { ioError, refused } from './io-error.ts';
import { checkPath, OpenedFile } from './opened-file.ts';
import { isTemporary } from './temporary-name.ts';

/** Options of {@link folderMessages}. */
export interface FolderMessagesOptions {
  /** Default true: folders in the folder too. */
  readonly recursive?: boolean | undefined;
  /** What ends the names of messages; default `.fseal`. Empty: all files are messages. */
  readonly suffix?: string | undefined;
}

type Stored = Pick<StoredMessage, 'read' | 'replace'>;

/** Bytes of a read. */
const BUFFER_LENGTH = 2 ** 18;

/**
 * The message files of a folder, in the order of their names; it may be walked several times. Symbolic links are not followed.
 * A file is replaced as `encryptFile` replaces one, and keeps its owner, group and permission bits, but no further
 * attributes, and other hard links to it keep the old message. If it is no longer what was read, it stays as it is.
 *
 * What cannot be read is passed over, a name that is not UTF-8 too, and said when all others have been walked: the iteration
 * fails then. Memory is
 * that of the names in one folder and in those around it.
 * @param path of the folder; the names of messages are relative to it, with slashes.
 * @throws FramesealError `INVALID_ARGUMENT`; iterating, reading and replacing fail with `IO`
 */
export function folderMessages(
  path: string,
  options: FolderMessagesOptions = {},
): AsyncIterable<StoredMessage> {
  checkPath('path', path);
  checkOptions(options, ['recursive', 'suffix']);
  const { recursive = true, suffix = '.fseal' } = options;
  if (typeof recursive !== 'boolean') throw invalidArgument('recursive', 'true or false', kindOf(recursive));
  if (typeof suffix !== 'string' || /[/\\]/.test(suffix))
    throw invalidArgument('suffix', 'the end of a file name', kindOf(suffix));
  const root = resolve(path);
  return { [Symbol.asyncIterator]: () => messagesIn(root, { recursive, suffix }) };
}

interface Walk {
  readonly recursive: boolean;
  readonly suffix: string;
}

async function* messagesIn(root: string, walk: Walk): AsyncGenerator<StoredMessage> {
  const unread: unknown[] = [];
  yield* walkFolder(root, '', walk, unread);
  if (unread.length > 0) throw combined(unread, 'folders and files could not be read');
}

async function* walkFolder(
  folder: string,
  within: string,
  walk: Walk,
  unread: unknown[],
): AsyncGenerator<StoredMessage> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((cause) => {
    unread.push(ioError('read', folder, cause));
    return [];
  });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    const name = `${within}${entry.name}`;
    if (entry.name.includes('\ufffd') && isWanted(entry, walk)) {
      unread.push(refused('read', path, 'its name is not UTF-8, and would lead nowhere or to another file'));
      continue;
    }
    if (!isWanted(entry, walk)) continue;
    if (entry.isDirectory()) yield* walkFolder(path, `${name}/`, walk, unread);
    else yield await messageAt(path, name);
  }
}

function isWanted(entry: Dirent, { recursive, suffix }: Walk): boolean {
  if (entry.isDirectory()) return recursive;
  return entry.isFile() && entry.name.endsWith(suffix) && !isTemporary(entry.name);
}

async function messageAt(path: string, name: string): Promise<StoredMessage> {
  const stats = await lstat(path).catch(() => undefined); // gone meanwhile: reading it says so
  return { name, ...(stats && { size: stats.size }), ...storedFile(path) };
}

function storedFile(path: string): Stored {
  let last: { readonly file: OpenedFile; readonly stats: BigIntStats } | undefined;
  return {
    async read() {
      const stats = await regularFile(path);
      const file = await OpenedFile.open(path);
      last = { file, stats };
      if (file.identity.dev === stats.dev && file.identity.ino === stats.ino) return streamOf(file);
      await file.close();
      throw refused('read', path, 'another file has taken its name just now');
    },
    async replace(body, { signal }) {
      if (last === undefined)
        throw invalidArgument('replace', 'a message that has been read', 'one that has not');
      const { file, stats } = last;
      const owner = { uid: Number(stats.uid), gid: Number(stats.gid) };
      const output = await AtomicFile.create(path, { mode: Number(stats.mode & 0o777n), owner });
      try {
        await writeAll(body, output);
        throwIfAborted(signal);
        await output.commit(() => checkSame(path, file));
      } catch (error) {
        await output.discard();
        throw error;
      }
    },
  };
}

async function regularFile(path: string): Promise<BigIntStats> {
  const stats = await lstat(path, { bigint: true }).catch((cause) => {
    throw ioError('read', path, cause);
  });
  if (stats.isFile()) return stats;
  throw refused('read', path, 'it is no regular file; symbolic links are not followed');
}

async function checkSame(path: string, file: OpenedFile): Promise<void> {
  await checkTarget(path, {});
  await file.checkUnchanged();
}

// The file is open until its stream ends, fails or is cancelled.
function streamOf(file: OpenedFile): ReadableStream<Uint8Array> {
  let at = 0;
  const close = () => file.close().catch(() => {});
  const next = async (controller: ReadableStreamDefaultController<Uint8Array>) => {
    if (at === file.size) {
      await file.checkSize();
      await close();
      controller.close();
      return;
    }
    const chunk = await file.readInto(new Uint8Array(Math.min(BUFFER_LENGTH, file.size - at)), at);
    at += chunk.length;
    controller.enqueue(chunk);
  };
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          await next(controller);
        } catch (error) {
          await close();
          throw error;
        }
      },
      cancel: close,
    },
    { highWaterMark: 0 },
  );
}

async function writeAll(body: ReadableStream<Uint8Array>, output: AtomicFile): Promise<void> {
  const reader = body.getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read())
      await output.write(next.value);
  } catch (error) {
    await reader.cancel(error).catch(() => {});
    throw error;
  }
}
