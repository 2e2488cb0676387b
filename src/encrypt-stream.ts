/**
 * Encrypt, streamed: request, materials, keys, header, frames, footer.
 *
 * Source: AWS Encryption SDK specification, `client-apis/encrypt.md`.
 */
import {
  type BegunMessage,
  beginMessage,
  type EncryptOptions,
  type EncryptRequest,
  resolveEncrypt,
} from './begin-encrypt.ts';
import type { Bytes } from './bytes.ts';
import type { Signer } from './crypto/crypto.ts';
import { untilAborted } from './deadline.ts';
import { FramesealError, invalidArgument, kindOf } from './errors.ts';
import { bodyLength, FRAME_OVERHEAD, regularFrames } from './format/message-body.ts';
import { encodeFooter } from './format/message-footer.ts';
import type { MessageHeader } from './format/message-header.ts';
import { encodedSignature } from './kdf/signature.ts';
import type { MissingKey } from './materials/materials.ts';
import type { ByteQueue } from './stream/byte-queue.ts';
import { type MessageRun, type MessageStream, messageStream } from './stream/message-stream.ts';
import { batchFrames, pace } from './stream/pace.ts';

/** What {@link encryptStream} answers in the end. */
export interface EncryptStreamResult {
  readonly header: MessageHeader;
  /** Keys that a quorum let go missing; empty without one. */
  readonly missingKeys: readonly MissingKey[];
}

/**
 * Encrypts a stream of any length into one message. Frames are written as soon as their plaintext is there; the last
 * one when the input has ended. Memory: a few frames, at least some hundred KiB.
 *
 * Signed suites need a signing key that signs in pieces, as the default materials manager makes it.
 * @throws FramesealError at once: `INVALID_ARGUMENT`, `UNSUPPORTED`, `COMMITMENT_POLICY`, `LIMIT_EXCEEDED`, `ABORTED`.
 *   Both streams, `header` and `result` fail with the same, and with what keyrings throw: `KMS_FAILED`, `TIMEOUT`; with
 *   the writer's own reason when it aborts, and with `ABORTED` when the reader cancels without one.
 */
export function encryptStream(options: EncryptOptions): MessageStream<EncryptStreamResult> {
  const request = resolveEncrypt(options);
  return messageStream((run) => writeMessage(request, run), request.signal);
}

async function* writeMessage(
  request: EncryptRequest,
  { input, signal, onHeader }: MessageRun,
): AsyncGenerator<Bytes, EncryptStreamResult> {
  const { plaintextLength } = request;
  const message = await beginMessage({ ...request, signal }, { streamed: true, plaintextLength });
  const { header, missingKeys } = message;
  yield* sealStream(message, { ...request, input, signal }, onHeader);
  return { header, missingKeys };
}

/** What the body of a message is made of. */
export interface BodyInput extends Pick<EncryptRequest, 'frameLength' | 'plaintextLength' | 'onProgress'> {
  readonly input: ByteQueue;
  readonly signal: AbortSignal;
}

/** A begun message: its header, the body, and for signed suites the footer. The sealer is disposed of, the input wiped. */
export async function* sealStream(
  message: BegunMessage,
  body: BodyInput,
  onHeader: (header: MessageHeader) => void,
): AsyncGenerator<Bytes, void> {
  const { suite, sealer, header, bytes: headerBytes } = message;
  try {
    const signer = beginToSign(message);
    signer?.update(headerBytes);
    onHeader(header);
    yield headerBytes;
    for await (const frames of sealFrames(message, body)) {
      signer?.update(frames);
      yield frames;
    }
    if (signer) {
      const sign = () => untilAborted(body.signal, Promise.resolve(signer.sign())); // a caller's may hang
      yield encodeFooter(await encodedSignature(suite.signature!, sign));
    }
  } finally {
    sealer.dispose();
    body.input.wipe();
  }
}

async function* sealFrames(
  { sealer, charge }: BegunMessage,
  { input, frameLength, plaintextLength, signal, onProgress }: BodyInput,
): AsyncGenerator<Bytes> {
  const step = pace({ signal, onProgress, total: plaintextLength });
  let done = 0;
  for (let final = false; !final; ) {
    // One byte more than a frame: the last full frame is the final one.
    await input.need(frameLength + 1);
    const there = input.bytes;
    checkLength(done + there.length, plaintextLength);
    const whole = regularFrames(there.length, frameLength);
    const regular = Math.min(whole, batchFrames(frameLength));
    final = input.ended && regular === whole;
    const plaintext = final ? there : there.subarray(0, regular * frameLength);
    const length = final ? bodyLength(there.length, frameLength) : regular * (frameLength + FRAME_OVERHEAD);
    const frames = new Uint8Array(length);
    charge?.(plaintext.length);
    await sealer.sealFrames(plaintext, regular, final, frames);
    input.skip(plaintext.length);
    done += plaintext.length;
    yield frames;
    await step(done);
  }
}

function beginToSign({ suite, signingKey }: BegunMessage): Signer | undefined {
  if (suite.signature === undefined) return undefined;
  if (typeof signingKey?.signer !== 'function') {
    throw new FramesealError(
      'UNSUPPORTED',
      '"cmm" answered a signing key without "signer", which a stream needs: make one when the request says "streamed", or encrypt in one shot',
    );
  }
  const signer: Partial<Signer> | undefined = signingKey.signer();
  if (typeof signer?.update !== 'function' || typeof signer.sign !== 'function')
    throw invalidArgument(
      'signingKey',
      '"signer" to answer an object with "update" and "sign"',
      kindOf(signer),
    );
  return signer as Signer;
}

function checkLength(length: number, bound: number | undefined): void {
  if (bound === undefined || length <= bound) return;
  throw new FramesealError(
    'LIMIT_EXCEEDED',
    `the plaintext has ${length} bytes or more; "plaintextLength" is ${bound}`,
  );
}
