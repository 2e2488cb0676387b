/**
 * The default cryptographic materials manager: one keyring, a fresh signing key for each signed message.
 *
 * Source: AWS Encryption SDK specification, `framework/default-cmm.md`, `framework/cmm-interface.md`.
 */
import { nativeCrypto } from '../crypto/default-crypto.ts';
import { messageRandom } from '../crypto/random.ts';
import type { EncryptedDataKey } from '../encrypted-data-key.ts';
import {
  type Context,
  checkReproduced,
  EMPTY_CONTEXT,
  filterContext,
  PUBLIC_KEY_FIELD,
  toContext,
} from '../encryption-context.ts';
import { checkOptions, FramesealError, invalidArgument, quote } from '../errors.ts';
import { decodeVerificationKey, encodeVerificationKey } from '../kdf/signature.ts';
import {
  attempt,
  checkKeyring,
  hasDataKey,
  type Keyring,
  MAX_ATTEMPTS,
  noDataKey,
  notAttempted,
} from '../keyring/keyring.ts';
import { checkDecryptPolicy, checkEncryptPolicy, defaultSuite } from '../suite/commitment-policy.ts';
import type {
  CryptographicMaterialsManager,
  DecryptionMaterialsRequest,
  EncryptionMaterialsRequest,
} from './cmm.ts';
import { markOurs, takeDataKey } from './data-key.ts';
import type { DecryptionMaterials, EncryptionMaterials } from './materials.ts';

/**
 * A materials manager over one keyring: what `encrypt` and `decrypt` use when they are given a keyring.
 * @throws FramesealError `INVALID_ARGUMENT` without a keyring.
 */
export function defaultCmm(options: { readonly keyring: Keyring }): CryptographicMaterialsManager {
  checkOptions(options, ['keyring']);
  const { keyring } = options;
  checkKeyring('keyring', keyring);
  return markOurs({
    getEncryptionMaterials: (request: EncryptionMaterialsRequest) => getEncryptionMaterials(keyring, request),
    decryptMaterials: (request: DecryptionMaterialsRequest) => decryptMaterials(keyring, request),
  });
}

async function getEncryptionMaterials(
  keyring: Keyring,
  request: EncryptionMaterialsRequest,
): Promise<EncryptionMaterials> {
  const {
    encryptionContext,
    commitmentPolicy,
    signal,
    streamed,
    reusable,
    random = messageRandom(),
  } = request;
  if (PUBLIC_KEY_FIELD in encryptionContext) {
    throw invalidArgument(
      'encryptionContext',
      `no "${PUBLIC_KEY_FIELD}": the materials manager adds it`,
      quote(PUBLIC_KEY_FIELD),
    );
  }
  const algorithmSuite = request.algorithmSuite ?? defaultSuite(commitmentPolicy);
  checkEncryptPolicy(commitmentPolicy, algorithmSuite);
  const signed = algorithmSuite.signature;
  const use = { inPieces: streamed, reusable };
  const signingKey = signed && (await nativeCrypto().generateSigningKey(signed, random, use));
  const asked: EncryptionMaterials = {
    algorithmSuite,
    encryptionContext: signingKey
      ? joined(encryptionContext, { [PUBLIC_KEY_FIELD]: encodeVerificationKey(signingKey.publicKey) })
      : encryptionContext,
    requiredEncryptionContextKeys: request.requiredEncryptionContextKeys ?? [],
    encryptedDataKeys: [],
    ...(signingKey && { signingKey }),
  };
  const answer = await keyring.onEncrypt(asked, { signal, random });
  if (!(answer?.plaintextDataKey instanceof Uint8Array)) {
    throw invalidArgument(
      'keyring',
      'to generate a data key; one that can only wrap needs a generator before it',
      'none',
    );
  }
  const { encryptedDataKeys, missingKeys = [] } = answer;
  const plaintextDataKey = takeDataKey(keyring, answer.plaintextDataKey).bytes;
  return { ...asked, plaintextDataKey, encryptedDataKeys, missingKeys };
}

async function decryptMaterials(
  keyring: Keyring,
  request: DecryptionMaterialsRequest,
): Promise<DecryptionMaterials> {
  const { algorithmSuite, encryptionContext, encryptedDataKeys, signal, confirmDataKey } = request;
  const reproduced = request.reproducedEncryptionContext ?? EMPTY_CONTEXT;
  checkDecryptPolicy(request.commitmentPolicy, algorithmSuite);
  checkReproduced(encryptionContext, reproduced, false);
  const verificationKey = verificationKeyOf(request);
  const required = filterContext(reproduced, (key) => !(key in encryptionContext));
  const asked: DecryptionMaterials = {
    algorithmSuite,
    encryptionContext: joined(encryptionContext, required),
    requiredEncryptionContextKeys: Object.keys(required),
    ...(verificationKey && { verificationKey }),
  };
  const answer = await onDecrypt(keyring, asked, encryptedDataKeys, { signal, confirmDataKey });
  if (!hasDataKey(answer, algorithmSuite.keyLength)) throw noDataKey(unmatched(encryptedDataKeys, []));
  return { ...asked, plaintextDataKey: takeDataKey(keyring, answer.plaintextDataKey).bytes };
}

// An error's attempts are completed with the entries that no keyring knew.
async function onDecrypt(
  keyring: Keyring,
  materials: DecryptionMaterials,
  edks: readonly EncryptedDataKey[],
  options: Parameters<Keyring['onDecrypt']>[2],
): Promise<DecryptionMaterials | undefined> {
  try {
    return await keyring.onDecrypt(materials, edks, options);
  } catch (error) {
    if (!(error instanceof FramesealError) || error.code !== 'NO_DATA_KEY') throw error;
    const causes = error.cause === undefined ? [] : [error.cause];
    throw noDataKey([...error.attempts, ...unmatched(edks, error.attempts)], causes);
  }
}

function unmatched(
  edks: readonly EncryptedDataKey[],
  tried: FramesealError['attempts'],
): FramesealError['attempts'] {
  const listed = notAttempted(edks, tried).slice(0, Math.max(0, MAX_ATTEMPTS - tried.length));
  return listed.map((edk) => attempt(edk, 'none', 'no keyring of this call has this key'));
}

// default-cmm.md#decrypt-materials: signed suites need the key, unsigned suites must not have it.
function verificationKeyOf({
  algorithmSuite,
  encryptionContext,
}: DecryptionMaterialsRequest): Uint8Array | undefined {
  const text = encryptionContext[PUBLIC_KEY_FIELD];
  const { signature } = algorithmSuite;
  if ((signature === undefined) !== (text === undefined)) {
    const what = signature ? 'a signed suite without a' : 'an unsigned suite with a';
    throw new FramesealError(
      'INVALID_MESSAGE',
      `the header has ${what} verification key in its encryption context`,
    );
  }
  return signature && decodeVerificationKey(signature, text!);
}

function joined(a: Context, b: Context): Context {
  if (Object.keys(b).length === 0) return a;
  return toContext([...Object.entries(a), ...Object.entries(b)]);
}
