/**
 * Decrypt, one-shot: header, materials, keys, header tag, frames, footer. Nothing is released before all of it holds.
 *
 * Source: AWS Encryption SDK specification, `client-apis/decrypt.md`.
 */
import {
  type DecryptOptions,
  type DecryptRequest,
  type OpenedMessage,
  openMessage,
  resolveDecrypt,
} from './begin-decrypt.ts';
import { type Bytes, copy, Reader } from './bytes.ts';
import { nativeCrypto } from './crypto/default-crypto.ts';
import type { Context } from './encryption-context.ts';
import { authenticationFailed, checkOptions } from './errors.ts';
import { parseFooter, trailingBytes } from './format/message-footer.ts';
import {
  type MessageHeader,
  type ParsedHeader,
  parseMessageHeader,
  publicHeader,
} from './format/message-header.ts';
import { encodedSignatureIsGood } from './kdf/signature.ts';
import { checkBytes, checkInteger } from './options.ts';
import { type LocatedBody, locateBody } from './stream/message-opener.ts';

/** What {@link decrypt} answers. */
export interface DecryptResult {
  readonly plaintext: Bytes;
  readonly header: MessageHeader;
  /** The full context that was authenticated: stored pairs, and required pairs that the caller reproduced. */
  readonly authenticatedContext: Context;
}

/**
 * Decrypts one whole message. The ciphertext is read until the promise settles: do not change it before.
 * @throws FramesealError `INVALID_MESSAGE`, `TRUNCATED`, `TRAILING_BYTES`, `BASE64_MESSAGE`, `LIMIT_EXCEEDED`,
 *   `COMMITMENT_POLICY`, `NO_DATA_KEY`, `CONTEXT_MISMATCH`, `AUTHENTICATION_FAILED`, `INVALID_ARGUMENT`,
 *   `UNSUPPORTED`, `ABORTED`
 */
export async function decrypt(ciphertext: Uint8Array, options: DecryptOptions): Promise<DecryptResult> {
  const request = resolveDecrypt(options);
  checkBytes('ciphertext', ciphertext);
  const header = parseMessageHeader(ciphertext, request.maxEncryptedDataKeys);
  const message = await openMessage(header, request);
  try {
    const plaintext = await openWhole(ciphertext, header, message, request);
    const { authenticatedContext } = message;
    return { plaintext, header: publicHeader(header, header.length), authenticatedContext };
  } finally {
    message.opener.dispose();
  }
}

/** The plaintext of a whole message whose header is authentic: body, end, tags, signature. */
export async function openWhole(
  ciphertext: Uint8Array,
  header: ParsedHeader,
  { opener, verificationKey }: OpenedMessage,
  { maxFrameLength, signal, onProgress }: DecryptRequest,
): Promise<Bytes> {
  const rest = ciphertext.subarray(header.length);
  const body = locateBody(header, rest, maxFrameLength);
  const signature = parseEnd(header, rest, body);
  const plaintext = await opener.openBody(body, rest, { signal, onProgress, total: body.plaintextLength });
  const signed = ciphertext.subarray(0, header.length + body.length);
  if (await signatureIsGood(header, verificationKey, signed, signature)) return plaintext;
  plaintext.fill(0);
  throw authenticationFailed();
}

/**
 * Parses a header without any key: nothing that it says is authenticated.
 * @param bytes a message, or any prefix of one that holds the whole header.
 * @throws FramesealError `TRUNCATED` for incomplete input, `INVALID_MESSAGE`, `BASE64_MESSAGE`, `LIMIT_EXCEEDED`
 */
export function parseHeader(
  bytes: Uint8Array,
  options: { readonly maxEncryptedDataKeys?: number } = {},
): MessageHeader {
  checkBytes('bytes', bytes);
  checkOptions(options, ['maxEncryptedDataKeys']);
  const { maxEncryptedDataKeys = 0xffff } = options;
  checkInteger('maxEncryptedDataKeys', maxEncryptedDataKeys, 1, 0xffff);
  const header = parseMessageHeader(bytes, maxEncryptedDataKeys);
  return publicHeader(header, header.length);
}

// The signature, if the suite has one; nothing may follow.
function parseEnd(header: ParsedHeader, rest: Uint8Array, body: LocatedBody): Uint8Array | undefined {
  const reader = new Reader(rest.subarray(body.length), header.length + body.length);
  const signature = header.suite.signature && copy(parseFooter(reader));
  if (reader.left > 0) throw trailingBytes();
  return signature;
}

async function signatureIsGood(
  { suite }: ParsedHeader,
  verificationKey: Uint8Array | undefined,
  signed: Uint8Array,
  signature: Uint8Array | undefined,
): Promise<boolean> {
  const algorithm = suite.signature;
  if (algorithm === undefined || signature === undefined) return true;
  return encodedSignatureIsGood(algorithm, signature, (rs) =>
    nativeCrypto().verify(algorithm, verificationKey!, signed, rs),
  );
}
