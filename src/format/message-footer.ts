/**
 * The message footer of the signed suites.
 *
 * ```
 * u16 length | ECDSA signature, DER, over header and body
 * ```
 * Source: AWS Encryption SDK specification, `data-format/message-footer.md`.
 */
import { type Bytes, type Reader, Writer } from '../bytes.ts';

/** Bytes of the footer's length field. */
export const FOOTER_OVERHEAD = 2;

/** The signature of a footer. @throws FramesealError `TRUNCATED` */
export function parseFooter(reader: Reader): Uint8Array {
  return reader.take(reader.u16('signature length'), 'signature');
}

/** A footer around this signature. */
export function encodeFooter(signature: Uint8Array): Bytes {
  return new Writer(FOOTER_OVERHEAD + signature.length).sized(signature).bytes;
}
