/**
 * Messages with sidecars of `test/vectors/sidecars.json`: read, and judged.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { defaultCrypto } from '../../src/crypto/default-crypto.ts';
import { parseSidecar } from '../../src/format/sidecar.ts';
import {
  addWrappingKeys,
  type DecryptOptions,
  decrypt,
  decryptRange,
  decryptStream,
  type ErrorCode,
  type Keyring,
  rawAesKeyring,
  rawRsaKeyring,
} from '../../src/index.ts';
import { sealSidecar } from '../../src/kdf/sidecar-mac.ts';
import { failureCode } from './messages.ts';
import { every, through, whole } from './streams.ts';
import { fromBase64 } from './vectors.ts';
import { type KeyEntry, readingPolicy } from './vectors-manifest.ts';

/** One message and its sidecars. */
export interface SidecarVector {
  readonly name: string;
  readonly message: Uint8Array;
  readonly plaintext: Uint8Array;
  readonly dataKey: Uint8Array;
  readonly sidecars: readonly Uint8Array[];
  /** By wrapping key: what comes of decrypting with it alone. */
  readonly outcomes: readonly (readonly [string, 'opens' | ErrorCode])[];
  readonly options: Omit<DecryptOptions, 'keyring'>;
}

interface Stored {
  readonly messages: Readonly<Record<string, Readonly<Record<'message' | 'plaintext' | 'data-key', string>>>>;
  readonly tests: Readonly<Record<string, StoredTest>>;
}

interface StoredTest {
  readonly message: string;
  readonly sidecars: readonly string[];
  readonly outcomes: Readonly<Record<string, 'opens' | ErrorCode>>;
  readonly options?: DecryptOptions;
}

const { keys } = read<{ keys: Readonly<Record<string, KeyEntry>> }>('keys.json');
const keyrings = new Map<string, Keyring>();
/** A wrapping key of no message and no sidecar. */
const UNRELATED = 'aes-192';

/** All of them. */
export function sidecarVectors(): SidecarVector[] {
  const { messages, tests } = read<Stored>('sidecars.json');
  return Object.entries(tests).map(([name, test]) => {
    const { message, plaintext, 'data-key': dataKey } = messages[test.message]!;
    const bytes = fromBase64(message);
    const sidecars = test.sidecars.map(fromBase64);
    return {
      name,
      message: bytes,
      plaintext: fromBase64(plaintext),
      dataKey: fromBase64(dataKey),
      sidecars,
      outcomes: Object.entries(test.outcomes),
      options: { commitmentPolicy: readingPolicy(bytes), sidecar: sidecars, ...test.options },
    };
  });
}

/** The vector of this name. */
export function sidecarVector(name: string): SidecarVector {
  return sidecarVectors().find((vector) => vector.name === name)!;
}

/** The keyring of a wrapping key of `keys.json`: `aes-128`, `rsa-oaep-sha256` and the like. */
export function vectorKeyring(wrapping: string): Keyring {
  const made = keyrings.get(wrapping) ?? makeKeyring(wrapping);
  keyrings.set(wrapping, made);
  return made;
}

/** Declares the tests of all of them, for one provider of primitives. */
export function testSidecarVectors(provider: 'node' | 'webcrypto'): void {
  it(`uses ${provider}`, () => expect(defaultCrypto().name).toBe(provider));
  it.each(sidecarVectors())('$name', async (vector) => {
    for (const [wrapping, outcome] of vector.outcomes) {
      const options = { ...vector.options, keyring: vectorKeyring(wrapping) };
      expect(await outcomesOf(vector, options)).toEqual([outcome, outcome, outcome, outcome]);
    }
  });
  describe('what opens', () => {
    const opening = sidecarVectors().filter(({ outcomes }) =>
      outcomesUnder(outcomes).every((what) => what === 'opens'),
    );
    it.each(opening)('$name: written again, byte for byte', async ({ sidecars, dataKey }) => {
      for (const bytes of sidecars) {
        const sidecar = parseSidecar(bytes, 0xffff);
        const { encryptedDataKeys } = sidecar;
        expect(await sealSidecar(defaultCrypto(), sidecar, encryptedDataKeys, dataKey)).toEqual(bytes);
      }
    });
    it.each(opening)('$name: merged with a new key', async ({ message, plaintext, options, outcomes }) => {
      const common = { ...options, keyring: vectorKeyring(outcomes[0]![0]) };
      if (options.maxEncryptedDataKeys !== undefined) return;
      const { sidecar } = await addWrappingKeys(message, { ...common, add: vectorKeyring(UNRELATED) });
      for (const wrapping of new Set([...outcomes.map(([name]) => name), UNRELATED])) {
        const read = { ...options, sidecar, keyring: vectorKeyring(wrapping) };
        expect((await decrypt(message, read)).plaintext).toEqual(plaintext);
      }
    });
  });
}

/** The same in one shot, streamed in two ways, and as a range: `opens` is the whole plaintext. */
async function outcomesOf(
  { message, plaintext }: SidecarVector,
  options: DecryptOptions,
): Promise<(string | undefined)[]> {
  const told = async (work: Promise<Uint8Array>) => {
    const opened = await work.catch(() => undefined);
    if (opened === undefined) return failureCode(work);
    expect(opened).toEqual(plaintext);
    return 'opens';
  };
  const streamed = async (pieces: Iterable<Uint8Array>) => {
    const { bytes, error } = await through(decryptStream(options), pieces);
    if (error) throw error;
    return bytes;
  };
  const range = { ...options, start: 0, end: plaintext.length, allowUnverifiedSignature: true };
  return Promise.all([
    told(decrypt(message, options).then((opened) => opened.plaintext)),
    told(streamed(whole(message))),
    told(streamed(every(7)(message))),
    told(decryptRange(new Blob([new Uint8Array(message)]), range).then((opened) => opened.plaintext)),
  ]);
}

function outcomesUnder(outcomes: SidecarVector['outcomes']): string[] {
  return outcomes.filter(([wrapping]) => wrapping !== UNRELATED).map(([, outcome]) => outcome);
}

function makeKeyring(wrapping: string): Keyring {
  const keyNamespace = 'frameseal vectors';
  if (wrapping.startsWith('aes-')) {
    const { 'key-id': keyName, material } = keys[wrapping]!;
    return rawAesKeyring({ keyNamespace, keyName, wrappingKey: fromBase64(material) });
  }
  const { 'key-id': keyName, material: privateKey } = keys['rsa-2048-private']!;
  return rawRsaKeyring({ keyNamespace, keyName, padding: wrapping.slice(4) as 'oaep-sha256', privateKey });
}

function read<T>(file: string): T {
  return JSON.parse(readFileSync(new URL(`../vectors/${file}`, import.meta.url), 'utf8')) as T;
}
