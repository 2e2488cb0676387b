/**
 * Seals one message under one derived key, and keeps the ledger of that key: its header once, because there is no other
 * way to a sealer, then each frame number once, counting up. A frame out of turn, or anything after the final frame, is
 * refused, because a repeated nonce gives away the key of GHASH and so every frame of the message.
 */
import type { Bytes } from '../bytes.ts';
import type { Crypto } from '../crypto/crypto.ts';
import type { FrameCipher, FrameEngine } from '../engine/engine.ts';
import { FramesealError, invalidArgument, unreachable } from '../errors.ts';
import { bodyLength, FRAME_OVERHEAD, MAX_FRAMES, regularFrames } from '../format/message-body.ts';
import { type HeaderInput, sealHeader } from '../kdf/derive-keys.ts';
import type { AlgorithmSuite } from '../suite/algorithm-suites.ts';
import { type BodyProgress, batchFrames, pace } from './pace.ts';

/** What serves a message: an engine for its frames, and primitives for its keys and its header. */
export interface MessagePlatform {
  readonly engine: FrameEngine;
  readonly crypto: Crypto;
}

/** The sealing core. */
export class MessageSealer {
  readonly #cipher: FrameCipher;
  readonly #frameLength: number;
  #next = 1;
  #finished = false;

  /** Seals the header, whose body receives its commit key, and so begins the message. */
  static async begin(
    { crypto, engine }: MessagePlatform,
    suite: AlgorithmSuite,
    dataKey: Uint8Array,
    header: HeaderInput,
    frameLength: number,
  ): Promise<{ sealer: MessageSealer; tag: Bytes }> {
    const { derivedKey, tag } = await sealHeader(crypto, suite, dataKey, header);
    const sealer = new MessageSealer(engine.cipher(derivedKey, header.messageId), frameLength);
    derivedKey.fill(0);
    return { sealer, tag };
  }

  private constructor(cipher: FrameCipher, frameLength: number) {
    this.#cipher = cipher;
    this.#frameLength = frameLength;
  }

  /**
   * Seals the next frames: as many whole regular frames as `regular` says, then the rest of the plaintext as the final
   * frame if `final`. `output` is exactly as long as they are.
   */
  async sealFrames(
    plaintext: Uint8Array,
    regular: number,
    final: boolean,
    output: Uint8Array,
  ): Promise<void> {
    if (this.#finished) throw unreachable('a frame was to be sealed out of turn');
    const first = this.#next;
    checkFrameCount(first - 1 + regular + 1);
    this.#next += regular;
    this.#finished = final;
    const frameLength = this.#frameLength;
    const finalLength = final ? plaintext.length - regular * frameLength : undefined;
    await this.#cipher.seal({ plaintext, frameLength, first, regular, finalLength, output });
  }

  /**
   * Seals a whole body in batches. `output` is exactly as long as the body.
   * @throws FramesealError `INVALID_ARGUMENT` if the plaintext has another length before the end: its buffer was resized or
   *   transferred while something was waited for.
   */
  async sealBody(plaintext: Uint8Array, output: Uint8Array, progress: BodyProgress): Promise<void> {
    const frameLength = this.#frameLength;
    const total = regularFrames(plaintext.length, frameLength);
    const batch = batchFrames(frameLength);
    const step = pace(progress);
    for (let done = 0; ; done += batch) {
      checkStays(plaintext, bodyLength(plaintext.length, frameLength) === output.length);
      const regular = Math.min(batch, total - done);
      const final = done + regular === total;
      const from = done * frameLength;
      const to = final ? plaintext.length : from + regular * frameLength;
      const at = done * (frameLength + FRAME_OVERHEAD);
      const length = final ? bodyLength(to - from, frameLength) : regular * (frameLength + FRAME_OVERHEAD);
      await this.sealFrames(plaintext.subarray(from, to), regular, final, output.subarray(at, at + length));
      await step(to);
      if (final) return checkStays(plaintext, plaintext.length === to);
    }
  }

  /** Wipes the key. Every later call throws. */
  dispose(): void {
    this.#finished = true;
    this.#cipher.dispose();
  }
}

/** @throws FramesealError `LIMIT_EXCEEDED` above the format's number of frames, the final one included. */
export function checkFrameCount(frames: number): void {
  if (frames <= MAX_FRAMES) return;
  throw new FramesealError(
    'LIMIT_EXCEEDED',
    `${frames} frames or more are needed; the format allows ${MAX_FRAMES}: raise "frameLength"`,
  );
}

function checkStays({ length }: Uint8Array, stays: boolean): void {
  if (!stays)
    throw invalidArgument(
      'plaintext',
      'to keep its length until the promise settles',
      `${length} bytes at last`,
    );
}
