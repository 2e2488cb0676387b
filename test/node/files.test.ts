/**
 * Files: whole or not at all.
 */
import {
  appendFileSync,
  chmodSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type CommonOptions, decrypt, type Keyring } from '../../src/index.ts';
import { decryptFile, encryptFile } from '../../src/node/index.ts';
import { failure, failureCode, flip } from '../support/messages.ts';
import {
  asOrdinaryUser,
  folder,
  folderWithFiles,
  IS_LINUX,
  inUse,
  keyring,
  MIB,
  messageFile,
  smallDisk,
  succeeds,
  text,
} from './helpers.ts';

const SIGNED = 0x0578;

/** Calls `work` once, when the first frames have been done. */
function midway(work: () => void): Pick<CommonOptions, 'onProgress'> {
  let done = false;
  return {
    onProgress: () => {
      if (done) return;
      done = true;
      work();
    },
  };
}

describe('round trips', () => {
  test.each([
    [0, 4096],
    [1, 4096],
    [4095, 4096],
    [4096, 4096],
    [4097, 4096],
    [MIB, 4096],
    [MIB + 1, 65_536],
    [5 * MIB + 123, 4096],
    [3 * MIB, 1000],
  ])('%i bytes in frames of %i', async (length, frameLength) => {
    const { a, b, file, plaintext, entries } = folderWithFiles(length);
    const sealed = await encryptFile(a, b, { keyring, frameLength, encryptionContext: { k: 'v' } });
    expect(sealed).toMatchObject({
      bytesRead: length,
      bytesWritten: statSync(b).size,
      missingKeys: [],
      leftovers: [],
      header: { frameLength, encryptionContext: { k: 'v' } },
    });
    expect(Buffer.from((await decrypt(readFileSync(b), { keyring })).plaintext).equals(plaintext)).toBe(true);

    const opened = await decryptFile(b, file('c'), { keyring, encryptionContext: { k: 'v' } });
    expect(opened).toMatchObject({ bytesRead: statSync(b).size, bytesWritten: length, leftovers: [] });
    expect(opened.authenticatedContext).toMatchObject({ k: 'v' });
    expect(opened.header.messageId).toEqual(sealed.header.messageId);
    expect(readFileSync(file('c')).equals(plaintext)).toBe(true);
    expect(entries()).toEqual(['a', 'b', 'c']);
  });

  test('a non-framed message, and one of another suite', async () => {
    const { file } = folder();
    await messageFile(file('m'), 100_000, {
      algorithmSuite: 0x0178,
      commitmentPolicy: 'FORBID_ENCRYPT_ALLOW_DECRYPT',
    });
    const { bytesWritten } = await decryptFile(file('m'), file('p'), {
      keyring,
      commitmentPolicy: 'REQUIRE_ENCRYPT_ALLOW_DECRYPT',
    });
    expect(bytesWritten).toBe(100_000);
  });

  test('progress counts bytes, and knows the total', async () => {
    const { a, b } = folderWithFiles(3 * MIB);
    const seen: { bytes: number; total?: number }[] = [];
    await encryptFile(a, b, { keyring, onProgress: (progress) => void seen.push(progress) });
    expect(seen.length).toBeGreaterThan(2);
    expect(seen.at(-1)).toEqual({ bytes: 3 * MIB, total: 3 * MIB });
    expect(new Set(seen.map(({ total }) => total))).toEqual(new Set([3 * MIB]));
  });

  test('relative paths hold through a change of the working folder', async () => {
    const { path, a, plaintext, file } = folderWithFiles(2 * MIB);
    const before = process.cwd();
    onTestFinished(() => process.chdir(before));
    process.chdir(path);
    await encryptFile('a', 'm', { keyring, ...midway(() => process.chdir(before)) });
    const { plaintext: opened } = await decrypt(readFileSync(file('m')), { keyring });
    expect(Buffer.from(opened).equals(plaintext)).toBe(true);
    expect(statSync(a).size).toBe(2 * MIB);
  });

  test('many at a time, into one folder', async () => {
    const { a, file, entries, plaintext } = folderWithFiles(100_000);
    const before = inUse();
    const names = Array.from({ length: 40 }, (_, i) => `m${i}`);
    await Promise.all(names.map((name) => encryptFile(a, file(name), { keyring })));
    await Promise.all(names.map((name) => decryptFile(file(name), file(`${name}.txt`), { keyring })));
    for (const name of names) expect(readFileSync(file(`${name}.txt`)).equals(plaintext)).toBe(true);
    expect(entries()).toHaveLength(2 + 80);
    expect(inUse()).toEqual(before);
  });
});

