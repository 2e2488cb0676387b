/** What every operation gets and gives. */
import type { BlobSealer } from '../ciphertext-blob.ts';
import type { Entropy } from '../entropy.ts';
import type { Input } from '../input.ts';
import type { KeyStore } from '../key-store.ts';

/** The state that the operations work on. */
export interface KmsState {
  readonly store: KeyStore;
  readonly blobs: BlobSealer;
  readonly entropy: Entropy;
  readonly regions: readonly string[];
  /** How long a new replica stays `Creating`, in milliseconds. */
  readonly replicaCreatingMs: number;
  now(): number;
}

/** One authenticated request. */
export interface Call {
  readonly kms: KmsState;
  readonly region: string;
  /** The operation's name, for error texts. */
  readonly operation: string;
  readonly input: Input;
}

/** The members of an answer, ready for JSON: blobs in base64, times in seconds since 1970. */
export type Reply = Record<string, unknown>;

/** An operation runs without waiting, so each request sees and leaves a consistent state. */
export type Operation = (call: Call) => Reply;
