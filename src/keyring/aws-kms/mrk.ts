/**
 * Multi-Region keys (MRK): replicas in several regions of one partition that share id and key material, so that what one
 * has wrapped any other unwraps.
 *
 * Their key ids begin with `mrk-`; an alias that begins so is no multi-Region key. Source: AWS Encryption SDK
 * specification, `framework/aws-kms/aws-kms-key-arn.md`, `aws-kms-mrk-match-for-decrypt.md`, `aws-kms-mrk-are-unique.md`.
 */
import { invalidArgument } from '../../errors.ts';
import { type KeyArn, type KeyIdentifier, parseKeyArn } from './key-arn.ts';

/** `aws-kms-key-arn.md#identifying-an-an-aws-kms-multi-region-arn` */
export function isMultiRegionArn({ resourceType, resourceId }: KeyArn): boolean {
  return resourceType === 'key' && resourceId.startsWith('mrk-');
}

/** `aws-kms-key-arn.md#identifying-an-an-aws-kms-multi-region-identifier`, for an identifier that is valid. */
export function isMultiRegionIdentifier({ text, arn }: KeyIdentifier): boolean {
  return arn === undefined ? text.startsWith('mrk-') : isMultiRegionArn(arn);
}

/**
 * Whether a data key that one of these has wrapped can be unwrapped by the other: the same text, or related multi-Region
 * keys: `aws-kms-mrk-match-for-decrypt.md#implementation`.
 */
export function matchesForDecrypt(a: string, b: string): boolean {
  if (a === b) return true;
  const [left, right] = [parseKeyArn(a), parseKeyArn(b)];
  if (left === undefined || right === undefined) return false;
  return (
    isMultiRegionArn(left) &&
    isMultiRegionArn(right) &&
    left.partition === right.partition &&
    left.accountId === right.accountId &&
    left.resourceId === right.resourceId
  );
}

/**
 * Related multi-Region keys in one keyring would leave open which region to call: `aws-kms-mrk-are-unique.md`.
 * @throws FramesealError `INVALID_ARGUMENT`, which names all of them
 */
export function checkMultiRegionKeysAreUnique(keys: readonly KeyIdentifier[]): void {
  const byId = new Map<string, string[]>();
  for (const key of keys.filter(isMultiRegionIdentifier)) {
    const id = key.arn?.resourceId ?? key.text;
    byId.set(id, [...(byId.get(id) ?? []), key.text]);
  }
  const related = [...byId.values()].filter((texts) => texts.length > 1).flat();
  if (related.length === 0) return;
  const expected = 'each multi-Region key once, in the region that is to be called';
  throw invalidArgument('keyIds', expected, `related ones: ${related.join(', ')}`);
}
