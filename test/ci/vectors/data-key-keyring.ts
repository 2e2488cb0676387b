/**
 * A keyring for vectors that name the data key itself.
 */
import type { Keyring } from '../../../src/index.ts';

/** Answers this data key, whatever wraps it. */
export function dataKeyKeyring(plaintextDataKey: Uint8Array): Keyring {
  return {
    onEncrypt: async (materials) => ({ ...materials, plaintextDataKey }),
    onDecrypt: async (materials) => ({ ...materials, plaintextDataKey }),
  };
}
