/**
 * What a sidecar says, without any key.
 */
import { type Bytes, copy } from '../bytes.ts';
import type { EncryptedDataKey } from '../encrypted-data-key.ts';
import { parseSidecar } from '../format/sidecar.ts';
import type { AlgorithmSuiteName } from '../index.ts';
import { checkBytes } from '../options.ts';

/** The contents of a sidecar. Nothing of it is authenticated: anyone may have written it. */
export interface SidecarView {
  readonly algorithmSuite: AlgorithmSuiteName;
  readonly suiteId: number;
  /** Of the message that it belongs to, if it is true. */
  readonly messageId: Bytes;
  readonly encryptedDataKeys: readonly EncryptedDataKey[];
}

/**
 * Reads a sidecar without verifying it.
 * @param bytes the whole sidecar.
 * @throws FramesealError `SIDECAR_MISMATCH` if these bytes are none
 */
export function inspectSidecar(bytes: Uint8Array): SidecarView {
  checkBytes('bytes', bytes);
  const { suite, messageId, encryptedDataKeys } = parseSidecar(bytes, 0xffff);
  return { algorithmSuite: suite.name, suiteId: suite.id, messageId: copy(messageId), encryptedDataKeys };
}
