/**
 * A folder of messages: which files, in which order, and how each is replaced.
 */
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { describe, expect, test } from 'vitest';
import { decrypt, rotateMessages, type StoredMessage } from '../../src/index.ts';
import { type FolderMessagesOptions, fileJournal, folderMessages } from '../../src/node/index.ts';
import { temporaryName } from '../../src/node/temporary-name.ts';
import { aesKeyring, failure, failureCode, flip } from '../support/messages.ts';
import { collect } from '../support/streams.ts';
import {
  asOrdinaryUser,
  deadProcess,
  folder,
  IS_LINUX,
  IS_ROOT,
  inUse,
  keyring,
  MIB,
  messageFile,
  plain,
  succeeds,
  text,
} from './helpers.ts';

const to = aesKeyring(2);
const { signal } = new AbortController();

async function namesIn(path: string, options?: FolderMessagesOptions): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of folderMessages(path, options)) names.push(name);
  return names;
}

/** The messages of a folder by name. */
async function messagesIn(path: string): Promise<Record<string, StoredMessage>> {
  const messages: Record<string, StoredMessage> = {};
  for await (const message of folderMessages(path)) messages[message.name] = message;
  return messages;
}

/** A folder with these messages. */
async function folderOf(files: Record<string, number>): Promise<ReturnType<typeof folder>> {
  const made = folder();
  for (const [name, length] of Object.entries(files)) {
    mkdirSync(dirname(made.file(name)), { recursive: true });
    await messageFile(made.file(name), length);
  }
  return made;
}

const bodyOf = (content: string) => new Blob([content]).stream();

describe('which files', () => {
  test('those with the suffix, in the order of their names, folders in folders too', async () => {
    const { path, file } = await folderOf({ 'b.fseal': 1, 'a.fseal': 2, 'c/z.fseal': 3, 'c/d/y.fseal': 4 });
    for (const name of ['a.txt', 'fseal', 'c/plain']) writeFileSync(file(name), '');
    mkdirSync(file('folder.fseal'));
    writeFileSync(file(temporaryName('a.fseal')), '');
    expect(await namesIn(path)).toEqual(['a.fseal', 'b.fseal', 'c/d/y.fseal', 'c/z.fseal']);
    expect(await namesIn(path, { recursive: false })).toEqual(['a.fseal', 'b.fseal']);
    expect(await namesIn(path, { suffix: '.txt' })).toEqual(['a.txt']);
    expect(await namesIn(path, { suffix: '', recursive: false })).toEqual([
      'a.fseal',
      'a.txt',
      'b.fseal',
      'fseal',
    ]);
    const sizes = Object.values(await messagesIn(path)).map(({ size }) => size);
    expect(sizes).toEqual(
      ['a.fseal', 'b.fseal', 'c/d/y.fseal', 'c/z.fseal'].map((name) => statSync(file(name)).size),
    );
  });

  test('no symbolic links, to files or to folders, and nothing that is no file', async () => {
    const { path, file } = await folderOf({ 'a.fseal': 1, 'real/b.fseal': 1 });
    symlinkSync(file('a.fseal'), file('link.fseal'));
    symlinkSync(file('real'), file('loop'));
    symlinkSync(path, file('real/up'));
    if (IS_LINUX) expect(succeeds('mkfifo', file('fifo.fseal'))).toBe(true);
    expect(await namesIn(path)).toEqual(['a.fseal', 'real/b.fseal']);
  });

  test('walked as often as wanted, and only as far as asked', async () => {
    const { path } = await folderOf({ 'a.fseal': 1, 'b.fseal': 1 });
    const messages = folderMessages(path);
    for (let i = 0; i < 2; i++) {
      for await (const { name } of messages) {
        expect(name).toBe('a.fseal');
        break;
      }
    }
  });

  test('a folder that cannot be read is said when all others have been walked', async () => {
    const { path, file } = await folderOf({ 'a/1.fseal': 1, 'b/2.fseal': 1, 'c/3.fseal': 1 });
    const names: string[] = [];
    const error = await asOrdinaryUser(path, async () => {
      chmodSync(file('b'), 0);
      return failure(async () => {
        for await (const { name } of folderMessages(path)) names.push(name);
      });
    });
    chmodSync(file('b'), 0o700);
    expect([error.code, error.message]).toEqual(['IO', expect.stringMatching(/cannot read ".*b": .*EACCES/)]);
    expect(names).toEqual(['a/1.fseal', 'c/3.fseal']);
    await expect(namesIn(file('none'))).rejects.toThrow(/ENOENT/);
    await expect(namesIn(file('a/1.fseal'))).rejects.toThrow(/ENOTDIR/);
  });

  test.each<[string, () => unknown]>([
    ['path', () => folderMessages('')],
    ['path', () => folderMessages(7 as never)],
    ['recursive', () => folderMessages('.', { recursive: 1 as never })],
    ['suffix', () => folderMessages('.', { suffix: 'a/b' })],
    ['options', () => folderMessages('.', { sufix: '' } as never)],
  ])('"%s" is checked at once', async (name, call) => {
    expect((await failure(call)).message).toContain(`"${name}"`);
  });
});

