/**
 * What went wrong, as one line with a code, and the exit code that follows.
 */
import { type DecryptAttempt, FramesealError, textOf } from '../errors.ts';

/** A command line that cannot work. */
export class UsageError extends Error {}

/** A failure as people and machines see it. */
export interface Failure {
  /** A code of the library, `USAGE`, or `INTERNAL` for a defect. */
  readonly code: string;
  readonly message: string;
  readonly attempts?: readonly DecryptAttempt[];
  readonly operation?: string;
  readonly region?: string;
  readonly keyId?: string;
}

/** Exit codes: all went well, something failed, the call itself cannot work. */
export const EXIT = { ok: 0, failed: 1, usage: 2, closedPipe: 141 } as const;
const EXIT_OF_SIGNAL: Readonly<Record<string, number>> = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 };

/** What a thrown value says. */
export function failureOf(error: unknown): Failure {
  if (error instanceof UsageError) return { code: 'USAGE', message: error.message };
  if (error instanceof FramesealError) {
    const { code, message, cause, attempts, operation, region, keyId } = error;
    return {
      code,
      message: code === 'ABORTED' && typeof cause === 'string' ? `ended by ${cause}` : message,
      ...(attempts.length > 0 && { attempts }),
      ...(operation !== undefined && { operation }),
      ...(region !== undefined && { region }),
      ...(keyId !== undefined && { keyId }),
    };
  }
  return { code: isSystemError(error) ? 'IO' : 'INTERNAL', message: textOf(error) };
}

/** Whether every further file would fail in the same way: the call is wrong, or it has been interrupted. */
export function endsAll({ code }: Failure): boolean {
  return code === 'USAGE' || code === 'INVALID_ARGUMENT' || code === 'ABORTED';
}

/** The exit code of a failure. */
export function exitCodeOf(failure: Failure, signal: AbortSignal): number {
  if (signal.aborted) return EXIT_OF_SIGNAL[String(signal.reason)] ?? EXIT.failed;
  return failure.code === 'USAGE' || failure.code === 'INVALID_ARGUMENT' ? EXIT.usage : EXIT.failed;
}

/** The `IO` error of a file. @param what follows "cannot": `read`, `write`. */
export function fileError(path: string, what: string, cause: unknown): FramesealError {
  return new FramesealError('IO', `cannot ${what} "${path}": ${textOf(cause)}`, { cause });
}

/** A file that is left alone, for a reason of ours. */
export function refusedFile(path: string, why: string): FramesealError {
  return new FramesealError('IO', `"${path}" ${why}`);
}

/**
 * Text for a terminal on one line: what moves the cursor, ends the line or turns the direction of writing is escaped.
 * Backslashes stay, because names from a header come escaped already.
 */
export function oneLine(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu,
    (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`,
  );
}

function isSystemError(error: unknown): boolean {
  return error instanceof Error && typeof (error as NodeJS.ErrnoException).syscall === 'string';
}
