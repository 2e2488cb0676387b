/**
 * The interface of cryptographic materials managers (CMM): where the materials of a message come from.
 *
 * Callers may write their own, around a keyring or around another manager.
 * Source: AWS Encryption SDK specification, `framework/cmm-interface.md`.
 */
import type { RandomSource } from '../crypto/crypto.ts';
import type { EncryptedDataKey } from '../encrypted-data-key.ts';
import type { Context } from '../encryption-context.ts';
import type { AlgorithmSuite } from '../suite/algorithm-suites.ts';
import type { CommitmentPolicy } from '../suite/commitment-policy.ts';
import type { DecryptionMaterials, EncryptionMaterials } from './materials.ts';

/** What `encrypt` asks for. */
export interface EncryptionMaterialsRequest {
  readonly encryptionContext: Context;
  readonly commitmentPolicy: CommitmentPolicy;
  /** Absent: the manager chooses, as a rule the policy's default. */
  readonly algorithmSuite?: AlgorithmSuite;
  /** Plaintext bytes, or an upper bound; absent when neither is known. */
  readonly maxPlaintextLength?: number;
  /** Keys of pairs that are to be authenticated but not stored. */
  readonly requiredEncryptionContextKeys?: readonly string[];
  readonly signal?: AbortSignal;
  /** Whether the message is signed in pieces: the signing key then needs `signer`. */
  readonly streamed?: boolean;
  /**
   * Whether the materials may serve several messages: the signing key then signs them all. A caching manager asks so, and one
   * beneath it then does not cache. Pass it on.
   */
  readonly reusable?: boolean;
  /** The message's random bytes; absent when the materials are not of one message. */
  readonly random?: RandomSource;
}

/** What `decrypt` asks for. */
export interface DecryptionMaterialsRequest {
  readonly algorithmSuite: AlgorithmSuite;
  readonly commitmentPolicy: CommitmentPolicy;
  readonly encryptedDataKeys: readonly EncryptedDataKey[];
  /** As the header stores it. */
  readonly encryptionContext: Context;
  /** What the caller requires or reproduces. */
  readonly reproducedEncryptionContext?: Context;
  readonly signal?: AbortSignal;
  /**
   * Whether the data key in these materials is the message's: its commitment and header tag hold. Keyrings whose
   * unwrapping proves nothing (RSA PKCS#1 v1.5) ask it, and go on to the next encrypted data key on `false`. Pass it on.
   */
  readonly confirmDataKey?: (materials: DecryptionMaterials) => Promise<boolean>;
}

/** A cryptographic materials manager. */
export interface CryptographicMaterialsManager {
  /** Answers materials with a data key, at least one encrypted data key and, for signed suites, a signing key. */
  getEncryptionMaterials(request: EncryptionMaterialsRequest): Promise<EncryptionMaterials>;
  /** Answers materials with the data key and, for signed suites, the verification key. */
  decryptMaterials(request: DecryptionMaterialsRequest): Promise<DecryptionMaterials>;
}
