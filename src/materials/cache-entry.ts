/**
 * A cache entry: materials under one data key that is the entry's own.
 *
 * Whoever takes materials takes a copy of the data key, so an entry may be wiped at any moment; it never serves again.
 * Source: AWS Encryption SDK specification, `framework/cryptographic-materials-cache.md#cache-entry`.
 */
import { type Bytes, copy } from '../bytes.ts';
import type { Usage } from './cache-usage.ts';
import type { DataKey } from './data-key.ts';
import type { DecryptionMaterials, EncryptionMaterials } from './materials.ts';

/** What caches keep. */
export type Materials = EncryptionMaterials | DecryptionMaterials;

/** What the underlying manager has answered. */
export interface Answer<M extends Materials = Materials> {
  /** Without the data key. */
  readonly materials: M;
  readonly dataKey: DataKey;
  /** Materials of the taker's own, around a data key of its own. */
  readonly handOut: (plaintextDataKey: Bytes) => M;
  /** The data key is good for one message alone: it is never kept, and one request takes it. */
  readonly single: boolean;
  /** Whether the data key is the message's was asked of the request that led: others ask their own. */
  readonly provisional: boolean;
}

/** One entry. */
export class CacheEntry {
  readonly key: string;
  readonly materials: Materials;
  readonly provisional: boolean;
  readonly single: boolean;
  readonly usage: Usage;
  readonly #dataKey: DataKey;
  readonly #handOut: (plaintextDataKey: Bytes) => Materials;
  readonly #maxAge: number;
  readonly #createdAt = Date.now();
  readonly #created = performance.now();

  /** @param maxAge milliseconds. */
  constructor(key: string, answer: Answer, maxAge: number, usage: Usage) {
    this.key = key;
    this.materials = answer.materials;
    this.provisional = answer.provisional;
    this.single = answer.single;
    this.usage = usage;
    this.#dataKey = answer.dataKey;
    this.#handOut = answer.handOut;
    this.#maxAge = maxAge;
  }

  /** Materials with a copy of the data key. Throws after {@link wipe}. */
  take(): Materials {
    return this.#handOut(copy(this.#dataKey.bytes));
  }

  /**
   * Milliseconds since it was made, by the clock that says more: one stands still in some suspended machines, the other may
   * be set. An entry from the future has no end of age.
   */
  get age(): number {
    const sinceWall = Date.now() - this.#createdAt;
    return sinceWall < 0 ? Number.POSITIVE_INFINITY : Math.max(sinceWall, performance.now() - this.#created);
  }

  /** Milliseconds that it may still serve; expired at 0 and below. */
  get left(): number {
    return this.#maxAge - this.age;
  }

  /** Wipes the data key. */
  wipe(): void {
    this.#dataKey.dispose();
  }
}
