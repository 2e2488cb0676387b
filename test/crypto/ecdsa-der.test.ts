/**
 * ECDSA signatures as DER and as r || s: against the platform's own conversion, and of lengths that are none.
 */
import { generateKeyPairSync, sign, verify } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { concat } from '../../src/bytes.ts';
import { decodeDer, encodeDer } from '../../src/crypto/ecdsa-der.ts';
import { createNodeCrypto } from '../../src/crypto/node-crypto.ts';
import { platformRandom } from '../../src/crypto/random.ts';
import { createWebCrypto } from '../../src/crypto/webcrypto.ts';
import { suiteById } from '../../src/suite/algorithm-suites.ts';
import { bytes } from '../support/messages.ts';

const algorithms = [0x0214, 0x0578].map((id) => suiteById(id)!.signature!);
const providers = [createNodeCrypto(await import('node:crypto')), createWebCrypto()];

describe.each(algorithms)('$curve', (algorithm) => {
  const { scalarLength, curve } = algorithm;

  it('reads and writes the DER of the platform', () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: curve });
    for (let i = 0; i < 50; i++) {
      const der = new Uint8Array(sign('sha256', bytes(i), privateKey));
      const rs = decodeDer(der, scalarLength)!;
      expect(rs).toHaveLength(2 * scalarLength);
      expect(encodeDer(rs)).toEqual(der);
      expect(verify('sha256', bytes(i), { key: publicKey, dsaEncoding: 'ieee-p1363' }, rs)).toBe(true);
    }
  });

  it('an integer has bytes', () => {
    expect(decodeDer(Uint8Array.of(0x30, 5, 2, 0, 2, 1, 1), scalarLength)).toBeUndefined();
  });

  it('keeps leading zeros in r || s, and none in DER', () => {
    const rs = new Uint8Array(2 * scalarLength);
    rs[scalarLength - 1] = 0x80;
    rs[2 * scalarLength - 1] = 1;
    const der = Uint8Array.of(0x30, 7, 2, 2, 0, 0x80, 2, 1, 1);
    expect(encodeDer(rs)).toEqual(der);
    expect(decodeDer(der, scalarLength)).toEqual(rs);
  });

  it.each(providers)('$name: a signature of another length than r || s verifies nothing', async (crypto) => {
    const key = await crypto.generateSigningKey(algorithm, platformRandom, { inPieces: true });
    const message = bytes(100);
    const rs = await key.sign(message);
    const good = async (signature: Uint8Array) => {
      const verifier = await crypto.verifier(algorithm, key.publicKey);
      verifier.update(message);
      return [
        await crypto.verify(algorithm, key.publicKey, message, signature),
        await verifier.verify(signature),
      ];
    };
    expect(await good(rs)).toEqual([true, true]);
    const zero = new Uint8Array(1);
    const r = concat(zero, rs.subarray(0, scalarLength));
    const padded = concat(r, zero, rs.subarray(scalarLength)); // the same two numbers
    for (const other of [new Uint8Array(0), zero, rs.subarray(1), concat(rs, zero), padded, encodeDer(rs)])
      expect(await good(other)).toEqual([false, false]);
  });
});
