/**
 * Key ids, ARNs, regions and partitions.
 *
 *   arn:<partition>:kms:<region>:<account>:key/<uuid>
 *   arn:<partition>:kms:<region>:<account>:key/mrk-<32 hexadecimal digits, no dashes>
 *   arn:<partition>:kms:<region>:<account>:alias/<name>
 *
 * Source: AWS KMS Developer Guide, "Key identifiers"; AWS General Reference, "Amazon Resource Names".
 */

const REGION = /^([a-z]+-){2,3}\d+$/;
const SINGLE_REGION_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const MULTI_REGION_ID = /^mrk-[0-9a-f]{32}$/;
const PARTITIONS: readonly (readonly [RegExp, string])[] = [
  [/^cn-/, 'aws-cn'],
  [/^us-gov-/, 'aws-us-gov'],
  [/^eusc-/, 'aws-eusc'],
  [/^us-iso-/, 'aws-iso'],
  [/^us-isob-/, 'aws-iso-b'],
  [/^eu-isoe-/, 'aws-iso-e'],
  [/^(us|eu)-isof-/, 'aws-iso-f'],
];

/** An ARN cut at its colons; `resource` is `key/…` or `alias/…`. */
export interface Arn {
  readonly partition: string;
  readonly service: string;
  readonly region: string;
  readonly account: string;
  readonly resource: string;
}

export function isRegion(text: string): boolean {
  return text.length <= 32 && REGION.test(text);
}

/** A key id of either form, in the lower case AWS uses. */
export function isKeyId(text: string): boolean {
  return SINGLE_REGION_ID.test(text) || isMultiRegionId(text);
}

export function isMultiRegionId(text: string): boolean {
  return MULTI_REGION_ID.test(text);
}

/** 32 hexadecimal digits in a UUID's groups of 8, 4, 4, 4 and 12. */
export function dashed(digits: string): string {
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** The partition a region belongs to; regions of no special prefix are in `aws`. */
export function partitionOf(region: string): string {
  return PARTITIONS.find(([prefix]) => prefix.test(region))?.[1] ?? 'aws';
}

export function keyArn(region: string, account: string, keyId: string): string {
  return `arn:${partitionOf(region)}:kms:${region}:${account}:key/${keyId}`;
}

/** `name` includes its prefix `alias/`. */
export function aliasArn(region: string, account: string, name: string): string {
  return `arn:${partitionOf(region)}:kms:${region}:${account}:${name}`;
}

/** Cuts an ARN into its parts, or `undefined` if it is none. The parts are not checked. */
export function parseArn(text: string): Arn | undefined {
  const [arn, partition, service, region, account, ...resource] = text.split(':');
  if (arn !== 'arn' || resource.length === 0) return undefined;
  return {
    partition: partition ?? '',
    service: service ?? '',
    region: region ?? '',
    account: account ?? '',
    resource: resource.join(':'),
  };
}
