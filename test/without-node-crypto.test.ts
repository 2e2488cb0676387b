/**
 * The whole library in Node as it works where there is no `node:crypto`: the built-in is hidden before its first use.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { defaultCrypto } from '../src/crypto/default-crypto.ts';
import { selectPlatform } from '../src/engine/select.ts';
import { decrypt, encrypt, multiKeyring, rawRsaKeyring } from '../src/index.ts';
import { aesKeyring, bytes, failureCode, flip, policyFor, rsaPem, SUITE_ROWS } from './support/messages.ts';
import { frames, writeNaively } from './support/naive.ts';

beforeAll(() => {
  (process as { getBuiltinModule?: unknown }).getBuiltinModule = undefined;
});

describe('without node:crypto', () => {
  it('takes WebCrypto', () => {
    expect([defaultCrypto().name, selectPlatform('native').engine.name]).toEqual(['webcrypto', 'webcrypto']);
  });

  it.each(SUITE_ROWS)('%s: writes, reads, and reads the second writer', async (_, suite) => {
    const options = { commitmentPolicy: policyFor(suite), encryptionContext: { a: 'b' } };
    const rsa = rawRsaKeyring({ keyNamespace: 'r', keyName: 'r', padding: 'oaep-sha384', ...rsaPem() });
    const keyring = multiKeyring({ generator: aesKeyring(), children: [rsa] });
    for (const length of [0, 16, 700]) {
      const { ciphertext } = await encrypt(bytes(length), {
        ...options,
        keyring,
        algorithmSuite: suite.id,
        frameLength: 16,
      });
      for (const member of [aesKeyring(), rsa]) {
        expect((await decrypt(ciphertext, { ...options, keyring: member })).plaintext).toEqual(bytes(length));
      }
      const work = decrypt(flip(ciphertext, ciphertext.length - 2), { ...options, keyring });
      expect(await failureCode(work)).toBe('AUTHENTICATION_FAILED');
    }
    const naive = {
      wrappingKey: bytes(32),
      keyNamespace: 'test',
      keyName: 'aes-1',
      suite,
      context: { a: 'b' },
    };
    const message = writeNaively({ ...naive, frameLength: 16, body: frames(bytes(70), 16) });
    expect((await decrypt(message, { ...options, keyring: aesKeyring() })).plaintext).toEqual(bytes(70));
  });

  it('reads a plaintext that is a view into a larger buffer', async () => {
    const view = bytes(5000).subarray(77, 4000);
    const { ciphertext } = await encrypt(view, { keyring: aesKeyring(), frameLength: 100 });
    expect((await decrypt(ciphertext, { keyring: aesKeyring() })).plaintext).toEqual(view.slice());
  });
});
