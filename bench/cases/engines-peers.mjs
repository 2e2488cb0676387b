// The kernel against AES-GCM in JavaScript and in Rust, frame by frame under one key: all of them run in the runtime alone,
// without a native call.
import { randomBytes } from 'node:crypto';
import { sizeText } from '../../dist/bench/index.js';
import { loadKernel } from '../../dist/engine/wasm/kernel.js';
import { createWasmEngine } from '../../dist/engine/wasm/wasm-engine.js';
import { sameBytes, sample } from '../adapters/check.mjs';
import { loadPeers } from '../adapters/peers.mjs';

const FRAMES = 16;
/** Bytes that a frame has beyond its plaintext: sequence number, IV, tag. */
const OVERHEAD = 32;
const STRING = Buffer.from('AWSKMSEncryptionClient Frame');
const key = randomBytes(32);
const messageId = randomBytes(32);

/** @throws Error where the libraries are not installed */
export async function cases({ quick }) {
  const peers = await loadPeers('noble', 'encrypt-web-streams');
  const engine = createWasmEngine(loadKernel());
  return [256, 1024, 4096, 16_384].flatMap((frameLength) =>
    ['seal', 'open'].map((verb) => oneCase(verb, frameLength, engine, peers, quick)),
  );
}

function oneCase(verb, frameLength, engine, peers, quick) {
  const bytes = FRAMES * frameLength;
  return {
    group: 'engines',
    name: `${verb} ${FRAMES} frames of ${sizeText(frameLength)}, JavaScript and Rust`,
    parameters: { verb, engine: 'wasm', bytes, frameLength, frames: FRAMES, keyLength: key.length },
    bytes,
    timing: quick
      ? { rounds: 5, maxTime: 10, minSamples: 3, warmUp: 80 }
      : { rounds: 15, maxTime: 40, minSamples: 5, warmUp: 500 },
    async prepare() {
      const plaintext = sample(bytes);
      const frames = new Uint8Array(FRAMES * (frameLength + OVERHEAD));
      runEngine(engine, 'seal', { frameLength, plaintext, output: frames });
      const libraries = [engineAs(engine, frameLength), ...peers.map((peer) => eachFrame(peer, frameLength))];
      for (const { name, seal, open } of libraries) check(name, { seal, open }, { plaintext, frames });
      return Object.fromEntries(
        libraries.map(({ name, seal, open }) => [
          name,
          () => (verb === 'seal' ? seal(plaintext) : open(frames)),
        ]),
      );
    },
  };
}

// The same frames by everyone, and the same plaintext of them.
function check(name, { seal, open }, { plaintext, frames }) {
  sameBytes(seal(plaintext), frames, `frames by ${name}`);
  sameBytes(open(frames), plaintext, `frames opened by ${name}`);
}

function engineAs(engine, frameLength) {
  const sealed = new Uint8Array(FRAMES * (frameLength + OVERHEAD));
  const opened = new Uint8Array(FRAMES * frameLength);
  return {
    name: 'frameseal: wasm',
    seal: (plaintext) => runEngine(engine, 'seal', { frameLength, plaintext, output: sealed }),
    open: (frames) => runEngine(engine, 'open', { frameLength, frames, output: opened }),
  };
}

function runEngine(engine, verb, { output, ...job }) {
  const cipher = engine.cipher(key, messageId);
  const authentic = cipher[verb]({ ...job, first: 1, regular: FRAMES, finalLength: undefined, output });
  cipher.dispose();
  if (verb === 'open' && authentic !== FRAMES)
    throw new Error(`frameseal: ${authentic} frames are authentic`);
  return output;
}

// A library that knows one AES-GCM message: each frame is one.
function eachFrame({ name, seal, open }, frameLength) {
  const stride = frameLength + OVERHEAD;
  const sealed = Buffer.alloc(FRAMES * stride);
  const opened = Buffer.alloc(FRAMES * frameLength);
  return {
    name,
    seal(plaintext) {
      for (let i = 0; i < FRAMES; i++) {
        const iv = frameIv(i + 1);
        const frame = plaintext.subarray(i * frameLength, (i + 1) * frameLength);
        sealed.writeUInt32BE(i + 1, i * stride);
        sealed.set(iv, i * stride + 4);
        sealed.set(seal(key, iv, aad(i + 1, frameLength), frame), i * stride + 16);
      }
      return sealed;
    },
    open(frames) {
      for (let i = 0; i < FRAMES; i++) {
        const frame = frames.subarray(i * stride + 4, (i + 1) * stride);
        const [iv, text] = [frame.subarray(0, 12), frame.subarray(12)];
        opened.set(open(key, iv, aad(i + 1, frameLength), text), i * frameLength);
      }
      return opened;
    },
  };
}

function frameIv(sequenceNumber) {
  const iv = Buffer.alloc(12);
  iv.writeUInt32BE(sequenceNumber, 8);
  return iv;
}

// What the tag covers besides.
function aad(sequenceNumber, length) {
  const bytes = Buffer.alloc(72);
  bytes.set(messageId);
  bytes.set(STRING, 32);
  bytes.writeUInt32BE(sequenceNumber, 60);
  bytes.writeUInt32BE(length, 68);
  return bytes;
}
