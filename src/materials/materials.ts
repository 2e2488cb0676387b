/**
 * Encryption and decryption materials: what a materials manager answers, and what passes from keyring to keyring.
 *
 * Plain values that nobody changes: a keyring returns new materials that carry what it adds.
 * Source: AWS Encryption SDK specification, `framework/structures.md`.
 */
import type { SigningKey } from '../crypto/crypto.ts';
import type { EncryptedDataKey } from '../encrypted-data-key.ts';
import type { Context } from '../encryption-context.ts';
import type { AlgorithmSuite } from '../suite/algorithm-suites.ts';

/** A wrapping key under which a message was not wrapped, although it was asked for. */
export interface MissingKey {
  readonly keyId: string;
  readonly region?: string;
  readonly error: unknown;
}

/** What encrypts one message. */
export interface EncryptionMaterials {
  readonly algorithmSuite: AlgorithmSuite;
  /** The full context: stored pairs, required pairs, and for signed suites `aws-crypto-public-key`. */
  readonly encryptionContext: Context;
  /** Keys of pairs that are authenticated but not stored. */
  readonly requiredEncryptionContextKeys: readonly string[];
  /** The data key: as many bytes as the suite's `keyLength`. Absent until a keyring has generated it. */
  readonly plaintextDataKey?: Uint8Array;
  /** The data key, wrapped; at least one entry when the message is written. */
  readonly encryptedDataKeys: readonly EncryptedDataKey[];
  /** For signed suites alone. */
  readonly signingKey?: SigningKey;
  readonly missingKeys?: readonly MissingKey[];
  /**
   * There when the request gave no length: to be told of the plaintext bytes, as many as there are in each part, before they
   * are encrypted. The manager that keeps the data key for other messages counts them.
   */
  readonly charge?: (bytes: number) => void;
}

/** What decrypts one message. */
export interface DecryptionMaterials {
  readonly algorithmSuite: AlgorithmSuite;
  /** The full context: what the header stores, and required pairs that the caller reproduced. */
  readonly encryptionContext: Context;
  readonly requiredEncryptionContextKeys: readonly string[];
  /** Absent until a keyring has opened an encrypted data key. */
  readonly plaintextDataKey?: Uint8Array;
  /** For signed suites alone: a compressed point, from the stored context. */
  readonly verificationKey?: Uint8Array;
}
