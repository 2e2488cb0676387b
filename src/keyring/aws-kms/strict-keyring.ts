/**
 * What the keyrings over configured keys share: `awsKmsKeyring` and `awsKmsMrkKeyring` differ in the entries that they match.
 *
 * Source: AWS Encryption SDK specification, `framework/aws-kms/aws-kms-multi-keyrings.md`, `aws-kms-mrk-multi-keyrings.md`.
 */
import { invalidArgument, kindOf } from '../../errors.ts';
import { markOurs } from '../../materials/data-key.ts';
import type { Keyring } from '../keyring.ts';
import type { Sdk } from './clients.ts';
import { type KeyIdentifier, keyIdentifier } from './key-arn.ts';
import { KmsCaller } from './kms-caller.ts';
import { KmsOperations } from './kms-operations.ts';
import { type AwsKmsCommonOptions, checkCommon, wrapRule } from './options.ts';
import { type Matcher, Unwrapping } from './unwrap.ts';
import { Wrapping } from './wrap.ts';

/** Options of `awsKmsKeyring` and `awsKmsMrkKeyring`: a generator, further keys, or both. */
export interface AwsKmsKeyringOptions extends AwsKmsCommonOptions {
  /** Generates the data key. A key ARN, alias ARN, `alias/NAME` or key id; only key ARNs match on decrypt. */
  readonly generatorKeyId?: string | undefined;
  /** Wrap the same data key. */
  readonly keyIds?: readonly string[] | undefined;
}

/** What tells one keyring over configured keys from the other. */
export interface StrictKind {
  readonly name: string;
  /** Whether an entry of this key ARN opens with a configured key ARN. */
  readonly matches: (configured: string, providerInfo: string) => boolean;
  /** Refuses keys that do not go together. */
  readonly checkKeys?: (keys: readonly KeyIdentifier[]) => void;
}

/** A keyring over configured keys. @param sdk `undefined` where every client is a `KmsApi` of the caller's. */
export function strictKeyring(
  kind: StrictKind,
  options: AwsKmsKeyringOptions,
  sdk: Sdk | undefined,
): Keyring {
  const { name, matches, checkKeys } = kind;
  const checked = checkCommon(options, ['generatorKeyId', 'keyIds']);
  const keys = configuredKeys(options);
  checkKeys?.(keys);
  const caller = new KmsCaller(options, checked.attemptTimeoutMs, sdk);
  const operations = new KmsOperations(caller, checked.grantTokens);
  const wrapping = new Wrapping(keys, wrapRule(options.quorum, keys), operations, checked.deadlineMs);
  const unwrapping = new Unwrapping(name, matcherOf(keys, matches), operations, checked);
  const canGenerate = options.generatorKeyId !== undefined;
  return markOurs<Keyring>({
    onEncrypt: async (materials, { signal }) => {
      if (materials.plaintextDataKey === undefined && !canGenerate) {
        throw invalidArgument('generatorKeyId', 'a key to generate the data key', 'none');
      }
      return wrapping.wrap(name, materials, signal);
    },
    onDecrypt: async (materials, encryptedDataKeys, { signal }) =>
      unwrapping.unwrap(materials, encryptedDataKeys, signal),
  });
}

function configuredKeys({ generatorKeyId, keyIds = [] }: AwsKmsKeyringOptions): KeyIdentifier[] {
  if (!Array.isArray(keyIds)) throw invalidArgument('keyIds', 'an array of key ids', kindOf(keyIds));
  const generator = generatorKeyId === undefined ? [] : [keyIdentifier('generatorKeyId', generatorKeyId)];
  const keys = [...generator, ...keyIds.map((id: string) => keyIdentifier('keyIds', id))];
  if (keys.length === 0) throw invalidArgument('generatorKeyId', 'a key, or keys in "keyIds"', 'neither');
  return keys;
}

// The key that is called is the configured one, in its own region, whatever region the entry names.
function matcherOf(keys: readonly KeyIdentifier[], matches: StrictKind['matches']): Matcher {
  const arns = keys.filter(({ arn }) => arn?.resourceType === 'key');
  const other = notConfigured(keys);
  return (_, providerInfo) => {
    const key = arns.find(({ text }) => matches(text, providerInfo));
    return key === undefined ? other : [{ keyId: key.text, region: key.arn!.region }];
  };
}

function notConfigured(keys: readonly KeyIdentifier[]): string {
  const named = keys.filter(({ arn }) => arn?.resourceType !== 'key').map(({ text }) => text);
  const hint = `; ${named.join(', ')}: aliases and bare ids encrypt but never match on decrypt, configure the key ARN`;
  return `not one of the configured key ARNs${named.length > 0 ? hint : ''}`;
}
