// OpenPGP (RFC 9580) for one X25519 key: AES-256-GCM in frames of 64 KiB, unsigned, binary.
import {
  createMessage,
  enums,
  generateKey,
  decrypt as openMessage,
  readMessage,
  encrypt as writeMessage,
} from 'openpgp';
import { throughWeb, webSource } from '../adapters/stream-ends.mjs';

const config = {
  v6Keys: true,
  aeadProtect: true,
  preferredAEADAlgorithm: enums.aead.gcm,
  preferredSymmetricAlgorithm: enums.symmetric.aes256,
  aeadChunkSizeByte: 10, // 2 ** (10 + 6) bytes
};
const { privateKey, publicKey } = await generateKey({
  type: 'curve25519',
  userIDs: [{ name: 'bench' }],
  format: 'object',
  config,
});

export const name = 'openpgp';

export async function encrypt(plaintext) {
  const message = await createMessage({ binary: plaintext, format: 'binary' });
  return writeMessage({ message, encryptionKeys: publicKey, format: 'binary', config });
}

export async function decrypt(bytes) {
  const message = await readMessage({ binaryMessage: bytes });
  return (await openMessage({ message, decryptionKeys: privateKey, format: 'binary', config })).data;
}

export async function encryptStream(plaintext, take) {
  await throughWeb(await encrypt(webSource(plaintext)), take);
}

export async function decryptStream(bytes, take) {
  await throughWeb(await decrypt(webSource(bytes)), take);
}
