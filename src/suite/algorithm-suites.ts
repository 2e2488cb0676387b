/**
 * The eleven algorithm suites of the message format, as a table.
 *
 * Source: AWS Encryption SDK specification, `framework/algorithm-suites.md` (names, ids, lengths) and
 * `framework/transitive-requirements.md` (key derivation). Every suite is AES-GCM with a 12-byte IV and a
 * 16-byte tag.
 */
import { invalidArgument, quote } from '../errors.ts';

/** A suite's name: the specification's ESDK algorithm suite ENUM. */
export type AlgorithmSuiteName =
  | 'ALG_AES_128_GCM_IV12_TAG16_NO_KDF'
  | 'ALG_AES_192_GCM_IV12_TAG16_NO_KDF'
  | 'ALG_AES_256_GCM_IV12_TAG16_NO_KDF'
  | 'ALG_AES_128_GCM_IV12_TAG16_HKDF_SHA256'
  | 'ALG_AES_192_GCM_IV12_TAG16_HKDF_SHA256'
  | 'ALG_AES_256_GCM_IV12_TAG16_HKDF_SHA256'
  | 'ALG_AES_128_GCM_IV12_TAG16_HKDF_SHA256_ECDSA_P256'
  | 'ALG_AES_192_GCM_IV12_TAG16_HKDF_SHA384_ECDSA_P384'
  | 'ALG_AES_256_GCM_IV12_TAG16_HKDF_SHA384_ECDSA_P384'
  | 'ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY'
  | 'ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY_ECDSA_P384';

/** A hash function, under its WebCrypto name. */
export type HashName = 'SHA-1' | 'SHA-256' | 'SHA-384' | 'SHA-512';

/** A signature algorithm of a suite. */
export interface SignatureAlgorithm {
  readonly curve: 'P-256' | 'P-384';
  readonly hash: 'SHA-256' | 'SHA-384';
  /** Bytes of one coordinate or scalar. */
  readonly scalarLength: 32 | 48;
  /** Bytes of the DER signature that is written, as by the Python and Java SDKs, so that sizes are exact. */
  readonly signatureLength: 71 | 103;
}

/** One algorithm suite. */
export interface AlgorithmSuite {
  readonly id: number;
  readonly name: AlgorithmSuiteName;
  readonly messageVersion: 1 | 2;
  /** Bytes of the data key and of the derived key: 16, 24 or 32. */
  readonly keyLength: 16 | 24 | 32;
  /** HKDF hash; `undefined` is the identity KDF: the derived key is the data key. */
  readonly kdf: 'SHA-256' | 'SHA-384' | 'SHA-512' | undefined;
  /** Whether the header carries a commit key that binds the message to one data key. */
  readonly committing: boolean;
  readonly signature: SignatureAlgorithm | undefined;
  /** Bytes of the message id. */
  readonly messageIdLength: 16 | 32;
}

/** IV length of every suite, in bytes. */
export const IV_LENGTH = 12;
/** Tag length of every suite, in bytes. */
export const TAG_LENGTH = 16;
/** Commit key length of the committing suites, in bytes. */
export const COMMIT_KEY_LENGTH = 32;

const P256: SignatureAlgorithm = { curve: 'P-256', hash: 'SHA-256', scalarLength: 32, signatureLength: 71 };
const P384: SignatureAlgorithm = { curve: 'P-384', hash: 'SHA-384', scalarLength: 48, signatureLength: 103 };

const SUITES: readonly AlgorithmSuite[] = [
  v1(0x0014, 'ALG_AES_128_GCM_IV12_TAG16_NO_KDF', 16, undefined),
  v1(0x0046, 'ALG_AES_192_GCM_IV12_TAG16_NO_KDF', 24, undefined),
  v1(0x0078, 'ALG_AES_256_GCM_IV12_TAG16_NO_KDF', 32, undefined),
  v1(0x0114, 'ALG_AES_128_GCM_IV12_TAG16_HKDF_SHA256', 16, 'SHA-256'),
  v1(0x0146, 'ALG_AES_192_GCM_IV12_TAG16_HKDF_SHA256', 24, 'SHA-256'),
  v1(0x0178, 'ALG_AES_256_GCM_IV12_TAG16_HKDF_SHA256', 32, 'SHA-256'),
  v1(0x0214, 'ALG_AES_128_GCM_IV12_TAG16_HKDF_SHA256_ECDSA_P256', 16, 'SHA-256', P256),
  v1(0x0346, 'ALG_AES_192_GCM_IV12_TAG16_HKDF_SHA384_ECDSA_P384', 24, 'SHA-384', P384),
  v1(0x0378, 'ALG_AES_256_GCM_IV12_TAG16_HKDF_SHA384_ECDSA_P384', 32, 'SHA-384', P384),
  v2(0x0478, 'ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY'),
  v2(0x0578, 'ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY_ECDSA_P384', P384),
];

/** All suites, by ascending id. */
export const ALGORITHM_SUITES: readonly AlgorithmSuite[] = SUITES;

const byId = new Map(SUITES.map((suite) => [suite.id, suite]));
const byName = new Map<string, AlgorithmSuite>(SUITES.map((suite) => [suite.name, suite]));

/** The suite with this id, or `undefined`: unknown ids must fail (`00 00` is reserved for ever). */
export function suiteById(id: number): AlgorithmSuite | undefined {
  return byId.get(id);
}

/**
 * The suite that a caller names.
 * @throws FramesealError `INVALID_ARGUMENT` for a name or an id that is no suite's.
 */
export function resolveSuite(nameOrId: AlgorithmSuiteName | number): AlgorithmSuite {
  const suite = typeof nameOrId === 'number' ? byId.get(nameOrId) : byName.get(nameOrId);
  if (suite === undefined) {
    throw invalidArgument(
      'algorithmSuite',
      'a suite name such as ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY or its id 0x0478',
      quote(nameOrId),
    );
  }
  return suite;
}

function v1(
  id: number,
  name: AlgorithmSuiteName,
  keyLength: 16 | 24 | 32,
  kdf: AlgorithmSuite['kdf'],
  signature?: SignatureAlgorithm,
): AlgorithmSuite {
  return { id, name, messageVersion: 1, keyLength, kdf, committing: false, signature, messageIdLength: 16 };
}

function v2(id: number, name: AlgorithmSuiteName, signature?: SignatureAlgorithm): AlgorithmSuite {
  return {
    id,
    name,
    messageVersion: 2,
    keyLength: 32,
    kdf: 'SHA-512',
    committing: true,
    signature,
    messageIdLength: 32,
  };
}
