/**
 * What the tests of caches share: a manager whose calls and data keys a test sees and holds up, and time by steps.
 */
import {
  type CryptographicMaterialsManager,
  type DecryptionMaterialsRequest,
  decrypt,
  defaultCmm,
  type EncryptionMaterialsRequest,
  type EncryptOptions,
  encrypt,
  type Keyring,
  parseHeader,
} from '../../src/index.ts';
import { markOurs } from '../../src/materials/data-key.ts';
import { aesKeyring, bytes } from './messages.ts';

/** Stored and authenticated, and not signed: the cheapest messages. */
export const UNSIGNED = { algorithmSuite: 0x0478 } as const;

/** A default manager that is watched. It heeds no signal, so that late answers come. */
export interface Watched {
  readonly cmm: CryptographicMaterialsManager;
  readonly encrypts: EncryptionMaterialsRequest[];
  readonly decrypts: DecryptionMaterialsRequest[];
  /** The very bytes that it has answered: whoever receives them owns them. */
  readonly dataKeys: Uint8Array[];
  /** What was in them then. */
  readonly drawn: string[];
  /** Called before each answer; what it throws is the manager's failure. */
  before: (request: EncryptionMaterialsRequest | DecryptionMaterialsRequest) => Promise<void> | void;
}

/** @param keyring under the default manager. */
export function watched(keyring: Keyring = aesKeyring()): Watched {
  const inner = defaultCmm({ keyring });
  const cmm = markOurs<CryptographicMaterialsManager>({
    async getEncryptionMaterials(request) {
      watch.encrypts.push(request);
      await watch.before(request);
      const { signal: _, ...rest } = request;
      const materials = await inner.getEncryptionMaterials(rest);
      note(materials.plaintextDataKey!);
      return materials;
    },
    async decryptMaterials(request) {
      watch.decrypts.push(request);
      await watch.before(request);
      const { signal: _, ...rest } = request;
      const materials = await inner.decryptMaterials(rest);
      note(materials.plaintextDataKey!);
      return materials;
    },
  });
  const note = (dataKey: Uint8Array) => {
    watch.dataKeys.push(dataKey);
    watch.drawn.push(dataKey.join());
  };
  const watch: Watched = { cmm, encrypts: [], decrypts: [], dataKeys: [], drawn: [], before: () => {} };
  return watch;
}

/** A promise and how to settle it. */
export interface Gate {
  readonly opened: Promise<void>;
  open(): void;
  fail(error: Error): void;
}

export function gate(): Gate {
  let open = () => {};
  let fail: (error: Error) => void = () => {};
  const opened = new Promise<void>((resolve, reject) => {
    open = resolve;
    fail = reject;
  });
  opened.catch(() => {});
  return { opened, open, fail };
}

/** Lets everything go on that waits for nothing but promises. */
export async function settle(turns = 60): Promise<void> {
  for (let i = 0; i < turns; i++) await null;
}

/** Encrypts so many messages at once; plaintext i has `length` bytes of seed i. */
export function encryptMany(count: number, length: number, options: EncryptOptions): Promise<Uint8Array[]> {
  const work = Array.from({ length: count }, async (_, i) => {
    return (await encrypt(bytes(length, i), { ...UNSIGNED, ...options })).ciphertext;
  });
  return Promise.all(work);
}

/** How many wrapped data keys messages have: one for each answer of the manager. */
export function dataKeysOf(messages: readonly Uint8Array[]): number {
  const all = messages.map((message) => parseHeader(message).encryptedDataKeys[0]!.ciphertext.join());
  return new Set(all).size;
}

/** Opens what {@link encryptMany} has made, without a cache; fails when a plaintext differs. */
export async function openMany(
  messages: readonly Uint8Array[],
  length: number,
  keyring: Keyring = aesKeyring(),
): Promise<void> {
  for (const [i, message] of messages.entries()) {
    const { plaintext } = await decrypt(message, {
      keyring,
      commitmentPolicy: 'REQUIRE_ENCRYPT_ALLOW_DECRYPT',
    });
    if (plaintext.join() !== bytes(length, i).join()) throw new Error(`message ${i} differs`);
  }
}
