/**
 * What killed runs leave behind, and what the next run makes of it.
 */
import { chownSync, readdirSync, readFileSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { encryptFile } from '../../src/node/index.ts';
import { deadProcess, folderWithFiles, IS_LINUX, IS_ROOT, keyring, MIB } from './helpers.ts';

interface Parts {
  name: string;
  pid: string | number;
  start: string;
  place: string;
  random: string;
}

const TWO_DAYS_AGO = Date.now() / 1000 - 2 * 24 * 3600;

/** How this process names its temporary files. */
async function ownParts(): Promise<Parts> {
  const { a, b, path } = folderWithFiles(MIB);
  let own = '';
  const onProgress = () => {
    own ||= readdirSync(path).find((name) => name.endsWith('.frameseal-tmp'))!;
  };
  await encryptFile(a, b, { keyring, onProgress });
  const [, name, pid, start, place, random] = /^\.(.+)\.(.+)-(.+)-(.+)-(.+)\.frameseal-tmp$/.exec(own)!;
  return { name: name!, pid: pid!, start: start!, place: place!, random: random! };
}

/** Another run's file, then a run of ours to `target`: whether it stays, and whether it is named. */
async function meets(
  changes: Partial<Parts>,
  prepare: (path: string) => void = () => {},
  target = 'b',
): Promise<{ stays: boolean; named: boolean }> {
  const parts = { ...(await ownParts()), random: '0123456789abcdef', ...changes };
  const { a, file, entries } = folderWithFiles(10);
  const entry = `.${parts.name}.${parts.pid}-${parts.start}-${parts.place}-${parts.random}.frameseal-tmp`;
  writeFileSync(file(entry), 'part of it', { mode: 0o600 });
  prepare(file(entry));
  const { leftovers } = await encryptFile(a, file(target), { keyring });
  const stays = entries().includes(entry);
  expect(entries()).toEqual([...new Set(['a', 'b', target, ...(stays ? [entry] : [])])].sort());
  return { stays, named: leftovers.includes(file(entry)) };
}

const REMOVED = { stays: false, named: false };
const NAMED = { stays: true, named: true };
const NOT_OURS = { stays: true, named: false };

describe('a temporary file of a dead run', () => {
  test('is removed by the next run to the same target', async () => {
    expect(await meets({ pid: deadProcess() })).toEqual(REMOVED);
  });

  test.runIf(IS_LINUX)('also when another process has its id now', async () => {
    expect(await meets({ start: '1' })).toEqual(REMOVED);
  });

  test('also for a long name', async () => {
    const target = 'ü'.repeat(120);
    const { a, file, path, entries } = folderWithFiles(MIB);
    let own = '';
    const onProgress = () => {
      own ||= readdirSync(path).find((name) => name.endsWith('.frameseal-tmp'))!;
    };
    await encryptFile(a, file(target), { keyring, onProgress });
    expect(Buffer.byteLength(own)).toBeLessThan(255);
    const dead = own.replace(/\.\d+-/, `.${deadProcess()}-`);
    writeFileSync(file(dead), 'part of it');
    await encryptFile(a, file(target), { keyring });
    expect(entries()).toEqual(['a', 'b', target]);
  });

  test('of elsewhere is removed after a day without a write', async () => {
    const old = (path: string) => utimesSync(path, TWO_DAYS_AGO, TWO_DAYS_AGO);
    expect(await meets({ place: '00000000' }, old)).toEqual(REMOVED);
    expect(await meets({ place: '00000000' })).toEqual(NAMED);
  });
});

describe('what stays', () => {
  test('the file of a run that lives, however old', async () => {
    expect(await meets({}, (path) => utimesSync(path, TWO_DAYS_AGO, TWO_DAYS_AGO))).toEqual(NAMED);
    expect(await meets({ start: '0' })).toEqual(NAMED); // a run that does not know when it started
  });

  test('the file of another target', async () => {
    const pid = deadProcess();
    expect(await meets({ pid, name: 'c' })).toEqual(NOT_OURS);
    expect(await meets({ pid, name: 'b.b' })).toEqual(NOT_OURS);
    expect(await meets({ pid, name: 'b' }, () => {}, 'c')).toEqual(NOT_OURS);
  });

  test('a file with a name that only looks like one', async () => {
    const pid = deadProcess();
    expect(await meets({ pid: 'x' })).toEqual(NOT_OURS);
    expect(await meets({ pid, random: 'short' })).toEqual(NOT_OURS);
    expect(await meets({ pid, place: 'nowhere!' })).toEqual(NOT_OURS);
  });

  test('a symbolic link, and what it leads to', async () => {
    const pid = deadProcess();
    const parts = await ownParts();
    const { a, b, file, entries } = folderWithFiles(10);
    const entry = `.b.${pid}-${parts.start}-${parts.place}-0123456789abcdef.frameseal-tmp`;
    writeFileSync(file('victim'), 'mine');
    symlinkSync('victim', file(entry));
    const { leftovers } = await encryptFile(a, b, { keyring });
    expect(leftovers).toEqual([file(entry)]);
    expect(entries()).toEqual([entry, 'a', 'b', 'victim']);
    expect(readFileSync(file('victim'), 'utf8')).toBe('mine');
  });

  test.runIf(IS_ROOT)('the file of another user', async () => {
    expect(await meets({ pid: deadProcess() }, (path) => chownSync(path, 1, 1))).toEqual(NAMED);
  });
});
