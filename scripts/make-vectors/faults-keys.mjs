/**
 * Faults of the encrypted data keys: their count, their names, what they hold, and what they were wrapped under.
 */
import { draw } from './draw.mjs';
import { ALL, fault, flip, UNSIGNED, V1, V2 } from './fault.mjs';
import { aesEdk, rsaEdk } from './keys.mjs';
import { u32 } from './message.mjs';

export function keyFaults(keys) {
  const wrapped = (how) => ({ edks: (materials) => [aesEdk(keys, 'aes-256', materials, how)] });
  const changed = (change) => ({ edks: (m) => [change(aesEdk(keys, 'aes-256', m))] });
  const info = (tagBits, ivLength) =>
    wrapped({
      info: (name, iv) => Buffer.concat([name, u32(tagBits), u32(ivLength), iv]),
    });
  return [
    fault('edk-count-0', 'INVALID_MESSAGE', ALL, { edkCount: 0, edks: () => [] }),
    fault('edk-count-65535', 'TRUNCATED', ALL, { edkCount: 0xffff }),
    fault(
      'edk-limit',
      'LIMIT_EXCEEDED',
      ALL,
      { edks: (m) => Array(4).fill(aesEdk(keys, 'aes-256', m)) },
      {
        options: { maxEncryptedDataKeys: 3 },
      },
    ),
    fault('edk-provider-id-not-utf8', 'INVALID_MESSAGE', ALL, wrapped({ id: Buffer.of(0xff) })),
    fault('edk-other-namespace', 'NO_DATA_KEY', ALL, wrapped({ id: Buffer.from('another') })),
    fault('edk-other-key-name', 'NO_DATA_KEY', ALL, wrapped({ keyName: 'aes-257' })),
    fault('edk-kms-only', 'NO_DATA_KEY', ALL, wrapped({ id: Buffer.from('aws-kms') })),
    fault('edk-tag-length-96', 'NO_DATA_KEY', UNSIGNED, info(96, 12)),
    fault('edk-iv-length-16', 'NO_DATA_KEY', UNSIGNED, info(128, 16)),
    fault('edk-info-short', 'NO_DATA_KEY', UNSIGNED, wrapped({ info: (name) => name })),
    fault(
      'edk-info-long',
      'NO_DATA_KEY',
      UNSIGNED,
      changed((edk) => ({
        ...edk,
        info: Buffer.concat([edk.info, Buffer.of(0)]),
      })),
    ),
    fault('edk-wrapped-under-no-context', 'NO_DATA_KEY', UNSIGNED, wrapped({ pairs: [] })),
    fault(
      'edk-tag-bit',
      'NO_DATA_KEY',
      UNSIGNED,
      changed((edk) => ({
        ...edk,
        ciphertext: flip(edk.ciphertext, edk.ciphertext.length - 1),
      })),
    ),
    fault(
      'edk-truncated',
      'NO_DATA_KEY',
      UNSIGNED,
      changed((edk) => ({
        ...edk,
        ciphertext: edk.ciphertext.subarray(0, 20),
      })),
    ),
    fault(
      'edk-empty',
      'NO_DATA_KEY',
      UNSIGNED,
      changed((edk) => ({ ...edk, ciphertext: Buffer.alloc(0) })),
    ),
    fault('edk-holds-16-bytes', 'NO_DATA_KEY', UNSIGNED, { wrappedKey: draw('a short key', 16) }),
    fault('edk-holds-another-key', 'AUTHENTICATION_FAILED', ALL, { wrappedKey: draw('another key', 32) }),
    ...rsa(keys),
  ];
}

function rsa(keys) {
  const block = (wrapping, change = (edk) => edk) => ({ edks: (m) => [change(rsaEdk(keys, wrapping, m))] });
  const bit = (edk) => ({ ...edk, ciphertext: flip(edk.ciphertext, 255) });
  const cut = (edk) => ({ ...edk, ciphertext: edk.ciphertext.subarray(1) });
  const with16 = { wrappedKey: draw('a short key', 16) };
  const oaep = { wrapping: 'rsa-oaep-sha256' };
  const pkcs1 = { wrapping: 'rsa-pkcs1' };
  return [
    fault('rsa-oaep-bit', 'NO_DATA_KEY', V2, block('rsa-oaep-sha256', bit), oaep),
    fault('rsa-oaep-other-hash', 'NO_DATA_KEY', V2, block('rsa-oaep-sha512'), oaep),
    fault('rsa-oaep-short-block', 'NO_DATA_KEY', V2, block('rsa-oaep-sha256', cut), oaep),
    fault('rsa-oaep-holds-16-bytes', 'NO_DATA_KEY', V2, { ...block('rsa-oaep-sha256'), ...with16 }, oaep),
    // PKCS#1 v1.5: wrong padding, wrong length and wrong key are one and the same.
    fault('rsa-pkcs1-bit', 'AUTHENTICATION_FAILED', [...V1, ...V2], block('rsa-pkcs1', bit), pkcs1),
    fault('rsa-pkcs1-oaep-block', 'AUTHENTICATION_FAILED', V2, block('rsa-oaep-sha256'), pkcs1),
    fault(
      'rsa-pkcs1-holds-16-bytes',
      'AUTHENTICATION_FAILED',
      V2,
      { ...block('rsa-pkcs1'), ...with16 },
      pkcs1,
    ),
    fault('rsa-pkcs1-short-block', 'AUTHENTICATION_FAILED', V2, block('rsa-pkcs1', cut), pkcs1),
  ];
}
