import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { encrypt, type Keyring, multiKeyring, rawRsaKeyring } from '../../src/index.ts';
import { aesKeyring, bytes, policyFor, rsaPem, SUITE_ROWS } from '../support/messages.ts';
import { folder, frameseal } from './support.ts';

const EVIL = '\x1b[2J\u202eevil\nAUTHENTIC: yes';

/** A keyring whose one entry says what it is told to. */
function entry(providerId: string, providerInfo: string | Uint8Array, ciphertext = bytes(10)): Keyring {
  return {
    onEncrypt: async (materials) => ({
      ...materials,
      plaintextDataKey: bytes(materials.algorithmSuite.keyLength),
      encryptedDataKeys: [
        { providerId, providerInfo: new Uint8Array(Buffer.from(providerInfo)), ciphertext },
      ],
    }),
    onDecrypt: async (materials) => materials,
  };
}

async function message(keyring: Keyring, options = {}): Promise<Buffer> {
  return Buffer.from(
    (await encrypt(bytes(10_000), { keyring, algorithmSuite: 0x0478, ...options })).ciphertext,
  );
}

function put(contents: Uint8Array | string): string {
  const path = join(folder(), 'm');
  writeFileSync(path, contents);
  return path;
}

describe('inspect', () => {
  it('shows suite, context, keys and sizes, and that nothing is authenticated', async () => {
    const keyring = multiKeyring({
      generator: aesKeyring(),
      children: [
        rawRsaKeyring({ keyNamespace: 'escrow', keyName: '2026', padding: 'oaep-sha256', ...rsaPem() }),
      ],
    });
    const sealed = await message(keyring, { encryptionContext: { tenant: 'acme' } });
    const { code, out, err } = await frameseal(['inspect', put(sealed)]);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out.split('\n')[1]).toMatch(/^NOT AUTHENTICATED/);
    for (const line of [
      'suite       0x0478 ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY: key commitment, not signed',
      'body        frames of 4096 bytes',
      `size        ${sealed.length} bytes`,
      'plaintext   10000 bytes, 3 frames',
      `overhead    ${sealed.length - 10_000} bytes`,
      '  tenant = acme',
      'data keys   2, any one of which opens the message',
      '  test: aes-1',
      '  escrow: 2026',
    ]) {
      expect(out.split('\n')).toContain(line);
    }
  });

  it.each(SUITE_ROWS)('of suite %s gives the same to machines', async (_, suite) => {
    const arn = 'arn:aws:kms:eu-west-1:000000000000:key/1';
    const options = {
      algorithmSuite: suite.id,
      commitmentPolicy: policyFor(suite),
      encryptionContext: { a: EVIL },
    };
    const sealed = await message(entry('aws-kms', arn), options);
    const { code, out, json } = await frameseal(['inspect', '--json', put(sealed)]);
    expect(code).toBe(0);
    expect(out).toMatch(/^[\x20-\x7e]*\n$/);
    const [line] = json();
    expect(line).toMatchObject({
      ok: true,
      authenticated: false,
      base64: false,
      sizes: { ciphertextLength: sealed.length },
      header: {
        version: suite.messageVersion,
        suiteId: suite.id,
        algorithmSuite: suite.name,
        encryptionContext: { a: EVIL },
        encryptedDataKeys: [
          { providerId: 'aws-kms', keyName: arn, region: 'eu-west-1', ciphertextLength: 10 },
        ],
        contentType: 'framed',
        frameLength: 4096,
      },
    });
    const { min, max } = line.sizes.plaintextLength;
    expect(min <= 10_000 && max >= 10_000).toBe(true);
    expect(min === max).toBe(suite.signature === undefined);
  });

  it('escapes every text of the header', async () => {
    const encryptionContext = { [EVIL]: EVIL };
    for (const keyring of [entry(EVIL, EVIL), entry('aws-kms', `arn:aws:kms:${EVIL}:1:key/1`)]) {
      const { out } = await frameseal(['inspect', put(await message(keyring, { encryptionContext }))]);
      expect(out).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]/);
      expect(out.split('\n').filter((line) => line.startsWith('AUTHENTIC'))).toEqual([]);
      expect(out).toContain('\\u{1b}[2J\\u{202e}evil\\u{a}');
    }
  });

  it('shows names that are no text in hexadecimal', async () => {
    const { out } = await frameseal(['inspect', put(await message(entry('x', Buffer.from([0xff, 0xfe]))))]);
    expect(out).toContain('  x: 0xfffe');
  });

  it('reads base64 text, and says so', async () => {
    const text = (await message(aesKeyring())).toString('base64').replace(/(.{76})/g, '$1\r\n');
    const { out } = await frameseal(['inspect', put(text)]);
    expect(out).toContain('decoded from base64');
    expect(out).toContain('test: aes-1');
    expect((await frameseal(['inspect', '--json'], { stdin: text })).json()[0]).toMatchObject({
      base64: true,
      sizesUnknown: expect.any(String),
    });
  });

  it('reads several files, and goes on after a failure', async () => {
    const good = put(await message(aesKeyring()));
    const { code, out, err } = await frameseal(['inspect', good, '/none', put('hello'), good]);
    expect(code).toBe(1);
    expect(out.match(/NOT AUTHENTICATED/g)).toHaveLength(2);
    expect(err).toMatch(/^frameseal: \/none: IO: .*\nframeseal: .*: INVALID_MESSAGE: .*\n$/);
  });

  it('says when the message is cut off, wherever that is', async () => {
    const sealed = await message(aesKeyring());
    const { out } = await frameseal(['inspect', put(sealed.subarray(0, 180))]);
    expect(out).toMatch(/size {8}.*at least 215 bytes/);
    const later = await frameseal(['inspect', put(sealed.subarray(0, 175 + 4128 + 10))]);
    expect(later.out).toMatch(/size {8}.*cut off/);
    const short = await frameseal(['inspect', put(sealed.subarray(0, 100))]);
    expect(short.err).toContain('TRUNCATED');
    expect((await frameseal(['inspect', put('')])).err).toContain('TRUNCATED');
  });
});

