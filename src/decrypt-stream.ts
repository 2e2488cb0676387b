/**
 * Decrypt, streamed: header, materials, keys, header tag, frames, footer.
 *
 * Frames are released as soon as they are authentic; the final one not before the whole message is: the signature, where
 * there is one, and that nothing follows. A consumer commits to what it has read when the stream closes, not before.
 * Source: AWS Encryption SDK specification, `client-apis/decrypt.md`, `client-apis/decrypt.md#security-considerations`.
 */
import {
  type DecryptOptions,
  type DecryptRequest,
  type OpenedMessage,
  openMessage,
  resolveDecrypt,
} from './begin-decrypt.ts';
import { type Bytes, concat, copy, Reader } from './bytes.ts';
import type { Verifier } from './crypto/crypto.ts';
import { nativeCrypto } from './crypto/default-crypto.ts';
import type { Context } from './encryption-context.ts';
import { authenticationFailed, FramesealError, invalidArgument, quote } from './errors.ts';
import { HeaderEnd } from './format/header-end.ts';
import {
  type FrameRun,
  NON_FRAMED_OVERHEAD,
  NON_FRAMED_START_LENGTH,
  parseNonFramedStart,
  scanFrames,
  truncatedBody,
} from './format/message-body.ts';
import { FOOTER_OVERHEAD, parseFooter, trailingBytes } from './format/message-footer.ts';
import {
  type MessageHeader,
  type ParsedHeader,
  parseMessageHeader,
  publicHeader,
} from './format/message-header.ts';
import { encodedSignatureIsGood } from './kdf/signature.ts';
import { checkInteger } from './options.ts';
import type { ByteQueue } from './stream/byte-queue.ts';
import { frameRules, type MessageOpener } from './stream/message-opener.ts';
import { type MessageRun, type MessageStream, messageStream } from './stream/message-stream.ts';
import { batchFrames, pace } from './stream/pace.ts';

/** When the plaintext of a signed message is released, although its signature comes last. */
export type SignedStreams = 'hold-final-frame' | 'hold-all' | 'refuse';

/** Options of {@link decryptStream}. */
export interface DecryptStreamOptions extends DecryptOptions {
  /**
   * Of signed messages, `hold-final-frame` (default) holds back the final frame until the signature has been verified,
   * `hold-all` everything, `refuse` fails. Other SDKs write an empty final frame behind a last full one: then
   * `hold-final-frame` has released all bytes before the signature.
   */
  readonly signedStreams?: SignedStreams | undefined;
  /** Plaintext bytes that `hold-all` holds at most; default 64 MiB. */
  readonly maxHeldBytes?: number | undefined;
  /** Bytes of a header that are waited for at most; default 4 MiB. */
  readonly maxHeaderLength?: number | undefined;
}

/** What {@link decryptStream} answers in the end. */
export interface DecryptStreamResult {
  readonly header: MessageHeader;
  /** The full context that was authenticated: stored pairs, and required pairs that the caller reproduced. */
  readonly authenticatedContext: Context;
}

interface StreamRequest extends DecryptRequest {
  readonly signedStreams: SignedStreams;
  readonly maxHeldBytes: number;
  readonly maxHeaderLength: number;
}

const CHOICES: readonly string[] = ['hold-final-frame', 'hold-all', 'refuse'];
const DEFAULT_MAX_HELD_BYTES = 64 * 2 ** 20;
const DEFAULT_MAX_HEADER_LENGTH = 4 * 2 ** 20;

/**
 * Decrypts a stream. What is released are whole frames in order; a failure says that what was read so far must not be
 * used, or only as a prefix. Memory: a few frames, at least some hundred KiB; a non-framed body as a whole.
 * @throws FramesealError at once: `INVALID_ARGUMENT`, `UNSUPPORTED`, `ABORTED`. Both streams, `header` and `result` fail
 *   with the same and what {@link decrypt} throws; with the writer's own reason when it aborts, and with `ABORTED` when
 *   the reader cancels without one.
 */
export function decryptStream(options: DecryptStreamOptions): MessageStream<DecryptStreamResult> {
  const request = resolveStream(options);
  return messageStream((run) => readMessage(request, run), request.signal);
}

