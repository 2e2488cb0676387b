/**
 * Messages that must be rejected: one fault each, and the code that names it.
 *
 * `fault(name, code, suites, spec)`: the specification of a sound message with this one difference.
 */

import { draw } from './draw.mjs';
import { bodyFaults } from './faults-body.mjs';
import { byteFaults } from './faults-bytes.mjs';
import { footerFaults } from './faults-footer.mjs';
import { headerFaults } from './faults-header.mjs';
import { keyFaults } from './faults-keys.mjs';
import { aesEdk, masterKey } from './keys.mjs';
import { makeMessage } from './message.mjs';

/** All of them, as tests of the manifest. */
export function faultTests(keys) {
  const all = [
    ...headerFaults(keys),
    ...keyFaults(keys),
    ...bodyFaults(keys),
    ...footerFaults(keys),
    ...byteFaults(keys),
  ];
  return all.flatMap((one) => one.suites.map((suite) => faultTest(keys, suite, one)));
}

function faultTest(keys, suite, { name, code, spec, options, wrapping = 'aes-256' }) {
  const full = `${suite}-${name}`;
  const sound = {
    name: full,
    suite,
    pairs: [['purpose', 'faults']],
    plaintext: draw(`${full} plaintext`, 40),
    edks: (materials) => [aesEdk(keys, wrapping, materials)],
  };
  const { bytes } = makeMessage({ ...sound, ...(typeof spec === 'function' ? spec(sound, suite) : spec) });
  return { name: full, message: bytes, code, masterKeys: [masterKey(wrapping)], ...options };
}
