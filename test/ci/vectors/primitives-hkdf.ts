/**
 * HKDF with SHA-256, SHA-384 and SHA-512.
 */
import type { Crypto } from '../../../src/crypto/crypto.ts';
import type { HashName } from '../../../src/suite/algorithm-suites.ts';
import { fromHex } from '../../support/vectors.ts';
import { type DeclareSet, sameBytes } from '../../support/vectors-tally.ts';
import { wycheproof } from './wycheproof.ts';

interface Known {
  readonly ikm: string;
  readonly salt: string;
  readonly info: string;
  readonly size: number;
  readonly okm: string;
}

const FILES = [
  ['hkdf_sha256_test', 86, 'SHA-256'],
  ['hkdf_sha384_test', 83, 'SHA-384'],
  ['hkdf_sha512_test', 83, 'SHA-512'],
] as const;
const TOO_LONG = 'with outputs above 255 hash lengths; messages derive at most 32 bytes';

/** Wycheproof's three files. */
export function hkdf(vectorSet: DeclareSet, crypto: Crypto): void {
  for (const [file, count, hash] of FILES) {
    vectorSet(`wycheproof/${file}`, count, (tally) =>
      wycheproof<object, Known>(file, async (_, test, name) => {
        if (test.result === 'valid') await tally.check(name, () => derives(crypto, hash, test));
        else tally.notApplicable(TOO_LONG);
      }),
    );
  }
}

// Alone, and as the second of two outputs of one extract.
async function derives(crypto: Crypto, hash: HashName, { ikm, salt, info, size, okm }: Known): Promise<void> {
  const asked = { info: fromHex(info), length: size };
  const other = { info: Uint8Array.of(1), length: 16 };
  const [alone] = await crypto.hkdf(hash, fromHex(ikm), fromHex(salt), [asked]);
  sameBytes(alone, fromHex(okm), 'output');
  const [, second] = await crypto.hkdf(hash, fromHex(ikm), fromHex(salt), [other, asked]);
  sameBytes(second, fromHex(okm), 'second output');
}
