import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { decrypt, encryptStream, rawAesKeyring } from '../../src/index.ts';
import { fileTarget } from '../../src/node/index.ts';
import { bytes } from '../support/messages.ts';

const keyring = rawAesKeyring({ keyNamespace: 'test', keyName: 'target', wrappingKey: bytes(32) });
let folder = '';
let target = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'frameseal-target-'));
  target = join(folder, 'result');
});
afterEach(() => rm(folder, { recursive: true }));

const source = (...chunks: unknown[]) =>
  new ReadableStream({
    pull: (controller) => {
      const next = chunks.shift();
      if (next === undefined) controller.close();
      else if (next instanceof Error) controller.error(next);
      else controller.enqueue(next);
    },
  });

describe('a file as the end of a stream', () => {
  it('appears with its mode when the stream has been closed', async () => {
    const encrypted = source(bytes(5000), bytes(5000)).pipeThrough(encryptStream({ keyring }));
    const end = await fileTarget(target);
    expect((await readdir(folder)).includes('result')).toBe(false);
    await encrypted.pipeTo(end);
    expect(await readdir(folder)).toEqual(['result']);
    expect((await stat(target)).mode & 0o777).toBe(0o600);
    const { plaintext } = await decrypt(await readFile(target), { keyring });
    expect(plaintext).toHaveLength(10_000);
  });

  it('is as it was, and nothing is left, when the source fails', async () => {
    await writeFile(target, 'old');
    const failing = source(bytes(5000), new Error('the disk of the source'));
    await expect(failing.pipeTo(await fileTarget(target))).rejects.toThrow('the disk of the source');
    expect(await readdir(folder)).toEqual(['result']);
    expect(await readFile(target, 'utf8')).toBe('old');
  });

  it('is as it was when a chunk is no bytes', async () => {
    const end = await fileTarget(target);
    await expect(source('text').pipeTo(end)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(await readdir(folder)).toEqual([]);
  });

  it('takes no chunk whose bytes are gone', async () => {
    await writeFile(target, 'old');
    const detached = bytes(1000);
    structuredClone(detached, { transfer: [detached.buffer] });
    const writer = (await fileTarget(target)).getWriter();
    await expect(writer.write(detached)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(writer.close()).rejects.toThrow();
    expect(await readdir(folder)).toEqual(['result']);
    expect(await readFile(target, 'utf8')).toBe('old');
  });

  it('takes bytes over any buffer', async () => {
    const any: ReadableStream<Uint8Array> = source(Buffer.from('new'));
    await any.pipeTo(await fileTarget(target));
    expect(await readFile(target, 'utf8')).toBe('new');
  });

  it('replaces an existing file, or with overwrite false refuses it', async () => {
    await writeFile(target, 'old');
    await expect(fileTarget(target, { overwrite: false })).rejects.toMatchObject({ code: 'IO' });
    await source(Buffer.from('new')).pipeTo(await fileTarget(target, { mode: 0o640 }));
    expect(await readFile(target, 'utf8')).toBe('new');
    expect((await stat(target)).mode & 0o777).toBe(0o640);
  });

  it('is never a link, a folder, or in a folder that is not there', async () => {
    await writeFile(join(folder, 'other'), 'other');
    await symlink(join(folder, 'other'), target);
    await expect(fileTarget(target)).rejects.toMatchObject({ code: 'IO' });
    await mkdir(join(folder, 'inner'));
    await expect(fileTarget(join(folder, 'inner'))).rejects.toMatchObject({ code: 'IO' });
    await expect(fileTarget(join(folder, 'none', 'file'))).rejects.toMatchObject({ code: 'IO' });
    await expect(fileTarget(target, { oberwrite: true } as never)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
    expect(await readFile(join(folder, 'other'), 'utf8')).toBe('other');
  });
});
