/**
 * Cuts a job into parts that fit into the kernel's memory.
 *
 * ```
 * several frames:   frames | plaintext
 * one frame:        header | plaintext, which becomes ciphertext, or the reverse | tag
 * ```
 */
import {
  FINAL_FRAME_HEADER_LENGTH,
  FINAL_FRAME_OVERHEAD,
  FRAME_HEADER_LENGTH,
  FRAME_OVERHEAD,
} from '../../format/message-body.ts';
import { type FrameJob, frameCount } from '../frame-layout.ts';
import type { KernelMemory } from './kernel-memory.ts';

/** Frames of a job that are in memory at once. */
export interface FramePart extends FrameJob {
  readonly count: number;
  /** Offset and length of the plaintext in the job's. */
  readonly plaintextAt: number;
  readonly plaintextLength: number;
  /** Offset and length of the sealed frames in the job's. */
  readonly framesAt: number;
  readonly framesLength: number;
}

/** The parts, in order. A frame that is larger than the room is a part of its own. */
export function frameParts(job: FrameJob, { room, layout }: KernelMemory): FramePart[] {
  const count = frameCount(job);
  const fit = Math.floor((room - SLACK) / (2 * job.frameLength + FRAME_OVERHEAD));
  const atOnce = Math.max(1, Math.min(fit, layout.maxFrames));
  const parts: FramePart[] = [];
  for (let at = 0; at < count; at += atOnce) parts.push(part(job, at, Math.min(atOnce, count - at)));
  return parts;
}

/** Offsets in linear memory. */
export interface PartPlaces {
  readonly plaintext: number;
  readonly frames: number;
}

/** Gives a part its places in the kernel's memory. */
export function placePart(memory: KernelMemory, part: FramePart): PartPlaces {
  memory.restart();
  const frames = memory.reserve(part.framesLength);
  if (part.count > 1) return { frames, plaintext: memory.reserve(part.plaintextLength) };
  return {
    frames,
    plaintext: frames + (part.regular === 1 ? FRAME_HEADER_LENGTH : FINAL_FRAME_HEADER_LENGTH),
  };
}

/** Plaintext bytes of the first `count` frames. */
export function plaintextLengthOf(part: FramePart, count: number): number {
  return count === part.count ? part.plaintextLength : count * part.frameLength;
}

// What a final frame has more, and gaps between two places.
const SLACK: number = FINAL_FRAME_OVERHEAD + 32;

function part(job: FrameJob, at: number, count: number): FramePart {
  const { frameLength } = job;
  const regular = Math.min(count, job.regular - at);
  const finalLength = count > regular ? job.finalLength : undefined;
  return {
    frameLength,
    first: job.first + at,
    regular,
    finalLength,
    count,
    plaintextAt: at * frameLength,
    plaintextLength: regular * frameLength + (finalLength ?? 0),
    framesAt: at * (frameLength + FRAME_OVERHEAD),
    framesLength:
      regular * (frameLength + FRAME_OVERHEAD) +
      (finalLength === undefined ? 0 : finalLength + FINAL_FRAME_OVERHEAD),
  };
}
