/**
 * The AWS KMS MRK discovery keyring: as the discovery keyring, but a multi-Region key is also asked in other regions than
 * that of the entry.
 *
 * Source: AWS Encryption SDK specification, `framework/aws-kms/aws-kms-mrk-discovery-keyring.md`,
 * `aws-kms-mrk-multi-keyrings.md`.
 */
import type { Keyring } from '../keyring.ts';
import { type AwsKmsDiscoveryKeyringOptions, discoveryKeyring } from './discovery-keyring.ts';
import { DISCOVERY_MRK } from './kinds.ts';
import { SDK } from './sdk.ts';

/**
 * A keyring that decrypts alone. An entry of a single-Region key is tried if its region is one of `regions`; one of a
 * multi-Region key is tried in its own region if that is configured, else in the first of `regions`, and then in each of
 * the others. All entries are tried in their best region before any is in another; `preferredRegions` go before that. Give
 * `maxEncryptedDataKeys` with it: the message decides how many keys are asked.
 * @throws FramesealError `INVALID_ARGUMENT`, and so does encrypting; decrypting throws `NO_DATA_KEY` with every attempt.
 */
export function awsKmsMrkDiscoveryKeyring(options: AwsKmsDiscoveryKeyringOptions): Keyring {
  return discoveryKeyring(DISCOVERY_MRK, options, SDK);
}
