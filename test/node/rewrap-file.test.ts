/**
 * Message files under other keys: in place, the old message stays until the new one is whole and the old one verified.
 */
import {
  appendFileSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { addWrappingKeys, type CommonOptions, decrypt, type Keyring } from '../../src/index.ts';
import { encryptFile, type RewrapFileOptions, rewrapFile } from '../../src/node/index.ts';
import { aesKeyring, failure, failureCode, flip } from '../support/messages.ts';
import {
  asOrdinaryUser,
  folder,
  IS_LINUX,
  inUse,
  keyring,
  MIB,
  messageFile,
  plain,
  smallDisk,
  succeeds,
  text,
} from './helpers.ts';

const to = aesKeyring(2);
const SIGNED = 0x0578;
const UNSIGNED = 0x0478;

/** A folder with a message `m`. */
async function folderWithMessage(length: number, algorithmSuite = UNSIGNED) {
  const made = folder();
  const m = made.file('m');
  const message = await messageFile(m, length, { algorithmSuite, encryptionContext: { k: 'v' } });
  return { ...made, m, message };
}

/** Calls `work` once, when the first frames have been read. */
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

async function opens(path: string, by: Keyring, length: number): Promise<void> {
  const { plaintext } = await decrypt(readFileSync(path), { keyring: by, encryptionContext: { k: 'v' } });
  expect(Buffer.from(plaintext).equals(plain(length))).toBe(true);
}

describe('in place', () => {
  test.each([
    [0, UNSIGNED, 'kept'],
    [1, SIGNED, 'new'],
    [4096, UNSIGNED, 'kept'],
    [3 * MIB + 123, UNSIGNED, 'kept'],
    [3 * MIB + 123, SIGNED, 'new'],
  ])(
    '%i bytes of suite %i: the data key is %s, and the new key alone opens',
    async (length, suite, dataKey) => {
      const { m, message, entries } = await folderWithMessage(length, suite);
      const before = inUse();
      const result = await rewrapFile(m, undefined, { keyring, to });
      expect(result).toMatchObject({
        dataKey,
        remaining: [],
        missingKeys: [],
        leftovers: [],
        bytesRead: message.length,
        bytesWritten: statSync(m).size,
        header: { encryptionContext: { k: 'v' }, suiteId: suite },
      });
      await opens(m, to, length);
      expect(await failureCode(decrypt(readFileSync(m), { keyring }))).toBe('NO_DATA_KEY');
      expect(statSync(m).mode & 0o777).toBe(0o600);
      expect(entries()).toEqual(['m']);
      expect(inUse()).toEqual(before);
    },
  );

  test('the path as the target, in any form, is in place too', async () => {
    const { m, path, entries } = await folderWithMessage(1000);
    await rewrapFile(m, `${path}/./m`, { keyring, to, mode: 0o640 });
    await opens(m, to, 1000);
    expect(statSync(m).mode & 0o777).toBe(0o640);
    expect(entries()).toEqual(['m']);
  });

  test('the old keys stay where that is asked for', async () => {
    const { m } = await folderWithMessage(1000);
    const { remaining } = await rewrapFile(m, undefined, { keyring, to, keepExisting: true });
    expect(remaining).toHaveLength(1);
    await opens(m, keyring, 1000);
    await opens(m, to, 1000);
  });

  test('the old message opens by a sidecar', async () => {
    const { m, message } = await folderWithMessage(1000);
    const { sidecar } = await addWrappingKeys(message, { keyring, add: aesKeyring(3) });
    await rewrapFile(m, undefined, { keyring: aesKeyring(3), sidecar, to });
    await opens(m, to, 1000);
  });

  test('while it goes on the old message is there, and a temporary file of its owner alone', async () => {
    const { m, message, file, entries } = await folderWithMessage(3 * MIB);
    const umask = process.umask(0);
    onTestFinished(() => void process.umask(umask));
    let looks = 0;
    const look = () => {
      looks++;
      const [temporary, ...others] = entries().filter((name) => name !== 'm');
      expect(temporary).toMatch(/^\.m\..*\.frameseal-tmp$/);
      expect(others).toEqual([]);
      expect(statSync(file(temporary!)).mode & 0o777).toBe(0o600);
      expect(readFileSync(m).equals(message)).toBe(true);
    };
    await rewrapFile(m, undefined, { keyring, to, onProgress: look });
    expect(looks).toBeGreaterThan(2);
  });

  test('hard links to the old message keep it', async () => {
    const { m, file } = await folderWithMessage(1000);
    linkSync(m, file('link'));
    await rewrapFile(m, undefined, { keyring, to });
    await opens(m, to, 1000);
    await opens(file('link'), keyring, 1000);
  });

  test('two runs at a time leave a message that opens', async () => {
    const { m, entries } = await folderWithMessage(2 * MIB);
    const runs = [rewrapFile(m, undefined, { keyring, to }), rewrapFile(m, undefined, { keyring, to })];
    const outcomes = await Promise.allSettled(runs);
    expect(outcomes.some(({ status }) => status === 'fulfilled')).toBe(true);
    for (const outcome of outcomes) if (outcome.status === 'rejected') expect(outcome.reason.code).toBe('IO');
    await opens(m, to, 2 * MIB);
    expect(entries()).toEqual(['m']);
  });
});

describe('into another file', () => {
  test('the old message stays', async () => {
    const { m, message, file, entries } = await folderWithMessage(MIB);
    const { bytesWritten } = await rewrapFile(m, file('n'), { keyring, to, frameLength: 1000 });
    expect(bytesWritten).toBe(statSync(file('n')).size);
    await opens(file('n'), to, MIB);
    expect(readFileSync(m).equals(message)).toBe(true);
    expect(entries()).toEqual(['m', 'n']);
  });

  test('a link to the source, and what may not be replaced, is refused', async () => {
    const { m, message, file, entries } = await folderWithMessage(100);
    linkSync(m, file('hard'));
    symlinkSync('m', file('soft'));
    writeFileSync(file('old'), 'old');
    const refusal = async (target: string, options = {}) =>
      (await failure(rewrapFile(m, file(target), { keyring, to, ...options }))).message;
    expect(await refusal('hard')).toMatch(/the source itself/);
    expect(await refusal('soft')).toMatch(/the source itself|symbolic link/);
    expect(await refusal('old', { overwrite: false })).toMatch(/exists already/);
    expect(readFileSync(m).equals(message)).toBe(true);
    expect(text(file('old'))).toBe('old');
    expect(entries()).toEqual(['hard', 'm', 'old', 'soft']);
  });
});

describe('a failure at any stage leaves the old message byte for byte, and nothing else', () => {
  const failing: Keyring = {
    onEncrypt: () => Promise.reject(new RangeError('no key')),
    onDecrypt: () => Promise.reject(new RangeError('no key')),
  };
  const abortion = (when: (bytes: number) => boolean) => {
    const controller = new AbortController();
    return {
      signal: controller.signal,
      onProgress: ({ bytes }: { bytes: number }) => void (when(bytes) && controller.abort()),
    };
  };
  type Case = [string, (message: Buffer) => Partial<RewrapFileOptions> & { contents?: Uint8Array }, string];
  const CASES: Case[] = [
    ['no options', () => ({ keyring: undefined }), 'INVALID_ARGUMENT'],
    ['an unknown option', () => ({ keyrings: [] }) as object, 'INVALID_ARGUMENT'],
    ['no new key', () => ({ to: undefined }) as object, 'INVALID_ARGUMENT'],
    ['overwrite: false', () => ({ overwrite: false }), 'INVALID_ARGUMENT'],
    ['a wrong dryRun', () => ({ dryRun: 'yes' }) as object, 'INVALID_ARGUMENT'],
    ['a key that is not the message’s', () => ({ keyring: aesKeyring(9) }), 'NO_DATA_KEY'],
    ['a wrong context', () => ({ encryptionContext: { k: 'w' } }), 'CONTEXT_MISMATCH'],
    ['a limit', () => ({ maxFrameLength: 100 }), 'LIMIT_EXCEEDED'],
    ['a data key that cannot stay', () => ({ freshDataKey: false }), 'UNSUPPORTED'],
    ['another message’s sidecar', (message) => ({ sidecar: message }), 'SIDECAR_MISMATCH'],
    ['new keys that fail', () => ({ to: failing }), 'RangeError'],
    ['an abort before', () => ({ signal: AbortSignal.abort() }), 'ABORTED'],
    ['an abort midway', () => abortion((bytes) => bytes > MIB), 'ABORTED'],
    ['an abort at the last byte', () => abortion((bytes) => bytes === 2 * MIB), 'ABORTED'],
    [
      'an altered header',
      (message) => ({ contents: flip(message, 30) }),
      'NO_DATA_KEY|AUTHENTICATION_FAILED',
    ],
    ['an altered frame', (message) => ({ contents: flip(message, MIB) }), 'AUTHENTICATION_FAILED'],
    [
      'an altered signature',
      (message) => ({ contents: flip(message, message.length - 1) }),
      'AUTHENTICATION_FAILED',
    ],
    ['a message that was cut off', (message) => ({ contents: message.subarray(0, -1) }), 'TRUNCATED'],
    ['something behind it', (message) => ({ contents: Buffer.concat([message, message]) }), 'TRAILING_BYTES'],
    ['base64 text', (message) => ({ contents: Buffer.from(message.toString('base64')) }), 'BASE64_MESSAGE'],
    ['no message', () => ({ contents: Buffer.from('no message') }), 'INVALID_MESSAGE'],
    ['an empty file', () => ({ contents: new Uint8Array(0) }), 'TRUNCATED'],
  ];

  test.each(CASES)('%s', async (_, change, code) => {
    const { m, message, entries } = await folderWithMessage(2 * MIB, SIGNED);
    const { contents = message, ...options } = change(message);
    writeFileSync(m, contents);
    const before = inUse();
    const error = await rewrapFile(m, undefined, { keyring, to, ...options }).catch((reason) => reason);
    expect(error.code ?? error.name).toMatch(new RegExp(`^(${code})$`));
    expect(readFileSync(m).equals(contents)).toBe(true);
    expect(entries()).toEqual(['m']);
    expect(inUse()).toEqual(before);
  });

  test('a progress function that throws', async () => {
    const { m, message, entries } = await folderWithMessage(2 * MIB);
    const onProgress = () => {
      throw new RangeError('mine');
    };
    await expect(rewrapFile(m, undefined, { keyring, to, onProgress })).rejects.toThrow('mine');
    expect(readFileSync(m).equals(message)).toBe(true);
    expect(entries()).toEqual(['m']);
  });

  test('aborts at any moment: the old message or the new one', async () => {
    const { m, entries } = await folderWithMessage(2 * MIB);
    let aborted = 0;
    for (let delay = 0; delay < 20; delay++) {
      const signal = AbortSignal.timeout(delay);
      const both = { keyring, to, keepExisting: true, signal };
      await rewrapFile(m, undefined, both).catch(({ code }) => {
        aborted++;
        expect(code).toBe('ABORTED');
      });
      await opens(m, keyring, 2 * MIB);
      expect(entries()).toEqual(['m']);
    }
    expect(aborted).toBeGreaterThan(0);
  });

  test('a full disk', async ({ skip }) => {
    const disk = smallDisk() ?? skip('no small file system can be mounted here');
    const m = join(disk, 'm');
    const message = await messageFile(m, 700_000);
    const { code, message: said } = await failure(rewrapFile(m, undefined, { keyring, to }));
    expect([code, said]).toEqual(['IO', expect.stringMatching(/cannot write ".*m": .*\(ENOSPC\)/)]);
    expect(readFileSync(m).equals(message)).toBe(true);
    expect(readdirSync(disk)).toEqual(['m']);
  });

  test.runIf(process.geteuid)('a folder that may not be written to', async () => {
    const { path, m, message, entries } = await folderWithMessage(1000);
    await asOrdinaryUser(path, async () => {
      succeeds('chmod', '500', path);
      const error = await failure(rewrapFile(m, undefined, { keyring, to }));
      succeeds('chmod', '700', path);
      expect(error.message).toMatch(/cannot write ".*m": permission denied \(EACCES\)/);
    });
    expect(readFileSync(m).equals(message)).toBe(true);
    expect(entries()).toEqual(['m']);
  });
});

describe('a message that changes meanwhile is left as it is', () => {
  const changes: [string, (m: string, path: string) => void, RegExp][] = [
    ['grows', (m) => appendFileSync(m, 'x'), /it changed while it was read|cannot read/],
    ['shrinks', (m) => truncateSync(m, 100), /it changed while it was read/],
    [
      'is written to, and keeps its length',
      (m) => writeFileSync(m, flip(readFileSync(m), 0), { flag: 'r+' }),
      /it has been written to/,
    ],
    [
      'is replaced',
      (m, path) => {
        writeFileSync(join(path, 'new'), readFileSync(m));
        renameSync(join(path, 'new'), m);
      },
      /another file has its name now/,
    ],
    [
      'is replaced by a link',
      (m, path) => {
        renameSync(m, join(path, 'moved'));
        symlinkSync('moved', m);
      },
      /symbolic link/,
    ],
    [
      'is replaced by a folder',
      (m) => {
        rmSync(m);
        mkdirSync(m);
      },
      /it is a folder/,
    ],
    ['is removed', (m) => rmSync(m), /no such file/],
  ];

  // At the last byte, because what is read after the change may fail for its contents.
  test.each(changes)('one that %s', async (_, change, expected) => {
    const { m, path, entries } = await folderWithMessage(2 * MIB);
    utimesSync(m, 1e9, 1e9);
    let then: string[] = [];
    let contents: Buffer | undefined;
    const onProgress = ({ bytes }: { bytes: number }) => {
      if (bytes < 2 * MIB) return;
      change(m, path);
      then = entries().filter((name) => !name.endsWith('.frameseal-tmp'));
      contents = then.includes('m') && statSync(m).isFile() ? readFileSync(m) : undefined;
    };
    const error = await failure(rewrapFile(m, undefined, { keyring, to, onProgress }));
    expect([error.code, error.message]).toEqual(['IO', expect.stringMatching(expected)]);
    expect(entries()).toEqual(then);
    if (contents) expect(readFileSync(m).equals(contents)).toBe(true);
  });

  test('also midway', async () => {
    const { m, message, entries, file } = await folderWithMessage(3 * MIB);
    const swap = () => {
      writeFileSync(file('new'), 'theirs');
      renameSync(file('new'), m);
    };
    expect(await failureCode(rewrapFile(m, undefined, { keyring, to, ...midway(swap) }))).toBe('IO');
    expect(text(m)).toBe('theirs');
    expect(message.length).toBeGreaterThan(3 * MIB);
    expect(entries()).toEqual(['m']);
  });

  test('another target does not care', async () => {
    const { m, file } = await folderWithMessage(2 * MIB);
    await rewrapFile(m, file('n'), { keyring, to, ...midway(() => utimesSync(m, 1e9, 1e9)) });
    await opens(file('n'), to, 2 * MIB);
  });
});

describe('what is no message file is refused in place', () => {
  test('links, folders, pipes, what is not there, what is no path', async () => {
    const { m, path, file, message, entries } = await folderWithMessage(100);
    symlinkSync('m', file('soft'));
    if (IS_LINUX) succeeds('mkfifo', file('pipe'));
    const before = entries();
    const sources = [file('soft'), path, file('none'), ...(IS_LINUX ? [file('pipe'), '/dev/null'] : [])];
    for (const source of sources) {
      for (const dryRun of [false, true]) {
        expect(await failureCode(rewrapFile(source, undefined, { keyring, to, dryRun }))).toBe('IO');
      }
    }
    for (const source of ['', 'a\0b', 5 as never, undefined as never]) {
      expect(await failureCode(rewrapFile(source, undefined, { keyring, to }))).toBe('INVALID_ARGUMENT');
    }
    expect(await failureCode(rewrapFile(m, undefined, undefined as never))).toBe('INVALID_ARGUMENT');
    expect(readFileSync(m).equals(message)).toBe(true);
    expect(entries()).toEqual(before);
  });
});

describe('a dry run', () => {
  test('answers what a rewrap would, asks the new keys, and writes nothing', async () => {
    const { m, message, file, entries } = await folderWithMessage(MIB, SIGNED);
    const { mtimeNs } = statSync(m, { bigint: true });
    const before = inUse();
    let asked = 0;
    const counting: Keyring = {
      onEncrypt: (...request) => {
        asked++;
        return to.onEncrypt(...request);
      },
      onDecrypt: (...request) => to.onDecrypt(...request),
    };
    for (const target of [undefined, file('n')]) {
      const result = await rewrapFile(m, target, { keyring, to: counting, dryRun: true });
      expect(result).toMatchObject({ dataKey: 'new', remaining: [], bytesWritten: 0, leftovers: [] });
      expect(result.header.encryptedDataKeys).toHaveLength(1);
      expect(result.bytesRead).toBeLessThan(1000);
    }
    expect(asked).toBe(2);
    expect(readFileSync(m).equals(message)).toBe(true);
    expect(statSync(m, { bigint: true }).mtimeNs).toBe(mtimeNs);
    expect(entries()).toEqual(['m']);
    expect(inUse()).toEqual(before);
  });

  test('says what would fail, but for the body, which it does not read', async () => {
    const { m, message, file } = await folderWithMessage(MIB, SIGNED);
    const code = (options: Partial<RewrapFileOptions>, target?: string) =>
      failureCode(rewrapFile(m, target, { keyring, to, dryRun: true, ...options }));
    expect(await code({ keyring: aesKeyring(9) })).toBe('NO_DATA_KEY');
    expect(await code({ freshDataKey: false })).toBe('UNSUPPORTED');
    expect(await code({ maxHeaderLength: 100 })).toBe('LIMIT_EXCEEDED');
    writeFileSync(file('n'), 'old');
    expect(await code({ overwrite: false }, file('n'))).toBe('IO');
    writeFileSync(m, flip(message, message.length - 1));
    expect(await rewrapFile(m, undefined, { keyring, to, dryRun: true })).toMatchObject({ dataKey: 'new' });
    writeFileSync(m, message.subarray(0, 100));
    expect(await code({})).toBe('TRUNCATED');
  });
});

test('a signal that nobody else listens to finds the temporary file, and a listener of the host keeps it', async () => {
  const { m, entries } = await folderWithMessage(2 * MIB);
  const before = inUse();
  let heard = 0;
  process.once('SIGINT', () => heard++);
  await rewrapFile(m, undefined, { keyring, to, ...midway(() => process.emit('SIGINT', 'SIGINT')) });
  expect(heard).toBe(1);
  await opens(m, to, 2 * MIB);
  expect(entries()).toEqual(['m']);
  expect(inUse()).toEqual(before);
});

test('a message from a file is one that encryptFile wrote', async () => {
  const { file, path } = folder();
  writeFileSync(file('p'), plain(10_000));
  await encryptFile(file('p'), file('m'), { keyring, encryptionContext: { k: 'v' } });
  await rewrapFile(file('m'), undefined, { keyring, to, algorithmSuite: UNSIGNED });
  await opens(file('m'), to, 10_000);
  expect(readdirSync(path).sort()).toEqual(['m', 'p']);
});