describe('rotated', () => {
  test('each file opens by the new keys, and nothing else is in the folder', async () => {
    const files = { 'a.fseal': 0, 'b.fseal': 100_000, 'c/d.fseal': 3 * MIB + 5, 'c/e.fseal': 4096 };
    const { path, file } = await folderOf(files);
    const before = inUse();
    const journal = await fileJournal(file('journal'));
    const report = await rotateMessages(folderMessages(path), { keyring, to, journal, concurrency: 2 });
    await journal.close();
    expect(report).toMatchObject({ objects: 4, rewrapped: 4, failed: 0 });
    for (const [name, length] of Object.entries(files)) {
      const { plaintext } = await decrypt(readFileSync(file(name)), { keyring: to });
      expect(Buffer.compare(plaintext, plain(length))).toBe(0);
    }
    expect(readdirSync(path, { recursive: true }).sort()).toEqual([
      'a.fseal',
      'b.fseal',
      'c',
      'c/d.fseal',
      'c/e.fseal',
      'journal',
    ]);
    expect(inUse()).toEqual(before);
  });

  test('a dry run leaves the files as they are, and nothing open', async () => {
    const { path, file } = await folderOf({ 'a.fseal': 2 * MIB, 'b.fseal': 10 });
    const stat = () => ['a.fseal', 'b.fseal'].map((name) => JSON.stringify(statSync(file(name))));
    const [before, used] = [stat().map(withoutAccess), inUse()];
    const report = await rotateMessages(folderMessages(path), { keyring, to, dryRun: true });
    expect(report).toMatchObject({
      wouldRewrap: 2,
      bytes: statSync(file('a.fseal')).size + statSync(file('b.fseal')).size,
    });
    expect(stat().map(withoutAccess)).toEqual(before);
    expect(inUse()).toEqual(used);
  });

  const withoutAccess = (stats: string) => ({ ...JSON.parse(stats), atime: 0, atimeMs: 0 });

  test('permission bits stay, and the owner where he may', async () => {
    const { path, file } = await folderOf({ 'a.fseal': 10, 'b.fseal': 10 });
    chmodSync(file('a.fseal'), 0o640);
    chmodSync(file('b.fseal'), 0o444);
    if (IS_ROOT) chownSync(file('a.fseal'), 1234, 4321);
    await rotateMessages(folderMessages(path), { keyring, to });
    const [a, b] = ['a.fseal', 'b.fseal'].map((name) => statSync(file(name)));
    expect([a!.mode & 0o777, b!.mode & 0o777]).toEqual([0o640, 0o444]);
    if (IS_ROOT) expect([a!.uid, a!.gid, b!.uid]).toEqual([1234, 4321, 0]);
  });

  test.runIf(IS_ROOT)("another's file is not taken over", async () => {
    const { path, file } = await folderOf({ 'a.fseal': 10, 'b.fseal': 10 });
    const old = readFileSync(file('a.fseal'));
    const report = await asOrdinaryUser(path, async () => {
      process.seteuid!(0);
      chownSync(file('a.fseal'), 1234, 4321);
      chownSync(file('b.fseal'), 65_534, 0);
      chmodSync(file('a.fseal'), 0o644);
      process.seteuid!(65_534);
      return rotateMessages(folderMessages(path), { keyring, to });
    });
    expect(report).toMatchObject({ rewrapped: 1, failed: 1 });
    expect(report.failures).toMatchObject([{ name: 'a.fseal', error: { code: 'IO' } }]);
    expect(String(report.failures[0]!.error)).toMatch(/cannot keep owner and group of ".*a.fseal".*EPERM/);
    expect(readFileSync(file('a.fseal'))).toEqual(old);
    expect(readdirSync(path).sort()).toEqual(['a.fseal', 'b.fseal']);
  });

  test('files that fail are as they were, and nothing is left', async () => {
    const { path, file } = await folderOf({ 'a.fseal': 200_000, 'b.fseal': 10, 'c.fseal': 10 });
    const damaged = flip(readFileSync(file('a.fseal')), 200_000);
    writeFileSync(file('a.fseal'), damaged);
    writeFileSync(file('b.fseal'), 'no message');
    const used = inUse();
    const report = await rotateMessages(folderMessages(path), { keyring, to });
    expect(report.failures.map(({ name, error }) => [name, (error as { code: string }).code]).sort()).toEqual(
      [
        ['a.fseal', 'AUTHENTICATION_FAILED'],
        ['b.fseal', 'INVALID_MESSAGE'],
      ],
    );
    expect(report.rewrapped).toBe(1);
    expect(new Uint8Array(readFileSync(file('a.fseal')))).toEqual(damaged);
    expect(text(file('b.fseal'))).toBe('no message');
    expect(readdirSync(path).sort()).toEqual(['a.fseal', 'b.fseal', 'c.fseal']);
    expect(inUse()).toEqual(used);
  });

  test('what a killed run left of a file goes with the next one', async () => {
    const { path, file } = await folderOf({ 'a.fseal': 10 });
    const left = file(temporaryName('a.fseal').replace(/\.\d+-\d+-/, `.${deadProcess()}-1-`));
    writeFileSync(left, 'half a message');
    expect(await rotateMessages(folderMessages(path), { keyring, to })).toMatchObject({ rewrapped: 1 });
    expect(existsSync(left)).toBe(false);
  });

  test('an abort leaves the file as it was', async () => {
    const { path, file } = await folderOf({ 'a.fseal': 4 * MIB });
    const old = readFileSync(file('a.fseal'));
    const controller = new AbortController();
    const used = inUse();
    const work = rotateMessages(folderMessages(path), {
      keyring,
      to,
      signal: controller.signal,
      onProgress: ({ bytes }) => bytes > MIB && controller.abort(),
    });
    expect(await failureCode(work)).toBe('ABORTED');
    await expect.poll(() => readdirSync(path)).toEqual(['a.fseal']);
    expect(readFileSync(file('a.fseal')).equals(old)).toBe(true);
    await expect.poll(inUse).toEqual(used);
  });
});

