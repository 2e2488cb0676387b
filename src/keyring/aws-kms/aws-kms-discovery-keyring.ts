/**
 * The AWS KMS discovery keyring: decrypts under whichever keys the message names, in regions and accounts of the caller's.
 *
 * Source: AWS Encryption SDK specification, `framework/aws-kms/aws-kms-discovery-keyring.md`, `aws-kms-multi-keyrings.md`.
 * The specification asks each region for every entry; here an entry is asked for in its own region alone, since no other
 * knows its key.
 */
import type { Keyring } from '../keyring.ts';
import { type AwsKmsDiscoveryKeyringOptions, discoveryKeyring } from './discovery-keyring.ts';
import { DISCOVERY } from './kinds.ts';
import { SDK } from './sdk.ts';

/**
 * A keyring that decrypts alone: an entry is tried if its region is one of `regions` and its account passes the filter. Give
 * `maxEncryptedDataKeys` with it: the message decides how many keys are asked.
 * @throws FramesealError `INVALID_ARGUMENT`, and so does encrypting; decrypting throws `NO_DATA_KEY` with every attempt.
 */
export function awsKmsDiscoveryKeyring(options: AwsKmsDiscoveryKeyringOptions): Keyring {
  return discoveryKeyring(DISCOVERY, options, SDK);
}
