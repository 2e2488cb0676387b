/**
 * What is left in memory. The plaintext that `decrypt` hands over and every key that HKDF answers are noted as they pass.
 */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { defaultCrypto } from '../../src/crypto/default-crypto.ts';
import { createPinnedDataKey, openPinnedDataKey } from '../../src/deterministic/index.ts';
import type { DecryptResult } from '../../src/index.ts';
import { encrypt } from '../../src/index.ts';
import { aesKeyring, bytes, failure, failureCode } from '../support/messages.ts';

const keyring = aesKeyring();
const EMAIL = { field: 'users.email' };

const decrypted: Uint8Array[] = [];
vi.mock('../../src/decrypt.ts', async (original) => {
  const real = await original<typeof import('../../src/decrypt.ts')>();
  const decrypt = async (...args: Parameters<typeof real.decrypt>): Promise<DecryptResult> => {
    const result = await real.decrypt(...args);
    decrypted.push(result.plaintext);
    return result;
  };
  return { ...real, decrypt };
});

/** The calls of HKDF that pinned data keys make: what went in, and what came out. */
const derived: { secret: Uint8Array; keys: readonly Uint8Array[] }[] = [];
let breakHkdf = false;

beforeEach(() => {
  decrypted.length = derived.length = 0;
  breakHkdf = false;
  const crypto = defaultCrypto();
  const real = crypto.hkdf;
  vi.spyOn(crypto, 'hkdf').mockImplementation(async (hash, secret, salt, outputs) => {
    const keys = await real(hash, secret, salt, outputs);
    if (!Buffer.from(outputs[0]!.info).toString('latin1').startsWith('frameseal/det/')) return keys;
    derived.push({ secret, keys });
    if (breakHkdf) throw new Error('broken');
    return keys;
  });
});

afterEach(() => {
  vi.restoreAllMocks();
});

describe('nothing stays', () => {
  it.each([
    ['made', keyring, undefined],
    ['not made', { ...keyring, onEncrypt: () => Promise.reject(new Error('refused')) }, 'refused'],
  ])('of the secret of a key that was %s', async (_, maker, error) => {
    const draw = vi.spyOn(crypto, 'getRandomValues');
    await createPinnedDataKey({ keyring: maker }).catch(({ message }) => expect(message).toBe(error));
    const secrets = draw.mock.results.map(({ value }) => value).filter(({ length }) => length === 32);
    expect(secrets).toEqual([new Uint8Array(32)]);
  });

  it('of an index key and its copy of the secret, while the key itself stays', async () => {
    const key = await openPinnedDataKey(await createPinnedDataKey({ keyring }), { keyring });
    await key.index(bytes(5), EMAIL);
    await failure(key.index(bytes(5), { field: '' }));
    expect(derived).toHaveLength(2);
    expect(wiped(derived[1]!.secret, ...derived[1]!.keys)).toBe(true);
    expect([derived[0]!.secret, derived[0]!.keys[0]].some((left) => wiped(left!))).toBe(false);
  });

  it('of a disposed key', async () => {
    const key = await openPinnedDataKey(await createPinnedDataKey({ keyring }), { keyring });
    const sivKey = derived[0]!.keys[0]!;
    expect(derived[0]!.secret).toBe(decrypted[0]);
    expect([sivKey.length, wiped(sivKey), wiped(decrypted[0]!)]).toEqual([64, false, false]);
    key.dispose();
    expect(wiped(sivKey, decrypted[0]!)).toBe(true);
  });

  it('of a plaintext that is no secret', async () => {
    const { ciphertext } = await encrypt(bytes(33), { keyring });
    expect(await failureCode(openPinnedDataKey(ciphertext, { keyring }))).toBe('INVALID_MESSAGE');
    expect(wiped(decrypted[0]!)).toBe(true);
  });

  it('of a secret whose keys could not be derived', async () => {
    const pinned = await createPinnedDataKey({ keyring });
    breakHkdf = true;
    await expect(openPinnedDataKey(pinned, { keyring })).rejects.toThrow('broken');
    expect(wiped(decrypted[0]!)).toBe(true);
  });

  it('to be seen when a key is printed, copied or sent', async () => {
    const key = await openPinnedDataKey(await createPinnedDataKey({ keyring }), { keyring });
    expect(Reflect.ownKeys(key)).toEqual(['keyId']);
  });
});

describe('a disposed key', () => {
  it('refuses every call, says why, and may be disposed of again', async () => {
    const key = await openPinnedDataKey(await createPinnedDataKey({ keyring }), { keyring });
    const ciphertext = await key.encrypt(bytes(5), EMAIL);
    const keyId = key.keyId.slice();
    key.dispose();
    key.dispose();
    const calls = [key.encrypt(bytes(5), EMAIL), key.decrypt(ciphertext, EMAIL), key.index(bytes(5), EMAIL)];
    for (const { code, message } of await Promise.all(calls.map((call) => failure(call))))
      expect([code, message]).toEqual(['INVALID_ARGUMENT', expect.stringContaining('disposed of')]);
    expect(key.keyId).toEqual(keyId);
  });

  it('is what a using declaration leaves', async () => {
    const pinned = await createPinnedDataKey({ keyring });
    let left: Awaited<ReturnType<typeof openPinnedDataKey>>;
    {
      using key = await openPinnedDataKey(pinned, { keyring });
      left = key;
    }
    expect(await failureCode(left.encrypt(bytes(5), EMAIL))).toBe('INVALID_ARGUMENT');
  });

  it('never answers under wiped keys: calls that have begun end as if it were not', async () => {
    const pinned = await createPinnedDataKey({ keyring });
    const [key, other] = [
      await openPinnedDataKey(pinned, { keyring }),
      await openPinnedDataKey(pinned, { keyring }),
    ];
    const index = await other.index(bytes(5), EMAIL);
    const ciphertext = await other.encrypt(bytes(5), EMAIL);
    const begun = Promise.all([key.index(bytes(5), EMAIL), key.encrypt(bytes(5), EMAIL)]);
    key.dispose();
    expect(await begun).toEqual([index, ciphertext]);
  });
});

function wiped(...keys: readonly Uint8Array[]): boolean {
  return keys.every((key) => key.length > 0 && key.every((byte) => byte === 0));
}
