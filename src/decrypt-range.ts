/**
 * Decrypt, a range: the header, and of the body only the frames that hold the range.
 *
 * Frames have one length, so the source's size and the header say where each one should lie; that it is the right one,
 * its authenticated sequence number says. Not part of the AWS Encryption SDK specification, whose message format
 * (`data-format/message-body.md`) allows it.
 */
import { type DecryptOptions, type DecryptRequest, openMessage, resolveDecrypt } from './begin-decrypt.ts';
import { type Bytes, copy } from './bytes.ts';
import { authenticationFailed, FramesealError, invalidArgument, kindOf } from './errors.ts';
import { HeaderEnd } from './format/header-end.ts';
import {
  FINAL_FRAME_OVERHEAD,
  FRAME_OVERHEAD,
  NON_FRAMED_OVERHEAD,
  scanFrames,
  truncatedBody,
} from './format/message-body.ts';
import { FOOTER_OVERHEAD } from './format/message-footer.ts';
import {
  type MessageHeader,
  type ParsedHeader,
  parseMessageHeader,
  publicHeader,
} from './format/message-header.ts';
import { checkInteger } from './options.ts';
import { frameRules, locateBody, type MessageOpener } from './stream/message-opener.ts';
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
  /** Bytes of a header that are read at most; default 4 MiB. */
  readonly maxHeaderLength?: number | undefined;
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
const DEFAULT_MAX_HEADER_LENGTH = 4 * 2 ** 20;
/** A footer is this long at most: DER of a P-384 signature and its length field. */
const MAX_FOOTER_LENGTH = FOOTER_OVERHEAD + 104;

/**
 * Decrypts the plaintext bytes from `start` to `end`, and reads little more than the header and the frames that hold
 * them. A non-framed message is read as a whole. The answer is never short: a range that goes past the end is an error.
 *
 * The source must not change meanwhile: pin a version or an ETag.
 * @throws FramesealError `INVALID_ARGUMENT`, also for a range past the end of the plaintext; `UNSUPPORTED` for a signed
 *   message without `allowUnverifiedSignature`; and what {@link decrypt} throws, but for what it does not read.
 */
export async function decryptRange(
  source: Blob | RangeSource,
  options: DecryptRangeOptions,
): Promise<DecryptRangeResult> {
  const request = resolveDecrypt(options, ['start', 'end', 'allowUnverifiedSignature']);
  const range = resolveRange(options);
  const reader = checkSource(source);
  const header = await readHeader(reader, range.maxHeaderLength, request);
  checkSigned(header, options.allowUnverifiedSignature);
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
  readonly maxHeaderLength: number;
}

interface BodyReader {
  readonly reader: RangeSource;
  readonly header: ParsedHeader;
  readonly opener: MessageOpener;
  readonly request: DecryptRequest;
}

type Opened = Omit<DecryptRangeResult, 'header'>;

function resolveRange(options: DecryptRangeOptions): Range {
  const { start, end, allowUnverifiedSignature, maxHeaderLength = DEFAULT_MAX_HEADER_LENGTH } = options;
  checkInteger('start', start, 0, Number.MAX_SAFE_INTEGER);
  checkInteger('end', end, start, Number.MAX_SAFE_INTEGER);
  checkInteger('maxHeaderLength', maxHeaderLength, 1, Number.MAX_SAFE_INTEGER);
  if (allowUnverifiedSignature !== undefined && typeof allowUnverifiedSignature !== 'boolean')
    throw invalidArgument('allowUnverifiedSignature', 'true or false', kindOf(allowUnverifiedSignature));
  return { start, end, maxHeaderLength };
}

// Reads end where the source does. Every answer is checked: one that is shorter or longer is not used.
function checkSource(source: Blob | RangeSource): RangeSource {
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
      const bytes = await read(start, start + length);
      if (bytes instanceof Uint8Array && bytes.length === length) return bytes;
      throw invalidArgument('source', `to read ${length} bytes at offset ${start}`, kindOf(bytes));
    },
  };
}

async function readHeader(
  reader: RangeSource,
  maxLength: number,
  { maxEncryptedDataKeys }: DecryptRequest,
): Promise<ParsedHeader> {
  const end = new HeaderEnd({ maxEncryptedDataKeys, maxLength });
  for (let length = FIRST_READ; ; length *= 2) {
    const bytes = await reader.read(0, length);
    if (end.find(bytes) !== undefined || bytes.length === reader.size)
      return parseMessageHeader(copy(bytes.subarray(0, end.find(bytes))), maxEncryptedDataKeys);
  }
}

function checkSigned({ suite }: ParsedHeader, allowed: boolean | undefined): void {
  if (suite.signature === undefined || allowed) return;
  throw new FramesealError(
    'UNSUPPORTED',
    `the message is signed (${suite.name}), and a range cannot verify the signature: pass "allowUnverifiedSignature" or decrypt all of it`,
  );
}

