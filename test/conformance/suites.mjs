/**
 * The eleven algorithm suites as the cases go through them, written down from the specification.
 */

/** Ids, bytes of the key, whether there is a signature. */
export const SUITES = [
  { id: 0x0014, keyLength: 16, signed: false },
  { id: 0x0046, keyLength: 24, signed: false },
  { id: 0x0078, keyLength: 32, signed: false },
  { id: 0x0114, keyLength: 16, signed: false },
  { id: 0x0146, keyLength: 24, signed: false },
  { id: 0x0178, keyLength: 32, signed: false },
  { id: 0x0214, keyLength: 16, signed: true },
  { id: 0x0346, keyLength: 24, signed: true },
  { id: 0x0378, keyLength: 32, signed: true },
  { id: 0x0478, keyLength: 32, signed: false },
  { id: 0x0578, keyLength: 32, signed: true },
];

/** A policy that lets this suite be written and read. */
export function policyFor(id) {
  return id >= 0x0400 ? 'REQUIRE_ENCRYPT_REQUIRE_DECRYPT' : 'FORBID_ENCRYPT_ALLOW_DECRYPT';
}

/** Whether an engine of this runtime has no cipher for a suite. */
export function lacksCipher({ lacks }, engine, { keyLength }) {
  if (keyLength !== 24) return false;
  return lacks.includes('aes-192') || (engine === 'native' && lacks.includes('native-aes-192'));
}
