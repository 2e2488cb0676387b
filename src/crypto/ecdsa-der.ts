/**
 * ECDSA signatures as DER, Ecdsa-Sig-Value of RFC 3279 section 2.2.3, with integers as X.690 has them: minimal, with a sign.
 *
 * ```
 * 30 length | 02 length r | 02 length s
 * ```
 */
import { type Bytes, Reader, Writer } from '../bytes.ts';

/** The DER of r || s, two of the same length, 60 bytes each at most. */
export function encodeDer(rs: Uint8Array): Bytes {
  const n = rs.length / 2;
  const r = minimal(rs.subarray(0, n));
  const s = minimal(rs.subarray(n));
  const length = 2 + r.length + 2 + s.length;
  const writer = new Writer(2 + length).u8(0x30).u8(length);
  for (const integer of [r, s]) writer.u8(0x02).u8(integer.length).put(integer);
  return writer.bytes;
}

/** r || s of strict DER; `undefined` for anything else, and for an r or s that does not fit. Their range is not checked. */
export function decodeDer(der: Uint8Array, scalarLength: number): Bytes | undefined {
  try {
    const reader = new Reader(der);
    if (reader.u8('sequence') !== 0x30 || reader.u8('length') !== reader.left) return undefined;
    const r = readInteger(reader, scalarLength);
    const s = readInteger(reader, scalarLength);
    if (r === undefined || s === undefined || reader.left > 0) return undefined;
    return new Writer(2 * scalarLength).put(r).put(s).bytes;
  } catch {
    return undefined;
  }
}

// Leading zeros dropped, but one kept before a byte with its top bit set: DER integers are signed.
function minimal(value: Uint8Array): Uint8Array {
  let start = 0;
  while (start < value.length - 1 && value[start] === 0) start++;
  const digits = value.subarray(start);
  return digits[0]! < 0x80 ? digits : new Writer(1 + digits.length).u8(0).put(digits).bytes;
}

function readInteger(reader: Reader, scalarLength: number): Bytes | undefined {
  if (reader.u8('integer') !== 0x02) return undefined;
  const bytes = reader.take(reader.u8('integer length'), 'integer');
  const negative = bytes.length === 0 || bytes[0]! >= 0x80;
  const padded = bytes.length > 1 && bytes[0] === 0 && bytes[1]! < 0x80;
  const digits = bytes[0] === 0 && bytes.length > 1 ? bytes.subarray(1) : bytes;
  if (negative || padded || digits.length > scalarLength) return undefined;
  return new Writer(scalarLength).put(new Uint8Array(scalarLength - digits.length)).put(digits).bytes;
}
