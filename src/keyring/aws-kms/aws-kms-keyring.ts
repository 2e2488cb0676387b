/**
 * The AWS KMS keyring: one data key, wrapped under KMS keys in any regions and partitions.
 *
 * Source: AWS Encryption SDK specification, `framework/aws-kms/aws-kms-keyring.md`, `aws-kms-multi-keyrings.md`.
 */
import type { Keyring } from '../keyring.ts';
import { STRICT } from './kinds.ts';
import { SDK } from './sdk.ts';
import { type AwsKmsKeyringOptions, strictKeyring } from './strict-keyring.ts';

/**
 * A keyring over KMS keys. On encrypt GenerateDataKey is called once, then Encrypt for all other keys in parallel; the
 * encrypted data keys stand in configured order. On decrypt only entries of the configured key ARNs are tried.
 *
 * Related multi-Region keys are different keys here: each wraps for itself, and each opens only its own entry.
 * @throws FramesealError `INVALID_ARGUMENT`. Encrypting throws `KMS_FAILED` or `TIMEOUT`, naming operation, region and
 *   key, if a key cannot wrap (see `quorum`); decrypting throws `NO_DATA_KEY` with every attempt.
 */
export function awsKmsKeyring(options: AwsKmsKeyringOptions): Keyring {
  return strictKeyring(STRICT, options, SDK);
}
