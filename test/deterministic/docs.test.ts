/** Runs the examples of docs/deterministic.md, one after the other. */
import { readFileSync } from 'node:fs';
import { afterEach, expect, test, vi } from 'vitest';
import * as deterministic from '../../src/deterministic/index.ts';
import * as frameseal from '../../src/index.ts';
import * as awsKms from '../../src/keyring/aws-kms/index.ts';
import { type LocalKms, type LocalKmsOptions, startLocalKms } from '../../src/local-kms/index.ts';

const text = readFileSync(new URL('../../docs/deterministic.md', import.meta.url), 'utf8');
const EMAIL = new TextEncoder().encode('ann@example.com');
const NAMES = ['kms', 'stored', 'found', 'opened', 'index', 'wrappedUnder', 'east', 'west', 'owner', 'key'];
const running: LocalKms[] = [];
const MODULES = {
  frameseal,
  'frameseal/aws-kms': awsKms,
  'frameseal/deterministic': deterministic,
  'frameseal/local-kms': { startLocalKms: startAndNote },
};

afterEach(async () => {
  await Promise.all(running.splice(0).map((kms) => kms.close()));
});

test('the examples run, and give what is said', async () => {
  const AsyncFunction = (async () => undefined).constructor as new (
    ...parts: string[]
  ) => (modules: object, console: object) => Promise<Record<string, unknown>>;
  const log = vi.fn();
  const code = `${program()}\nreturn { ${[...NAMES, 'rotated', 'next', 'value'].join(', ')} };`;
  const values = await new AsyncFunction('modules', 'console', code)(MODULES, { log });
  const [stored, rotated] = [values.stored, values.rotated] as [Uint8Array, Uint8Array];
  expect(values.found).toEqual(stored);
  expect(stored).toHaveLength(EMAIL.length + 25);
  for (const opened of [values.opened, values.value, log.mock.calls[0]![0]]) expect(opened).toEqual(EMAIL);
  expect(values.index).toHaveLength(32);
  expect(values.wrappedUnder).toEqual([values.east, values.west]);
  expect(values.owner).toBe(values.key);
  expect(rotated).not.toEqual(stored);
  expect(rotated.subarray(1, 9)).toEqual((values.next as deterministic.PinnedDataKey).keyId);
  const decrypts = (values.kms as LocalKms).requests.filter(({ operation }) => operation === 'Decrypt');
  expect(decrypts.filter(({ outcome }) => outcome === 'ok').map(({ region }) => region)).toEqual([
    'us-east-1',
    'eu-west-1',
    'us-east-1',
  ]);
});

/** The program that the examples make up, with its imports as look-ups. */
function program(): string {
  const blocks = [...text.matchAll(/^```js\n(.*?)^```$/gms)].map(([, code]) => code as string);
  return blocks.join('\n').replace(/^import (\{.*?\}) from ('.*?');$/gm, 'const $1 = modules[$2];');
}

async function startAndNote(options: LocalKmsOptions): Promise<LocalKms> {
  const kms = await startLocalKms(options);
  running.push(kms);
  return kms;
}
