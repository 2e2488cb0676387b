/**
 * The public key of a message's signatures as OpenSSL exports it, which goes by Node's version: the same point either way,
 * and nothing is left of the private key in what was exported.
 */
import * as real from 'node:crypto';
import { expect, it, vi } from 'vitest';
import { createNodeCrypto } from '../../src/crypto/node-crypto.ts';
import { platformRandom } from '../../src/crypto/random.ts';
import { suiteById } from '../../src/suite/algorithm-suites.ts';

const node = vi.hoisted(() => ({ major: 20 }));

vi.mock('../../src/crypto/node-builtin.ts', async (original) => ({
  ...(await original<typeof import('../../src/crypto/node-builtin.ts')>()),
  nodeMajorVersion: () => node.major,
}));

const p256 = suiteById(0x0214)!.signature!;
const p384 = suiteById(0x0578)!.signature!;

/** The platform, whose key pairs are kept together with the buffers that they were exported into. */
function watched() {
  const exported: [type: string, der: Buffer][] = [];
  const pairs: real.KeyPairKeyObjectResult[] = [];
  const watch = (key: real.KeyObject) => {
    const original = key.export.bind(key);
    const watching = (options: real.KeyExportOptions<'der'>) => {
      const der = original(options as never) as unknown as Buffer;
      exported.push([options.type, der]);
      return der;
    };
    return Object.assign(key, { export: watching });
  };
  const generateKeyPairSync = (type: 'ec', options: real.ECKeyPairKeyObjectOptions) => {
    const pair = real.generateKeyPairSync(type, options);
    pairs.push(pair);
    watch(pair.publicKey);
    watch(pair.privateKey);
    return pair;
  };
  return { exported, pairs, crypto: createNodeCrypto({ ...real, generateKeyPairSync } as never) };
}

it.each([
  [20, 'sec1', p256],
  [20, 'sec1', p384],
  [22, 'spki', p256],
  [22, 'spki', p384],
  [26, 'spki', p384],
] as const)('Node %d: the point of %s ($2.curve), wiped afterwards', async (major, type, algorithm) => {
  node.major = major;
  const { exported, pairs, crypto } = watched();
  for (let i = 0; i < 40; i++) {
    const { publicKey } = await crypto.generateSigningKey(algorithm, platformRandom);
    const { x, y } = real.createPublicKey(pairs[i]!.privateKey).export({ format: 'jwk' });
    const odd = Buffer.from(y!, 'base64url').at(-1)! & 1;
    expect(Buffer.from(publicKey).toString('hex')).toBe(
      `0${2 + odd}${Buffer.from(x!, 'base64url').toString('hex')}`,
    );
    expect(publicKey.length).toBe(algorithm.scalarLength + 1);
  }
  expect(exported.map(([kind]) => kind)).toEqual(Array.from({ length: 40 }, () => type));
  for (const [, der] of exported) expect(der.every((byte) => byte === 0)).toBe(true);
});
