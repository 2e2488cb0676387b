/**
 * The four keyrings in what tells them apart: which entries they match, and which key is then asked, where.
 */
import type { DiscoveryKind } from './discovery-keyring.ts';
import { formatKeyArn } from './key-arn.ts';
import { checkMultiRegionKeysAreUnique, isMultiRegionArn, matchesForDecrypt } from './mrk.ts';
import type { StrictKind } from './strict-keyring.ts';

/** `aws-kms-keyring.md#ondecrypt`: the same key ARN. */
export const STRICT: StrictKind = {
  name: 'awsKmsKeyring',
  matches: (configured, providerInfo) => configured === providerInfo,
};

/** `aws-kms-mrk-keyring.md#ondecrypt`: the same key ARN, or that of a related multi-Region key. */
export const STRICT_MRK: StrictKind = {
  name: 'awsKmsMrkKeyring',
  matches: matchesForDecrypt,
  checkKeys: checkMultiRegionKeysAreUnique,
};

/** `aws-kms-discovery-keyring.md#ondecrypt`: the key that the entry names, in its own region. */
export const DISCOVERY: DiscoveryKind = {
  name: 'awsKmsDiscoveryKeyring',
  keysToAsk: ({ region }, keyId, regions) =>
    regions.filter((one) => one === region).map((one) => ({ keyId, region: one })),
};

/**
 * `aws-kms-mrk-discovery-keyring.md#ondecrypt`: a single-Region key in its own region; a multi-Region key in each configured
 * region, by the ARN that its replica has there. Its own region goes first if it is configured, then the others as they
 * are configured.
 */
export const DISCOVERY_MRK: DiscoveryKind = {
  name: 'awsKmsMrkDiscoveryKeyring',
  keysToAsk: (arn, keyId, regions) => {
    const own = DISCOVERY.keysToAsk(arn, keyId, regions);
    if (!isMultiRegionArn(arn)) return own;
    const others = regions.filter((region) => region !== arn.region);
    return [...own, ...others.map((region) => ({ keyId: formatKeyArn({ ...arn, region }), region }))];
  },
};
