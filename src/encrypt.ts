/**
 * Encrypt, one-shot: request, materials, keys, header, frames, footer.
 *
 * Source: AWS Encryption SDK specification, `client-apis/encrypt.md`.
 */
import { type BegunMessage, beginMessage, type EncryptOptions, resolveEncrypt } from './begin-encrypt.ts';
import { allocate, type Bytes } from './bytes.ts';
import { untilAborted } from './deadline.ts';
import { FramesealError } from './errors.ts';
import { regularFrames } from './format/message-body.ts';
import { encodeFooter, footerLength } from './format/message-footer.ts';
import type { MessageHeader } from './format/message-header.ts';
import { encodedSignature } from './kdf/signature.ts';
import type { MissingKey } from './materials/materials.ts';
import { checkBytes } from './options.ts';
import { checkFrameCount } from './stream/message-sealer.ts';
import type { BodyProgress } from './stream/pace.ts';

/** What {@link encrypt} answers. */
export interface EncryptResult {
  /** The whole message. */
  readonly ciphertext: Bytes;
  readonly header: MessageHeader;
  /** Keys that a quorum let go missing; empty without one. */
  readonly missingKeys: readonly MissingKey[];
}

/**
 * Encrypts bytes into one message. The plaintext is read until the promise settles: do not change it before.
 * @throws FramesealError `INVALID_ARGUMENT`, `UNSUPPORTED`, `COMMITMENT_POLICY`, `LIMIT_EXCEEDED`, `ABORTED`, and
 *   what keyrings throw: `KMS_FAILED`, `TIMEOUT`
 */
export async function encrypt(plaintext: Uint8Array, options: EncryptOptions): Promise<EncryptResult> {
  const request = resolveEncrypt(options);
  checkPlaintext(plaintext, request.plaintextLength, request.frameLength);
  const message = await beginMessage(request, { streamed: false, plaintextLength: plaintext.length });
  const { header, missingKeys } = message;
  return { ciphertext: await sealWhole(plaintext, message, request), header, missingKeys };
}

/** The whole message that has begun: its header, the body, for signed suites the footer. The sealer is disposed of. */
export async function sealWhole(
  plaintext: Uint8Array,
  message: BegunMessage,
  { signal, onProgress }: BodyProgress,
): Promise<Bytes> {
  const { suite, bytes, header, sealer } = message;
  try {
    const bodyEnd = bytes.length - footerLength(suite);
    const body = bytes.subarray(header.headerLength, bodyEnd);
    await sealer.sealBody(plaintext, body, { signal, onProgress, total: plaintext.length });
    return suite.signature ? await signed(message, bodyEnd, signal) : bytes;
  } finally {
    sealer.dispose();
  }
}

async function signed(
  { suite, signingKey, bytes: message }: BegunMessage,
  bodyEnd: number,
  signal: AbortSignal | undefined,
): Promise<Bytes> {
  const covered = message.subarray(0, bodyEnd);
  const sign = () => untilAborted(signal, Promise.resolve(signingKey!.sign(covered))); // a caller's may hang
  const footer = encodeFooter(await encodedSignature(suite.signature!, sign));
  if (bodyEnd + footer.length === message.length) {
    message.set(footer, bodyEnd);
    return message;
  }
  const resized = allocate(bodyEnd + footer.length, 'a message'); // a caller's signing key that misses the usual length
  resized.set(covered);
  resized.set(footer, bodyEnd);
  return resized;
}

function checkPlaintext(plaintext: Uint8Array, bound: number | undefined, frameLength: number): void {
  checkBytes('plaintext', plaintext);
  if (bound !== undefined && plaintext.length > bound) {
    throw new FramesealError(
      'LIMIT_EXCEEDED',
      `the plaintext has ${plaintext.length} bytes; "plaintextLength" is ${bound}`,
    );
  }
  checkFrameCount(regularFrames(plaintext.length, frameLength) + 1);
}
