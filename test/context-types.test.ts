/**
 * An encryption context from code without types: what is no text binds nothing, so it is refused before it gets to a wrapped
 * data key or to an entry of a cache.
 */
import { describe, expect, it } from 'vitest';
import type { Context } from '../src/encryption-context.ts';
import { algorithmSuite, cachingCmm } from '../src/index.ts';
import { aesKeyring, failureCode } from './support/messages.ts';

const WRONG = [0, 42, true, null, undefined, {}, ['a']].map(
  (value) => ({ tenant: value }) as unknown as Context,
);
const suite = algorithmSuite(0x0478);

describe('a context with a value that is no text', () => {
  it.each(WRONG)('%j wraps and unwraps no data key', async (encryptionContext) => {
    const keyring = aesKeyring();
    const empty = { algorithmSuite: suite, encryptedDataKeys: [] };
    const wrapped = await keyring.onEncrypt({ ...empty, encryptionContext: { tenant: '' } } as never, {});
    expect(await failureCode(keyring.onEncrypt({ ...empty, encryptionContext } as never, {}))).toBe(
      'INVALID_ARGUMENT',
    );
    const materials = { algorithmSuite: suite, encryptionContext } as never;
    expect(await failureCode(keyring.onDecrypt(materials, wrapped.encryptedDataKeys, {}))).toBe(
      'INVALID_ARGUMENT',
    );
  });

  it.each(WRONG)('%j finds no entry of a cache', async (encryptionContext) => {
    const cmm = cachingCmm({ keyring: aesKeyring(), maxAgeSeconds: 60 });
    const request = {
      commitmentPolicy: 'REQUIRE_ENCRYPT_REQUIRE_DECRYPT',
      algorithmSuite: suite,
      maxPlaintextLength: 1,
    };
    await cmm.getEncryptionMaterials({ ...request, encryptionContext: { tenant: '' } } as never);
    expect(await failureCode(cmm.getEncryptionMaterials({ ...request, encryptionContext } as never))).toBe(
      'INVALID_ARGUMENT',
    );
  });
});
