import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { UsageError } from '../../src/cli/failure.ts';
import { aesKeyBytes, loadKeyring, parseKey, shellQuoted } from '../../src/cli/keys.ts';
import { decrypt, encrypt, rawAesKeyring } from '../../src/index.ts';
import { bytes, failure, rsaPem } from '../support/messages.ts';
import { folder } from './support.ts';

function file(contents: string | Uint8Array, mode = 0o600): string {
  const path = join(folder(), 'a key');
  writeFileSync(path, contents);
  chmodSync(path, mode);
  return path;
}

describe('--key', () => {
  it.each([
    ['aws-kms:alias/app', { kind: 'aws-kms', keyId: 'alias/app' }],
    ['aes:n/k=f', { kind: 'aes', keyNamespace: 'n', keyName: 'k', file: 'f' }],
    ['rsa:n/a/b:c=d=e/f', { kind: 'rsa', keyNamespace: 'n', keyName: 'a/b:c', file: 'd=e/f' }],
  ])('%s', (text, spec) => expect(parseKey(text)).toEqual(spec));

  it.each([
    '',
    'aes',
    'aes:',
    'aes:n=f',
    'aes:n/k',
    'aes:/k=f',
    'aes:n/=f',
    'aes:n/k=',
    'aws-kms:',
    'AES:n/k=f',
    'x:n/k=f',
  ])('refuses "%s"', (text) => expect(() => parseKey(text)).toThrow(UsageError));
});

it('does not repeat what may be a key itself', () => {
  const secret = Buffer.from(bytes(32)).toString('base64');
  expect(() => parseKey(secret)).toThrow(/got a string of 44 characters$/);
});

describe('AES key files', () => {
  const key = (length: number) => Buffer.from(bytes(length, 7));
  it.each([16, 24, 32])('of %i bytes: raw, base64, hexadecimal', (length) => {
    const expected = key(length);
    expect(aesKeyBytes('f', expected)).toEqual(expected);
    for (const end of ['\n', '\r\n']) {
      expect(aesKeyBytes('f', Buffer.from(expected.toString('base64') + end))).toEqual(expected);
      expect(aesKeyBytes('f', Buffer.from(expected.toString('hex') + end))).toEqual(expected);
      expect(aesKeyBytes('f', Buffer.from(expected.toString('hex').toUpperCase() + end))).toEqual(expected);
    }
  });

  it('takes text without a line end where it cannot be raw bytes', () => {
    for (const encoding of ['hex', 'base64'] as const) {
      expect(aesKeyBytes('f', Buffer.from(key(32).toString(encoding)))).toEqual(key(32));
    }
  });

  it.each([
    ['hexadecimal of 16 bytes', key(16).toString('hex')],
    ['base64 of 16 bytes', key(16).toString('base64')],
    ['base64 of 24 bytes', key(24).toString('base64')],
  ])('refuses to guess: %s without a line end', async (_, text) => {
    expect((await failure(() => aesKeyBytes('f', Buffer.from(text)))).message).toContain('may be');
  });

  it.each([
    ['nothing', ''],
    ['a line end', '\n'],
    ['15 bytes', key(15)],
    ['33 bytes', key(33)],
    ['base64 of 20 bytes', `${key(20).toString('base64')}\n`],
    ['two lines', `${key(32).toString('base64')}\n\n`],
    ['base64 without its padding', `${key(32).toString('base64').replace('=', '')}\n`],
    ['base64url', `${Buffer.alloc(32, 0xff).toString('base64url')}\n`],
    ['mixed hexadecimal', `${key(32).toString('hex').slice(0, 62)}xy\n`],
  ])('refuses %s, and shows nothing of it', async (_, contents) => {
    const error = await failure(() => aesKeyBytes('f', Buffer.from(contents)));
    expect(error.code).toBe('INVALID_ARGUMENT');
    expect(error.message).toMatch(/^key file "f": expected 16, 24 or 32 raw bytes.* got \d+ bytes$/);
  });
});

