import { readFileSync } from 'node:fs';
import * as sdk from '@aws-sdk/client-kms';
import { expect, test, vi } from 'vitest';
import { FAULT_KINDS } from '../../src/local-kms/faults.ts';
import * as localKms from '../../src/local-kms/index.ts';

const text = readFileSync(new URL('../../docs/local-kms.md', import.meta.url), 'utf8');
const MODULES = { '@aws-sdk/client-kms': sdk, 'frameseal/local-kms': localKms };

/** The program that the examples make up, with its imports as look-ups. */
function program(): string {
  const blocks = [...text.matchAll(/^```js\n(.*?)^```$/gms)].map(([, code]) => code as string);
  return blocks.join('\n').replace(/^import (\{.*?\}) from ('.*?');$/gm, 'const $1 = modules[$2];');
}

test('the examples run, one after the other', async () => {
  const AsyncFunction = (async () => undefined).constructor as new (
    ...parts: string[]
  ) => (modules: object, console: object) => Promise<void>;
  const log = vi.fn();
  await new AsyncFunction('modules', 'console', program())(MODULES, { log });
  expect(log).toHaveBeenCalledWith(new Uint8Array([1, 2, 3]));
});

test('every kind of fault has an example', () => {
  const shown = new Set([...program().matchAll(/kind: '([a-z-]+)'/g)].map(([, kind]) => kind));
  expect([...shown].sort()).toEqual([...FAULT_KINDS].sort());
});
