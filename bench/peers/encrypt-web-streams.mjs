// A Rust AES-256-GCM in WebAssembly: its streams, one frame for the whole message; and the cipher below them.
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import {
  createDecryptionStream,
  createEncryptionStream,
  init as markReady,
} from '@transcend-io/encrypt-web-streams';
import { throughWeb, webSource } from '../adapters/stream-ends.mjs';
import initWasm, {
  Decryptor,
  Encryptor,
} from './node_modules/@transcend-io/encrypt-web-streams/wasm/aes_gcm_stream_wasm.js';

// Its own start fetches the module by URL, which Node cannot do for a file.
const folder = new URL('./node_modules/@transcend-io/encrypt-web-streams/wasm/', import.meta.url);
await initWasm({ module_or_path: await readFile(new URL('aes_gcm_stream_wasm_bg.wasm', folder)) });
await markReady();

const key = randomBytes(32);
const nonce = randomBytes(12);

export const name = '@transcend-io/encrypt-web-streams';

export async function encryptStream(plaintext, take) {
  await throughWeb(webSource(plaintext).pipeThrough(createEncryptionStream(key, nonce)), take);
}

export async function decryptStream(message, take) {
  await throughWeb(webSource(message).pipeThrough(createDecryptionStream(key, nonce)), take);
}

/** Ciphertext and tag. */
export function seal(frameKey, iv, aad, plaintext) {
  return run(new Encryptor(frameKey, iv), aad, plaintext);
}

/** @throws unless it is authentic */
export function open(frameKey, iv, aad, sealed) {
  return run(new Decryptor(frameKey, iv), aad, sealed);
}

function run(cipher, aad, bytes) {
  try {
    cipher.init_adata(aad);
    return Buffer.concat([cipher.update(bytes), cipher.finalize()]);
  } finally {
    cipher.free();
  }
}
