/**
 * Runs the examples of docs/sidecars.md. The one for an official SDK is run by test/interop, which has that SDK.
 */
import * as nodeCrypto from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import * as frameseal from '../src/index.ts';
import * as awsKms from '../src/keyring/aws-kms/index.ts';
import { type LocalKms, type LocalKmsOptions, startLocalKms } from '../src/local-kms/index.ts';
import { flip } from './support/messages.ts';
import { sidecarVectors } from './support/sidecar-vectors.ts';

const TEXT = readFileSync(new URL('../docs/sidecars.md', import.meta.url), 'utf8');
const EXAMPLES = [...TEXT.matchAll(/^```js\n(.*?)^```$/gms)].map(([, code]) => code as string);
const running: LocalKms[] = [];
const MODULES = {
  frameseal,
  'frameseal/aws-kms': awsKms,
  'frameseal/local-kms': { startLocalKms: startAndNote },
  'node:crypto': nodeCrypto,
};

afterEach(async () => {
  await Promise.all(running.splice(0).map((kms) => kms.close()));
});

it('has three examples', () => expect(EXAMPLES).toHaveLength(3));

it('adds a region', async () => {
  const names = 'ciphertext, sidecar, plaintext, kms, west';
  const { ciphertext, sidecar, plaintext, kms, west } = await run<{
    ciphertext: Uint8Array;
    sidecar: Uint8Array;
    plaintext: Uint8Array;
    kms: LocalKms;
    west: string;
  }>(EXAMPLES[0]!, names);
  expect(new TextDecoder().decode(plaintext)).toBe('the books of 2026');
  const calls = kms.requests.map(({ operation, region }) => `${operation} ${region}`);
  expect(calls).toEqual([
    'GenerateDataKey us-east-1',
    'Decrypt us-east-1',
    'Encrypt eu-west-1',
    'Decrypt eu-west-1',
  ]);
  // "about 140 bytes and some 270 for each KMS key"
  const entry = sidecar.length - 137;
  expect(entry).toBeGreaterThan(west.length + 100);
  expect(Math.abs(entry - 270)).toBeLessThan(20);
  expect(frameseal.parseHeader(ciphertext).encryptedDataKeys).toHaveLength(1);
});

describe('the MAC', () => {
  it.each(sidecarVectors().filter(({ name }) => name.endsWith('-aes-256')))('$name', async (vector) => {
    const { isAuthentic } = await run<{
      isAuthentic: (sidecar: Uint8Array, dataKey: Uint8Array) => boolean;
    }>(EXAMPLES[1]!, 'isAuthentic');
    const sidecar = vector.sidecars[0]!;
    expect(isAuthentic(sidecar, vector.dataKey)).toBe(true);
    expect(isAuthentic(sidecar, flip(vector.dataKey, 0))).toBe(false);
    for (const at of [7, 30, 80, sidecar.length - 1])
      expect(isAuthentic(flip(sidecar, at), vector.dataKey)).toBe(false);
  });
});

/** The values that these names have after an example. */
async function run<T>(code: string, names: string): Promise<T> {
  const AsyncFunction = (async () => undefined).constructor as new (
    ...parts: string[]
  ) => (modules: object) => Promise<T>;
  const program = `${code}\nreturn { ${names} };`.replace(
    /^import (\{.*?\}) from ('.*?');$/gm,
    'const $1 = modules[$2];',
  );
  return new AsyncFunction('modules', program)(MODULES);
}

async function startAndNote(options: LocalKmsOptions): Promise<LocalKms> {
  const kms = await startLocalKms(options);
  running.push(kms);
  return kms;
}
