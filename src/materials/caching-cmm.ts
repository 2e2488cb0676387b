/**
 * The caching manager: keeps the materials of another manager, and lets several messages share a data key.
 *
 * Requests that miss at the same time share one call. What a hit hands out is checked again for this request: commitment
 * policy, suite, required and reproduced pairs, and age. Source: AWS Encryption SDK specification, `framework/caching-cmm.md`.
 */
import { base64, utf8 } from '../bytes.ts';
import { platformRandom } from '../crypto/random.ts';
import { untilAborted } from '../deadline.ts';
import { checkReproduced, EMPTY_CONTEXT } from '../encryption-context.ts';
import { checkOptions, invalidArgument, kindOf } from '../errors.ts';
import { suiteById } from '../suite/algorithm-suites.ts';
import { checkDecryptPolicy, checkEncryptPolicy, mayWrite } from '../suite/commitment-policy.ts';
import { decryptionAnswer, encryptionAnswer } from './cache-answers.ts';
import type { CacheEntry } from './cache-entry.ts';
import { OwnFailure } from './cache-flight.ts';
import { decryptionKey, encryptionKey } from './cache-id.ts';
import type { Lookup } from './cache-lookup.ts';
import type { Cache } from './cache-steps.ts';
import type { Limits } from './cache-usage.ts';
import type {
  CryptographicMaterialsManager,
  DecryptionMaterialsRequest,
  EncryptionMaterialsRequest,
} from './cmm.ts';
import { markOurs, takeDataKey } from './data-key.ts';
import { localCache } from './local-cache.ts';
import type { DecryptionMaterials, EncryptionMaterials } from './materials.ts';
import { cacheOf, type MaterialsCache } from './materials-cache.ts';
import { ownedMaterials, type UnderlyingOptions, underlyingCmm } from './underlying-cmm.ts';

/** Options of {@link cachingCmm}: exactly one of `keyring` and `cmm`, and how long a data key serves. */
export interface CachingCmmOptions extends UnderlyingOptions {
  /** Default: a `localCache` of 1,000 entries of its own. */
  readonly cache?: MaterialsCache | undefined;
  /** Seconds, above 0, that materials are used after they have come. */
  readonly maxAgeSeconds: number;
  /** Messages that one data key encrypts, 1 to 2^32. Default 2^32. */
  readonly maxMessages?: number | undefined;
  /** Plaintext bytes that one data key encrypts, 0 to 2^63 - 1. Default 2^63 - 1. */
  readonly maxBytes?: number | bigint | undefined;
  /**
   * Managers with the same text on the same cache use each other's entries, whatever keyrings they have: whoever may use one
   * may then use what the others were allowed. Not empty, without U+0000. Default: a random one.
   */
  readonly partitionId?: string | undefined;
}

interface Manager {
  readonly cmm: CryptographicMaterialsManager;
  readonly cache: Cache;
  /** Milliseconds. */
  readonly maxAge: number;
  readonly limits: Limits;
  readonly partitionId: () => string;
}

const DEFAULT_CAPACITY = 1000;
const MAX_MESSAGES = 2 ** 32;
const MAX_BYTES = 2n ** 63n - 1n;

/**
 * A manager that asks its keyring or its underlying manager once for many messages. Every message still has an id and derived
 * keys of its own; suites without key derivation are not cached.
 *
 * Counted is what is handed out: a message that fails stays counted. A stream is counted by its `plaintextLength`; without one
 * it is counted while it is encrypted, and may go beyond `maxBytes`. A message longer than `maxBytes` has a data key of its own.
 * Around another caching manager, this one caches and the inner one does not.
 * @throws FramesealError `INVALID_ARGUMENT`
 */
export function cachingCmm(options: CachingCmmOptions): CryptographicMaterialsManager {
  const names = ['keyring', 'cmm', 'cache', 'maxAgeSeconds', 'maxMessages', 'maxBytes', 'partitionId'];
  checkOptions(options, names);
  const { cache = localCache({ entryCapacity: DEFAULT_CAPACITY }), maxAgeSeconds } = options;
  if (!Number.isFinite(maxAgeSeconds) || maxAgeSeconds <= 0)
    throw invalidArgument('maxAgeSeconds', 'seconds above 0', kindOf(maxAgeSeconds));
  const manager = {
    cmm: underlyingCmm(options),
    cache: cacheOf(cache),
    maxAge: maxAgeSeconds * 1000,
    limits: checkLimits(options),
    partitionId: partitionIdOf(options.partitionId),
  };
  return markOurs({
    getEncryptionMaterials: (request: EncryptionMaterialsRequest) => getEncryptionMaterials(manager, request),
    decryptMaterials: (request: DecryptionMaterialsRequest) => decryptMaterials(manager, request),
  });
}

