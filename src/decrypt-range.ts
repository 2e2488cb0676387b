/**
 * Decrypt, a range: the header, and of the body only the frames that hold the range.
 *
 * Frames have one length, so the source's size and the header say where each one should lie; that it is the right one,
 * its authenticated sequence number says. Not part of the AWS Encryption SDK specification, whose message format
 * (`data-format/message-body.md`) allows it.
 */
import { type DecryptOptions, type DecryptRequest, openMessage, resolveDecrypt } from './begin-decrypt.ts';
import { allocate, type Bytes, copy, dataView, Reader } from './bytes.ts';
import { untilAborted } from './deadline.ts';
import { authenticationFailed, FramesealError, invalidArgument, kindOf } from './errors.ts';
import { HeaderEnd } from './format/header-end.ts';
import {
  FINAL_FRAME_HEADER_LENGTH,
  FINAL_FRAME_MARKER,
  FINAL_FRAME_OVERHEAD,
  FRAME_OVERHEAD,
  NON_FRAMED_OVERHEAD,
  NON_FRAMED_START_LENGTH,
  parseNonFramedStart,
  scanFrames,
} from './format/message-body.ts';
import { FOOTER_OVERHEAD } from './format/message-footer.ts';
import {
  type MessageHeader,
  type ParsedHeader,
  parseMessageHeader,
  publicHeader,
} from './format/message-header.ts';
import { checkInteger } from './options.ts';
import { frameRules, type MessageOpener } from './stream/message-opener.ts';
import { batchFrames, pace } from './stream/pace.ts';

/** Bytes that can be read from any place: a file, an object in a store, a resource behind HTTP. */
export interface RangeSource {
  /** Bytes in all. */
  readonly size: number;
  /** Exactly the bytes from `start` to `end`, which is exclusive. */
  read(start: number, end: number): Promise<Uint8Array>;
}

/** Options of {@link decryptRange}. */
export interface DecryptRangeOptions extends DecryptOptions {
  /** First byte of the plaintext. */
  readonly start: number;
  /** Behind the last byte of the plaintext. */
  readonly end: number;
  /** Required for signed messages, whose signature covers what a range does not read. */
  readonly allowUnverifiedSignature?: boolean | undefined;
}

/** What {@link decryptRange} answers. */
export interface DecryptRangeResult {
  /** Exactly the bytes of the range, each from an authentic frame. */
  readonly plaintext: Bytes;
  readonly header: MessageHeader;
  /** Whether the final frame was among those that were checked: only then is it known where the message ends. */
  readonly complete: boolean;
}

const NOTHING: Bytes = new Uint8Array(0);
const FIRST_READ = 4096;
/** A footer is this long at most: DER of a P-384 signature and its length field. */
const MAX_FOOTER_LENGTH = FOOTER_OVERHEAD + 104;

/**
 * Decrypts the plaintext bytes from `start` to `end`, and reads little more than the header and the frames that hold
 * them. A non-framed message is read as a whole. The answer is never short: a range that goes past the end is an error.
 *
 * The source must not change meanwhile: pin a version or an ETag. What it throws comes out as it is.
 * @throws FramesealError `INVALID_ARGUMENT`, also for a range past the end of the plaintext, and for a source that answers
 *   other than it was asked; `UNSUPPORTED` for a signed message without `allowUnverifiedSignature`; `TRUNCATED` when the
 *   source ends before the range; and what {@link decrypt} throws, but for what is not read.
 */
export async function decryptRange(
  source: Blob | RangeSource,
  options: DecryptRangeOptions,
): Promise<DecryptRangeResult> {
  const request = resolveDecrypt(options, ['start', 'end', 'allowUnverifiedSignature']);
  const range = resolveRange(options);
  const reader = checkSource(source, request.signal);
  const header = await readHeader(reader, request);
  checkSigned(header, range.allowUnverifiedSignature);
  const { opener } = await openMessage(header, request);
  try {
    const body = { reader, header, opener, request };
    const opened =
      header.contentType === 'framed' ? await openFrames(body, range) : await openWhole(body, range);
    return { ...opened, header: publicHeader(header, header.length) };
  } finally {
    opener.dispose();
  }
}

interface Range {
  readonly start: number;
  readonly end: number;
  readonly allowUnverifiedSignature: boolean;
}

interface BodyReader {
  readonly reader: RangeSource;
  readonly header: ParsedHeader;
  readonly opener: MessageOpener;
  readonly request: DecryptRequest;
}

type Opened = Omit<DecryptRangeResult, 'header'>;

