/**
 * The message footer of the signed suites.
 *
 * ```
 * u16 length | ECDSA signature, DER, over header and body
 * ```
 * Source: AWS Encryption SDK specification, `data-format/message-footer.md`.
 */
import { type Bytes, type Reader, Writer } from '../bytes.ts';
import { FramesealError } from '../errors.ts';
import type { AlgorithmSuite } from '../suite/algorithm-suites.ts';

/** Bytes of the footer's length field. */
export const FOOTER_OVERHEAD = 2;

/** Bytes of the footer as we write it; 0 in suites without a signature. */
export function footerLength({ signature }: AlgorithmSuite): number {
  return signature ? FOOTER_OVERHEAD + signature.signatureLength : 0;
}

/** The signature of a footer. @throws FramesealError `TRUNCATED` */
export function parseFooter(reader: Reader): Uint8Array {
  return reader.take(reader.u16('signature length'), 'signature');
}

/** What is wrong with a message that goes on behind its end. */
export function trailingBytes(): FramesealError {
  return new FramesealError('TRAILING_BYTES', 'bytes follow the end of the message');
}

/** A footer around this signature. */
export function encodeFooter(signature: Uint8Array): Bytes {
  return new Writer(FOOTER_OVERHEAD + signature.length).sized(signature).bytes;
}
