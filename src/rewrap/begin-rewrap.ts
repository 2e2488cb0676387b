/**
 * How a rewrapped message begins: from the caller's request and the opened old message to the sealed header of the new one.
 */

import type { DecryptOptions, DecryptRequest, OpenedMessage } from '../begin-decrypt.ts';
import {
  type BegunMessage,
  beginMessage,
  type EncryptOptions,
  type MessageExtent,
  resolveFrameLength,
} from '../begin-encrypt.ts';
import { copy } from '../bytes.ts';
import type { EncryptedDataKey } from '../encrypted-data-key.ts';
import { type Context, filterContext, PUBLIC_KEY_FIELD, RESERVED_PREFIX } from '../encryption-context.ts';
import { escapeText, FramesealError, invalidArgument, kindOf, unreachable } from '../errors.ts';
import { distinctEncryptedDataKeys } from '../format/encrypted-data-keys.ts';
import { MAX_FRAME_LENGTH } from '../format/message-body.ts';
import type { MessageHeader, ParsedHeader } from '../format/message-header.ts';
import { checkKeyring, type Keyring } from '../keyring/keyring.ts';
import type { CryptographicMaterialsManager } from '../materials/cmm.ts';
import { markOurs } from '../materials/data-key.ts';
import { defaultCmm } from '../materials/default-cmm.ts';
import type { EncryptionMaterials, MissingKey } from '../materials/materials.ts';
import { resolveSuite } from '../suite/algorithm-suites.ts';
import { checkEncryptPolicy } from '../suite/commitment-policy.ts';
import { planRewrap, type RewrapPlan, type RewrapWishes } from './rewrap-plan.ts';
import { namingOption, wrapDataKey } from './wrap-data-key.ts';

/** Options of `rewrap` and `rewrapStream`. */
export interface RewrapOptions
  extends DecryptOptions,
    Pick<EncryptOptions, 'algorithmSuite' | 'frameLength'> {
  /** Wraps the data key of the new message; where that is a new one, it generates it too. */
  readonly to: Keyring;
  /**
   * Default false: the new message opens by the keys of `to` alone. True: by the old message's keys too, those of given
   * sidecars included; only where the data key stays.
   */
  readonly keepExisting?: boolean | undefined;
  /** Default: a new data key only where the old one cannot serve. True: in any case. False: never, it fails instead. */
  readonly freshDataKey?: boolean | undefined;
}

/** What is said of a rewrapped message. */
export interface RewrapReport {
  /** Of the new message. */
  readonly header: MessageHeader;
  /** Whoever holds a kept data key, or once did, can read the new message too. */
  readonly dataKey: 'kept' | 'new';
  /** The old message's encrypted data keys that the new one still has. */
  readonly remaining: readonly EncryptedDataKey[];
  /** Keys of `to` that a quorum let go missing; empty without one. */
  readonly missingKeys: readonly MissingKey[];
}

/** What is asked of a rewrap besides the reading, checked. */
export interface RewrapRequest extends RewrapWishes {
  readonly to: Keyring;
  /** Absent: the old message's. */
  readonly frameLength: number | undefined;
}

/** A new message that has begun, and what is said of it. */
export interface BegunRewrap {
  readonly message: BegunMessage;
  readonly report: RewrapReport;
}

/** Names of options that only a rewrap has. */
export const REWRAP_OPTIONS: readonly string[] = ['to', 'keepExisting', 'freshDataKey'];

/** @throws FramesealError `INVALID_ARGUMENT`, `COMMITMENT_POLICY`, `LIMIT_EXCEEDED` */
export function resolveRewrap(options: RewrapOptions, request: DecryptRequest): RewrapRequest {
  const { to, keepExisting = false, freshDataKey, frameLength } = options;
  const { commitmentPolicy, maxFrameLength } = request;
  checkKeyring('to', to);
  for (const [name, value] of Object.entries({ keepExisting, freshDataKey })) {
    if (value !== undefined && typeof value !== 'boolean')
      throw invalidArgument(name, 'true or false', kindOf(value));
  }
  if (keepExisting && freshDataKey)
    throw invalidArgument('keepExisting', 'false with a fresh data key: no old key opens that', 'true');
  const algorithmSuite =
    options.algorithmSuite === undefined ? undefined : resolveSuite(options.algorithmSuite);
  if (algorithmSuite) checkEncryptPolicy(commitmentPolicy, algorithmSuite);
  if (frameLength !== undefined) resolveFrameLength(frameLength, maxFrameLength);
  return { to, keepExisting, freshDataKey, commitmentPolicy, algorithmSuite, frameLength };
}

/**
 * Begins the new message of one that has been opened with its data key kept, which is wiped then.
 */