describe('changed meanwhile: it stays as it is, and that is the error', () => {
  test.each<[string, (path: string) => void]>([
    ['written to, with the same size', (path) => writeFileSync(path, flip(readFileSync(path), 20))],
    ['grown', (path) => writeFileSync(path, 'more', { flag: 'a' })],
    [
      'another file',
      (path) => {
        writeFileSync(`${path}.new`, readFileSync(path));
        renameSync(`${path}.new`, path);
      },
    ],
    [
      'a symbolic link to what was read',
      (path) => {
        renameSync(path, `${path}.moved`);
        symlinkSync(`${path}.moved`, path);
      },
    ],
    ['gone', (path) => rmSync(path)],
  ])('%s', async (_, change) => {
    const { path, file } = await folderOf({ 'a.fseal': 1000 });
    const message = (await messagesIn(path))['a.fseal']!;
    await collect(await message.read({ signal }));
    // A clock of the file system may be slow: what is written at once would have the same time.
    const past = new Date(Date.now() - 10_000);
    utimesSync(file('a.fseal'), past, past);
    await collect(await message.read({ signal }));
    change(file('a.fseal'));
    const after = existsSync(file('a.fseal')) && readFileSync(file('a.fseal'));
    const names = readdirSync(path);
    expect(await failureCode(message.replace(bodyOf('new'), { signal }))).toBe('IO');
    expect(existsSync(file('a.fseal')) && readFileSync(file('a.fseal'))).toEqual(after);
    expect(readdirSync(path)).toEqual(names);
  });

  test('a link that takes its place before it is read is not followed', async () => {
    const { path, file } = await folderOf({ 'a.fseal': 10, 'b.txt': 10 });
    const message = (await messagesIn(path))['a.fseal']!;
    rmSync(file('a.fseal'));
    symlinkSync(file('b.txt'), file('a.fseal'));
    expect((await failure(message.read({ signal }))).message).toContain('symbolic links are not followed');
  });

  test('nothing is replaced that was not read', async () => {
    const { path } = await folderOf({ 'a.fseal': 10 });
    const message = (await messagesIn(path))['a.fseal']!;
    expect(await failureCode(message.replace(bodyOf('new'), { signal }))).toBe('INVALID_ARGUMENT');
    await (await message.read({ signal })).cancel();
    await message.replace(bodyOf('new'), { signal });
    expect(text(`${path}/a.fseal`)).toBe('new');
  });
});

