/**
 * As in Deno: a `node:crypto` that has no AES-192-GCM, and a WebCrypto that has it.
 */
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { equal } from '../../src/bytes.ts';
import { availableEngines, resetEngines, selectPlatform } from '../../src/engine/select.ts';
import { decrypt, encrypt } from '../../src/index.ts';
import { aesKeyring, bytes, failureCode, flip } from '../support/messages.ts';

const AES_192 = [0x0046, 0x0146, 0x0346];
const ENGINES = ['auto', 'native', 'wasm', 'hybrid'] as const;
const options = { keyring: aesKeyring(), commitmentPolicy: 'FORBID_ENCRYPT_ALLOW_DECRYPT' } as const;
const calls = vi.fn();

beforeAll(() => {
  const whole = process.getBuiltinModule('node:crypto');
  const without =
    (make: (...args: never[]) => unknown) =>
    (name: string, ...rest: readonly unknown[]) => {
      calls(name);
      if (name === 'aes-192-gcm') throw new Error('Unknown cipher');
      return make(...([name, ...rest] as never[]));
    };
  const deno = {
    ...whole,
    createCipheriv: without(whole.createCipheriv),
    createDecipheriv: without(whole.createDecipheriv),
  };
  vi.spyOn(process as { getBuiltinModule: (id: string) => unknown }, 'getBuiltinModule').mockReturnValue(
    deno,
  );
});

afterEach(resetEngines);

describe('where node:crypto has no AES-192', () => {
  it('every engine is there, native seals frames by WebCrypto, and headers by node:crypto', async () => {
    expect(availableEngines()).toEqual(['native', 'wasm', 'hybrid']);
    expect(selectPlatform('native').engine.name).toBe('webcrypto');
    calls.mockClear();
    await encrypt(bytes(100), { keyring: options.keyring, engine: 'native' });
    expect(calls).toHaveBeenCalledWith('aes-256-gcm');
  });

  it.each(ENGINES)('%s writes and all read, short headers and long ones', async (engine) => {
    for (const algorithmSuite of AES_192) {
      for (const length of [10, 2000, 60_000]) {
        const encryptionContext = { long: 'v'.repeat(length) };
        const writing = { ...options, engine, algorithmSuite, encryptionContext, frameLength: 1000 };
        const { ciphertext } = await encrypt(bytes(5500), writing);
        for (const reader of ENGINES) {
          const { plaintext } = await decrypt(ciphertext, { ...options, engine: reader });
          expect(equal(plaintext, bytes(5500))).toBe(true);
        }
      }
    }
  });

  it('native refuses what was altered', async () => {
    const { ciphertext } = await encrypt(bytes(5500), {
      ...options,
      algorithmSuite: 0x0046,
      frameLength: 1000,
    });
    for (const at of [ciphertext.length - 1, ciphertext.length - 3000]) {
      const altered = flip(ciphertext, at);
      const code = await failureCode(decrypt(altered, { ...options, engine: 'native' }));
      expect(code).toBe('AUTHENTICATION_FAILED');
    }
  });
});
