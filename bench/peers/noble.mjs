// @noble: AES-256-GCM and HKDF in JavaScript. No format: the nonce is kept beside what is sealed.
import { randomBytes } from 'node:crypto';
import { gcm } from '@noble/ciphers/aes.js';

const key = randomBytes(32);

export { hkdf } from '@noble/hashes/hkdf.js';
export { sha256, sha384, sha512 } from '@noble/hashes/sha2.js';

export const name = '@noble/ciphers';

export function encrypt(plaintext) {
  const nonce = randomBytes(12);
  return { nonce, sealed: gcm(key, nonce).encrypt(plaintext) };
}

export function decrypt({ nonce, sealed }) {
  return gcm(key, nonce).decrypt(sealed);
}

/** Ciphertext and tag. */
export function seal(frameKey, nonce, aad, plaintext) {
  return gcm(frameKey, nonce, aad).encrypt(plaintext);
}

/** @throws unless it is authentic */
export function open(frameKey, nonce, aad, sealed) {
  return gcm(frameKey, nonce, aad).decrypt(sealed);
}
