/**
 * Opens one message of known plaintext, and writes it again from what was opened.
 */
import { concat, copy } from '../../src/bytes.ts';
import { filterContext, serializeContext } from '../../src/encryption-context.ts';
import { selectPlatform } from '../../src/engine/select.ts';
import {
  encodeHeaderAuth,
  encodeHeaderBody,
  HEADER_IV,
  type ParsedHeader,
  parseMessageHeader,
} from '../../src/format/message-header.ts';
import { type DecryptOptions, type DecryptResult, decrypt, type Keyring } from '../../src/index.ts';
import { type LocatedBody, locateBody } from '../../src/stream/message-opener.ts';
import { MessageSealer } from '../../src/stream/message-sealer.ts';
import { sameBytes } from './vectors-tally.ts';

/** A message that was opened, and the data key under which it was. */
export interface Opened extends DecryptResult {
  readonly dataKey: Uint8Array;
}

/** Decrypts, and fails unless the plaintext is the expected one. */
export async function open(
  message: Uint8Array,
  plaintext: Uint8Array,
  options: DecryptOptions & { readonly keyring: Keyring },
): Promise<Opened> {
  let dataKey: Uint8Array | undefined;
  const keyring: Keyring = {
    onEncrypt: options.keyring.onEncrypt,
    onDecrypt: async (...call) => {
      const answer = await options.keyring.onDecrypt(...call);
      dataKey = answer.plaintextDataKey && copy(answer.plaintextDataKey);
      return answer;
    },
  };
  const result = await decrypt(message, { ...options, keyring });
  sameBytes(result.plaintext, plaintext, 'plaintext');
  return { ...result, dataKey: dataKey! };
}

/** Fails unless header and footer, parsed and encoded, are the bytes they were. */
export function sameHeader(message: Uint8Array): void {
  const header = parseMessageHeader(message);
  sameBytes(encodeHeaderBody(header), header.body, 'header body, encoded again');
  const auth = message.subarray(header.body.length, header.length);
  sameBytes(encodeHeaderAuth(header.suite, header.tag), auth, 'header authentication, encoded again');
}

/**
 * Seals the message again under the same key, id and frame length, and fails unless its bytes are the same up to the
 * footer.
 * @returns whether it could be: a non-framed body is never written.
 */
export async function sealsAgain(message: Uint8Array, opened: Opened): Promise<boolean> {
  const header = parseMessageHeader(message);
  const body = locateBody(header, message.subarray(header.length), Number.MAX_SAFE_INTEGER);
  if (body.frames === undefined) return false;
  const end = header.length + body.length;
  sameBytes(await seal(header, opened, body), message.subarray(0, end), 'header and body, sealed again');
  return true;
}

async function seal(header: ParsedHeader, opened: Opened, body: LocatedBody): Promise<Uint8Array> {
  const { suite, messageId, frameLength } = header;
  const unstored = filterContext(opened.authenticatedContext, (key) => !(key in header.encryptionContext));
  const input = {
    messageId,
    body: copy(header.body),
    iv: HEADER_IV,
    authenticatedOnly: serializeContext(unstored),
  };
  input.body.fill(0, input.body.length - header.suiteData.length); // the commit key is to be found again
  const platform = selectPlatform('native');
  const { sealer, tag } = await MessageSealer.begin(platform, suite, opened.dataKey, input, frameLength);
  const frames = new Uint8Array(body.length);
  const { plaintext } = opened;
  const { regular, finalLength } = body.frames!;
  // An empty final frame behind a full one is a form that others write and we do not.
  const foreign = finalLength === 0 && regular > 0;
  if (foreign) await sealer.sealFrames(plaintext, regular, true, frames);
  else await sealer.sealBody(plaintext, frames, { total: plaintext.length });
  sealer.dispose();
  return concat(input.body, encodeHeaderAuth(header.suite, tag), frames);
}