async function openWhole({ reader, header, opener, request }: BodyReader, range: Range): Promise<Opened> {
  const longest = header.length + NON_FRAMED_OVERHEAD + request.maxFrameLength;
  const bytes = await reader.read(header.length, longest);
  const body = locateBody(header, bytes, request.maxFrameLength);
  const plaintext = await opener.openBody(body, bytes, { ...request, total: body.plaintextLength });
  if (range.end > plaintext.length) throw pastTheEnd(range, plaintext.length);
  return { plaintext: plaintext.slice(range.start, range.end), complete: true };
}

async function openFrames(body: BodyReader, range: Range): Promise<Opened> {
  const plaintext = allocate(range.end - range.start);
  try {
    return { plaintext, complete: await openInto(plaintext, body, range) };
  } catch (error) {
    plaintext.fill(0);
    throw error;
  }
}

// Answers whether the final frame was among the frames of the range.
async function openInto(output: Bytes, body: BodyReader, range: Range): Promise<boolean> {
  const { frameLength } = body.header;
  const { signal, onProgress } = body.request;
  const step = pace({ signal, onProgress, total: output.length });
  // An empty range still has a frame that it lies in, or at the end of.
  const last = Math.max(1, Math.ceil(range.end / frameLength));
  let next = Math.min(last, Math.floor(range.start / frameLength) + 1);
  while (next <= last) {
    const run = await openRun(body, next, Math.min(last - next + 1, batchFrames(frameLength)));
    if (run === undefined) throw await notThere(body, range);
    const from = (next - 1) * frameLength;
    const to = from + run.plaintext.length;
    if (run.final && to < range.end) throw pastTheEnd(range, to);
    const wanted = run.plaintext.subarray(Math.max(0, range.start - from), range.end - from);
    output.set(wanted, Math.max(0, from - range.start));
    run.plaintext.fill(0);
    await step(Math.min(to, range.end) - range.start);
    if (run.final) return true;
    next += run.regular;
  }
  return range.end === last * frameLength && hasEmptyFinalFrame(body, last + 1);
}

interface OpenedRun {
  readonly plaintext: Bytes;
  readonly regular: number;
  readonly final: boolean;
}

// Reads and opens frames from number `first` on, at most `count`; `undefined` when not one whole frame is there.
async function openRun(
  { reader, header, opener }: BodyReader,
  first: number,
  count: number,
): Promise<OpenedRun | undefined> {
  const { frameLength } = header;
  const at = frameAt(header, first);
  // The final frame is longer than the others by what its overhead is larger.
  const length = count * (frameLength + FRAME_OVERHEAD) + FINAL_FRAME_OVERHEAD - FRAME_OVERHEAD;
  const bytes = await reader.read(at, at + length);
  const run = scanFrames(bytes, first, frameRules(header), count);
  if (run.length === 0) return undefined;
  const final = run.finalLength !== undefined;
  const plaintext = allocate(run.regular * frameLength + (run.finalLength ?? 0));
  const opened = await opener.openFrames(run, first, bytes.subarray(0, run.length), plaintext);
  if (opened === run.regular + (final ? 1 : 0)) return { plaintext, regular: run.regular, final };
  plaintext.fill(0);
  throw authenticationFailed();
}

// Other writers put an empty final frame behind a last full one.
async function hasEmptyFinalFrame(body: BodyReader, number: number): Promise<boolean> {
  const at = frameAt(body.header, number);
  const bytes = await body.reader.read(at, at + FINAL_FRAME_OVERHEAD);
  const { finalLength } = scanFrames(bytes, number, frameRules(body.header), 1);
  return finalLength === 0 && (await openRun(body, number, 1)) !== undefined;
}

// A frame of the range is not in the source. If an authentic final frame is, before it, the range was wrong.
async function notThere(body: BodyReader, range: Range): Promise<FramesealError> {
  const { reader, header } = body;
  const frameBytes = header.frameLength + FRAME_OVERHEAD;
  const behind = reader.size - header.length - FINAL_FRAME_OVERHEAD - MAX_FOOTER_LENGTH;
  const earliest = Math.max(1, Math.ceil((behind - header.frameLength) / frameBytes) + 1);
  const count = Math.ceil((reader.size - frameAt(header, earliest)) / frameBytes);
  const end = count > 0 ? await openRun(body, earliest, count) : undefined;
  if (!end?.final) return truncatedBody(earliest - 1 + (end?.regular ?? 0));
  return pastTheEnd(range, (earliest - 1) * header.frameLength + end.plaintext.length);
}

function frameAt({ length, frameLength }: ParsedHeader, number: number): number {
  return length + (number - 1) * (frameLength + FRAME_OVERHEAD);
}

function pastTheEnd({ end }: Range, length: number): FramesealError {
  return invalidArgument('end', `at most the plaintext's length, ${length}`, String(end));
}

function allocate(length: number): Bytes {
  try {
    return new Uint8Array(length);
  } catch (cause) {
    throw new FramesealError('LIMIT_EXCEEDED', `${length} bytes do not fit into one buffer here`, { cause });
  }
}
