/**
 * What a power failure may find: the content is flushed before it gets its name, and the folder after.
 */
import type * as fs from 'node:fs';
import type * as promises from 'node:fs/promises';
import { basename } from 'node:path';
import { promisify } from 'node:util';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { addWrappingKeysToFile, encryptFile, rewrapFile } from '../../src/node/index.ts';
import { aesKeyring, failure } from '../support/messages.ts';
import { folder, folderWithFiles, inUse, keyring, MIB, messageFile, text } from './helpers.ts';

const { calls, fails, flushing, late } = vi.hoisted(() => ({
  calls: [] as string[],
  fails: { at: '' },
  /** Comes while the content is flushed. */
  flushing: { work: () => {} },
  /** Comes in the middle of the write that ends at that byte. */
  late: { byte: -1, work: (): Error | undefined => undefined },
}));

function failing(name: string): Error {
  return Object.assign(new Error(`EIO: i/o error, ${name}`), { code: 'EIO', syscall: name });
}

vi.mock('node:fs', async (load) => {
  const real = await load<typeof fs>();
  const noted =
    (name: 'fsync' | 'close') =>
    (descriptor: number, done: (error: Error | null) => void): void => {
      calls.push(name);
      if (name === 'fsync') flushing.work();
      if (fails.at === name) done(failing(name));
      else real[name](descriptor, done);
    };
  const write = async (descriptor: number, bytes: Uint8Array, at: number, length: number, to: number) => {
    if (to + length === late.byte) await new Promise((resolve) => setTimeout(resolve, 30)); // the stream ends meanwhile
    const error = to + length === late.byte ? late.work() : undefined;
    if (error) throw error;
    return { bytesWritten: real.writeSync(descriptor, bytes, at, length, to) };
  };
  const callback = Object.assign(() => {}, { [promisify.custom]: write });
  return { ...real, fsync: noted('fsync'), close: noted('close'), write: callback };
});

vi.mock('node:fs/promises', async (load) => {
  const real = await load<typeof promises>();
  return {
    ...real,
    rename: async (from: string, to: string) => {
      calls.push(`rename to ${basename(to)}`);
      if (fails.at === 'rename') throw failing('rename');
      await real.rename(from, to);
    },
    open: async (path: string, flags: number) => {
      const handle = await real.open(path, flags);
      const { sync } = handle;
      handle.sync = async () => {
        calls.push('flush the folder');
        if (fails.at === 'folder') throw failing('fsync');
        await sync.call(handle);
      };
      return handle;
    },
  };
});

const { appendFileSync, readFileSync, utimesSync } = await vi.importActual<typeof fs>('node:fs');

beforeEach(() => {
  calls.length = 0;
  fails.at = '';
  flushing.work = () => {};
  late.byte = -1;
});

describe('the end of a file', () => {
  test('content, name, folder', async () => {
    const { a, b } = folderWithFiles(2 * MIB);
    await encryptFile(a, b, { keyring });
    expect(calls).toEqual(['fsync', 'close', 'rename to b', 'flush the folder']);
  });

  test.each(['fsync', 'rename'])('a failed %s leaves the old target, and nothing else', async (at) => {
    const { a, b, entries } = folderWithFiles(2 * MIB);
    const before = inUse();
    fails.at = at;
    const { code, message } = await failure(encryptFile(a, b, { keyring }));
    expect([code, message]).toEqual([
      'IO',
      expect.stringMatching(/cannot write .*\(EIO\): the device failed/),
    ]);
    expect(text(b)).toBe('old');
    expect(entries()).toEqual(['a', 'b']);
    expect(inUse()).toEqual(before);
  });

  test('a last write that fails when the stream is over leaves the old target, and nothing else', async () => {
    const { a, b, file, entries } = folderWithFiles(2 * MIB);
    late.byte = (await encryptFile(a, file('c'), { keyring })).bytesWritten;
    late.work = () => failing('write');
    expect((await failure(encryptFile(a, b, { keyring }))).message).toMatch(/cannot write .*\(EIO\)/);
    expect(text(b)).toBe('old');
    expect(entries()).toEqual(['a', 'b', 'c']);
  });

  test('an abort in the last write, too', async () => {
    const { a, b, file, entries } = folderWithFiles(2 * MIB);
    late.byte = (await encryptFile(a, file('c'), { keyring })).bytesWritten;
    const controller = new AbortController();
    late.work = () => void controller.abort();
    const { signal } = controller;
    expect((await failure(encryptFile(a, b, { keyring, signal }))).code).toBe('ABORTED');
    expect(text(b)).toBe('old');
    expect(entries()).toEqual(['a', 'b', 'c']);
  });

  test('a folder that cannot be flushed is told, with the new file in place', async () => {
    const { a, b, entries } = folderWithFiles(100);
    fails.at = 'folder';
    const { code, message } = await failure(encryptFile(a, b, { keyring }));
    expect([code, message]).toEqual([
      'IO',
      expect.stringMatching(/cannot flush the folder of the complete file .*\(EIO\)/),
    ]);
    expect(text(b)).not.toBe('old');
    expect(entries()).toEqual(['a', 'b']);
  });
});

