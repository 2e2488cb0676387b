import {
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { decrypt, encrypt, parseHeader } from '../../src/index.ts';
import { aesKeyring, bytes, flip, rsaPem } from '../support/messages.ts';
import { endless, folder, frameseal, keyFile, put } from './support.ts';

const sealed = async (plaintext: Uint8Array, options = {}) =>
  Buffer.from((await encrypt(plaintext, { keyring: aesKeyring(), ...options })).ciphertext);

describe('files', () => {
  it('go there and back, for their owner only, and nothing else is left', async () => {
    const root = folder();
    const [key, file] = [keyFile(root), put(root, 'a.bin', bytes(100_000))];
    expect(await frameseal(['encrypt', '-k', key, '-c', 'tenant=acme', file])).toMatchObject({
      code: 0,
      out: '',
      err: '',
    });
    const message = readFileSync(`${file}.fseal`);
    expect(statSync(`${file}.fseal`).mode & 0o777).toBe(0o600);
    const { plaintext, header } = await decrypt(message, { keyring: aesKeyring() });
    expect(plaintext).toEqual(bytes(100_000));
    expect(header).toMatchObject({
      suiteId: 0x0578,
      frameLength: 4096,
      encryptionContext: { tenant: 'acme' },
    });

    const out = join(root, 'b.bin');
    expect(
      (await frameseal(['decrypt', '-k', key, '-c', 'tenant=acme', '-o', out, `${file}.fseal`])).code,
    ).toBe(0);
    expect(readFileSync(out)).toEqual(readFileSync(file));
    expect(readdirSync(root).sort()).toEqual(['a.bin', 'a.bin.fseal', 'b.bin', 'key']);
  });

  it('take suite, frame length, policy and engine', async () => {
    const root = folder();
    const [key, file] = [keyFile(root), put(root, 'a', bytes(1000))];
    const options = [
      '--suite',
      '0x0178',
      '--frame-length',
      '10',
      '--commitment-policy',
      'forbid-encrypt-allow-decrypt',
    ];
    expect((await frameseal(['encrypt', '-k', key, ...options, '--engine', 'native', file])).code).toBe(0);
    expect(parseHeader(readFileSync(`${file}.fseal`))).toMatchObject({ suiteId: 0x0178, frameLength: 10 });
    const refused = await frameseal(['decrypt', '-k', key, '-o', '-', `${file}.fseal`]);
    expect(refused).toMatchObject({ code: 1, out: '' });
    expect(refused.err).toContain('COMMITMENT_POLICY');
    const policy = ['--commitment-policy', 'REQUIRE_ENCRYPT_ALLOW_DECRYPT'];
    expect((await frameseal(['decrypt', '-k', key, ...policy, '-o', '-', `${file}.fseal`])).bytes).toEqual(
      Buffer.from(bytes(1000)),
    );
  });

  it('of an RSA key: the public one encrypts, the private one decrypts', async () => {
    const root = folder();
    const { publicKey, privateKey } = rsaPem();
    writeFileSync(join(root, 'pub'), publicKey, { mode: 0o644 });
    writeFileSync(join(root, 'priv'), privateKey, { mode: 0o600 });
    const file = put(root, 'a', bytes(10));
    const padding = ['--rsa-padding', 'oaep-sha512'];
    expect((await frameseal(['encrypt', '-k', `rsa:n/k=${join(root, 'pub')}`, ...padding, file])).code).toBe(
      0,
    );
    const open = (key: string, ...more: string[]) =>
      frameseal(['decrypt', '-k', `rsa:n/k=${join(root, key)}`, ...more, '-o', '-', `${file}.fseal`]);
    expect((await open('priv', ...padding)).bytes).toEqual(Buffer.from(bytes(10)));
    expect((await open('priv')).err).toContain('NO_DATA_KEY');
    expect((await open('pub', ...padding)).err).toContain('the keyring has no privateKey');
  });

  it('are not replaced without --overwrite, and never through a link or by a device', async () => {
    const root = folder();
    const [key, file] = [keyFile(root), put(root, 'a', bytes(10))];
    const there = put(root, 'there', bytes(3));
    symlinkSync(there, join(root, 'link'));
    const to = (output: string, ...more: string[]) =>
      frameseal(['encrypt', '-k', key, '-o', output, ...more, file]);
    expect(await to(there)).toMatchObject({ code: 1, err: expect.stringContaining('--overwrite') });
    expect((await to(join(root, 'link'), '--overwrite')).code).toBe(1);
    expect((await to('/dev/null', '--overwrite')).err).toContain('no regular file');
    expect(readFileSync(there)).toEqual(Buffer.from(bytes(3)));
    expect((await to(there, '--overwrite')).code).toBe(0);
    expect(parseHeader(readFileSync(there)).suiteId).toBe(0x0578);
    const stdin = ['encrypt', '-k', key, '-o', there];
    expect((await frameseal(stdin, { stdin: 'x' })).code).toBe(1);
    expect((await frameseal([...stdin, '--overwrite'], { stdin: 'x' })).code).toBe(0);
    expect((await decrypt(readFileSync(there), { keyring: aesKeyring() })).plaintext).toEqual(
      new Uint8Array(Buffer.from('x')),
    );
  });

  it('of a hostile message leave nothing', async () => {
    const root = folder();
    const message = await sealed(bytes(50_000));
    const [key, file] = [keyFile(root), put(root, 'a.fseal', flip(message, message.length - 1))];
    const { code, err } = await frameseal(['decrypt', '-k', key, file]);
    expect(code).toBe(1);
    expect(err).toBe(
      `frameseal: ${file}: AUTHENTICATION_FAILED: the message is not authentic: it was altered, or the data key is not its own\n`,
    );
    expect(readdirSync(root).sort()).toEqual(['a.fseal', 'key']);
  });

  it('have at most 16 data keys unless more are allowed', async () => {
    const root = folder();
    const key = keyFile(root);
    const keys = Array.from({ length: 17 }, () => ['-k', key]).flat();
    const file = put(root, 'a', bytes(1));
    expect((await frameseal(['encrypt', ...keys, file])).err).toContain('LIMIT_EXCEEDED');
    const more = ['--max-encrypted-data-keys', '17'];
    expect((await frameseal(['encrypt', ...keys, ...more, file])).code).toBe(0);
    const open = ['decrypt', '-k', key, '-o', '-', `${file}.fseal`];
    expect((await frameseal(open)).err).toContain('LIMIT_EXCEEDED');
    expect((await frameseal([...open, ...more])).code).toBe(0);
  });
});

describe('folders and failures', () => {
  it('goes on after a failed file, and names it again at the end', async () => {
    const root = folder();
    const key = keyFile(root);
    const message = await sealed(bytes(10));
    put(root, 'in/1.fseal', message);
    put(root, 'in/2.fseal', flip(message, message.length - 1));
    put(root, 'in/3.fseal', message.subarray(0, 40));
    put(root, 'in/deep/4.fseal', message);
    put(root, 'in/other', bytes(1));
    const out = join(root, 'out');
    const { code, err, json } = await frameseal([
      'decrypt',
      '-k',
      key,
      '-r',
      '--json',
      '-o',
      out,
      join(root, 'in'),
    ]);
    expect(code).toBe(1);
    expect(readdirSync(out, { recursive: true }).sort()).toEqual(['1', 'deep', 'deep/4']);
    expect(err.split('\n').slice(0, -1)).toEqual([
      expect.stringMatching(/in\/2\.fseal: AUTHENTICATION_FAILED: /),
      expect.stringMatching(/in\/3\.fseal: TRUNCATED: /),
      expect.stringContaining('left alone in folders: 1 '),
      `frameseal: 2 of 4 failed: ${root}/in/2.fseal, ${root}/in/3.fseal`,
    ]);
    expect(json().map(({ ok, error }) => error?.code ?? ok)).toEqual([
      true,
      'AUTHENTICATION_FAILED',
      'TRUNCATED',
      true,
    ]);
    expect(json()[0]).toMatchObject({
      input: join(root, 'in/1.fseal'),
      output: join(out, '1'),
      bytesRead: message.length,
      bytesWritten: 10,
      header: { suiteId: 0x0578, encryptedDataKeys: [{ providerId: 'test', keyName: 'aes-1' }] },
    });
  });

  it('a folder comes back as it was', async () => {
    const root = folder();
    const key = keyFile(root);
    for (const [name, length] of [
      ['a', 0],
      ['b/c', 4096],
      ['b/d e', 4097],
    ] as const)
      put(root, `in/${name}`, bytes(length));
    const call = (direction: string, from: string, to: string) =>
      frameseal([direction, '-k', key, '-r', '-o', join(root, to), join(root, from)]);
    expect((await call('encrypt', 'in', 'sealed')).code).toBe(0);
    expect(readdirSync(join(root, 'sealed/b')).sort()).toEqual(['c.fseal', 'd e.fseal']);
    expect((await call('decrypt', 'sealed', 'back')).code).toBe(0);
    expect(readdirSync(join(root, 'back'), { recursive: true }).sort()).toEqual(['a', 'b', 'b/c', 'b/d e']);
    for (const name of ['a', 'b/c', 'b/d e']) {
      expect(readFileSync(join(root, 'back', name))).toEqual(readFileSync(join(root, 'in', name)));
    }
  });

  it('what cannot be opened and what cannot be written is said', async () => {
    const root = folder();
    const key = keyFile(root);
    const file = put(root, 'a', bytes(1));
    put(root, 'file', bytes(1));
    const { code, err } = await frameseal([
      'encrypt',
      '-k',
      key,
      '-o',
      `${join(root, 'file')}/`,
      file,
      join(root, 'none'),
    ]);
    expect(code).toBe(1);
    expect(err).toMatch(/none: IO: .*\n.*a: IO: .*\n.*2 of 2 failed/);
  });

  it('stops when every file would fail alike', async () => {
    const root = folder();
    const key = keyFile(root);
    const files = [put(root, 'a', bytes(1)), put(root, 'b', bytes(1))];
    const { code, err } = await frameseal(['encrypt', '-k', key, '-c', 'aws-crypto-x=1', ...files]);
    expect(code).toBe(2);
    expect(err.match(/INVALID_ARGUMENT/g)).toHaveLength(1);
    expect(readdirSync(root).sort()).toEqual(['a', 'b', 'key']);
  });
});

describe('stdin and stdout', () => {
  it.each([0, 1, 4096, 300_000])('%i bytes', async (length) => {
    const key = keyFile(folder());
    const plaintext = Buffer.from(bytes(length));
    const { code, bytes: message, err } = await frameseal(['encrypt', '-k', key], { stdin: plaintext });
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect((await decrypt(message, { keyring: aesKeyring() })).plaintext).toEqual(new Uint8Array(plaintext));
    expect((await frameseal(['decrypt', '-k', key, '-'], { stdin: message })).bytes).toEqual(plaintext);
  });

  it('a failure says what must be discarded; the final frame of a signed message is not among it', async () => {
    const key = keyFile(folder());
    const message = await sealed(bytes(3 * 4096));
    const altered = flip(message, message.length - 1);
    const { code, bytes: released, err } = await frameseal(['decrypt', '-k', key], { stdin: altered });
    expect(code).toBe(1);
    expect(released).toEqual(Buffer.from(bytes(3 * 4096)).subarray(0, 2 * 4096));
    expect(err).toMatch(
      /^frameseal: standard input: AUTHENTICATION_FAILED: .*; discard the 8192 bytes written to stdout\n$/,
    );
    const json = await frameseal(['decrypt', '-k', key, '--json'], { stdin: altered });
    expect(json.bytes).toEqual(released);
    expect(JSON.parse(json.err)).toMatchObject({
      ok: false,
      input: '-',
      output: '-',
      bytesToDiscard: 8192,
      error: { code: 'AUTHENTICATION_FAILED' },
    });
  });

  it('JSON stays out of the data, and stderr is JSON only', async () => {
    const key = keyFile(folder());
    const stdin = (await sealed(bytes(10))).toString('base64');
    const { bytes: out, err } = await frameseal(['decrypt', '-k', key, '--json'], { stdin });
    expect(out).toEqual(Buffer.from(bytes(10)));
    const lines = err
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines).toEqual([
      { note: expect.stringContaining('base64') },
      expect.objectContaining({ ok: true, bytesWritten: 10 }),
    ]);
  });

  it('no message goes to a terminal by mistake', async () => {
    const key = keyFile(folder());
    const refused = await frameseal(['encrypt', '-k', key], { stdin: 'x', terminal: true });
    expect(refused).toMatchObject({ code: 2, out: '' });
    const wanted = await frameseal(['encrypt', '-k', key, '-o', '-'], { stdin: 'x', terminal: true });
    expect(parseHeader(wanted.bytes).version).toBe(2);
    const back = await frameseal(['decrypt', '-k', key], { stdin: wanted.bytes, terminal: true });
    expect(back.out).toBe('x');
  });

  it('ends when the reader has gone', async () => {
    const root = folder();
    const [key, file] = [keyFile(root), put(root, 'a', bytes(3_000_000))];
    let taken = 0;
    const stdout = new Writable({
      write(chunk, _encoding, done) {
        taken += chunk.length;
        done(taken > 100_000 ? Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }) : null);
      },
    });
    expect(await frameseal(['encrypt', '-k', key, '-o', '-', file], { stdout })).toMatchObject({
      code: 141,
      err: '',
    });
  });

  it('says why the input failed', async () => {
    const key = keyFile(folder());
    const stdin = new Readable({
      read() {
        this.destroy(Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO', syscall: 'read' }));
      },
    });
    const { code, err } = await frameseal(['encrypt', '-k', key], { stdin });
    expect(code).toBe(1);
    expect(err).toContain('IO: cannot read "-": EIO');
  });
});

