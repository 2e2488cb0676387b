/**
 * `frameseal/aws-kms`: keyrings over AWS KMS. `@aws-sdk/client-kms` is loaded when a client of it is first used.
 */

export { awsKmsDiscoveryKeyring } from './aws-kms-discovery-keyring.ts';
export { awsKmsKeyring } from './aws-kms-keyring.ts';
export { awsKmsMrkDiscoveryKeyring } from './aws-kms-mrk-discovery-keyring.ts';
export { awsKmsMrkKeyring } from './aws-kms-mrk-keyring.ts';
export { excludeRegions, limitRegions } from './clients.ts';
export type { AwsKmsDiscoveryKeyringOptions, DiscoveryFilter } from './discovery-keyring.ts';
export type {
  ClientSupplier,
  DecryptInput,
  EncryptInput,
  GenerateDataKeyInput,
  KmsApi,
  KmsCall,
  KmsCallOptions,
  KmsClient,
  KmsOperation,
  KmsOutput,
  KmsSender,
} from './kms-api.ts';
export type { AwsKmsCommonOptions, Quorum } from './options.ts';
export { sdkClientSupplier } from './sdk.ts';
export type { AwsKmsKeyringOptions } from './strict-keyring.ts';
