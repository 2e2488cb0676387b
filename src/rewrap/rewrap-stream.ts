/**
 * Rewrap, streamed: opened and sealed frame by frame. The new message ends when the old one has been verified to its end.
 */
import type { Bytes } from '../bytes.ts';
import { type DecryptStreamOptions, readMessage, resolveDecryptStream } from '../decrypt-stream.ts';
import { sealStream } from '../encrypt-stream.ts';
import { ByteQueue } from '../stream/byte-queue.ts';
import { type MessageRun, type MessageStream, messageStream } from '../stream/message-stream.ts';
import {
  type BegunRewrap,
  beginRewrap,
  REWRAP_OPTIONS,
  type RewrapOptions,
  type RewrapReport,
  resolveRewrap,
} from './begin-rewrap.ts';

/** Options of {@link rewrapStream}. */
export interface RewrapStreamOptions extends RewrapOptions, DecryptStreamOptions {}

/**
 * {@link rewrap} for a stream of any length. `header` is the new message's. Its frames are written as soon as those of
 * the old message are authentic; its final frame and its signature not before the old message has been verified to its
 * last byte, signature included. So what has been written of a message that fails is no message: discard it.
 * @throws FramesealError at once: `INVALID_ARGUMENT`, `UNSUPPORTED`, `COMMITMENT_POLICY`, `SIDECAR_MISMATCH`,
 *   `LIMIT_EXCEEDED`, `ABORTED`. Both streams, `header` and `result` fail as those of `decryptStream` and `encryptStream`.
 */
export function rewrapStream(options: RewrapStreamOptions): MessageStream<RewrapReport> {
  const request = resolveDecryptStream(options, REWRAP_OPTIONS);
  const wishes = resolveRewrap(options, request);
  return messageStream((run) => rewrite(request, wishes, run), request.signal);
}

// The old message is read ahead of the new one by a queue of some frames.
async function* rewrite(
  request: ReturnType<typeof resolveDecryptStream>,
  wishes: ReturnType<typeof resolveRewrap>,
  run: MessageRun,
): AsyncGenerator<Bytes, RewrapReport> {
  const { signal } = run;
  const between = new ByteQueue();
  let begun: BegunRewrap | undefined;
  const old = readMessage(request, { ...run, onHeader: () => {} }, async (header, opened) => {
    begun = await beginRewrap(wishes, { ...request, signal }, header, opened, { streamed: true });
  });
  try {
    const first = await old.next();
    const { message, report } = begun!;
    const reading = readInto(between, old, first);
    const { frameLength } = report.header;
    const body = { input: between, frameLength, plaintextLength: undefined, signal, onProgress: undefined };
    yield* sealStream(message, body, run.onHeader);
    await reading;
    return report;
  } finally {
    between.fail(signal.reason);
    begun?.message.sealer.dispose();
    // Not waited for: it may itself be waiting for input, which fails as soon as this has.
    old.return(undefined as never).catch(() => {});
  }
}

// What fails the old message fails the new one before its final frame, because the queue has not ended.
async function readInto(
  queue: ByteQueue,
  pieces: AsyncGenerator<Uint8Array, unknown>,
  first: IteratorResult<Uint8Array, unknown>,
): Promise<void> {
  try {
    for (let next = first; !next.done; next = await pieces.next()) {
      const { value } = next;
      await queue.write(value).finally(() => value.fill(0));
    }
    queue.end();
  } catch (error) {
    queue.fail(error);
  }
}
