/**
 * Message streams as Node streams.
 */
import { Duplex } from 'node:stream';
import type { EncryptOptions } from '../begin-encrypt.ts';
import { type DecryptStreamOptions, type DecryptStreamResult, decryptStream } from '../decrypt-stream.ts';
import { type EncryptStreamResult, encryptStream } from '../encrypt-stream.ts';
import type { MessageHeader } from '../format/message-header.ts';
import type { MessageStream } from '../stream/message-stream.ts';

/**
 * A Node stream of a message: bytes in, Buffers out. It fits `pipeline`, which is how it should be used: that ends every
 * stream when one fails. Destroying it ends the message and frees what it holds.
 */
export interface MessageDuplex<Result> extends Duplex {
  /** Resolves as soon as the header is authentic. Marked as handled: whoever ignores it hears of no rejection. */
  readonly header: Promise<MessageHeader>;
  /** Resolves when the last byte has been read. Marked as handled. */
  readonly result: Promise<Result>;
}

/**
 * `encryptStream` as a Node stream.
 * @throws FramesealError at once: `INVALID_ARGUMENT`, `UNSUPPORTED`, `COMMITMENT_POLICY`, `LIMIT_EXCEEDED`, `ABORTED`.
 *   The stream, `header` and `result` fail with the same and with what keyrings throw.
 */
export function encryptDuplex(options: EncryptOptions): MessageDuplex<EncryptStreamResult> {
  return asDuplex(encryptStream(options));
}

/**
 * `decryptStream` as a Node stream: frames come out as soon as they are authentic, so what has been read counts only
 * when the stream has ended.
 * @throws FramesealError at once: `INVALID_ARGUMENT`, `UNSUPPORTED`, `ABORTED`. The stream, `header` and `result` fail
 *   with the same and what `decrypt` throws.
 */
export function decryptDuplex(options: DecryptStreamOptions): MessageDuplex<DecryptStreamResult> {
  return asDuplex(decryptStream(options));
}

// fromWeb keeps backpressure both ways, hands bytes out as Buffers without a copy, and passes failures on both ways.
function asDuplex<Result>({
  readable,
  writable,
  header,
  result,
}: MessageStream<Result>): MessageDuplex<Result> {
  const pair = { readable, writable } as Parameters<typeof Duplex.fromWeb>[0]; // one thing, declared twice: dom and node
  return Object.assign(Duplex.fromWeb(pair), { header, result });
}
