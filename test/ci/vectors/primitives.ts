/**
 * Wycheproof and NIST CAVP against the primitives of the provider.
 */
import type { DeclareSet } from '../../support/vectors-tally.ts';
import { aesGcm } from './primitives-aes-gcm.ts';
import { ecdsa } from './primitives-ecdsa.ts';
import { hkdf } from './primitives-hkdf.ts';
import { rsa } from './primitives-rsa.ts';
import { wycheproof } from './wycheproof.ts';

const NO_ECDH = 'ECDH: this version uses none';

/** The sets of primitives. */
export function primitives(vectorSet: DeclareSet, provider: string): void {
  aesGcm(vectorSet);
  hkdf(vectorSet);
  ecdsa(vectorSet);
  rsa(vectorSet, provider);
  const ecdh = [
    ['ecdh_secp256r1_ecpoint_test', 355],
    ['ecdh_secp384r1_ecpoint_test', 790],
  ] as const;
  for (const [file, count] of ecdh) {
    vectorSet(`wycheproof/${file}`, count, (tally) => wycheproof(file, () => tally.notApplicable(NO_ECDH)));
  }
}
