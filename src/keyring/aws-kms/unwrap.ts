/**
 * Unwrapping: which entries of a message are tried, in which order, and for how long.
 *
 * Preferred regions come first, then the order of the message. One entry is tried at a time; an attempt that takes too
 * long gives way to the next one, and other entries of a region that is out of reach go to the end. With `hedgeAfterMs`,
 * which is outside the specification, the next one starts earlier.
 * Source: AWS Encryption SDK specification, `framework/aws-kms/`, `#ondecrypt` of each keyring.
 */
import { utf8Text } from '../../bytes.ts';
import { Deadline, onAbort, turns } from '../../deadline.ts';
import type { EncryptedDataKey } from '../../encrypted-data-key.ts';
import { aborted, type DecryptAttempt, FramesealError, textOf, throwIfAborted } from '../../errors.ts';
import type { DecryptionMaterials } from '../../materials/materials.ts';
import { attempt, noDataKey, refuseDataKey } from '../keyring.ts';
import { type KeyArn, parseKeyResourceArn } from './key-arn.ts';
import { type Candidate, type KmsOperations, PROVIDER_ID } from './kms-operations.ts';
import type { CheckedOptions } from './options.ts';
import { firstToOpen } from './race.ts';

/** A call that may open an entry: the key ARN to ask for, and where. */
export type KeyToAsk = Omit<Candidate, 'edk'>;

/**
 * What tells the keyrings apart: the calls that may open an entry with this key ARN, the best first; or a text that says
 * why it is none of this keyring's.
 */
export type Matcher = (arn: KeyArn, text: string) => readonly KeyToAsk[] | string;

/** Opens the entries of one keyring. */
export class Unwrapping {
  readonly #name: string;
  readonly #match: Matcher;
  readonly #operations: KmsOperations;
  readonly #options: CheckedOptions;

  constructor(name: string, match: Matcher, operations: KmsOperations, options: CheckedOptions) {
    this.#name = name;
    this.#match = match;
    this.#operations = operations;
    this.#options = options;
  }

  /**
   * The materials with the data key, or as they came if the message has no KMS entry.
   * @throws FramesealError `NO_DATA_KEY` with every attempt; or the caller's abort.
   */
  async unwrap(
    materials: DecryptionMaterials,
    encryptedDataKeys: readonly EncryptedDataKey[],
    signal: AbortSignal | undefined,
  ): Promise<DecryptionMaterials> {
    refuseDataKey(materials);
    const { candidates, others } = await this.#candidates(encryptedDataKeys, signal);
    const attempts: DecryptAttempt[] = [];
    const causes: unknown[] = [];
    const failed = ({ edk }: Candidate, error: unknown) => {
      throwIfAborted(signal);
      causes.push(error);
      attempts.push(attempt(edk, this.#name, textOf(error)));
    };
    const opened = await this.#open(candidates, materials, failed, signal);
    if (opened !== undefined) return opened;
    if (attempts.length + others.length === 0) return materials;
    throw noDataKey([...attempts, ...others], causes);
  }

  // #ondecrypt: one KMS entry whose provider information is no key ARN fails the keyring.
  async #candidates(
    encryptedDataKeys: readonly EncryptedDataKey[],
    signal: AbortSignal | undefined,
  ): Promise<{ candidates: Candidate[]; others: DecryptAttempt[] }> {
    const edks = encryptedDataKeys.filter(({ providerId }) => providerId === PROVIDER_ID);
    const texts = edks.map(({ providerInfo }) => utf8Text(providerInfo) ?? '');
    const arns = texts.map(parseKeyResourceArn);
    const malformed = edks.filter((_, i) => arns[i] === undefined);
    if (malformed.length > 0) {
      const reason = 'its provider information is no key ARN';
      throw noDataKey(malformed.map((edk) => attempt(edk, this.#name, reason)));
    }
    const found: (Candidate & { readonly rank: readonly [number, number] })[] = [];
    const others: DecryptAttempt[] = [];
    const turn = turns(signal);
    for (const [i, edk] of edks.entries()) {
      await turn();
      const keys = this.#match(arns[i]!, texts[i]!);
      if (typeof keys === 'string') others.push(attempt(edk, this.#name, keys));
      else for (const [at, key] of keys.entries()) found.push({ ...key, edk, rank: [this.#rankOf(key), at] });
    }
    // Stable: equals stay in the message's order.
    const candidates = found.sort((a, b) => a.rank[0] - b.rank[0] || a.rank[1] - b.rank[1]);
    return { candidates, others };
  }

  #rankOf({ region }: KeyToAsk): number {
    const { preferredRegions } = this.#options;
    const at = preferredRegions.indexOf(region);
    return at < 0 ? preferredRegions.length : at;
  }

  async #open(
    candidates: Candidate[],
    materials: DecryptionMaterials,
    failed: (candidate: Candidate, error: unknown) => void,
    signal: AbortSignal | undefined,
  ): Promise<DecryptionMaterials | undefined> {
    if (candidates.length === 0) return undefined;
    const { deadlineMs, hedgeAfterMs } = this.#options;
    throwIfAborted(signal);
    const won = new AbortController();
    const leave = onAbort(signal, () => won.abort(aborted(signal!)));
    const expired = `${this.#name} was not done within ${deadlineMs} ms (deadlineMs)`;
    const deadline = new Deadline(deadlineMs, won.signal, expired);
    try {
      return await firstToOpen(candidates, {
        open: (candidate) => this.#operations.unwrap(candidate, materials, deadline),
        failed,
        turn: turns(signal),
        hedgeAfterMs,
      });
    } finally {
      won.abort(new FramesealError('ABORTED', 'another key has opened the message'));
      deadline.stop();
      leave();
    }
  }
}
