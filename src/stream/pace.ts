/**
 * How fast a whole body goes: frames in batches, and a turn for everyone else between them.
 */
import { throwIfAborted } from '../errors.ts';

/** Plaintext bytes of a batch, and frames of one: a batch takes a few milliseconds. */
const BATCH_BYTES = 2 ** 20;
const BATCH_FRAMES = 1024;
/** Batches between two turns of the event loop. */
const BATCHES_PER_TURN = 8;

/** Progress of one body. */
export interface BodyProgress {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: { bytes: number; total?: number }) => void) | undefined;
  /** Plaintext bytes in all. */
  readonly total: number;
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
  let batches = 0;
  return (bytes) => {
    throwIfAborted(signal);
    onProgress?.({ bytes, total });
    batches++;
    return batches % BATCHES_PER_TURN === 0 ? turn(signal) : undefined;
  };
}

// A timer, which every runtime has; a promise alone lets no input and no other timer in.
async function turn(signal: AbortSignal | undefined): Promise<void> {
  await new Promise<void>((resolve) => setTimeout(resolve, 0));
  throwIfAborted(signal);
}
