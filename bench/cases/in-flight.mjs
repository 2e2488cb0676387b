// Small messages, many of them in flight at once, as a server has them: messages per second. The bare calls beside them
// sign and verify on the thread pool, even where only one is in flight.
import { bareCallsInPool } from '../adapters/bare-message.mjs';
import { isSigned, KIB, nameOf, parametersOf, SUITES, VERBS } from '../adapters/case-parts.mjs';
import { sameBytes, sample } from '../adapters/check.mjs';
import { loadPeers } from '../adapters/peers.mjs';
import { exchange, sameFormat } from '../adapters/same-format.mjs';

const BYTES = KIB;

/** Quick: 64 in flight. @throws Error where the published SDK is not installed */
export async function cases({ quick }) {
  await loadPeers('client-node');
  const shapes = (quick ? [64] : [1, 16, 64]).flatMap((inFlight) =>
    SUITES.map((suite) => ({ inFlight, suite, bytes: BYTES, frameLength: 4096 })),
  );
  return shapes.flatMap((shape) => VERBS.map((verb) => oneCase({ ...shape, verb }, quick)));
}

function oneCase(shape, quick) {
  const { verb, inFlight } = shape;
  return {
    group: 'in-flight',
    name: `${nameOf(shape)}, ${inFlight} in flight`,
    parameters: parametersOf({ ...shape, streamed: 'one-shot' }),
    bytes: inFlight * BYTES,
    messages: inFlight,
    timing: quick
      ? { rounds: 4, maxTime: 20, minSamples: 3, warmUp: 200 }
      : { rounds: 11, maxTime: 120, minSamples: 3, warmUp: 1000 },
    async prepare() {
      const libraries = sameFormat(shape);
      const plaintexts = Array.from({ length: inFlight }, (_, i) =>
        sample(BYTES + inFlight).subarray(i, i + BYTES),
      );
      const messages = await verified(libraries, plaintexts, shape);
      const bare = bareCallsInPool(isSigned(shape.suite));
      const its = await readBack(bare, [bare], plaintexts);
      return {
        ...Object.fromEntries(
          libraries.map((library) => [library.name, allOf(library, verb, plaintexts, messages)]),
        ),
        [bare.name]: allOf(bare, verb, plaintexts, its),
      };
    },
  };
}

// What each has written at once is opened by ours, and what ours has written by all. Answers the latter.
async function verified(libraries, plaintexts, shape) {
  const [ours, ...peers] = libraries;
  await exchange(libraries, plaintexts[0], shape);
  for (const peer of peers) await readBack(peer, [ours], plaintexts);
  return readBack(ours, libraries, plaintexts);
}

async function readBack(writer, readers, plaintexts) {
  const messages = await allOf(writer, 'encrypt', plaintexts)();
  for (const reader of readers) {
    const opened = await allOf(reader, 'decrypt', [], messages)();
    for (const [i, plaintext] of plaintexts.entries())
      sameBytes(opened[i], plaintext, `message ${i} of ${writer.name} read by ${reader.name}`);
  }
  return messages;
}

function allOf({ encrypt, decrypt }, verb, plaintexts, messages) {
  return verb === 'encrypt'
    ? () => Promise.all(plaintexts.map(encrypt))
    : () => Promise.all(messages.map(decrypt));
}