test('another hard link keeps the old message', async () => {
  const { path, file } = await folderOf({ 'a.fseal': 10 });
  linkSync(file('a.fseal'), file('copy'));
  await rotateMessages(folderMessages(path), { keyring, to });
  await decrypt(readFileSync(file('copy')), { keyring });
  await decrypt(readFileSync(file('a.fseal')), { keyring: to });
});

test('a body that fails or a signal that aborts leaves the file, and nothing else', async () => {
  const { path, file } = await folderOf({ 'a.fseal': 10 });
  const message = (await messagesIn(path))['a.fseal']!;
  const old = readFileSync(file('a.fseal'));
  await (await message.read({ signal })).cancel();
  const failing = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(new Uint8Array(10));
    },
    pull(controller) {
      controller.error(new Error('broken'));
    },
  });
  await expect(message.replace(failing, { signal })).rejects.toThrow('broken');
  const aborted = AbortSignal.abort();
  expect(await failureCode(message.replace(bodyOf('new'), { signal: aborted }))).toBe('ABORTED');
  expect(readFileSync(file('a.fseal'))).toEqual(old);
  expect(readdirSync(path)).toEqual(['a.fseal']);
});

describe('names that are not UTF-8', () => {
  test.runIf(IS_LINUX)('lead to no other file: they are passed over, and said in the end', async () => {
    const made = folder();
    await messageFile(made.file('\ufffd.fseal'), 10);
    await messageFile(made.file('a.fseal'), 10);
    renameSync(
      made.file('\ufffd.fseal'),
      Buffer.concat([Buffer.from(`${made.path}/`), Buffer.from([0xff]), Buffer.from('.fseal')]),
    );
    writeFileSync(made.file('\ufffd.txt'), ''); // no message
    const names: string[] = [];
    const walk = async () => {
      for await (const { name } of folderMessages(made.path)) names.push(name);
    };
    expect((await failure(walk())).message).toContain('UTF-8');
    expect(names).toEqual(['a.fseal']);
  });
});
