/**
 * How a message begins: from the caller's request over materials and keys to a sealed header.
 *
 * Source: AWS Encryption SDK specification, `client-apis/encrypt.md`.
 */
import type { Bytes } from './bytes.ts';
import type { SigningKey } from './crypto/crypto.ts';
import { messageRandom } from './crypto/random.ts';
import { untilAborted } from './deadline.ts';
import { checkEncryptedDataKey, copyEncryptedDataKey } from './encrypted-data-key.ts';
import {
  type Context,
  callerContext,
  filterContext,
  materialsContext,
  PUBLIC_KEY_FIELD,
  serializeContext,
} from './encryption-context.ts';
import { FramesealError, throwIfAborted } from './errors.ts';
import { bodyLength, MAX_FRAME_LENGTH } from './format/message-body.ts';
import { footerLength } from './format/message-footer.ts';
import {
  encodeHeaderAuth,
  encodeHeaderBody,
  HEADER_IV,
  type HeaderFields,
  headerAuthLength,
  type MessageHeader,
  publicHeader,
} from './format/message-header.ts';
import { encodeVerificationKey } from './kdf/signature.ts';
import type { CryptographicMaterialsManager } from './materials/cmm.ts';
import { type DataKey, takeDataKey } from './materials/data-key.ts';
import type { EncryptionMaterials, MissingKey } from './materials/materials.ts';
import { type CommonOptions, checkInteger, type ResolvedOptions, resolveOptions } from './options.ts';
import { MessageSealer } from './stream/message-sealer.ts';
import {
  type AlgorithmSuite,
  type AlgorithmSuiteName,
  COMMIT_KEY_LENGTH,
  resolveSuite,
  suiteById,
} from './suite/algorithm-suites.ts';
import { checkEncryptPolicy } from './suite/commitment-policy.ts';

/** Options of `encrypt` and `encryptStream`. */
export interface EncryptOptions extends CommonOptions {
  /** A suite by name or id; default 0x0578, under `FORBID_ENCRYPT_ALLOW_DECRYPT` 0x0378. */
  readonly algorithmSuite?: AlgorithmSuiteName | number | undefined;
  /** Plaintext bytes of a frame, 1 to 2^31 - 1; default 4096. Above `maxFrameLength` only if that is raised too. */
  readonly frameLength?: number | undefined;
  /** An upper bound of the plaintext, in bytes: more fails. */
  readonly plaintextLength?: number | undefined;
}

/** A request whose options have been checked. */
export interface EncryptRequest extends ResolvedOptions {
  readonly encryptionContext: Context;
  readonly algorithmSuite: AlgorithmSuite | undefined;
  readonly frameLength: number;
  readonly plaintextLength: number | undefined;
}

/** A message whose header has been sealed. The sealer is the caller's to dispose of. */
export interface BegunMessage {
  readonly suite: AlgorithmSuite;
  /** The sealed header, and in a message that is written in one piece zeros for all that follows. */
  readonly bytes: Bytes;
  readonly header: MessageHeader;
  readonly sealer: MessageSealer;
  /** In signed suites alone. */
  readonly signingKey: SigningKey | undefined;
  readonly missingKeys: readonly MissingKey[];
  /** See {@link EncryptionMaterials.charge}. */
  readonly charge: EncryptionMaterials['charge'];
}

const DEFAULT_FRAME_LENGTH = 4096;
const MAX_PLAINTEXT_LENGTH = Number.MAX_SAFE_INTEGER;

