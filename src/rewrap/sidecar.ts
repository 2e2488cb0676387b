/**
 * A sidecar: further encrypted data keys of a finished message, in a file of their own. The message is not touched.
 *
 * ```
 * 46 53 53 43 "FSSC" | version 01 | suite 2 | message id 16 or 32 | commit key 0 or 32 | EDKs 2+n | MAC 64
 * ```
 * Suite, message id and commit key bind it to its message; message id and commit key are as long as the suite's. The
 * encrypted data keys are written as in a header. The MAC is HMAC-SHA-512 over all bytes before it, under
 * HKDF-SHA-512(data key, salt "frameseal sidecar v1", info = suite id | u16 length, message id | u16 length, commit key).
 * It shows changes by whoever has not the data key; it does not name the writer. A format of this library: docs/sidecars.md.
 */
import { type Bytes, concat, copy, equal, Reader, utf8, Writer } from '../bytes.ts';
import type { Crypto } from '../crypto/crypto.ts';
import type { EncryptedDataKey } from '../encrypted-data-key.ts';
import { FramesealError } from '../errors.ts';
import { encodeEncryptedDataKeys, parseEncryptedDataKeys } from '../format/encrypted-data-keys.ts';
import { type AlgorithmSuite, COMMIT_KEY_LENGTH, suiteById } from '../suite/algorithm-suites.ts';

/** What binds a sidecar to its message: the fields of its header of the same names. */
export interface SidecarBinding {
  readonly suite: AlgorithmSuite;
  readonly messageId: Uint8Array;
  /** The commit key; empty without commitment. */
  readonly suiteData: Uint8Array;
}

/** A sidecar whose structure has been checked. Nothing of it is authentic yet. */
export interface Sidecar extends SidecarBinding {
  readonly encryptedDataKeys: readonly EncryptedDataKey[];
  /** What the MAC covers. */
  readonly body: Uint8Array;
  readonly mac: Uint8Array;
}

const MAGIC = utf8('FSSC')!;
const VERSION = 1;
const MAC_LENGTH = 64;
const SALT = utf8('frameseal sidecar v1')!;

/**
 * Parses a sidecar: there is one encoding, and nothing behind it.
 * @param maxEncryptedDataKeys checked before the first encrypted data key is read.
 * @throws FramesealError `SIDECAR_MISMATCH`, `LIMIT_EXCEEDED`
 */
export function parseSidecar(bytes: Uint8Array, maxEncryptedDataKeys: number): Sidecar {
  const whole = copy(bytes);
  const reader = new Reader(whole);
  try {
    if (!equal(reader.take(MAGIC.length, 'mark'), MAGIC)) throw malformed('it does not begin with "FSSC"');
    const version = reader.u8('version');
    if (version !== VERSION) throw malformed(`its version is ${version}, and this library reads ${VERSION}`);
    const suite = suiteById(reader.u16('suite'));
    if (suite === undefined) throw malformed('its suite is unknown');
    const messageId = reader.take(suite.messageIdLength, 'message id');
    const suiteData = reader.take(suite.committing ? COMMIT_KEY_LENGTH : 0, 'commit key');
    const encryptedDataKeys = parseEncryptedDataKeys(reader, maxEncryptedDataKeys);
    const body = whole.subarray(0, reader.offset);
    const mac = reader.take(MAC_LENGTH, 'MAC');
    if (reader.left > 0) throw malformed('bytes follow its end');
    return { suite, messageId, suiteData, encryptedDataKeys, body, mac };
  } catch (error) {
    if (error instanceof FramesealError && ['TRUNCATED', 'INVALID_MESSAGE'].includes(error.code))
      throw malformed('its lengths or texts do not fit', error);
    throw error;
  }
}

/** @throws FramesealError `SIDECAR_MISMATCH` if the sidecar names another message. */
export function checkBinding(sidecar: Sidecar, header: SidecarBinding): void {
  const same =
    sidecar.suite === header.suite &&
    equal(sidecar.messageId, header.messageId) &&
    equal(sidecar.suiteData, header.suiteData);
  if (same) return;
  throw mismatch('belongs to another message: suite, message id or commit key differ');
}

/**
 * @param dataKey the message's own: its commitment and header tag hold.
 * @throws FramesealError `SIDECAR_MISMATCH` if the sidecar has not been written by a holder of the data key as it is.
 */
export async function verifySidecar(crypto: Crypto, sidecar: Sidecar, dataKey: Uint8Array): Promise<void> {
  if (equal(await macOf(crypto, sidecar, sidecar.body, dataKey), sidecar.mac)) return;
  throw mismatch('was altered, or was not written by a holder of the data key');
}

/** Writes a sidecar of these entries. @throws FramesealError `LIMIT_EXCEEDED` */
export async function encodeSidecar(
  crypto: Crypto,
  message: SidecarBinding,
  encryptedDataKeys: readonly EncryptedDataKey[],
  dataKey: Uint8Array,
): Promise<Bytes> {
  const { suite, messageId, suiteData } = message;
  const start = new Writer(MAGIC.length + 1 + 2).put(MAGIC).u8(VERSION).u16(suite.id).bytes;
  const body = concat(start, messageId, suiteData, encodeEncryptedDataKeys(encryptedDataKeys));
  return concat(body, await macOf(crypto, message, body, dataKey));
}

async function macOf(
  crypto: Crypto,
  { suite, messageId, suiteData }: SidecarBinding,
  body: Uint8Array,
  dataKey: Uint8Array,
): Promise<Bytes> {
  const length = 2 + 2 + messageId.length + 2 + suiteData.length;
  const info = new Writer(length).u16(suite.id).sized(messageId).sized(suiteData).bytes;
  const [key] = await crypto.hkdf('SHA-512', dataKey, SALT, [{ info, length: MAC_LENGTH }]);
  try {
    return await crypto.hmac('SHA-512', key!, body);
  } finally {
    key!.fill(0);
  }
}

function malformed(why: string, cause?: unknown): FramesealError {
  return mismatch(`is none, or was altered: ${why}`, cause);
}

function mismatch(what: string, cause?: unknown): FramesealError {
  return new FramesealError('SIDECAR_MISMATCH', `the sidecar ${what}`, { cause });
}
