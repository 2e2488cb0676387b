/**
 * The AWS KMS MRK keyring: as the AWS KMS keyring, but a multi-Region key also opens what its replicas have wrapped.
 *
 * Source: AWS Encryption SDK specification, `framework/aws-kms/aws-kms-mrk-keyring.md`, `aws-kms-mrk-multi-keyrings.md`.
 * Materials that have a data key already are refused on decrypt, as `framework/keyring-interface.md#ondecrypt` says of all
 * keyrings.
 */
import type { Keyring } from '../keyring.ts';
import { STRICT_MRK } from './kinds.ts';
import { SDK } from './sdk.ts';
import { type AwsKmsKeyringOptions, strictKeyring } from './strict-keyring.ts';

/**
 * A keyring over KMS keys of which some are multi-Region keys: name the replica of the region that is to be called. On
 * decrypt an entry of any replica of it matches and is opened in that region. All else is as with `awsKmsKeyring`.
 * @throws FramesealError `INVALID_ARGUMENT`, also for two replicas of one key: which region to call would be open. Encrypting
 *   throws `KMS_FAILED` or `TIMEOUT`, naming operation, region and key, if a key cannot wrap (see `quorum`); decrypting
 *   throws `NO_DATA_KEY` with every attempt.
 */
export function awsKmsMrkKeyring(options: AwsKmsKeyringOptions): Keyring {
  return strictKeyring(STRICT_MRK, options, SDK);
}
