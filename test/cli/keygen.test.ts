import { createPrivateKey, createPublicKey } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { folder, frameseal } from './support.ts';

const mode = (path: string) => statSync(path).mode & 0o777;

describe('keygen aes', () => {
  it.each(['128', '192', '256'])('%s bits: a private file of one line, and its --key', async (bits) => {
    const file = join(folder(), 'k');
    const { code, out, err } = await frameseal(['keygen', 'aes', '-o', file, '--bits', bits]);
    expect({ code, out, err }).toEqual({ code: 0, out: `--key aes:local/k=${file}\n`, err: '' });
    expect(mode(file)).toBe(0o600);
    const text = readFileSync(file, 'utf8');
    expect(text).toMatch(/^[A-Za-z0-9+/=]+\n$/);
    expect(Buffer.from(text, 'base64')).toHaveLength(Number(bits) / 8);
  });

  it('never gives the same key, and never replaces one', async () => {
    const root = folder();
    const [one, two] = [join(root, '1'), join(root, '2')];
    for (const file of [one, two]) expect((await frameseal(['keygen', 'aes', '-o', file])).code).toBe(0);
    const key = readFileSync(one, 'utf8');
    expect(readFileSync(two, 'utf8')).not.toBe(key);
    const again = await frameseal(['keygen', 'aes', '-o', one]);
    expect(again).toMatchObject({ code: 1, out: '', err: expect.stringContaining('never overwritten') });
    expect(readFileSync(one, 'utf8')).toBe(key);
    expect(readdirSync(root)).toEqual(['1', '2']);
  });
});

describe('keygen rsa', () => {
  it('a private key for its owner, a public one for all, and the --key of each', async () => {
    const file = join(folder(), 'k');
    const name = ['--name', 'escrow/2026'];
    const { code, json } = await frameseal([
      'keygen',
      'rsa',
      '-o',
      file,
      '--bits',
      '2048',
      ...name,
      '--json',
    ]);
    expect(code).toBe(0);
    const keys = [`rsa:escrow/2026=${file}.pub`, `rsa:escrow/2026=${file}`];
    expect(json()).toEqual([{ ok: true, kind: 'rsa', bits: 2048, keys }]);
    expect(mode(file)).toBe(0o600);
    expect(mode(`${file}.pub`) & 0o644).toBe(0o644 & ~process.umask());
    const privateKey = createPrivateKey(readFileSync(file));
    expect(privateKey.asymmetricKeyDetails?.modulusLength).toBe(2048);
    const publicKey = createPublicKey(readFileSync(`${file}.pub`));
    expect(createPublicKey(privateKey).equals(publicKey)).toBe(true);
    expect(readFileSync(file, 'utf8')).toMatch(/^-----BEGIN PRIVATE KEY-----/);
    expect(readFileSync(`${file}.pub`, 'utf8')).toMatch(/^-----BEGIN PUBLIC KEY-----/);
  });

  it('makes both files or none', async () => {
    const root = folder();
    const file = join(root, 'k');
    writeFileSync(`${file}.pub`, 'there');
    expect((await frameseal(['keygen', 'rsa', '-o', file, '--bits', '2048'])).code).toBe(1);
    expect(existsSync(file)).toBe(false);
    expect(readFileSync(`${file}.pub`, 'utf8')).toBe('there');
    expect(readdirSync(root)).toEqual(['k.pub']);
  });
});

it('says which folder is missing', async () => {
  const file = join(folder(), 'none', 'k');
  const { code, err } = await frameseal(['keygen', 'aes', '-o', file]);
  expect(code).toBe(1);
  expect(err).toContain(`IO: cannot write "${file}": no such file or directory (ENOENT)`);
});
