// Many streams: thousands aborted or broken at every stage, which must leave no handle, timer, listener or rejection
// behind; then many at once, mixed, of which each must be right.
//
//   --aborts N   streams that end early (default 10000)
//   --at-once N  streams at the same time (default 2000)
//   --seed N     of the choices; printed

import { createHash } from 'node:crypto';
import { getEventListeners } from 'node:events';
import { parseArgs } from 'node:util';
import { decrypt, decryptStream, encrypt, encryptStream, rawAesKeyring, warmUp } from '../../dist/index.js';

const { values } = parseArgs({
  options: {
    aborts: { type: 'string', default: '10000' },
    'at-once': { type: 'string', default: '2000' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
  },
});
const draw = random(Number(values.seed));
console.log(`seed ${values.seed}`);
const wrappingKey = crypto.getRandomValues(new Uint8Array(32));
const quick = rawAesKeyring({ keyNamespace: 'test', keyName: 'many', wrappingKey });
// Answers late, or never: what hangs must be left behind.
const slow = {
  onEncrypt: async (...call) => {
    await later(draw(3) === 0 ? 5 : 0);
    return quick.onEncrypt(...call);
  },
  onDecrypt: (materials, edks, { signal }) =>
    draw(4) === 0
      ? new Promise((_, reject) =>
          signal?.addEventListener('abort', () => reject(signal.reason), { once: true }),
        )
      : quick.onDecrypt(materials, edks, { signal }),
};
const ENGINES = ['auto', 'native', 'wasm', 'hybrid'];
const SUITES = [0x0578, 0x0478];
let rejections = 0;
process.on('unhandledRejection', (reason) => {
  rejections++;
  console.log('unhandled:', reason);
});
await warmUp();
const messages = await Promise.all(
  SUITES.map((algorithmSuite) =>
    encrypt(new Uint8Array(100_000), { keyring: quick, algorithmSuite, frameLength: 1000 }),
  ),
);
const results = [await abortMany(Number(values.aborts)), await runAtOnce(Number(values['at-once']))];
const failed = results.filter((good) => !good).length;
console.log(`${results.length - failed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;

async function abortMany(count) {
  const kinds = {};
  const signal = new AbortController().signal; // one caller's signal for all of them, never aborted
  const before = handles();
  const settled = [];
  let slowest = 0;
  for (let i = 0; i < count; i += 50) {
    const batch = Array.from({ length: Math.min(50, count - i) }, () => abortOne(kinds, signal));
    for (const milliseconds of await Promise.all(batch)) slowest = Math.max(slowest, milliseconds);
    settled.push(batch.length);
  }
  await later(50);
  const left = handles() - before;
  const listeners = getEventListeners(signal, 'abort').length;
  const right = await messagesStillOpen();
  const good = left <= 0 && listeners === 0 && rejections === 0 && right;
  console.log(
    `${good ? 'ok' : 'FAILED'}: ${count} streams ended early (${JSON.stringify(kinds)}): ${left} handles, ${listeners} listeners, ` +
      `${rejections} unhandled rejections left; settled within ${slowest.toFixed(0)} ms; later messages ${right ? 'right' : 'WRONG'}`,
  );
  return good;
}

// One stream that ends early, in one of all the ways there are. Answers how long it took to settle after that.
async function abortOne(kinds, signal) {
  const own = new AbortController();
  const algorithmSuite = SUITES[draw(2)];
  const frameLength = [16, 1000, 4096][draw(3)];
  const common = { keyring: slow, engine: ENGINES[draw(4)], signal: draw(2) === 0 ? signal : own.signal };
  const encrypts = draw(2) === 0;
  const stream = encrypts
    ? encryptStream({ ...common, algorithmSuite, frameLength })
    : decryptStream({ ...common, signedStreams: draw(2) === 0 ? 'hold-all' : 'hold-final-frame' });
  const writer = stream.writable.getWriter();
  const reader = stream.readable.getReader();
  const input = encrypts ? new Uint8Array(100_000) : damaged(messages[draw(2)].ciphertext);
  const quiet = () => {};
  const feed = async () => {
    for (let at = 0; at < input.length; at += 8192) await writer.write(input.subarray(at, at + 8192));
    await writer.close();
  };
  const read = async () => {
    while (!(await reader.read()).done);
  };
  feed().catch(quiet);
  const reading = read().catch(quiet);
  writer.closed.catch(quiet);
  reader.closed.catch(quiet);
  await [() => undefined, () => Promise.resolve(), () => later(0), () => later(draw(4))][draw(4)]();
  const started = performance.now();
  const kind = ['signal', 'cancel', 'abort', 'broken'][draw(4)];
  kinds[kind] = (kinds[kind] ?? 0) + 1;
  if (kind === 'cancel') await reader.cancel(draw(2) === 0 ? undefined : new Error('enough')).catch(quiet);
  if (kind === 'abort') await writer.abort(draw(2) === 0 ? undefined : new Error('no more')).catch(quiet);
  // What is neither cancelled nor aborted by its own means is ended by the signal in the end: a keyring may hang.
  if (common.signal === own.signal) own.abort();
  else await reader.cancel().catch(quiet);
  await Promise.all([reading, stream.result.catch(quiet), stream.header.catch(quiet)]);
  return performance.now() - started;
}

// A message cut, altered, or with something behind it; sometimes as it was.
function damaged(message) {
  const copy = message.slice();
  const kind = draw(4);
  if (kind === 0) return copy.subarray(0, draw(copy.length));
  if (kind === 1) copy[draw(copy.length)] ^= 1 << draw(8);
  return kind === 2 ? Buffer.concat([copy, Buffer.alloc(10)]) : copy;
}

async function messagesStillOpen() {
  for (const engine of ENGINES) {
    for (const { ciphertext } of messages) {
      const { plaintext } = await decrypt(ciphertext, { keyring: quick, engine });
      if (plaintext.length !== 100_000 || plaintext.some((byte) => byte !== 0)) return false;
    }
  }
  return true;
}

async function runAtOnce(count) {
  const started = performance.now();
  const outcomes = await Promise.all(Array.from({ length: count }, (_, i) => roundTrip(i)));
  const wrong = outcomes.filter((outcome) => outcome === 'wrong').length;
  const aborted = outcomes.filter((outcome) => outcome === 'aborted').length;
  const good = wrong === 0 && rejections === 0;
  console.log(
    `${good ? 'ok' : 'FAILED'}: ${count} streams at once in ${((performance.now() - started) / 1000).toFixed(1)} s: ` +
      `${count - wrong - aborted} right, ${aborted} aborted on purpose, ${wrong} wrong; ${Math.round(process.resourceUsage().maxRSS / 1024)} MiB resident at most`,
  );
  return good;
}

// A mebibyte of this stream's own bytes, there and back; one in ten is given up half way.
async function roundTrip(number) {
  const seed = Buffer.alloc(4);
  seed.writeUInt32BE(number);
  const block = createHash('sha512').update(seed).digest();
  const options = {
    keyring: quick,
    engine: ENGINES[number % 4],
    algorithmSuite: SUITES[draw(2)],
    frameLength: [512, 4096, 65_536][draw(3)],
  };
  const chunks = 2 ** 20 / 16_384;
  let left = chunks;
  const source = new ReadableStream({
    pull: (controller) =>
      left-- > 0 ? controller.enqueue(new Uint8Array(Buffer.alloc(16_384, block))) : controller.close(),
  });
  const givenUp = draw(10) === 0;
  const pipe = source
    .pipeThrough(encryptStream(options))
    .pipeThrough(decryptStream({ keyring: quick, engine: options.engine }));
  let at = 0;
  for await (const piece of pipe) {
    const expected = Buffer.alloc(piece.length + 64, block).subarray(at % 64, (at % 64) + piece.length);
    if (Buffer.compare(piece, expected) !== 0) return 'wrong';
    at += piece.length;
    if (givenUp && at > 2 ** 19) return 'aborted'; // leaving the loop cancels the pipe
  }
  return at === 2 ** 20 ? 'right' : 'wrong';
}

// What keeps the process alive: timers, sockets, workers.
function handles() {
  return process.getActiveResourcesInfo().filter((name) => name !== 'TTYWrap' && name !== 'PipeWrap').length;
}

function later(milliseconds) {
  return new Promise((done) => setTimeout(done, milliseconds));
}

// Park and Miller's generator: the same choices for the same seed.
function random(seed) {
  let state = (seed % 2147483646) + 1;
  return (below) => {
    state = (state * 48271) % 2147483647;
    return state % below;
  };
}
