/**
 * Decrypt, one-shot: header, materials, keys, header tag, frames, footer. Nothing is released before all of it holds.
 *
 * Source: AWS Encryption SDK specification, `client-apis/decrypt.md`.
 */
import { type Bytes, copy, equal, Reader } from './bytes.ts';
import { nativeCrypto } from './crypto/default-crypto.ts';
import { untilAborted } from './deadline.ts';
import {
  type Context,
  callerContext,
  checkReproduced,
  filterContext,
  PUBLIC_KEY_FIELD,
  serializeContext,
  toContext,
} from './encryption-context.ts';
import { authenticationFailed, checkOptions, escapeText, FramesealError, throwIfAborted } from './errors.ts';
import { parseFooter } from './format/message-footer.ts';
import {
  type MessageHeader,
  type ParsedHeader,
  parseMessageHeader,
  publicHeader,
} from './format/message-header.ts';
import { deriveKeys } from './kdf/derive-keys.ts';
import { decodeVerificationKey, verifyMessage } from './kdf/signature.ts';
import { DataKey, takeDataKey } from './materials/data-key.ts';
import type { DecryptionMaterials } from './materials/materials.ts';
import {
  type CommonOptions,
  checkBytes,
  checkInteger,
  type ResolvedOptions,
  resolveOptions,
} from './options.ts';
import { type LocatedBody, locateBody, MessageOpener } from './stream/message-opener.ts';
import { checkDecryptPolicy } from './suite/commitment-policy.ts';

/** Options of {@link decrypt}. */
export interface DecryptOptions extends CommonOptions {}

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
  const resolved = resolveOptions(options);
  const reproduced = callerContext(options.encryptionContext);
  checkBytes('ciphertext', ciphertext);
  throwIfAborted(resolved.signal);

  const header = parseMessageHeader(ciphertext, resolved.maxEncryptedDataKeys);
  checkDecryptPolicy(resolved.commitmentPolicy, header.suite);
  checkFrameLength(header, resolved.maxFrameLength);
  const { materials, opener } = await openHeader(header, reproduced, resolved);
  try {
    const rest = ciphertext.subarray(header.length);
    const body = locateBody(header, rest, resolved.maxFrameLength);
    const signature = parseEnd(header, rest, body);
    const { signal, onProgress } = resolved;
    const plaintext = await opener.openBody(body, rest, { signal, onProgress, total: body.plaintextLength });
    const signed = ciphertext.subarray(0, header.length + body.length);
    if (!(await signatureIsGood(header, materials, signed, signature))) {
      plaintext.fill(0);
      throw authenticationFailed();
    }
    return {
      plaintext,
      header: publicHeader(header, header.length),
      authenticatedContext: materials.encryptionContext,
    };
  } finally {
    opener.dispose();
  }
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

interface OpenedHeader {
  readonly materials: DecryptionMaterials;
  readonly opener: MessageOpener;
}

// The materials of an authentic header. Pairs that the caller reproduces and the header does not store are taken for
// required ones: when they do not fit, that is said, with the failure itself as the cause.
async function openHeader(
  header: ParsedHeader,
  reproduced: Context,
  options: ResolvedOptions,
): Promise<OpenedHeader> {
  try {
    const materials = await decryptMaterials(header, reproduced, options);
    const dataKey = takeDataKey(options.cmm, materials.plaintextDataKey!);
    const opener = await authenticHeader(header, materials, dataKey, options);
    if (opener === undefined) throw authenticationFailed();
    return { materials, opener };
  } catch (error) {
    const unstored = Object.keys(reproduced).filter((key) => !(key in header.encryptionContext));
    const maybeContext =
      error instanceof FramesealError && ['NO_DATA_KEY', 'AUTHENTICATION_FAILED'].includes(error.code);
    if (unstored.length === 0 || !maybeContext) throw error;
    const names = unstored.map((key) => `"${escapeText(key)}"`).join(', ');
    const what = `the message does not store ${names}, and does not open with the value given: ${error.message}`;
    throw new FramesealError('CONTEXT_MISMATCH', what, { cause: error, attempts: error.attempts });
  }
}

async function decryptMaterials(
  header: ParsedHeader,
  reproduced: Context,
  options: ResolvedOptions,
): Promise<DecryptionMaterials> {
  const { cmm, commitmentPolicy, signal } = options;
  const asked = cmm.decryptMaterials({
    algorithmSuite: header.suite,
    commitmentPolicy,
    encryptedDataKeys: header.encryptedDataKeys.map((edk) => ({ ...edk })),
    encryptionContext: header.encryptionContext,
    reproducedEncryptionContext: reproduced,
    confirmDataKey: (candidate) => isAuthentic(header, candidate, options),
    ...(signal && { signal }),
  });
  const materials = await untilAborted(
    signal,
    asked,
    (late) =>
      late?.plaintextDataKey instanceof Uint8Array && takeDataKey(cmm, late.plaintextDataKey).dispose(),
  );
  checkMaterials(header, materials);
  const authenticated = authenticatedContext(header, materials);
  checkReproduced(authenticated, reproduced, true);
  return { ...materials, encryptionContext: authenticated };
}

