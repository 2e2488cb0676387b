// Hostile input of streams: lengths that lie, headers that do not end, bytes behind the end, pieces of one byte. Each case
// runs in a process of its own. What is measured is memory (resident, above what an ordinary message has left) and
// work (calls that copy or cut bytes, and the bytes that they move), which no busy machine changes; a case that is run at
// two sizes must do work in proportion. Run on dist.

import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { decryptStream, encrypt, encryptStream, rawAesKeyring } from '../../../dist/index.js';

const MIB = 2 ** 20;
const MEMORY_LIMIT = 16 * MIB;
const CHUNK = new Uint8Array(65_536);
const KEY = { keyNamespace: 'hostile', keyName: 'key', wrappingKey: new Uint8Array(32).fill(7) };
const keyring = rawAesKeyring(KEY);
const SIGNED = 0x0578;
const UNSIGNED = 0x0478;

// Each case answers what is fed, with what options, and what must come of it. `most` is how many bytes may be taken before
// the error; `sizes` has two sizes for cases whose work must be linear in them.
const CASES = {
  'frame length 2^32 - 1, then 64 MiB': async () => ({
    input: endless(await frameLength(0xffff_ffff), 64 * MIB),
    code: 'LIMIT_EXCEEDED',
    most: MIB,
  }),
  'frame length 2^31 - 1, allowed, then 4 MiB of its first frame': async () => {
    const options = { maxFrameLength: 2 ** 31 - 1 };
    const head = await sealed(0, { ...options, frameLength: 2 ** 31 - 1 });
    const first = Uint8Array.of(0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);
    return { input: endless(join(head.start, first), 4 * MIB), options, code: 'TRUNCATED' };
  },
  'final frame that claims 64 MiB and has 1 KiB': async () => {
    const head = await sealed(0, { frameLength: 64 * MIB });
    const numbers = [0xffff_ffff, 1, 0, 0, 1, 64 * MIB].flatMap(u32);
    return { input: [join(head.start, Uint8Array.from(numbers), new Uint8Array(1024))], code: 'TRUNCATED' };
  },
  '65,535 encrypted data keys claimed, none there': async () => ({
    input: [(await edks(0xffff, 0)).subarray(0, 100)],
    code: 'TRUNCATED',
  }),
  '65,535 encrypted data keys, all empty': async () => ({
    input: pieces(await edks(0xffff, 0xffff), 1000),
    code: 'NO_DATA_KEY',
    limit: 48 * MIB, // 393 KiB in which each entry becomes an object of its own, and an attempt that the error tells
  }),
  '65,535 encrypted data keys, above maxEncryptedDataKeys': async () => ({
    input: pieces(await edks(0xffff, 0xffff), 1000),
    options: { maxEncryptedDataKeys: 10 },
    code: 'LIMIT_EXCEEDED',
    most: 2000,
  }),
  'header that does not end: encrypted data keys of 65,535 bytes, 64 MiB': async () => ({
    input: endless(await edks(0xffff, 0), 64 * MIB, 0xff),
    code: 'LIMIT_EXCEEDED',
    most: 5 * MIB,
  }),
  'header that does not end: encrypted data keys without bytes, maxHeaderLength 256 KiB': async () => ({
    input: endless(await edks(0xffff, 0), 64 * MIB),
    options: { maxHeaderLength: MIB / 4 },
    code: 'LIMIT_EXCEEDED',
    most: MIB,
  }),
  'context of 65,535 bytes, of which 100 are there': async () => ({
    input: [join((await sealed(0)).start.subarray(0, 35), Uint8Array.of(255, 255), new Uint8Array(100))],
    code: 'TRUNCATED',
  }),
  'context of 65,534 bytes: 10,922 pairs, byte by byte': async () => ({
    input: pieces(await pairs(10_922), 1),
    code: 'NO_DATA_KEY',
  }),
  '64 MiB behind a signed message': async () => ({
    input: endless((await sealed(100, { algorithmSuite: SIGNED })).message, 64 * MIB),
    code: 'TRAILING_BYTES',
    most: MIB,
  }),
  '64 MiB behind an unsigned message': async () => ({
    input: endless((await sealed(100)).message, 64 * MIB),
    code: 'TRAILING_BYTES',
    most: MIB,
  }),
  'footer of 65,535 bytes, then 64 MiB': async () => {
    const { message } = await sealed(100, { algorithmSuite: SIGNED });
    const input = endless(join(message.subarray(0, -105), Uint8Array.of(255, 255)), 64 * MIB);
    return { input, code: 'TRAILING_BYTES', most: MIB };
  },
  '64 MiB that are no message': async () => ({
    input: endless(CHUNK, 64 * MIB),
    code: 'INVALID_MESSAGE',
    most: MIB,
  }),
  '64 MiB of text that begins as a message in base64': async () => ({
    input: endless(new TextEncoder().encode('AgV4'), 64 * MIB, 0x41),
    code: 'BASE64_MESSAGE',
    most: MIB,
  }),
  'non-framed body of 2^36 - 32 bytes, then 64 MiB': async () => ({
    input: endless(await nonFramed([0xf, 0xffff_ffe0]), 64 * MIB),
    code: 'AUTHENTICATION_FAILED', // its header is not the one that was sealed
    most: MIB,
  }),
  'header of 64 KiB byte by byte': async (size) => ({
    input: pieces((await sealed(10, { encryptionContext: { long: 'x'.repeat(size) } })).message, 1),
    code: undefined,
    linear: true,
  }),
  'frames of 1 byte, byte by byte': async (size) => ({
    input: pieces((await sealed(size / 8, { frameLength: 1 })).message, 1),
    code: undefined,
    linear: true,
  }),
  'frames of 1 byte, one by one, all held': async (size) => ({
    input: pieces((await sealed(size / 2, { frameLength: 1, algorithmSuite: SIGNED })).message, 33),
    options: { signedStreams: 'hold-all' },
    slowly: true,
    code: undefined,
    linear: true,
  }),
  'one frame, byte by byte': async (size) => ({
    input: pieces((await sealed(size * 4, { frameLength: MIB })).message, 1),
    code: undefined,
    linear: true,
  }),
  'many frames in one piece': async (size) => ({
    input: [(await sealed(size * 4, { frameLength: 16 })).message],
    code: undefined,
    linear: true,
  }),
  'encrypted byte by byte, frames of 1 byte': async (size) => ({
    input: pieces(new Uint8Array(size / 2), 1),
    encrypts: { frameLength: 1, algorithmSuite: SIGNED },
    code: undefined,
    linear: true,
  }),
  'encrypted byte by byte, one frame': async (size) => ({
    input: pieces(new Uint8Array(size * 4), 1),
    encrypts: { frameLength: MIB },
    code: undefined,
    linear: true,
  }),
};
const SIZES = [15_000, 60_000];

