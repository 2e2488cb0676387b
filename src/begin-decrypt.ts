/**
 * How an opened message begins: from its header over materials and keys to a header that is authentic.
 *
 * Source: AWS Encryption SDK specification, `client-apis/decrypt.md`.
 */
import { copy, equal } from './bytes.ts';
import { untilAborted } from './deadline.ts';
import type { EncryptedDataKey } from './encrypted-data-key.ts';
import {
  type Context,
  callerContext,
  checkReproduced,
  filterContext,
  PUBLIC_KEY_FIELD,
  serializeContext,
  toContext,
} from './encryption-context.ts';
import { authenticationFailed, escapeText, FramesealError, throwIfAborted } from './errors.ts';
import { checkEncryptedDataKeyCount } from './format/encrypted-data-keys.ts';
import type { ParsedHeader } from './format/message-header.ts';
import { checkBinding, parseSidecar, type Sidecar } from './format/sidecar.ts';
import { verifySidecar } from './kdf/sidecar-mac.ts';
import { decodeVerificationKey } from './kdf/signature.ts';
import { noDataKey } from './keyring/keyring.ts';
import { DataKey, takeDataKey } from './materials/data-key.ts';
import type { DecryptionMaterials } from './materials/materials.ts';
import { type CommonOptions, checkBytes, type ResolvedOptions, resolveOptions } from './options.ts';
import { MessageOpener } from './stream/message-opener.ts';
import { checkDecryptPolicy } from './suite/commitment-policy.ts';

/** Options of `decrypt`, and of everything else that reads messages. */
export interface DecryptOptions extends CommonOptions {
  /**
   * One or several sidecars of this message, from `addWrappingKeys`. Their encrypted data keys are tried when none in the
   * header opens, and count against `maxEncryptedDataKeys`; they are verified in any case.
   */
  readonly sidecar?: Uint8Array | readonly Uint8Array[] | undefined;
}

/** A request whose options have been checked. */
export interface DecryptRequest extends ResolvedOptions {
  /** What the caller requires or reproduces. */
  readonly reproduced: Context;
  readonly sidecars: readonly Sidecar[];
}

/** A message whose header is authentic. Opener and data key are the caller's to dispose of. */
export interface OpenedMessage {
  readonly opener: MessageOpener;
  /** If it was asked for. */
  readonly dataKey: DataKey | undefined;
  /** The full context that was authenticated: stored pairs, and required pairs that the caller reproduced. */
  readonly authenticatedContext: Context;
  /** In signed suites alone: a compressed point, from the stored context. */
  readonly verificationKey: Uint8Array | undefined;
}

/** @throws FramesealError `INVALID_ARGUMENT`, `UNSUPPORTED`, `SIDECAR_MISMATCH`, `LIMIT_EXCEEDED`, `ABORTED` */
export function resolveDecrypt(options: DecryptOptions, further: readonly string[] = []): DecryptRequest {
  const resolved = resolveOptions(options, further);
  const reproduced = callerContext(options.encryptionContext);
  const sidecars = sidecarsOf(options.sidecar).map((one) => parseSidecar(one, resolved.maxEncryptedDataKeys));
  throwIfAborted(resolved.signal);
  return { ...resolved, reproduced, sidecars };
}

function sidecarsOf(sidecar: DecryptOptions['sidecar']): readonly Uint8Array[] {
  const all = sidecar === undefined ? [] : Array.isArray(sidecar) ? sidecar : [sidecar];
  for (const one of all) checkBytes('sidecar', one);
  return all;
}

/**
 * Opens a data key and authenticates the header with it. Pairs that the caller reproduces and the header does not store
 * are taken for required ones: when they do not fit, that is said, with the failure itself as the cause.
 * @param keepDataKey whether the caller needs the data key itself.
 * @throws FramesealError `COMMITMENT_POLICY`, `LIMIT_EXCEEDED`, `SIDECAR_MISMATCH`, `NO_DATA_KEY`, `CONTEXT_MISMATCH`,
 *   `AUTHENTICATION_FAILED`, `ABORTED`
 */
export async function openMessage(
  header: ParsedHeader,
  request: DecryptRequest,
  keepDataKey = false,
): Promise<OpenedMessage> {
  checkDecryptPolicy(request.commitmentPolicy, header.suite);
  checkFrameLength(header, request.maxFrameLength);
  for (const sidecar of request.sidecars) checkBinding(sidecar, header);
  const added = request.sidecars.flatMap(({ encryptedDataKeys }) => encryptedDataKeys);
  checkEncryptedDataKeyCount(header.encryptedDataKeys.length + added.length, request.maxEncryptedDataKeys);
  try {
    return await openFirst([header.encryptedDataKeys, added], header, request, keepDataKey);
  } catch (error) {
    const unstored = Object.keys(request.reproduced).filter((key) => !(key in header.encryptionContext));
    const maybeContext =
      error instanceof FramesealError && ['NO_DATA_KEY', 'AUTHENTICATION_FAILED'].includes(error.code);
    if (unstored.length === 0 || !maybeContext) throw error;
    const names = unstored.map((key) => `"${escapeText(key)}"`).join(', ');
    const what = `the message does not store ${names}, and does not open with the value given: ${error.message}`;
    throw new FramesealError('CONTEXT_MISMATCH', what, { cause: error, attempts: error.attempts });
  }
}

