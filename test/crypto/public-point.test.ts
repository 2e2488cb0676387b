/**
 * The public key of a message's signatures as OpenSSL exports it, which goes by Node's version: the same point either way,
 * and nothing is left of the private key in what was exported.
 */
import * as real from 'node:crypto';
import { expect, it, vi } from 'vitest';
import { createNodeCrypto } from '../../src/crypto/node-crypto.ts';
import { platformRandom } from '../../src/crypto/random.ts';
import { type SignatureAlgorithm, suiteById } from '../../src/suite/algorithm-suites.ts';

const node = vi.hoisted(() => ({ major: 20 }));

vi.mock('../../src/crypto/node-builtin.ts', async (original) => ({
  ...(await original<typeof import('../../src/crypto/node-builtin.ts')>()),
  nodeMajorVersion: () => node.major,
}));

const ALGORITHMS: Record<string, SignatureAlgorithm> = {
  'P-256': suiteById(0x0214)!.signature!,
  'P-384': suiteById(0x0578)!.signature!,
};

type Export = (options: { type: string }) => Buffer;
type Pair = real.KeyPairKeyObjectResult;

/**
 * The platform, the points of its key pairs, and the buffers that these are exported into.
 * @param altered what an export answers in place of the platform's.
 */
function watched(altered: (type: string, der: Buffer) => Buffer = (_, der) => der) {
  const exported: { type: string; der: Buffer }[] = [];
  const points: string[] = [];
  const watch = (key: real.KeyObject) => {
    const original = key.export.bind(key) as unknown as Export;
    const watching: Export = (options) => {
      const der = altered(options.type, original(options));
      exported.push({ type: options.type, der });
      return der;
    };
    Object.assign(key, { export: watching });
  };
  const keep = ({ publicKey, privateKey }: Pair): Pair => {
    points.push(compressedPoint(publicKey));
    for (const key of [publicKey, privateKey]) watch(key);
    return { publicKey, privateKey };
  };
  const platform = {
    ...real,
    generateKeyPairSync: (type: 'ec', options: real.ECKeyPairKeyObjectOptions) =>
      keep(real.generateKeyPairSync(type, options)),
    generateKeyPair: (
      type: 'ec',
      options: real.ECKeyPairKeyObjectOptions,
      done: (error: Error | null, publicKey: real.KeyObject, privateKey: real.KeyObject) => void,
    ) =>
      real.generateKeyPair(type, options, (error, publicKey, privateKey) => {
        const pair = keep({ publicKey, privateKey });
        done(error, pair.publicKey, pair.privateKey);
      }),
  };
  return { exported, points, crypto: createNodeCrypto(platform as never) };
}

// By OpenSSL's own conversion.
function compressedPoint(publicKey: real.KeyObject): string {
  const der = publicKey.export({ format: 'der', type: 'spki' });
  const curve = publicKey.asymmetricKeyDetails!.namedCurve!;
  const point = der.subarray(curve === 'secp384r1' ? -97 : -65);
  return real.ECDH.convertKey(point, curve, undefined, 'hex', 'compressed') as string;
}

it.each([
  [20, 'P-256', 'sec1'],
  [20, 'P-384', 'sec1'],
  [22, 'P-256', 'spki'],
  [22, 'P-384', 'spki'],
  [26, 'P-384', 'spki'],
])('Node %d, %s: the point, from %s, which is wiped afterwards', async (major, curve, type) => {
  node.major = major;
  const { exported, points, crypto } = watched();
  const generate = () => crypto.generateSigningKey(ALGORITHMS[curve]!, platformRandom);
  const keys = [];
  for (let i = 0; i < 40; i++) keys.push(await generate());
  keys.push(...(await Promise.all(Array.from({ length: 10 }, generate)))); // by the thread pool
  const found = keys.map(({ publicKey }) => Buffer.from(publicKey).toString('hex'));
  expect(found.sort()).toEqual([...points].sort());
  expect(exported.map((one) => one.type)).toEqual(keys.map(() => type));
  for (const { der } of exported) expect(der.every((byte) => byte === 0)).toBe(true);
});

it('comes from the public key where the private one is exported without it', async () => {
  node.major = 20;
  const { exported, points, crypto } = watched((type, der) => (type === 'sec1' ? Buffer.alloc(64, 7) : der));
  const { publicKey } = await crypto.generateSigningKey(ALGORITHMS['P-384']!, platformRandom);
  expect(points).toEqual([Buffer.from(publicKey).toString('hex')]);
  expect(exported.map(({ type }) => type)).toEqual(['sec1', 'spki']);
  for (const { der } of exported) expect(der.every((byte) => byte === 0)).toBe(true);
});

it('is refused where nothing has it', async () => {
  const { crypto } = watched(() => Buffer.alloc(120, 7));
  await expect(crypto.generateSigningKey(ALGORITHMS['P-384']!, platformRandom)).rejects.toThrow(
    'uncompressed point',
  );
});
