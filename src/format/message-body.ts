/**
 * The message body: where frames begin and end. Parse and sizes, no cryptography.
 *
 * ```
 * regular frame:            sequence number 4 | IV 12 |                    ciphertext, frame length | tag 16
 * final frame:   ffffffff | sequence number 4 | IV 12 | content length 4 | ciphertext, that length  | tag 16
 * non-framed:                                   IV 12 | content length 8 | ciphertext, that length  | tag 16
 * ```
 * Sequence numbers begin at 1 and count up by 1; the final frame holds 0 to frame length bytes.
 * Source: AWS Encryption SDK specification, `data-format/message-body.md`.
 */
import { dataView, type Reader } from '../bytes.ts';
import { FramesealError } from '../errors.ts';
import { IV_LENGTH, TAG_LENGTH } from '../suite/algorithm-suites.ts';

/** Marks the final frame; so it is no regular frame's sequence number. */
export const FINAL_FRAME_MARKER = 0xffff_ffff;
/** Frames of a message, the final one included. */
export const MAX_FRAMES = 0xffff_ffff;
/** The largest frame length that we write: Python's SDK reads no longer ones. */
export const MAX_FRAME_LENGTH = 0x7fff_ffff;
/** Plaintext bytes of a non-framed body: the limit of one AES-GCM call. */
export const MAX_NON_FRAMED_LENGTH: number = 2 ** 36 - 32;

/** Bytes before the ciphertext of a regular frame. */
export const FRAME_HEADER_LENGTH: number = 4 + IV_LENGTH;
/** Bytes before the ciphertext of the final frame. */
export const FINAL_FRAME_HEADER_LENGTH: number = 4 + 4 + IV_LENGTH + 4;
/** Bytes that a regular frame adds to its plaintext. */
export const FRAME_OVERHEAD: number = FRAME_HEADER_LENGTH + TAG_LENGTH;
/** Bytes that the final frame adds to its plaintext. */
export const FINAL_FRAME_OVERHEAD: number = FINAL_FRAME_HEADER_LENGTH + TAG_LENGTH;

/** Regular frames of a message as we write it: the last full frame is the final frame. */
export function regularFrames(plaintextLength: number, frameLength: number): number {
  return plaintextLength === 0 ? 0 : Math.ceil(plaintextLength / frameLength) - 1;
}

/** Bytes of a framed body as we write it. */
export function bodyLength(plaintextLength: number, frameLength: number): number {
  return (
    plaintextLength + regularFrames(plaintextLength, frameLength) * FRAME_OVERHEAD + FINAL_FRAME_OVERHEAD
  );
}

/** A run of whole frames found by {@link scanFrames}. */
export interface FrameRun {
  /** Regular frames in the run. */
  readonly regular: number;
  /** Plaintext bytes of the final frame, if the run ends with it. */
  readonly finalLength: number | undefined;
  /** Bytes of the whole run. */
  readonly length: number;
}

/** How a message's frames must look. */
export interface FrameRules {
  readonly frameLength: number;
  /** Version 2 frames carry their sequence number as IV; version 1 frames may carry any IV, which is then used. */
  readonly ivIsSequenceNumber: boolean;
}

/**
 * Finds the whole frames at the start of `bytes` and checks their structure: order, IV, final length. Stops after
 * the final frame, at the first incomplete frame, or after `maxFrames`.
 * @param next the sequence number that must come first.
 * @throws FramesealError `INVALID_MESSAGE`
 */
export function scanFrames(
  bytes: Uint8Array,
  next: number,
  rules: FrameRules,
  maxFrames: number = MAX_FRAMES,
): FrameRun {
  const view = dataView(bytes);
  const frameBytes = rules.frameLength + FRAME_OVERHEAD;
  let at = 0;
  let regular = 0;
  while (regular < maxFrames && bytes.length - at >= 4) {
    const sequenceNumber = next + regular;
    if (view.getUint32(at) === FINAL_FRAME_MARKER) {
      const finalLength = scanFinalFrame(view, at, sequenceNumber, rules);
      if (finalLength === undefined) break;
      return { regular, finalLength, length: at + finalLength + FINAL_FRAME_OVERHEAD };
    }
    checkSequenceNumber(view.getUint32(at), sequenceNumber);
    if (bytes.length - at < frameBytes) break;
    checkIv(view, at + 4, sequenceNumber, rules);
    at += frameBytes;
    regular++;
  }
  return { regular, finalLength: undefined, length: at };
}

