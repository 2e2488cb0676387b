// The keys of these tests.
import { setTimeout as sleep } from 'node:timers/promises';
import { rawAesKeyring } from 'frameseal';

export const keyring = rawAesKeyring({
  keyNamespace: 'test',
  keyName: 'files',
  wrappingKey: new Uint8Array(32),
});

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
