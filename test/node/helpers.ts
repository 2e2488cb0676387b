/** Folders that end with their test, and what a run leaves behind. */
import { spawnSync } from 'node:child_process';
import { chownSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { encrypt } from '../../src/index.ts';
import { aesKeyring, bytes } from '../support/messages.ts';

export const keyring: ReturnType<typeof aesKeyring> = aesKeyring();
export const IS_ROOT: boolean = process.geteuid?.() === 0;
export const IS_LINUX: boolean = process.platform === 'linux';

const NOBODY = 65_534;
export const MIB: number = 2 ** 20;

/** So many bytes; no two frames of a usual length are alike. */
export function plain(length: number): Buffer {
  return Buffer.alloc(length, bytes(251));
}

/** A new folder, and paths in it. */
export function folder(): { path: string; file: (name: string) => string; entries: () => string[] } {
  const path = mkdtempSync(join(tmpdir(), 'frameseal-files-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return { path, file: (name) => join(path, name), entries: () => readdirSync(path).sort() };
}

/** A folder with a plaintext `a` and an old target `b`. */
export function folderWithFiles(
  length: number,
  old: string | null = 'old',
): ReturnType<typeof folder> & { plaintext: Buffer; a: string; b: string } {
  const made = folder();
  const plaintext = plain(length);
  const [a, b] = [made.file('a'), made.file('b')];
  writeFileSync(a, plaintext);
  if (old !== null) writeFileSync(b, old);
  return { ...made, plaintext, a, b };
}

/** A message of so many bytes in a file. */
export async function messageFile(
  path: string,
  length: number,
  options: Partial<Parameters<typeof encrypt>[1]> = {},
): Promise<Buffer> {
  const { ciphertext } = await encrypt(plain(length), { keyring, ...options });
  writeFileSync(path, ciphertext);
  return Buffer.from(ciphertext);
}

/** The file, as text. */
export function text(path: string): string {
  return readFileSync(path, 'utf8');
}

/** What is watched for leaks: descriptors, and listeners of the process. */
export function inUse(): unknown {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'exit'];
  return {
    descriptors: IS_LINUX ? readdirSync('/proc/self/fd').length : undefined,
    listeners: signals.map((signal) => process.listenerCount(signal)),
  };
}

/** Runs as a user who is not root, to whom the folder belongs: permissions mean nothing to root. */
export async function asOrdinaryUser<T>(path: string, work: () => Promise<T>): Promise<T> {
  if (!IS_ROOT) return work();
  for (const entry of [path, ...readdirSync(path).map((name) => join(path, name))]) {
    chownSync(entry, NOBODY, NOBODY);
  }
  process.seteuid!(NOBODY);
  try {
    return await work();
  } finally {
    process.seteuid!(0);
  }
}

/** Runs a command of the system. */
export function succeeds(command: string, ...args: string[]): boolean {
  return spawnSync(command, args).status === 0;
}

/** A file system of 1 MiB; `undefined` where none can be mounted. */
export function smallDisk(): string | undefined {
  const path = mkdtempSync(join(tmpdir(), 'frameseal-disk-'));
  const options = ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', path];
  const isMounted = IS_ROOT && IS_LINUX && succeeds('mount', ...options);
  onTestFinished(() => {
    if (isMounted) succeeds('umount', path);
    rmdirSync(path);
  });
  return isMounted ? path : undefined;
}

/** The id of a process that has ended. */
export function deadProcess(): number {
  return spawnSync(process.execPath, ['-e', '']).pid;
}
