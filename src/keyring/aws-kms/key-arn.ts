/**
 * Names of KMS keys: ARNs, aliases and bare ids.
 *
 * ```
 * arn : partition : kms : region : account : key/ID or alias/NAME
 * ```
 * Source: AWS Encryption SDK specification, `framework/aws-kms/aws-kms-key-arn.md`.
 */
import { invalidArgument, quote } from '../../errors.ts';

/** The parts of a KMS ARN. */
export interface KeyArn {
  readonly partition: string;
  /** Checked to be a plain region name: it becomes part of a host name. */
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

const PARTITION = /^[a-z0-9-]+$/;
const REGION = /^[a-z0-9]+(?:-[a-z0-9]+)+$/;
const ACCOUNT = /^[A-Za-z0-9-]+$/;
const RESOURCE_ID = /^[A-Za-z0-9/_-]+$/;
const MAX_LENGTH = 2048; // of a KeyId in the KMS API
const KEY_ID = /^[A-Za-z0-9-]+$/;
const ALIAS = /^alias\/[A-Za-z0-9/_-]+$/;

/** The parts of a KMS ARN; `undefined` for any other text. */
export function parseKeyArn(text: string): KeyArn | undefined {
  const [prefix, partition = '', service, region = '', accountId = '', resource = '', ...rest] =
    text.split(':');
  const slash = resource.indexOf('/');
  const resourceType = resource.slice(0, slash);
  const resourceId = resource.slice(slash + 1);
  if (prefix !== 'arn' || service !== 'kms' || rest.length > 0 || region.length > 63) return undefined;
  if (!PARTITION.test(partition) || !REGION.test(region) || !ACCOUNT.test(accountId)) return undefined;
  if ((resourceType !== 'key' && resourceType !== 'alias') || !RESOURCE_ID.test(resourceId)) return undefined;
  return { partition, region, accountId, resourceType, resourceId };
}

/** The parts of a key ARN (not an alias ARN); `undefined` for any other text. */
export function parseKeyResourceArn(text: string): KeyArn | undefined {
  const arn = parseKeyArn(text);
  return arn?.resourceType === 'key' ? arn : undefined;
}

/** A caller's key identifier. @throws FramesealError `INVALID_ARGUMENT` */
export function keyIdentifier(argument: string, text: string): KeyIdentifier {
  if (typeof text !== 'string' || text.length === 0 || text.length > MAX_LENGTH) {
    throw invalidArgument(argument, 'a key ARN, an alias ARN, "alias/NAME" or a key id', quote(text));
  }
  const arn = parseKeyArn(text);
  const isId = KEY_ID.test(text) || ALIAS.test(text);
  if (arn === undefined && !isId) {
    throw invalidArgument(argument, 'a key ARN, an alias ARN, "alias/NAME" or a key id', quote(text));
  }
  return { text, arn };
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