/** Failures after which another list of encrypted data keys may still open. */
const NOT_OPENED: readonly string[] = ['NO_DATA_KEY', 'AUTHENTICATION_FAILED', 'KMS_FAILED', 'TIMEOUT'];

// One request for each list, in order, until a data key opens that is the message's own. A keyring stops at the first
// entry that it can open: what a sidecar says never comes before what the header says.
async function openFirst(
  lists: readonly (readonly EncryptedDataKey[])[],
  header: ParsedHeader,
  request: DecryptRequest,
  keepDataKey: boolean,
): Promise<OpenedMessage> {
  const failures: unknown[] = [];
  for (const list of lists.filter(({ length }) => length > 0)) {
    throwIfAborted(request.signal);
    try {
      return await openWith(list, header, request, keepDataKey);
    } catch (error) {
      if (error instanceof FramesealError && !NOT_OPENED.includes(error.code)) throw error;
      failures.push(error);
    }
  }
  throw noneOpened(failures);
}

function noneOpened(failures: readonly unknown[]): unknown {
  if (failures.length === 1) return failures[0];
  const known = failures.filter((failure) => failure instanceof FramesealError);
  const unauthentic = known.find(({ code }) => code === 'AUTHENTICATION_FAILED');
  if (unauthentic) return unauthentic;
  const attempts = known.flatMap((failure) => failure.attempts);
  return noDataKey(attempts, failures.flatMap(causeOf));
}

// The attempts say what a NO_DATA_KEY itself would.
function causeOf(failure: unknown): unknown {
  return failure instanceof FramesealError && failure.code === 'NO_DATA_KEY'
    ? (failure.cause ?? [])
    : failure;
}

async function openWith(
  encryptedDataKeys: readonly EncryptedDataKey[],
  header: ParsedHeader,
  request: DecryptRequest,
  keepDataKey: boolean,
): Promise<OpenedMessage> {
  const materials = await decryptMaterials(encryptedDataKeys, header, request);
  const dataKey = takeDataKey(request.cmm, materials.plaintextDataKey!);
  try {
    const opener = await authenticHeader(header, materials, dataKey, request);
    if (opener === undefined) throw authenticationFailed();
    await verifySidecars(opener, dataKey, request);
    const { encryptionContext, verificationKey } = materials;
    const kept = keepDataKey ? new DataKey(copy(dataKey.bytes)) : undefined;
    return { opener, dataKey: kept, authenticatedContext: encryptionContext, verificationKey };
  } finally {
    dataKey.dispose();
  }
}

async function verifySidecars(
  opener: MessageOpener,
  dataKey: DataKey,
  { sidecars, platform }: DecryptRequest,
): Promise<void> {
  try {
    for (const sidecar of sidecars) await verifySidecar(platform.crypto, sidecar, dataKey.bytes);
  } catch (error) {
    opener.dispose();
    throw error;
  }
}

async function decryptMaterials(
  encryptedDataKeys: readonly EncryptedDataKey[],
  header: ParsedHeader,
  request: DecryptRequest,
): Promise<DecryptionMaterials> {
  const { cmm, commitmentPolicy, signal, reproduced } = request;
  const asked = cmm.decryptMaterials({
    algorithmSuite: header.suite,
    commitmentPolicy,
    encryptedDataKeys: encryptedDataKeys.map((edk) => ({ ...edk })),
    encryptionContext: header.encryptionContext,
    reproducedEncryptionContext: reproduced,
    confirmDataKey: (candidate) => isAuthentic(header, candidate, request),
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
  try {
    const opener = await authenticHeader(header, candidate, dataKey, options);
    opener?.dispose();
    return opener !== undefined;
  } finally {
    dataKey.dispose();
  }
}

// An opener whose header is authentic under these materials; undefined when commitment or tag is wrong.
async function authenticHeader(
  header: ParsedHeader,
  materials: DecryptionMaterials,
  dataKey: DataKey,
  { platform }: ResolvedOptions,
): Promise<MessageOpener | undefined> {
  const required = filterContext(materials.encryptionContext, (key) => !(key in header.encryptionContext));
  return MessageOpener.begin(platform, header, dataKey.bytes, serializeContext(required));
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

function wrongMaterials(expected: string): FramesealError {
  return new FramesealError(
    'INVALID_ARGUMENT',
    `"cmm" answered unusable decryption materials: expected ${expected}`,
  );
}