/** @throws FramesealError `INVALID_ARGUMENT`, `UNSUPPORTED`, `COMMITMENT_POLICY`, `LIMIT_EXCEEDED`, `ABORTED` */
export function resolveEncrypt(options: EncryptOptions): EncryptRequest {
  const resolved = resolveOptions(options);
  const frameLength = resolveFrameLength(options.frameLength, resolved.maxFrameLength);
  const { plaintextLength } = options;
  if (plaintextLength !== undefined)
    checkInteger('plaintextLength', plaintextLength, 0, MAX_PLAINTEXT_LENGTH);
  const encryptionContext = callerContext(options.encryptionContext);
  const algorithmSuite =
    options.algorithmSuite === undefined ? undefined : resolveSuite(options.algorithmSuite);
  if (algorithmSuite) checkEncryptPolicy(resolved.commitmentPolicy, algorithmSuite);
  throwIfAborted(resolved.signal);
  return { ...resolved, encryptionContext, algorithmSuite, frameLength, plaintextLength };
}

/** How much is to be written: all of it at once, or in pieces up to a bound, if one is known. In bytes of plaintext. */
export type MessageExtent =
  | { readonly streamed: false; readonly plaintextLength: number }
  | { readonly streamed: true; readonly plaintextLength?: number | undefined };

/**
 * Gets the materials, derives the keys and seals the header.
 * @throws FramesealError `LIMIT_EXCEEDED` for a message in one piece that fits into no buffer
 */
export async function beginMessage(request: EncryptRequest, extent: MessageExtent): Promise<BegunMessage> {
  const { cmm, signal, encryptionContext, commitmentPolicy, algorithmSuite } = request;
  const { streamed, plaintextLength } = extent;
  const random = messageRandom();
  const asked = cmm.getEncryptionMaterials({
    encryptionContext,
    commitmentPolicy,
    random,
    streamed,
    ...(plaintextLength !== undefined && { maxPlaintextLength: plaintextLength }),
    ...(algorithmSuite && { algorithmSuite }),
    ...(signal && { signal }),
  });
  const answer = await untilAborted(signal, asked, (late) => ownDataKey(cmm, late).dispose());
  const dataKey = ownDataKey(cmm, answer);
  try {
    const materials = { ...answer, encryptionContext: materialsContext(answer.encryptionContext) };
    const suite = checkMaterials(materials, request);
    const messageId = random(suite.messageIdLength);
    const room = roomBehindHeader(extent, suite, request.frameLength);
    return await writeHeader(request, suite, materials, dataKey.bytes, messageId, room);
  } finally {
    dataKey.dispose();
  }
}

function roomBehindHeader(extent: MessageExtent, suite: AlgorithmSuite, frameLength: number): number {
  return extent.streamed ? 0 : bodyLength(extent.plaintextLength, frameLength) + footerLength(suite);
}

async function writeHeader(
  { platform, frameLength }: EncryptRequest,
  suite: AlgorithmSuite,
  materials: EncryptionMaterials,
  dataKey: Uint8Array,
  messageId: Bytes,
  room: number,
): Promise<BegunMessage> {
  const isRequired = (key: string) => materials.requiredEncryptionContextKeys.includes(key);
  const fields: HeaderFields = {
    suite,
    messageId,
    encryptionContext: filterContext(materials.encryptionContext, (key) => !isRequired(key)),
    encryptedDataKeys: materials.encryptedDataKeys.map(copyEncryptedDataKey),
    contentType: 'framed',
    frameLength,
    suiteData: new Uint8Array(suite.committing ? COMMIT_KEY_LENGTH : 0), // written when it is known
  };
  const authLength = headerAuthLength(suite);
  const bytes = encodeHeaderBody(fields, authLength + room);
  const body = bytes.subarray(0, bytes.length - room - authLength);
  const authenticatedOnly = serializeContext(filterContext(materials.encryptionContext, isRequired));
  const input = { messageId, body, iv: HEADER_IV, authenticatedOnly };
  const { sealer, tag } = await MessageSealer.begin(platform, suite, dataKey, input, frameLength);
  bytes.set(encodeHeaderAuth(suite, tag), body.length);
  return {
    suite,
    bytes,
    header: publicHeader(fields, body.length + authLength),
    sealer,
    signingKey: materials.signingKey,
    missingKeys: materials.missingKeys ?? [],
    charge: materials.charge,
  };
}

