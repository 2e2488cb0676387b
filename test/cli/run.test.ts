import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { failureOf, oneLine, UsageError } from '../../src/cli/failure.ts';
import { type Command, nearest, parseArguments } from '../../src/cli/options.ts';
import { asciiJson } from '../../src/cli/report.ts';
import { FramesealError } from '../../src/index.ts';
import { VERSION } from '../../src/version.ts';
import { folder, frameseal } from './support.ts';

const COMMANDS = ['encrypt', 'decrypt', 'rewrap', 'add-keys', 'inspect', 'keygen', 'bench', 'local-kms'];

describe('help and version', () => {
  it('prints the version', async () => {
    expect(await frameseal(['--version'])).toMatchObject({ code: 0, out: `${VERSION}\n`, err: '' });
  });

  it.each([['--help'], ['-h'], ['help']])('%s lists the commands, and no others', async (word) => {
    const { code, out } = await frameseal([word]);
    expect(code).toBe(0);
    const listed = out.slice(out.indexOf('Commands'), out.indexOf('Exit code')).matchAll(/^ {2}(\S+) /gm);
    expect([...listed].map(([, name]) => name)).toEqual(COMMANDS);
  });

  it.each(COMMANDS)('%s has help, which names every option', async (name) => {
    const help = await frameseal([name, '--help']);
    expect(help).toMatchObject({ code: 0, err: '' });
    expect(help.out).toContain(`frameseal ${name} `);
    expect(help.out).toContain('--json');
    expect((await frameseal(['help', name])).out).toBe(help.out);
    expect((await frameseal([name, '--no-such-option', '-h'])).out).toBe(help.out);
    for (const line of help.out.split('\n')) expect(line.length).toBeLessThan(125);
  });
});

describe('a call that cannot work', () => {
  it.each([
    [[], 'a command is needed'],
    [['encrytp'], 'is it encrypt?'],
    [['benc'], 'is it bench?'],
    [['verify'], 'unknown command verify'],
    [['toString'], 'unknown command'],
    [['help', 'nothing'], 'unknown command nothing'],
    [['encrypt', '--overwite'], 'is it --overwrite?'],
    [['encrypt', '--zzz'], 'unknown option --zzz; see "frameseal encrypt --help"'],
    [['encrypt', '-z'], 'unknown option -z'],
    [['encrypt', '--key'], '--key'],
    [['encrypt', '--recursive=yes'], 'does not take an argument'],
    [['encrypt', '--output', 'a', '--output', 'b'], '--output is given twice'],
    [['encrypt'], 'at least one --key'],
    [['encrypt', '--key', 'nonsense'], '--key expected'],
    [['encrypt', '--key', 'aws-kms:a', '-c', 'novalue'], 'expected KEY=VALUE'],
    [['encrypt', '--key', 'aws-kms:a', '-c', 'a=1', '-c', 'a=2'], 'has "a" twice'],
    [['encrypt', '--key', 'aws-kms:a', '--suite', '0x9999'], '--suite'],
    [['encrypt', '--key', 'aws-kms:a', '--suite', 'AES'], '--suite'],
    [['encrypt', '--key', 'aws-kms:a', '--frame-length', '0'], '--frame-length expected 1..'],
    [['encrypt', '--key', 'aws-kms:a', '--frame-length', '1e3'], '--frame-length expected 1..'],
    [['encrypt', '--key', 'aws-kms:a', '--engine', 'fast'], '--engine expected one of'],
    [['encrypt', '--key', 'aws-kms:a', '--commitment-policy', 'no'], '--commitment-policy expected'],
    [['encrypt', '--key', 'aws-kms:a', '--rsa-padding', 'none'], '--rsa-padding expected'],
    [['encrypt', '--key', 'aws-kms:a', '--max-encrypted-data-keys', '0'], '1..65535'],
    [['decrypt', '--suite', '0x0478'], 'unknown option --suite'],
    [['encrypt', '--key', 'aws-kms:not an arn'], 'generatorKeyId'],
    [['keygen'], 'aes or rsa'],
    [['keygen', 'aes'], '--output'],
    [['keygen', 'aes', '-o', '-'], '--output'],
    [['keygen', 'aes', '--output', '/x', '--bits', '100'], '--bits expected one of'],
    [['keygen', 'aes', '--output', '/x', '--name', 'noslash'], '--name expected'],
    [['local-kms', 'extra'], 'options only'],
    [['local-kms', '--port', '65536'], '0..65535'],
    [['local-kms', '--region', 'X'], 'region'],
  ])('%j ends with 2 and says why on one line', async (argv, text) => {
    const { code, err, out } = await frameseal(argv);
    expect(err).toMatch(/^frameseal: (USAGE|INVALID_ARGUMENT): [^\n]*\n$/);
    expect(err).toContain(text);
    expect({ code, out }).toEqual({ code: 2, out: '' });
  });

  it('is told to machines too', async () => {
    const { code, json, err } = await frameseal(['encrypt', '--json', 'none']);
    expect(code).toBe(2);
    expect(err).toMatch(/^frameseal: USAGE: /);
    expect(json()).toEqual([
      { ok: false, error: { code: 'USAGE', message: expect.stringContaining('--key') } },
    ]);
  });

  it.each([
    [['encrypt', '--json', '--zzz']],
    [['encrypt', '--json', 'a', 'b', '-o', '-']],
    [['decrypt', '--json', '--zzz', '--output=-', 'a']],
    [['decrypt', '--json', '-']],
    [['rewrap', '--json', '--zzz', '-o', '-', 'a']],
    [['rewrap', '--json']],
  ])('leaves stdout to the data: %j', async (argv) => {
    const { code, err, out } = await frameseal(argv);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(JSON.parse(err)).toMatchObject({ ok: false, error: { code: 'USAGE' } });
  });

  it('is told as text where --json is the name of a file', async () => {
    const { code, err, out } = await frameseal(['encrypt', '--zzz', '--', '--json']);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(/^frameseal: USAGE: /);
  });

  it('says nothing that a terminal would obey', async () => {
    const { err } = await frameseal(['\x1b[31m\n\u202e']);
    expect(err).toMatch(/^[\x20-\x7e]*\n$/);
  });
});

