/**
 * Encrypt, one-shot: request, materials, keys, header, frames, footer.
 *
 * Source: AWS Encryption SDK specification, `client-apis/encrypt.md`.
 */
import { type Bytes, copy } from './bytes.ts';
import { messageRandom } from './crypto/random.ts';
import { untilAborted } from './deadline.ts';
import { checkEncryptedDataKey } from './encrypted-data-key.ts';
import {
  callerContext,
  filterContext,
  materialsContext,
  PUBLIC_KEY_FIELD,
  serializeContext,
} from './encryption-context.ts';
import { FramesealError, throwIfAborted } from './errors.ts';
import { bodyLength, MAX_FRAME_LENGTH, MAX_FRAMES, regularFrames } from './format/message-body.ts';
import { encodeFooter, FOOTER_OVERHEAD } from './format/message-footer.ts';
import {
  encodeHeaderAuth,
  encodeHeaderBody,
  type HeaderFields,
  headerAuthLength,
  type MessageHeader,
  publicHeader,
} from './format/message-header.ts';
import { deriveKeys } from './kdf/derive-keys.ts';
import { encodeVerificationKey, signMessage } from './kdf/signature.ts';
import type { CryptographicMaterialsManager } from './materials/cmm.ts';
import { type DataKey, takeDataKey } from './materials/data-key.ts';
import type { EncryptionMaterials, MissingKey } from './materials/materials.ts';
import {
  type CommonOptions,
  checkBytes,
  checkInteger,
  type ResolvedOptions,
  resolveOptions,
} from './options.ts';
import { MessageSealer } from './stream/message-sealer.ts';
import {
  type AlgorithmSuite,
  type AlgorithmSuiteName,
  resolveSuite,
  suiteById,
} from './suite/algorithm-suites.ts';
import { checkEncryptPolicy } from './suite/commitment-policy.ts';

/** Options of {@link encrypt}. */
export interface EncryptOptions extends CommonOptions {
  /** A suite by name or id; default 0x0578, under `FORBID_ENCRYPT_ALLOW_DECRYPT` 0x0378. */
  readonly algorithmSuite?: AlgorithmSuiteName | number | undefined;
  /** Plaintext bytes of a frame, 1 to 2^31 - 1; default 4096. Above `maxFrameLength` only if that is raised too. */
  readonly frameLength?: number | undefined;
  /** An upper bound of the plaintext, in bytes: more fails. */
  readonly plaintextLength?: number | undefined;
}

/** What {@link encrypt} answers. */
export interface EncryptResult {
  /** The whole message. */
  readonly ciphertext: Bytes;
  readonly header: MessageHeader;
  /** Keys that a quorum let go missing; empty without one. */
  readonly missingKeys: readonly MissingKey[];
}

const DEFAULT_FRAME_LENGTH = 4096;
const MAX_PLAINTEXT_LENGTH = Number.MAX_SAFE_INTEGER;

/**
 * Encrypts bytes into one message. The plaintext is read until the promise settles: do not change it before.
 * @throws FramesealError `INVALID_ARGUMENT`, `UNSUPPORTED`, `COMMITMENT_POLICY`, `LIMIT_EXCEEDED`, `ABORTED`, and
 *   what keyrings throw: `KMS_FAILED`, `TIMEOUT`
 */
export async function encrypt(plaintext: Uint8Array, options: EncryptOptions): Promise<EncryptResult> {
  const resolved = resolveOptions(options);
  const frameLength = checkFrameLength(options.frameLength, resolved.maxFrameLength);
  checkPlaintext(plaintext, options.plaintextLength, frameLength);
  const encryptionContext = callerContext(options.encryptionContext);
  const algorithmSuite =
    options.algorithmSuite === undefined ? undefined : resolveSuite(options.algorithmSuite);
  const { cmm, commitmentPolicy, signal } = resolved;
  if (algorithmSuite) checkEncryptPolicy(commitmentPolicy, algorithmSuite);
  throwIfAborted(signal);

  const random = messageRandom();
  const answer = await untilAborted(
    signal,
    cmm.getEncryptionMaterials({
      encryptionContext,
      commitmentPolicy,
      maxPlaintextLength: plaintext.length,
      random,
      ...(algorithmSuite && { algorithmSuite }),
      ...(signal && { signal }),
    }),
    (late) => ownDataKey(cmm, late).dispose(),
  );
  const dataKey = ownDataKey(cmm, answer);
  try {
    const materials = { ...answer, encryptionContext: materialsContext(answer.encryptionContext) };
    const suite = checkMaterials(materials, resolved);
    const messageId = random(suite.messageIdLength);
    return await writeMessage(plaintext, frameLength, suite, materials, dataKey, messageId, resolved);
  } finally {
    dataKey.dispose();
  }
}

