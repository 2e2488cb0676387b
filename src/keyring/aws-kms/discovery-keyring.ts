/**
 * What the discovery keyrings share: they open what the message's own key ARNs name, as far as regions and filter allow, and
 * never encrypt.
 *
 * A message is written by whoever has written it: its ARNs decide which keys are asked. So the regions are the caller's,
 * and an account filter is asked for. Source: AWS Encryption SDK specification,
 * `framework/aws-kms/aws-kms-multi-keyrings.md#aws-kms-discovery-multi-keyring`, `aws-kms-mrk-multi-keyrings.md`.
 */
import { checkOptions, escapeText, invalidArgument, kindOf, quote } from '../../errors.ts';
import { markOurs } from '../../materials/data-key.ts';
import type { Keyring } from '../keyring.ts';
import type { Sdk } from './clients.ts';
import { checkRegions, type KeyArn } from './key-arn.ts';
import { KmsCaller } from './kms-caller.ts';
import { KmsOperations } from './kms-operations.ts';
import { type AwsKmsCommonOptions, checkCommon } from './options.ts';
import { type KeyToAsk, Unwrapping } from './unwrap.ts';

/** Whose keys may be asked: those of these accounts, in this partition (`aws`, `aws-cn`, `aws-us-gov`, ...). */
export interface DiscoveryFilter {
  readonly partition: string;
  /** At least one; 12 digits each. */
  readonly accountIds: readonly string[];
}

/** Options of `awsKmsDiscoveryKeyring` and `awsKmsMrkDiscoveryKeyring`. */
export interface AwsKmsDiscoveryKeyringOptions extends AwsKmsCommonOptions {
  /** The regions that may be called; at least one. */
  readonly regions: readonly string[];
  /** `'any-account'`: whoever has written the message chooses the account whose key is asked. */
  readonly discoveryFilter: DiscoveryFilter | 'any-account';
}

/** What tells one discovery keyring from the other. */
export interface DiscoveryKind {
  readonly name: string;
  /** The calls that may open an entry with this key ARN, the best first; none if its region is not configured. */
  readonly keysToAsk: (arn: KeyArn, text: string, regions: readonly string[]) => readonly KeyToAsk[];
}

/** A discovery keyring. @param sdk `undefined` where every client is a `KmsApi` of the caller's. */
export function discoveryKeyring(
  { name, keysToAsk }: DiscoveryKind,
  options: AwsKmsDiscoveryKeyringOptions,
  sdk: Sdk | undefined,
): Keyring {
  const checked = checkCommon(options, ['regions', 'discoveryFilter']);
  refuseStrictOptions(options);
  const regions = checkRegions('regions', options.regions);
  if (regions.length === 0) throw invalidArgument('regions', 'at least one region', 'none');
  const filter = checkFilter(options.discoveryFilter);
  const caller = new KmsCaller(options, checked.attemptTimeoutMs, sdk);
  const operations = new KmsOperations(caller, checked.grantTokens);
  const match = (arn: KeyArn, text: string) => {
    const reason = filteredOut(arn, filter);
    if (reason !== undefined) return reason;
    const keys = keysToAsk(arn, text, regions);
    return keys.length > 0 ? keys : `its region ${escapeText(arn.region)} is none of ${regions.join(', ')}`;
  };
  const unwrapping = new Unwrapping(name, match, operations, checked);
  return markOurs<Keyring>({
    onEncrypt: async () => {
      const expected = 'a keyring that can encrypt: awsKmsKeyring or awsKmsMrkKeyring, with the keys by name';
      throw invalidArgument('keyring', expected, `${name}, which only decrypts`);
    },
    onDecrypt: async (materials, encryptedDataKeys, { signal }) =>
      unwrapping.unwrap(materials, encryptedDataKeys, signal),
  });
}

function refuseStrictOptions({ quorum, hedgeAfterMs }: AwsKmsCommonOptions): void {
  if (quorum !== undefined) {
    throw invalidArgument('quorum', 'nothing: a discovery keyring does not encrypt', kindOf(quorum));
  }
  if (hedgeAfterMs !== undefined) {
    const expected = 'nothing: only configured keys are hedged, and here the message names the keys';
    throw invalidArgument('hedgeAfterMs', expected, kindOf(hedgeAfterMs));
  }
}

function checkFilter(filter: DiscoveryFilter | 'any-account'): DiscoveryFilter | undefined {
  if (filter === 'any-account') return undefined;
  const form = "{ partition, accountIds }, or 'any-account'";
  if (filter === null || typeof filter !== 'object') {
    throw invalidArgument('discoveryFilter', form, quote(filter));
  }
  checkOptions(filter, ['partition', 'accountIds']);
  const { partition, accountIds } = filter;
  if (typeof partition !== 'string' || !/^[a-z0-9-]+$/.test(partition)) {
    throw invalidArgument('discoveryFilter.partition', 'a partition such as "aws"', quote(partition));
  }
  const isList = Array.isArray(accountIds) && accountIds.length > 0;
  if (!isList || !accountIds.every((id) => typeof id === 'string' && /^\d{12}$/.test(id))) {
    throw invalidArgument(
      'discoveryFilter.accountIds',
      'account ids of 12 digits, at least one',
      kindOf(accountIds),
    );
  }
  return { partition, accountIds: [...accountIds] };
}

function filteredOut(
  { partition, accountId }: KeyArn,
  filter: DiscoveryFilter | undefined,
): string | undefined {
  if (filter === undefined) return undefined;
  if (partition !== filter.partition) return `its partition is not ${filter.partition} (discoveryFilter)`;
  return filter.accountIds.includes(accountId) ? undefined : 'its account is not in the discoveryFilter';
}
