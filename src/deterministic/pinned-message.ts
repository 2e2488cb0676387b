/**
 * A pinned data key at rest: a message whose plaintext is the secret, 32 random bytes. Its data key is as short-lived as any
 * other; whatever adds, removes or checks wrapping keys of messages does so here.
 */
import type { DecryptOptions } from '../begin-decrypt.ts';
import type { EncryptOptions } from '../begin-encrypt.ts';
import type { Bytes } from '../bytes.ts';
import { platformRandom } from '../crypto/random.ts';
import { decrypt } from '../decrypt.ts';
import { encrypt } from '../encrypt.ts';
import { FramesealError } from '../errors.ts';
import { checkBytes } from '../options.ts';
import { type PinnedDataKey, pinnedDataKey } from './pinned-data-key.ts';
import { SECRET_LENGTH } from './pinned-keys.ts';

/**
 * Makes a pinned data key. Keep the message: what is encrypted under it is lost with it.
 * @param options those of `encrypt`. Give an encryption context that no other messages have, and ask for it when opening.
 * @returns a message, some hundred bytes: `parseHeader` lists the keys that wrap it.
 * @throws FramesealError what `encrypt` throws
 */
export async function createPinnedDataKey(options: EncryptOptions): Promise<Bytes> {
  const secret = platformRandom(SECRET_LENGTH);
  try {
    return (await encrypt(secret, options)).ciphertext;
  } finally {
    secret.fill(0);
  }
}

/**
 * Opens a pinned data key, once for many values.
 * @param bytes a message that `createPinnedDataKey` made.
 * @param options those of `decrypt`.
 * @throws FramesealError what `decrypt` throws; `INVALID_MESSAGE` for a message with another plaintext than 32 bytes
 */
export async function openPinnedDataKey(bytes: Uint8Array, options: DecryptOptions): Promise<PinnedDataKey> {
  checkBytes('bytes', bytes);
  const { plaintext: secret } = await decrypt(bytes, options);
  if (secret.length === SECRET_LENGTH) return pinnedDataKey(secret);
  secret.fill(0);
  throw new FramesealError(
    'INVALID_MESSAGE',
    `the message is no pinned data key: its plaintext has ${secret.length} bytes, expected ${SECRET_LENGTH}`,
  );
}
