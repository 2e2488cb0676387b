// JWE in compact form: A256GCM under a key of its own, which A256GCMKW wraps. The whole message is one frame, as text.
import { randomBytes } from 'node:crypto';
import { CompactEncrypt, compactDecrypt } from 'jose';

const key = randomBytes(32);
const header = { alg: 'A256GCMKW', enc: 'A256GCM' };

export const name = 'jose';

export function encrypt(plaintext) {
  return new CompactEncrypt(plaintext).setProtectedHeader(header).encrypt(key);
}

export async function decrypt(message) {
  return (await compactDecrypt(message, key)).plaintext;
}
