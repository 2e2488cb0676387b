// Long signed messages: against the published SDK, and against SHA-384 alone, which every byte of them must pass.
import { createHash, webcrypto } from 'node:crypto';
import { callsOf, MIB, nameOf, parametersOf, timingFor, VERBS } from '../adapters/case-parts.mjs';
import { sameBytes, sample } from '../adapters/check.mjs';
import { loadPeers } from '../adapters/peers.mjs';
import { exchange, sameFormat } from '../adapters/same-format.mjs';

/** Quick: 16 MiB for 64 MiB, one length of frames. @throws Error where the published SDK is not installed */
export async function cases({ quick }) {
  await loadPeers('client-node');
  const bytes = (quick ? 16 : 64) * MIB;
  const frameLengths = quick ? [65_536] : [4096, 65_536];
  return frameLengths.flatMap((frameLength) =>
    VERBS.map((verb) => oneCase({ verb, bytes, frameLength, suite: 0x0578 }, quick)),
  );
}

function oneCase(shape, quick) {
  const { verb, bytes } = shape;
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
      const calls = callsOf(verb, libraries, plaintext, [message, message]);
      return { ...calls, 'native SHA-384': () => sha384(plaintext) };
    },
  };
}

function sha384(bytes) {
  return createHash('sha384').update(bytes).digest();
}

async function checkHash(bytes) {
  const other = new Uint8Array(await webcrypto.subtle.digest('SHA-384', bytes));
  sameBytes(sha384(bytes), other, 'SHA-384 by node:crypto and by WebCrypto');
}