if (process.send) await child(process.argv[2]);
else await parent();

async function parent() {
  const failed = [];
  const names = Object.keys(CASES).filter((name) => name.includes(process.argv[2] ?? ''));
  for (const name of names) {
    const { text, problems } = await inChild(name);
    console.log(`${problems.length === 0 ? 'ok' : 'FAILED'}: ${name}: ${[text, ...problems].join('; ')}`);
    if (problems.length > 0) failed.push(name);
  }
  console.log(`${names.length - failed.length} passed, ${failed.length} failed`);
  process.exitCode = failed.length > 0 ? 1 : 0;
}

function inChild(name) {
  return new Promise((resolve) => {
    // A small nursery: what is measured is what is held, not what waits to be collected.
    const execArgv = ['--expose-gc', '--max-semi-space-size=1'];
    const process = fork(fileURLToPath(import.meta.url), [name], { execArgv });
    let answer = { text: 'it ended without an answer', problems: ['no answer'] };
    process.on('message', (message) => {
      answer = message;
    });
    process.on('exit', () => resolve(answer));
  });
}

async function child(name) {
  const small = await CASES[name](SIZES[0]);
  for (const algorithmSuite of [SIGNED, UNSIGNED]) await run(await ordinary(algorithmSuite)); // the code is loaded
  const runs = [await measured(small)];
  if (small.linear) runs.push(await measured(await CASES[name](SIZES[1])));
  const problems = runs.flatMap(({ problems }) => problems);
  if (runs.length === 2) problems.push(...linear(runs));
  const { memory, taken, work, moved } = runs.at(-1);
  const text = `${small.code ?? 'read'}, ${(memory / MIB).toFixed(1)} MiB, ${taken} bytes taken, ${work} calls, ${moved} bytes moved`;
  process.send({ text, problems }, () => process.disconnect());
}

// Four times the input: at most five times the work, and each byte is moved a few times. A queue whose first buffer is too
// small has moved each byte once more.
function linear([one, four]) {
  const problems = [];
  for (const [what, more] of Object.entries({ work: 10_000, moved: 10_000 + four.bytes })) {
    if (four[what] > 5 * one[what] + more)
      problems.push(`${what}: ${one[what]}, then ${four[what]} for four times as much`);
  }
  const each = four.moved / four.bytes;
  if (each > 8) problems.push(`each byte is moved ${each.toFixed(1)} times`);
  return problems;
}

