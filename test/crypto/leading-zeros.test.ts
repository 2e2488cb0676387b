/**
 * An RSA-OAEP that is done on integers, and loses the zeros at the front of what it has decrypted.
 */
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { createWebCrypto } from '../../src/crypto/webcrypto.ts';
import { bytes, rsaPem } from '../support/messages.ts';

const { rsaDecryptor, rsaEncryptor } = createWebCrypto();
const pem = rsaPem();

beforeAll(() => {
  const decrypt = crypto.subtle.decrypt.bind(crypto.subtle);
  vi.spyOn(crypto.subtle, 'decrypt').mockImplementation(async (...call) => {
    const plaintext = new Uint8Array(await decrypt(...call));
    const first = plaintext.findIndex((byte) => byte !== 0);
    return plaintext.slice(first < 0 ? plaintext.length : first).buffer;
  });
});

afterEach(() => vi.clearAllMocks());

async function unwrapped(dataKey: Uint8Array<ArrayBuffer>, length = dataKey.length) {
  const padding = 'oaep-sha256';
  const ciphertext = await (await rsaEncryptor(padding, pem.publicKey)).encrypt(dataKey);
  return (await rsaDecryptor(padding, pem.privateKey)).decrypt(ciphertext, length);
}

describe('a data key that begins with zeros', () => {
  it.each([0, 1, 2, 4])('opens with %d of them', async (zeros) => {
    for (const length of [16, 24, 32]) {
      const dataKey = bytes(length).map((byte, i) => (i < zeros ? 0 : byte | 1));
      expect(await unwrapped(dataKey)).toEqual(dataKey);
    }
  });

  it('is not made up from a block that holds far too few bytes', async () => {
    expect((await unwrapped(bytes(16).fill(7), 32))?.length).toBe(16);
  });
});