export async function beginRewrap(
  rewrap: RewrapRequest,
  request: DecryptRequest,
  header: ParsedHeader,
  opened: OpenedMessage,
  extent: MessageExtent,
): Promise<BegunRewrap> {
  const { plan, context } = checkRewrap(rewrap, header, opened);
  const remaining = rewrap.keepExisting ? existing(header, request) : [];
  const required = Object.keys(context).filter((key) => !(key in header.encryptionContext));
  const cmm =
    plan.dataKey === 'kept'
      ? keptDataKey(rewrap.to, header, opened, required, remaining)
      : newDataKey(rewrap.to, required);
  const writing = {
    ...request,
    cmm,
    encryptionContext: context,
    algorithmSuite: plan.suite,
    frameLength: frameLengthOf(rewrap, header, request),
    plaintextLength: extent.plaintextLength,
  };
  try {
    const message = await beginMessage(writing, extent);
    return { message, report: reportOf(plan, message, remaining) };
  } finally {
    opened.dataKey!.dispose();
  }
}

/**
 * What a rewrap of this message comes to: no keyring is asked.
 * @throws FramesealError `UNSUPPORTED`
 */
export function checkRewrap(
  rewrap: RewrapRequest,
  header: ParsedHeader,
  opened: OpenedMessage,
): { readonly plan: RewrapPlan; readonly context: Context } {
  const plan = planRewrap(header.suite, rewrap);
  const context = filterContext(opened.authenticatedContext, (key) => key !== PUBLIC_KEY_FIELD);
  checkReserved(context);
  return { plan, context };
}

function reportOf(
  { dataKey }: RewrapPlan,
  { header, missingKeys }: BegunMessage,
  remaining: readonly EncryptedDataKey[],
): RewrapReport {
  return { header, dataKey, remaining, missingKeys };
}

// All of them are authentic: those of the header by its tag, those of sidecars by their MAC. Sidecars may share entries.
function existing(header: ParsedHeader, { sidecars }: DecryptRequest): EncryptedDataKey[] {
  return distinctEncryptedDataKeys(
    [header, ...sidecars].flatMap(({ encryptedDataKeys }) => encryptedDataKeys),
  );
}

function frameLengthOf(
  { frameLength }: RewrapRequest,
  header: ParsedHeader,
  { maxFrameLength }: DecryptRequest,
): number {
  if (frameLength !== undefined) return frameLength;
  if (header.contentType === 'non-framed') return resolveFrameLength(undefined, maxFrameLength);
  return Math.min(header.frameLength, MAX_FRAME_LENGTH);
}

// The old data key, wrapped anew. The full context is the same, so entries that remain open as before.
function keptDataKey(
  to: Keyring,
  header: ParsedHeader,
  opened: OpenedMessage,
  required: readonly string[],
  remaining: readonly EncryptedDataKey[],
): CryptographicMaterialsManager {
  const getEncryptionMaterials = async ({
    signal,
  }: {
    signal?: AbortSignal;
  }): Promise<EncryptionMaterials> => {
    const plaintextDataKey = copy(opened.dataKey!.bytes);
    try {
      const { encryptedDataKeys, missingKeys } = await wrapDataKey('to', to, header, opened, signal);
      return {
        algorithmSuite: header.suite,
        encryptionContext: opened.authenticatedContext,
        requiredEncryptionContextKeys: required,
        plaintextDataKey,
        encryptedDataKeys: [...remaining, ...encryptedDataKeys],
        missingKeys,
      };
    } catch (error) {
      plaintextDataKey.fill(0);
      throw error;
    }
  };
  return markOurs({ getEncryptionMaterials, decryptMaterials: neverAsked });
}

function newDataKey(to: Keyring, required: readonly string[]): CryptographicMaterialsManager {
  const inner = defaultCmm({ keyring: to });
  return markOurs<CryptographicMaterialsManager>({
    getEncryptionMaterials: (request) =>
      inner
        .getEncryptionMaterials({ ...request, requiredEncryptionContextKeys: required })
        .catch((error: unknown) => {
          throw namingOption('to', error); // the default manager speaks of "keyring", which here is the one that reads
        }),
    decryptMaterials: neverAsked,
  });
}

function neverAsked(): never {
  throw unreachable('a message was to be read by what writes it');
}

// client-apis/encrypt.md#encryption-context: no writer may store such keys. Other SDKs have written some.
function checkReserved(context: Context): void {
  const reserved = Object.keys(context).find((key) => key.startsWith(RESERVED_PREFIX));
  if (reserved === undefined) return;
  throw new FramesealError(
    'UNSUPPORTED',
    `the message's encryption context has "${escapeText(reserved)}", which the format reserves and no message may be written with: decrypt it, and encrypt it with a context of your own`,
  );
}
