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
  FRAME_OVERHEAD,
  type FrameRun,
  NON_FRAMED_OVERHEAD,
  NON_FRAMED_START_LENGTH,
  parseNonFramedBody,
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
}

/** What {@link decryptStream} answers in the end. */
export interface DecryptStreamResult {
  readonly header: MessageHeader;
  /** The full context that was authenticated: stored pairs, and required pairs that the caller reproduced. */
  readonly authenticatedContext: Context;
}

/** A request whose options have been checked. */
export interface DecryptStreamRequest extends DecryptRequest {
  readonly signedStreams: SignedStreams;
  readonly maxHeldBytes: number;
}

const CHOICES: readonly string[] = ['hold-final-frame', 'hold-all', 'refuse'];
const DEFAULT_MAX_HELD_BYTES = 64 * 2 ** 20;

/**
 * Decrypts a stream. What is released are whole frames in order; a failure says that what was read so far must not be
 * used, or only as a prefix. Memory: a few frames, at least some hundred KiB; a non-framed body as a whole.
 * @throws FramesealError at once: `INVALID_ARGUMENT`, `UNSUPPORTED`, `ABORTED`. Both streams, `header` and `result` fail
 *   with the same and what {@link decrypt} throws; with the writer's own reason when it aborts, and with `ABORTED` when
 *   the reader cancels without one.
 */
export function decryptStream(options: DecryptStreamOptions): MessageStream<DecryptStreamResult> {
  const request = resolveDecryptStream(options);
  return messageStream((run) => readMessage(request, run), request.signal);
}

/** @throws FramesealError as {@link decryptStream} at once */
export function resolveDecryptStream(
  options: DecryptStreamOptions,
  further: readonly string[] = [],
): DecryptStreamRequest {
  const request = resolveDecrypt(options, further);
  const { signedStreams = 'hold-final-frame', maxHeldBytes = DEFAULT_MAX_HELD_BYTES } = options;
  if (!CHOICES.includes(signedStreams))
    throw invalidArgument('signedStreams', `one of ${CHOICES.join(', ')}`, quote(signedStreams));
  checkInteger('maxHeldBytes', maxHeldBytes, 0, Number.MAX_SAFE_INTEGER);
  return { ...request, signedStreams, maxHeldBytes };
}

/**
 * The plaintext of a message, as it may be released.
 * @param onOpened is waited for when the header is authentic; the data key, which it is given, is wiped in the end.
 */
export async function* readMessage(
  resolved: DecryptStreamRequest,
  { input, signal, onHeader }: MessageRun,
  onOpened?: (header: ParsedHeader, message: OpenedMessage) => Promise<void>,
): AsyncGenerator<Bytes, DecryptStreamResult> {
  const request = { ...resolved, signal };
  const held: Bytes[] = [];
  let message: OpenedMessage | undefined;
  try {
    const header = await readHeader(input, request);
    checkSigned(header, request.signedStreams);
    message = await openMessage(header, request, onOpened !== undefined);
    await onOpened?.(header, message);
    const verifier = await beginToVerify(header, message, input);
    const shown = publicHeader(header, header.length);
    onHeader(shown);
    const open = header.contentType === 'framed' ? openFrames : openNonFramed;
    const body = open({ header, input, verifier, request, opener: message.opener });
    const last = holdsAll(header, request) ? await hold(body, held, request.maxHeldBytes) : yield* body;
    // As in one shot: the structure of all that is left, then its tag, then the signature.
    const signature = await readEnd(header, input, last.length);
    const bytes = input.bytes.subarray(0, last.length);
    held.push(await last.open(bytes));
    verifier?.update(bytes);
    await checkSignature(header, verifier, signature);
    for (let piece = held.shift(); piece; piece = held.shift()) if (piece.length > 0) yield piece;
    return { header: shown, authenticatedContext: message.authenticatedContext };
  } finally {
    for (const unreleased of held) unreleased.fill(0);
    message?.opener.dispose();
    message?.dataKey?.dispose();
    input.wipe();
  }
}

/** Waits for a whole header, and parses it. @throws FramesealError as {@link decryptStream} for a header */
export async function readHeader(input: ByteQueue, request: DecryptStreamRequest): Promise<ParsedHeader> {
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
  readonly request: DecryptStreamRequest;
}

