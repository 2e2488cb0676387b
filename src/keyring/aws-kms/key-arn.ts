/**
 * Names of KMS keys: ARNs, aliases and bare ids.
 *
 * ```
 * arn : partition : kms : region : account : key/ID or alias/NAME
 * ```
 * What a message says is read by the specification's grammar, in which every part is any text that is not empty: it is
 * only compared. What a caller configures is held to the characters that AWS uses, since its region becomes part of a
 * host name. Source: AWS Encryption SDK specification, `framework/aws-kms/aws-kms-key-arn.md`.
 */
import { invalidArgument, quote } from '../../errors.ts';

/** The parts of a KMS ARN. */
export interface KeyArn {
  readonly partition: string;
  readonly region: string;
  readonly accountId: string;
  readonly resourceType: 'key' | 'alias';
  readonly resourceId: string;
}

/** A key as a caller names it: an ARN, `alias/NAME`, or a key id. */
export interface KeyIdentifier {
  readonly text: string;
  /** `undefined` for aliases and ids without an ARN: the client's own region. */
  readonly arn: KeyArn | undefined;
}

/** The parts of a KMS ARN; `undefined` for any other text. */
export function parseKeyArn(text: string): KeyArn | undefined {
  const parts = text.split(':');
  const [prefix, partition, service, region, accountId, resource] = parts;
  if (parts.length !== 6 || prefix !== 'arn' || service !== 'kms') return undefined;
  const [, resourceType, resourceId] = /^(key|alias)\/(.+)$/s.exec(resource!) ?? [];
  if (!partition || !region || !accountId || !resourceId) return undefined;
  return { partition, region, accountId, resourceType: resourceType as KeyArn['resourceType'], resourceId };
}

/** The parts of a key ARN (not an alias ARN); `undefined` for any other text. */
export function parseKeyResourceArn(text: string): KeyArn | undefined {
  const arn = parseKeyArn(text);
  return arn?.resourceType === 'key' ? arn : undefined;
}

/** The text of an ARN. */
export function formatKeyArn({ partition, region, accountId, resourceType, resourceId }: KeyArn): string {
  return `arn:${partition}:kms:${region}:${accountId}:${resourceType}/${resourceId}`;
}

/** A caller's key identifier. @throws FramesealError `INVALID_ARGUMENT` */
export function keyIdentifier(argument: string, text: string): KeyIdentifier {
  const fits = typeof text === 'string' && text.length <= MAX_LENGTH;
  const arn = fits ? parseKeyArn(text) : undefined;
  const isId = fits && (KEY_ID.test(text) || ALIAS.test(text));
  if (!isId && (arn === undefined || !isPlain(arn))) {
    throw invalidArgument(argument, 'a key ARN, an alias ARN, "alias/NAME" or a key id', quote(text));
  }
  return { text, arn };
}

/** Whether a text is a region's name, and so fit to be part of a host name. */
export function isRegion(text: unknown): text is string {
  return typeof text === 'string' && text.length <= 63 && REGION.test(text);
}

/**
 * Names of regions, each once.
 * @throws FramesealError `INVALID_ARGUMENT` for anything else
 */
export function checkRegions(argument: string, regions: readonly string[]): readonly string[] {
  const wrong = Array.isArray(regions) ? regions.find((region) => !isRegion(region)) : regions;
  if (!Array.isArray(regions) || regions.some((region) => !isRegion(region))) {
    throw invalidArgument(argument, 'an array of region names such as "eu-west-1"', quote(wrong));
  }
  return [...new Set(regions)];
}

/** Whether KMS may answer a call for this key with that key ARN. */
export function mayBe(asked: KeyIdentifier, answered: KeyArn, answeredText: string): boolean {
  const { text, arn } = asked;
  if (arn?.resourceType === 'key') return text === answeredText;
  if (arn !== undefined) {
    return (
      arn.region === answered.region &&
      arn.partition === answered.partition &&
      arn.accountId === answered.accountId
    );
  }
  return text.startsWith('alias/') || text === answered.resourceId;
}

function isPlain({ partition, region, accountId, resourceId }: KeyArn): boolean {
  return (
    PARTITION.test(partition) && isRegion(region) && ACCOUNT.test(accountId) && RESOURCE_ID.test(resourceId)
  );
}

const PARTITION = /^[a-z0-9-]+$/;
const REGION = /^[a-z0-9]+(?:-[a-z0-9]+)+$/;
const ACCOUNT = /^[A-Za-z0-9-]+$/;
const RESOURCE_ID = /^[A-Za-z0-9/_-]+$/;
const KEY_ID = /^[A-Za-z0-9-]+$/;
const ALIAS = /^alias\/[A-Za-z0-9/_-]+$/;
const MAX_LENGTH = 2048; // of a KeyId in the KMS API
