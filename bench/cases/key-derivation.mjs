// What each message derives from its data key by HKDF-SHA512, the key and the commit key: by the kernel, by native calls
// and in JavaScript.
import { createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { loadKernel } from '../../dist/engine/wasm/kernel.js';
import { sameBytes } from '../adapters/check.mjs';
import { loadPeers } from '../adapters/peers.mjs';

const LENGTH = 32;
const dataKey = randomBytes(32);
const messageId = randomBytes(32);
const infos = [Buffer.from('\x04\x78DERIVEKEY'), Buffer.from('COMMITKEY')];
const outputs = infos.map((info) => ({ info, length: LENGTH }));
const one = Buffer.from([1]);

/** @throws Error where the libraries are not installed */
export async function cases({ quick }) {
  const [{ hkdf, sha512 }] = await loadPeers('noble');
  return [
    {
      group: 'key-derivation',
      name: 'derive key and commitment, HKDF-SHA512, by the kernel and JavaScript',
      parameters: { verb: 'derive', suite: '0x0478', engine: 'wasm' },
      timing: quick
        ? { rounds: 7, maxTime: 12, minSamples: 5, warmUp: 150 }
        : { rounds: 25, maxTime: 40, minSamples: 10, warmUp: 1000 },
      prepare: async () => verified(candidates(hkdf, sha512)),
    },
  ];
}

function candidates(hkdf, sha512) {
  const kernel = loadKernel();
  return {
    frameseal: () => kernel.hkdf('SHA-512', dataKey, messageId, outputs),
    'node:crypto createHmac': byHmac,
    'node:crypto hkdfSync': () =>
      infos.map((info) => Buffer.from(hkdfSync('sha512', dataKey, messageId, info, LENGTH))),
    '@noble/hashes': () => infos.map((info) => hkdf(sha512, dataKey, messageId, info, LENGTH)),
  };
}

function byHmac() {
  const hmac = (key, ...parts) => {
    const mac = createHmac('sha512', key);
    for (const part of parts) mac.update(part);
    return mac.digest();
  };
  const pseudorandom = hmac(messageId, dataKey);
  return infos.map((info) => hmac(pseudorandom, info, one).subarray(0, LENGTH));
}

function verified(runs) {
  const expected = Buffer.concat(runs.frameseal());
  for (const [name, run] of Object.entries(runs))
    sameBytes(Buffer.concat(run()), expected, `keys by ${name}`);
  return runs;
}
