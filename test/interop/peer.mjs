// @ts-check
/**
 * The published SDK behind two functions: one-shot or through its streams.
 */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { buildClient, CommitmentPolicy } from '@aws-crypto/client-node';

/** @typedef {import('@aws-crypto/client-node').KeyringNode} KeyringNode */
/** @typedef {keyof typeof CommitmentPolicy} PolicyName */

/**
 * A header as the SDK hands it out.
 * @typedef {object} PeerHeader
 * @property {number} version
 * @property {number} suiteId
 * @property {Uint8Array} messageId
 * @property {Readonly<Record<string, string>>} encryptionContext
 * @property {readonly PeerDataKey[]} encryptedDataKeys
 * @property {number} contentType
 * @property {number} frameLength
 */

/**
 * @typedef {object} PeerDataKey
 * @property {string} providerId
 * @property {string} providerInfo
 * @property {Uint8Array} encryptedDataKey
 * @property {Uint8Array} [rawInfo] the provider information as bytes, where it is no text
 */

/**
 * How one message is written or read.
 * @typedef {object} Mode
 * @property {PolicyName} policy
 * @property {number} chunk bytes of a chunk for the stream API; 0: the one-shot API
 */

/** @type {Record<PolicyName, ReturnType<typeof buildClient>>} */
const CLIENTS = {
  FORBID_ENCRYPT_ALLOW_DECRYPT: buildClient(CommitmentPolicy.FORBID_ENCRYPT_ALLOW_DECRYPT),
  REQUIRE_ENCRYPT_ALLOW_DECRYPT: buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_ALLOW_DECRYPT),
  REQUIRE_ENCRYPT_REQUIRE_DECRYPT: buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT),
};

/** How often each API of the SDK was called. */
export const calls = { oneShot: 0, stream: 0 };

const MAX_CHUNKS = 60;

/**
 * @param {KeyringNode} keyring
 * @param {Uint8Array} plaintext
 * @param {{ suiteId?: number, encryptionContext?: Record<string, string>, frameLength?: number }} options
 * @param {Mode} mode
 * @returns {Promise<{ message: Uint8Array, header: PeerHeader }>}
 */
export async function peerEncrypt(keyring, plaintext, { frameLength, ...rest }, { policy, chunk }) {
  const options = frameLength === undefined ? rest : { ...rest, frameLength };
  const client = CLIENTS[policy];
  calls[chunk === 0 ? 'oneShot' : 'stream']++;
  if (chunk === 0) {
    const { result, messageHeader } = await client.encrypt(keyring, plaintext, options);
    return { message: result, header: messageHeader };
  }
  const stream = client.encryptStream(keyring, options);
  const { bytes, header } = await through(stream, plaintext, chunk);
  return { message: bytes, header };
}

/**
 * @param {KeyringNode} keyring
 * @param {Uint8Array} message
 * @param {Mode} mode
 * @returns {Promise<{ plaintext: Uint8Array, header: PeerHeader }>}
 */
export async function peerDecrypt(keyring, message, { policy, chunk }) {
  const client = CLIENTS[policy];
  calls[chunk === 0 ? 'oneShot' : 'stream']++;
  if (chunk === 0) {
    const { plaintext, messageHeader } = await client.decrypt(keyring, message);
    return { plaintext, header: messageHeader };
  }
  const { bytes, header } = await through(client.decryptStream(keyring), message, chunk);
  return { plaintext: bytes, header };
}

/**
 * @param {import('node:stream').Duplex} stream
 * @param {Uint8Array} input
 * @param {number} chunk
 */
async function through(stream, input, chunk) {
  /** @type {PeerHeader | undefined} */
  let header;
  stream.once('MessageHeader', (/** @type {PeerHeader} */ value) => {
    header = value;
  });
  /** @type {Uint8Array[]} */
  const output = [];
  await pipeline(Readable.from(split(input, chunk)), stream, async (source) => {
    for await (const bytes of source) output.push(bytes);
  });
  if (header === undefined) throw new Error('the stream told no header');
  return { bytes: Buffer.concat(output), header };
}

/**
 * Chunks of a message, some more than asked for if it would be very many.
 * @param {Uint8Array} bytes
 * @param {number} chunk
 */
export function* split(bytes, chunk) {
  const step = Math.max(chunk, Math.ceil(bytes.length / MAX_CHUNKS));
  for (let at = 0; at < bytes.length; at += step) yield Buffer.from(bytes.subarray(at, at + step));
}
