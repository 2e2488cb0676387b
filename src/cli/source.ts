/**
 * Inputs that are read as streams: stdin, pipes, and files on their way to stdout.
 */
import { createReadStream } from 'node:fs';
import { addAbortSignal } from 'node:stream';
import { FramesealError } from '../errors.ts';
import { fileError } from './failure.ts';
import type { Io } from './io.ts';
import { STDIO } from './plan.ts';

/** An open input. */
export interface Source {
  /** Fails with `FramesealError` `IO` or `ABORTED`. */
  readonly bytes: AsyncIterable<Uint8Array>;
  /** Bytes read so far. */
  readonly length: number;
  close(): void;
}

/** Opens a file, or stdin as `-`. A signal ends it even while nothing comes. */
export function openSource(input: string, { stdin, signal }: Io): Source {
  const stream = addAbortSignal(signal, input === STDIO ? stdin : createReadStream(input));
  stream.on('error', () => {}); // told to whoever reads; there may be nobody yet
  let length = 0;
  async function* read(): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of stream) {
        length += chunk.length;
        yield chunk;
      }
    } catch (cause) {
      if (signal.aborted) throw new FramesealError('ABORTED', 'aborted', { cause: signal.reason });
      throw fileError(input, 'read', cause);
    }
  }
  return {
    bytes: read(),
    get length() {
      return length;
    },
    close: () => void stream.destroy(),
  };
}
