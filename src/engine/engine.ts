/**
 * The seam between the protocol and the code that seals and opens frames.
 *
 * An engine is given a key and hands out a cipher for one message. It knows sequence numbers, IVs and AAD of frames,
 * and nothing of keyrings, materials or headers.
 */
import type { MaybePromise } from '../crypto/crypto.ts';

/** Engines by name, as {@link EncryptOptions.engine} forces them. */
export type EngineName = 'auto' | 'node' | 'webcrypto' | 'wasm' | 'hybrid';

/** Frames to seal: whole regular frames, then perhaps the final one. */
export interface SealJob {
  /** The plaintext of the frames, back to back. */
  readonly plaintext: Uint8Array;
  readonly frameLength: number;
  /** Sequence number of the first frame. */
  readonly first: number;
  /** Regular frames. */
  readonly regular: number;
  /** Plaintext bytes of the final frame, which follows the regular ones; `undefined`: not in this job. */
  readonly finalLength: number | undefined;
  /** Receives the sealed frames, back to back; exactly as long as they are. */
  readonly output: Uint8Array;
}

/** Frames to open, of a checked structure (`format/message-body.ts`). */
export interface OpenJob {
  /** The sealed frames, back to back. */
  readonly frames: Uint8Array;
  readonly frameLength: number;
  readonly first: number;
  readonly regular: number;
  readonly finalLength: number | undefined;
  /** Receives the plaintext; exactly as long as it is. */
  readonly output: Uint8Array;
}

/** The cipher of one message under its derived key. Calls may not overlap. */
export interface FrameCipher {
  /** Seals all frames of a job. */
  seal(job: SealJob): MaybePromise<void>;
  /**
   * Opens the frames of a job in order, under the IVs that they carry.
   * @returns how many frames are authentic. Their plaintext is written; of the first one that is not, and of all
   *   behind it, nothing stays: their part of the output is as it was, or zero.
   */
  open(job: OpenJob): MaybePromise<number>;
  /** Forgets the key. Every later call throws. */
  dispose(): void;
}

/** Makes the ciphers of messages. */
export interface FrameEngine {
  readonly name: EngineName;
  /** @param key the derived key, 16, 24 or 32 bytes, which is copied. */
  cipher(key: Uint8Array, messageId: Uint8Array): FrameCipher;
}
