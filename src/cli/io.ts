/**
 * What the command reads and writes: the process's own streams, or those of a test.
 */
import type { Readable, Writable } from 'node:stream';

/** The world of one call of the command. */
export interface Io {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Writable & { readonly isTTY?: boolean };
  readonly stderr: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborted by a signal of the system, with its name as the reason. */
  readonly signal: AbortSignal;
}

/** Whoever read our output has gone, as `head` does. */
export class ClosedPipe extends Error {}

/**
 * Writes, and waits until it is written, so that whoever reads slowly slows us down.
 * @throws ClosedPipe if nobody reads any more
 */
export function write(stream: Writable, chunk: string | Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(chunk, (error) => {
      if (!error) return resolve();
      const { code } = error as NodeJS.ErrnoException;
      reject(code === 'EPIPE' || code === 'ERR_STREAM_DESTROYED' ? new ClosedPipe() : error);
    });
  });
}