// Owned before anything else is checked, so that it is wiped whatever is wrong with the rest.
function ownDataKey(cmm: CryptographicMaterialsManager, materials: EncryptionMaterials): DataKey {
  const dataKey = materials?.plaintextDataKey;
  if (!(dataKey instanceof Uint8Array)) throw wrongMaterials('a data key');
  return takeDataKey(cmm, dataKey);
}

async function writeMessage(
  plaintext: Uint8Array,
  frameLength: number,
  suite: AlgorithmSuite,
  materials: EncryptionMaterials,
  dataKey: DataKey,
  messageId: Bytes,
  { platform: { engine, crypto }, signal, onProgress }: ResolvedOptions,
): Promise<EncryptResult> {
  const { derivedKey, commitKey } = await deriveKeys(crypto, suite, dataKey.bytes, messageId);
  const sealer = new MessageSealer(crypto, engine, derivedKey, messageId);
  derivedKey.fill(0);
  try {
    const isRequired = (key: string) => materials.requiredEncryptionContextKeys.includes(key);
    const fields: HeaderFields = {
      suite,
      messageId,
      encryptionContext: filterContext(materials.encryptionContext, (key) => !isRequired(key)),
      encryptedDataKeys: materials.encryptedDataKeys.map(({ providerId, providerInfo, ciphertext }) => ({
        providerId,
        providerInfo: copy(providerInfo),
        ciphertext: copy(ciphertext),
      })),
      contentType: 'framed',
      frameLength,
      suiteData: commitKey,
    };
    const headerBody = encodeHeaderBody(fields);
    const tag = await sealer.sealHeader(
      headerBody,
      serializeContext(filterContext(materials.encryptionContext, isRequired)),
    );

    const headerLength = headerBody.length + headerAuthLength(suite);
    const bodyEnd = headerLength + bodyLength(plaintext.length, frameLength);
    const message = allocate(bodyEnd + footerLength(suite));
    message.set(headerBody);
    message.set(encodeHeaderAuth(suite, tag), headerBody.length);
    const progress = { signal, onProgress, total: plaintext.length };
    await sealer.sealBody(plaintext, frameLength, message.subarray(headerLength, bodyEnd), progress);

    const ciphertext = suite.signature ? await sign(suite, materials, message, bodyEnd) : message;
    return {
      ciphertext,
      header: publicHeader(fields, headerLength),
      missingKeys: materials.missingKeys ?? [],
    };
  } finally {
    sealer.dispose();
  }
}

async function sign(
  suite: AlgorithmSuite,
  materials: EncryptionMaterials,
  message: Bytes,
  bodyEnd: number,
): Promise<Bytes> {
  const footer = encodeFooter(
    await signMessage(suite.signature!, materials.signingKey!, message.subarray(0, bodyEnd)),
  );
  if (bodyEnd + footer.length === message.length) {
    message.set(footer, bodyEnd);
    return message;
  }
  const resized = allocate(bodyEnd + footer.length); // a caller's signing key that misses the usual length
  resized.set(message.subarray(0, bodyEnd));
  resized.set(footer, bodyEnd);
  return resized;
}

function footerLength(suite: AlgorithmSuite): number {
  return suite.signature ? FOOTER_OVERHEAD + suite.signature.signatureLength : 0;
}

function checkFrameLength(frameLength: number | undefined, maxFrameLength: number): number {
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

function checkPlaintext(plaintext: Uint8Array, bound: number | undefined, frameLength: number): void {
  checkBytes('plaintext', plaintext);
  if (bound !== undefined) {
    checkInteger('plaintextLength', bound, 0, MAX_PLAINTEXT_LENGTH);
    if (plaintext.length > bound) {
      throw new FramesealError(
        'LIMIT_EXCEEDED',
        `the plaintext has ${plaintext.length} bytes; "plaintextLength" is ${bound}`,
      );
    }
  }
  const frames = regularFrames(plaintext.length, frameLength) + 1;
  if (frames > MAX_FRAMES) {
    throw new FramesealError(
      'LIMIT_EXCEEDED',
      `${frames} frames are needed; the format allows ${MAX_FRAMES}: raise "frameLength"`,
    );
  }
}

// encrypt.md#get-the-encryption-materials: what comes back is checked as if it came from anyone.
function checkMaterials(materials: EncryptionMaterials, options: ResolvedOptions): AlgorithmSuite {
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

function allocate(length: number): Bytes {
  try {
    return new Uint8Array(length);
  } catch (cause) {
    throw new FramesealError(
      'LIMIT_EXCEEDED',
      `a message of ${length} bytes does not fit into one buffer here`,
      { cause },
    );
  }
}
