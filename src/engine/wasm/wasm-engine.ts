/**
 * Frames by the kernel alone: many in one call.
 */

import type { FrameEngine } from '../engine.ts';
import type { Kernel } from './kernel.ts';
import { createKernelCipher } from './kernel-cipher.ts';

/** The engine over this kernel. */
export function createWasmEngine(kernel: Kernel): FrameEngine {
  return { name: 'wasm', cipher: (key, messageId) => createKernelCipher(kernel, key, messageId) };
}
