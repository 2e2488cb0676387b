/**
 * Streams in tests: what goes in, cut in any way; what comes out; and whether that is what one shot makes of it.
 */
import { concat } from '../../src/bytes.ts';
import {
  type Bytes,
  type DecryptOptions,
  type DecryptResult,
  type DecryptStreamOptions,
  decrypt,
  decryptStream,
  type FramesealError,
  type MessageHeader,
  type MessageStream,
  parseHeader,
} from '../../src/index.ts';
import { sameBytes } from './vectors-tally.ts';

/** A way to cut bytes into the pieces of a stream. */
export type Cut = (bytes: Uint8Array) => Iterable<Uint8Array>;

/** One piece. */
export const whole: Cut = (bytes) => [bytes];

/** Pieces of this many bytes. */
export function every(length: number): Cut {
  return function* (bytes) {
    for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
  };
}

/** Pieces of random lengths, most of them short and some of them empty; the same seed, the same pieces. */
export function randomly(seed: number): Cut {
  return function* (bytes) {
    const draw = randomNumbers(seed);
    for (let at = 0; at < bytes.length; ) {
      const most = [1, 8, 64, 1024, bytes.length][draw(5)]!;
      const end = at + draw(most + 1);
      yield bytes.subarray(at, end);
      at = end;
    }
  };
}

/** Whole numbers below a bound, by Park and Miller's generator; the same seed, the same numbers. */
export function randomNumbers(seed: number): (below: number) => number {
  let state = (Math.abs(seed) % 2147483646) + 1;
  const draw = (below: number) => {
    state = (state * 48271) % 2147483647;
    return state % below;
  };
  for (let i = 0; i < 3; i++) draw(1); // the first numbers of small seeds are small
  return draw;
}

/** All bytes of a stream. */
export async function collect(readable: ReadableStream<Uint8Array>): Promise<Bytes> {
  const pieces: Uint8Array[] = [];
  for await (const piece of readable as unknown as AsyncIterable<Uint8Array>) pieces.push(piece);
  return concat(...pieces);
}

/** An ArrayBuffer that can change its length: ECMAScript 2024, above the language level of the project. */
export interface ResizableBuffer extends ArrayBuffer {
  resize(length: number): void;
}

/** A buffer of this length, which may grow to `maxLength`. */
export function resizable(length: number, maxLength: number): ResizableBuffer {
  const Resizable = ArrayBuffer as unknown as new (
    length: number,
    options: { readonly maxByteLength: number },
  ) => ResizableBuffer;
  return new Resizable(length, { maxByteLength: maxLength });
}

/** What became of a stream. */
export interface StreamOutcome<Result> {
  /** What was read before it ended. */
  readonly pieces: readonly Bytes[];
  readonly bytes: Bytes;
  readonly header: MessageHeader | undefined;
  /** `undefined` after a failure. */
  readonly result: Result | undefined;
  /** `undefined` after success. */
  readonly error: FramesealError | undefined;
}

/**
 * Writes all pieces and reads all that comes, as fast as the stream lets it. Fails when its ends disagree on how it
 * ended: reader, writer, result, and header, which may have been known before.
 */
export async function through<Result>(
  stream: MessageStream<Result>,
  input: Iterable<Uint8Array>,
): Promise<StreamOutcome<Result>> {
  const pieces: Bytes[] = [];
  const writer = stream.writable.getWriter();
  const writing = settled(writeAll(writer, input));
  const reading = await settled(readAll(stream.readable.getReader(), pieces));
  await writing; // `close` of a stream that has failed says that it is closed; `closed` says why
  const ends = [reading, await settled(writer.closed), await settled(stream.result)];
  const header = await settled(stream.header);
  const { failed, error } = ends[0]!;
  const other = ends.find((end) => end.failed !== failed || end.error !== error);
  if (other) throw new Error(`the ends differ: reader ${String(error)}, other end ${String(other.error)}`);
  if (header.failed && header.error !== error) throw new Error(`header failed with ${String(header.error)}`);
  return {
    pieces,
    bytes: concat(...pieces),
    header: header.value,
    result: ends[2]!.value as Result | undefined,
    error: error as FramesealError | undefined,
  };
}

interface Settled<T> {
  readonly failed: boolean;
  readonly value?: T;
  readonly error?: unknown;
}

function settled<T>(work: Promise<T>): Promise<Settled<T>> {
  return work.then(
    (value) => ({ failed: false, value }),
    (error: unknown) => ({ failed: true, error }),
  );
}

async function writeAll(
  writer: WritableStreamDefaultWriter<BufferSource>,
  input: Iterable<Uint8Array>,
): Promise<void> {
  for (const piece of input) await writer.write(piece as Bytes);
  await writer.close();
}

async function readAll(reader: ReadableStreamDefaultReader<Bytes>, pieces: Bytes[]): Promise<void> {
  for (let next = await reader.read(); !next.done; next = await reader.read()) pieces.push(next.value);
}

/** What one shot makes of a message. */
export interface OneShot {
  readonly opened?: DecryptResult;
  readonly error?: FramesealError;
}

/** Decrypts in one shot. Anything but a FramesealError is thrown. */
export async function inOneShot(message: Uint8Array, options: DecryptOptions): Promise<OneShot> {
  try {
    return { opened: await decrypt(message, options) };
  } catch (error) {
    if ((error as Error).constructor.name !== 'FramesealError') throw error;
    return { error: error as FramesealError };
  }
}

/**
 * Decrypts a message in pieces, and fails unless the outcome is that of one shot: the same plaintext, header and context,
 * or an error. What a stream releases must be whole frames, none of them empty.
 * @returns what was released before the error, and the error.
 */
export async function streamed(
  message: Uint8Array,
  options: DecryptStreamOptions,
  cut: Cut,
  { opened, error }: OneShot,
): Promise<StreamOutcome<unknown>> {
  const outcome = await through(decryptStream(options), cut(message));
  if (opened && outcome.error) throw new Error(`in one shot it opens; streamed: ${outcome.error.message}`);
  if (error && !outcome.error) throw new Error(`in one shot ${error.code}; streamed it opens`);
  if (outcome.pieces.some(({ length }) => length === 0)) throw new Error('an empty piece was released');
  checkFrames(outcome, opened);
  if (!opened) return outcome;
  sameBytes(outcome.bytes, opened.plaintext, 'plaintext');
  const [got, expected] = [outcome.result, opened].map((one) => {
    const { header, authenticatedContext } = one as DecryptResult;
    return JSON.stringify({ header, authenticatedContext });
  });
  if (got !== expected) throw new Error(`header and context: expected ${expected}, got ${got}`);
  return outcome;
}

// Only the last piece of a message that is right may end with a part of a frame: its final frame.
function checkFrames({ pieces, header }: StreamOutcome<unknown>, opened: DecryptResult | undefined): void {
  if (pieces.length > 0 && !header) throw new Error('plaintext was released before the header was known');
  const frameLength = header?.contentType === 'framed' ? header.frameLength : Number.POSITIVE_INFINITY;
  const regular = opened ? pieces.slice(0, -1) : pieces;
  const part = regular.find(({ length }) => length % frameLength !== 0);
  if (part) throw new Error(`${part.length} bytes were released of frames of ${frameLength}`);
}

/** How many bytes of a framed body are in regular frames: what may be released before the end is known to be right. */
export function regularBytes(message: Uint8Array, plaintextLength: number): number {
  const { frameLength, contentType } = parseHeader(message);
  if (contentType === 'non-framed' || plaintextLength === 0) return 0;
  return (Math.ceil(plaintextLength / frameLength) - 1) * frameLength;
}
