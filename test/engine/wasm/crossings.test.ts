import { afterEach, describe, expect, it, vi } from 'vitest';
import { type Kernel, loadKernel } from '../../../src/engine/wasm/kernel.ts';
import { decrypt, encrypt } from '../../../src/index.ts';
import { aesKeyring, bytes } from '../../support/messages.ts';

const keyring = aesKeyring();
const CALLS = ['gcmSeal', 'gcmOpen', 'hkdf', 'sealHeader', 'openHeader', 'sealFrames', 'openFrames'] as const;

/** Counts what is called of the kernel from now on. */
function counting(): () => Record<string, number> {
  const kernel: Kernel = loadKernel()!;
  const spies = CALLS.map((name) => [name, vi.spyOn(kernel, name)] as const);
  return () => {
    const counts = spies.map(([name, spy]) => [name, spy.mock.calls.length] as const);
    return Object.fromEntries(counts.filter(([, count]) => count > 0));
  };
}

afterEach(() => vi.restoreAllMocks());

describe('a small message', () => {
  it.each([0, 1, 100, 768])(
    'of %i bytes is two calls of the kernel, and one to wrap its data key',
    async (length) => {
      const options = { keyring, algorithmSuite: 0x0478 };
      const sealing = counting();
      const { ciphertext } = await encrypt(bytes(length), options);
      expect(sealing()).toEqual({ gcmSeal: 1, sealHeader: 1, sealFrames: 1 });
      vi.restoreAllMocks();
      const opening = counting();
      expect((await decrypt(ciphertext, { keyring })).plaintext).toEqual(bytes(length));
      expect(opening()).toEqual({ gcmOpen: 1, openHeader: 1, openFrames: 1 });
    },
  );

  it('whose frame is faster by native AES-GCM leaves its keys and its header to the kernel', async () => {
    const sealing = counting();
    await encrypt(bytes(4000), { keyring, algorithmSuite: 0x0478 });
    expect(sealing()).toEqual({ gcmSeal: 1, sealHeader: 1 });
  });
});