describe('arguments', () => {
  const command: Command = {
    name: 'x',
    usage: [''],
    about: '',
    options: {
      one: { short: 'o', value: 'V', help: '' },
      many: { value: 'V', multiple: true, help: '' },
      flag: { short: 'f', help: '' },
    },
    run: async () => 0,
  };

  it('are parsed', () => {
    const args = parseArguments(command, ['-fo', 'a', '--many=1', 'in', '--many', '2', '--', '--flag', '-']);
    expect(args.positionals).toEqual(['in', '--flag', '-']);
    expect([args.text('one'), args.texts('many'), args.flag('flag'), args.flag('quiet')]).toEqual([
      'a',
      ['1', '2'],
      true,
      false,
    ]);
    expect(parseArguments(command, ['--one', '-']).text('one')).toBe('-');
    expect(() => parseArguments(command, ['--one', '-f'])).toThrow(UsageError);
  });

  it.each([
    ['overwrit', 'overwrite'],
    ['ovrewrite', 'overwrite'],
    ['outptu', 'output'],
    ['x', undefined],
    ['completely', undefined],
  ])('%s is near %s', (word, near) => expect(nearest(word, ['overwrite', 'output', 'key'])).toBe(near));
});

describe('what is said', () => {
  it('escapes what moves the cursor, and leaves what has been escaped', () => {
    expect(oneLine('a\x1b[2J\r\n\u202e\u2028\\u{7}é')).toBe(
      'a\\u{1b}[2J\\u{d}\\u{a}\\u{202e}\\u{2028}\\u{7}é',
    );
  });

  it('is JSON of printable ASCII, and exact', () => {
    const value = { text: '\x1b\x7f\u202eü\u{1F600}\u2028' };
    expect(asciiJson(value)).toMatch(/^[\x20-\x7e]*$/);
    expect(JSON.parse(asciiJson(value))).toEqual(value);
  });

  it('has a code for everything', () => {
    expect(failureOf(new UsageError('u'))).toEqual({ code: 'USAGE', message: 'u' });
    expect(failureOf(new FramesealError('TIMEOUT', 't', { region: 'r' }))).toEqual({
      code: 'TIMEOUT',
      message: 't',
      region: 'r',
    });
    expect(failureOf(Object.assign(new Error('e'), { syscall: 'open' }))).toEqual({
      code: 'IO',
      message: 'e',
    });
    expect(failureOf(new TypeError('bug'))).toEqual({ code: 'INTERNAL', message: 'bug' });
    expect(failureOf(undefined).code).toBe('INTERNAL');
  });
});

it('ends quietly when nobody reads', async () => {
  const stdout = new Writable({
    write: (_chunk, _encoding, done) => done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })),
  });
  expect(await frameseal(['--help'], { stdout })).toMatchObject({ code: 141, err: '' });
});

function fullDisk(): Writable {
  const error = new Error('ENOSPC: no space left on device, write');
  const failure = Object.assign(error, { code: 'ENOSPC', syscall: 'write' });
  return new Writable({ write: (_chunk, _encoding, done) => done(failure) });
}

it('says when stdout cannot be written for another reason', async () => {
  const { code, err } = await frameseal(['--help'], { stdout: fullDisk() });
  expect(code).toBe(1);
  expect(err).toContain('IO: ENOSPC');
});

it('keeps its exit code when nothing can be said', async () => {
  const call = () => ({ stdout: fullDisk(), stderr: fullDisk() });
  expect((await frameseal(['encrypt', '--json', 'none'], call())).code).toBe(2);
  expect((await frameseal(['--help'], call())).code).toBe(1);
});

it('does not count a file as failed whose line cannot be written', async () => {
  const root = folder();
  const [file, key] = [join(root, 'a'), join(root, 'key')];
  writeFileSync(file, 'hello');
  writeFileSync(key, Buffer.alloc(32, 1), { mode: 0o600 });
  const argv = ['encrypt', '--json', '-k', `aes:n/k=${key}`, file];
  const { code, err } = await frameseal(argv, { stdout: fullDisk() });
  expect(code).toBe(1);
  expect(err).toMatch(/^frameseal: IO: ENOSPC[^\n]*\n$/);
  expect(existsSync(`${file}.fseal`)).toBe(true);
});
