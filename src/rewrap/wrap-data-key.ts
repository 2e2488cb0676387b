/**
 * Wraps the data key of a finished message under further keys, with the same full encryption context as the first ones, so
 * that ordinary keyrings open it.
 */
import type { OpenedMessage } from '../begin-decrypt.ts';
import { copy } from '../bytes.ts';
import { untilAborted } from '../deadline.ts';
import type { EncryptedDataKey } from '../encrypted-data-key.ts';
import { FramesealError, invalidArgument, throwIfAborted } from '../errors.ts';
import type { ParsedHeader } from '../format/message-header.ts';
import type { Keyring } from '../keyring/keyring.ts';
import { asWrapper } from '../keyring/multi-keyring.ts';
import type { EncryptionMaterials, MissingKey } from '../materials/materials.ts';

/** What a keyring has added. */
export interface WrappedDataKey {
  readonly encryptedDataKeys: readonly EncryptedDataKey[];
  /** Keys that a quorum let go missing. */
  readonly missingKeys: readonly MissingKey[];
}

/**
 * @param argument the name of the keyring's option, for errors.
 * @param opened a message that was opened with its data key kept.
 */
export async function wrapDataKey(
  argument: string,
  keyring: Keyring,
  header: ParsedHeader,
  opened: OpenedMessage,
  signal: AbortSignal | undefined,
): Promise<WrappedDataKey> {
  throwIfAborted(signal);
  const encryptionContext = opened.authenticatedContext;
  const plaintextDataKey = copy(opened.dataKey!.bytes);
  const materials: EncryptionMaterials = {
    algorithmSuite: header.suite,
    encryptionContext,
    requiredEncryptionContextKeys: Object.keys(encryptionContext).filter(
      (key) => !(key in header.encryptionContext),
    ),
    plaintextDataKey,
    encryptedDataKeys: [],
  };
  const wrapping = asWrapper(keyring).onEncrypt(materials, { signal });
  const wiped = wrapping.finally(() => plaintextDataKey.fill(0)); // a keyring that is late still wraps the data key itself
  const answer = untilAborted(signal, wiped).catch((error: unknown) => {
    throw namingOption(argument, error);
  });
  const { encryptedDataKeys, missingKeys = [] } = await answer;
  if (encryptedDataKeys.length === 0)
    throw invalidArgument(argument, 'a keyring that wraps the data key', 'one that added nothing');
  return { encryptedDataKeys, missingKeys };
}

/** The error, and where it is about what a keyring is, with the option that the keyring was given in. */
export function namingOption(argument: string, error: unknown): unknown {
  if (!(error instanceof FramesealError) || error.code !== 'INVALID_ARGUMENT') return error;
  return new FramesealError('INVALID_ARGUMENT', `"${argument}": ${error.message}`, { cause: error });
}
