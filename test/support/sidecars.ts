/**
 * What tests of sidecars share: a message with one, and callers' own keyrings.
 */
import {
  addWrappingKeys,
  type Bytes,
  type EncryptedDataKey,
  type EncryptOptions,
  encrypt,
  type Keyring,
} from '../../src/index.ts';
import { aesKeyring, bytes } from './messages.ts';

/** A message under `aesKeyring(1)`, and a sidecar of it that adds `aesKeyring(2)`, unless others are given. */
export async function withSidecar(
  options: Omit<EncryptOptions, 'keyring'> & { readonly keyring?: Keyring; readonly add?: Keyring } = {},
): Promise<{ ciphertext: Bytes; sidecar: Bytes; plaintext: Bytes }> {
  const { add = aesKeyring(2), ...rest } = { keyring: aesKeyring(1), ...options };
  const plaintext = bytes(100);
  const { ciphertext } = await encrypt(plaintext, { frameLength: 16, ...rest });
  const { sidecar } = await addWrappingKeys(ciphertext, { ...rest, add });
  return { ciphertext, sidecar, plaintext };
}

/** The keyring, with a note of what each of its `onDecrypt` was asked, and of how often it was asked to wrap. */
export function spied(keyring: Keyring): Keyring & {
  readonly requests: (readonly EncryptedDataKey[])[];
  readonly wraps: { count: number };
} {
  const requests: (readonly EncryptedDataKey[])[] = [];
  const wraps = { count: 0 };
  return {
    requests,
    wraps,
    onEncrypt: (materials, options) => {
      wraps.count++;
      return keyring.onEncrypt(materials, options);
    },
    onDecrypt: (materials, edks, options) => {
      requests.push(edks.map((edk) => ({ ...edk })));
      return keyring.onDecrypt(materials, edks, options);
    },
  };
}

const PAD = 0x5a;

/** A caller's keyring under which any bytes of the right length unwrap to some data key. It can only wrap. */
export function malleableKeyring(providerId = 'malleable'): Keyring {
  const turned = (key: Uint8Array) => key.map((byte) => byte ^ PAD) as Bytes;
  return {
    onEncrypt: async (materials) => {
      const { plaintextDataKey, encryptedDataKeys } = materials;
      const edk = { providerId, providerInfo: bytes(3), ciphertext: turned(plaintextDataKey!) };
      return { ...materials, encryptedDataKeys: [...encryptedDataKeys, edk] };
    },
    onDecrypt: async (materials, edks) => {
      const edk = edks.find((one) => one.providerId === providerId);
      return edk ? { ...materials, plaintextDataKey: turned(edk.ciphertext) } : materials;
    },
  };
}
