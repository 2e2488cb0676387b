// Does one piece of work once, and tells the most memory that the process had meanwhile above what it had before, its input
// included. What has come out is checked afterwards. Run by memory.mjs.
import { ok, strictEqual } from 'node:assert';
import { createHash } from 'node:crypto';
import { createReadStream, readFileSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ciphertextLength, decrypt, decryptStream, encrypt, encryptStream } from '../../dist/index.js';
import { clientNode, rawAesKeys } from './client-node.mjs';

const CHUNK = 65_536;
const MIB = 2 ** 20;
const OTHER_BYTES = 'the plaintext that came out is another one';
const { candidate, verb, streamed, bytes, frameLength, suite, path, digest } = JSON.parse(process.argv[2]);
const keys = rawAesKeys();
const encrypts = verb === 'encrypt';
const run = streamed === 'streamed' ? stream(worker()) : oneShot(worker());
process.stdout.write(JSON.stringify(await run()));

// What it does with whole bytes, and with streams: pieces in, pieces handed to `take`.
function worker() {
  return candidate === 'frameseal' ? frameseal() : publishedSdk();
}

function frameseal() {
  const options = { keyring: keys.ours, algorithmSuite: suite, frameLength };
  const through = async (pieces, transform, take) => {
    for await (const piece of Readable.toWeb(pieces).pipeThrough(transform)) take(piece);
  };
  return {
    whole: async (input) =>
      encrypts
        ? (await encrypt(input, options)).ciphertext
        : (await decrypt(input, { keyring: keys.ours })).plaintext,
    pieces: (pieces, take) =>
      through(pieces, encrypts ? encryptStream(options) : decryptStream({ keyring: keys.ours }), take),
  };
}

function publishedSdk() {
  const peer = clientNode();
  const options = { suiteId: suite, frameLength };
  const through = (pieces, transform, take) =>
    pipeline(pieces, transform, async (results) => {
      for await (const piece of results) take(piece);
    });
  return {
    whole: (input) =>
      encrypts ? peer.encrypt(keys.theirs, input, options) : peer.decrypt(keys.theirs, input),
    pieces: (pieces, take) =>
      encrypts
        ? through(pieces, peer.client.encryptStream(keys.theirs, options), take)
        : through(pieces, peer.client.decryptStream(keys.theirs), take),
  };
}

function oneShot({ whole }) {
  return async () => {
    const input = readFileSync(path);
    const measured = beginMeasuring();
    const output = await whole(input);
    const figures = measured(output.length);
    const plaintext = encrypts ? (await decrypt(output, { keyring: keys.ours })).plaintext : output;
    strictEqual(createHash('sha256').update(plaintext).digest('hex'), digest, OTHER_BYTES);
    return figures;
  };
}

// Results are dropped: of a message the length is checked, of a plaintext the digest.
function stream({ pieces }) {
  return async () => {
    const hash = createHash('sha256');
    let length = 0;
    const source = createReadStream(path, { highWaterMark: CHUNK });
    const measured = beginMeasuring();
    await pieces(source, (piece) => {
      length += piece.length;
      if (!encrypts) hash.update(piece);
    });
    const figures = measured(length);
    if (encrypts) await checkLength(length);
    else strictEqual(hash.digest('hex'), digest, OTHER_BYTES);
    return figures;
  };
}

// As long as ours; the published SDK may put an empty frame behind the last full one.
async function checkLength(length) {
  const { header } = await encrypt(new Uint8Array(0), {
    keyring: keys.ours,
    algorithmSuite: suite,
    frameLength,
  });
  const lengths = ['frameseal', 'any'].map((writer) => ciphertextLength(bytes, header, { writer }));
  ok(lengths.includes(length), `${length} bytes came out, not ${lengths.join(' or ')}`);
}

// From now on; the peak is reset where the system can do that, otherwise it is one from the start of the process.
function beginMeasuring() {
  globalThis.gc();
  try {
    writeFileSync('/proc/self/clear_refs', '5');
  } catch {}
  const before = memory();
  const started = performance.now();
  return (outputLength) => {
    const wallMs = performance.now() - started;
    const above = memory().peak - before.now;
    return { wallMs, peakAboveInputMiB: above / MIB, outputMiB: outputLength / MIB };
  };
}

// Bytes. Linux counts the parent's memory into a child's maxRSS, but not into its high-water mark.
function memory() {
  try {
    const status = readFileSync('/proc/self/status', 'utf8');
    const bytesOf = (name) => 1024 * Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)[1]);
    return { peak: bytesOf('VmHWM'), now: bytesOf('VmRSS') };
  } catch {
    return { peak: 1024 * process.resourceUsage().maxRSS, now: process.memoryUsage.rss() };
  }
}
