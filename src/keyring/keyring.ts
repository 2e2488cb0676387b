/**
 * The interface of keyrings: they generate, wrap and unwrap data keys.
 *
 * Callers may write their own. Source: AWS Encryption SDK specification, `framework/keyring-interface.md`.
 */
import type { RandomSource } from '../crypto/crypto.ts';
import { type EncryptedDataKey, keyNameOf } from '../encrypted-data-key.ts';
import { type DecryptAttempt, escapeText, FramesealError, invalidArgument, kindOf } from '../errors.ts';
import type { DecryptionMaterials, EncryptionMaterials } from '../materials/materials.ts';

/** What accompanies a call of `onEncrypt`. */
export interface OnEncryptOptions {
  readonly signal?: AbortSignal | undefined;
  /** The message's random bytes; a keyring that is not given any draws its own. */
  readonly random?: RandomSource | undefined;
}

/** What accompanies a call of `onDecrypt`. */
export interface OnDecryptOptions {
  readonly signal?: AbortSignal | undefined;
  /** See {@link DecryptionMaterialsRequest.confirmDataKey}. */
  readonly confirmDataKey?: ((materials: DecryptionMaterials) => Promise<boolean>) | undefined;
}

/** A keyring. */
export interface Keyring {
  /**
   * Generates a data key if the materials have none, and wraps it.
   * @returns the materials with the data key, and with this keyring's encrypted data keys behind those before it.
   */
  onEncrypt(materials: EncryptionMaterials, options: OnEncryptOptions): Promise<EncryptionMaterials>;
  /**
   * Opens one of the encrypted data keys.
   * @returns the materials with the data key, or as they came if none of the entries is this keyring's.
   * @throws FramesealError `NO_DATA_KEY`, with its attempts, if entries are this keyring's and none opens.
   */
  onDecrypt(
    materials: DecryptionMaterials,
    encryptedDataKeys: readonly EncryptedDataKey[],
    options: OnDecryptOptions,
  ): Promise<DecryptionMaterials>;
}

/** Entries that no keyring knows are listed up to so many attempts: a stranger decides how many there are. */
export const MAX_ATTEMPTS = 1024;

const attempted = new WeakMap<DecryptAttempt, EncryptedDataKey>();

/** Says of one encrypted data key why it did not open. */
export function attempt(edk: EncryptedDataKey, keyring: string, reason: string): DecryptAttempt {
  const one = {
    providerId: escapeText(edk.providerId),
    keyName: escapeText(keyNameOf(edk)),
    keyring,
    reason,
  };
  attempted.set(one, edk);
  return one;
}

/** The entries that none of these attempts is about. */
export function notAttempted(
  edks: readonly EncryptedDataKey[],
  attempts: readonly DecryptAttempt[],
): readonly EncryptedDataKey[] {
  const tried = new Set(attempts.map((one) => attempted.get(one)));
  return edks.filter((edk) => !tried.has(edk));
}

/** Causes that an error keeps: a stranger decides how many entries a message has. */
const MAX_CAUSES = 16;

/** The error of a keyring none of whose entries opens. */
export function noDataKey(
  attempts: readonly DecryptAttempt[],
  causes: readonly unknown[] = [],
): FramesealError {
  const shown = attempts.slice(0, 5).map((a) => `${a.providerId} "${a.keyName}" (${a.keyring}): ${a.reason}`);
  const more =
    attempts.length > shown.length ? `; and ${attempts.length - shown.length} more, see attempts` : '';
  const cause =
    causes.length > 1
      ? new AggregateError(causes.slice(0, MAX_CAUSES), `${causes.length} failures`)
      : causes[0];
  return new FramesealError(
    'NO_DATA_KEY',
    `no encrypted data key could be opened: ${shown.join('; ')}${more}`,
    {
      attempts,
      cause,
    },
  );
}

/** Whether an answer of `onDecrypt` holds a data key for its suite. Callers' keyrings may answer anything. */
export function hasDataKey(
  answer: DecryptionMaterials | undefined,
  keyLength: number,
): answer is DecryptionMaterials & { plaintextDataKey: Uint8Array } {
  return answer?.plaintextDataKey instanceof Uint8Array && answer.plaintextDataKey.length === keyLength;
}

/** @throws FramesealError `INVALID_ARGUMENT` unless this has the two operations of a keyring. */
export function checkKeyring(argument: string, keyring: Keyring): void {
  if (typeof keyring?.onEncrypt !== 'function' || typeof keyring.onDecrypt !== 'function') {
    throw invalidArgument(argument, 'a keyring: an object with onEncrypt and onDecrypt', kindOf(keyring));
  }
}

/** @throws FramesealError `INVALID_ARGUMENT` if a data key is asked for twice: `keyring-interface.md#ondecrypt`. */
export function refuseDataKey(materials: DecryptionMaterials): void {
  if (materials.plaintextDataKey !== undefined) {
    throw new FramesealError('INVALID_ARGUMENT', '"materials" expected no data key yet, got one');
  }
}