function resolveRange(options: DecryptRangeOptions): Range {
  const { start, end, allowUnverifiedSignature = false } = options;
  checkInteger('start', start, 0, Number.MAX_SAFE_INTEGER);
  checkInteger('end', end, start, Number.MAX_SAFE_INTEGER);
  if (typeof allowUnverifiedSignature !== 'boolean')
    throw invalidArgument('allowUnverifiedSignature', 'true or false', kindOf(allowUnverifiedSignature));
  return { start, end, allowUnverifiedSignature };
}

// Reads end where the source does. Every answer is checked: one that is shorter or longer is not used.
function checkSource(source: Blob | RangeSource, signal: AbortSignal | undefined): RangeSource {
  const isBlob = typeof Blob !== 'undefined' && source instanceof Blob;
  if (!isBlob && typeof (source as RangeSource | null)?.read !== 'function')
    throw invalidArgument('source', 'a Blob, or an object with "size" and "read"', kindOf(source));
  const { size } = source;
  checkInteger('source.size', size, 0, Number.MAX_SAFE_INTEGER);
  const read = isBlob
    ? async (start: number, end: number) => new Uint8Array(await source.slice(start, end).arrayBuffer())
    : (start: number, end: number) => (source as RangeSource).read(start, end);
  return {
    size,
    read: async (start, end) => {
      const length = Math.min(end, size) - start;
      if (length <= 0) return NOTHING;
      const bytes = await untilAborted(signal, read(start, start + length));
      if (bytes instanceof Uint8Array && bytes.length === length) return bytes;
      throw invalidArgument('source', `to read ${length} bytes at offset ${start}`, kindOf(bytes));
    },
  };
}

async function readHeader(
  reader: RangeSource,
  { maxEncryptedDataKeys, maxHeaderLength }: DecryptRequest,
): Promise<ParsedHeader> {
  const end = new HeaderEnd({ maxEncryptedDataKeys, maxLength: maxHeaderLength });
  for (let length = FIRST_READ; ; length = Math.min(2 * length, maxHeaderLength)) {
    const bytes = await reader.read(0, length);
    if (end.find(bytes) !== undefined || bytes.length === reader.size)
      return parseMessageHeader(copy(bytes.subarray(0, end.find(bytes))), maxEncryptedDataKeys);
  }
}

function checkSigned({ suite }: ParsedHeader, allowed: boolean): void {
  if (suite.signature === undefined || allowed) return;
  throw new FramesealError(
    'UNSUPPORTED',
    `the message is signed (${suite.name}), and a range cannot verify the signature: pass "allowUnverifiedSignature" or decrypt all of it`,
  );
}

async function openWhole({ reader, header, opener, request }: BodyReader, range: Range): Promise<Opened> {
  const at = header.length;
  const start = await reader.read(at, at + NON_FRAMED_START_LENGTH);
  const { length } = parseNonFramedStart(new Reader(start, at), request.maxFrameLength);
  const whole = await opener.openNonFramed(await reader.read(at, at + NON_FRAMED_OVERHEAD + length), {});
  try {
    if (range.end > whole.length) throw pastTheEnd(range, whole.length);
    await paceOf(request, range)(range.end - range.start);
    return { plaintext: whole.slice(range.start, range.end), complete: true };
  } finally {
    whole.fill(0);
  }
}

async function openFrames(body: BodyReader, range: Range): Promise<Opened> {
  // No plaintext is longer than its message: nothing is allocated for a range that cannot be there.
  if (range.end > body.reader.size) throw await explain(missingFrame(body, range), body, range);
  const plaintext = allocate(range.end - range.start, 'a range');
  try {
    return { plaintext, complete: await openInto(plaintext, body, range) };
  } catch (error) {
    plaintext.fill(0);
    throw await explain(error, body, range);
  }
}

// Answers whether the final frame was among the frames of the range.
async function openInto(output: Bytes, body: BodyReader, range: Range): Promise<boolean> {
  const { frameLength } = body.header;
  const step = paceOf(body.request, range);
  const last = lastFrame(body, range);
  let next = Math.min(last, Math.floor(range.start / frameLength) + 1);
  while (true) {
    const run = await readRun(body, next, Math.min(last - next + 1, batchFrames(frameLength)));
    if (run === undefined) throw missingFrame(body, range);
    const from = (next - 1) * frameLength;
    const to = from + run.plaintext.length;
    const wanted = run.plaintext.subarray(Math.max(0, range.start - from), range.end - from);
    output.set(wanted, Math.max(0, from - range.start));
    run.plaintext.fill(0);
    if (run.final && to < range.end) throw pastTheEnd(range, to);
    await step(Math.min(to, range.end) - range.start);
    if (run.final) return true;
    next += run.regular;
    if (next > last) return range.end === last * frameLength && isEmptyFinalFrame(body, run.behind, next);
  }
}

