/**
 * The journal of a rotation in a file: what is durable, what a torn end is, and what is damage.
 */
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { describe, expect, test, vi } from 'vitest';
import { type JournalEntry, rotateMessages } from '../../src/index.ts';
import { type FileJournal, fileJournal, folderMessages } from '../../src/node/index.ts';
import { aesKeyring, failure, failureCode } from '../support/messages.ts';
import { folder, inUse, keyring, messageFile, succeeds, text } from './helpers.ts';

const FIRST = '{"journal":"frameseal rotation 1"}\n';

function entry(i: number, state: JournalEntry['state'] = 'begun'): JournalEntry {
  return { name: `object ${i}`, state, messageId: i.toString(16).padStart(64, '0') };
}

async function entriesOf(journal: FileJournal): Promise<JournalEntry[]> {
  const entries: JournalEntry[] = [];
  for await (const one of journal.entries()) entries.push(one);
  return entries;
}

/** What a journal says after it has been opened anew. */
async function reread(path: string): Promise<JournalEntry[]> {
  await using journal = await fileJournal(path);
  return await entriesOf(journal);
}

describe('entries', () => {
  test('are lines of JSON in a file of mode 0600, and come back in order', async () => {
    const { file } = folder();
    const used = inUse();
    const journal = await fileJournal(file('journal'));
    expect(text(file('journal'))).toBe(FIRST);
    await journal.append(entry(1));
    await journal.append(entry(1, 'done'));
    await journal.append({ ...entry(2), messageId: 'ab'.repeat(16) });
    expect(text(file('journal'))).toBe(
      [FIRST, entry(1), entry(1, 'done'), { ...entry(2), messageId: 'ab'.repeat(16) }]
        .map((line) => (typeof line === 'string' ? line : `${JSON.stringify(line)}\n`))
        .join(''),
    );
    const expected = [entry(1), entry(1, 'done'), { ...entry(2), messageId: 'ab'.repeat(16) }];
    expect(await entriesOf(journal)).toEqual(expected);
    await journal.close();
    await journal.close();
    expect(statSync(file('journal')).mode & 0o777).toBe(0o600);
    expect(await reread(file('journal'))).toEqual(expected);
    expect(inUse()).toEqual(used);
  });

  test('may have any name, and be many', async () => {
    const { file } = folder();
    const names = ['', '__proto__', 'a\nb', '"\\', '\u2028', '\ud800', 'ключ', 'x'.repeat(100_000)];
    const written = Array.from({ length: 5000 }, (_, i) => ({ ...entry(i), name: names[i % 8]! }));
    await using journal = await fileJournal(file('journal'));
    await Promise.all(written.map((one) => journal.append(one)));
    expect(await entriesOf(journal)).toEqual(written);
    expect(await reread(file('journal'))).toEqual(written);
  });

  test('that are none are refused, and a name that is too long', async () => {
    const { file } = folder();
    await using journal = await fileJournal(file('journal'));
    for (const wrong of [null, {}, { ...entry(1), state: 'gone' }, { ...entry(1), messageId: 'AB' }])
      expect(await failureCode(journal.append(wrong as JournalEntry))).toBe('INVALID_ARGUMENT');
    const long = { ...entry(1), name: 'x'.repeat(2 ** 20) };
    expect((await failure(journal.append(long))).message).toContain('name of the message is too long');
    await journal.append(entry(1));
    expect(await entriesOf(journal)).toEqual([entry(1)]);
  });

  test('are on the disk when an append settles; those that come together are flushed together', async () => {
    const { file } = folder();
    const handle = await open(file('other'), 'w');
    const prototype = Object.getPrototypeOf(handle) as { datasync(): Promise<void> };
    await handle.close();
    const journal = await fileJournal(file('journal'));
    const order: string[] = [];
    const { datasync } = prototype;
    const flush = vi.spyOn(prototype, 'datasync').mockImplementation(async function (this: typeof prototype) {
      await datasync.call(this);
      order.push(`flushed ${text(file('journal')).split('\n').length - 2}`);
    });
    try {
      const appended = (i: number) => journal.append(entry(i)).then(() => order.push(String(i)));
      await Promise.all([1, 2, 3, 4].map(appended));
    } finally {
      flush.mockRestore();
    }
    expect(order).toEqual(['flushed 1', '1', 'flushed 4', '2', '3', '4']);
    await journal.close();
  });

  test('that are being written are waited for by close, and none come after', async () => {
    const { file } = folder();
    const journal = await fileJournal(file('journal'));
    const appends = [1, 2, 3].map((i) => journal.append(entry(i)));
    await journal.close();
    await Promise.all(appends);
    expect(await reread(file('journal'))).toHaveLength(3);
    expect((await failure(journal.append(entry(4)))).message).toContain('has been closed');
  });
});

describe('a torn end', () => {
  test('is cut off, wherever the last line was cut', async () => {
    const { file } = folder();
    const whole = [FIRST, ...[1, 2].map((i) => `${JSON.stringify(entry(i))}\n`)].join('');
    const line = `${JSON.stringify(entry(3))}\n`;
    for (let length = 0; length < line.length; length++) {
      writeFileSync(file('journal'), whole + line.slice(0, length));
      const journal = await fileJournal(file('journal'));
      expect(await entriesOf(journal)).toEqual([entry(1), entry(2)]);
      await journal.append(entry(4));
      await journal.close();
      expect(text(file('journal'))).toBe(`${whole}${JSON.stringify(entry(4))}\n`);
    }
  });

  test('of the first line is written anew', async () => {
    const { file } = folder();
    for (let length = 0; length <= FIRST.length; length++) {
      writeFileSync(file('journal'), FIRST.slice(0, length));
      expect(await reread(file('journal'))).toEqual([]);
      expect(text(file('journal'))).toBe(FIRST);
    }
  });

  test('of zeros, or longer than a read, goes too', async () => {
    const { file } = folder();
    for (const torn of ['\0'.repeat(5000), `{"name":"${'x'.repeat(300_000)}`]) {
      writeFileSync(file('journal'), `${FIRST}${JSON.stringify(entry(1))}\n${torn}`);
      expect(await reread(file('journal'))).toEqual([entry(1)]);
    }
  });
});

