// The two libraries that write the same messages, under the same raw AES key: each must open what the other has written.
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { decrypt, decryptStream, encrypt, encryptStream, parseHeader } from '../../dist/index.js';
import { clientNode, rawAesKeys } from '../cases/client-node.mjs';
import { sameBytes } from './check.mjs';
import { pieces, throughWeb, webSource } from './stream-ends.mjs';

const encryptionContext = { purpose: 'bench', tenant: 'acme' };

/** Ours, then the published SDK. `suite` is its number. */
export function sameFormat({ suite, frameLength }) {
  const keys = rawAesKeys();
  return [framesealOf(keys.ours, suite, frameLength), publishedSdk(keys.theirs, suite, frameLength)];
}

function framesealOf(keyring, algorithmSuite, frameLength) {
  const options = { keyring, algorithmSuite, frameLength, encryptionContext };
  const through = (stream, bytes, take) => throughWeb(webSource(bytes).pipeThrough(stream), take);
  return {
    name: 'frameseal',
    encrypt: async (plaintext) => (await encrypt(plaintext, options)).ciphertext,
    decrypt: async (message) => (await decrypt(message, { keyring })).plaintext,
    encryptStream: (plaintext, take) => through(encryptStream(options), plaintext, take),
    decryptStream: (message, take) => through(decryptStream({ keyring }), message, take),
  };
}

function publishedSdk(keyring, suiteId, frameLength) {
  const { client } = clientNode();
  const options = () => ({ suiteId, frameLength, encryptionContext }); // the SDK writes into what it is given
  const through = (stream, bytes, take) =>
    pipeline(Readable.from(pieces(bytes)), stream, async (results) => {
      for await (const result of results) take(result);
    });
  return {
    name: '@aws-crypto/client-node',
    encrypt: async (plaintext) => (await client.encrypt(keyring, plaintext, options())).result,
    decrypt: async (message) => (await client.decrypt(keyring, message)).plaintext,
    encryptStream: (plaintext, take) => through(client.encryptStream(keyring, options()), plaintext, take),
    decryptStream: (message, take) => through(client.decryptStream(keyring), message, take),
  };
}

/**
 * Each opens what each has written, and both have written what the case says.
 * @returns the message of the first
 */
export async function exchange(libraries, plaintext, { suite, frameLength }) {
  const messages = [];
  for (const { name, encrypt } of libraries) {
    const message = await encrypt(plaintext);
    const { suiteId, frameLength: written } = parseHeader(message);
    if (suiteId !== suite || written !== frameLength)
      throw new Error(`${name} wrote suite 0x0${suiteId.toString(16)}, frames of ${written} bytes`);
    messages.push(message);
  }
  for (const { name, decrypt } of libraries) {
    for (const [writer, message] of messages.entries())
      sameBytes(await decrypt(message), plaintext, `${libraries[writer].name} read by ${name}`);
  }
  return messages[0];
}
