// The frames of a message by one native call for each, as libraries that encrypt and decrypt: no header, no wrapped key.
import { nativeFrameWorkers, testBytes } from '../../dist/bench/index.js';
import { jobSealedLength } from '../../dist/engine/frame-layout.js';
import { selectPlatform } from '../../dist/engine/select.js';
import { sameBytes } from './check.mjs';

const key = testBytes(32, 2);
const messageId = testBytes(32, 3);

/** By `node:crypto` and by WebCrypto, for plaintexts of this length. */
export function nativeFrames(bytes, frameLength) {
  const regular = Math.ceil(bytes / frameLength) - 1;
  const shape = { frameLength, first: 1, regular, finalLength: bytes - regular * frameLength };
  return nativeFrameWorkers().map(({ name, seal, open }) => ({
    name,
    async encrypt(plaintext) {
      const output = new Uint8Array(jobSealedLength(shape));
      await seal(key, messageId, { ...shape, plaintext, output });
      return output;
    },
    async decrypt(frames) {
      const output = new Uint8Array(bytes);
      await open(key, messageId, { ...shape, frames, output });
      return output;
    },
    async check(plaintext, frames) {
      sameBytes(frames, await byOurEngine(shape, plaintext), `frames by ${name} and by frameseal`);
    },
  }));
}

async function byOurEngine(shape, plaintext) {
  const output = new Uint8Array(jobSealedLength(shape));
  const cipher = selectPlatform().engine.cipher(key, messageId);
  await cipher.seal({ ...shape, plaintext, output });
  cipher.dispose();
  return output;
}
