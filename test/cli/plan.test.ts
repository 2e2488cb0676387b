import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { UsageError } from '../../src/cli/failure.ts';
import { makePlan, type PlanOptions } from '../../src/cli/plan.ts';
import { folder } from './support.ts';

function tree(...names: string[]): string {
  const root = folder();
  for (const name of names) {
    mkdirSync(join(root, name, '..'), { recursive: true });
    writeFileSync(join(root, name), name);
  }
  return root;
}

const plan = (options: Partial<PlanOptions>) =>
  makePlan({
    direction: 'encrypt',
    inputs: [],
    output: undefined,
    recursive: false,
    suffix: '.fseal',
    ...options,
  });

async function pairs(root: string, options: Partial<PlanOptions>): Promise<string[]> {
  const { jobs } = await plan(options);
  const short = (path: string) => path.replace(`${root}/`, '');
  return jobs.map(({ input, output }) => `${short(input)} -> ${short(output)}`);
}

describe('one file', () => {
  it('goes beside its original, with the suffix or without', async () => {
    const root = tree('a.txt', 'b.fseal', 'c.enc');
    const at = (name: string) => join(root, name);
    expect(await pairs(root, { inputs: [at('a.txt')] })).toEqual(['a.txt -> a.txt.fseal']);
    expect(await pairs(root, { inputs: [at('b.fseal')], direction: 'decrypt' })).toEqual(['b.fseal -> b']);
    const other = { inputs: [at('c.enc')], direction: 'decrypt', suffix: '.enc' } as const;
    expect(await pairs(root, other)).toEqual(['c.enc -> c']);
  });

  it('goes where --output says: a file, a folder, stdout', async () => {
    const root = tree('a.txt', 'sub/x');
    const inputs = [join(root, 'a.txt')];
    expect(await pairs(root, { inputs, output: join(root, 'new') })).toEqual(['a.txt -> new']);
    expect(await pairs(root, { inputs, output: join(root, 'sub') })).toEqual(['a.txt -> sub/a.txt.fseal']);
    expect(await pairs(root, { inputs, output: `${join(root, 'made')}/` })).toEqual([
      'a.txt -> made/a.txt.fseal',
    ]);
    expect(await pairs(root, { inputs, output: '-' })).toEqual(['a.txt -> -']);
  });

  it('has no name for plaintext without a suffix to strip, but keeps its own in a folder', async () => {
    const root = tree('a.bin', '.fseal', '..fseal', '...fseal', 'out/x');
    for (const name of ['a.bin', '.fseal', '..fseal', '...fseal']) {
      const { jobs, refused } = await plan({ inputs: [join(root, name)], direction: 'decrypt' });
      expect(jobs).toEqual([]);
      expect(refused[0]!.error.message).toContain('--output');
    }
    const options = {
      inputs: [join(root, 'a.bin')],
      direction: 'decrypt',
      output: join(root, 'out'),
    } as const;
    expect(await pairs(root, options)).toEqual(['a.bin -> out/a.bin']);
  });

  it('never becomes itself', async () => {
    const root = tree('a', 'b');
    const beside = await plan({ inputs: [join(root, 'a')], suffix: '' });
    expect(beside.refused[0]!.error.message).toContain('its own result');
    const there = await plan({ inputs: [join(root, 'a')], output: `${root}/./a` });
    expect(there.refused).toHaveLength(1);
  });
});