describe('while the work goes on', () => {
  test('a temporary file of its owner alone holds it, and the old target stays', async () => {
    const { a, b, path } = folderWithFiles(4 * MIB);
    const umask = process.umask(0);
    onTestFinished(() => void process.umask(umask));
    const seen: { names: string[]; mode: number; old: string }[] = [];
    const look = () => {
      const names = readdirSync(path).filter((name) => !['a', 'b'].includes(name));
      seen.push({ names, mode: statSync(`${path}/${names[0]}`).mode & 0o777, old: text(b) });
    };
    await encryptFile(a, b, { keyring, mode: 0o644, onProgress: look });
    expect(seen.length).toBeGreaterThan(2);
    for (const { names, mode, old } of seen) {
      expect(names).toEqual([
        expect.stringMatching(/^\.b\.\d+-\d+-[0-9a-f]{8}-[0-9a-f]{16}\.frameseal-tmp$/),
      ]);
      expect(mode).toBe(0o600);
      expect(old).toBe('old');
    }
    expect(statSync(b).mode & 0o777).toBe(0o644);
  });

  test('a signed message has nothing under the final name before its signature is verified', async () => {
    const { file, path, entries } = folder();
    const message = await messageFile(file('m'), 3 * MIB, { algorithmSuite: SIGNED });
    writeFileSync(file('m'), flip(message, message.length - 1));
    let hidden = 0;
    const look = () => {
      expect(readdirSync(path)).not.toContain('p');
      for (const name of readdirSync(path)) {
        if (name.startsWith('.p.')) hidden = Math.max(hidden, statSync(file(name)).size);
      }
    };
    const work = decryptFile(file('m'), file('p'), { keyring, onProgress: look });
    expect(await failureCode(work)).toBe('AUTHENTICATION_FAILED');
    expect(hidden).toBeGreaterThan(MIB / 2); // it had been released and written
    expect(entries()).toEqual(['m']);
  });

  test('listeners of the process exist only then, and leave the signal to a host that listens', async () => {
    const { a, b, plaintext } = folderWithFiles(2 * MIB);
    const before = inUse();
    expect(process.listenerCount('SIGHUP')).toBe(0);
    let heard = 0;
    process.once('SIGTERM', () => heard++);
    const work = encryptFile(a, b, {
      keyring,
      ...midway(() => {
        expect(process.listenerCount('SIGHUP')).toBe(1);
        process.emit('SIGTERM', 'SIGTERM');
      }),
    });
    await work;
    expect(heard).toBe(1);
    expect(Buffer.from((await decrypt(readFileSync(b), { keyring })).plaintext).equals(plaintext)).toBe(true);
    expect(inUse()).toEqual(before);
  });

  test('two runs to one target do not disturb each other', async () => {
    const { a, b, entries, plaintext } = folderWithFiles(2 * MIB);
    const results = await Promise.all([encryptFile(a, b, { keyring }), encryptFile(a, b, { keyring })]);
    const { plaintext: opened, header } = await decrypt(readFileSync(b), { keyring });
    expect(Buffer.from(opened).equals(plaintext)).toBe(true);
    expect(results.map((result) => result.header.messageId)).toContainEqual(header.messageId);
    expect(entries()).toEqual(['a', 'b']);
  });
});