describe('base64 text', () => {
  it.each(['file', 'stdin'])('of a message is decoded, from a %s, after saying so', async (from) => {
    const root = folder();
    const key = keyFile(root);
    const message = await sealed(bytes(100_000));
    const text = Buffer.from(message.toString('base64').replace(/(.{76})/g, '$1\n'));
    const argv = ['decrypt', '-k', key, '-o', join(root, 'out')];
    const call =
      from === 'file' ? frameseal([...argv, put(root, 'text', text)]) : frameseal(argv, { stdin: text });
    const { code, err } = await call;
    expect(code).toBe(0);
    expect(err).toContain('base64');
    expect(readFileSync(join(root, 'out'))).toEqual(Buffer.from(bytes(100_000)));
    expect(statSync(join(root, 'out')).mode & 0o777).toBe(0o600);
  });

  it('that is damaged leaves no file', async () => {
    const root = folder();
    const key = keyFile(root);
    const text = (await sealed(bytes(100_000))).toString('base64');
    for (const damaged of [text.slice(0, -1), text.replace(/A/g, '-').replace(/^-/, 'A'), `${text}AAAA`]) {
      const { code, err } = await frameseal(['decrypt', '-k', key, '-o', join(root, 'out')], {
        stdin: damaged,
      });
      expect(code).toBe(1);
      expect(err).toMatch(/TRUNCATED|INVALID_MESSAGE|NO_DATA_KEY/);
      expect(readdirSync(root)).toEqual(['key']);
    }
  });
});

