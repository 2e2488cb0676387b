/**
 * The additional authenticated data of a frame.
 *
 * ```
 * message id 16 or 32 | content string, ASCII, no terminator | sequence number 4 | plaintext length of this frame 8
 * ```
 * Source: AWS Encryption SDK specification, `data-format/message-body-aad.md`.
 */
import { type Bytes, concat, dataView, utf8 } from '../bytes.ts';

/** What is authenticated: a regular frame, the final frame, or a whole non-framed body. */
export type BodyContent = 'frame' | 'final-frame' | 'single-block';

const CONTENT: Record<BodyContent, Bytes> = {
  frame: utf8('AWSKMSEncryptionClient Frame')!,
  'final-frame': utf8('AWSKMSEncryptionClient Final Frame')!,
  'single-block': utf8('AWSKMSEncryptionClient Single Block')!,
};

/**
 * The AAD of the frames of one message and one kind. `at` rewrites the same buffer: for callers that hand it on
 * before they ask for the next one.
 */
export class BodyAad {
  readonly #bytes: Bytes;
  readonly #view: DataView;
  readonly #at: number;

  constructor(messageId: Uint8Array, content: BodyContent) {
    this.#at = messageId.length + CONTENT[content].length;
    this.#bytes = concat(messageId, CONTENT[content], new Uint8Array(12));
    this.#view = dataView(this.#bytes);
  }

  /** Bytes of each. */
  get length(): number {
    return this.#bytes.length;
  }

  /** @param length plaintext bytes of the frame; a non-framed body may have more than 2^32. */
  at(sequenceNumber: number, length: number): Bytes {
    this.#view.setUint32(this.#at, sequenceNumber);
    this.#view.setBigUint64(this.#at + 4, BigInt(length));
    return this.#bytes;
  }
}
