/**
 * Faults of the footer. Everything before it is right, and is what was signed unless said otherwise.
 */
import { edit, integer, join, number, ORDER, split } from './der.mjs';
import { fault, flip, SIGNED } from './fault.mjs';
import { SUITES, signingKey } from './message.mjs';

export function footerFaults() {
  const signature = (name, make) =>
    fault(`signature-${name}`, 'AUTHENTICATION_FAILED', SIGNED, { signature: make });
  const field = (name, code, footerLength) => fault(`footer-${name}`, code, SIGNED, { footerLength });
  return [
    field('length-0', 'TRAILING_BYTES', 0),
    field('length-65535', 'TRUNCATED', 0xffff),
    fault('footer-missing', 'TRUNCATED', SIGNED, {
      editBytes: (bytes, { footer }) => bytes.subarray(0, footer),
    }),
    signature('empty', () => Buffer.alloc(0)),
    signature('bit', ({ der }) => flip(der(), 40)),
    signature('by-another-key', ({ der, signed, plan }) =>
      der(signed, plan.curve.hash, { key: signingKey(plan.curve, 'another signing key').privateKey }),
    ),
    signature('of-another-message', ({ der, signed }) => der(Buffer.concat([signed, Buffer.of(0)]))),
    signature('without-header', ({ der, signed, bodyAt }) => der(signed.subarray(bodyAt))),
    signature('without-body', ({ der, signed, bodyAt }) => der(signed.subarray(0, bodyAt))),
    signature('sha512', ({ der, signed }) => der(signed, 'sha512')),
    signature('of-other-curve', ({ der, signed }) =>
      der(signed, 'sha384', { key: signingKey(SUITES['0214'].curve, 'other curve').privateKey }),
    ),
    signature('p1363', ({ der, signed }) => der(signed, 'sha384', { dsaEncoding: 'ieee-p1363' })),
    signature('der-trailing-byte', ({ der }) => Buffer.concat([der(), Buffer.of(0)])),
    signature('der-long-length', ({ der }) => {
      const bytes = der();
      return Buffer.concat([bytes.subarray(0, 1), Buffer.of(0x81), bytes.subarray(1)]);
    }),
    signature('der-padded-r', ({ der }) => edit(der(), ([r, s]) => [Buffer.concat([Buffer.of(0), r]), s])),
    signature('der-negative-s', ({ der }) => edit(negativeCandidate(der), ([r, s]) => [r, s.subarray(1)])),
    signature('r-0', ({ der }) => edit(der(), ([, s]) => [Buffer.of(0), s])),
    signature('s-0', ({ der }) => edit(der(), ([r]) => [r, Buffer.of(0)])),
    signature('r-plus-order', ({ der }) => edit(der(), ([r, s]) => [integer(number(r) + ORDER), s])),
    signature('s-plus-order', ({ der }) => edit(der(), ([r, s]) => [r, integer(number(s) + ORDER)])),
    signature('order-order', () => join([integer(ORDER), integer(ORDER)])),
  ];
}

// A signature whose s has its top bit set, so that DER puts a zero before it.
function negativeCandidate(der) {
  for (;;) {
    const bytes = der();
    if (split(bytes)[1][0] === 0) return bytes;
  }
}
