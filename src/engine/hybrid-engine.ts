/**
 * Frames by both: AES by `node:crypto`, for the counter blocks of many frames in one call, everything else by the
 * kernel. A cipher object for each frame costs more than a small frame; this way a message needs one.
 *
 * Counter blocks go in chunks of up to 64 KiB through AES in ECB mode, which is here no mode of encryption but the bare
 * block cipher that counter mode is made of (NIST SP 800-38A section 6.5).
 */
import type { KeyObject } from 'node:crypto';
import type { Bytes } from '../bytes.ts';
import { nodeMajorVersion } from '../crypto/node-builtin.ts';
import type { FrameEngine } from './engine.ts';
import type { EncryptBlocks, Kernel } from './wasm/kernel.ts';
import { createKernelCipher } from './wasm/kernel-cipher.ts';

type NodeCrypto = typeof import('node:crypto');

/** The engine over this kernel and this module. */
export function createHybridEngine(kernel: Kernel, node: NodeCrypto): FrameEngine {
  // A key used once is cheaper raw, but not since Node 24.
  const rawKeyIsSlow = nodeMajorVersion() >= 24;
  const ecb = (key: Bytes) => nativeEcb(node, key, rawKeyIsSlow ? node.createSecretKey(key) : key);
  return {
    name: 'hybrid',
    cipher: (key, messageId) => createKernelCipher(kernel, key, messageId, ecb),
  };
}

// One cipher object for all calls of a message: without padding it holds back no block.
function nativeEcb(node: NodeCrypto, { length }: Bytes, key: KeyObject | Bytes): EncryptBlocks {
  const cipher = node.createCipheriv(`aes-${8 * length}-ecb`, key, ''); // an empty IV: workerd takes no null
  cipher.setAutoPadding(false);
  return (blocks) => cipher.update(blocks);
}