/** The final frame or a non-framed body: found, and not yet opened. */
interface LastPart {
  /** Bytes at the front of the queue. */
  readonly length: number;
  readonly plaintextLength: number;
  /** @throws FramesealError `AUTHENTICATION_FAILED` */
  open(bytes: Uint8Array): Promise<Bytes>;
}

// Yields the regular frames in batches, and returns the final one.
async function* openFrames(reader: BodyReader): AsyncGenerator<Bytes, LastPart> {
  const { header, opener, input, verifier, request } = reader;
  const { frameLength } = header;
  const step = pace({ signal: request.signal, onProgress: request.onProgress });
  for (let done = 0; ; ) {
    const run = await nextFrames(input, header, 1 + done);
    if (run.regular === 0) return finalFrame(reader, run, done, step);
    const length = run.regular * (frameLength + FRAME_OVERHEAD);
    const frames = input.bytes.subarray(0, length);
    const plaintext = new Uint8Array(run.regular * frameLength);
    const regular = { regular: run.regular, finalLength: undefined, length };
    const opened = await opener.openFrames(regular, 1 + done, frames, plaintext);
    done += opened;
    if (opened > 0) yield moved(plaintext, 0, opened * frameLength);
    if (opened < run.regular) throw authenticationFailed();
    verifier?.update(frames);
    input.skip(length);
    await step(done * frameLength);
  }
}

function finalFrame(
  { header, opener }: BodyReader,
  run: FrameRun,
  done: number,
  step: ReturnType<typeof pace>,
): LastPart {
  const plaintextLength = run.finalLength!;
  const open = async (bytes: Uint8Array) => {
    const plaintext = new Uint8Array(plaintextLength);
    if ((await opener.openFrames(run, 1 + done, bytes, plaintext)) !== 1) throw authenticationFailed();
    await step(done * header.frameLength + plaintextLength);
    return plaintext;
  };
  return { length: run.length, plaintextLength, open };
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

async function* openNonFramed(reader: BodyReader): AsyncGenerator<Bytes, LastPart> {
  const { header, opener, input, request } = reader;
  await input.need(NON_FRAMED_START_LENGTH);
  const { length } = parseNonFramedStart(new Reader(input.bytes, header.length), request.maxFrameLength);
  const whole = NON_FRAMED_OVERHEAD + length;
  if (!(await input.need(whole))) parseNonFramedBody(new Reader(input.bytes, header.length), length); // throws
  const open = (bytes: Uint8Array) => opener.openNonFramed(bytes, { ...request, total: length });
  return { length: whole, plaintextLength: length, open };
}

function holdsAll({ suite }: ParsedHeader, { signedStreams }: DecryptStreamRequest): boolean {
  return suite.signature !== undefined && signedStreams === 'hold-all';
}

async function hold(
  body: AsyncGenerator<Bytes, LastPart>,
  held: Bytes[],
  maxHeldBytes: number,
): Promise<LastPart> {
  for (let length = 0; ; ) {
    const { done, value } = await body.next();
    length += done ? value.plaintextLength : value.length;
    if (!done) holdPiece(held, value);
    if (length > maxHeldBytes) {
      throw new FramesealError(
        'LIMIT_EXCEEDED',
        `"hold-all" would hold ${length} bytes or more; maxHeldBytes is ${maxHeldBytes}: raise it, or choose "hold-final-frame"`,
      );
    }
    if (done) return value;
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

// The signature, if the suite has one, behind the first `at` bytes of the queue; nothing may follow.
async function readEnd({ suite }: ParsedHeader, input: ByteQueue, at: number): Promise<Bytes | undefined> {
  let end = at;
  let signature: Bytes | undefined;
  if (suite.signature !== undefined) {
    const reader = async (length: number) => {
      await input.need(at + length); // what is missing is told by the parser
      return new Reader(input.bytes.subarray(at));
    };
    const length = (await reader(FOOTER_OVERHEAD)).u16('signature length');
    signature = copy(parseFooter(await reader(FOOTER_OVERHEAD + length)));
    end += FOOTER_OVERHEAD + length;
  }
  if (await input.need(end + 1)) throw trailingBytes();
  return signature;
}

async function checkSignature(
  { suite }: ParsedHeader,
  verifier: Verifier | undefined,
  signature: Bytes | undefined,
): Promise<void> {
  if (verifier === undefined) return;
  const good = await encodedSignatureIsGood(suite.signature!, signature!, (rs) => verifier.verify(rs));
  if (!good) throw authenticationFailed();
}
