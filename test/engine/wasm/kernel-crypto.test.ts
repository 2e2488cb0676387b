import { describe, expect, it, vi } from 'vitest';
import type { Crypto } from '../../../src/crypto/crypto.ts';
import { withKernel } from '../../../src/crypto/kernel-crypto.ts';
import { createNodeCrypto } from '../../../src/crypto/node-crypto.ts';
import { createWebCrypto } from '../../../src/crypto/webcrypto.ts';
import { loadKernel } from '../../../src/engine/wasm/kernel.ts';
import { bytes } from '../../support/messages.ts';

const node = createNodeCrypto(await import('node:crypto'));
const kernel = loadKernel()!;

describe.each<readonly [string, Crypto, number]>([
  ['node', node, 1024],
  ['webcrypto', createWebCrypto(), 8192],
])('the kernel in front of %s', (_, platform, short) => {
  const base = {
    ...platform,
    aesGcmSeal: vi.fn(platform.aesGcmSeal),
    aesGcmOpen: vi.fn(platform.aesGcmOpen),
    hkdf: vi.fn(platform.hkdf),
  };
  const crypto = withKernel(base, kernel);
  const [key, iv] = [bytes(32), bytes(12)];

  it('seals and opens what is short by itself, and all else by the platform', async () => {
    for (const [aad, text, own] of [
      [short, 0, true],
      [0, Math.floor(short / 3), true],
      [short + 1, 0, false],
      [short - 2, 1, false],
    ] as const) {
      vi.clearAllMocks();
      const sealed = await crypto.aesGcmSeal(key, iv, bytes(aad), bytes(text));
      expect(sealed).toEqual(await node.aesGcmSeal(key, iv, bytes(aad), bytes(text)));
      expect(await crypto.aesGcmOpen(key, iv, bytes(aad), sealed)).toEqual(bytes(text));
      sealed[text]! ^= 1;
      expect(await crypto.aesGcmOpen(key, iv, bytes(aad), sealed)).toBeUndefined();
      expect(base.aesGcmSeal).toHaveBeenCalledTimes(own ? 0 : 1);
      expect(base.aesGcmOpen).toHaveBeenCalledTimes(own ? 0 : 2);
    }
  });

  it('leaves keys of WebCrypto to the platform', async () => {
    const cryptoKey = await globalThis.crypto.subtle.importKey('raw', key, 'AES-GCM', false, ['encrypt']);
    vi.clearAllMocks();
    expect(await crypto.aesGcmSeal(cryptoKey, iv, bytes(3), bytes(5))).toEqual(
      await node.aesGcmSeal(key, iv, bytes(3), bytes(5)),
    );
    expect(base.aesGcmSeal).toHaveBeenCalledOnce();
  });

  it('derives what a message needs by itself, and all else by the platform', async () => {
    const info = bytes(9, 2);
    for (const [hash, saltLength, length, own] of [
      ['SHA-512', 32, 32, true],
      ['SHA-512', 32, 64, true],
      ['SHA-384', 0, 48, true],
      ['SHA-256', 16, 16, true],
      ['SHA-256', 16, 33, false],
      ['SHA-1', 16, 20, false],
      ['SHA-256', 40_000, 16, false],
    ] as const) {
      vi.clearAllMocks();
      const outputs = [
        { info, length },
        { info: bytes(0), length: 7 },
      ];
      expect(await crypto.hkdf(hash, key, bytes(saltLength), outputs)).toEqual(
        await node.hkdf(hash, key, bytes(saltLength), outputs),
      );
      expect(base.hkdf).toHaveBeenCalledTimes(own ? 0 : 1);
    }
  });
});
