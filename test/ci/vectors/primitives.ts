/**
 * Wycheproof and NIST CAVP against the primitives of the provider.
 */
import type { Crypto } from '../../../src/crypto/crypto.ts';
import { nativeCrypto } from '../../../src/crypto/default-crypto.ts';
import { withKernel } from '../../../src/crypto/kernel-crypto.ts';
import { loadKernel } from '../../../src/engine/wasm/kernel.ts';
import type { DeclareSet } from '../../support/vectors-tally.ts';
import { aesGcm } from './primitives-aes-gcm.ts';
import { ecdsa } from './primitives-ecdsa.ts';
import { hkdf } from './primitives-hkdf.ts';
import { rsa } from './primitives-rsa.ts';
import { wycheproof } from './wycheproof.ts';

const NO_ECDH = 'ECDH: this version uses none';

/** The sets of primitives. */
export function primitives(vectorSet: DeclareSet, provider: string): void {
  aesGcm(vectorSet, nativeCrypto());
  hkdf(vectorSet, nativeCrypto());
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

/** The sets of what the kernel computes, by the kernel whatever their length. */
export function kernelPrimitives(vectorSet: DeclareSet): void {
  const kernel = loadKernel()!;
  const native = nativeCrypto();
  const crypto: Crypto = {
    ...native,
    aesGcmSeal: (key, iv, aad, plaintext) => kernel.gcmSeal(key as Uint8Array, iv, aad, plaintext),
    aesGcmOpen: (key, iv, aad, sealed) => kernel.gcmOpen(key as Uint8Array, iv, aad, sealed),
  };
  aesGcm(vectorSet, crypto);
  hkdf(vectorSet, withKernel(native, kernel));
}