function resolveStream(options: DecryptStreamOptions): StreamRequest {
  const request = resolveDecrypt(options);
  const {
    signedStreams = 'hold-final-frame',
    maxHeldBytes = DEFAULT_MAX_HELD_BYTES,
    maxHeaderLength = DEFAULT_MAX_HEADER_LENGTH,
  } = options;
  if (!CHOICES.includes(signedStreams))
    throw invalidArgument('signedStreams', `one of ${CHOICES.join(', ')}`, quote(signedStreams));
  checkInteger('maxHeldBytes', maxHeldBytes, 0, Number.MAX_SAFE_INTEGER);
  checkInteger('maxHeaderLength', maxHeaderLength, 1, Number.MAX_SAFE_INTEGER);
  return { ...request, signedStreams, maxHeldBytes, maxHeaderLength };
}

async function* readMessage(
  resolved: StreamRequest,
  { input, signal, onHeader }: MessageRun,
): AsyncGenerator<Bytes, DecryptStreamResult> {
  const request = { ...resolved, signal };
  const held: Bytes[] = [];
  let message: OpenedMessage | undefined;
  try {
    const header = await readHeader(input, request);
    checkSigned(header, request.signedStreams);
    message = await openMessage(header, request);
    const verifier = await beginToVerify(header, message, input);
    const shown = publicHeader(header, header.length);
    onHeader(shown);
    const open = header.contentType === 'framed' ? openFrames : openNonFramed;
    const body = open({ header, input, verifier, request, opener: message.opener });
    if (holdsAll(header, request)) await hold(body, held, request.maxHeldBytes);
    else held.push(yield* body);
    await readEnd(header, input, verifier);
    for (let piece = held.shift(); piece; piece = held.shift()) if (piece.length > 0) yield piece;
    return { header: shown, authenticatedContext: message.authenticatedContext };
  } finally {
    for (const unreleased of held) unreleased.fill(0);
    message?.opener.dispose();
    input.wipe();
  }
}

async function readHeader(input: ByteQueue, request: StreamRequest): Promise<ParsedHeader> {
  const { maxEncryptedDataKeys, maxHeaderLength } = request;
  const end = new HeaderEnd({ maxEncryptedDataKeys, maxLength: maxHeaderLength });
  while (end.find(input.bytes) === undefined && (await input.need(input.bytes.length + 1)));
  // A copy, because the header is needed for longer than the queue keeps it.
  return parseMessageHeader(copy(input.bytes.subarray(0, end.find(input.bytes))), maxEncryptedDataKeys);
}

function checkSigned({ suite }: ParsedHeader, signedStreams: SignedStreams): void {
  if (suite.signature === undefined || signedStreams !== 'refuse') return;
  throw new FramesealError(
    'UNSUPPORTED',
    `the message is signed (${suite.name}) and "signedStreams" is "refuse": decrypt it in one shot, or choose "hold-final-frame" or "hold-all"`,
  );
}

async function beginToVerify(
  header: ParsedHeader,
  { verificationKey }: OpenedMessage,
  input: ByteQueue,
): Promise<Verifier | undefined> {
  const { signature } = header.suite;
  const verifier = signature && (await nativeCrypto().verifier(signature, verificationKey!));
  verifier?.update(input.bytes.subarray(0, header.length));
  input.skip(header.length);
  return verifier;
}

interface BodyReader {
  readonly header: ParsedHeader;
  readonly opener: MessageOpener;
  readonly input: ByteQueue;
  readonly verifier: Verifier | undefined;
  readonly request: StreamRequest;
}

// Yields the regular frames in batches, and returns the final one.
async function* openFrames(reader: BodyReader): AsyncGenerator<Bytes, Bytes> {
  const { header, opener, input, verifier, request } = reader;
  const { frameLength } = header;
  const step = pace({ signal: request.signal, onProgress: request.onProgress });
  for (let done = 0; ; ) {
    const run = await nextFrames(input, header, 1 + done);
    const frames = input.bytes.subarray(0, run.length);
    const plaintext = new Uint8Array(run.regular * frameLength + (run.finalLength ?? 0));
    const opened = await opener.openFrames(run, 1 + done, frames, plaintext);
    const regular = Math.min(opened, run.regular);
    done += regular;
    if (regular > 0) yield moved(plaintext, 0, regular * frameLength);
    if (opened < run.regular + (run.finalLength === undefined ? 0 : 1)) throw authenticationFailed();
    verifier?.update(frames);
    input.skip(run.length);
    await step((done - run.regular) * frameLength + plaintext.length);
    if (run.finalLength !== undefined) return moved(plaintext, run.regular * frameLength, plaintext.length);
  }
}

