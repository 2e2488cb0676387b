/**
 * `frameseal/aws-kms`: keyrings over AWS KMS. `@aws-sdk/client-kms` is loaded when a client of it is first used.
 */

export { type AwsKmsCommonOptions, type AwsKmsKeyringOptions, awsKmsKeyring } from './aws-kms-keyring.ts';
export type {
  ClientSupplier,
  DecryptInput,
  EncryptInput,
  GenerateDataKeyInput,
  KmsApi,
  KmsCallOptions,
  KmsClient,
  KmsOutput,
  KmsSender,
} from './kms-api.ts';
export type { KmsCall, KmsOperation } from './kms-caller.ts';