describe('the mode of the result', () => {
  test.each([
    [undefined, 0o600],
    [0o644, 0o644],
    [0o400, 0o400],
    [0, 0],
  ])('%o gives %o, whatever the umask and the replaced file', async (mode, expected) => {
    const { a, b, file } = folderWithFiles(10);
    chmodSync(b, 0o666);
    for (const umask of [0, 0o077]) {
      const before = process.umask(umask);
      onTestFinished(() => void process.umask(before));
      await encryptFile(a, b, { keyring, mode });
      expect(statSync(b).mode & 0o7777).toBe(expected);
    }
    await encryptFile(a, b, { keyring });
    await decryptFile(b, file('p'), { keyring, mode });
    expect(statSync(file('p')).mode & 0o7777).toBe(expected);
  });
});

describe('a failure leaves the old target, and nothing else', () => {
  /** Both ways, with what makes them fail. */
  async function fails(
    prepare: (options: { a: string; m: string }) => {
      options?: object;
      encrypt?: boolean;
      decrypt?: boolean;
    },
    code: string,
  ): Promise<void> {
    const { a, b, file, entries } = folderWithFiles(3 * MIB);
    await messageFile(file('m'), 3 * MIB);
    const before = inUse();
    const { options, encrypt: forward = true, decrypt: back = true } = prepare({ a, m: file('m') });
    if (forward) expect(await failureCode(encryptFile(a, b, { keyring, ...options }))).toBe(code);
    if (back) expect(await failureCode(decryptFile(file('m'), b, { keyring, ...options }))).toBe(code);
    expect(text(b)).toBe('old');
    expect(entries()).toEqual(['a', 'b', 'm']);
    expect(inUse()).toEqual(before);
  }

  const failing: Keyring = {
    onEncrypt: () => Promise.reject(new Error('no key')),
    onDecrypt: () => Promise.reject(new Error('no key')),
  };

  test('an unknown option', () => fails(() => ({ options: { keyrings: [] } }), 'INVALID_ARGUMENT'));
  test('no keyring', () => fails(() => ({ options: { keyring: undefined } }), 'INVALID_ARGUMENT'));
  test('a wrong mode', () => fails(() => ({ options: { mode: 0o1777 } }), 'INVALID_ARGUMENT'));
  test('a wrong overwrite', () => fails(() => ({ options: { overwrite: 'no' } }), 'INVALID_ARGUMENT'));
  test('no options', async () => {
    const { a, b } = folderWithFiles(1);
    expect(await failureCode(encryptFile(a, b, undefined as never))).toBe('INVALID_ARGUMENT');
    expect(await failureCode(decryptFile(a, b, null as never))).toBe('INVALID_ARGUMENT');
  });
  test('a bound below the size', () =>
    fails(() => ({ options: { plaintextLength: 3 * MIB - 1 }, decrypt: false }), 'LIMIT_EXCEEDED'));
  test('a bound that is none', () =>
    fails(() => ({ options: { plaintextLength: -1 }, decrypt: false }), 'INVALID_ARGUMENT'));
  test('a limit of the reader', () =>
    fails(() => ({ options: { maxFrameLength: 100 }, encrypt: false }), 'LIMIT_EXCEEDED'));
  test('a wrong context', () =>
    fails(() => ({ options: { encryptionContext: { x: 'y' } }, encrypt: false }), 'CONTEXT_MISMATCH'));

  test('a keyring that fails', async () => {
    const { a, b, entries } = folderWithFiles(MIB);
    await expect(encryptFile(a, b, { keyring: failing })).rejects.toThrow('no key');
    expect(text(b)).toBe('old');
    expect(entries()).toEqual(['a', 'b']);
  });

  test('an altered message', () =>
    fails(({ m }) => {
      writeFileSync(m, flip(readFileSync(m), 2 * MIB));
      return { encrypt: false };
    }, 'AUTHENTICATION_FAILED'));

  test('a message that was cut off', () =>
    fails(({ m }) => {
      truncateSync(m, statSync(m).size - 1);
      return { encrypt: false };
    }, 'TRUNCATED'));

  test('a message with something behind it', () =>
    fails(({ m }) => {
      appendFileSync(m, 'x');
      return { encrypt: false };
    }, 'TRAILING_BYTES'));

  test('a source that grows', () =>
    fails(({ a }) => ({ options: midway(() => appendFileSync(a, 'x')), decrypt: false }), 'IO'));

  test('a source that grows while it is decrypted', () =>
    fails(({ m }) => ({ options: midway(() => appendFileSync(m, 'x')), encrypt: false }), 'IO'));

  test('a source that shrinks', () =>
    fails(({ a }) => ({ options: midway(() => truncateSync(a, 10)), decrypt: false }), 'IO'));

  test('a progress function that throws', async () => {
    const { a, b, entries } = folderWithFiles(3 * MIB);
    const before = inUse();
    const onProgress = () => {
      throw new RangeError('mine');
    };
    await expect(encryptFile(a, b, { keyring, onProgress })).rejects.toThrow('mine');
    expect(text(b)).toBe('old');
    expect(entries()).toEqual(['a', 'b']);
    expect(inUse()).toEqual(before);
  });
});

