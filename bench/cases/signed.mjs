// Long signed messages: against the published SDK, and against SHA-384 alone, which every byte of them must pass; beside
// bare calls of both kinds, one AES-GCM for each frame and the hash of them all.
import { createHash, webcrypto } from 'node:crypto';
import { callsOf, MIB, nameOf, parametersOf, timingFor, VERBS } from '../adapters/case-parts.mjs';
import { roundTrip, sameBytes, sample } from '../adapters/check.mjs';
import { nativeFrames } from '../adapters/native-frames.mjs';
import { loadPeers } from '../adapters/peers.mjs';
import { exchange, sameFormat } from '../adapters/same-format.mjs';

/** Quick: 16 MiB for 64 MiB, one length of frames. @throws Error where the published SDK is not installed */
export async function cases({ quick }) {
  await loadPeers('client-node');
  const short = [{ bytes: 16 * MIB, frameLength: 65_536 }];
  const long = [4096, 65_536].map((frameLength) => ({ bytes: 64 * MIB, frameLength }));
  return (quick ? short : [...short, ...long]).flatMap((shape) =>
    VERBS.map((verb) => oneCase({ ...shape, verb, suite: 0x0578 }, quick)),
  );
}

function oneCase(shape, quick) {
  const { verb, bytes, frameLength } = shape;
  return {
    group: 'signed',
    name: nameOf(shape),
    parameters: parametersOf({ ...shape, streamed: 'one-shot' }),
    bytes,
    timing: timingFor(bytes, quick),
    async prepare() {
      const plaintext = sample(bytes);
      const libraries = sameFormat(shape);
      const message = await exchange(libraries, plaintext, shape);
      await checkHash(plaintext);
      const bare = hashed(nativeFrames(bytes, frameLength)[0]);
      const messages = [message, message, await roundTrip(bare, plaintext)];
      const calls = callsOf(verb, [...libraries, bare], plaintext, messages);
      return { ...calls, 'native SHA-384': () => sha384(plaintext) };
    },
  };
}

// Neither signs: that would take a millisecond more, a twentieth of the time for 16 MiB and a hundredth for 64.
function hashed({ encrypt, decrypt, check }) {
  return {
    name: 'bare node:crypto calls',
    encrypt: async (plaintext) => {
      const frames = await encrypt(plaintext);
      sha384(frames);
      return frames;
    },
    decrypt: async (frames) => {
      sha384(frames);
      return decrypt(frames);
    },
    check,
  };
}

function sha384(bytes) {
  return createHash('sha384').update(bytes).digest();
}

async function checkHash(bytes) {
  const other = new Uint8Array(await webcrypto.subtle.digest('SHA-384', bytes));
  sameBytes(sha384(bytes), other, 'SHA-384 by node:crypto and by WebCrypto');
}
