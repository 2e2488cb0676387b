/**
 * The required encryption context manager: pairs that every message must have, authenticated and not stored.
 *
 * Source: AWS Encryption SDK specification, `framework/required-encryption-context-cmm.md`.
 */
import { utf8 } from '../bytes.ts';
import { type Context, EMPTY_CONTEXT, RESERVED_PREFIX } from '../encryption-context.ts';
import { checkOptions, escapeText, FramesealError, invalidArgument, kindOf, quote } from '../errors.ts';
import type {
  CryptographicMaterialsManager,
  DecryptionMaterialsRequest,
  EncryptionMaterialsRequest,
} from './cmm.ts';
import { markOurs } from './data-key.ts';
import type { DecryptionMaterials, EncryptionMaterials } from './materials.ts';
import { ownedMaterials, type UnderlyingOptions, underlyingCmm } from './underlying-cmm.ts';

/** Options of {@link requiredEncryptionContextCmm}: exactly one of `keyring` and `cmm`, and the keys. */
export interface RequiredEncryptionContextCmmOptions extends UnderlyingOptions {
  /** Keys of pairs, none of them twice and none that begins with `aws-crypto-`. */
  readonly requiredKeys: readonly string[];
}

/**
 * A manager under which every message has a value for these keys in its encryption context. The pairs are authenticated, and
 * sent to keyrings, but not stored: whoever decrypts gives them again in `encryptionContext`.
 *
 * Encrypt fails with `INVALID_ARGUMENT` without one of them, decrypt with `CONTEXT_MISMATCH` without one or with another value.
 * @throws FramesealError `INVALID_ARGUMENT`
 */
export function requiredEncryptionContextCmm(
  options: RequiredEncryptionContextCmmOptions,
): CryptographicMaterialsManager {
  checkOptions(options, ['keyring', 'cmm', 'requiredKeys']);
  const cmm = underlyingCmm(options);
  const keys = checkKeys(options.requiredKeys);
  return markOurs({
    getEncryptionMaterials: (request: EncryptionMaterialsRequest) =>
      getEncryptionMaterials(cmm, keys, request),
    decryptMaterials: (request: DecryptionMaterialsRequest) => decryptMaterials(cmm, keys, request),
  });
}

async function getEncryptionMaterials(
  cmm: CryptographicMaterialsManager,
  keys: readonly string[],
  request: EncryptionMaterialsRequest,
): Promise<EncryptionMaterials> {
  const { encryptionContext, requiredEncryptionContextKeys: asked = [] } = request;
  const missing = keys.find((key) => !Object.hasOwn(encryptionContext, key));
  if (missing !== undefined)
    throw invalidArgument('encryptionContext', `a value for the required key ${quote(missing)}`, 'none');
  const requiredEncryptionContextKeys = [...new Set([...asked, ...keys])];
  const answer = await cmm.getEncryptionMaterials({ ...request, requiredEncryptionContextKeys });
  const materials = ownedMaterials(cmm, answer);
  const answered = materials?.requiredEncryptionContextKeys;
  return checked(materials, keys, (key) => Array.isArray(answered) && answered.includes(key));
}

async function decryptMaterials(
  cmm: CryptographicMaterialsManager,
  keys: readonly string[],
  request: DecryptionMaterialsRequest,
): Promise<DecryptionMaterials> {
  const reproduced = request.reproducedEncryptionContext ?? EMPTY_CONTEXT;
  const missing = keys.find((key) => !Object.hasOwn(reproduced, key));
  if (missing !== undefined) {
    throw new FramesealError(
      'CONTEXT_MISMATCH',
      `the encryption context must have a value for "${escapeText(missing)}", which is required and not stored in the message: give it as "encryptionContext"`,
    );
  }
  const materials = ownedMaterials(cmm, await cmm.decryptMaterials(request));
  const answered: Context = materials?.encryptionContext ?? EMPTY_CONTEXT;
  return checked(materials, keys, (key) => answered[key] === reproduced[key]);
}

// What comes back may be of a manager that leaves pairs out: they would be authenticated by nothing.
function checked<M extends EncryptionMaterials | DecryptionMaterials>(
  materials: M,
  keys: readonly string[],
  has: (key: string) => boolean,
): M {
  const missing = keys.find((key) => !has(key));
  if (missing === undefined) return materials;
  materials?.plaintextDataKey?.fill(0);
  const text = `"cmm" answered materials without the required pair ${quote(missing)}`;
  throw new FramesealError('INVALID_ARGUMENT', text);
}

function checkKeys(keys: readonly string[]): readonly string[] {
  if (!Array.isArray(keys)) throw invalidArgument('requiredKeys', 'an array of text', kindOf(keys));
  for (const [i, key] of keys.entries()) {
    if (typeof key !== 'string' || utf8(key) === undefined)
      throw invalidArgument('requiredKeys', 'well-formed text', kindOf(key));
    if (key.startsWith(RESERVED_PREFIX)) {
      const expected = `no key that begins with "${RESERVED_PREFIX}", which the format reserves`;
      throw invalidArgument('requiredKeys', expected, quote(key));
    }
    if (keys.indexOf(key) !== i) throw invalidArgument('requiredKeys', 'each key once', quote(key));
  }
  return [...keys];
}