describe('an interrupt', () => {
  it('ends a wait for input, and leaves nothing', async () => {
    const root = folder();
    const key = keyFile(root);
    for (const argv of [
      ['encrypt', '-k', key, '-o', join(root, 'out')],
      ['decrypt', '-k', key],
      ['inspect'],
    ]) {
      const interrupt = new AbortController();
      const call = frameseal(argv, { stdin: endless(), signal: interrupt.signal });
      setTimeout(() => interrupt.abort('SIGINT'), 50);
      const { code, err } = await call;
      expect(code).toBe(130);
      expect(err).toBe('frameseal: standard input: ABORTED: ended by SIGINT\n');
      expect(readdirSync(root)).toEqual(['key']);
    }
  });

  it('ends the whole call, with the exit code of its signal', async () => {
    const root = folder();
    const key = keyFile(root);
    const files = ['a', 'b'].map((name) => put(root, name, bytes(10)));
    const { code, err } = await frameseal(['encrypt', '-k', key, ...files], {
      signal: AbortSignal.abort('SIGTERM'),
    });
    expect(code).toBe(143);
    expect(err.match(/ABORTED/g)).toHaveLength(1);
    expect(existsSync(`${files[0]}.fseal`)).toBe(false);
  });
});

describe('on a terminal', () => {
  it('shows progress and results, unless it is told to be quiet', async () => {
    const root = folder();
    const [key, file] = [keyFile(root), put(root, 'a', bytes(300_000))];
    const shown = await frameseal(['encrypt', '-k', key, file], { terminal: true });
    expect(shown.err).toContain('\r\x1b[K');
    expect(shown.err).toContain(`${file} -> ${file}.fseal (`);
    const quiet = await frameseal(['encrypt', '-k', key, '-q', '--overwrite', file], { terminal: true });
    expect(quiet.err).toBe('');
  });
});

it('refuses a key file that others may read', async () => {
  const root = folder();
  const [key, file] = [keyFile(root), put(root, 'a', bytes(1))];
  chmodSync(join(root, 'key'), 0o644);
  const { code, err } = await frameseal(['encrypt', '-k', key, file]);
  expect(code).toBe(2);
  expect(err).toContain(`chmod 600 ${join(root, 'key')}`);
});
