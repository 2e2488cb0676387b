/**
 * Wrapping: GenerateDataKey once, then Encrypt under all other keys in parallel; entries in configured order, whatever the
 * order of the answers.
 *
 * By default every key must wrap. Under a quorum, which is outside the specification, keys that are out of reach may be
 * missing; then the next key generates the data key if the generator is one of them.
 * Source: AWS Encryption SDK specification, `framework/aws-kms/aws-kms-multi-keyrings.md`, `framework/multi-keyring.md`.
 */
import { utf8Text } from '../../bytes.ts';
import { Deadline } from '../../deadline.ts';
import type { EncryptedDataKey } from '../../encrypted-data-key.ts';
import { combined, invalidArgument, throwIfAborted, unreachable } from '../../errors.ts';
import type { EncryptionMaterials, MissingKey } from '../../materials/materials.ts';
import type { KeyIdentifier } from './key-arn.ts';
import { isOutOfReach } from './kms-failure.ts';
import type { KmsOperations } from './kms-operations.ts';
import type { WrapRule } from './options.ts';

/** A key that could not wrap. */
interface Failure {
  readonly key: KeyIdentifier;
  readonly error: unknown;
}

/** Wraps the data keys of one keyring. */
export class Wrapping {
  readonly #keys: readonly KeyIdentifier[];
  readonly #rule: WrapRule;
  readonly #operations: KmsOperations;
  readonly #deadlineMs: number;

  constructor(keys: readonly KeyIdentifier[], rule: WrapRule, operations: KmsOperations, deadlineMs: number) {
    this.#keys = keys;
    this.#rule = rule;
    this.#operations = operations;
    this.#deadlineMs = deadlineMs;
  }

  /**
   * The materials with this keyring's entries, and with a data key if they had none.
   * @param name of the keyring, for the error of the deadline.
   * @throws FramesealError `KMS_FAILED` or `TIMEOUT`, naming each key that could not wrap; or the caller's abort.
   */
  async wrap(
    name: string,
    materials: EncryptionMaterials,
    signal: AbortSignal | undefined,
  ): Promise<EncryptionMaterials> {
    const expired = `${name} was not done within ${this.#deadlineMs} ms (deadlineMs)`;
    const deadline = new Deadline(this.#deadlineMs, signal, expired);
    try {
      return materials.plaintextDataKey === undefined
        ? await this.#generateAndWrap(materials, deadline)
        : await this.#wrapUnder(this.#keys, materials, [], deadline);
    } catch (error) {
      throwIfAborted(signal);
      throw error;
    } finally {
      deadline.stop();
    }
  }

  // A data key that could not be wrapped as it should is wiped: this keyring made it, so it may.
  async #generateAndWrap(materials: EncryptionMaterials, deadline: Deadline): Promise<EncryptionMaterials> {
    const failures: Failure[] = [];
    for (const [at, key] of this.#keys.entries()) {
      const generated = await this.#operations.generate(key, materials, deadline).catch((error: unknown) => {
        failures.push({ key, error });
        this.#check(failures);
        return undefined;
      });
      if (generated === undefined) continue;
      try {
        return await this.#wrapUnder(this.#keys.slice(at + 1), generated, failures, deadline);
      } catch (error) {
        generated.plaintextDataKey.fill(0);
        throw error;
      }
    }
    throw unreachable('no key was asked for a data key');
  }

  // All are tried before one failure fails the whole, so that the error can name every key.
  async #wrapUnder(
    keys: readonly KeyIdentifier[],
    materials: EncryptionMaterials,
    failures: Failure[],
    deadline: Deadline,
  ): Promise<EncryptionMaterials> {
    const answers = await Promise.allSettled(
      keys.map((key) => this.#operations.wrap(key, materials, deadline)),
    );
    const added: EncryptedDataKey[] = [];
    for (const [i, answer] of answers.entries()) {
      if (answer.status === 'fulfilled') added.push(answer.value);
      else failures.push({ key: keys[i]!, error: answer.reason });
    }
    this.#check(failures);
    const { missingKeys = [] } = materials;
    const encryptedDataKeys = [...materials.encryptedDataKeys, ...added];
    this.#checkDistinct(encryptedDataKeys.slice(-(this.#keys.length - failures.length)));
    return { ...materials, encryptedDataKeys, missingKeys: [...missingKeys, ...failures.map(missing)] };
  }

  // Whether these failures may stand, or the rest can still be enough.
  #check(failures: readonly Failure[]): void {
    const tolerated = failures.every(
      ({ key, error }) => isOutOfReach(error) && !this.#rule.mustInclude.has(key.text),
    );
    if (!tolerated || this.#keys.length - failures.length < this.#rule.atLeast) throw this.#failed(failures);
  }

  #failed(failures: readonly Failure[]): unknown {
    const { atLeast } = this.#rule;
    const total = this.#keys.length;
    const quorum = atLeast < total ? ` (quorum: at least ${atLeast} of ${total})` : '';
    return combined(
      failures.map(({ error }) => error),
      `keys could not wrap the data key${quorum}`,
    );
  }

  // Under a quorum, a key and its alias do not count twice.
  #checkDistinct(edks: readonly EncryptedDataKey[]): void {
    const { distinct } = this.#rule;
    const found = new Set(edks.map(({ providerInfo }) => utf8Text(providerInfo))).size;
    if (found >= distinct) return;
    throw invalidArgument('quorum', `${distinct} keys that differ`, `${found}: names of the same key`);
  }
}

function missing({ key, error }: Failure): MissingKey {
  const region = key.arn?.region;
  return { keyId: key.text, error, ...(region !== undefined && { region }) };
}
