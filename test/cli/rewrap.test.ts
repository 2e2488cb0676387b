/**
 * `frameseal rewrap`: in place unless it is told otherwise, and never half.
 */
import {
  chmodSync,
  linkSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { decrypt, encrypt, parseHeader } from '../../src/index.ts';
import { asOrdinaryUser } from '../node/helpers.ts';
import { aesKeyring, bytes, flip } from '../support/messages.ts';
import { endless, folder, frameseal, keyFile, put } from './support.ts';

const PLAIN = Buffer.from(bytes(10_000));
const UNSIGNED = { algorithmSuite: 0x0478 };

const sealed = async (options = {}, plain: Uint8Array = PLAIN) =>
  Buffer.from((await encrypt(plain, { keyring: aesKeyring(), ...options })).ciphertext);

/** Which of the keys 1 to 3 open a message. */
async function openers(message: Uint8Array): Promise<number[]> {
  const all = await Promise.all(
    [1, 2, 3].map((seed) =>
      decrypt(message, { keyring: aesKeyring(seed) }).then(
        ({ plaintext }) => Buffer.from(plaintext).equals(PLAIN),
        () => false,
      ),
    ),
  );
  return [1, 2, 3].filter((seed) => all[seed - 1]);
}

/** A folder with three keys and a message. */
async function prepared(options = {}) {
  const root = folder();
  const [one, two, three] = [1, 2, 3].map((seed) => keyFile(root, seed)) as [string, string, string];
  const message = await sealed(options);
  const file = put(root, 'a.fseal', message);
  const rewrap = (...words: string[]) => frameseal(['rewrap', '-k', one, '--to', two, ...words]);
  return { root, one, two, three, file, message, rewrap, entries: () => readdirSync(root).sort() };
}

describe('a file', () => {
  it('is rewrapped in place, for its owner only, and nothing else is left', async () => {
    const { file, rewrap, entries } = await prepared();
    const before = entries();
    expect(await rewrap(file)).toMatchObject({
      code: 0,
      out: '',
      err: `frameseal: ${file}: rewrapped, data key new, opens with test: aes-2\n`,
    });
    expect(await openers(readFileSync(file))).toEqual([2]);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(entries()).toEqual(before);
  });

  it('keeps its data key where that is sound, and its old keys where that is asked for', async () => {
    const { file, one, two, three, rewrap } = await prepared(UNSIGNED);
    const kept = await rewrap('--keep-existing', file);
    expect(kept.err).toContain(
      'data key kept, opens with test: aes-1, test: aes-2 (from before: test: aes-1)',
    );
    expect(await openers(readFileSync(file))).toEqual([1, 2]);
    const fresh = await frameseal([
      'rewrap',
      '-k',
      two,
      '--to',
      three,
      '--to',
      one,
      '--fresh-data-key',
      file,
    ]);
    expect(fresh.err).toContain('data key new, opens with test: aes-3, test: aes-1\n');
    expect(await openers(readFileSync(file))).toEqual([1, 3]);
    expect((await rewrap('--keep-data-key', '-q', file)).err).toBe('');
    expect(await openers(readFileSync(file))).toEqual([2]);
  });

  it('fails where the data key is to stay and cannot', async () => {
    const { file, message, rewrap } = await prepared();
    for (const option of ['--keep-data-key', '--keep-existing']) {
      expect(await rewrap(option, file)).toMatchObject({
        code: 1,
        err: expect.stringContaining('UNSUPPORTED'),
      });
    }
    expect(readFileSync(file)).toEqual(message);
  });

  it('takes suite, frame length and policy', async () => {
    const { file, rewrap } = await prepared();
    expect((await rewrap('--suite', '0x0478', '--frame-length', '1000', file)).code).toBe(0);
    expect(parseHeader(readFileSync(file))).toMatchObject({ suiteId: 0x0478, frameLength: 1000 });
    const old = await prepared({ algorithmSuite: 0x0178, commitmentPolicy: 'FORBID_ENCRYPT_ALLOW_DECRYPT' });
    expect((await old.rewrap(old.file)).err).toContain('COMMITMENT_POLICY');
    expect((await old.rewrap('--commitment-policy', 'require-encrypt-allow-decrypt', old.file)).code).toBe(0);
    expect(parseHeader(readFileSync(old.file)).suiteId).toBe(0x0578);
  });

  it('goes elsewhere with --output, and the old one stays', async () => {
    const { root, file, message, rewrap } = await prepared();
    const there = join(root, 'there');
    expect((await rewrap('-o', there, file)).err).toContain(`${file} -> ${there}: rewrapped`);
    expect((await rewrap('-o', there, file)).err).toContain('--overwrite');
    expect((await rewrap('-o', there, '--overwrite', file)).code).toBe(0);
    expect((await rewrap('-o', `${join(root, 'sub')}/`, file)).code).toBe(0);
    for (const name of ['there', 'sub/a.fseal']) {
      expect(await openers(readFileSync(join(root, name)))).toEqual([2]);
    }
    const printed = await rewrap('-o', '-', file);
    expect(await openers(printed.bytes)).toEqual([2]);
    expect((await rewrap('-o', file, file)).err).toContain('leave --output out');
    expect(readFileSync(file)).toEqual(message);
  });

  it('is refused through a link, and a message by another name is not its target', async () => {
    const { root, file, message, rewrap } = await prepared();
    symlinkSync('a.fseal', join(root, 'soft.fseal'));
    linkSync(file, join(root, 'hard.fseal'));
    expect((await rewrap(join(root, 'soft.fseal'))).err).toMatch(/IO: .*symbolic link/);
    expect((await rewrap('-o', join(root, 'hard.fseal'), '--overwrite', file)).err).toContain(
      'the source itself',
    );
    expect((await rewrap('/dev/null')).err).toContain('no regular file');
    expect(readFileSync(file)).toEqual(message);
  });
});

describe('a failure leaves the message byte for byte, and nothing else', () => {
  it.each([
    ['a wrong context', (message: Buffer) => message, ['-c', 'a=b'], 'CONTEXT_MISMATCH'],
    [
      'an altered signature',
      (message: Buffer) => flip(message, message.length - 1),
      [],
      'AUTHENTICATION_FAILED',
    ],
    ['an altered frame', (message: Buffer) => flip(message, 5000), [], 'AUTHENTICATION_FAILED'],
    ['a cut message', (message: Buffer) => message.subarray(0, -1), [], 'TRUNCATED'],
    ['something behind it', (message: Buffer) => Buffer.concat([message, PLAIN]), [], 'TRAILING_BYTES'],
    ['base64 text', (message: Buffer) => Buffer.from(message.toString('base64')), [], 'BASE64_MESSAGE'],
    ['no message', () => PLAIN, [], 'INVALID_MESSAGE'],
    ['a limit', (message: Buffer) => message, ['--max-frame-length', '100'], 'LIMIT_EXCEEDED'],
  ])('%s', async (_, change, options, code) => {
    const { file, message, rewrap, entries } = await prepared();
    const contents = Buffer.from(change(message));
    writeFileSync(file, contents);
    const before = entries();
    const { code: exit, err } = await rewrap(...options, file);
    expect(exit).toBe(1);
    expect(err).toMatch(new RegExp(`^frameseal: ${file}: ${code}: [^\\n]*\\n$`));
    expect(readFileSync(file)).toEqual(contents);
    expect(entries()).toEqual(before);
  });

  it('a message that is replaced meanwhile', async () => {
    const { root, file, rewrap, entries } = await prepared();
    // As large as it takes for the command to be at work when the terminal is drawn to.
    writeFileSync(file, await sealed({}, Buffer.alloc(8_000_000)));
    put(root, 'new', PLAIN);
    let swapped = false;
    const stderr = Object.assign(
      new Writable({
        write(_chunk, _encoding, done) {
          if (!swapped) renameSync(join(root, 'new'), file);
          swapped = true;
          done();
        },
      }),
      { isTTY: true },
    );
    const { code } = await frameseal(['rewrap', '-k', keyFile(root), '--to', keyFile(root, 2), file], {
      stderr,
    });
    expect(swapped).toBe(true);
    expect(code).toBe(1);
    expect(readFileSync(file)).toEqual(PLAIN);
    expect(entries()).toEqual(['a.fseal', 'key', 'key-2', 'key-3']);
    expect((await rewrap(file)).code).toBe(1);
  });

  it.runIf(process.geteuid)('a folder that may not be written to', async () => {
    const { root, file, message, rewrap } = await prepared();
    await asOrdinaryUser(root, async () => {
      chmodSync(root, 0o500);
      expect(await rewrap(file)).toMatchObject({ code: 1, err: expect.stringMatching(/IO: .*\(EACCES\)/) });
      chmodSync(root, 0o700);
    });
    expect(readFileSync(file)).toEqual(message);
  });
});

describe('folders', () => {
  it('are rewrapped in place, and the rest goes on after a failure', async () => {
    const { root, rewrap } = await prepared();
    const message = await sealed(UNSIGNED);
    put(root, 'in/1.fseal', message);
    put(root, 'in/2.fseal', flip(message, message.length - 1));
    put(root, 'in/deep/3.fseal', message);
    put(root, 'in/other', PLAIN);
    symlinkSync(join(root, 'in/1.fseal'), join(root, 'in/link.fseal'));
    const { code, err, json } = await rewrap('-r', '--json', join(root, 'in'));
    expect(code).toBe(1);
    expect(json().map(({ ok, error, dataKey }) => error?.code ?? (ok && dataKey))).toEqual([
      'kept',
      'AUTHENTICATION_FAILED',
      'kept',
    ]);
    expect(err).toContain(`1 of 3 failed: ${join(root, 'in/2.fseal')}`);
    for (const name of ['1', 'deep/3']) {
      expect(await openers(readFileSync(join(root, `in/${name}.fseal`)))).toEqual([2]);
    }
    expect(readFileSync(join(root, 'in/2.fseal'))).toEqual(Buffer.from(flip(message, message.length - 1)));
    expect(readFileSync(join(root, 'in/other'))).toEqual(PLAIN);
    expect(readdirSync(join(root, 'in'), { recursive: true })).toHaveLength(6);
  });

  it('are mirrored with --output', async () => {
    const { root, rewrap } = await prepared();
    const message = await sealed();
    put(root, 'in/deep/1.fseal', message);
    expect((await rewrap('-r', '-o', join(root, 'out'), join(root, 'in'))).code).toBe(0);
    expect(await openers(readFileSync(join(root, 'out/deep/1.fseal')))).toEqual([2]);
    expect(readFileSync(join(root, 'in/deep/1.fseal'))).toEqual(message);
  });

  it('need --recursive', async () => {
    const { root, file, message, rewrap } = await prepared();
    expect((await rewrap(root)).err).toContain('--recursive');
    expect(readFileSync(file)).toEqual(message);
  });
});

describe('stdin and stdout', () => {
  it('a message passes through', async () => {
    const { root, message, rewrap, one, two } = await prepared(UNSIGNED);
    const argv = ['rewrap', '-k', one, '--to', two];
    const { code, bytes: out, err } = await frameseal(argv, { stdin: message });
    expect(code).toBe(0);
    expect(err).toContain('standard input -> standard output: rewrapped, data key kept');
    expect(await openers(out)).toEqual([2]);
    const there = join(root, 'there');
    expect((await frameseal([...argv, '-o', there, '-q', '-'], { stdin: message })).err).toBe('');
    expect(await openers(readFileSync(there))).toEqual([2]);
    expect((await rewrap('-o', '-', '--json', join(root, 'a.fseal'))).err).toMatch(/^\{"ok":true/);
  });

  it('a failure says what must be discarded, and what came is no message', async () => {
    const { message, one, two } = await prepared(UNSIGNED);
    const stdin = flip(message, message.length - 1);
    const { code, bytes: out, err } = await frameseal(['rewrap', '-k', one, '--to', two], { stdin });
    expect(code).toBe(1);
    expect(err).toMatch(
      new RegExp(`AUTHENTICATION_FAILED: .*; discard the ${out.length} bytes written to stdout`),
    );
    expect(out.length).toBeGreaterThan(0);
    expect(await openers(out)).toEqual([]);
  });

  it('no message goes to a terminal by mistake', async () => {
    const { message, one, two } = await prepared();
    const call = { stdin: message, terminal: true };
    expect(await frameseal(['rewrap', '-k', one, '--to', two], call)).toMatchObject({ code: 2, out: '' });
  });
});

describe('sidecars', () => {
  async function withSidecar(options = {}) {
    const made = await prepared(options);
    const { file, one, three } = made;
    await frameseal(['add-keys', '-k', one, '--add', three, file]);
    return { ...made, sidecar: `${file}.sidecar` };
  }

  it('open the message, and are removed when it is rewrapped in place', async () => {
    const { file, two, three, sidecar, entries } = await withSidecar();
    const argv = ['rewrap', '-k', three, '--to', two, '--json', file];
    const { json } = await frameseal(argv);
    expect(json()[0]).toMatchObject({ ok: true, dataKey: 'new', removedSidecar: sidecar });
    expect(await openers(readFileSync(file))).toEqual([2]);
    expect(entries()).not.toContain('a.fseal.sidecar');
  });

  it('go into the message with --keep-existing', async () => {
    const { file, rewrap, sidecar, entries } = await withSidecar(UNSIGNED);
    expect((await rewrap('--keep-existing', file)).err).toMatch(
      new RegExp(`\\(from before: test: aes-1, test: aes-3\\); ${sidecar} is removed\\n$`),
    );
    expect(await openers(readFileSync(file))).toEqual([1, 2, 3]);
    expect(entries()).not.toContain('a.fseal.sidecar');
  });

  it('stay with --output, with --dry-run, after a failure, and where they are only given', async () => {
    const { root, file, message, rewrap, two, three, sidecar } = await withSidecar();
    const contents = readFileSync(sidecar);
    expect((await rewrap('-o', join(root, 'n'), file)).code).toBe(0);
    expect((await rewrap('--dry-run', file)).code).toBe(0);
    expect((await rewrap('--keep-data-key', file)).code).toBe(1);
    expect(readFileSync(sidecar)).toEqual(contents);
    expect(readFileSync(file)).toEqual(message);
    renameSync(sidecar, join(root, 's'));
    const given = ['rewrap', '-k', three, '--to', two, '--sidecar', join(root, 's'), file];
    expect((await frameseal(given)).code).toBe(0);
    expect(readFileSync(join(root, 's'))).toEqual(contents);
    expect(await openers(readFileSync(file))).toEqual([2]);
  });

  it('that do not fit are an error that names them, and the message stays', async () => {
    const { root, file, message, rewrap, sidecar } = await withSidecar();
    const other = put(root, 'b.fseal', await sealed());
    renameSync(sidecar, `${other}.sidecar`);
    const { code, err } = await rewrap(other, file);
    expect(code).toBe(1);
    expect(err).toContain(`SIDECAR_MISMATCH: `);
    expect(err).toContain(`look at "${other}.sidecar"`);
    expect(await openers(readFileSync(other))).toEqual([1]);
    expect(readFileSync(file)).not.toEqual(message);
  });
});

describe('--dry-run', () => {
  it('says what would be done, and writes nothing', async () => {
    const { root, file, message, rewrap, entries } = await prepared(UNSIGNED);
    put(root, 'b.fseal', await sealed());
    const before = entries();
    const { code, out, err } = await rewrap('--dry-run', '-r', '-q', root);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toBe(
      `${file}: would be rewrapped, data key kept, opens with test: aes-2\n` +
        `${join(root, 'b.fseal')}: would be rewrapped, data key new, opens with test: aes-2\n`,
    );
    const { json } = await rewrap('--dry-run', '--json', '-o', join(root, 'new/'), file);
    expect(json()[0]).toMatchObject({ ok: true, dryRun: true, dataKey: 'kept', bytesWritten: 0 });
    expect(json()[0].output).toBe(join(root, 'new/a.fseal'));
    expect(readFileSync(file)).toEqual(message);
    expect(entries()).toEqual(before);
  });

  it('fails as the run would', async () => {
    const { root, file, one, three, rewrap } = await prepared();
    expect((await rewrap('--dry-run', '--keep-data-key', file)).err).toContain('UNSUPPORTED');
    const wrong = ['rewrap', '-k', three, '--to', one, '--dry-run', file];
    expect(await frameseal(wrong)).toMatchObject({ code: 1, err: expect.stringContaining('NO_DATA_KEY') });
    put(root, 'old', PLAIN);
    expect((await rewrap('--dry-run', '-o', join(root, 'old'), file)).err).toContain('--overwrite');
    expect((await rewrap('--dry-run', '-o', join(root, 'n'), '/dev/null')).err).toContain('no regular file');
    expect((await rewrap('--dry-run', '-o', '-', file)).code).toBe(2);
    expect((await rewrap('--dry-run', '-')).code).toBe(2);
  });
});

describe('a call that cannot work', () => {
  it.each([
    [['-k', 'KEY1', 'FILE'], 'at least one --to'],
    [['--to', 'KEY2', 'FILE'], 'at least one --key'],
    [['-k', 'KEY1', '--to', 'x', 'FILE'], '--to expected'],
    [['-k', 'KEY1', '--to', 'aes:a/b=/nowhere/key', 'FILE'], 'cannot read'],
    [['-k', 'KEY1', '--to', 'KEY2', '--fresh-data-key', '--keep-data-key', 'FILE'], 'exclude each other'],
    [['-k', 'KEY1', '--to', 'KEY2', '--fresh-data-key', '--keep-existing', 'FILE'], 'exclude each other'],
    [['-k', 'KEY1', '--to', 'KEY2', '--suite', 'x', 'FILE'], '--suite'],
    [['-k', 'KEY1', '--to', 'KEY2', '--suite', '0x0178', 'FILE'], 'COMMITMENT_POLICY'],
    [['-k', 'KEY1', '--to', 'KEY2', 'FILE', 'FILE'], 'both become'],
    [['-k', 'KEY1', '--to', 'KEY2', '--sidecar', 's', 'FILE', 'OTHER'], '--sidecar belongs to one'],
  ])('%j', async (words, text) => {
    const { one, two, file, message } = await prepared();
    const named = { KEY1: one, KEY2: two, FILE: file, OTHER: `${file}.x` };
    const { code, err, out } = await frameseal([
      'rewrap',
      ...words.map((word) => named[word as keyof typeof named] ?? word),
    ]);
    expect(out).toBe('');
    expect(err).toContain(text);
    expect(code).toBe(text === 'cannot read' || text === 'COMMITMENT_POLICY' ? 1 : 2);
    expect(readFileSync(file)).toEqual(message);
  });
});

describe('an interrupt', () => {
  it('ends a wait for input, and leaves nothing', async () => {
    const { root, one, two, entries } = await prepared();
    const before = entries();
    const interrupt = new AbortController();
    const argv = ['rewrap', '-k', one, '--to', two, '-o', join(root, 'out')];
    const call = frameseal(argv, { stdin: endless(), signal: interrupt.signal });
    setTimeout(() => interrupt.abort('SIGTERM'), 50);
    expect(await call).toMatchObject({
      code: 143,
      err: expect.stringContaining('ABORTED: ended by SIGTERM'),
    });
    expect(entries()).toEqual(before);
  });

  it('in the middle leaves the message as it was, and ends the whole call', async () => {
    const { root, one, two, entries } = await prepared();
    const large = await sealed({}, Buffer.alloc(8_000_000));
    const files = ['b.fseal', 'c.fseal'].map((name) => put(root, name, large));
    const before = entries();
    const interrupt = new AbortController();
    const argv = ['rewrap', '-k', one, '--to', two, ...files];
    const call = frameseal(argv, { signal: interrupt.signal });
    while (!entries().some((name) => name.endsWith('.frameseal-tmp')))
      await new Promise((resolve) => setImmediate(resolve));
    interrupt.abort('SIGINT');
    const { code, err } = await call;
    expect(code).toBe(130);
    expect(err.match(/ABORTED: ended by SIGINT/g)).toHaveLength(1);
    for (const file of files) expect(readFileSync(file).equals(large)).toBe(true);
    expect(entries()).toEqual(before);
  });
});

it.each(['--key', '--to'])('says where the calls of a KMS key of %s go', async (option) => {
  const { one, two } = await prepared();
  const kms = 'aws-kms:arn:aws:kms:us-east-1:000000000000:key/1';
  const keys = option === '--key' ? ['-k', kms, '--to', two] : ['-k', one, '--to', kms];
  const env = { AWS_ENDPOINT_URL_KMS: 'http://127.0.0.1:9' };
  const { err } = await frameseal(['rewrap', ...keys, '-q', '/nowhere/m.fseal'], { env });
  expect(err).toMatch(/^frameseal: KMS calls go to http:\/\/127\.0\.0\.1:9 .*\n.*IO: cannot read/);
});

it('shows progress on a terminal', async () => {
  const { file, one, two } = await prepared();
  writeFileSync(file, await sealed({}, Buffer.alloc(300_000)));
  const { err } = await frameseal(['rewrap', '-k', one, '--to', two, file], { terminal: true });
  expect(err).toContain('\r\x1b[K');
});

it('says nothing that a terminal would obey', async () => {
  const { root, message, one, two } = await prepared();
  const file = put(root, 'x\x1b[31m.fseal', message);
  const { err } = await frameseal(['rewrap', '-k', one, '--to', two, file]);
  expect(err).toMatch(/^[\x20-\x7e]*\n$/);
});
