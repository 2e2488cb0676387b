/**
 * What a power failure may find: the content is flushed before it gets its name, and the folder after.
 */
import type * as fs from 'node:fs';
import type * as promises from 'node:fs/promises';
import { basename } from 'node:path';
import { promisify } from 'node:util';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { encryptFile } from '../../src/node/index.ts';
import { failure } from '../support/messages.ts';
import { folderWithFiles, inUse, keyring, MIB, text } from './helpers.ts';

const { calls, fails, late } = vi.hoisted(() => ({
  calls: [] as string[],
  fails: { at: '' },
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

beforeEach(() => {
  calls.length = 0;
  fails.at = '';
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
