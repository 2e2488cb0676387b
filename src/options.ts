/**
 * Options that `encrypt` and `decrypt` share, checked once at the public edge.
 */

import type { ContextInput } from './encryption-context.ts';
import { type EngineChoice, type Platform, selectPlatform } from './engine/select.ts';
import { checkOptions, invalidArgument, kindOf } from './errors.ts';
import type { Keyring } from './keyring/keyring.ts';
import type { CryptographicMaterialsManager } from './materials/cmm.ts';
import { underlyingCmm } from './materials/underlying-cmm.ts';
import { type CommitmentPolicy, resolvePolicy } from './suite/commitment-policy.ts';

/** Exactly one of `keyring` and `cmm`. */
export interface CommonOptions {
  readonly keyring?: Keyring | undefined;
  readonly cmm?: CryptographicMaterialsManager | undefined;
  /**
   * On encrypt: pairs that are stored and authenticated. On decrypt: pairs that the message must carry, or that are
   * reproduced for required keys; a difference fails before any plaintext.
   */
  readonly encryptionContext?: ContextInput | undefined;
  /** Default `REQUIRE_ENCRYPT_REQUIRE_DECRYPT`. */
  readonly commitmentPolicy?: CommitmentPolicy | undefined;
  /** At most so many encrypted data keys, 1 to 65,535; on decrypt checked while parsing. Default: no limit. */
  readonly maxEncryptedDataKeys?: number | undefined;
  /** Longest frame, in bytes, that is written or read; also bounds a non-framed body. Default 64 MiB. */
  readonly maxFrameLength?: number | undefined;
  /** Bytes of a header that streams and ranges wait for or read at most. Default 4 MiB. */
  readonly maxHeaderLength?: number | undefined;
  /** What serves keys, header and frames; default `auto`. Keyrings choose for themselves. */
  readonly engine?: EngineChoice | undefined;
  /** Aborts between batches of frames and in every call that waits. */
  readonly signal?: AbortSignal | undefined;
  /** Told after each batch of frames. */
  readonly onProgress?: ((progress: { bytes: number; total?: number }) => void) | undefined;
}

/** Options as the protocol uses them. */
export interface ResolvedOptions {
  readonly cmm: CryptographicMaterialsManager;
  readonly commitmentPolicy: CommitmentPolicy;
  readonly maxEncryptedDataKeys: number;
  readonly maxFrameLength: number;
  readonly maxHeaderLength: number;
  readonly platform: Platform;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: CommonOptions['onProgress'];
}

const DEFAULT_MAX_FRAME_LENGTH = 64 * 2 ** 20;
const DEFAULT_MAX_HEADER_LENGTH = 4 * 2 ** 20;

/** The options of encrypt and decrypt alike, so that one object may serve both. */
const KNOWN = [
  'keyring',
  'cmm',
  'encryptionContext',
  'commitmentPolicy',
  'maxEncryptedDataKeys',
  'maxFrameLength',
  'engine',
  'signal',
  'onProgress',
  'algorithmSuite',
  'frameLength',
  'plaintextLength',
  'signedStreams',
  'maxHeldBytes',
  'maxHeaderLength',
  'sidecar',
];

/**
 * @param further names that one caller alone knows.
 * @throws FramesealError `INVALID_ARGUMENT`, `UNSUPPORTED`
 */
export function resolveOptions(options: CommonOptions, further: readonly string[] = []): ResolvedOptions {
  checkOptions(options, further.length > 0 ? [...KNOWN, ...further] : KNOWN);
  const {
    maxEncryptedDataKeys = 0xffff,
    maxFrameLength = DEFAULT_MAX_FRAME_LENGTH,
    maxHeaderLength = DEFAULT_MAX_HEADER_LENGTH,
    signal,
    onProgress,
  } = options;
  checkInteger('maxEncryptedDataKeys', maxEncryptedDataKeys, 1, 0xffff);
  checkInteger('maxFrameLength', maxFrameLength, 1, 0xffff_ffff);
  checkInteger('maxHeaderLength', maxHeaderLength, 1, Number.MAX_SAFE_INTEGER);
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw invalidArgument('signal', 'an AbortSignal', kindOf(signal));
  if (onProgress !== undefined && typeof onProgress !== 'function')
    throw invalidArgument('onProgress', 'a function', kindOf(onProgress));
  return {
    cmm: underlyingCmm(options),
    commitmentPolicy: resolvePolicy(options.commitmentPolicy),
    maxEncryptedDataKeys,
    maxFrameLength,
    maxHeaderLength,
    platform: selectPlatform(options.engine),
    signal,
    onProgress,
  };
}

/** @throws FramesealError `INVALID_ARGUMENT` unless `value` is an integer from `min` to `max`. */
export function checkInteger(name: string, value: number, min: number, max: number): void {
  if (!Number.isSafeInteger(value) || value < min || value > max)
    throw invalidArgument(name, `${min}..${max}`, kindOf(value));
}

/** @throws FramesealError `INVALID_ARGUMENT` unless these are bytes that can still be read. */
export function checkBytes(name: string, bytes: Uint8Array): void {
  if (!(bytes instanceof Uint8Array)) throw invalidArgument(name, 'a Uint8Array', kindOf(bytes));
  if (bytes.length > 0) return;
  try {
    new Uint8Array(bytes.buffer); // a transferred buffer looks empty, and is not to be taken for nothing
  } catch {
    throw invalidArgument(name, 'a Uint8Array', 'one whose buffer has been transferred');
  }
}
