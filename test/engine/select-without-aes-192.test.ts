/**
 * As in Chromium: no `node:crypto`, and a WebCrypto that has no AES-192.
 */
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { equal } from '../../src/bytes.ts';
import { engineFor } from '../../src/engine/engine-table.ts';
import { availableEngines, engineTable, resetEngines, selectPlatform } from '../../src/engine/select.ts';
import { decrypt, encrypt, warmUp } from '../../src/index.ts';
import { aesKeyring, bytes, failureCode } from '../support/messages.ts';

const AES_192 = 0x0046;
const keyring = aesKeyring();
const options = { keyring, commitmentPolicy: 'FORBID_ENCRYPT_ALLOW_DECRYPT' } as const;

beforeAll(() => {
  (process as { getBuiltinModule?: unknown }).getBuiltinModule = undefined;
  const importKey = crypto.subtle.importKey.bind(crypto.subtle) as (...args: unknown[]) => Promise<CryptoKey>;
  vi.spyOn(crypto.subtle, 'importKey').mockImplementation(async (...args: readonly unknown[]) => {
    const [format, key, algorithm] = args;
    if (format === 'raw' && algorithm === 'AES-GCM' && (key as Uint8Array).length === 24)
      throw new DOMException('192-bit AES keys are not supported', 'OperationError');
    return importKey(...args);
  });
});

afterEach(resetEngines);

// Every engine but `native`, which lacks these keys, reads what auto has written.
async function exchange(frameLength: number, length: number): Promise<void> {
  const plaintext = bytes(length);
  const { ciphertext } = await encrypt(plaintext, { ...options, algorithmSuite: AES_192, frameLength });
  for (const engine of ['auto', 'wasm'] as const)
    expect(equal((await decrypt(ciphertext, { ...options, engine })).plaintext, plaintext)).toBe(true);
  expect(await failureCode(decrypt(ciphertext, { ...options, engine: 'native' }))).toBe('UNSUPPORTED');
}

describe('where native has no AES-192', () => {
  it('auto serves it by the kernel, at every length and number of frames', async () => {
    expect(availableEngines()).toEqual(['native', 'wasm']);
    expect(selectPlatform('native').engine.name).toBe('webcrypto');
    for (const frameLength of [64, 1024, 4096, 4097, 65_536]) {
      await exchange(frameLength, frameLength - 1);
      await exchange(frameLength, 20 * frameLength + 5);
    }
  });

  it('auto serves headers and wrapped keys of any length by the kernel', async () => {
    for (const length of [8000, 9000, 60_000]) {
      const encryptionContext = { long: 'v'.repeat(length) };
      const under192 = { ...options, keyring: aesKeyring(2, 24), encryptionContext, algorithmSuite: AES_192 };
      const { ciphertext } = await encrypt(bytes(100), under192);
      const { keyring } = under192;
      expect(equal((await decrypt(ciphertext, { ...options, keyring })).plaintext, bytes(100))).toBe(true);
    }
  });

  it('auto still leaves long frames to native under the other key lengths', async () => {
    const served = vi.spyOn(selectPlatform('native').engine, 'cipher');
    for (const algorithmSuite of [0x0014, 0x0078]) {
      served.mockClear();
      await encrypt(bytes(65_536), { ...options, algorithmSuite, frameLength: 65_536 });
      expect(served).toHaveBeenCalledOnce();
    }
    served.mockRestore();
  });

  it('warmUp measures what there is, and auto goes on serving it by the kernel', async () => {
    const { measured, runtime, source } = await warmUp();
    expect([runtime, source]).toEqual(['web', 'measured']);
    const under = (keyLength: number) => measured.filter((one) => one.keyLength === keyLength);
    expect(new Set(under(24).map(({ engine }) => engine))).toEqual(new Set(['wasm']));
    for (const keyLength of [16, 32])
      expect(new Set(under(keyLength).map(({ engine }) => engine))).toEqual(new Set(['native', 'wasm']));
    for (const frameLength of [1, 4096, 65_536, 0xffff_ffff]) {
      for (const frames of [1, 2, 16, 1000])
        expect(engineFor(engineTable(), 24, frameLength, frames)).toBe('wasm');
    }
    await exchange(65_536, 200_000);
  });
});