async function getEncryptionMaterials(
  manager: Manager,
  request: EncryptionMaterialsRequest,
): Promise<EncryptionMaterials> {
  const { cmm, cache } = manager;
  const { algorithmSuite, commitmentPolicy, maxPlaintextLength } = request;
  if (algorithmSuite) checkEncryptPolicy(commitmentPolicy, algorithmSuite);
  const alone = async () => ownedMaterials(cmm, await cmm.getEncryptionMaterials(request));
  if (!mayBeCached(request, manager.limits)) return alone();
  const key = await encryptionKey(manager.partitionId(), request);
  const served = await cache.obtain(encryptionLookup(manager, request, key));
  if (served === undefined) return alone();
  const { materials, entry } = served;
  return maxPlaintextLength === undefined ? { ...materials, charge: charging(manager, entry) } : materials;
}

async function decryptMaterials(
  manager: Manager,
  request: DecryptionMaterialsRequest,
): Promise<DecryptionMaterials> {
  const { cmm, cache } = manager;
  const { algorithmSuite, confirmDataKey, reproducedEncryptionContext = EMPTY_CONTEXT } = request;
  checkDecryptPolicy(request.commitmentPolicy, algorithmSuite);
  checkReproduced(request.encryptionContext, reproducedEncryptionContext, false);
  const alone = async () => ownedMaterials(cmm, await cmm.decryptMaterials(request));
  if (algorithmSuite.kdf === undefined) return alone();
  const key = await decryptionKey(manager.partitionId(), request);
  const served = await cache.obtain(decryptionLookup(manager, request, key));
  if (served === undefined) return alone();
  const { materials, provisional } = served;
  if (!provisional || confirmDataKey === undefined) return materials;
  if (await isConfirmed(materials, confirmDataKey)) return materials;
  return alone();
}

// A manager around this one that keeps the materials itself counts what they are used for.
function mayBeCached(request: EncryptionMaterialsRequest, { maxBytes }: Limits): boolean {
  const { algorithmSuite, maxPlaintextLength = 1, reusable = false } = request;
  const isDerived = algorithmSuite === undefined || algorithmSuite.kdf !== undefined;
  return isDerived && !reusable && maxPlaintextLength <= maxBytes;
}

function encryptionLookup(
  { cmm, limits, maxAge }: Manager,
  request: EncryptionMaterialsRequest,
  key: string,
): Lookup<EncryptionMaterials> {
  const { encryptionContext, commitmentPolicy, algorithmSuite, requiredEncryptionContextKeys } = request;
  const { maxPlaintextLength: length, signal } = request;
  const fetch = async (own: AbortSignal) => {
    const asked = cmm.getEncryptionMaterials({
      encryptionContext,
      commitmentPolicy,
      ...(algorithmSuite && { algorithmSuite }),
      ...(requiredEncryptionContextKeys && { requiredEncryptionContextKeys }),
      signal: own,
      streamed: true,
      reusable: true,
    });
    return encryptionAnswer(cmm, await untilAborted(own, asked, (late) => wipe(cmm, late)));
  };
  const fits = (entry: CacheEntry) =>
    entry.age < maxAge && fitsEncrypt(entry.materials as EncryptionMaterials, request);
  const bytes = length === undefined ? undefined : BigInt(length);
  return { key, maxAge, signal, claim: { limits, bytes }, fits, fetch };
}

