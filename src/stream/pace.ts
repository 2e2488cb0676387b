/**
 * How fast a whole body goes: frames in batches, and a turn for everyone else between them.
 */
import { turns } from '../deadline.ts';

/** Plaintext bytes of a batch, and frames of one: a batch takes a few milliseconds. */
const BATCH_BYTES = 2 ** 20;
const BATCH_FRAMES = 1024;

/** Progress of one body. */
export interface BodyProgress {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: { bytes: number; total?: number }) => void) | undefined;
  /** Plaintext bytes in all, where that is known. */
  readonly total?: number | undefined;
}

/** Regular frames of a batch. */
export function batchFrames(frameLength: number): number {
  return Math.min(BATCH_FRAMES, Math.max(1, Math.floor(BATCH_BYTES / frameLength)));
}

/** To be called after each batch with the plaintext bytes done so far. @throws FramesealError `ABORTED` */
export function pace({
  signal,
  onProgress,
  total,
}: BodyProgress): (bytes: number) => Promise<void> | undefined {
  const turn = turns(signal);
  return (bytes) => {
    onProgress?.(total === undefined ? { bytes } : { bytes, total });
    return turn();
  };
}