// An empty range still has a frame that it lies in, or at the end of.
function lastFrame({ header }: BodyReader, { end }: Range): number {
  return Math.max(1, Math.ceil(end / header.frameLength));
}

interface OpenedRun {
  readonly plaintext: Bytes;
  readonly regular: number;
  readonly final: boolean;
  /** What was read behind the frames of the run. */
  readonly behind: Uint8Array;
}

// Reads and opens frames from number `first` on, at most `count`; `undefined` when not one whole frame is there.
async function readRun(body: BodyReader, first: number, count: number): Promise<OpenedRun | undefined> {
  const at = frameAt(body.header, first);
  // As much more as an empty final frame takes, which may follow; a final frame among them is longer by less.
  const length = count * (body.header.frameLength + FRAME_OVERHEAD) + FINAL_FRAME_OVERHEAD;
  return openRun(body, await body.reader.read(at, at + length), first, count);
}

async function openRun(
  { header, opener }: BodyReader,
  bytes: Uint8Array,
  first: number,
  count: number,
): Promise<OpenedRun | undefined> {
  const run = scanFrames(bytes, first, frameRules(header), count);
  if (run.length === 0) return undefined;
  const { regular, finalLength } = run;
  const final = finalLength !== undefined;
  const plaintext = allocate(regular * header.frameLength + (finalLength ?? 0), 'plaintext');
  const opened = await opener.openFrames(run, first, bytes.subarray(0, run.length), plaintext);
  if (opened === regular + (final ? 1 : 0))
    return { plaintext, regular, final, behind: bytes.subarray(run.length) };
  plaintext.fill(0);
  throw authenticationFailed();
}

// Other writers put an empty final frame behind a last full one. What says that it is one must be authentic; anything else
// behind the range is of no concern.
async function isEmptyFinalFrame(body: BodyReader, bytes: Uint8Array, number: number): Promise<boolean> {
  if (bytes.length < FINAL_FRAME_OVERHEAD) return false;
  const view = dataView(bytes);
  const says =
    view.getUint32(0) === FINAL_FRAME_MARKER && view.getUint32(FINAL_FRAME_HEADER_LENGTH - 4) === 0;
  return says && (await openRun(body, bytes, number, 1)) !== undefined;
}

// When a frame of the range is not there, or another is in its place: the message may end before.
async function explain(error: unknown, body: BodyReader, range: Range): Promise<unknown> {
  if (!(error instanceof FramesealError) || !['TRUNCATED', 'INVALID_MESSAGE'].includes(error.code))
    return error;
  const length = await plaintextLength(body);
  if (length === undefined) return missingFrame(body, range);
  return length < range.end ? pastTheEnd(range, length) : error;
}

// Bytes of the whole plaintext, if an authentic final frame is at the end of the source.
async function plaintextLength(body: BodyReader): Promise<number | undefined> {
  const { reader, header } = body;
  const frameBytes = header.frameLength + FRAME_OVERHEAD;
  const behind = reader.size - header.length - FINAL_FRAME_OVERHEAD - MAX_FOOTER_LENGTH;
  const earliest = Math.max(1, Math.ceil((behind - header.frameLength) / frameBytes) + 1);
  const count = Math.ceil((reader.size - frameAt(header, earliest)) / frameBytes);
  const run = count > 0 ? await readRun(body, earliest, count) : undefined;
  run?.plaintext.fill(0);
  return run?.final ? (earliest - 1) * header.frameLength + run.plaintext.length : undefined;
}

function paceOf({ signal, onProgress }: DecryptRequest, { start, end }: Range): ReturnType<typeof pace> {
  return pace({ signal, onProgress, total: end - start });
}

function frameAt({ length, frameLength }: ParsedHeader, number: number): number {
  return length + (number - 1) * (frameLength + FRAME_OVERHEAD);
}

function missingFrame(body: BodyReader, range: Range): FramesealError {
  return new FramesealError(
    'TRUNCATED',
    `the source ends before the message does: the range needs frame ${lastFrame(body, range)}, and no final frame is at the end of the source`,
  );
}

function pastTheEnd({ end }: Range, length: number): FramesealError {
  return invalidArgument('end', `at most the plaintext's length, ${length}`, String(end));
}
