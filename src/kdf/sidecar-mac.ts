/**
 * The MAC of a sidecar: HMAC-SHA-512 over all bytes before it, under a key that only a holder of the data key has.
 *
 * ```
 * key    64 bytes of HKDF-SHA-512, in every suite: input the data key, salt "frameseal sidecar v1"
 * info   suite 2 | u16 length, message id | u16 length, commit key
 * ```
 * It shows changes by whoever has not the data key; it does not name the writer. A format of this library: docs/sidecars.md.
 */
import { type Bytes, concat, equal, utf8, Writer } from '../bytes.ts';
import type { Crypto } from '../crypto/crypto.ts';
import type { EncryptedDataKey } from '../encrypted-data-key.ts';
import { FramesealError } from '../errors.ts';
import {
  encodeSidecarBody,
  SIDECAR_MAC_LENGTH,
  type Sidecar,
  type SidecarBinding,
} from '../format/sidecar.ts';

const SALT = utf8('frameseal sidecar v1')!;

/** Writes a sidecar of these entries. @throws FramesealError `LIMIT_EXCEEDED` */
export async function sealSidecar(
  crypto: Crypto,
  message: SidecarBinding,
  encryptedDataKeys: readonly EncryptedDataKey[],
  dataKey: Uint8Array,
): Promise<Bytes> {
  const body = encodeSidecarBody(message, encryptedDataKeys);
  return concat(body, await macOf(crypto, message, body, dataKey));
}

/**
 * @param dataKey the message's own: its commitment and header tag hold.
 * @throws FramesealError `SIDECAR_MISMATCH` if the sidecar has not been written by a holder of the data key as it is.
 */
export async function verifySidecar(crypto: Crypto, sidecar: Sidecar, dataKey: Uint8Array): Promise<void> {
  if (equal(await macOf(crypto, sidecar, sidecar.body, dataKey), sidecar.mac)) return;
  const what = 'the sidecar was altered, or was not written by a holder of the data key';
  throw new FramesealError('SIDECAR_MISMATCH', what);
}

async function macOf(
  crypto: Crypto,
  { suite, messageId, suiteData }: SidecarBinding,
  body: Uint8Array,
  dataKey: Uint8Array,
): Promise<Bytes> {
  const length = 2 + 2 + messageId.length + 2 + suiteData.length;
  const info = new Writer(length).u16(suite.id).sized(messageId).sized(suiteData).bytes;
  const [key] = await crypto.hkdf('SHA-512', dataKey, SALT, [{ info, length: SIDECAR_MAC_LENGTH }]);
  try {
    return await crypto.hmac('SHA-512', key!, body);
  } finally {
    key!.fill(0);
  }
}
