/** Version 1 and 2, each without and with a signature. */
export const V1 = ['0178', '0378'];
export const V2 = ['0478', '0578'];
export const ALL = [...V1, ...V2];
export const UNSIGNED = ['0178', '0478'];
export const SIGNED = ['0378', '0578'];

/** One fault: how a sound message of each suite is changed, and the code it must give. */
export function fault(name, code, suites, spec, more = {}) {
  return { name, code, suites, spec, ...more };
}

/** The bytes with one bit changed. */
export function flip(bytes, at, bit = 0) {
  const changed = Buffer.from(bytes);
  changed[at] ^= 1 << bit;
  return changed;
}
