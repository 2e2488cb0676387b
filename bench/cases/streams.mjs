// Long messages through streams, fed in pieces of 64 KiB from memory: against the published SDK's, and against the streams
// of other libraries.
import { sizeText } from '../../dist/bench/index.js';
import { MIB, nameOf, parametersOf, SUITES, timingFor, VERBS } from '../adapters/case-parts.mjs';
import { roundTrip, sample } from '../adapters/check.mjs';
import { loadPeers } from '../adapters/peers.mjs';
import { exchange, sameFormat } from '../adapters/same-format.mjs';

/** Quick: 16 or 4 MiB for 64 MiB, and fewer lengths of frames. @throws Error where the libraries are not installed */
export async function cases({ quick }) {
  const others = await loadPeers('libsodium', 'encrypt-web-streams', 'age', 'openpgp');
  await loadPeers('client-node');
  const bytes = (quick ? 16 : 64) * MIB;
  const shapes = (quick ? [65_536] : [4096, 65_536, MIB]).flatMap((frameLength) =>
    SUITES.map((suite) => ({ bytes, frameLength, suite })),
  );
  return [
    ...shapes.flatMap((shape) => VERBS.map((verb) => sameMessage({ ...shape, verb }, quick))),
    ...VERBS.map((verb) => otherFormats(verb, others, quick)),
  ];
}

function sameMessage(shape, quick) {
  return oneCase({ ...shape, name: `${nameOf(shape)}, peers` }, quick, async (plaintext) => {
    const libraries = sameFormat(shape);
    const message = await exchange(libraries.map(asWhole), plaintext, shape);
    return { libraries, messages: [message, message] };
  });
}

// Each in frames as its format has them. Some of these take seconds: quick, 4 MiB.
function otherFormats(verb, others, quick) {
  const bytes = (quick ? 4 : 64) * MIB;
  const [frameseal] = sameFormat({ suite: 0x0478, frameLength: 65_536 });
  const libraries = [frameseal, ...others];
  const name = `${verb} ${sizeText(bytes)}, other formats`;
  const one = oneCase({ bytes, verb, suite: 0x0478, name }, quick, async (plaintext) => {
    const messages = [];
    for (const library of libraries) messages.push(await roundTrip(asWhole(library), plaintext));
    return { libraries, messages };
  });
  return { ...one, timing: { ...one.timing, rounds: quick ? 3 : 5 } };
}

function oneCase({ name, ...shape }, quick, verified) {
  const { verb, bytes } = shape;
  return {
    group: 'streams',
    name,
    parameters: parametersOf({ ...shape, streamed: 'streamed' }),
    bytes,
    timing: timingFor(bytes, quick),
    async prepare() {
      const plaintext = sample(bytes);
      const { libraries, messages } = await verified(plaintext);
      const run = ({ encryptStream, decryptStream }, message) =>
        verb === 'encrypt' ? () => drained(encryptStream, plaintext) : () => drained(decryptStream, message);
      return Object.fromEntries(libraries.map((library, i) => [library.name, run(library, messages[i])]));
    },
  };
}

// A library's streams as calls that answer all bytes.
function asWhole({ name, encryptStream, decryptStream }) {
  const whole = async (run, bytes) => {
    const parts = [];
    await run(bytes, (part) => parts.push(part));
    return Buffer.concat(parts);
  };
  return {
    name,
    encrypt: (plaintext) => whole(encryptStream, plaintext),
    decrypt: (message) => whole(decryptStream, message),
  };
}

async function drained(run, bytes) {
  let length = 0;
  await run(bytes, (part) => {
    length += part.length;
  });
  return length;
}
