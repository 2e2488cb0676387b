/**
 * Pinned data keys in Node as they work where there is neither `node:crypto` nor WebAssembly: both are hidden before their
 * first use, so that HKDF and HMAC are WebCrypto's.
 */
import { beforeAll, expect, it, vi } from 'vitest';
import { defaultCrypto } from '../../src/crypto/default-crypto.ts';
import { openPinnedDataKey } from '../../src/deterministic/index.ts';
import { encrypt } from '../../src/index.ts';
import { aesKeyring, bytes } from '../support/messages.ts';
import { naivePinned } from '../support/naive-siv.ts';

beforeAll(() => {
  (process as { getBuiltinModule?: unknown }).getBuiltinModule = undefined;
  vi.stubGlobal('WebAssembly', undefined);
});

it('writes the same with WebCrypto alone', async () => {
  expect(defaultCrypto()).toMatchObject({ name: 'webcrypto' });
  expect(defaultCrypto().headers).toBeUndefined(); // no kernel
  const keyring = aesKeyring();
  const { ciphertext: pinned } = await encrypt(bytes(32), { keyring, algorithmSuite: 0x0478 });
  const key = await openPinnedDataKey(pinned, { keyring });
  const second = naivePinned(bytes(32));
  const context = { tenant: 'acme' };
  const ciphertext = await key.encrypt(bytes(70), { field: 'a', context });
  expect(ciphertext).toEqual(new Uint8Array(second.encrypt(bytes(70), 'a', Object.entries(context))));
  expect(await key.decrypt(ciphertext, { field: 'a', context })).toEqual(bytes(70));
  const working = key.index(bytes(70), { field: 'a', length: 64 });
  key.dispose();
  expect(await working).toEqual(new Uint8Array(second.index(bytes(70), 'a', 64)));
});
