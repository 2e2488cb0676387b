/**
 * The keys of a message: HKDF-SHA512 (RFC 5869), 32 bytes of key and 32 of commitment from one data key, by this library
 * and by what the platform offers.
 */
import { concat, utf8 } from '../bytes.ts';
import type { HkdfOutput, MaybePromise } from '../crypto/crypto.ts';
import { defaultCrypto } from '../crypto/default-crypto.ts';
import { nodeBuiltinCrypto } from '../crypto/node-builtin.ts';
import type { BenchCase } from './bench-case.ts';
import { mustAgree, testBytes } from './inputs.ts';
import type { Candidates } from './rounds.ts';

type NodeCrypto = typeof import('node:crypto');

/** The derivation of suites 0x0478 and 0x0578: `kdf/derive-keys.ts`. */
const DATA_KEY = testBytes(32, 4);
const SALT = testBytes(32, 5);
const OUTPUTS: readonly HkdfOutput[] = [
  { info: concat(Uint8Array.of(0x04, 0x78), utf8('DERIVEKEY')!), length: 32 },
  { info: utf8('COMMITKEY')!, length: 32 },
];

/** One case. */
export function keyDerivationCases(): readonly BenchCase[] {
  return [
    {
      group: 'key-derivation',
      name: 'derive key and commitment, HKDF-SHA512',
      parameters: { verb: 'derive', suite: '0x0478' },
      prepare,
    },
  ];
}

type Derive = () => MaybePromise<readonly Uint8Array[]>;

async function prepare(): Promise<Candidates> {
  const node = nodeBuiltinCrypto();
  const ways: Record<string, Derive> = {
    frameseal: () => defaultCrypto().hkdf('SHA-512', DATA_KEY, SALT, OUTPUTS),
    ...(node?.createHmac && { 'node:crypto createHmac': () => byHmac(node) }),
    ...(node?.hkdfSync && { 'node:crypto hkdfSync': () => byHkdfSync(node) }),
    ...(globalThis.crypto?.subtle && { 'subtle HKDF': bySubtle }),
  };
  const expected = concat(...(await ways.frameseal!()));
  for (const [name, derive] of Object.entries(ways))
    mustAgree(name, concat(...(await derive())), 'frameseal', expected);
  return ways;
}

// One extract for both; an output of at most 64 bytes is one block.
function byHmac(node: NodeCrypto): readonly Uint8Array[] {
  const prk = node.createHmac('sha512', SALT).update(DATA_KEY).digest();
  return OUTPUTS.map(({ info, length }) =>
    node.createHmac('sha512', prk).update(info).update(Uint8Array.of(1)).digest().subarray(0, length),
  );
}

function byHkdfSync(node: NodeCrypto): readonly Uint8Array[] {
  return OUTPUTS.map(
    ({ info, length }) => new Uint8Array(node.hkdfSync('sha512', DATA_KEY, SALT, info, length)),
  );
}

async function bySubtle(): Promise<readonly Uint8Array[]> {
  const key = await crypto.subtle.importKey('raw', DATA_KEY, 'HKDF', false, ['deriveBits']);
  const derive = async ({ info, length }: HkdfOutput) => {
    const parameters = { name: 'HKDF', hash: 'SHA-512', salt: SALT, info: info as BufferSource };
    return new Uint8Array(await crypto.subtle.deriveBits(parameters, key, 8 * length));
  };
  return Promise.all(OUTPUTS.map(derive));
}