describe('the end of a file that is rewritten', () => {
  const options = { keyring, to: aesKeyring(2) };
  const message = async () => {
    const made = folder();
    const m = made.file('m');
    return { ...made, m, old: await messageFile(m, 2 * MIB) };
  };

  test('content, name, folder', async () => {
    const { m } = await message();
    await rewrapFile(m, undefined, options);
    expect(calls).toEqual(['fsync', 'close', 'rename to m', 'flush the folder']);
  });

  test.each(['fsync', 'rename'])('a failed %s leaves the old message, and nothing else', async (at) => {
    const { m, old, entries } = await message();
    const before = inUse();
    fails.at = at;
    expect((await failure(rewrapFile(m, undefined, options))).message).toMatch(/cannot write .*\(EIO\)/);
    expect(readFileSync(m).equals(old)).toBe(true);
    expect(entries()).toEqual(['m']);
    expect(inUse()).toEqual(before);
  });

  test('a failed last write, too', async () => {
    const { m, old, file, entries } = await message();
    late.byte = (await rewrapFile(m, file('n'), options)).bytesWritten;
    late.work = () => failing('write');
    expect((await failure(rewrapFile(m, undefined, options))).message).toMatch(/cannot write .*\(EIO\)/);
    expect(readFileSync(m).equals(old)).toBe(true);
    expect(entries()).toEqual(['m', 'n']);
  });

  test('a message that changes while the new one is flushed is left as it is', async () => {
    const { m, old, entries } = await message();
    utimesSync(m, 1e9, 1e9);
    flushing.work = () => {
      appendFileSync(m, 'x');
      utimesSync(m, 1e9, 1e9);
    };
    expect((await failure(rewrapFile(m, undefined, options))).message).toMatch(
      /it changed while it was read/,
    );
    expect(readFileSync(m).equals(Buffer.concat([old, Buffer.from('x')]))).toBe(true);
    expect(entries()).toEqual(['m']);
  });

  test('a sidecar: the same order, and a failure leaves the old one', async () => {
    const { m, file, entries } = await message();
    await addWrappingKeysToFile(m, file('s'), { keyring, add: aesKeyring(2) });
    calls.length = 0;
    await addWrappingKeysToFile(m, file('s'), { keyring, add: aesKeyring(3) });
    expect(calls).toEqual(['fsync', 'close', 'rename to s', 'flush the folder']);
    const old = readFileSync(file('s'));
    for (const at of ['fsync', 'rename']) {
      fails.at = at;
      const error = await failure(addWrappingKeysToFile(m, file('s'), { keyring, add: aesKeyring(4) }));
      expect(error.message).toMatch(/cannot write .*\(EIO\)/);
      expect(readFileSync(file('s')).equals(old)).toBe(true);
      expect(entries()).toEqual(['m', 's']);
    }
  });
});