describe('loadKeyring', () => {
  const load = (...keys: string[]) => loadKeyring(keys, 'oaep-sha256');
  const aesFile = () => file(`${Buffer.from(bytes(32)).toString('base64')}\n`);

  it('needs a key', async () => {
    await expect(load()).rejects.toThrow(UsageError);
  });

  it('refuses files of secrets that others may use, and says what to run', async () => {
    const { privateKey } = rsaPem();
    for (const mode of [0o640, 0o604, 0o610, 0o602, 0o666]) {
      const aes = file(bytes(32), mode);
      const error = await failure(load(`aes:n/k=${aes}`));
      expect(error).toMatchObject({ code: 'INVALID_ARGUMENT' });
      expect(error.message).toContain(`(mode 0${mode.toString(8)})`);
      expect(error.message).toContain(`chmod 600 '${aes}'`);
      expect((await failure(load(`rsa:n/k=${file(privateKey, mode)}`))).message).toContain('chmod 600');
    }
  });

  it('takes a public key that anyone may read, and encrypts with it', async () => {
    const { publicKey, privateKey } = rsaPem();
    const { ciphertext } = await encrypt(bytes(9), {
      keyring: await load(`rsa:n/k=${file(publicKey, 0o644)}`),
    });
    const { plaintext } = await decrypt(ciphertext, { keyring: await load(`rsa:n/k=${file(privateKey)}`) });
    expect(plaintext).toEqual(bytes(9));
  });

  it('takes a private key for both ways, PKCS#1 as well', async () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    for (const type of ['pkcs1', 'pkcs8'] as const) {
      const keyring = await load(`rsa:n/k=${file(privateKey.export({ type, format: 'pem' }))}`);
      const { ciphertext } = await encrypt(bytes(9), { keyring });
      expect((await decrypt(ciphertext, { keyring })).plaintext).toEqual(bytes(9));
    }
  });

  it.each([
    [
      'an elliptic curve key',
      generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }),
    ],
    [
      'an encrypted key',
      generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({
        type: 'pkcs8',
        format: 'pem',
        cipher: 'aes-256-cbc',
        passphrase: 'x',
      }),
    ],
    ['damaged PEM', '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n'],
    ['no PEM', 'hello'],
    ['nothing', ''],
    ['far too much', 'x'.repeat(70_000)],
  ])('refuses %s as an RSA key', async (_, contents) => {
    expect(await failure(load(`rsa:n/k=${file(contents)}`))).toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('says which file cannot be read', async () => {
    const missing = join(folder(), 'none');
    const error = await failure(load(`aes:n/k=${missing}`));
    expect(error.code).toBe('IO');
    expect(error.message).toContain(missing);
    expect((await failure(load(`aes:n/k=${folder()}`))).code).toBe('IO');
  });

  it.each([
    ['base64', Buffer.from(bytes(32)).toString('base64')],
    ['base64url', Buffer.alloc(16, 0xff).toString('base64url')],
    ['hexadecimal', Buffer.from(bytes(24)).toString('hex').toUpperCase()],
    ['PEM', `-----BEGIN PRIVATE KEY-----\n${'A'.repeat(99)}\n-----END PRIVATE KEY-----`],
  ])('does not repeat a key in place of its file: %s', async (_, key) => {
    for (const kind of ['aes', 'rsa']) {
      const { code, message, cause } = await failure(load(`${kind}:n/k=${key}`));
      expect({ code, cause }).toEqual({ code: 'IO', cause: undefined });
      expect(message).toContain(`a FILE that holds the key, got a string of ${key.length} characters`);
      expect(message).not.toContain(key.slice(0, 12));
    }
  });

  it('lets the first key generate, and each of them open the message', async () => {
    const { privateKey } = rsaPem();
    const keys = [`aes:n/one=${aesFile()}`, `rsa:n/two=${file(privateKey)}`, `aes:n/three=${aesFile()}`];
    const { ciphertext, header } = await encrypt(bytes(5), { keyring: await load(...keys) });
    expect(header.encryptedDataKeys).toHaveLength(3);
    expect(Buffer.from(header.encryptedDataKeys[1]!.providerInfo).toString()).toBe('two');
    for (const key of keys) {
      expect((await decrypt(ciphertext, { keyring: await load(key) })).plaintext).toEqual(bytes(5));
    }
  });

  it('names keys as the library does', async () => {
    const keyring = rawAesKeyring({ keyNamespace: 'n', keyName: 'k', wrappingKey: bytes(32) });
    const { ciphertext } = await encrypt(bytes(5), { keyring: await load(`aes:n/k=${aesFile()}`) });
    expect((await decrypt(ciphertext, { keyring })).plaintext).toEqual(bytes(5));
    expect((await failure(load(`aes:aws-kms-x/k=${aesFile()}`))).code).toBe('INVALID_ARGUMENT');
  });
});

it('quotes words for a shell', () => {
  expect(shellQuoted('aes:n/k=./f')).toBe('aes:n/k=./f');
  expect(shellQuoted("it's $HOME")).toBe("'it'\\''s $HOME'");
  expect(shellQuoted('')).toBe("''");
});
