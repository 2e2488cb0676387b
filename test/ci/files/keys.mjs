// The keys of these tests.
import { setTimeout as sleep } from 'node:timers/promises';
import { rawAesKeyring } from 'frameseal';

const key = (keyName, byte) =>
  rawAesKeyring({ keyNamespace: 'test', keyName, wrappingKey: new Uint8Array(32).fill(byte) });

export const keyring = key('files', 0);
/** The key of rewrapped messages. */
export const other = key('other', 1);

/** The same keyring, after a while. */
export function waiting(milliseconds = 20_000) {
  const later =
    (operation) =>
    async (...request) => {
      await sleep(milliseconds);
      return keyring[operation](...request);
    };
  return { onEncrypt: later('onEncrypt'), onDecrypt: later('onDecrypt') };
}