// Owned before anything else is checked, so that it is wiped whatever is wrong with the rest.
function ownDataKey(cmm: CryptographicMaterialsManager, materials: EncryptionMaterials): DataKey {
  const dataKey = materials?.plaintextDataKey;
  if (!(dataKey instanceof Uint8Array)) throw wrongMaterials('a data key');
  return takeDataKey(cmm, dataKey);
}

/** The length of frames that a message is written with. @throws FramesealError `INVALID_ARGUMENT`, `LIMIT_EXCEEDED` */
export function resolveFrameLength(frameLength: number | undefined, maxFrameLength: number): number {
  if (frameLength === undefined) return Math.min(DEFAULT_FRAME_LENGTH, maxFrameLength);
  checkInteger('frameLength', frameLength, 1, MAX_FRAME_LENGTH);
  if (frameLength > maxFrameLength) {
    throw new FramesealError(
      'LIMIT_EXCEEDED',
      `"frameLength" is ${frameLength}; maxFrameLength is ${maxFrameLength}: raise both`,
    );
  }
  return frameLength;
}

// encrypt.md#get-the-encryption-materials: what comes back is checked as if it came from anyone.
function checkMaterials(materials: EncryptionMaterials, options: EncryptRequest): AlgorithmSuite {
  const suite = suiteById(materials?.algorithmSuite?.id);
  if (suite === undefined) throw wrongMaterials('a known algorithm suite');
  checkEncryptPolicy(options.commitmentPolicy, suite);
  const {
    plaintextDataKey,
    encryptedDataKeys,
    encryptionContext,
    requiredEncryptionContextKeys,
    signingKey,
  } = materials;
  if (!Array.isArray(encryptedDataKeys) || !Array.isArray(requiredEncryptionContextKeys)) {
    throw wrongMaterials('lists of encrypted data keys and of required keys');
  }
  if (plaintextDataKey?.length !== suite.keyLength)
    throw wrongMaterials(`a data key of ${suite.keyLength} bytes`);
  if (encryptedDataKeys.length === 0) throw wrongMaterials('at least one encrypted data key');
  if (encryptedDataKeys.length > options.maxEncryptedDataKeys) {
    throw new FramesealError(
      'LIMIT_EXCEEDED',
      `the materials have ${encryptedDataKeys.length} encrypted data keys; maxEncryptedDataKeys is ${options.maxEncryptedDataKeys}`,
    );
  }
  checkSigningKey(suite, encryptionContext?.[PUBLIC_KEY_FIELD], signingKey?.publicKey);
  if (materials.charge !== undefined && typeof materials.charge !== 'function')
    throw wrongMaterials('"charge" to be a function');
  for (const edk of encryptedDataKeys) checkEncryptedDataKey(edk);
  if (!requiredEncryptionContextKeys.every((key) => key in encryptionContext && key !== PUBLIC_KEY_FIELD)) {
    throw wrongMaterials('required keys that are in the encryption context, and not the verification key');
  }
  return suite;
}

function checkSigningKey(
  suite: AlgorithmSuite,
  stored: string | undefined,
  publicKey: Uint8Array | undefined,
): void {
  if ((suite.signature === undefined) !== (publicKey === undefined)) {
    throw wrongMaterials(suite.signature ? 'a signing key' : 'no signing key');
  }
  if (suite.signature && publicKey?.length !== suite.signature.scalarLength + 1) {
    throw wrongMaterials(`a signing key of ${suite.signature.curve} with a compressed public key`);
  }
  const expected = publicKey && encodeVerificationKey(publicKey);
  if (stored !== expected)
    throw wrongMaterials(
      `"${PUBLIC_KEY_FIELD}" in the context exactly when there is a signing key, and equal to it`,
    );
}

function wrongMaterials(expected: string): FramesealError {
  return new FramesealError(
    'INVALID_ARGUMENT',
    `"cmm" answered unusable encryption materials: expected ${expected}`,
  );
}
