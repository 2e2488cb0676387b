/**
 * `frameseal add-keys`, and how decrypt, encrypt and inspect take sidecars.
 */
import { readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { encrypt } from '../../src/index.ts';
import { aesKeyring, bytes, flip, rsaPem } from '../support/messages.ts';
import { folder, frameseal, keyFile, put } from './support.ts';

const PLAIN = Buffer.from(bytes(10_000));

const sealed = async (options = {}) =>
  Buffer.from((await encrypt(PLAIN, { keyring: aesKeyring(), ...options })).ciphertext);

/** A folder with three keys and a message. */
async function prepared() {
  const root = folder();
  const [one, two, three] = [1, 2, 3].map((seed) => keyFile(root, seed)) as [string, string, string];
  const file = put(root, 'a.fseal', await sealed({ encryptionContext: { tenant: 'acme' } }));
  const open = (key: string, ...more: string[]) =>
    frameseal(['decrypt', '-k', key, '-o', '-', ...more, file]);
  return { root, one, two, three, file, open, sidecar: `${file}.sidecar` };
}

describe('a file', () => {
  it('gets a sidecar beside it, and decrypt finds it there', async () => {
    const { root, one, two, three, file, open, sidecar } = await prepared();
    const message = readFileSync(file);
    expect((await open(two)).err).toContain('NO_DATA_KEY');
    const added = await frameseal(['add-keys', '-k', one, '--add', two, '--add', three, file]);
    expect(added).toMatchObject({ code: 0, out: '' });
    expect(added.err).toBe(`frameseal: ${file}: added test: aes-2, test: aes-3 in ${sidecar}\n`);
    for (const key of [one, two, three]) expect((await open(key)).bytes).toEqual(PLAIN);
    expect(readFileSync(file)).toEqual(message);
    expect(statSync(sidecar).mode & 0o777).toBe(0o600);
    expect(readdirSync(root).sort()).toEqual(['a.fseal', 'a.fseal.sidecar', 'key', 'key-2', 'key-3']);
  });

  it('keeps the keys of its sidecar, each of which may add others', async () => {
    const { one, two, three, file, open, sidecar } = await prepared();
    expect((await frameseal(['add-keys', '-k', one, '--add', two, '-q', file])).err).toBe('');
    const { code, err } = await frameseal(['add-keys', '-k', two, '--add', three, file]);
    expect(code).toBe(0);
    expect(err).toContain(`added test: aes-3 in ${sidecar}, 2 data keys there in all`);
    for (const key of [two, three]) expect((await open(key)).bytes).toEqual(PLAIN);
  });

  it('takes an RSA public key', async () => {
    const { root, one, file, open } = await prepared();
    const { publicKey, privateKey } = rsaPem();
    writeFileSync(join(root, 'pub'), publicKey, { mode: 0o644 });
    writeFileSync(join(root, 'priv'), privateKey, { mode: 0o600 });
    const padding = ['--rsa-padding', 'oaep-sha1'];
    const add = ['add-keys', '-k', one, '--add', `rsa:n/k=${join(root, 'pub')}`, ...padding, file];
    expect((await frameseal(add)).code).toBe(0);
    expect((await open(`rsa:n/k=${join(root, 'priv')}`, ...padding)).bytes).toEqual(PLAIN);
  });

  it('may have its sidecar elsewhere, which decrypt is then told of', async () => {
    const { root, one, two, three, file, open } = await prepared();
    const [here, there] = [join(root, 's'), join(root, 'sub')];
    const add = (key: string, output: string) =>
      frameseal(['add-keys', '-k', one, '--add', key, '-o', output, file]);
    expect((await add(two, here)).code).toBe(0);
    expect((await add(three, `${there}/`)).code).toBe(0);
    expect(readdirSync(there)).toEqual(['a.fseal.sidecar']);
    expect((await open(two)).err).toContain('NO_DATA_KEY');
    const given = ['--sidecar', here, '--sidecar', join(there, 'a.fseal.sidecar')];
    for (const key of [one, two, three]) expect((await open(key, ...given)).bytes).toEqual(PLAIN);
    const stdin = { stdin: readFileSync(file) };
    expect((await frameseal(['decrypt', '-k', three, ...given], stdin)).bytes).toEqual(PLAIN);
  });

  it('of base64 text opens by its sidecar too, once it has one', async () => {
    const { root, one, two, file, sidecar } = await prepared();
    const text = put(root, 'text', Buffer.from(readFileSync(file).toString('base64')));
    expect((await frameseal(['add-keys', '-k', one, '--add', two, text])).err).toContain('BASE64_MESSAGE');
    await frameseal(['add-keys', '-k', one, '--add', two, file]);
    put(root, 'text.sidecar', readFileSync(sidecar));
    expect((await frameseal(['decrypt', '-k', two, '-o', '-', text])).bytes).toEqual(PLAIN);
  });

  it('and its sidecar have at most 16 data keys unless more are allowed', async () => {
    const { one, two, file, open, sidecar } = await prepared();
    const add = (count: number, ...more: string[]) =>
      frameseal(['add-keys', '-k', one, ...Array(count).fill(['--add', two]).flat(), ...more, file]);
    expect((await add(16)).err).toContain('LIMIT_EXCEEDED');
    expect((await add(15)).code).toBe(0);
    expect((await open(two)).code).toBe(0);
    expect((await open(two, '--sidecar', sidecar)).code).toBe(0); // the same, once
    expect((await add(1)).err).toContain('LIMIT_EXCEEDED');
    expect((await add(1, '--max-encrypted-data-keys', '17')).code).toBe(0);
    expect((await open(two)).err).toContain('LIMIT_EXCEEDED');
    expect((await open(two, '--max-encrypted-data-keys', '17')).code).toBe(0);
  });
});

describe('folders', () => {
  it('add keys to all that ends in the suffix, and go on after a failure', async () => {
    const { root, one, two, three } = await prepared();
    const message = await sealed();
    put(root, 'in/1.fseal', message);
    put(root, 'in/2.fseal', message.subarray(0, 50));
    put(root, 'in/deep/3.fseal', message);
    put(root, 'in/other', bytes(1));
    symlinkSync(join(root, 'in/1.fseal'), join(root, 'in/4.fseal'));
    const add = (key: string) =>
      frameseal(['add-keys', '-k', one, '--add', key, '-r', '--json', join(root, 'in')]);
    for (const key of [two, three]) {
      const { code, err, json } = await add(key);
      expect(code).toBe(1);
      expect(json().map(({ ok, error }) => error?.code ?? ok)).toEqual([true, 'TRUNCATED', true]);
      expect(err).toContain('1 of 3 failed');
    }
    expect(readdirSync(join(root, 'in'), { recursive: true }).sort()).toEqual([
      '1.fseal',
      '1.fseal.sidecar',
      '2.fseal',
      '4.fseal',
      'deep',
      'deep/3.fseal',
      'deep/3.fseal.sidecar',
      'other',
    ]);
  });

  it('encrypt leaves sidecars beside messages alone, and decrypt uses them', async () => {
    const { root, one, two } = await prepared();
    put(root, 'in/1.fseal', await sealed());
    put(root, 'in/notes.sidecar', PLAIN);
    const inside = join(root, 'in');
    await frameseal(['add-keys', '-k', one, '--add', two, '-r', inside]);
    const out = join(root, 'out');
    const encrypting = await frameseal(['encrypt', '-k', one, '-r', '-o', out, inside]);
    expect(encrypting.err).toContain('left alone in folders: 2 ');
    expect(readdirSync(out)).toEqual(['notes.sidecar.fseal']);
    const decrypting = await frameseal(['decrypt', '-k', two, '-r', '-o', join(root, 'back'), inside]);
    expect(decrypting.code).toBe(0);
    expect(readFileSync(join(root, 'back/1'))).toEqual(PLAIN);
  });
});

describe('--json and --dry-run', () => {
  it('say which keys were added, and which are there', async () => {
    const { one, two, three, file, sidecar } = await prepared();
    await frameseal(['add-keys', '-k', one, '--add', two, file]);
    const { json, err } = await frameseal(['add-keys', '-k', one, '--add', three, '--json', file]);
    expect(err).toBe('');
    expect(json()).toEqual([
      expect.objectContaining({
        ok: true,
        input: file,
        output: sidecar,
        bytesWritten: statSync(sidecar).size,
        header: expect.objectContaining({ suiteId: 0x0578 }),
        added: [expect.objectContaining({ providerId: 'test', keyName: 'aes-3' })],
        sidecarKeys: [
          expect.objectContaining({ keyName: 'aes-2' }),
          expect.objectContaining({ keyName: 'aes-3' }),
        ],
      }),
    ]);
    expect(json()[0]).not.toHaveProperty('dryRun');
  });

  it('a dry run writes nothing, and fails as the run would', async () => {
    const { root, one, two, file, sidecar } = await prepared();
    const before = readdirSync(root);
    const dry = ['add-keys', '-k', one, '--add', two, '--dry-run'];
    expect(await frameseal([...dry, file])).toMatchObject({
      code: 0,
      out: `${file}: would add test: aes-2 in ${sidecar}\n`,
      err: '',
    });
    expect((await frameseal([...dry, '--json', '-o', join(root, 'new/'), file])).json()[0]).toMatchObject({
      ok: true,
      dryRun: true,
      bytesWritten: 0,
    });
    expect((await frameseal([...dry, '-c', 'tenant=x', file])).err).toContain('CONTEXT_MISMATCH');
    expect(readdirSync(root)).toEqual(before);
  });
});

describe('a sidecar that does not fit', () => {
  it.each(['of another message', 'altered', 'empty'])('%s is an error that names the file', async (which) => {
    const { root, one, two, file, sidecar, open } = await prepared();
    const other = put(root, 'other.fseal', await sealed());
    await frameseal(['add-keys', '-k', one, '--add', two, which === 'altered' ? file : other]);
    const contents = readFileSync(which === 'altered' ? sidecar : `${other}.sidecar`);
    const wrong = which === 'altered' ? flip(contents, contents.length - 1) : contents;
    writeFileSync(sidecar, which === 'empty' ? '' : wrong);
    const before = readFileSync(sidecar);
    for (const call of [open(one), frameseal(['add-keys', '-k', one, '--add', two, file])]) {
      const { code, err, out } = await call;
      expect({ code, out }).toEqual({ code: 1, out: '' });
      expect(err).toMatch(/^frameseal: [^\n]*SIDECAR_MISMATCH: [^\n]*\n$/);
      expect(err).toContain(`look at "${sidecar}"`);
      expect(err).not.toContain('look at ,');
    }
    expect(readFileSync(sidecar)).toEqual(before);
  });

  it('and one that cannot be read is an error', async () => {
    const { root, one, file, open, sidecar } = await prepared();
    expect((await open(one, '--sidecar', join(root, 'none'))).err).toMatch(/IO: cannot read ".*none"/);
    put(root, 'long', new Uint8Array(5_000_000));
    expect((await open(one, '--sidecar', join(root, 'long'))).err).toMatch(
      /LIMIT_EXCEEDED: .*long" has more/,
    );
    put(root, 'a.fseal.sidecar/x', bytes(1));
    expect((await open(one)).err).toMatch(/IO: cannot read ".*a\.fseal\.sidecar": it is a folder/);
    expect((await frameseal(['add-keys', '-k', one, '--add', one, file])).err).toContain(sidecar);
  });
});

describe('a call that cannot work', () => {
  it.each([
    [['--add', 'KEY2', 'FILE'], 'at least one --key'],
    [['-k', 'KEY1', 'FILE'], 'at least one --add'],
    [['-k', 'KEY1', '--add', 'nonsense', 'FILE'], '--add expected'],
    [['-k', 'KEY1', '--add', 'KEY2'], 'files or folders'],
    [['-k', 'KEY1', '--add', 'KEY2', '-'], 'files or folders'],
    [['-k', 'KEY1', '--add', 'KEY2', '-o', '-', 'FILE'], '--output expected'],
    [['-k', 'KEY1', '--add', 'KEY2', '--overwrite', 'FILE'], 'unknown option --overwrite'],
    [['-k', 'KEY1', '--add', 'KEY2', 'FILE', 'FILE.sidecar'], 'is an input'],
  ])('%j ends with 2', async (words, text) => {
    const { one, two, file, root } = await prepared();
    put(root, 'a.fseal.sidecar', bytes(1));
    const argv = words.map((word) => word.replace('KEY1', one).replace('KEY2', two).replace('FILE', file));
    const { code, err, out } = await frameseal(['add-keys', ...argv]);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(text);
  });

  it('of decrypt: a sidecar for several messages', async () => {
    const { one, file } = await prepared();
    const { code, err } = await frameseal(['decrypt', '-k', one, '--sidecar', 'x', file, `${file}.fseal`]);
    expect(code).toBe(2);
    expect(err).toContain('--sidecar belongs to one message');
  });
});

it('an interrupt ends the call, with the exit code of its signal, and leaves nothing', async () => {
  const { root, one, two, file } = await prepared();
  const before = readdirSync(root);
  const { code, err } = await frameseal(
    ['add-keys', '-k', one, '--add', two, file, file.replace('a.', 'b.')],
    {
      signal: AbortSignal.abort('SIGINT'),
    },
  );
  expect(code).toBe(130);
  expect(err.match(/ABORTED: ended by SIGINT/g)).toHaveLength(1);
  expect(readdirSync(root)).toEqual(before);
});

describe('inspect of a sidecar', () => {
  it('shows what it says, as text and as JSON', async () => {
    const { one, two, file, sidecar } = await prepared();
    await frameseal(['add-keys', '-k', one, '--add', two, file]);
    const { json: header } = await frameseal(['inspect', '--json', file]);
    const { messageId } = header()[0].header;
    const { code, out } = await frameseal(['inspect', sidecar]);
    expect(code).toBe(0);
    expect(out.split('\n').slice(0, 2)).toEqual([
      `${sidecar}, a sidecar`,
      'NOT AUTHENTICATED: anyone may have written it',
    ]);
    for (const text of ['suite       0x0578 ', `message id  ${messageId}`, '  test: aes-2']) {
      expect(out).toContain(text);
    }
    const { json } = await frameseal(['inspect', '--json'], { stdin: readFileSync(sidecar) });
    expect(json()).toEqual([
      {
        ok: true,
        input: '-',
        authenticated: false,
        sidecar: {
          algorithmSuite: 'ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY_ECDSA_P384',
          suiteId: 0x0578,
          messageId,
          encryptedDataKeys: [expect.objectContaining({ providerId: 'test', keyName: 'aes-2' })],
        },
      },
    ]);
  });

  it('of a damaged one, and of what only begins like one, fails', async () => {
    const stdin = Buffer.concat([Buffer.from('FSSC'), Buffer.alloc(17 * 2 ** 20)]);
    expect((await frameseal(['inspect'], { stdin: stdin.subarray(0, 100) })).err).toContain(
      'SIDECAR_MISMATCH',
    );
    expect((await frameseal(['inspect'], { stdin })).err).toContain('LIMIT_EXCEEDED');
  });
});

describe('a message that is written where another one had a sidecar', () => {
  it.each(['encrypt', 'rewrap'])('%s says that the sidecar is in the way', async (name) => {
    const { root, one, two, file, sidecar, open } = await prepared();
    await frameseal(['add-keys', '-k', one, '--add', two, file]);
    const source = name === 'encrypt' ? put(root, 'plain', PLAIN) : put(root, 'b.fseal', await sealed());
    const call = [
      name,
      '-k',
      one,
      ...(name === 'rewrap' ? ['--to', one] : []),
      '-o',
      file,
      '--overwrite',
      source,
    ];
    const { code, err } = await frameseal(call);
    expect(code).toBe(0);
    expect(err).toContain(`"${sidecar}" is of the message that was here before`);
    expect((await open(one)).err).toContain('SIDECAR_MISMATCH');
  });
});
