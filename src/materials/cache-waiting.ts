/**
 * Waiting that a value, a time or a signal ends, whichever comes first.
 */
import { onAbort } from '../deadline.ts';
import { aborted } from '../errors.ts';

/** Milliseconds of the longest timer: what is longer would fire at once. */
export const MAX_TIMER: number = 2 ** 31 - 1;

/**
 * Waits to be told a value, or for so long; `undefined` when the time is over.
 * @throws FramesealError when the signal, which has not aborted yet, does.
 */
export function toldWithin<T>(
  signal: AbortSignal | undefined,
  milliseconds: number | undefined,
  listen: (tell: (value: T) => void) => () => void,
): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const end = (finish: () => void) => {
      clearTimeout(timer);
      leave();
      stopListening();
      finish();
    };
    const timer =
      milliseconds === undefined
        ? undefined
        : setTimeout(() => end(() => resolve(undefined)), Math.min(Math.ceil(milliseconds), MAX_TIMER));
    const leave = onAbort(signal, () => end(() => reject(aborted(signal!))));
    const stopListening = listen((value) => end(() => resolve(value)));
  });
}
