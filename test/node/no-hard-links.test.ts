/**
 * File systems without hard links: `overwrite: false` looks again, and renames.
 */
import type * as promises from 'node:fs/promises';
import { describe, expect, test, vi } from 'vitest';
import { encryptFile } from '../../src/node/index.ts';
import { failure } from '../support/messages.ts';
import { folderWithFiles, keyring, text } from './helpers.ts';

const before = vi.hoisted(() => ({ link: () => {} }));

vi.mock('node:fs/promises', async (load) => ({
  ...(await load<typeof promises>()),
  link: async () => {
    before.link();
    throw Object.assign(new Error('EPERM: operation not permitted, link'), {
      code: 'EPERM',
      syscall: 'link',
    });
  },
}));

describe('without hard links', () => {
  test('a new file is written', async () => {
    const { a, b, entries } = folderWithFiles(10, null);
    const { bytesWritten } = await encryptFile(a, b, { keyring, overwrite: false });
    expect(bytesWritten).toBeGreaterThan(10);
    expect(entries()).toEqual(['a', 'b']);
  });

  test('a file that has appeared meanwhile stays', async () => {
    const { a, b, entries } = folderWithFiles(10, null);
    const { writeFileSync } = await import('node:fs');
    before.link = () => writeFileSync(b, 'theirs');
    const { message } = await failure(encryptFile(a, b, { keyring, overwrite: false }));
    expect(message).toMatch(/exists already/);
    expect(text(b)).toBe('theirs');
    expect(entries()).toEqual(['a', 'b']);
  });
});
