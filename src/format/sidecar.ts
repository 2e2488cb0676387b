/**
 * A sidecar: further encrypted data keys of a finished message, in a file of their own. The message is not touched.
 *
 * ```
 * 46 53 53 43 "FSSC" | version 01 | suite 2 | message id 16 or 32 | commit key 0 or 32 | EDKs 2+n | MAC 64
 * ```
 * Suite, message id and commit key bind it to its message; message id and commit key are as long as the suite's. The
 * encrypted data keys are written as in a header. The MAC (kdf/sidecar-mac.ts) covers all bytes before it. A format of this
 * library: docs/sidecars.md.
 */
import { type Bytes, copy, equal, Reader, utf8, Writer } from '../bytes.ts';
import type { EncryptedDataKey } from '../encrypted-data-key.ts';
import { FramesealError } from '../errors.ts';
import { type AlgorithmSuite, COMMIT_KEY_LENGTH, suiteById } from '../suite/algorithm-suites.ts';
import {
  encryptedDataKeysLength,
  parseEncryptedDataKeys,
  writeEncryptedDataKeys,
} from './encrypted-data-keys.ts';

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

/** Bytes of the MAC. */
export const SIDECAR_MAC_LENGTH = 64;

const MAGIC = utf8('FSSC')!;
const VERSION = 1;

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
    const mac = reader.take(SIDECAR_MAC_LENGTH, 'MAC');
    if (reader.left > 0) throw malformed('bytes follow its end');
    return { suite, messageId, suiteData, encryptedDataKeys, body, mac };
  } catch (error) {
    if (error instanceof FramesealError && ['TRUNCATED', 'INVALID_MESSAGE'].includes(error.code))
      throw malformed('its lengths or texts do not fit', error);
    throw error;
  }
}

/** Writes what precedes the MAC of a sidecar of these entries. @throws FramesealError `LIMIT_EXCEEDED` */
export function encodeSidecarBody(
  { suite, messageId, suiteData }: SidecarBinding,
  encryptedDataKeys: readonly EncryptedDataKey[],
): Bytes {
  const fixed = MAGIC.length + 1 + 2 + messageId.length + suiteData.length;
  const writer = new Writer(fixed + encryptedDataKeysLength(encryptedDataKeys));
  writer.put(MAGIC).u8(VERSION).u16(suite.id).put(messageId).put(suiteData);
  writeEncryptedDataKeys(writer, encryptedDataKeys);
  return writer.bytes;
}

/** @throws FramesealError `SIDECAR_MISMATCH` if the sidecar names another message. */
export function checkBinding(sidecar: Sidecar, header: SidecarBinding): void {
  const same =
    sidecar.suite === header.suite &&
    equal(sidecar.messageId, header.messageId) &&
    equal(sidecar.suiteData, header.suiteData);
  if (!same) throw mismatch('belongs to another message: suite, message id or commit key differ');
}

function malformed(why: string, cause?: unknown): FramesealError {
  return mismatch(`is none, or was altered: ${why}`, cause);
}

function mismatch(what: string, cause?: unknown): FramesealError {
  return new FramesealError('SIDECAR_MISMATCH', `the sidecar ${what}`, { cause });
}
