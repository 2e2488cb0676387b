/**
 * Options that the KMS keyrings share, checked once.
 */
import { checkOptions, invalidArgument, kindOf, quote } from '../../errors.ts';
import { checkRegions, type KeyIdentifier } from './key-arn.ts';
import type { ClientSupplier, KmsCall } from './kms-api.ts';

/** Options that all KMS keyrings have. */
export interface AwsKmsCommonOptions {
  /** Default: one `KMSClient` for each region, made at its first use and kept. */
  readonly clientSupplier?: ClientSupplier | undefined;
  /** Sent with every call. */
  readonly grantTokens?: readonly string[] | undefined;
  /** How long one call may take, the client's own retries included. Milliseconds, 1..2^31-1; default 5000. */
  readonly attemptTimeoutMs?: number | undefined;
  /** How long a whole wrap or unwrap may take. Milliseconds, 1..2^31-1; default 15000. */
  readonly deadlineMs?: number | undefined;
  /** Decrypt: entries of these regions are tried first, in this order. Regions without a key are passed over. */
  readonly preferredRegions?: readonly string[] | undefined;
  /**
   * Decrypt with configured keys: when no answer has come for so long, the next entry is tried as well; the first good
   * answer wins, and the other calls are aborted. Milliseconds, 1..2^31-1; off by default. Outside the specification,
   * which tries one entry at a time. Discovery keyrings refuse it: their keys are the message's choice.
   */
  readonly hedgeAfterMs?: number | undefined;
  /** Encrypt: how many keys must do. Default: all, as the specification has it. Discovery keyrings refuse it. */
  readonly quorum?: Quorum | undefined;
  /** Added to the user agent of clients that the keyring makes. */
  readonly userAgentSuffix?: string | undefined;
  /** Told of every call, for metrics. It never sees a key; what it throws is ignored. */
  readonly onKmsCall?: ((call: KmsCall) => unknown) | undefined;
}

/**
 * Lets encrypt succeed while keys are out of reach: a deviation from the specification, by which every key must wrap.
 *
 * Out of reach are timeouts, network faults, HTTP 5xx and throttling. Everything else fails the encrypt, as without a
 * quorum: keys that are disabled, missing or forbidden, and wrong answers. A message written so opens under fewer keys
 * than were asked for, for ever: `missingKeys` of the result says under which it does not.
 */
export interface Quorum {
  /** Keys that must wrap, 1 up to the number of keys; those of `mustInclude` count. */
  readonly atLeast: number;
  /** Keys that must be among them, named as in `generatorKeyId` and `keyIds`. */
  readonly mustInclude?: readonly string[] | undefined;
}

/** Common options with their defaults, but for those that say which clients are called. */
export interface CheckedOptions {
  readonly grantTokens: readonly string[];
  readonly attemptTimeoutMs: number;
  readonly deadlineMs: number;
  readonly preferredRegions: readonly string[];
  readonly hedgeAfterMs: number | undefined;
}

/** Names that {@link checkCommon} checks. */
const COMMON = [
  'clientSupplier',
  'grantTokens',
  'attemptTimeoutMs',
  'deadlineMs',
  'preferredRegions',
  'hedgeAfterMs',
  'quorum',
  'userAgentSuffix',
  'onKmsCall',
];

/**
 * @param own names of options that this keyring has besides the common ones.
 * @throws FramesealError `INVALID_ARGUMENT`
 */
export function checkCommon(options: AwsKmsCommonOptions, own: readonly string[]): CheckedOptions {
  checkOptions(options, [...own, ...COMMON]);
  const { attemptTimeoutMs = 5000, deadlineMs = 15_000, preferredRegions = [], hedgeAfterMs } = options;
  const { grantTokens = [], clientSupplier, onKmsCall, userAgentSuffix = '' } = options;
  checkMilliseconds('attemptTimeoutMs', attemptTimeoutMs);
  checkMilliseconds('deadlineMs', deadlineMs);
  if (hedgeAfterMs !== undefined) checkMilliseconds('hedgeAfterMs', hedgeAfterMs);
  if (!Array.isArray(grantTokens) || grantTokens.some((token) => typeof token !== 'string')) {
    throw invalidArgument('grantTokens', 'an array of texts', kindOf(grantTokens));
  }
  for (const [name, value] of Object.entries({ clientSupplier, onKmsCall })) {
    if (value !== undefined && typeof value !== 'function') {
      throw invalidArgument(name, 'a function', kindOf(value));
    }
  }
  if (typeof userAgentSuffix !== 'string')
    throw invalidArgument('userAgentSuffix', 'a text', kindOf(userAgentSuffix));
  return {
    grantTokens: [...grantTokens],
    attemptTimeoutMs,
    deadlineMs,
    preferredRegions: checkRegions('preferredRegions', preferredRegions),
    hedgeAfterMs,
  };
}

/** How many keys must wrap, and which of them in any case. */
export interface WrapRule {
  readonly atLeast: number;
  /** How many of them must be different keys: a quorum counts a key and its alias once. */
  readonly distinct: number;
  readonly mustInclude: ReadonlySet<string>;
}

/**
 * The rule of these keys: all of them, unless there is a quorum.
 * @throws FramesealError `INVALID_ARGUMENT` for a quorum that these keys cannot have.
 */
export function wrapRule(quorum: Quorum | undefined, keys: readonly KeyIdentifier[]): WrapRule {
  const names = new Set(keys.map(({ text }) => text));
  if (quorum === undefined) return { atLeast: keys.length, distinct: 1, mustInclude: names };
  checkOptions(quorum, ['atLeast', 'mustInclude']);
  const { atLeast, mustInclude = [] } = quorum;
  if (names.size < keys.length)
    throw invalidArgument('quorum', 'keys that differ', 'a key twice in "keyIds"');
  if (!Number.isInteger(atLeast) || atLeast < 1 || atLeast > keys.length) {
    throw invalidArgument('quorum.atLeast', `1..${keys.length}, the number of keys`, kindOf(atLeast));
  }
  if (!Array.isArray(mustInclude)) {
    throw invalidArgument('quorum.mustInclude', 'an array of keys', kindOf(mustInclude));
  }
  const strange = mustInclude.find((name) => !names.has(name));
  if (strange !== undefined || mustInclude.includes(undefined)) {
    throw invalidArgument('quorum.mustInclude', 'names in "generatorKeyId" and "keyIds"', quote(strange));
  }
  return { atLeast, distinct: atLeast, mustInclude: new Set(mustInclude) };
}

function checkMilliseconds(name: string, value: number): void {
  if (!Number.isFinite(value) || value < 1 || value > MAX_TIMEOUT) {
    throw invalidArgument(name, `1..${MAX_TIMEOUT} ms`, kindOf(value));
  }
}

const MAX_TIMEOUT = 2 ** 31 - 1; // of a timer
