/**
 * How often a keyring has wrapped: AES-GCM with random IVs bears 2^32 of them under one key (NIST SP 800-38D, section 8.3).
 */
import { FramesealError } from '../errors.ts';
import type { Keyring } from '../keyring/keyring.ts';
import { asWrapper } from '../keyring/multi-keyring.ts';
import { isOurs, markOurs } from '../materials/data-key.ts';

/** A count with a bound. */
export class WrapLimit {
  readonly #max: number;
  #count: number;
  #reached = false;

  /** @param count wraps of earlier runs. */
  constructor(max: number, count: number) {
    this.#max = max;
    this.#count = count;
  }

  get count(): number {
    return this.#count;
  }

  /** Whether a wrap was refused. */
  get reached(): boolean {
    return this.#reached;
  }

  /** @throws FramesealError `LIMIT_EXCEEDED` if there is no room for one more. */
  check(): void {
    if (this.#count < this.#max) return;
    this.#reached = true;
    throw new FramesealError(
      'LIMIT_EXCEEDED',
      `${this.#count} data keys have been wrapped; maxWraps is ${this.#max}: rotate the rest to another key`,
    );
  }

  /** Counts one more. @throws FramesealError `LIMIT_EXCEEDED` */
  claim(): void {
    this.check();
    this.#count++;
  }

  /** The keyring, each of whose wraps is counted before it is asked: one that fails may have used its key already. */
  counting(keyring: Keyring): Keyring {
    const wrapper = asWrapper(keyring);
    const counting: Keyring = {
      onEncrypt: async (materials, options) => {
        this.claim();
        return (materials.plaintextDataKey ? wrapper : keyring).onEncrypt(materials, options);
      },
      onDecrypt: (materials, encryptedDataKeys, options) =>
        keyring.onDecrypt(materials, encryptedDataKeys, options),
    };
    return isOurs(keyring) ? markOurs(counting) : counting;
  }
}
