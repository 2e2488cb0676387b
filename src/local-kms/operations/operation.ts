/** What every operation gets and gives. */
import type { BlobSealer } from '../ciphertext-blob.ts';
import type { Entropy } from '../entropy.ts';
import { dryRunSucceeded } from '../errors.ts';
import type { GrantTokens } from '../grant-token.ts';
import type { Input } from '../input.ts';
import type { KeyStore } from '../key-store.ts';

/** How long AWS's transient states last here, in milliseconds. */
export interface Delays {
  /** A new replica is `Creating`. */
  readonly replica: number;
  /** The old and the new primary key are `Updating`. */
  readonly primaryUpdate: number;
  /** An on-demand rotation is in progress. */
  readonly rotation: number;
  /** A new grant counts with its token only. */
  readonly grant: number;
  /** A new key, replica or alias is not found. */
  readonly visibility: number;
}

/** The state that the operations work on. */
export interface KmsState {
  readonly store: KeyStore;
  readonly blobs: BlobSealer;
  readonly tokens: GrantTokens;
  readonly entropy: Entropy;
  readonly regions: readonly string[];
  readonly delays: Delays;
  now(): number;
}

/** One authenticated request. */
export interface Call {
  readonly kms: KmsState;
  readonly region: string;
  /** The operation's name, for error texts. */
  readonly operation: string;
  readonly input: Input;
  /** ARN of the account, user or role that has signed it. */
  readonly caller: string;
  /** The grants whose tokens it carries. */
  readonly grantIds: ReadonlySet<string>;
}

/** The members of an answer, ready for JSON: blobs in base64, times in seconds since 1970. */
export type Reply = Record<string, unknown>;

/** An operation runs without waiting, so each request sees and leaves a consistent state. */
export type Operation = (call: Call) => Reply;

/** To be called when nothing can fail any more, and before anything is changed. */
export function endDryRun({ input }: Call): void {
  if (input.flag('DryRun')) throw dryRunSucceeded();
}

/** From when on something new counts: always, if there is no delay, also by a clock that is set back later. */
export function countsFrom(kms: KmsState, delayMs: number): number {
  return delayMs > 0 ? kms.now() + delayMs : 0;
}

/** A time as the protocol has it. */
export function seconds(milliseconds: number): number {
  return milliseconds / 1000;
}
