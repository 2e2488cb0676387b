/**
 * The signature of the signed suites: ECDSA over header and body, in DER of a fixed length.
 *
 * ```
 * 30 length | 02 length r | 02 length s        both integers minimal and positive
 * ```
 * Platforms sign r || s. The Python and Java SDKs write DER of exactly 71 (P-256) and 103 (P-384) bytes, so that the size of
 * a message is known before it is signed: s is replaced by n - s where that gives the length (both are valid), else
 * the message is signed again. Source: AWS Encryption SDK specification, `data-format/message-footer.md`.
 */
import { type Bytes, base64, base64Bytes, hex, hexBytes, Reader, Writer } from '../bytes.ts';
import type { MaybePromise } from '../crypto/crypto.ts';
import { isCompressedPoint } from '../crypto/ec-point.ts';
import { FramesealError, invalidArgument, kindOf } from '../errors.ts';
import type { SignatureAlgorithm } from '../suite/algorithm-suites.ts';

/** Orders of the curves, FIPS 186-5 and SP 800-186. */
const ORDER: Record<SignatureAlgorithm['curve'], bigint> = {
  'P-256': 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
  'P-384':
    0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
};

/** One try in about 100 misses the length; a signer that always gives the same signature keeps what it gives. */
const MAX_TRIES = 16;

/**
 * The DER of a signature. It has the suite's signature length unless a caller's own key always misses it.
 * @param sign answers r || s of the message, as a rule another one each time.
 */
export async function encodedSignature(
  algorithm: SignatureAlgorithm,
  sign: () => MaybePromise<Bytes>,
): Promise<Bytes> {
  let der: Bytes;
  let tries = 0;
  do {
    const rs = await sign();
    if (!(rs instanceof Uint8Array) || rs.length !== 2 * algorithm.scalarLength) {
      throw invalidArgument(
        'signingKey',
        `to sign with ${2 * algorithm.scalarLength} bytes, r || s`,
        kindOf(rs),
      );
    }
    der = encodeSignature(algorithm, rs);
    tries++;
  } while (der.length !== algorithm.signatureLength && tries < MAX_TRIES);
  return der;
}

/**
 * Whether a footer's signature is good. DER that is not minimal, or r or s out of range, verifies nothing.
 * @param verify is asked about r || s.
 */
export async function encodedSignatureIsGood(
  algorithm: SignatureAlgorithm,
  signature: Uint8Array,
  verify: (signature: Uint8Array) => MaybePromise<boolean>,
): Promise<boolean> {
  const rs = decodeSignature(algorithm, signature);
  return rs !== undefined && (await verify(rs));
}

/** The value of `aws-crypto-public-key`. */
export function encodeVerificationKey(publicKey: Uint8Array): string {
  return base64(publicKey);
}

/** The compressed point in a header. @throws FramesealError `INVALID_MESSAGE` */
export function decodeVerificationKey(algorithm: SignatureAlgorithm, text: string): Bytes {
  const point = base64Bytes(text);
  if (point === undefined || !isCompressedPoint(point, algorithm.scalarLength)) {
    throw new FramesealError(
      'INVALID_MESSAGE',
      `the header's verification key is no compressed point of ${algorithm.curve}`,
    );
  }
  return point;
}

/** DER of r || s: with s or n - s, whichever has the suite's length; with s when neither has. */
export function encodeSignature(algorithm: SignatureAlgorithm, rs: Uint8Array): Bytes {
  const n = algorithm.scalarLength;
  const r = rs.subarray(0, n);
  const s = rs.subarray(n);
  const der = encodeDer(r, s);
  if (der.length === algorithm.signatureLength) return der;
  const other = encodeDer(r, toBytes(ORDER[algorithm.curve] - toNumber(s), n));
  return other.length === algorithm.signatureLength ? other : der;
}

/** r || s of strict DER; `undefined` for anything else, and for r or s that is 0 or not below the order. */
export function decodeSignature(algorithm: SignatureAlgorithm, der: Uint8Array): Bytes | undefined {
  try {
    const reader = new Reader(der);
    if (reader.u8('sequence') !== 0x30 || reader.u8('length') !== reader.left) return undefined;
    const r = readInteger(reader, algorithm.scalarLength);
    const s = readInteger(reader, algorithm.scalarLength);
    if (r === undefined || s === undefined || reader.left > 0) return undefined;
    const order = ORDER[algorithm.curve];
    const inRange = [r, s].map(toNumber).every((value) => value > 0n && value < order);
    return inRange ? new Writer(2 * algorithm.scalarLength).put(r).put(s).bytes : undefined;
  } catch {
    return undefined;
  }
}

function encodeDer(r: Uint8Array, s: Uint8Array): Bytes {
  const integers = [minimal(r), minimal(s)];
  const length = integers.reduce((sum, integer) => sum + 2 + integer.length, 0);
  const writer = new Writer(2 + length).u8(0x30).u8(length);
  for (const integer of integers) writer.u8(0x02).u8(integer.length).put(integer);
  return writer.bytes;
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

function toNumber(bytes: Uint8Array): bigint {
  return BigInt(`0x${hex(bytes)}`);
}

function toBytes(value: bigint, length: number): Bytes {
  return hexBytes(value.toString(16).padStart(2 * length, '0'));
}
