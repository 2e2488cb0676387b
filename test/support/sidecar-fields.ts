/**
 * Where the fields of a sidecar lie, from its documentation, and what comes of changing them.
 */
import type { ErrorCode } from '../../src/index.ts';

/** A field of a sidecar. */
export interface Field {
  readonly at: number;
  readonly length: number;
}

/** The fields of a sidecar with one entry: what is before its list, the count, the entry's three texts, the MAC. */
export interface SidecarFields {
  readonly binding: Field;
  readonly count: Field;
  readonly id: Field;
  readonly info: Field;
  readonly ciphertext: Field;
  readonly mac: Field;
}

/** The fields of a sidecar whose first entry is its only one. */
export function fieldsOf(sidecar: Uint8Array): SidecarFields {
  const view = new DataView(sidecar.buffer, sidecar.byteOffset, sidecar.byteLength);
  const committing = view.getUint16(5) >= 0x0400;
  const binding = { at: 0, length: 4 + 1 + 2 + (committing ? 32 + 32 : 16) };
  const count = { at: binding.length, length: 2 };
  const sized = (before: Field): Field => {
    const end = before.at + before.length;
    return { at: end + 2, length: view.getUint16(end) };
  };
  const id = sized(count);
  const info = sized(id);
  const ciphertext = sized(info);
  return { binding, count, id, info, ciphertext, mac: { at: sidecar.length - 64, length: 64 } };
}

/**
 * The code of a message that only the sidecar's raw AES key opens, when this bit of the sidecar is flipped: another key is
 * named, or the key does not unwrap; texts that are no UTF-8, and all else, make it no sidecar of this message.
 */
export function flipOutcome({ id, info, ciphertext }: SidecarFields, bit: number): ErrorCode {
  const at = bit >> 3;
  const within = (field: Field) => at >= field.at && at < field.at + field.length;
  const named = within(id) && (bit & 7) !== 7; // of ASCII text
  return named || within(info) || within(ciphertext) ? 'NO_DATA_KEY' : 'SIDECAR_MISMATCH';
}