describe('abort', () => {
  /** Never answers. */
  const silent: Keyring = { onEncrypt: () => new Promise(() => {}), onDecrypt: () => new Promise(() => {}) };

  test.each(['before', 'while the keyring is asked', 'midway', 'at the last byte'])(
    '%s: the reason comes back, and nothing is left',
    async (when) => {
      const { a, b, file, entries } = folderWithFiles(3 * MIB);
      await messageFile(file('m'), 3 * MIB);
      const before = inUse();
      for (const work of [encryptFile, decryptFile]) {
        const controller = new AbortController();
        const reason = new Error('enough');
        const options = {
          signal: controller.signal,
          keyring: when === 'while the keyring is asked' ? silent : keyring,
          onProgress: ({ bytes }: { bytes: number }) => {
            if (when === 'midway' || (when === 'at the last byte' && bytes === 3 * MIB))
              controller.abort(reason);
          },
        };
        if (when === 'before') controller.abort(reason);
        if (when === 'while the keyring is asked') setTimeout(() => controller.abort(reason), 20);
        const error = await failure(work(work === encryptFile ? a : file('m'), b, options));
        expect([error.code, error.cause]).toEqual(['ABORTED', reason]);
      }
      expect(text(b)).toBe('old');
      expect(entries()).toEqual(['a', 'b', 'm']);
      expect(inUse()).toEqual(before);
    },
  );

  test('at any moment', async () => {
    const { a, b, entries } = folderWithFiles(2 * MIB);
    const before = inUse();
    let aborted = 0;
    for (let delay = 0; delay < 30; delay++) {
      const signal = AbortSignal.timeout(delay);
      await encryptFile(a, b, { keyring, signal }).catch(({ code }) => {
        aborted++;
        expect(code).toBe('ABORTED');
      });
      expect(entries()).toEqual(['a', 'b']);
    }
    expect(aborted).toBeGreaterThan(0);
    expect(inUse()).toEqual(before);
  });
});

