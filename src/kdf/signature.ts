/**
 * The signature of the signed suites: ECDSA over header and body, in DER of a fixed length.
 *
 * ```
 * 30 length | 02 length r | 02 length s        both integers minimal and positive
 * ```
 * Providers sign r || s. The Python and Java SDKs write DER of exactly 71 (P-256) and 103 (P-384) bytes, so that the size of
 * a message is known before it is signed: s is replaced by n - s where that gives the length (both are valid), else
 * the message is signed again. Source: AWS Encryption SDK specification, `data-format/message-footer.md`.
 */
import { type Bytes, base64, base64Bytes, concat, hexBytes } from '../bytes.ts';
import type { MaybePromise } from '../crypto/crypto.ts';
import { isCompressedPoint } from '../crypto/ec-point.ts';
import { decodeDer, encodeDer } from '../crypto/ecdsa-der.ts';
import { FramesealError, invalidArgument, kindOf } from '../errors.ts';
import type { SignatureAlgorithm } from '../suite/algorithm-suites.ts';

/** Orders of the curves, FIPS 186-5 and SP 800-186. */
const ORDER: Record<SignatureAlgorithm['curve'], Bytes> = {
  'P-256': hexBytes('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551'),
  'P-384': hexBytes(
    'ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973',
  ),
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
  const der = encodeDer(rs);
  if (der.length === algorithm.signatureLength) return der;
  const [r, s] = halves(rs);
  const other = encodeDer(concat(r, difference(ORDER[algorithm.curve], s)));
  return other.length === algorithm.signatureLength ? other : der;
}

/** r || s of strict DER; `undefined` for anything else, and for r or s that is 0 or not below the order. */
export function decodeSignature(algorithm: SignatureAlgorithm, der: Uint8Array): Bytes | undefined {
  const rs = decodeDer(der, algorithm.scalarLength);
  const order = ORDER[algorithm.curve];
  return rs !== undefined && halves(rs).every((value) => isScalar(value, order)) ? rs : undefined;
}

function halves(rs: Uint8Array): [r: Uint8Array, s: Uint8Array] {
  return [rs.subarray(0, rs.length / 2), rs.subarray(rs.length / 2)];
}

/** Whether 0 < value < order, of as many bytes. */
function isScalar(value: Uint8Array, order: Uint8Array): boolean {
  const at = value.findIndex((byte, i) => byte !== order[i]);
  return at >= 0 && value[at]! < order[at]! && value.some((byte) => byte !== 0);
}

/** order - value, of as many bytes, for a value that is not above it. */
function difference(order: Uint8Array, value: Uint8Array): Bytes {
  const bytes = new Uint8Array(order.length);
  let borrow = 0;
  for (let i = order.length - 1; i >= 0; i--) {
    const digit = order[i]! - value[i]! - borrow;
    bytes[i] = digit;
    borrow = digit < 0 ? 1 : 0;
  }
  return bytes;
}
