/**
 * ECDSA verification: DER signatures as footers hold them, and r || s as the platforms take them.
 */
import { defaultCrypto } from '../../../src/crypto/default-crypto.ts';
import { compressPoint } from '../../../src/crypto/ec-point.ts';
import { encodedSignatureIsGood } from '../../../src/kdf/signature.ts';
import { type SignatureAlgorithm, suiteById } from '../../../src/suite/algorithm-suites.ts';
import { fromHex } from '../../support/vectors.ts';
import type { DeclareSet } from '../../support/vectors-tally.ts';
import { wycheproof } from './wycheproof.ts';

interface Group {
  readonly publicKey: { readonly uncompressed: string };
}

interface Known {
  readonly msg: string;
  readonly sig: string;
}

const P256: SignatureAlgorithm = suiteById(0x0214)!.signature!;
const P384: SignatureAlgorithm = suiteById(0x0378)!.signature!;
const FILES = [
  ['ecdsa_secp256r1_sha256_test', 484, P256, 'der'],
  ['ecdsa_secp256r1_sha256_p1363_test', 262, P256, 'p1363'],
  ['ecdsa_secp384r1_sha384_test', 504, P384, 'der'],
  ['ecdsa_secp384r1_sha384_p1363_test', 280, P384, 'p1363'],
] as const;

/** Wycheproof's four files. */
export function ecdsa(vectorSet: DeclareSet): void {
  for (const [file, count, algorithm, form] of FILES) {
    vectorSet(`wycheproof/${file}`, count, (tally) =>
      wycheproof<Group, Known>(file, (group, test, name) =>
        tally.check(name, async () => {
          const key = compressed(algorithm, fromHex(group.publicKey.uncompressed));
          const [message, signature] = [fromHex(test.msg), fromHex(test.sig)];
          const crypto = defaultCrypto();
          const good =
            form === 'der'
              ? await encodedSignatureIsGood(algorithm, signature, (rs) =>
                  crypto.verify(algorithm, key, message, rs),
                )
              : await crypto.verify(algorithm, key, message, signature);
          if (good !== (test.result === 'valid')) throw new Error(`expected ${test.result}, got ${good}`);
        }),
      ),
    );
  }
}

function compressed({ scalarLength }: SignatureAlgorithm, point: Uint8Array): Uint8Array {
  return compressPoint(point.subarray(1, 1 + scalarLength), point.subarray(1 + scalarLength));
}