describe('targets that are refused, before anything is written', () => {
  async function refuses(source: string, target: string, expected: RegExp, options = {}): Promise<void> {
    for (const work of [encryptFile, decryptFile]) {
      const error = await failure(work(source, target, { keyring, ...options }));
      expect(error.code).toBe('IO');
      expect(error.message).toMatch(expected);
    }
  }

  test('the source, by its own name or another', async () => {
    const { path, a, file, entries, plaintext } = folderWithFiles(100, null);
    linkSync(a, file('hard'));
    symlinkSync('a', file('soft'));
    await refuses(a, a, /the source itself/);
    await refuses(a, `${path}/../${basename(path)}/a`, /the source itself/);
    await refuses(a, file('hard'), /the source itself/);
    await refuses(file('soft'), a, /the source itself/);
    await refuses(a, file('soft'), /symbolic link/);
    expect(readFileSync(a).equals(plaintext)).toBe(true);
    expect(entries()).toEqual(['a', 'hard', 'soft']);
  });

  test('a symbolic link, also one that leads nowhere', async () => {
    const { a, b, file, entries } = folderWithFiles(100);
    symlinkSync('b', file('link'));
    symlinkSync('nowhere', file('dangling'));
    await refuses(a, file('link'), /symbolic link, which is not followed/);
    await refuses(a, file('dangling'), /symbolic link, which is not followed/);
    expect(text(b)).toBe('old');
    expect(entries()).toEqual(['a', 'b', 'dangling', 'link']);
  });

  test('a link that takes the place of the target midway is replaced, not followed', async () => {
    const { a, b, file } = folderWithFiles(2 * MIB);
    writeFileSync(file('victim'), 'mine');
    const swap = () => {
      rmSync(b);
      symlinkSync('victim', b);
    };
    await encryptFile(a, b, { keyring, ...midway(swap) });
    expect(text(file('victim'))).toBe('mine');
    expect(statSync(b).size).toBeGreaterThan(2 * MIB);
  });

  test('a folder', async () => {
    const { a, path, file, entries } = folderWithFiles(100);
    await refuses(a, path, /is a folder/);
    await refuses(a, file('new/'), /names a folder/);
    expect(entries()).toEqual(['a', 'b']);
  });

  test('a folder that takes the place of the target midway', async () => {
    const { a, b, entries } = folderWithFiles(2 * MIB);
    const swap = () => {
      rmSync(b);
      mkdirSync(b);
    };
    const error = await failure(encryptFile(a, b, { keyring, ...midway(swap) }));
    expect(error.message).toMatch(/cannot write ".*b": .*\(E(ISDIR|NOTEMPTY|EXIST)\)/);
    expect(entries()).toEqual(['a', 'b']);
  });

  test.runIf(IS_LINUX)('devices and pipes', async () => {
    const { a, file } = folderWithFiles(100);
    succeeds('mkfifo', file('pipe'));
    await refuses(a, file('pipe'), /no regular file/);
    await refuses(a, '/dev/null', /no regular file/);
    expect(statSync('/dev/null').isCharacterDevice()).toBe(true);
  });

  test('one in a folder that is not there, or is none', async () => {
    const { a, file } = folderWithFiles(100);
    await refuses(a, file('x/y'), /x\/y": no such file or directory \(ENOENT\).*must exist/);
    await refuses(a, file('a/y'), /\(ENOTDIR\).*no folder/);
    await refuses(a, file('n'.repeat(256)), /\(ENAMETOOLONG\).*shorter/);
  });

  test('an existing file, with overwrite: false', async () => {
    const { a, b, entries } = folderWithFiles(100);
    await refuses(a, b, /exists already, and "overwrite" is false/, { overwrite: false });
    expect(text(b)).toBe('old');
    expect(entries()).toEqual(['a', 'b']);
  });

  test('a file that appears midway, with overwrite: false', async () => {
    const { a, b, entries } = folderWithFiles(2 * MIB, null);
    const appear = midway(() => writeFileSync(b, 'theirs'));
    const error = await failure(encryptFile(a, b, { keyring, overwrite: false, ...appear }));
    expect(error.message).toMatch(/file already exists \(EEXIST\): remove it, .* "overwrite"/);
    expect(text(b)).toBe('theirs');
    expect(entries()).toEqual(['a', 'b']);
  });

  test('overwrite: false writes a new file like any other', async () => {
    const { a, b, entries } = folderWithFiles(2 * MIB, null);
    await encryptFile(a, b, { keyring, overwrite: false });
    expect(statSync(b)).toMatchObject({ nlink: 1 });
    expect(statSync(b).mode & 0o777).toBe(0o600);
    expect(entries()).toEqual(['a', 'b']);
  });

  test.each(['', 'a\0b', 5, undefined, Buffer.from('a')])('%j is no path', async (path) => {
    const { a, b } = folderWithFiles(1);
    for (const work of [encryptFile, decryptFile]) {
      expect(await failureCode(work(a, path as string, { keyring }))).toBe('INVALID_ARGUMENT');
      expect(await failureCode(work(path as string, b, { keyring }))).toBe('INVALID_ARGUMENT');
    }
    expect(text(b)).toBe('old');
  });
});

describe('sources', () => {
  test('a symbolic link is followed', async () => {
    const { a, b, file } = folderWithFiles(1000);
    symlinkSync('a', file('link'));
    expect(await encryptFile(file('link'), b, { keyring })).toMatchObject({ bytesRead: 1000 });
    expect(statSync(a).size).toBe(1000);
  });

  test('what is no regular file is refused, and nothing waits for a writer', async () => {
    const { path, b, file, entries } = folderWithFiles(1);
    succeeds('mkfifo', file('pipe'));
    for (const source of [path, file('pipe'), '/dev/null', '/dev/stdin']) {
      const error = await failure(encryptFile(source, b, { keyring }));
      expect([error.code, error.message]).toEqual([
        'IO',
        expect.stringMatching(/folder|no regular file|through a stream/),
      ]);
    }
    expect(text(b)).toBe('old');
    expect(entries()).toEqual(['a', 'b', 'pipe']);
  });

  test('one that is not there', async () => {
    const { b, file } = folderWithFiles(1);
    const error = await failure(encryptFile(file('none'), b, { keyring }));
    expect(error).toMatchObject({ code: 'IO', operation: 'read', cause: { code: 'ENOENT' } });
    expect(error.message).toMatch(
      /cannot read ".*none": no such file or directory \(ENOENT\): check the path/,
    );
  });

  test('control characters of a path are not shown', async () => {
    const { b, file } = folderWithFiles(1);
    const { message } = await failure(encryptFile(file('x\u001b[31m'), b, { keyring }));
    expect(message).not.toMatch(/\u001b/);
    expect(message).toContain('x\\u{1b}[31m');
  });

  test.runIf(IS_LINUX)('a file of /proc, which says that it is empty, is not taken for empty', async () => {
    const { b, entries } = folderWithFiles(1);
    const { code, message } = await failure(encryptFile('/proc/self/status', b, { keyring }));
    expect([code, message]).toEqual(['IO', expect.stringMatching(/it had 0 bytes, and it has more now/)]);
    expect(entries()).toEqual(['a', 'b']);
  });
});

describe.runIf(process.geteuid)('permissions', () => {
  test('a folder that may not be written to', async () => {
    const { path, a, b, entries } = folderWithFiles(100);
    await asOrdinaryUser(path, async () => {
      chmodSync(path, 0o500);
      for (const work of [encryptFile, decryptFile]) {
        const error = await failure(work(a, b, { keyring }));
        expect([error.code, error.message]).toEqual([
          'IO',
          expect.stringMatching(/cannot write ".*b": permission denied \(EACCES\): check the permissions/),
        ]);
      }
      chmodSync(path, 0o700);
    });
    expect(text(b)).toBe('old');
    expect(entries()).toEqual(['a', 'b']);
  });

  test('a source that may not be read', async () => {
    const { path, a, b, entries } = folderWithFiles(100);
    await asOrdinaryUser(path, async () => {
      chmodSync(a, 0o200);
      const error = await failure(encryptFile(a, b, { keyring }));
      expect(error.message).toMatch(/cannot read ".*a": permission denied \(EACCES\)/);
    });
    expect(entries()).toEqual(['a', 'b']);
  });

  test('a folder that may be written to and not read', async () => {
    const { path, a, b } = folderWithFiles(100);
    await asOrdinaryUser(path, async () => {
      chmodSync(path, 0o300);
      await encryptFile(a, b, { keyring });
      chmodSync(path, 0o700);
    });
    expect((await decrypt(readFileSync(b), { keyring })).plaintext).toHaveLength(100);
  });
});

test('a full disk leaves the old target, and the space that was free before', async ({ skip }) => {
  const disk = smallDisk() ?? skip('no small file system can be mounted here');
  const { a, file } = folderWithFiles(3 * MIB);
  await messageFile(file('m'), 3 * MIB);
  const target = join(disk, 'b');
  writeFileSync(target, 'old');
  const before = inUse();
  for (const work of [encryptFile, decryptFile]) {
    const { code, message } = await failure(work(work === encryptFile ? a : file('m'), target, { keyring }));
    expect(code).toBe('IO');
    expect(message).toMatch(/cannot write ".*b": no space left on device \(ENOSPC\): the disk is full/);
  }
  expect(text(target)).toBe('old');
  expect(readdirSync(disk)).toEqual(['b']);
  expect(inUse()).toEqual(before);
  writeFileSync(join(disk, 'c'), Buffer.alloc(900_000));
});
