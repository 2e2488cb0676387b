/**
 * Manifests of the official `awses-decrypt` shapes, read into cases, with keyrings for the raw keys that they name.
 */
import type { RsaPadding } from '../../src/crypto/crypto.ts';
import {
  type CommitmentPolicy,
  type DecryptOptions,
  type Keyring,
  multiKeyring,
  rawAesKeyring,
  rawRsaKeyring,
} from '../../src/index.ts';
import { fileBytes, fileJson, fromBase64 } from './vectors.ts';

/** One message and how it is to be opened. */
export interface VectorCase {
  readonly name: string;
  readonly message: Uint8Array;
  /** `undefined`: the manifest names none, or the keys are of a kind that has no keyring. */
  readonly plaintext: Uint8Array | undefined;
  /** `undefined`: a kind of key that has no keyring. */
  readonly keys: readonly MasterKey[] | undefined;
  /** Of the manifest's description, such as `raw-ecdh`. */
  readonly keyType: string;
  readonly options: DecryptOptions & { readonly keyring: Keyring };
  readonly test: VectorTest;
}

/** A wrapping key as a manifest names it. */
export interface MasterKey {
  readonly type: string;
  readonly key: string;
  readonly 'provider-id': string;
  readonly 'encryption-algorithm': 'aes' | 'rsa';
  readonly 'padding-algorithm'?: 'oaep-mgf1' | 'pkcs1';
  readonly 'padding-hash'?: 'sha1' | 'sha256' | 'sha384' | 'sha512';
}

/** A test of manifest versions 2 and 4, with the fields that the shared data add, or of versions 1 and 5. */
export interface VectorTest {
  readonly plaintext?: string;
  readonly ciphertext?: string;
  readonly 'master-keys'?: readonly MasterKey[];
  readonly result?: { readonly output?: { readonly plaintext: string } };
  readonly 'encryption-context'?: Readonly<Record<string, string>>;
  readonly info?: VectorInfo;
  readonly class?: string;
  readonly expect?: 'reject' | 'accept' | 'unspecified';
  readonly 'commitment-policy'?: CommitmentPolicy;
  readonly 'max-encrypted-data-keys'?: number;
  readonly 'decryption-scenario'?: Scenario;
}

/** What the generator of a message says of it. */
export interface VectorInfo {
  readonly suite: string;
  readonly 'frame-length': number;
  readonly 'plaintext-length': number;
  readonly 'edk-count': number;
}

interface Scenario {
  readonly ciphertext: string;
  readonly result: string;
  readonly decryptKeyDescription: { readonly type: string; readonly underlying?: MasterKey };
  readonly 'reproduced-encryption-context': Readonly<Record<string, string>>;
}

/** A key of a `keys` manifest. */
export interface KeyEntry {
  readonly type: 'symmetric' | 'private' | 'public';
  readonly 'key-id': string;
  readonly material: string;
}

/** The cases of a folder with `manifest.json` and `keys.json`. */
export function casesOf(folder: string): VectorCase[] {
  const { tests } = fileJson<{ tests: Record<string, VectorTest> }>(`${folder}/manifest.json`);
  const keyrings = new Keyrings(fileJson<{ keys: Record<string, KeyEntry> }>(`${folder}/keys.json`).keys);
  const file = (reference: string) => fileBytes(`${folder}/${reference.replace('file://', '')}`);
  return Object.entries(tests).map(([name, test]) => {
    const scenario = test['decryption-scenario'];
    const description = scenario?.decryptKeyDescription;
    const named = test['master-keys'] ?? (description?.underlying && [description.underlying]);
    const keys = named?.every((key) => key.type === 'raw') ? named : undefined;
    const message = file(test.ciphertext ?? scenario!.ciphertext);
    const plaintext = test.result?.output?.plaintext ?? test.plaintext ?? scenario?.result;
    return {
      name,
      message,
      plaintext: plaintext === undefined ? undefined : file(plaintext),
      keys,
      keyType: description?.type ?? 'raw',
      options: optionsOf(test, message, keyrings.of(keys ?? [])),
      test,
    };
  });
}

/** Whether one of the keys is an RSA key with PKCS#1 v1.5 padding. */
export function hasPkcs1(keys: readonly MasterKey[] | undefined): boolean {
  return keys?.some((key) => key['padding-algorithm'] === 'pkcs1') ?? false;
}

/** A policy that reads the message: version 1 has no commitment. */
export function readingPolicy(message: Uint8Array): CommitmentPolicy {
  return message[0] === 1 ? 'FORBID_ENCRYPT_ALLOW_DECRYPT' : 'REQUIRE_ENCRYPT_ALLOW_DECRYPT';
}

function optionsOf(test: VectorTest, message: Uint8Array, keyring: Keyring): VectorCase['options'] {
  const context =
    test['encryption-context'] ?? test['decryption-scenario']?.['reproduced-encryption-context'] ?? {};
  const limit = test['max-encrypted-data-keys'];
  return {
    keyring,
    encryptionContext: context,
    commitmentPolicy: test['commitment-policy'] ?? readingPolicy(message),
    ...(limit !== undefined && { maxEncryptedDataKeys: limit }),
  };
}

/** Keyrings over the keys of a manifest. Parsing an RSA key is slow: one keyring serves all its messages. */
export class Keyrings {
  readonly #entries: Readonly<Record<string, KeyEntry>>;
  readonly #made = new Map<string, Keyring>();

  constructor(entries: Readonly<Record<string, KeyEntry>>) {
    this.#entries = entries;
  }

  /** A keyring over these keys, in order; one that opens nothing for none. */
  of(keys: readonly MasterKey[]): Keyring {
    const members = keys.map((key) => this.#one(key));
    if (members.length === 0) return NO_KEYS;
    return members.length === 1 ? members[0]! : multiKeyring({ children: members });
  }

  #one(key: MasterKey): Keyring {
    const id = JSON.stringify(key);
    const keyring = this.#made.get(id) ?? rawKeyring(key, this.#entries[key.key]!);
    this.#made.set(id, keyring);
    return keyring;
  }
}

const NO_KEYS: Keyring = {
  onEncrypt: async (materials) => materials,
  onDecrypt: async (materials) => materials,
};

function rawKeyring(key: MasterKey, { type, material, 'key-id': keyName }: KeyEntry): Keyring {
  const keyNamespace = key['provider-id'];
  if (key['encryption-algorithm'] === 'aes') {
    return rawAesKeyring({ keyNamespace, keyName, wrappingKey: fromBase64(material) });
  }
  const padding =
    key['padding-algorithm'] === 'pkcs1' ? 'pkcs1' : (`oaep-${key['padding-hash']!}` as RsaPadding);
  const half = type === 'private' ? { privateKey: material } : { publicKey: material };
  return rawRsaKeyring({ keyNamespace, keyName, padding, ...half });
}
