/**
 * Runs the examples of docs/rewrap.md, in order, as one program. Errors are held against its text blocks, in which `…` stands
 * for what was left out. And its table is what happens.
 */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import * as frameseal from '../../src/index.ts';
import { aesKeyring, bytes, failureCode, policyFor, SUITE_ROWS } from '../support/messages.ts';

const TEXT = readFileSync(new URL('../../docs/rewrap.md', import.meta.url), 'utf8');
const PLAINTEXT = new TextEncoder().encode('the books of 2026');

function blocksOf(language: string): string[] {
  const blocks = TEXT.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'));
  return [...blocks].map(([, block]) => block as string);
}

interface Values {
  readonly thisYear: frameseal.Keyring;
  readonly nextYear: frameseal.Keyring;
  readonly rewrapped: frameseal.RewrapResult;
  readonly moved: frameseal.RewrapResult;
  readonly both: frameseal.RewrapResult;
  readonly fresh: frameseal.RewrapResult;
  readonly message: frameseal.EncryptResult;
  readonly refused: unknown;
  readonly report: frameseal.RewrapReport;
  readonly opened: frameseal.DecryptResult;
  readonly again: unknown;
  readonly store: Map<string, Uint8Array>;
}

async function run(): Promise<Values> {
  const AsyncFunction = (async () => undefined).constructor as new (
    ...parts: string[]
  ) => (modules: object) => Promise<Values>;
  const names =
    'thisYear, nextYear, rewrapped, moved, both, fresh, message, refused, report, opened, again, store';
  const code = [...blocksOf('js'), `return { ${names} };`].join('\n');
  const program = code.replace(/^import (\{.*?\}) from ('.*?');$/gm, 'const $1 = modules[$2];');
  return new AsyncFunction('modules', program)({ frameseal });
}

it('its examples do what they say', async () => {
  const { thisYear, nextYear, rewrapped, moved, both, fresh, message, ...values } = await run();
  expect(rewrapped).toMatchObject({ dataKey: 'new', remaining: [] });
  expect(moved).toMatchObject({ dataKey: 'kept', remaining: [] });
  expect(both).toMatchObject({ dataKey: 'kept', remaining: message.header.encryptedDataKeys });
  expect(fresh).toMatchObject({ dataKey: 'new', remaining: [] });
  for (const { ciphertext } of [rewrapped, moved, both, fresh]) {
    expect((await frameseal.decrypt(ciphertext, { keyring: nextYear })).plaintext).toEqual(PLAINTEXT);
    const byOld = frameseal.decrypt(ciphertext, { keyring: thisYear });
    if (ciphertext === both.ciphertext) expect((await byOld).plaintext).toEqual(PLAINTEXT);
    else expect(await failureCode(byOld)).toBe('NO_DATA_KEY');
  }
  const { report, opened, store, refused, again } = values;
  expect(report).toMatchObject({ dataKey: 'new', remaining: [], missingKeys: [] });
  expect(opened.plaintext).toEqual(PLAINTEXT);
  expect(frameseal.parseHeader(store.get('books')!)).toEqual(report.header);
  const errors = [refused, again] as frameseal.FramesealError[];
  const shown = blocksOf('text').map((block) => block.trim().replaceAll('\n', ' '));
  expect(errors).toHaveLength(shown.length);
  for (const [i, { code, message: text }] of errors.entries()) {
    const parts = shown[i]!.split('…').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
    expect(`${code}: ${text}`).toMatch(new RegExp(`^${parts.join('.*')}$`, 's'));
  }
});

it('its table says of every suite what becomes of the data key', async () => {
  const rows = TEXT.split('\n').filter((line) => /^\| (not signed|signed|without KDF).*0x0/.test(line));
  expect(rows).toHaveLength(3);
  const listed = rows.flatMap((row) => {
    const [first, ...cells] = row.split('|').slice(1, -1);
    const ids = [...first!.matchAll(/0x[0-9a-f]{4}/g)].map(([id]) => Number(id));
    return ids.map((id) => ({ id, cells: cells.map((cell) => cell.trim().replaceAll('`', '')) }));
  });
  expect(listed.map(({ id }) => id).sort()).toEqual(SUITE_ROWS.map(([, { id }]) => id).sort());
  const [keyring, to] = [aesKeyring(1), aesKeyring(2)];
  for (const { id, cells } of listed) {
    const suite = SUITE_ROWS.find(([, one]) => one.id === id)![1];
    const options = { keyring, commitmentPolicy: policyFor(suite) };
    const { ciphertext } = await frameseal.encrypt(bytes(9), { ...options, algorithmSuite: id });
    const outcome = (wishes: Partial<frameseal.RewrapOptions>) =>
      frameseal.rewrap(ciphertext, { ...options, to, ...wishes }).then(
        ({ dataKey }) => dataKey,
        ({ code }) => code,
      );
    expect([
      await outcome({}),
      await outcome({ keepExisting: true }),
      await outcome({ freshDataKey: true }),
    ]).toEqual(cells);
    expect(await outcome({ freshDataKey: false })).toBe(cells[1]);
  }
});
