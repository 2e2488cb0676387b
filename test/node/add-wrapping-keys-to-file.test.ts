/**
 * Keys added to message files: the message is not touched, and the sidecar appears whole or stays as it was.
 */
import {
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { describe, expect, test } from 'vitest';
import { addWrappingKeys, decrypt, type Keyring, multiKeyring } from '../../src/index.ts';
import {
  type AddWrappingKeysToFileOptions,
  addWrappingKeysToFile,
  inspectSidecar,
} from '../../src/node/index.ts';
import { aesKeyring, failure, failureCode, flip } from '../support/messages.ts';
import { asOrdinaryUser, folder, inUse, keyring, messageFile, plain, succeeds, text } from './helpers.ts';

const [second, third, fourth] = [aesKeyring(2), aesKeyring(3), aesKeyring(4)];

/** A folder with a message `m`; its sidecar is to be `s`. */
async function folderWithMessage(length = 1000) {
  const made = folder();
  const [m, s] = [made.file('m'), made.file('s')];
  const message = await messageFile(m, length, { encryptionContext: { k: 'v' } });
  return { ...made, m, s, message };
}

async function opens(message: Uint8Array, sidecar: Uint8Array, ...keyrings: Keyring[]): Promise<void> {
  for (const one of keyrings) {
    const { plaintext } = await decrypt(message, { keyring: one, sidecar });
    expect(Buffer.from(plaintext).equals(plain(plaintext.length))).toBe(true);
  }
}

describe('a sidecar', () => {
  test('opens the message by the added key, for its owner alone; the message stays', async () => {
    const { m, s, message, entries } = await folderWithMessage();
    const before = inUse();
    const result = await addWrappingKeysToFile(m, s, { keyring, add: second });
    expect(result).toMatchObject({ verified: 'header', missingKeys: [], leftovers: [] });
    expect(result.added).toEqual(result.encryptedDataKeys);
    expect(result.header.encryptionContext).toMatchObject({ k: 'v' });
    expect(readFileSync(s).equals(result.sidecar)).toBe(true);
    expect(statSync(s).mode & 0o777).toBe(0o600);
    expect(readFileSync(m).equals(message)).toBe(true);
    await opens(message, readFileSync(s), second, keyring);
    expect(entries()).toEqual(['m', 's']);
    expect(inUse()).toEqual(before);
  });

  test('that is there is merged, and one of its keys may open the message', async () => {
    const { m, s, message, entries } = await folderWithMessage();
    await addWrappingKeysToFile(m, s, { keyring, add: second, mode: 0o640 });
    expect(statSync(s).mode & 0o777).toBe(0o640);
    const result = await addWrappingKeysToFile(m, s, { keyring: second, add: third });
    expect([result.encryptedDataKeys.length, result.added.length]).toEqual([2, 1]);
    expect(Buffer.from(result.added[0]!.providerInfo).toString()).toContain('aes-3');
    await opens(message, readFileSync(s), second, third);
    expect(entries()).toEqual(['m', 's']);
  });

  test('that is given is merged too, and is not new', async () => {
    const { m, s, message } = await folderWithMessage();
    const { sidecar } = await addWrappingKeys(message, { keyring, add: second });
    await addWrappingKeysToFile(m, s, { keyring, add: third });
    for (const given of [sidecar, [sidecar]]) {
      const result = await addWrappingKeysToFile(m, s, { keyring, add: fourth, sidecar: given });
      expect(result.added).toHaveLength(1);
    }
    await opens(message, readFileSync(s), second, third, fourth);
    expect(inspectSidecar(readFileSync(s)).encryptedDataKeys).toHaveLength(4);
  });

  test('takes no more of the message than its header', async () => {
    const { m, s, message } = await folderWithMessage(100_000);
    const { header } = await decrypt(message, { keyring });
    truncateSync(m, header.headerLength);
    await addWrappingKeysToFile(m, s, { keyring, add: second });
    truncateSync(m, 2 ** 36); // sparse
    await addWrappingKeysToFile(m, s, { keyring, add: third });
    await opens(message, readFileSync(s), second, third);
  });

  test('of a header of several reads', async () => {
    const { m, s, file } = await folderWithMessage();
    const children = Array.from({ length: 400 }, () => second);
    const long = multiKeyring({ generator: keyring, children });
    const message = await messageFile(file('long'), 1000, { keyring: long });
    const { header } = await addWrappingKeysToFile(file('long'), s, { keyring, add: third });
    expect(header.headerLength).toBeGreaterThan(20_000);
    await opens(message, readFileSync(s), third);
    expect(existsSync(m)).toBe(true);
  });

  test('a dry run answers the same, and writes nothing', async () => {
    const { m, s, message, entries } = await folderWithMessage();
    const { added, sidecar } = await addWrappingKeysToFile(m, s, { keyring, add: second, dryRun: true });
    expect(added).toHaveLength(1);
    expect(entries()).toEqual(['m']);
    await opens(message, sidecar, second);
    writeFileSync(s, sidecar);
    await addWrappingKeysToFile(m, s, { keyring, add: third, dryRun: true });
    expect(readFileSync(s).equals(sidecar)).toBe(true);
    expect(entries()).toEqual(['m', 's']);
  });
});

describe('a failure leaves message and sidecar as they were, and nothing else', () => {
  const failing: Keyring = {
    onEncrypt: () => Promise.reject(new RangeError('no key')),
    onDecrypt: () => Promise.reject(new RangeError('no key')),
  };
  type Case = [
    string,
    (files: {
      m: Buffer;
      s: Buffer;
    }) => Partial<AddWrappingKeysToFileOptions> & { m?: Uint8Array; s?: Uint8Array },
    string,
  ];
  const CASES: Case[] = [
    ['an unknown option', () => ({ keyrings: [] }) as object, 'INVALID_ARGUMENT'],
    ['overwrite, which it does not have', () => ({ overwrite: true }) as object, 'INVALID_ARGUMENT'],
    ['a wrong mode', () => ({ mode: 0o1000 }), 'INVALID_ARGUMENT'],
    ['a wrong dryRun', () => ({ dryRun: 1 }) as object, 'INVALID_ARGUMENT'],
    ['no key to add', () => ({ add: undefined }) as object, 'INVALID_ARGUMENT'],
    ['no key that opens', () => ({ keyring: aesKeyring(9) }), 'NO_DATA_KEY'],
    ['a wrong context', () => ({ encryptionContext: { k: 'w' } }), 'CONTEXT_MISMATCH'],
    ['an added key that fails', () => ({ add: failing }), 'RangeError'],
    ['an abort', () => ({ signal: AbortSignal.abort() }), 'ABORTED'],
    ['a longer header', () => ({ maxHeaderLength: 100 }), 'LIMIT_EXCEEDED'],
    ['more keys than allowed', () => ({ maxEncryptedDataKeys: 2 }), 'LIMIT_EXCEEDED'],
    ['an altered header', ({ m }) => ({ m: flip(m, 30) }), 'SIDECAR_MISMATCH'],
    ['half a header', ({ m }) => ({ m: m.subarray(0, 100) }), 'TRUNCATED'],
    ['an empty message', () => ({ m: new Uint8Array(0) }), 'TRUNCATED'],
    ['base64 text', ({ m }) => ({ m: Buffer.from(m.toString('base64')) }), 'BASE64_MESSAGE'],
    ['an altered sidecar', ({ s }) => ({ s: flip(s, s.length - 1) }), 'SIDECAR_MISMATCH'],
    ['an empty sidecar', () => ({ s: new Uint8Array(0) }), 'SIDECAR_MISMATCH'],
    ['a sidecar that is none', ({ m }) => ({ s: m }), 'SIDECAR_MISMATCH'],
    ['a sidecar that is too long', () => ({ s: new Uint8Array(5_000_000) }), 'LIMIT_EXCEEDED'],
  ];

  test.each(CASES)('%s', async (_, change, code) => {
    const { m, s, message, entries } = await folderWithMessage();
    const { sidecar } = await addWrappingKeys(message, { keyring, add: second });
    const {
      m: newM = message,
      s: newS = sidecar,
      ...options
    } = change({ m: message, s: Buffer.from(sidecar) });
    writeFileSync(m, newM);
    writeFileSync(s, newS);
    const before = inUse();
    const error = await addWrappingKeysToFile(m, s, { keyring, add: third, ...options }).catch((e) => e);
    expect(error.code ?? error.name).toBe(code);
    if (code === 'SIDECAR_MISMATCH') expect(error.message).toContain(`look at "${s}"`);
    expect(readFileSync(m).equals(newM)).toBe(true);
    expect(readFileSync(s).equals(newS)).toBe(true);
    expect(entries()).toEqual(['m', 's']);
    expect(inUse()).toEqual(before);
  });

  test.runIf(process.geteuid)('a folder that may not be written to', async () => {
    const { path, m, s, entries } = await folderWithMessage();
    await asOrdinaryUser(path, async () => {
      succeeds('chmod', '500', path);
      const error = await failure(addWrappingKeysToFile(m, s, { keyring, add: second }));
      succeeds('chmod', '700', path);
      expect(error.message).toMatch(/cannot write ".*s": permission denied \(EACCES\)/);
    });
    expect(entries()).toEqual(['m']);
  });
});

describe('targets that are refused', () => {
  test('the message by any name, links, folders, folders that are not there', async () => {
    const { m, path, file, message, entries } = await folderWithMessage();
    linkSync(m, file('hard'));
    symlinkSync('m', file('soft'));
    symlinkSync('none', file('dangling'));
    for (const target of [m, file('hard'), file('soft'), file('dangling'), path, file('x/s'), file('y/')]) {
      expect(await failureCode(addWrappingKeysToFile(m, target, { keyring, add: second }))).toBe('IO');
    }
    expect(await failureCode(addWrappingKeysToFile(m, '', { keyring, add: second }))).toBe(
      'INVALID_ARGUMENT',
    );
    expect(await failureCode(addWrappingKeysToFile('', m, { keyring, add: second }))).toBe(
      'INVALID_ARGUMENT',
    );
    expect(readFileSync(m).equals(message)).toBe(true);
    expect(entries()).toEqual(['dangling', 'hard', 'm', 'soft']);
  });
});

describe('what changes meanwhile is left as it is', () => {
  /** Adds a key while `work` is done. */
  const meanwhile = (work: () => void): Keyring => ({
    onEncrypt: (...request) => {
      work();
      return second.onEncrypt(...request);
    },
    onDecrypt: (...request) => second.onDecrypt(...request),
  });

  test('a sidecar that appears', async () => {
    const { m, s, entries } = await folderWithMessage();
    const error = await failure(
      addWrappingKeysToFile(m, s, { keyring, add: meanwhile(() => writeFileSync(s, 'theirs')) }),
    );
    expect([error.code, error.message]).toEqual(['IO', expect.stringContaining('another run has made it')]);
    expect(text(s)).toBe('theirs');
    expect(entries()).toEqual(['m', 's']);
  });

  test('a sidecar that another run has merged its keys into', async () => {
    const { m, s, message, entries } = await folderWithMessage();
    await addWrappingKeysToFile(m, s, { keyring, add: second });
    let theirs: Promise<unknown> | undefined;
    const add: Keyring = {
      ...second,
      onEncrypt: async (...request) => {
        theirs ??= addWrappingKeysToFile(m, s, { keyring, add: third });
        await theirs;
        return fourth.onEncrypt(...request);
      },
    };
    const error = await failure(addWrappingKeysToFile(m, s, { keyring, add }));
    expect([error.code, error.message]).toEqual(['IO', expect.stringContaining('another file has its name')]);
    await opens(message, readFileSync(s), second, third);
    expect(entries()).toEqual(['m', 's']);
  });

  test('a message that is replaced', async () => {
    const { m, s, file, entries } = await folderWithMessage();
    await messageFile(file('new'), 10);
    const add = meanwhile(() => renameSync(file('new'), m));
    expect(await failureCode(addWrappingKeysToFile(m, s, { keyring, add }))).toBe('IO');
    expect(entries()).toEqual(['m']);
  });

  test('a folder in the place of the sidecar', async () => {
    const { m, s, entries } = await folderWithMessage();
    const add = meanwhile(() => mkdirSync(s));
    expect(await failureCode(addWrappingKeysToFile(m, s, { keyring, add }))).toBe('IO');
    expect(entries()).toEqual(['m', 's']);
  });
});

describe('inspectSidecar', () => {
  test('says what is in a sidecar, and verifies nothing', async () => {
    const { m, s } = await folderWithMessage();
    const { header, sidecar } = await addWrappingKeysToFile(m, s, { keyring, add: second });
    const seen = inspectSidecar(flip(sidecar, sidecar.length - 1));
    expect(seen).toMatchObject({ algorithmSuite: header.algorithmSuite, suiteId: 0x0578 });
    expect(seen.messageId).toEqual(header.messageId);
    expect(seen.encryptedDataKeys).toHaveLength(1);
  });

  test('refuses what is none', async () => {
    expect(await failureCode(() => inspectSidecar(plain(100)))).toBe('SIDECAR_MISMATCH');
    expect(await failureCode(() => inspectSidecar('FSSC' as never))).toBe('INVALID_ARGUMENT');
  });
});
