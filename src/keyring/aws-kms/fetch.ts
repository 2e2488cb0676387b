/**
 * `frameseal/aws-kms/fetch`: the KMS keyrings without the AWS SDK, which no import of this file reaches, and a small client
 * over `fetch` for them.
 *
 * The keyrings are those of `frameseal/aws-kms`, but there is no default client: `clientSupplier` is required and answers
 * a `KmsApi`.
 */
import type { Keyring } from '../keyring.ts';
import { type AwsKmsDiscoveryKeyringOptions, discoveryKeyring } from './discovery-keyring.ts';
import { DISCOVERY, DISCOVERY_MRK, STRICT, STRICT_MRK } from './kinds.ts';
import type { ClientSupplier, KmsApi } from './kms-api.ts';
import { type AwsKmsKeyringOptions, strictKeyring } from './strict-keyring.ts';

/** Options of a keyring without the SDK. */
export type WithoutSdk<Options> = Omit<Options, 'clientSupplier' | 'userAgentSuffix'> & {
  readonly clientSupplier: ClientSupplier<KmsApi>;
};

/** `awsKmsKeyring` of `frameseal/aws-kms`, without the SDK. @throws FramesealError */
export function awsKmsKeyring(options: WithoutSdk<AwsKmsKeyringOptions>): Keyring {
  return strictKeyring(STRICT, options, undefined);
}

/** `awsKmsMrkKeyring` of `frameseal/aws-kms`, without the SDK. @throws FramesealError */
export function awsKmsMrkKeyring(options: WithoutSdk<AwsKmsKeyringOptions>): Keyring {
  return strictKeyring(STRICT_MRK, options, undefined);
}

/** `awsKmsDiscoveryKeyring` of `frameseal/aws-kms`, without the SDK. @throws FramesealError */
export function awsKmsDiscoveryKeyring(options: WithoutSdk<AwsKmsDiscoveryKeyringOptions>): Keyring {
  return discoveryKeyring(DISCOVERY, options, undefined);
}

/** `awsKmsMrkDiscoveryKeyring` of `frameseal/aws-kms`, without the SDK. @throws FramesealError */
export function awsKmsMrkDiscoveryKeyring(options: WithoutSdk<AwsKmsDiscoveryKeyringOptions>): Keyring {
  return discoveryKeyring(DISCOVERY_MRK, options, undefined);
}

export { excludeRegions, limitRegions } from './clients.ts';
export type { AwsKmsDiscoveryKeyringOptions, DiscoveryFilter } from './discovery-keyring.ts';
export { type FetchKmsClientOptions, fetchKmsClient } from './fetch-kms.ts';
export type {
  ClientSupplier,
  DecryptInput,
  EncryptInput,
  GenerateDataKeyInput,
  KmsApi,
  KmsCall,
  KmsCallOptions,
  KmsOperation,
  KmsOutput,
} from './kms-api.ts';
export type { AwsKmsCommonOptions, Quorum } from './options.ts';
export type { AwsCredentials, RequestSigner, SigningRequest } from './sigv4.ts';
export type { AwsKmsKeyringOptions } from './strict-keyring.ts';
