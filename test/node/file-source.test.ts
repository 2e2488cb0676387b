/**
 * Files as sources of ranges.
 */
import { appendFileSync, truncateSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { decryptRange } from '../../src/index.ts';
import { fileSource } from '../../src/node/index.ts';
import { failure, failureCode } from '../support/messages.ts';
import { folder, folderWithFiles, inUse, keyring, MIB, messageFile, plain } from './helpers.ts';

describe('fileSource', () => {
  test('serves decryptRange', async () => {
    const { file } = folder();
    await messageFile(file('m'), 3 * MIB, { algorithmSuite: 0x0478 });
    const source = await fileSource(file('m'));
    const { plaintext } = await decryptRange(source, { keyring, start: MIB - 5, end: MIB + 5000 });
    expect(Buffer.from(plaintext).equals(plain(3 * MIB).subarray(MIB - 5, MIB + 5000))).toBe(true);
    await source.close();
  });

  test('reads exactly what is asked for, in any order and at once', async () => {
    const { a, plaintext } = folderWithFiles(100_000);
    const source = await fileSource(a);
    expect(source.size).toBe(100_000);
    const ranges = [
      [0, 0],
      [0, 1],
      [99_999, 100_000],
      [100_000, 100_000],
      [0, 100_000],
      [500, 70_000],
    ] as const;
    const read = await Promise.all(ranges.map(([start, end]) => source.read(start, end)));
    for (const [i, [start, end]] of ranges.entries()) {
      expect(Buffer.from(read[i]!).equals(plaintext.subarray(start, end))).toBe(true);
      expect(read[i]!.buffer.byteLength).toBe(end - start);
    }
    await source.close();
  });

  test.each([
    [-1, 5],
    [5, 4],
    [0, 11],
    [0.5, 1],
    [0, Number.NaN],
  ])('%d to %d is no range of it', async (start, end) => {
    const source = await fileSource(folderWithFiles(10).a);
    expect(await failureCode(source.read(start, end))).toBe('INVALID_ARGUMENT');
    await source.close();
  });

  test('a file that grows or shrinks is an error', async () => {
    for (const change of [
      (path: string) => appendFileSync(path, 'x'),
      (path: string) => truncateSync(path, 50),
    ]) {
      const { a } = folderWithFiles(100);
      const source = await fileSource(a);
      await source.read(0, 10);
      change(a);
      const { code, message } = await failure(source.read(0, 10));
      expect([code, message]).toEqual(['IO', expect.stringMatching(/changed while it was read: it had 100/)]);
      await source.close();
    }
  });

  test('closes what it opened, once, and then reads no more', async () => {
    const before = inUse();
    const { a } = folderWithFiles(10);
    const source = await fileSource(a);
    await source.read(0, 10);
    await Promise.all([source.close(), source.close()]);
    await source[Symbol.asyncDispose]();
    expect((await failure(source.read(0, 10))).message).toMatch(/file closed \(EBADF\)/);
    expect(inUse()).toEqual(before);
  });

  test("a handle stays its owner's, and where it was", async () => {
    const { a, plaintext } = folderWithFiles(100);
    const handle = await open(a);
    const source = await fileSource(handle);
    expect(Buffer.from(await source.read(40, 60)).equals(plaintext.subarray(40, 60))).toBe(true);
    await source.close();
    expect((await handle.read({ buffer: Buffer.alloc(10) })).buffer.equals(plaintext.subarray(0, 10))).toBe(
      true,
    );
    await handle.close();
  });

  test('what is no file is refused', async () => {
    const { path, file } = folder();
    const before = inUse();
    expect((await failure(fileSource(path))).message).toMatch(/it is a folder/);
    expect((await failure(fileSource('/dev/null'))).message).toMatch(/no regular file/);
    expect((await failure(fileSource(file('none')))).message).toMatch(/ENOENT/);
    for (const wrong of ['', 5, undefined, {}]) {
      expect(await failureCode(fileSource(wrong as string))).toBe('INVALID_ARGUMENT');
    }
    expect(inUse()).toEqual(before);
  });
});
