/**
 * Rewrap, one-shot: a finished message under other wrapping keys, as a new message. Its plaintext never leaves the call.
 */
import { openMessage, resolveDecrypt } from '../begin-decrypt.ts';
import type { Bytes } from '../bytes.ts';
import { openWhole } from '../decrypt.ts';
import { sealWhole } from '../encrypt.ts';
import { parseMessageHeader } from '../format/message-header.ts';
import { checkBytes } from '../options.ts';
import {
  beginRewrap,
  REWRAP_OPTIONS,
  type RewrapOptions,
  type RewrapReport,
  resolveRewrap,
} from './begin-rewrap.ts';

/** What {@link rewrap} answers. */
export interface RewrapResult extends RewrapReport {
  /** The whole new message. */
  readonly ciphertext: Bytes;
}

/**
 * Writes a finished message anew under the keys of `to`, with a new message id: verified, opened and sealed again frame
 * by frame. The data key stays where that is sound, and is new where it is not or where `freshDataKey` asks for it; the
 * result says which. The encryption context stays, required pairs stay required and unstored. A signed message is
 * signed again, by a new key: whoever rewraps it becomes its writer.
 *
 * Nothing is revoked: who once held the old data key, or keeps a copy of the old message and a key of it, still reads
 * what was under it; and the new message too, if the data key is kept. A data key serves at most 2^32 messages.
 * @param ciphertext the whole message. It is read until the promise settles: do not change it before.
 * @throws FramesealError as `decrypt` and `encrypt` do; `UNSUPPORTED` if the data key is to stay and cannot
 */
export async function rewrap(ciphertext: Uint8Array, options: RewrapOptions): Promise<RewrapResult> {
  const request = resolveDecrypt(options, REWRAP_OPTIONS);
  const wishes = resolveRewrap(options, request);
  checkBytes('ciphertext', ciphertext);
  const header = parseMessageHeader(ciphertext, request.maxEncryptedDataKeys);
  const opened = await openMessage(header, request, true);
  try {
    const plaintext = await openWhole(ciphertext, header, opened, request);
    try {
      const extent = { streamed: false, plaintextLength: plaintext.length } as const;
      const { message, report } = await beginRewrap(wishes, request, header, opened, extent);
      const { signal } = request;
      return {
        ...report,
        ciphertext: await sealWhole(plaintext, message, { signal, onProgress: undefined }),
      };
    } finally {
      plaintext.fill(0);
    }
  } finally {
    opened.opener.dispose();
    opened.dataKey!.dispose();
  }
}
