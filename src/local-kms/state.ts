/** The service behind the ports, with what its file holds if it has one. */
import { BlobSealer } from './ciphertext-blob.ts';
import { type Entropy, randomEntropy, seededEntropy } from './entropy.ts';
import { GrantTokens } from './grant-token.ts';
import { settle } from './key-clock.ts';
import { KeyStore } from './key-store.ts';
import type { Delays, KmsState } from './operations/operation.ts';
import type { LocalKmsOptions } from './options.ts';
import { loadState, saveState } from './state-file.ts';

const NO_ACCOUNT = '000000000000';

/** Fails if the file is not this account's, or cannot be read or written. */
export function openState(options: LocalKmsOptions): KmsState {
  const { file, seed, regions, now = () => Date.now() } = options;
  const saved = file === undefined ? undefined : loadState(file);
  if (saved && options.accountId !== undefined && options.accountId !== saved.accountId) {
    throw new Error(`local KMS: "${file}" is of account ${saved.accountId}, not ${options.accountId}`);
  }
  const entropy: Entropy = seed === undefined ? randomEntropy : seededEntropy(seed);
  const secret = saved?.secret ?? entropy.bytes(32, 'server secret');
  const accountId = saved?.accountId ?? options.accountId ?? NO_ACCOUNT;
  const hooks = {
    now,
    settle: (changing: KeyStore) => settle(changing, entropy, now()),
    changed: (changed: KeyStore) => file !== undefined && saveState(file, secret, changed),
  };
  const store = new KeyStore(accountId, hooks, saved);
  store.changed();
  return {
    store,
    blobs: new BlobSealer(secret, entropy),
    tokens: new GrantTokens(secret, entropy),
    entropy,
    regions,
    delays: delaysOf(options),
    now,
  };
}

function delaysOf(options: LocalKmsOptions): Delays {
  return {
    replica: options.replicaCreatingMs ?? 0,
    primaryUpdate: options.primaryUpdateMs ?? 0,
    rotation: options.rotationMs ?? 0,
    grant: options.grantDelayMs ?? 0,
    visibility: options.visibilityDelayMs ?? 0,
  };
}
