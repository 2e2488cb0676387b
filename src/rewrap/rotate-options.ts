/**
 * Options of a rotation, checked once.
 */
import { type DecryptStreamRequest, resolveDecryptStream } from '../decrypt-stream.ts';
import { checkOptions, invalidArgument, kindOf } from '../errors.ts';
import { checkInteger } from '../options.ts';
import { REWRAP_OPTIONS, type RewrapOptions, type RewrapRequest, resolveRewrap } from './begin-rewrap.ts';
import type { RewrapStreamOptions } from './rewrap-stream.ts';
import { checkJournal, type RotationJournal } from './rotation-journal.ts';
import type { RotationProgress, RotationResult } from './rotation-report.ts';

/** Options of `rotateMessages`: those of `rewrap` for each message, and of the run. */
export interface RotateOptions extends Omit<RewrapOptions, 'sidecar' | 'onProgress'> {
  /** Default true, unlike that of `rewrap`: a new data key for each message. `keepExisting` wants false here. */
  readonly freshDataKey?: boolean | undefined;
  /** Objects under way at a time, 1 to 64; default 4. */
  readonly concurrency?: number | undefined;
  /** Default false. True: headers are opened with `keyring`, and nothing is wrapped or written, nor any body read. */
  readonly dryRun?: boolean | undefined;
  /** What is done already, and where to write down what is done. Without one, no run goes on where another has ended. */
  readonly journal?: RotationJournal | undefined;
  /** Data keys that `to` wraps at most, 1 to 2^32, those of earlier runs in the journal included; default 2^32. */
  readonly maxWraps?: number | undefined;
  /** Told of each object when it has come to an end. What it throws ends the run. */
  readonly onResult?: ((result: RotationResult) => void) | undefined;
  /** Told of bytes as they are read, and after each object. What it throws ends the run. */
  readonly onProgress?: ((progress: RotationProgress) => void) | undefined;
}

/** Objects that may be under way at a time. */
const MAX_CONCURRENCY = 64;
/** `rawAesKeyring` bears no more. */
const MAX_WRAPS = 2 ** 32;

const KNOWN = [
  'keyring',
  'cmm',
  'encryptionContext',
  'commitmentPolicy',
  'maxEncryptedDataKeys',
  'maxFrameLength',
  'maxHeaderLength',
  'engine',
  'signal',
  'algorithmSuite',
  'frameLength',
  ...REWRAP_OPTIONS,
  'concurrency',
  'dryRun',
  'journal',
  'maxWraps',
  'onResult',
  'onProgress',
];

/** Options as a run uses them. */
export interface ResolvedRotation {
  /** Of each rewrap. */
  readonly rewrap: RewrapStreamOptions;
  readonly request: DecryptStreamRequest;
  readonly wishes: RewrapRequest;
  readonly concurrency: number;
  readonly dryRun: boolean;
  readonly journal: RotationJournal | undefined;
  readonly maxWraps: number;
  readonly onResult: RotateOptions['onResult'];
  readonly onProgress: RotateOptions['onProgress'];
}

/** @throws FramesealError `INVALID_ARGUMENT`, `UNSUPPORTED`, `COMMITMENT_POLICY`, `LIMIT_EXCEEDED`, `ABORTED` */
export function resolveRotation(options: RotateOptions): ResolvedRotation {
  checkOptions(options, KNOWN);
  const { concurrency = 4, dryRun = false, journal, maxWraps = MAX_WRAPS, ...others } = options;
  const { onResult, onProgress, ...given } = others;
  checkInteger('concurrency', concurrency, 1, MAX_CONCURRENCY);
  checkInteger('maxWraps', maxWraps, 1, MAX_WRAPS);
  checkJournal(journal);
  if (typeof dryRun !== 'boolean') throw invalidArgument('dryRun', 'true or false', kindOf(dryRun));
  for (const [name, value] of Object.entries({ onResult, onProgress })) {
    if (value !== undefined && typeof value !== 'function')
      throw invalidArgument(name, 'a function', kindOf(value));
  }
  const { freshDataKey = true } = given;
  if (given.keepExisting === true && freshDataKey)
    throw invalidArgument('freshDataKey', 'false where "keepExisting" is true', String(freshDataKey));
  const rewrap = { ...given, freshDataKey };
  const request = resolveDecryptStream(rewrap, REWRAP_OPTIONS);
  const wishes = resolveRewrap(rewrap, request);
  // Of a context that its owner goes on using: the pairs as they are now.
  const fixed = { ...rewrap, encryptionContext: request.reproduced };
  return {
    rewrap: fixed,
    request,
    wishes,
    concurrency,
    dryRun,
    journal,
    maxWraps,
    onResult,
    onProgress,
  };
}