/** Bytes before the ciphertext of a non-framed body. */
export const NON_FRAMED_START_LENGTH: number = IV_LENGTH + 8;
/** Bytes that a non-framed body adds to its plaintext. */
export const NON_FRAMED_OVERHEAD: number = NON_FRAMED_START_LENGTH + TAG_LENGTH;

/** A non-framed body. */
export interface NonFramedBody {
  readonly iv: Uint8Array;
  /** Ciphertext and tag. */
  readonly sealed: Uint8Array;
}

/**
 * Parses a non-framed body.
 * @throws FramesealError `TRUNCATED`; `INVALID_MESSAGE` above the format's length; `LIMIT_EXCEEDED` above `maxLength`.
 */
export function parseNonFramedBody(reader: Reader, maxLength: number): NonFramedBody {
  const { iv, length } = parseNonFramedStart(reader, maxLength);
  return { iv, sealed: reader.take(length + TAG_LENGTH, 'body') };
}

/**
 * Parses what stands before the ciphertext of a non-framed body: the IV, and how many bytes of plaintext there are.
 * @throws FramesealError `TRUNCATED`; `INVALID_MESSAGE` above the format's length; `LIMIT_EXCEEDED` above `maxLength`.
 */
export function parseNonFramedStart(reader: Reader, maxLength: number): { iv: Uint8Array; length: number } {
  const iv = reader.take(IV_LENGTH, 'body IV');
  const length = reader.u64('content length');
  if (length > MAX_NON_FRAMED_LENGTH) {
    throw new FramesealError(
      'INVALID_MESSAGE',
      `the body claims ${length} bytes; a non-framed body has at most 2^36 - 32`,
    );
  }
  if (length > maxLength) {
    throw new FramesealError(
      'LIMIT_EXCEEDED',
      `the non-framed body has ${length} bytes; maxFrameLength is ${maxLength}`,
    );
  }
  return { iv, length: Number(length) };
}

/** What is wrong with a framed body that ends before its final frame. */
export function truncatedBody(frames: number): FramesealError {
  return new FramesealError(
    'TRUNCATED',
    `the message ends before its final frame: ${frames} whole frames, then too few bytes`,
  );
}

// The final frame's plaintext length; undefined while the frame is incomplete.
function scanFinalFrame(
  view: DataView,
  at: number,
  sequenceNumber: number,
  rules: FrameRules,
): number | undefined {
  const left = view.byteLength - at;
  if (left < FINAL_FRAME_HEADER_LENGTH) return undefined;
  checkSequenceNumber(view.getUint32(at + 4), sequenceNumber);
  checkIv(view, at + 8, sequenceNumber, rules);
  const length = view.getUint32(at + 20);
  if (length > rules.frameLength) {
    throw new FramesealError(
      'INVALID_MESSAGE',
      `the final frame claims ${length} bytes; the frame length is ${rules.frameLength}`,
    );
  }
  return left < length + FINAL_FRAME_OVERHEAD ? undefined : length;
}

function checkSequenceNumber(got: number, expected: number): void {
  if (got !== expected || expected > MAX_FRAMES) {
    throw new FramesealError(
      'INVALID_MESSAGE',
      `frames out of order: expected sequence number ${expected}, got ${got}`,
    );
  }
}

function checkIv(view: DataView, at: number, sequenceNumber: number, rules: FrameRules): void {
  if (!rules.ivIsSequenceNumber) return;
  if (view.getUint32(at) !== 0 || view.getUint32(at + 4) !== 0 || view.getUint32(at + 8) !== sequenceNumber) {
    throw new FramesealError(
      'INVALID_MESSAGE',
      `the IV of frame ${sequenceNumber} is not its sequence number`,
    );
  }
}
