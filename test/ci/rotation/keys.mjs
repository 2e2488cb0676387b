// The old key of these tests and the new one.
import { rawAesKeyring } from 'frameseal';

const keyringOf = (keyName, byte) =>
  rawAesKeyring({ keyNamespace: 'test', keyName, wrappingKey: new Uint8Array(32).fill(byte) });

export const oldKeyring = keyringOf('old', 1);
export const newKeyring = keyringOf('new', 2);
