/**
 * The frames of a job one by one: where each begins in the plaintext and among the sealed bytes.
 */
import { dataView } from '../bytes.ts';
import {
  FINAL_FRAME_HEADER_LENGTH,
  FINAL_FRAME_MARKER,
  FINAL_FRAME_OVERHEAD,
  FRAME_HEADER_LENGTH,
  FRAME_OVERHEAD,
} from '../format/message-body.ts';
import { IV_LENGTH } from '../suite/algorithm-suites.ts';

/** What sealing and opening have in common. */
export interface FrameJob {
  readonly frameLength: number;
  readonly first: number;
  readonly regular: number;
  readonly finalLength: number | undefined;
}

/** One frame of a job. */
export interface FramePlace {
  readonly final: boolean;
  readonly sequenceNumber: number;
  /** Plaintext bytes. */
  readonly length: number;
  /** Offset of the plaintext. */
  readonly plaintextAt: number;
  /** Offset of the sealed frame. */
  readonly frameAt: number;
  /** Offset of the IV among the sealed bytes. */
  readonly ivAt: number;
  /** Offset of the ciphertext among the sealed bytes; the tag follows it. */
  readonly ciphertextAt: number;
}

/** Frames of a job. */
export function frameCount(job: FrameJob): number {
  return job.regular + (job.finalLength === undefined ? 0 : 1);
}

/** Plaintext bytes of a job. */
export function jobPlaintextLength(job: FrameJob): number {
  return job.regular * job.frameLength + (job.finalLength ?? 0);
}

/** Sealed bytes of a job. */
export function jobSealedLength(job: FrameJob): number {
  const final = job.finalLength === undefined ? 0 : job.finalLength + FINAL_FRAME_OVERHEAD;
  return job.regular * (job.frameLength + FRAME_OVERHEAD) + final;
}

/** The place of the frame with this index in the job. */
export function framePlace(job: FrameJob, index: number): FramePlace {
  const final = index === job.regular;
  const frameAt = index * (job.frameLength + FRAME_OVERHEAD);
  const headerLength = final ? FINAL_FRAME_HEADER_LENGTH : FRAME_HEADER_LENGTH;
  return {
    final,
    sequenceNumber: job.first + index,
    length: final ? job.finalLength! : job.frameLength,
    plaintextAt: index * job.frameLength,
    frameAt,
    ivAt: frameAt + (final ? 8 : 4),
    ciphertextAt: frameAt + headerLength,
  };
}

/** Writes everything of a frame before its ciphertext: marker, sequence number, IV, content length. */
export function writeFrameHeader(output: Uint8Array, place: FramePlace): void {
  const view = dataView(output);
  let at = place.frameAt;
  if (place.final) {
    view.setUint32(at, FINAL_FRAME_MARKER);
    at += 4;
  }
  view.setUint32(at, place.sequenceNumber);
  view.setBigUint64(at + 4, 0n);
  view.setUint32(at + 12, place.sequenceNumber);
  if (place.final) view.setUint32(at + 4 + IV_LENGTH, place.length);
}
