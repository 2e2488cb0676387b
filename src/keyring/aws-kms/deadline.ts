/**
 * Deadlines: a signal that aborts when its time is over or when the caller's signal does.
 *
 * They hold whatever the client does: a call that ignores its signal is left behind, not waited for.
 */
import { aborted, type FramesealError, throwIfAborted } from '../../errors.ts';

/** A running deadline. */
export interface Deadline {
  readonly signal: AbortSignal;
  /** Ends it: no timer and no listener stays. */
  stop(): void;
}

/**
 * Starts a deadline.
 * @param expired makes the reason when the time is over.
 * @throws FramesealError at once if the parent signal is aborted already.
 */
export function startDeadline(
  milliseconds: number,
  parent: AbortSignal | undefined,
  expired: () => FramesealError,
): Deadline {
  throwIfAborted(parent);
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(expired()), milliseconds);
  const follow = () => controller.abort(aborted(parent!));
  parent?.addEventListener('abort', follow, { once: true });
  return {
    signal: controller.signal,
    stop() {
      clearTimeout(timer);
      parent?.removeEventListener('abort', follow);
    },
  };
}

/** The promise's outcome, or the signal's reason as soon as it aborts. What arrives later is given to `late`. */
export function untilAborted<T>(
  signal: AbortSignal,
  promise: Promise<T>,
  late: (value: T) => void,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const stop = () => reject(aborted(signal));
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    promise.then(
      (value) => {
        if (signal.aborted) late(value);
        signal.removeEventListener('abort', stop);
        resolve(value);
      },
      (error: unknown) => {
        signal.removeEventListener('abort', stop);
        reject(error);
      },
    );
  });
}
