// @ts-check
/**
 * frameseal behind two functions: one-shot or through its streams.
 */
import { split } from './peer.mjs';
import { frameseal } from './setup.mjs';

/** @typedef {import('../../dist/index.js').EncryptOptions} EncryptOptions */
/** @typedef {import('../../dist/index.js').DecryptOptions} DecryptOptions */
/** @typedef {import('../../dist/index.js').EncryptResult} EncryptResult */
/** @typedef {import('../../dist/index.js').DecryptResult} DecryptResult */

/** How often each API of frameseal was called. */
export const calls = { oneShot: 0, stream: 0 };

/**
 * @param {Uint8Array} plaintext
 * @param {EncryptOptions} options
 * @param {number} chunk bytes of a chunk for the stream API; 0: the one-shot API
 * @returns {Promise<EncryptResult>}
 */
export async function framesealEncrypt(plaintext, options, chunk) {
  calls[chunk === 0 ? 'oneShot' : 'stream']++;
  if (chunk === 0) return frameseal.encrypt(plaintext, options);
  const stream = frameseal.encryptStream(options);
  const ciphertext = await through(stream, plaintext, chunk);
  return { ciphertext, ...(await stream.result) };
}

/**
 * @param {Uint8Array} message
 * @param {DecryptOptions} options
 * @param {number} chunk
 * @returns {Promise<DecryptResult>}
 */
export async function framesealDecrypt(message, options, chunk) {
  calls[chunk === 0 ? 'oneShot' : 'stream']++;
  if (chunk === 0) return frameseal.decrypt(message, options);
  const stream = frameseal.decryptStream(options);
  const plaintext = await through(stream, message, chunk);
  return { plaintext, ...(await stream.result) };
}

/**
 * @param {Pick<import('../../dist/index.js').MessageStream<unknown>, 'readable' | 'writable'>} stream
 * @param {Uint8Array} input
 * @param {number} chunk
 */
async function through({ readable, writable }, input, chunk) {
  const [output] = await Promise.all([collect(readable), feed(writable, input, chunk)]);
  return output;
}

/**
 * @param {WritableStream<ArrayBufferView>} writable
 * @param {Uint8Array} input
 * @param {number} chunk
 */
async function feed(writable, input, chunk) {
  const writer = writable.getWriter();
  for (const piece of split(input, chunk)) await writer.write(piece);
  await writer.close();
}

/** @param {ReadableStream<Uint8Array>} readable */
async function collect(readable) {
  /** @type {Uint8Array[]} */
  const pieces = [];
  for await (const piece of readable) pieces.push(piece);
  return new Uint8Array(Buffer.concat(pieces));
}
