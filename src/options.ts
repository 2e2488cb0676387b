/**
 * Options that `encrypt` and `decrypt` share, checked once at the public edge.
 */

import type { ContextInput } from './encryption-context.ts';
import type { FrameEngine } from './engine/engine.ts';
import { type EngineChoice, selectEngine } from './engine/select.ts';
import { invalidArgument, kindOf } from './errors.ts';
import { MAX_FRAME_LENGTH } from './format/message-body.ts';
import type { Keyring } from './keyring/keyring.ts';
import type { CryptographicMaterialsManager } from './materials/cmm.ts';
import { defaultCmm } from './materials/default-cmm.ts';
import { type CommitmentPolicy, resolvePolicy } from './suite/commitment-policy.ts';

/** Exactly one of `keyring` and `cmm`. */
export interface CommonOptions {
  readonly keyring?: Keyring;
  readonly cmm?: CryptographicMaterialsManager;
  /**
   * On encrypt: pairs that are stored and authenticated. On decrypt: pairs that the message must carry, or that are
   * reproduced for required keys; a difference fails before any plaintext.
   */
  readonly encryptionContext?: ContextInput;
  /** Default `REQUIRE_ENCRYPT_REQUIRE_DECRYPT`. */
  readonly commitmentPolicy?: CommitmentPolicy;
  /** At most so many encrypted data keys, 1 to 65,535; on decrypt checked while parsing. Default: no limit. */
  readonly maxEncryptedDataKeys?: number;
  /** Longest frame, in bytes, that is written or read; also bounds a non-framed body. Default 64 MiB. */
  readonly maxFrameLength?: number;
  /** Default `auto`. */
  readonly engine?: EngineChoice;
  /** Aborts between batches of frames and in every call that waits. */
  readonly signal?: AbortSignal;
  /** Told after each batch of frames. */
  readonly onProgress?: (progress: { bytes: number; total?: number }) => void;
}

/** Options as the protocol uses them. */
export interface ResolvedOptions {
  readonly cmm: CryptographicMaterialsManager;
  readonly commitmentPolicy: CommitmentPolicy;
  readonly maxEncryptedDataKeys: number;
  readonly maxFrameLength: number;
  readonly engine: FrameEngine;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: CommonOptions['onProgress'];
}

const DEFAULT_MAX_FRAME_LENGTH = 64 * 2 ** 20;

/** @throws FramesealError `INVALID_ARGUMENT`, `UNSUPPORTED` */
export function resolveOptions(options: CommonOptions): ResolvedOptions {
  if (options === null || typeof options !== 'object')
    throw invalidArgument('options', 'an object', kindOf(options));
  const {
    maxEncryptedDataKeys = 0xffff,
    maxFrameLength = DEFAULT_MAX_FRAME_LENGTH,
    signal,
    onProgress,
  } = options;
  checkInteger('maxEncryptedDataKeys', maxEncryptedDataKeys, 1, 0xffff);
  checkInteger('maxFrameLength', maxFrameLength, 1, 0xffff_ffff);
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw invalidArgument('signal', 'an AbortSignal', kindOf(signal));
  if (onProgress !== undefined && typeof onProgress !== 'function')
    throw invalidArgument('onProgress', 'a function', kindOf(onProgress));
  return {
    cmm: resolveCmm(options),
    commitmentPolicy: resolvePolicy(options.commitmentPolicy),
    maxEncryptedDataKeys,
    maxFrameLength,
    engine: selectEngine(options.engine),
    signal,
    onProgress,
  };
}

/** @throws FramesealError `INVALID_ARGUMENT` unless `value` is an integer from `min` to `max`. */
export function checkInteger(name: string, value: number, min: number, max: number): void {
  if (!Number.isSafeInteger(value) || value < min || value > max)
    throw invalidArgument(name, `${min}..${max}`, kindOf(value));
}

/** The largest frame length that is written, whatever the caller's limit. */
export const LARGEST_FRAME: number = MAX_FRAME_LENGTH;

function resolveCmm({ keyring, cmm }: CommonOptions): CryptographicMaterialsManager {
  if ((keyring === undefined) === (cmm === undefined)) {
    throw invalidArgument(
      'keyring',
      'exactly one of "keyring" and "cmm"',
      keyring === undefined ? 'neither' : 'both',
    );
  }
  if (keyring !== undefined) return defaultCmm({ keyring });
  if (typeof cmm?.getEncryptionMaterials !== 'function' || typeof cmm.decryptMaterials !== 'function') {
    throw invalidArgument('cmm', 'an object with getEncryptionMaterials and decryptMaterials', kindOf(cmm));
  }
  return cmm;
}
