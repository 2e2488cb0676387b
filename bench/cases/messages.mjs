// Whole messages in one shot: against the published SDK, which writes the same ones, against other libraries with formats
// of their own, and against bare native calls.
import { sizeText } from '../../dist/bench/index.js';
import { bareCalls } from '../adapters/bare-message.mjs';
import {
  callsOf,
  isSigned,
  KIB,
  MIB,
  nameOf,
  parametersOf,
  SUITES,
  timingFor,
  VERBS,
} from '../adapters/case-parts.mjs';
import { roundTrip, sample } from '../adapters/check.mjs';
import { nativeFrames } from '../adapters/native-frames.mjs';
import { loadPeers } from '../adapters/peers.mjs';
import { exchange, sameFormat } from '../adapters/same-format.mjs';

/** Against the published SDK. Signed messages of 64 MiB are in the group `signed`. */
const FULL = [
  ...each([16, KIB, 10 * KIB, MIB], [4096]),
  ...each([10 * KIB, MIB], [256]),
  ...each([MIB], [65_536, MIB]),
  ...each([16 * MIB], [4096, 65_536], [0x0478]),
  ...each([64 * MIB], [4096, 65_536, MIB], [0x0478]),
];
const QUICK = [...each([KIB], [4096]), ...each([16 * MIB], [4096, 65_536], [0x0478])];

/** Quick: fewer lengths, 16 MiB for 64 MiB, and other formats with 1 KiB alone. @throws Error where the libraries are not installed */
export async function cases({ quick }) {
  const others = await loadPeers('jose', 'libsodium', 'age', 'openpgp', 'noble');
  await loadPeers('client-node');
  const list = quick ? QUICK : FULL;
  const lengths = quick ? [] : [MIB, 64 * MIB];
  return [
    ...list.flatMap((shape) => VERBS.map((verb) => sameMessage({ ...shape, verb }, others, quick))),
    ...lengths.flatMap((bytes) => VERBS.map((verb) => otherFormats({ bytes, verb }, others, quick))),
  ];
}

function each(lengths, frameLengths, suites = SUITES) {
  const shapes = (bytes) =>
    frameLengths.flatMap((frameLength) => suites.map((suite) => ({ bytes, frameLength, suite })));
  return lengths.flatMap(shapes);
}

function sameMessage(shape, others, quick) {
  const prepare = async (plaintext) => {
    const libraries = sameFormat(shape);
    const message = await exchange(libraries, plaintext, shape);
    const rest = companions(shape, others);
    return {
      libraries: [...libraries, ...rest],
      messages: [message, message, ...(await written(rest, plaintext))],
    };
  };
  return oneCase({ ...shape, name: `${nameOf(shape)}, peers` }, quick, prepare);
}

// Who stands beside the two, where that says something: all of them for 1 KiB, and native calls for the rest.
function companions({ suite, bytes, frameLength }, others) {
  if (bytes <= KIB) return [bareCalls(isSigned(suite)), ...(bytes === KIB && !isSigned(suite) ? others : [])];
  return bytes < MIB || isSigned(suite) ? [] : nativeFrames(bytes, frameLength);
}

// Each in frames as its format has them; without the published SDK, because some of these take seconds.
function otherFormats({ bytes, verb }, others, quick) {
  const [frameseal] = sameFormat({ suite: 0x0478, frameLength: 65_536 });
  const libraries = [frameseal, ...others];
  const prepare = async (plaintext) => ({ libraries, messages: await written(libraries, plaintext) });
  const name = `${verb} ${sizeText(bytes)}, other formats`;
  const one = oneCase({ bytes, verb, suite: 0x0478, name }, quick, prepare);
  return bytes > MIB ? { ...one, timing: { ...one.timing, rounds: 3, warmUp: 1 } } : one;
}

async function written(libraries, plaintext) {
  const messages = [];
  for (const library of libraries) messages.push(await roundTrip(library, plaintext));
  return messages;
}

function oneCase({ name, ...shape }, quick, verified) {
  const { verb, bytes } = shape;
  return {
    group: 'messages',
    name,
    parameters: parametersOf({ ...shape, streamed: 'one-shot' }),
    bytes,
    messages: 1,
    timing: timingFor(bytes, quick),
    async prepare() {
      const plaintext = sample(bytes);
      const { libraries, messages } = await verified(plaintext);
      return callsOf(verb, libraries, plaintext, messages);
    },
  };
}
