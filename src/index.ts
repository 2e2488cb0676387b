/**
 * frameseal: AWS Encryption SDK messages in every JavaScript runtime.
 *
 * No Node built-in and no AWS SDK is imported here; KMS keyrings are in `frameseal/aws-kms`.
 */

export type { DecryptOptions } from './begin-decrypt.ts';
export type { EncryptOptions } from './begin-encrypt.ts';
export type { Bytes } from './bytes.ts';
export type { RandomSource, RsaPadding, SigningKey } from './crypto/crypto.ts';
export { type DecryptResult, decrypt, parseHeader } from './decrypt.ts';
export {
  type DecryptRangeOptions,
  type DecryptRangeResult,
  decryptRange,
  type RangeSource,
} from './decrypt-range.ts';
export {
  type DecryptStreamOptions,
  type DecryptStreamResult,
  decryptStream,
  type SignedStreams,
} from './decrypt-stream.ts';
export { type EncryptResult, encrypt } from './encrypt.ts';
export { type EncryptStreamResult, encryptStream } from './encrypt-stream.ts';
export type { EncryptedDataKey } from './encrypted-data-key.ts';
export type { Context, ContextInput } from './encryption-context.ts';
export type { EngineChoice, EngineRow } from './engine/select.ts';
export { type EngineReport, type MeasuredEngine, warmUp } from './engine/warm-up.ts';
export type { KernelStatus } from './engine/wasm/kernel-status.ts';
export { type DecryptAttempt, type ErrorCode, FramesealError } from './errors.ts';
export type { MessageHeader } from './format/message-header.ts';
export type { Keyring, OnDecryptOptions, OnEncryptOptions } from './keyring/keyring.ts';
export { type MultiKeyringOptions, multiKeyring } from './keyring/multi-keyring.ts';
export { type RawAesKeyringOptions, rawAesKeyring } from './keyring/raw-aes-keyring.ts';
export { type RawRsaKeyringOptions, rawRsaKeyring } from './keyring/raw-rsa-keyring.ts';
export { type CachingCmmOptions, cachingCmm } from './materials/caching-cmm.ts';
export type {
  CryptographicMaterialsManager,
  DecryptionMaterialsRequest,
  EncryptionMaterialsRequest,
} from './materials/cmm.ts';
export { defaultCmm } from './materials/default-cmm.ts';
export { type LocalCacheOptions, localCache } from './materials/local-cache.ts';
export type { DecryptionMaterials, EncryptionMaterials, MissingKey } from './materials/materials.ts';
export type { MaterialsCache } from './materials/materials-cache.ts';
export {
  type RequiredEncryptionContextCmmOptions,
  requiredEncryptionContextCmm,
} from './materials/required-encryption-context-cmm.ts';
export { type StormTrackingCacheOptions, stormTrackingCache } from './materials/storm-tracking-cache.ts';
export type { CommonOptions } from './options.ts';
export {
  type AddWrappingKeysOptions,
  type AddWrappingKeysResult,
  addWrappingKeys,
} from './rewrap/add-wrapping-keys.ts';
export type { RewrapOptions, RewrapReport } from './rewrap/begin-rewrap.ts';
export { type RewrapResult, rewrap } from './rewrap/rewrap.ts';
export { type RewrapStreamOptions, rewrapStream } from './rewrap/rewrap-stream.ts';
export type { StoredMessage } from './rewrap/rotate-message.ts';
export { rotateMessages } from './rewrap/rotate-messages.ts';
export type { RotateOptions } from './rewrap/rotate-options.ts';
export type { JournalEntry, RotationJournal } from './rewrap/rotation-journal.ts';
export type { RotationProgress, RotationReport, RotationResult } from './rewrap/rotation-report.ts';
export {
  type CiphertextLengthOptions,
  ciphertextLength,
  type EstimateOptions,
  estimateCiphertextLength,
  plaintextLength,
} from './sizes.ts';
export type { MessageStream } from './stream/message-stream.ts';
export {
  type AlgorithmSuite,
  type AlgorithmSuiteName,
  resolveSuite as algorithmSuite,
} from './suite/algorithm-suites.ts';
export type { CommitmentPolicy } from './suite/commitment-policy.ts';
