/**
 * Runs the example of docs/rotation.md as it stands there, and checks that the tests it names exist.
 */
import { existsSync, readFileSync } from 'node:fs';
import * as fs from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import * as frameseal from '../../src/index.ts';
import * as awsKms from '../../src/keyring/aws-kms/index.ts';
import { type LocalKms, startLocalKms } from '../../src/local-kms/index.ts';
import * as node from '../../src/node/index.ts';

const document = readFileSync(new URL('../../docs/rotation.md', import.meta.url), 'utf8');
const MODULES = {
  frameseal,
  'frameseal/aws-kms': awsKms,
  'frameseal/local-kms': { startLocalKms },
  'frameseal/node': node,
  'node:fs/promises': fs,
  'node:os': os,
  'node:path': path,
};

interface Values {
  readonly kms: LocalKms;
  readonly folder: string;
  readonly newKey: string;
  readonly to: frameseal.Keyring;
  readonly plan: frameseal.RotationReport;
  readonly report: frameseal.RotationReport;
  readonly rest: frameseal.RotationReport;
}

test('the example', async () => {
  const log = vi.fn();
  const values = await run({ log, warn: log, error: log });
  const { folder, plan, report, rest, newKey, to } = values;
  onTestFinished(() => fs.rm(folder, { recursive: true }));
  onTestFinished(() => fs.rm(`${folder}.journal`));
  expect(plan).toMatchObject({ wouldRewrap: 3, failed: 0, dataKeys: { kept: 0, new: 3 } });
  expect(report).toMatchObject({ rewrapped: 3, failed: 0, completed: true });
  expect(rest).toMatchObject({ rewrapped: 0, doneBefore: 3, wraps: 3, completed: true });
  expect(log).toHaveBeenLastCalledWith(3, 0, report.bytes);
  for (const name of await fs.readdir(folder)) {
    const message = await fs.readFile(path.join(folder, name));
    const [edk, ...others] = frameseal.parseHeader(message).encryptedDataKeys;
    expect([new TextDecoder().decode(edk!.providerInfo), others]).toEqual([newKey, []]);
    await expect(frameseal.decrypt(message, { keyring: to })).rejects.toThrow(); // its KMS has been closed
  }
  const { requests } = values.kms;
  const operations = requests.map(({ operation }) => operation).sort();
  expect(operations).toEqual([...new Array(6).fill('Decrypt'), ...new Array(6).fill('GenerateDataKey')]);
});

test('the files that it names exist', () => {
  const named = [...document.matchAll(/`(test\/[\w./-]+)`/g)].map(([, name]) => name!);
  expect(named.length).toBeGreaterThan(5);
  for (const name of named)
    expect([name, existsSync(new URL(`../../${name}`, import.meta.url))]).toEqual([name, true]);
});

async function run(console: object): Promise<Values> {
  const AsyncFunction = Object.getPrototypeOf(async () => {}).constructor as new (
    ...parts: string[]
  ) => (modules: object, console: object) => Promise<Values>;
  const blocks = [...document.matchAll(/^```js\n(.*?)^```$/gms)].map(([, block]) => block as string);
  const code = [...blocks, 'return { kms, folder, newKey, to, plan, report, rest };'].join('\n');
  const program = code.replace(/^import (\{.*?\}) from ('.*?');$/gm, 'const $1 = modules[$2];');
  return new AsyncFunction('modules', 'console', program)(MODULES, console);
}
