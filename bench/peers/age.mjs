// age for one X25519 recipient: ChaCha20-Poly1305 in frames of 64 KiB.
import { Decrypter, Encrypter, generateIdentity, identityToRecipient } from 'age-encryption';
import { throughWeb, webSource } from '../adapters/stream-ends.mjs';

const identity = await generateIdentity();
const encrypter = new Encrypter();
encrypter.addRecipient(await identityToRecipient(identity));
const decrypter = new Decrypter();
decrypter.addIdentity(identity);

export const name = 'age-encryption';

export function encrypt(plaintext) {
  return encrypter.encrypt(plaintext);
}

export function decrypt(message) {
  return decrypter.decrypt(message);
}

export async function encryptStream(plaintext, take) {
  await throughWeb(await encrypter.encrypt(webSource(plaintext)), take);
}

export async function decryptStream(message, take) {
  await throughWeb(await decrypter.decrypt(webSource(message)), take);
}
