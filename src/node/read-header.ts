/**
 * As much of a message file as its header takes, so that a message of any length costs no more than its header.
 */
import type { Bytes } from '../bytes.ts';
import { HeaderEnd } from '../format/header-end.ts';
import type { OpenedFile } from './opened-file.ts';

/** Bytes of the first read; further ones double. */
const FIRST_READ = 4096;

/**
 * The header's bytes; of a file that holds none, enough for the parser to say why.
 * @throws FramesealError `IO`; `LIMIT_EXCEEDED` if the header is longer than `maxHeaderLength`
 */
export async function readHeader(
  file: OpenedFile,
  limits: { readonly maxEncryptedDataKeys: number; readonly maxHeaderLength: number },
): Promise<Bytes> {
  const { maxEncryptedDataKeys, maxHeaderLength } = limits;
  const end = new HeaderEnd({ maxEncryptedDataKeys, maxLength: maxHeaderLength });
  for (let length = FIRST_READ; ; length = Math.min(2 * length, maxHeaderLength)) {
    const bytes = await file.readInto(new Uint8Array(Math.min(length, file.size)), 0);
    const found = end.find(bytes);
    if (found !== undefined || bytes.length === file.size) return bytes.subarray(0, found);
  }
}