async function measured(hostile) {
  globalThis.gc();
  const before = process.memoryUsage.rss();
  const counted = count();
  const { code, taken, given, most } = await run(hostile);
  counted.stop();
  const memory = most - before;
  const problems = [];
  if (code !== hostile.code) problems.push(`expected ${hostile.code ?? 'no error'}, got ${code}`);
  if (taken > (hostile.most ?? Number.POSITIVE_INFINITY)) problems.push(`${taken} bytes were taken`);
  if (memory > (hostile.limit ?? MEMORY_LIMIT)) problems.push(`${(memory / MIB).toFixed(1)} MiB`);
  return { problems, memory, taken, bytes: taken + given, work: counted.calls, moved: counted.bytes };
}

async function run({ input, options, encrypts, slowly }) {
  const stream = encrypts ? encryptStream({ keyring, ...encrypts }) : decryptStream({ keyring, ...options });
  const writer = stream.writable.getWriter();
  writer.closed.catch(() => {});
  let most = process.memoryUsage.rss();
  let taken = 0;
  const writing = (async () => {
    let next = 0;
    for (const piece of input) {
      await writer.write(piece);
      taken += piece.length;
      if (taken >= next) {
        most = Math.max(most, process.memoryUsage.rss());
        next = taken + CHUNK.length;
      }
      if (slowly) await new Promise(setImmediate);
    }
    await writer.close();
  })().catch(() => {});
  const reader = stream.readable.getReader();
  let [code, given] = [undefined, 0];
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) given += next.value.length;
  } catch (error) {
    code = error.code ?? String(error);
  }
  await writing;
  return { code, taken, given, most: Math.max(most, process.memoryUsage.rss()) };
}

// Counts what copies bytes or cuts them.
function count() {
  const counted = { calls: 0, bytes: 0, stop: () => {} };
  const { prototype } = Object.getPrototypeOf(Uint8Array);
  const own = {};
  for (const name of ['set', 'slice', 'subarray', 'copyWithin']) {
    const original = prototype[name];
    own[name] = original;
    prototype[name] = function (...args) {
      const answer = original.apply(this, args);
      counted.calls++;
      if (name === 'set') counted.bytes += args[0].length;
      if (name === 'slice') counted.bytes += answer.length;
      if (name === 'copyWithin') counted.bytes += (args[2] ?? this.length) - (args[1] ?? 0);
      return answer;
    };
  }
  counted.stop = () => Object.assign(prototype, own);
  return counted;
}

async function ordinary(algorithmSuite) {
  return { input: pieces((await sealed(200_000, { algorithmSuite })).message, 5000) };
}

/** A message, and what of it comes before the first frame. */
async function sealed(length, options = {}) {
  const request = { keyring, algorithmSuite: UNSIGNED, ...options };
  const { ciphertext, header } = await encrypt(new Uint8Array(length), request);
  return { message: ciphertext, start: ciphertext.subarray(0, header.headerLength), header };
}

// The frame length stands before commit key and tag.
async function frameLength(value) {
  const { start } = await sealed(0);
  const altered = start.slice();
  new DataView(altered.buffer).setUint32(altered.length - 16 - 32 - 4, value);
  return altered;
}

async function nonFramed(length) {
  const { start } = await sealed(0);
  const altered = start.slice();
  altered[altered.length - 16 - 32 - 5] = 1;
  new DataView(altered.buffer).setUint32(altered.length - 16 - 32 - 4, 0);
  return join(altered, new Uint8Array(12), Uint8Array.from(length.flatMap(u32)));
}

// Version, suite, message id, no context; the number of keys that is claimed; so many, all empty; the end of a header.
async function edks(claimed, there) {
  const { start } = await sealed(0);
  const [head, tail] = [start.subarray(0, 37), start.subarray(-16 - 32 - 5)];
  const count = Uint8Array.of(claimed >> 8, claimed & 255);
  return there === 0 ? join(head, count) : join(head, count, new Uint8Array(6 * there), tail);
}

// Pairs of two bytes and none, in order, of which the message's key knows nothing.
async function pairs(count) {
  const { start } = await sealed(0);
  const text = new DataView(new ArrayBuffer(2 + count * 6));
  text.setUint16(0, count);
  for (let i = 0; i < count; i++) {
    text.setUint16(2 + 6 * i, 2);
    text.setUint8(4 + 6 * i, i >> 7);
    text.setUint8(5 + 6 * i, i & 127);
  }
  const length = Uint8Array.of(text.byteLength >> 8, text.byteLength & 255);
  return join(start.subarray(0, 35), length, new Uint8Array(text.buffer), start.subarray(37));
}

// The bytes, then as many more of one value, from one buffer.
function* endless(bytes, more, value = 0) {
  yield bytes;
  const chunk = CHUNK.slice().fill(value);
  for (let at = 0; at < more; at += chunk.length) yield chunk;
}

function* pieces(bytes, length) {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
}

function u32(value) {
  return [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
}

function join(...parts) {
  return new Uint8Array(Buffer.concat(parts));
}
