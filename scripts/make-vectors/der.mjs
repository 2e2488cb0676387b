/**
 * DER of ECDSA signatures of P-384, taken apart and put together.
 */

/** The order of the curve. */
export const ORDER =
  0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n;

/** The signature with its two integers changed. */
export function edit(der, change) {
  return join(change(split(der)));
}

/** The two integers of a signature, as their content bytes. All lengths are below 128. */
export function split(der) {
  const r = der.subarray(4, 4 + der[3]);
  return [r, der.subarray(4 + der[3] + 2)];
}

/** The signature of two integers. */
export function join([r, s]) {
  const integers = Buffer.concat([Buffer.of(2, r.length), r, Buffer.of(2, s.length), s]);
  return Buffer.concat([Buffer.of(0x30, integers.length), integers]);
}

/** The number that an integer holds. */
export function number(content) {
  return BigInt(`0x${content.toString('hex')}`);
}

/** The content bytes of an integer. */
export function integer(value) {
  const hex = value.toString(16);
  const bytes = Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex');
  return bytes[0] < 0x80 ? bytes : Buffer.concat([Buffer.of(0), bytes]);
}
