// Memory of long streams: GiBs through encryptStream and decryptStream in one process, and a consumer a hundred times
// slower than the producer. Fails when resident memory grows by more than 32 MiB and eight frames after the warm-up.
//
//   --mebibytes N   through the fast pipe (default 4096)
//   --slow N        through the slow one (default 256)

import { createHash } from 'node:crypto';
import { parseArgs } from 'node:util';
import { decryptStream, encryptStream, rawAesKeyring } from '../../dist/index.js';

const MIB = 2 ** 20;
const CHUNK = 65_536;
const WARM_UP = 64 * MIB;
const { values } = parseArgs({
  options: { mebibytes: { type: 'string', default: '4096' }, slow: { type: 'string', default: '256' } },
});
const keyring = rawAesKeyring({
  keyNamespace: 'test',
  keyName: 'memory',
  wrappingKey: crypto.getRandomValues(new Uint8Array(32)),
});
let passed = 0;
let failed = 0;

// What is loaded and compiled once is no growth: a whole message of each kind comes first.
for (const algorithmSuite of [0x0478, 0x0578]) {
  for await (const _ of pipeOf(
    { keyring, frameLength: MIB, algorithmSuite },
    16 * MIB,
    createHash('sha256'),
  ));
}

for (const frameLength of [4096, MIB]) {
  for (const algorithmSuite of [0x0478, 0x0578]) {
    const options = { keyring, frameLength, algorithmSuite };
    await measure('fast', options, Number(values.mebibytes) * MIB, 0);
  }
}
await measure(
  'slow consumer',
  { keyring, frameLength: 4096, algorithmSuite: 0x0478 },
  Number(values.slow) * MIB,
  100,
);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;

async function measure(name, options, length, slower) {
  const written = createHash('sha256');
  const read = createHash('sha256');
  const started = performance.now();
  const resident = { start: 0, most: 0 };
  const pipe = pipeOf(options, length, written);
  let bytes = 0;
  let busy = performance.now();
  for await (const piece of pipe) {
    read.update(piece);
    bytes += piece.length;
    const rss = process.memoryUsage.rss();
    if (bytes < Math.min(WARM_UP, length / 4)) resident.start = Math.max(resident.start, rss);
    resident.most = Math.max(resident.most, rss);
    if (slower > 0) await new Promise((done) => setTimeout(done, (performance.now() - busy) * slower));
    busy = performance.now();
  }
  const growth = (resident.most - resident.start) / MIB;
  const limit = 32 + (8 * options.frameLength) / MIB;
  const same = bytes === length && written.digest('hex') === read.digest('hex');
  const seconds = (performance.now() - started) / 1000;
  const good = same && growth <= limit;
  if (good) passed++;
  else failed++;
  console.log(
    `${good ? 'ok' : 'FAILED'}: ${name}, ${length / MIB} MiB, suite 0x0${options.algorithmSuite.toString(16)}, frames of ${options.frameLength}: ` +
      `${same ? 'same bytes' : 'OTHER BYTES'}, ${growth.toFixed(1)} MiB more after warm-up (limit ${limit}), ` +
      `${(resident.most / MIB).toFixed(0)} MiB at most, ${(length / seconds / 1e6).toFixed(0)} MB/s`,
  );
}

function pipeOf(options, length, hash) {
  return source(length, hash).pipeThrough(encryptStream(options)).pipeThrough(decryptStream(options));
}

// Chunks that the producer uses again as soon as they are taken.
function source(length, hash) {
  const chunk = new Uint8Array(CHUNK);
  let at = 0;
  return new ReadableStream(
    {
      pull(controller) {
        if (at >= length) return controller.close();
        const part = chunk.slice(0, Math.min(CHUNK, length - at));
        new DataView(part.buffer).setUint32(0, at / CHUNK);
        at += part.length;
        hash.update(part);
        controller.enqueue(part);
      },
    },
    { highWaterMark: 0 },
  );
}
