/**
 * A file as the end of a stream.
 */
import { chunkBytes } from '../bytes.ts';
import { checkOptions, invalidArgument, kindOf } from '../errors.ts';
import { AtomicFile, checkTarget, resolveTarget, type TargetOptions } from './atomic-file.ts';

/**
 * A stream into a file that appears under its name when the stream has been closed and everything is on the disk. When
 * the stream is aborted or a write fails, nothing is left, and an existing file is as it was. For `pipeTo` behind
 * `encryptStream` and `decryptStream`, where the source is no file.
 * @param target path of the file; its folder must exist.
 * @throws FramesealError `IO`, `INVALID_ARGUMENT`; writing and closing fail with the same
 */
export async function fileTarget(
  target: string,
  options: TargetOptions = {},
): Promise<WritableStream<ArrayBufferLike | ArrayBufferView>> {
  checkOptions(options, ['overwrite', 'mode']);
  const path = resolveTarget(target, options);
  await checkTarget(path, options);
  const file = await AtomicFile.create(path, options);
  return new WritableStream<ArrayBufferLike | ArrayBufferView>({
    write: (chunk) => orDiscard(file, () => file.write(checkedBytes(chunk))),
    close: () => orDiscard(file, () => file.commit()),
    abort: () => file.discard(),
  });
}

async function orDiscard(file: AtomicFile, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    await file.discard();
    throw error;
  }
}

function checkedBytes(chunk: unknown): Uint8Array {
  const bytes = chunkBytes(chunk);
  if (bytes) return bytes;
  throw invalidArgument('chunk', 'an ArrayBuffer or a view of one, not detached', kindOf(chunk));
}