// What the header's tag covers: the pairs that it stores, and required ones that it does not. Nothing else that the
// materials may say is authentic.
function authenticatedContext(header: ParsedHeader, materials: DecryptionMaterials): Context {
  const { encryptionContext, requiredEncryptionContextKeys } = materials;
  const required = filterContext(
    encryptionContext,
    (key) => requiredEncryptionContextKeys.includes(key) && !(key in header.encryptionContext),
  );
  if (Object.keys(required).length === 0) return header.encryptionContext;
  return toContext([...Object.entries(header.encryptionContext), ...Object.entries(required)]);
}

async function isAuthentic(
  header: ParsedHeader,
  candidate: DecryptionMaterials,
  options: ResolvedOptions,
): Promise<boolean> {
  if (!(candidate?.plaintextDataKey instanceof Uint8Array)) throw wrongMaterials('a data key');
  const dataKey = new DataKey(copy(candidate.plaintextDataKey));
  const opener = await authenticHeader(header, candidate, dataKey, options);
  opener?.dispose();
  return opener !== undefined;
}

// An opener whose header is authentic under these materials; undefined when commitment or tag is wrong. The data key
// is wiped.
async function authenticHeader(
  header: ParsedHeader,
  materials: DecryptionMaterials,
  dataKey: DataKey,
  { platform: { engine, crypto } }: ResolvedOptions,
): Promise<MessageOpener | undefined> {
  const { derivedKey, commitKey } = await deriveKeys(
    crypto,
    header.suite,
    dataKey.bytes,
    header.messageId,
  ).finally(() => dataKey.dispose());
  const opener = new MessageOpener(crypto, engine, derivedKey, header);
  derivedKey.fill(0);
  const required = filterContext(materials.encryptionContext, (key) => !(key in header.encryptionContext));
  const committed = equal(commitKey, header.suiteData);
  if (committed && (await opener.headerIsAuthentic(serializeContext(required)))) return opener;
  opener.dispose();
  return undefined;
}

// decrypt.md#get-the-decryption-materials: what comes back is checked as if it came from anyone. The suite is the
// header's, whose policy has been checked; the verification key is the stored one.
function checkMaterials(header: ParsedHeader, materials: DecryptionMaterials): void {
  const { suite, encryptionContext } = header;
  if (materials?.algorithmSuite?.id !== suite.id) throw wrongMaterials(`the message's suite ${suite.name}`);
  const { plaintextDataKey, verificationKey, requiredEncryptionContextKeys } = materials;
  if (!(plaintextDataKey instanceof Uint8Array) || plaintextDataKey.length !== suite.keyLength) {
    throw wrongMaterials(`a data key of ${suite.keyLength} bytes`);
  }
  if (!Array.isArray(requiredEncryptionContextKeys) || !materials.encryptionContext) {
    throw wrongMaterials('an encryption context and a list of required keys');
  }
  const stored =
    suite.signature && decodeVerificationKey(suite.signature, encryptionContext[PUBLIC_KEY_FIELD] ?? '');
  const same = stored
    ? verificationKey instanceof Uint8Array && equal(stored, verificationKey)
    : !verificationKey;
  if (!same) throw wrongMaterials(stored ? "the header's verification key" : 'no verification key');
}

function checkFrameLength(header: ParsedHeader, maxFrameLength: number): void {
  if (header.frameLength > maxFrameLength) {
    throw new FramesealError(
      'LIMIT_EXCEEDED',
      `the message has frames of ${header.frameLength} bytes; maxFrameLength is ${maxFrameLength}`,
    );
  }
}

// The signature, if the suite has one; nothing may follow.
function parseEnd(header: ParsedHeader, rest: Uint8Array, body: LocatedBody): Uint8Array | undefined {
  const reader = new Reader(rest.subarray(body.length), header.length + body.length);
  const signature = header.suite.signature && copy(parseFooter(reader));
  if (reader.left > 0) {
    throw new FramesealError('TRAILING_BYTES', `${reader.left} bytes follow the end of the message`);
  }
  return signature;
}

async function signatureIsGood(
  header: ParsedHeader,
  materials: DecryptionMaterials,
  signed: Uint8Array,
  signature: Uint8Array | undefined,
): Promise<boolean> {
  const algorithm = header.suite.signature;
  if (algorithm === undefined || signature === undefined) return true;
  return verifyMessage(nativeCrypto(), algorithm, materials.verificationKey!, signed, signature);
}

function wrongMaterials(expected: string): FramesealError {
  return new FramesealError(
    'INVALID_ARGUMENT',
    `"cmm" answered unusable decryption materials: expected ${expected}`,
  );
}
