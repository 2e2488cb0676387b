/**
 * The project's own vectors, `test/vectors`: read, and judged.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { defaultCrypto } from '../../src/crypto/default-crypto.ts';
import { type DecryptOptions, decrypt, type ErrorCode, type Keyring } from '../../src/index.ts';
import { fromBase64 } from './vectors.ts';
import { hasPkcs1, type KeyEntry, Keyrings, type MasterKey, readingPolicy } from './vectors-manifest.ts';
import { open, sameHeader, sealsAgain } from './vectors-open.ts';
import { rejects } from './vectors-tally.ts';

/** One message: what it opens to, or the code that rejects it. */
export interface OwnVector {
  readonly name: string;
  readonly message: Uint8Array;
  readonly plaintext: Uint8Array | undefined;
  readonly code: ErrorCode | undefined;
  readonly keys: readonly MasterKey[];
  readonly options: DecryptOptions & { readonly keyring: Keyring };
}

interface Entry {
  readonly message: string;
  readonly plaintext?: string;
  readonly code?: ErrorCode;
  readonly 'master-keys': readonly MasterKey[];
  readonly options?: DecryptOptions;
}

/** The messages of `manifest.json` or `foreign.json`. */
export function ownVectors(file: 'manifest.json' | 'foreign.json'): OwnVector[] {
  const { keys = read<Keys>('keys.json').keys, tests } = read<Partial<Keys> & { tests: Tests }>(file);
  const keyrings = new Keyrings(keys);
  return Object.entries(tests).map(
    ([name, { message, plaintext, code, options, 'master-keys': masterKeys }]) => {
      const bytes = fromBase64(message);
      return {
        name,
        message: bytes,
        plaintext: plaintext === undefined ? undefined : fromBase64(plaintext),
        code,
        keys: masterKeys,
        options: { commitmentPolicy: readingPolicy(bytes), ...options, keyring: keyrings.of(masterKeys) },
      };
    },
  );
}

/** Declares the tests of all of them, for one provider of primitives. */
export function testOwnVectors(provider: 'node' | 'webcrypto'): void {
  it(`uses ${provider}`, () => expect(defaultCrypto().name).toBe(provider));
  describe.each(['manifest.json', 'foreign.json'] as const)('%s', (file) => {
    it.each(ownVectors(file))('$name', async (vector) => {
      const { message, options, code, plaintext, keys } = vector;
      if (provider === 'webcrypto' && hasPkcs1(keys)) {
        const codes: ErrorCode[] = code === 'COMMITMENT_POLICY' ? [code] : ['UNSUPPORTED'];
        await rejects(() => decrypt(message, options), codes);
      } else if (code !== undefined) {
        await rejects(() => decrypt(message, options), [code]);
      } else {
        const opened = await open(message, plaintext!, options);
        // Foreign IVs are read as they come; what is written has its own.
        if (vector.name.endsWith('-random-ivs')) return;
        sameHeader(message);
        expect(await sealsAgain(message, opened)).toBe(opened.header.contentType === 'framed');
      }
    });
  });
}

interface Keys {
  readonly keys: Readonly<Record<string, KeyEntry>>;
}
type Tests = Readonly<Record<string, Entry>>;

function read<T>(file: string): T {
  return JSON.parse(readFileSync(new URL(`../vectors/${file}`, import.meta.url), 'utf8')) as T;
}