function decryptionLookup(
  { cmm, maxAge }: Manager,
  request: DecryptionMaterialsRequest,
  key: string,
): Lookup<DecryptionMaterials> {
  const { algorithmSuite, commitmentPolicy, encryptedDataKeys, encryptionContext } = request;
  const { reproducedEncryptionContext, signal } = request;
  const fetch = async (own: AbortSignal) => {
    let isAsked = false;
    let isRefused = false;
    const confirmDataKey = async (materials: DecryptionMaterials) => {
      isAsked = true;
      const isConfirmed = await request.confirmDataKey!(materials);
      isRefused ||= !isConfirmed;
      return isConfirmed;
    };
    try {
      const asked = cmm.decryptMaterials({
        algorithmSuite,
        commitmentPolicy,
        encryptedDataKeys,
        encryptionContext,
        ...(reproducedEncryptionContext && { reproducedEncryptionContext }),
        ...(request.confirmDataKey && { confirmDataKey }),
        signal: own,
      });
      return decryptionAnswer(cmm, await untilAborted(own, asked, (late) => wipe(cmm, late)), isAsked);
    } catch (cause) {
      throw isRefused ? new OwnFailure('', { cause }) : cause;
    }
  };
  const fits = (entry: CacheEntry) =>
    entry.age < maxAge && fitsDecrypt(entry.materials as DecryptionMaterials, request);
  return { key, maxAge, signal, claim: undefined, fits, fetch };
}

function fitsEncrypt(materials: EncryptionMaterials, request: EncryptionMaterialsRequest): boolean {
  const { commitmentPolicy, algorithmSuite, requiredEncryptionContextKeys = [] } = request;
  const suite = suiteById(materials.algorithmSuite.id);
  if (suite === undefined || !mayWrite(commitmentPolicy, suite)) return false;
  if (algorithmSuite !== undefined && algorithmSuite.id !== suite.id) return false;
  return requiredEncryptionContextKeys.every((key) => materials.requiredEncryptionContextKeys.includes(key));
}

function fitsDecrypt(materials: DecryptionMaterials, request: DecryptionMaterialsRequest): boolean {
  const { algorithmSuite, encryptionContext, reproducedEncryptionContext = EMPTY_CONTEXT } = request;
  const isStoredOrRequired = (key: string) =>
    key in encryptionContext || materials.requiredEncryptionContextKeys.includes(key);
  return (
    materials.algorithmSuite.id === algorithmSuite.id &&
    Object.entries(reproducedEncryptionContext).every(
      ([key, value]) => materials.encryptionContext[key] === value && isStoredOrRequired(key),
    )
  );
}

// Counts a stream of unknown length; an entry that has reached its bound serves no other.
function charging({ cache }: Manager, entry: CacheEntry): (bytes: number) => void {
  return (bytes) => {
    entry.usage.charge(bytes);
    if (entry.usage.isExhausted) cache.entries.evict(entry);
  };
}

async function isConfirmed(
  materials: DecryptionMaterials,
  confirmDataKey: (materials: DecryptionMaterials) => Promise<boolean>,
): Promise<boolean> {
  let confirmed = false;
  try {
    confirmed = await confirmDataKey(materials);
  } finally {
    if (!confirmed) materials.plaintextDataKey?.fill(0);
  }
  return confirmed;
}

// Of an answer that nobody waits for any more.
function wipe(cmm: CryptographicMaterialsManager, late: EncryptionMaterials | DecryptionMaterials): void {
  if (late?.plaintextDataKey instanceof Uint8Array) takeDataKey(cmm, late.plaintextDataKey).dispose();
}

function checkLimits({ maxMessages = MAX_MESSAGES, maxBytes = MAX_BYTES }: CachingCmmOptions): Limits {
  if (!Number.isSafeInteger(maxMessages) || maxMessages < 1 || maxMessages > MAX_MESSAGES)
    throw invalidArgument('maxMessages', `1..${MAX_MESSAGES}`, kindOf(maxMessages));
  const isWhole = typeof maxBytes === 'bigint' || Number.isSafeInteger(maxBytes);
  if (!isWhole || maxBytes < 0 || maxBytes > MAX_BYTES)
    throw invalidArgument('maxBytes', `0..${MAX_BYTES}, a bigint above 2^53 - 1`, shown(maxBytes));
  return { maxMessages, maxBytes: BigInt(maxBytes) };
}

function shown(value: unknown): string {
  return typeof value === 'bigint' ? String(value) : kindOf(value);
}

// Drawn at the first use: some runtimes have no randomness before a request.
function partitionIdOf(given: string | undefined): () => string {
  if (given !== undefined) checkPartitionId(given);
  let id = given;
  return () => {
    id ??= base64(platformRandom(24));
    return id;
  };
}

function checkPartitionId(id: string): void {
  if (typeof id !== 'string' || id === '' || id.includes('\0') || utf8(id) === undefined)
    throw invalidArgument('partitionId', 'well-formed text, not empty and without U+0000', kindOf(id));
}