describe('several files and folders', () => {
  it('all go beside their originals, or into one folder', async () => {
    const root = tree('a', 'b', 'd/e');
    const inputs = [join(root, 'a'), join(root, 'b')];
    expect(await pairs(root, { inputs })).toEqual(['a -> a.fseal', 'b -> b.fseal']);
    expect(await pairs(root, { inputs, output: join(root, 'new') })).toEqual([
      'a -> new/a.fseal',
      'b -> new/b.fseal',
    ]);
    await expect(plan({ inputs, output: join(root, 'a') })).rejects.toThrow(UsageError);
    await expect(plan({ inputs, output: '-' })).rejects.toThrow(UsageError);
  });

  it('a folder is mirrored, and comes back', async () => {
    const root = tree('in/a', 'in/sub/deep/b', 'out/a.fseal', 'out/sub/deep/b.fseal');
    const recursive = true;
    expect(await pairs(root, { inputs: [join(root, 'in')], output: join(root, 'new'), recursive })).toEqual([
      'in/a -> new/a.fseal',
      'in/sub/deep/b -> new/sub/deep/b.fseal',
    ]);
    const back = {
      inputs: [join(root, 'out')],
      output: join(root, 'new'),
      recursive,
      direction: 'decrypt',
    } as const;
    expect(await pairs(root, back)).toEqual([
      'out/a.fseal -> new/a',
      'out/sub/deep/b.fseal -> new/sub/deep/b',
    ]);
    expect(await pairs(root, { inputs: [`${root}/in/`], recursive })).toEqual([
      'in/a -> in/a.fseal',
      'in/sub/deep/b -> in/sub/deep/b.fseal',
    ]);
  });

  it('within folders, messages and originals are told apart, and links are left alone', async () => {
    const root = tree('in/a', 'in/a.fseal', 'in/b', 'elsewhere/secret');
    symlinkSync(join(root, 'elsewhere'), join(root, 'in/link'));
    symlinkSync(join(root, 'in/a'), join(root, 'in/file-link'));
    const inputs = [join(root, 'in')];
    const encrypting = await plan({ inputs, recursive: true });
    expect(encrypting.jobs.map(({ input }) => input.slice(root.length))).toEqual(['/in/a', '/in/b']);
    expect(encrypting.skipped).toBe(3);
    const decrypting = await plan({ inputs, recursive: true, direction: 'decrypt' });
    expect(decrypting.jobs.map(({ output }) => output.slice(root.length))).toEqual(['/in/a']);
    expect(decrypting.skipped).toBe(4);
  });

  it('what cannot be read is refused, and the rest goes on', async () => {
    const root = tree('a', 'd/e');
    const { jobs, refused } = await plan({ inputs: [join(root, 'none'), join(root, 'd'), join(root, 'a')] });
    expect(jobs).toHaveLength(1);
    expect(refused.map(({ error }) => error.code)).toEqual(['IO', 'IO']);
    expect(refused[1]!.error.message).toContain('--recursive');
  });

  it('refuses two files that would become one, and a file that would be replaced before its turn', async () => {
    const root = tree('x/a', 'y/a', 'x/a.fseal');
    const [one, two] = [join(root, 'x/a'), join(root, 'y/a')];
    await expect(plan({ inputs: [one, two], output: join(root, 'new') })).rejects.toThrow('both become');
    await expect(plan({ inputs: [one, one] })).rejects.toThrow('both become');
    await expect(plan({ inputs: [one, `${one}.fseal`] })).rejects.toThrow('is an input');
  });
});

describe('stdin', () => {
  it('goes to stdout or to a file', async () => {
    expect(await pairs('', {})).toEqual(['- -> -']);
    expect(await pairs('', { inputs: ['-'], output: '-' })).toEqual(['- -> -']);
    expect(await pairs('', { inputs: ['-'], output: 'f' })).toEqual(['- -> f']);
  });

  it('has no name in a folder, and no company', async () => {
    await expect(plan({ output: folder() })).rejects.toThrow('no name');
    await expect(plan({ output: 'new/' })).rejects.toThrow('no name');
    await expect(plan({ inputs: ['-', 'a'] })).rejects.toThrow(UsageError);
  });
});

it('a message whose name without the suffix is a folder is refused, and the rest goes on', async () => {
  const root = tree('in/..fseal', 'in/...fseal', 'in/a.fseal');
  const options = { inputs: [join(root, 'in')], recursive: true, direction: 'decrypt' } as const;
  const { jobs, refused } = await plan(options);
  expect(jobs.map(({ output }) => output)).toEqual([join(root, 'in/a')]);
  expect(refused).toHaveLength(2);
});

it.runIf(process.platform === 'linux')(
  'names that are not UTF-8 are refused, and the rest goes on',
  async () => {
    const root = tree('in/a');
    const latin1 = (name: string) => Buffer.concat([Buffer.from(`${root}/in/`), Buffer.from(name, 'latin1')]);
    writeFileSync(latin1('\xfcber'), '');
    writeFileSync(latin1('\xe4ber'), '');
    mkdirSync(latin1('\xf6'));
    const { jobs, refused } = await plan({ inputs: [join(root, 'in')], recursive: true });
    expect(jobs.map(({ input }) => input)).toEqual([join(root, 'in/a')]);
    expect(refused).toHaveLength(3);
    for (const { error } of refused) expect(error.message).toContain('its name is not UTF-8');
  },
);

it('a suffix is part of a name', async () => {
  await expect(plan({ suffix: '/../x' })).rejects.toThrow(UsageError);
});
