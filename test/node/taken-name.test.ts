/**
 * A file that has the name of our next temporary file already: it is somebody's.
 */
import type * as crypto from 'node:crypto';
import { readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { expect, test, vi } from 'vitest';
import { encryptFile } from '../../src/node/index.ts';
import { failure } from '../support/messages.ts';
import { folderWithFiles, inUse, keyring, MIB, text } from './helpers.ts';

vi.mock('node:crypto', async (load) => {
  const real = await load<typeof crypto>();
  return { ...real, randomBytes: (length: number) => Buffer.alloc(length, 0xab) };
});

/** The name that the temporary file of target `b` gets. */
async function nextName(): Promise<string> {
  const { a, b, path } = folderWithFiles(MIB);
  let name = '';
  const onProgress = () => {
    name ||= readdirSync(path).find((entry) => entry.endsWith('.frameseal-tmp'))!;
  };
  await encryptFile(a, b, { keyring, onProgress });
  return name;
}

test.each(['file', 'link'])('a %s is neither written to, nor followed, nor removed', async (kind) => {
  const name = await nextName();
  expect(name).toContain('-abababababababab.');
  const { a, b, file, entries } = folderWithFiles(MIB);
  writeFileSync(file('theirs'), 'theirs');
  if (kind === 'file') writeFileSync(file(name), 'theirs');
  else symlinkSync('theirs', file(name));
  const before = inUse();
  const { code, message } = await failure(encryptFile(a, b, { keyring }));
  expect([code, message]).toEqual(['IO', expect.stringMatching(/cannot write .*\(EEXIST\)/)]);
  expect(text(b)).toBe('old');
  expect([text(file(name)), text(file('theirs'))]).toEqual(['theirs', 'theirs']);
  expect(entries()).toEqual([name, 'a', 'b', 'theirs']);
  expect(inUse()).toEqual(before);
});
