/**
 * Primitives with the kernel in front: it derives keys and seals short messages (header tags, wrapped data keys) in less
 * time than a call into the platform takes. Everything else is the platform's.
 */
import { HASH_LENGTH, type Kernel, type KernelHash } from '../engine/wasm/kernel-calls.ts';
import { type HashName, TAG_LENGTH } from '../suite/algorithm-suites.ts';
import type { AesKey, Crypto, HkdfOutput } from './crypto.ts';

/**
 * Up to here the kernel's AES-GCM is the faster one, measured in Node: bytes of associated data, and of plaintext three
 * times, because it goes through AES as well. A call that has to be awaited costs ten times as much.
 */
const SHORT: Record<Crypto['name'], number> = { node: 1024, webcrypto: 8192 };
/** Bytes of an AES-192 key: the kernel takes any length under it, for neither Chromium nor Deno's `node:crypto` have it. */
const AES_192 = 24;
/** Input of HKDF beyond this is no message's: it is not worth a larger memory. */
const HKDF_INPUT = 0x8000;

/** The primitives of `base`, those by `kernel` that it does faster. */
export function withKernel(base: Crypto, kernel: Kernel): Crypto {
  const short = (key: AesKey, aad: Uint8Array, length: number): key is Uint8Array =>
    key instanceof Uint8Array && (key.length === AES_192 || aad.length + 3 * length <= SHORT[base.name]);
  return {
    ...base,
    aesGcmSeal: (key, iv, aad, plaintext) =>
      short(key, aad, plaintext.length)
        ? kernel.gcmSeal(key, iv, aad, plaintext)
        : base.aesGcmSeal(key, iv, aad, plaintext),
    aesGcmOpen: (key, iv, aad, sealed) =>
      short(key, aad, sealed.length - TAG_LENGTH)
        ? kernel.gcmOpen(key, iv, aad, sealed)
        : base.aesGcmOpen(key, iv, aad, sealed),
    hkdf: (hash, key, salt, outputs) =>
      isKernelHash(hash) && fits(hash, key, salt, outputs)
        ? kernel.hkdf(hash, key, salt, outputs)
        : base.hkdf(hash, key, salt, outputs),
    headers: {
      maxLength: SHORT[base.name],
      seal: (...header) => kernel.sealHeader(...header),
      open: (...header) => kernel.openHeader(...header),
    },
  };
}

function isKernelHash(hash: HashName): hash is KernelHash {
  return hash in HASH_LENGTH;
}

function fits(hash: KernelHash, key: Uint8Array, salt: Uint8Array, outputs: readonly HkdfOutput[]): boolean {
  let input = key.length + salt.length;
  for (const { info, length } of outputs) {
    if (length > HASH_LENGTH[hash]) return false;
    input += info.length;
  }
  return input <= HKDF_INPUT;
}
