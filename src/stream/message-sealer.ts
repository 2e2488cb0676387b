/**
 * Seals one message under one derived key, and keeps the ledger of that key: the header once, then each frame number
 * once, counting up. A second header, a frame out of turn, or anything after the final frame is refused, because a
 * repeated nonce gives away the key of GHASH and so every frame of the message.
 */
import { type Bytes, concat, copy } from '../bytes.ts';
import type { Crypto } from '../crypto/crypto.ts';
import type { FrameCipher, FrameEngine } from '../engine/engine.ts';
import { unreachable } from '../errors.ts';
import { bodyLength, FRAME_OVERHEAD, regularFrames } from '../format/message-body.ts';
import { HEADER_IV } from '../format/message-header.ts';
import { type BodyProgress, batchFrames, pace } from './pace.ts';

const NO_PLAINTEXT: Bytes = new Uint8Array(0);

/** The sealing core. */
export class MessageSealer {
  readonly #crypto: Crypto;
  readonly #cipher: FrameCipher;
  readonly #key: Bytes;
  #headerSealed = false;
  #next = 1;
  #finished = false;

  /** @param derivedKey is copied. */
  constructor(crypto: Crypto, engine: FrameEngine, derivedKey: Uint8Array, messageId: Uint8Array) {
    this.#crypto = crypto;
    this.#key = copy(derivedKey);
    this.#cipher = engine.cipher(derivedKey, messageId);
  }

  /** The tag over the header body and the pairs that are authenticated but not stored. Once. */
  async sealHeader(headerBody: Uint8Array, authenticatedOnly: Uint8Array): Promise<Bytes> {
    if (this.#headerSealed) throw unreachable('a second header was to be sealed under one key');
    this.#headerSealed = true;
    return this.#crypto.aesGcmSeal(this.#key, HEADER_IV, concat(headerBody, authenticatedOnly), NO_PLAINTEXT);
  }

  /**
   * Seals the next frames: as many whole regular frames as `regular` says, then the rest of the plaintext as the final
   * frame if `final`.
   */
  async sealFrames(
    plaintext: Uint8Array,
    frameLength: number,
    regular: number,
    final: boolean,
    output: Uint8Array,
  ): Promise<void> {
    if (!this.#headerSealed || this.#finished) throw unreachable('a frame was to be sealed out of turn');
    const first = this.#next;
    this.#next += regular;
    this.#finished = final;
    const finalLength = final ? plaintext.length - regular * frameLength : undefined;
    await this.#cipher.seal({ plaintext, frameLength, first, regular, finalLength, output });
  }

  /** Seals a whole body in batches. `output` is exactly as long as the body. */
  async sealBody(
    plaintext: Uint8Array,
    frameLength: number,
    output: Uint8Array,
    progress: BodyProgress,
  ): Promise<void> {
    const total = regularFrames(plaintext.length, frameLength);
    const batch = batchFrames(frameLength);
    const step = pace(progress);
    for (let done = 0; ; done += batch) {
      const regular = Math.min(batch, total - done);
      const final = done + regular === total;
      const from = done * frameLength;
      const to = final ? plaintext.length : from + regular * frameLength;
      const at = done * (frameLength + FRAME_OVERHEAD);
      const length = final ? bodyLength(to - from, frameLength) : regular * (frameLength + FRAME_OVERHEAD);
      await this.sealFrames(
        plaintext.subarray(from, to),
        frameLength,
        regular,
        final,
        output.subarray(at, at + length),
      );
      await step(to);
      if (final) return;
    }
  }

  /** Wipes the key. Every later call throws. */
  dispose(): void {
    this.#headerSealed = true;
    this.#finished = true;
    this.#key.fill(0);
    this.#cipher.dispose();
  }
}
