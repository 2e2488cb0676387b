/**
 * Further wrapping keys for a finished message, which is not touched: header, materials, data key, sidecar.
 */
import { type DecryptOptions, openMessage, resolveDecrypt } from '../begin-decrypt.ts';
import type { Bytes } from '../bytes.ts';
import type { EncryptedDataKey } from '../encrypted-data-key.ts';
import { checkEncryptedDataKeyCount, distinctEncryptedDataKeys } from '../format/encrypted-data-keys.ts';
import { type MessageHeader, parseMessageHeader, publicHeader } from '../format/message-header.ts';
import { sealSidecar } from '../kdf/sidecar-mac.ts';
import { checkKeyring, type Keyring } from '../keyring/keyring.ts';
import type { MissingKey } from '../materials/materials.ts';
import { checkBytes } from '../options.ts';
import { wrapDataKey } from './wrap-data-key.ts';

/** Options of {@link addWrappingKeys}. */
export interface AddWrappingKeysOptions extends DecryptOptions {
  /** Wraps the message's data key: its keys can open the message from then on, with the sidecar. */
  readonly add: Keyring;
}

/** What {@link addWrappingKeys} answers. */
export interface AddWrappingKeysResult {
  /** To be kept beside the message, and given to `decrypt` with it. It holds no secret. */
  readonly sidecar: Bytes;
  readonly header: MessageHeader;
  /** The encrypted data keys in the sidecar: those of the sidecars that were given, then the new ones. */
  readonly encryptedDataKeys: readonly EncryptedDataKey[];
  /** Keys that a quorum let go missing; empty without one. */
  readonly missingKeys: readonly MissingKey[];
  /** What has been verified of the message: its commitment and its header, not its body, and no signature. */
  readonly verified: 'header';
}

/**
 * Wraps the data key of a finished message under further keys: another region, an escrow key. The message stays as it is,
 * signature included; the new encrypted data keys are in a sidecar that is bound to it.
 *
 * The header is authenticated before the added keyring is asked; the body is not looked at. Sidecars that are given are
 * verified, and their entries go into the new one. Nothing is taken away: whoever could open the message still can. Under a policy
 * that reads suites without key commitment, whoever makes a message can make it open differently under different keys,
 * and adding keys to such a message of a stranger vouches for that.
 * @param message the message, or any prefix of it that holds the whole header. It is read until the promise settles: do not
 *   change it before.
 * @throws FramesealError as `decrypt` does for the header; `SIDECAR_MISMATCH`; and what the added keyring throws
 */
export async function addWrappingKeys(
  message: Uint8Array,
  options: AddWrappingKeysOptions,
): Promise<AddWrappingKeysResult> {
  const request = resolveDecrypt(options, ['add']);
  const { add } = options;
  checkKeyring('add', add);
  checkBytes('message', message);
  const header = parseMessageHeader(message, request.maxEncryptedDataKeys);
  const opened = await openMessage(header, request, true);
  try {
    const { signal, sidecars, platform, maxEncryptedDataKeys } = request;
    const { encryptedDataKeys: added, missingKeys } = await wrapDataKey('add', add, header, opened, signal);
    const before = sidecars.flatMap((sidecar) => sidecar.encryptedDataKeys);
    const encryptedDataKeys = distinctEncryptedDataKeys([...before, ...added]);
    checkEncryptedDataKeyCount(
      header.encryptedDataKeys.length + encryptedDataKeys.length,
      maxEncryptedDataKeys,
    );
    const sidecar = await sealSidecar(platform.crypto, header, encryptedDataKeys, opened.dataKey!.bytes);
    const shown = publicHeader(header, header.length);
    return { sidecar, header: shown, encryptedDataKeys, missingKeys, verified: 'header' };
  } finally {
    opened.opener.dispose();
    opened.dataKey!.dispose();
  }
}
