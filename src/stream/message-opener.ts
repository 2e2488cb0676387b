/**
 * Opens one message under one derived key: verifies its header, then opens its body.
 */
import { type Bytes, Reader } from '../bytes.ts';
import type { Crypto } from '../crypto/crypto.ts';
import type { FrameCipher } from '../engine/engine.ts';
import { authenticationFailed } from '../errors.ts';
import {
  FINAL_FRAME_OVERHEAD,
  FRAME_OVERHEAD,
  type FrameRules,
  type FrameRun,
  parseNonFramedBody,
  scanFrames,
  truncatedBody,
} from '../format/message-body.ts';
import { BodyAad } from '../format/message-body-aad.ts';
import type { ParsedHeader } from '../format/message-header.ts';
import { openHeader } from '../kdf/derive-keys.ts';
import { TAG_LENGTH } from '../suite/algorithm-suites.ts';
import type { MessagePlatform } from './message-sealer.ts';
import { type BodyProgress, batchFrames, pace } from './pace.ts';

/** A body whose structure has been checked; nothing of it is authentic yet. */
export interface LocatedBody {
  /** Bytes of the body. */
  readonly length: number;
  /** Plaintext bytes. */
  readonly plaintextLength: number;
  /** The frames; `undefined` for a non-framed body. */
  readonly frames: FrameRun | undefined;
}

/**
 * Finds the body at the start of `bytes`.
 * @throws FramesealError `TRUNCATED`, `INVALID_MESSAGE`, `LIMIT_EXCEEDED`
 */
export function locateBody(header: ParsedHeader, bytes: Uint8Array, maxFrameLength: number): LocatedBody {
  if (header.contentType === 'non-framed') {
    const reader = new Reader(bytes, header.length);
    const { sealed } = parseNonFramedBody(reader, maxFrameLength);
    return { length: reader.offset, plaintextLength: sealed.length - TAG_LENGTH, frames: undefined };
  }
  const { frameLength } = header;
  const frames = scanFrames(bytes, 1, frameRules(header));
  if (frames.finalLength === undefined) throw truncatedBody(frames.regular);
  return {
    length: frames.length,
    plaintextLength: frames.regular * frameLength + frames.finalLength,
    frames,
  };
}

/** The structure that a message's frames must have. */
export function frameRules({ frameLength, suite }: ParsedHeader): FrameRules {
  return { frameLength, ivIsSequenceNumber: suite.messageVersion === 2 };
}

/** The opening core. */
export class MessageOpener {
  readonly #crypto: Crypto;
  readonly #cipher: FrameCipher;
  readonly #key: Bytes;
  readonly #header: ParsedHeader;

  /**
   * Begins a message whose header is authentic under this data key: over the bytes as received, and the pairs that are
   * not stored. `undefined` when commitment or tag is wrong.
   */
  static async begin(
    { crypto, engine }: MessagePlatform,
    header: ParsedHeader,
    dataKey: Uint8Array,
    authenticatedOnly: Uint8Array,
  ): Promise<MessageOpener | undefined> {
    const input = { ...header, authenticatedOnly };
    const derivedKey = await openHeader(crypto, header.suite, dataKey, input, header.tag);
    if (derivedKey === undefined) return undefined;
    return new MessageOpener(crypto, engine.cipher(derivedKey, header.messageId), derivedKey, header);
  }

  private constructor(crypto: Crypto, cipher: FrameCipher, key: Bytes, header: ParsedHeader) {
    this.#crypto = crypto;
    this.#cipher = cipher;
    this.#key = key;
    this.#header = header;
  }

  /**
   * The plaintext of a located body.
   * @throws FramesealError `AUTHENTICATION_FAILED`, with nothing released.
   */
  async openBody(body: LocatedBody, bytes: Uint8Array, progress: BodyProgress): Promise<Bytes> {
    return body.frames === undefined
      ? this.openNonFramed(bytes, progress)
      : this.#openFramedBody(body.frames, body.plaintextLength, bytes, progress);
  }

  /**
   * Opens a run of whole frames whose first has number `first`.
   * @param output exactly as long as their plaintext.
   * @returns how many are authentic: only their plaintext stays in `output`.
   */
  async openFrames(run: FrameRun, first: number, frames: Uint8Array, output: Uint8Array): Promise<number> {
    const { frameLength } = this.#header;
    const { regular, finalLength } = run;
    return this.#cipher.open({ frames, frameLength, first, regular, finalLength, output });
  }

  /** Wipes the key. Every later call throws. */
  dispose(): void {
    this.#key.fill(0);
    this.#cipher.dispose();
  }

  /**
   * The plaintext of a non-framed body.
   * @throws FramesealError `AUTHENTICATION_FAILED`
   */
  async openNonFramed(bytes: Uint8Array, progress: BodyProgress): Promise<Bytes> {
    const { iv, sealed } = parseNonFramedBody(
      new Reader(bytes, this.#header.length),
      Number.MAX_SAFE_INTEGER,
    );
    const length = sealed.length - TAG_LENGTH;
    const aad = new BodyAad(this.#header.messageId, 'single-block').at(1, length);
    const plaintext = await this.#crypto.aesGcmOpen(this.#key, iv, aad, sealed);
    if (plaintext === undefined) throw authenticationFailed();
    await pace(progress)(length);
    return plaintext;
  }

  async #openFramedBody(
    run: FrameRun,
    plaintextLength: number,
    bytes: Uint8Array,
    progress: BodyProgress,
  ): Promise<Bytes> {
    const output = new Uint8Array(plaintextLength);
    try {
      await this.#openBatches(run, bytes, output, pace(progress));
      return output;
    } catch (error) {
      output.fill(0);
      throw error;
    }
  }

  async #openBatches(
    run: FrameRun,
    bytes: Uint8Array,
    output: Bytes,
    step: ReturnType<typeof pace>,
  ): Promise<void> {
    const { frameLength } = this.#header;
    const sealedLength = frameLength + FRAME_OVERHEAD;
    const batch = batchFrames(frameLength);
    for (let done = 0; ; done += batch) {
      const regular = Math.min(batch, run.regular - done);
      const final = done + regular === run.regular;
      const finalLength = final ? run.finalLength! : undefined;
      const at = done * sealedLength;
      const from = done * frameLength;
      const length = regular * sealedLength + (final ? run.finalLength! + FINAL_FRAME_OVERHEAD : 0);
      const to = from + regular * frameLength + (finalLength ?? 0);
      const frames = bytes.subarray(at, at + length);
      const part = { regular, finalLength, length };
      const opened = await this.openFrames(part, 1 + done, frames, output.subarray(from, to));
      if (opened !== regular + (final ? 1 : 0)) throw authenticationFailed();
      await step(to);
      if (final) return;
    }
  }
}
