// libsodium's secretstream in frames of 64 KiB: XChaCha20-Poly1305 under the caller's key, which nothing wraps. One-shot
// is the same with all frames kept. It hands out frames and says nothing of how they are told apart: they have one length.
import sodium from 'libsodium-wrappers';

await sodium.ready;
const {
  crypto_secretstream_xchacha20poly1305_ABYTES: OVERHEAD,
  crypto_secretstream_xchacha20poly1305_TAG_MESSAGE: MORE,
  crypto_secretstream_xchacha20poly1305_TAG_FINAL: FINAL,
} = sodium;
const HEADER = sodium.crypto_secretstream_xchacha20poly1305_HEADERBYTES;
const FRAME = 65_536;
const key = sodium.crypto_secretstream_xchacha20poly1305_keygen();

export const name = 'libsodium-wrappers';

export function encryptStream(plaintext, take) {
  const { state, header } = sodium.crypto_secretstream_xchacha20poly1305_init_push(key);
  take(header);
  for (let at = 0; at < plaintext.length; at += FRAME) {
    const tag = at + FRAME < plaintext.length ? MORE : FINAL;
    const frame = plaintext.subarray(at, at + FRAME);
    take(sodium.crypto_secretstream_xchacha20poly1305_push(state, frame, null, tag));
  }
}

export function decryptStream(message, take) {
  const state = sodium.crypto_secretstream_xchacha20poly1305_init_pull(message.subarray(0, HEADER), key);
  for (let at = HEADER, last = MORE; last !== FINAL; at += FRAME + OVERHEAD) {
    const frame = message.subarray(at, at + FRAME + OVERHEAD);
    const opened = sodium.crypto_secretstream_xchacha20poly1305_pull(state, frame, null);
    if (opened === false) throw new Error('libsodium-wrappers: a frame is not authentic');
    take(opened.message);
    last = opened.tag;
  }
}

export function encrypt(plaintext) {
  return whole(encryptStream, plaintext);
}

export function decrypt(message) {
  return whole(decryptStream, message);
}

function whole(run, bytes) {
  const parts = [];
  run(bytes, (part) => parts.push(part));
  return Buffer.concat(parts);
}