// Waits for one whole frame at least.
async function nextFrames(input: ByteQueue, header: ParsedHeader, next: number): Promise<FrameRun> {
  const batch = batchFrames(header.frameLength);
  while (true) {
    const run = framesThere(input.bytes, next, header, batch);
    if (run.length > 0) return run;
    if (!(await input.need(input.bytes.length + 1))) throw truncatedBody(next - 1);
  }
}

// A malformed frame fails the message once those before it have been opened: the outcome is the same however it is cut.
function framesThere(bytes: Uint8Array, next: number, header: ParsedHeader, batch: number): FrameRun {
  try {
    return scanFrames(bytes, next, frameRules(header), batch);
  } catch {
    return scanFrames(bytes, next, frameRules(header), 1);
  }
}

// A part in a buffer of its own, and no longer in the other: what is released must not hold what is not.
function moved(bytes: Bytes, from: number, to: number): Bytes {
  if (from === 0 && to === bytes.length) return bytes;
  const part = bytes.slice(from, to);
  bytes.fill(0, from, to);
  return part;
}

// biome-ignore lint/correctness/useYield: it has the shape of `openFrames`, and one piece of plaintext, the last
async function* openNonFramed(reader: BodyReader): AsyncGenerator<Bytes, Bytes> {
  const { header, opener, input, verifier, request } = reader;
  await input.need(NON_FRAMED_START_LENGTH);
  const { length } = parseNonFramedStart(new Reader(input.bytes, header.length), request.maxFrameLength);
  await input.need(NON_FRAMED_OVERHEAD + length);
  const body = input.bytes.subarray(0, NON_FRAMED_OVERHEAD + length);
  const plaintext = await opener.openNonFramed(body, { ...request, total: length });
  verifier?.update(body);
  input.skip(body.length);
  return plaintext;
}

function holdsAll({ suite }: ParsedHeader, { signedStreams }: StreamRequest): boolean {
  return suite.signature !== undefined && signedStreams === 'hold-all';
}

async function hold(body: AsyncGenerator<Bytes, Bytes>, held: Bytes[], maxHeldBytes: number): Promise<void> {
  let length = 0;
  for (let done = false; !done; ) {
    const piece = await body.next();
    done = piece.done === true;
    length += piece.value.length;
    holdPiece(held, piece.value);
    if (length > maxHeldBytes) {
      throw new FramesealError(
        'LIMIT_EXCEEDED',
        `"hold-all" would hold ${length} bytes or more; maxHeldBytes is ${maxHeldBytes}: raise it, or choose "hold-final-frame"`,
      );
    }
  }
}

/** Bytes up to which held pieces are joined. */
const JOINED_PIECES = 2 ** 16;

// A piece costs more than a few bytes, and a message of tiny frames may come frame by frame: pieces are joined with what
// is at least as long behind them. So few are left, and each byte is moved 17 times at most.
function holdPiece(held: Bytes[], piece: Bytes): void {
  let from = held.length;
  let { length } = piece;
  for (let before = held[from - 1]; before && before.length <= length; before = held[from - 1]) {
    if (before.length + length > JOINED_PIECES) break;
    length += before.length;
    from--;
  }
  const parts = [...held.splice(from), piece];
  held.push(parts.length === 1 ? piece : concat(...parts));
  if (parts.length > 1) for (const part of parts) part.fill(0);
}

async function readEnd(
  { suite }: ParsedHeader,
  input: ByteQueue,
  verifier: Verifier | undefined,
): Promise<void> {
  const signature = verifier && (await readFooter(input));
  if (await input.need(1)) throw trailingBytes();
  if (verifier === undefined) return;
  const good = await encodedSignatureIsGood(suite.signature!, signature!, (rs) => verifier.verify(rs));
  if (!good) throw authenticationFailed();
}

async function readFooter(input: ByteQueue): Promise<Bytes> {
  const reader = async (length: number) => {
    await input.need(length); // what is missing is told by the parser
    return new Reader(input.bytes);
  };
  const length = (await reader(FOOTER_OVERHEAD)).u16('signature length');
  const signature = copy(parseFooter(await reader(FOOTER_OVERHEAD + length)));
  input.skip(FOOTER_OVERHEAD + length);
  return signature;
}