describe('refused', () => {
  test.each([
    ['no JSON', 'what is this'],
    ['nothing', ''],
    ['no entry', '{"name":"a"}'],
    ['null', 'null'],
    ['a state of none', JSON.stringify({ ...entry(1), state: 'x' })],
    ['no UTF-8', '\xff'],
  ])('a line that is %s, with its number', async (_, line) => {
    const { file } = folder();
    const good = `${JSON.stringify(entry(1))}\n`;
    for (const rest of [good, '']) {
      writeFileSync(file('journal'), `${FIRST}${good}${good}${line}\n${rest}`, 'latin1');
      await using journal = await fileJournal(file('journal'));
      const error = await failure(entriesOf(journal));
      expect([error.code, error.message]).toEqual(['IO', expect.stringContaining('line 4 is damaged')]);
      const work = rotateMessages([], { keyring, to: keyring, journal });
      expect((await failure(work)).message).toContain('line 4 is damaged');
    }
  });

  test('a line without end', async () => {
    const { file } = folder();
    writeFileSync(file('journal'), `${FIRST}${'x'.repeat(3 * 2 ** 20)}\n`);
    await using journal = await fileJournal(file('journal'));
    expect((await failure(entriesOf(journal))).message).toContain('line 2 is damaged');
  });

  test.each([
    ['of something else', 'important words without a newline'],
    ['that begins alike', '{"journal":"frameseal rotation 2"}\n'],
    ['of a line and more', `${FIRST.slice(0, 20)}\nand more`],
  ])('a file %s, which stays as it is', async (_, content) => {
    const { file } = folder();
    writeFileSync(file('journal'), content);
    expect((await failure(fileJournal(file('journal')))).message).toContain('no journal of a rotation');
    expect(text(file('journal'))).toBe(content);
  });

  test('what is no file, a link, a place that is not there', async () => {
    const { path, file } = folder();
    writeFileSync(file('real'), FIRST);
    symlinkSync(file('real'), file('link'));
    mkdirSync(file('folder'));
    const used = inUse();
    for (const name of ['link', 'folder', 'none/journal'])
      expect(await failureCode(fileJournal(file(name)))).toBe('IO');
    if (succeeds('mkfifo', file('fifo'))) expect(await failureCode(fileJournal(file('fifo')))).toBe('IO');
    for (const wrong of ['', 7 as never, `${path}\0`])
      expect(await failureCode(fileJournal(wrong))).toBe('INVALID_ARGUMENT');
    expect(inUse()).toEqual(used);
  });

  test('an append to a journal that another one writes to; nothing is overwritten', async () => {
    const { file } = folder();
    const [first, second] = [await fileJournal(file('journal')), await fileJournal(file('journal'))];
    await first.append(entry(1));
    expect((await failure(second.append(entry(2)))).message).toContain('something else has written to it');
    expect(await failureCode(second.append(entry(2)))).toBe('IO');
    await first.append(entry(3));
    appendFileSync(file('journal'), 'x');
    expect(await failureCode(first.append(entry(4)))).toBe('IO');
    await Promise.all([first.close(), second.close()]);
    expect(await reread(file('journal'))).toEqual([entry(1), entry(3)]);
  });

  test('all appends after one that failed', async () => {
    const { file } = folder();
    await using journal = await fileJournal(file('journal'));
    await journal.append(entry(1));
    truncateSync(file('journal'), 10);
    const errors = await Promise.all([2, 3].map((i) => failure(journal.append(entry(i)))));
    expect(errors[0]).toBe(errors[1]);
    expect(await failureCode(journal.append(entry(4)))).toBe('IO');
    expect(text(file('journal'))).toHaveLength(10);
  });
});

test('a rotation goes on from it', async () => {
  const { path, file } = folder();
  mkdirSync(file('in'));
  for (const name of ['a', 'b', 'c']) await messageFile(file(`in/${name}.fseal`), 1000);
  chmodSync(path, 0o700);
  const to = aesKeyring(2);
  const run = async (limit: number) => {
    await using journal = await fileJournal(file('journal'));
    return await rotateMessages(folderMessages(file('in')), { keyring, to, journal, maxWraps: limit });
  };
  expect(await run(2)).toMatchObject({ rewrapped: 2, failed: 1 });
  expect(await run(100)).toMatchObject({ rewrapped: 1, doneBefore: 2, failed: 0, wraps: 3 });
  expect(readFileSync(file('journal'), 'utf8').split('\n')).toHaveLength(1 + 6 + 1);
});

describe('a journal that is opened while a run writes to it', () => {
  test('loses none of the entries that are durable', async () => {
    const path = folder().file('journal');
    await using writing = await fileJournal(path);
    let writes = true;
    const looking = (async () => {
      while (writes) await (await fileJournal(path)).close();
    })();
    for (let i = 0; i < 60; i++) await writing.append(entry(i));
    writes = false;
    await looking;
    expect((await reread(path)).length).toBe(60);
  });
});
