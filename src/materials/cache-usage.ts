/**
 * How much one data key has encrypted, and how much it may: whole messages and plaintext bytes.
 *
 * What is handed out is counted when it is handed out, and never given back: a message that fails or is aborted stays counted.
 * Source: AWS Encryption SDK specification, `framework/caching-cmm.md#usage-stats`.
 */

/** What one data key may encrypt. */
export interface Limits {
  readonly maxMessages: number;
  readonly maxBytes: bigint;
}

/** What one message asks of a data key. */
export interface Claim {
  readonly limits: Limits;
  /** Plaintext bytes; absent for a stream of unknown length, which is charged as it goes. */
  readonly bytes: bigint | undefined;
}

/** The counters of one data key. Of managers that share it, the strictest limits hold for all. */
export class Usage {
  #messages = 0;
  #bytes = 0n;
  #limits: Limits | undefined;

  /** Whether the data key may serve this claim as well. An unused one serves any: the caller has compared it with the limits. */
  admits({ limits, bytes = 0n }: Claim): boolean {
    if (this.#messages === 0) return true;
    const { maxMessages, maxBytes } = this.#strictest(limits);
    return this.#messages < maxMessages && this.#bytes < maxBytes && this.#bytes + bytes <= maxBytes;
  }

  /** Counts one message. */
  reserve({ limits, bytes = 0n }: Claim): void {
    this.#limits = this.#strictest(limits);
    this.#messages++;
    this.#bytes += bytes;
  }

  /** Counts bytes of a message whose length was not known. */
  charge(bytes: number): void {
    this.#bytes += BigInt(bytes);
  }

  /** Whether a used data key has reached a limit: what comes next needs another. */
  get isExhausted(): boolean {
    if (this.#limits === undefined) return false;
    return this.#messages >= this.#limits.maxMessages || this.#bytes >= this.#limits.maxBytes;
  }

  #strictest(limits: Limits): Limits {
    const known = this.#limits ?? limits;
    const maxMessages = Math.min(known.maxMessages, limits.maxMessages);
    const [maxBytes] = [known.maxBytes, limits.maxBytes].sort((a, b) => (a < b ? -1 : 1));
    return { maxMessages, maxBytes: maxBytes! };
  }
}
