/**
 * Points of P-256 and P-384 as bytes, SEC 1 section 2.3.3: 02 or 03 and x when compressed, 04, x and y when not.
 */
import { type Bytes, concat } from '../bytes.ts';

/** The compressed form of an uncompressed point. */
export function compressPoint(x: Uint8Array, y: Uint8Array): Bytes {
  return concat(Uint8Array.of(2 + (y[y.length - 1]! & 1)), x);
}

/**
 * The compressed form of the uncompressed point that DER ends with: SubjectPublicKeyInfo (RFC 5480), and ECPrivateKey
 * (RFC 5915) unless it lacks the public key; else `undefined`. The DER is wiped: a private key's scalar is in it.
 */
export function takePoint(der: Uint8Array, scalarLength: number): Bytes | undefined {
  const y = der.length - scalarLength;
  const x = y - scalarLength;
  const point = der[x - 1] === 4 ? compressPoint(der.subarray(x, y), der.subarray(y)) : undefined;
  der.fill(0);
  return point;
}

/** Whether these bytes have the form of a compressed point; they may still be on no curve. */
export function isCompressedPoint(bytes: Uint8Array, scalarLength: number): boolean {
  return bytes.length === scalarLength + 1 && (bytes[0] === 2 || bytes[0] === 3);
}