describe('how much is read', () => {
  it('no more than holds the header', async () => {
    const sealed = await message(entry('a', 'b'));
    const stdin = new PassThrough();
    stdin.write(sealed.subarray(0, 50));
    setImmediate(() => stdin.write(sealed.subarray(50)));
    expect(await frameseal(['inspect', '-'], { stdin })).toMatchObject({ code: 0 }); // it never ends
  });

  it('a header of 10 MiB', async () => {
    const many: Keyring = {
      ...entry('', ''),
      onEncrypt: async (materials) => ({
        ...materials,
        plaintextDataKey: bytes(32),
        encryptedDataKeys: Array.from({ length: 160 }, () => ({
          providerId: 'p',
          providerInfo: bytes(1),
          ciphertext: new Uint8Array(65_000),
        })),
      }),
    };
    const { code, out } = await frameseal(['inspect', put(await message(many))]);
    expect(code).toBe(0);
    expect(out).toContain('data keys   160');
    expect(out).toContain('  and 110 more');
  });

  it('at most 16 MiB of what never ends', () => {
    const head = Buffer.concat([
      Buffer.from([2, 0x04, 0x78]),
      Buffer.alloc(32),
      Buffer.from([0, 0, 0xff, 0xff]),
    ]);
    const file = put(Buffer.concat([head, Buffer.alloc(40 * 2 ** 20, 'a')]));
    return expect(frameseal(['inspect', file])).resolves.toMatchObject({
      code: 1,
      err: expect.stringContaining('LIMIT_EXCEEDED: the header does not end within 16777216 bytes'),
    });
  });

  it('a pipe has no size', async () => {
    const fifo = join(folder(), 'fifo');
    expect(spawnSync('sh', ['-c', 'mkfifo "$0"', fifo]).status).toBe(0);
    const sealed = await message(aesKeyring());
    const written = import('node:fs/promises').then(({ writeFile }) => writeFile(fifo, sealed));
    const { out } = await frameseal(['inspect', fifo]);
    await written.catch(() => {}); // it may have been left half read
    expect(out).toContain('not known of a pipe');
  });
});
