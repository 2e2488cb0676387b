/**
 * The cipher of one message over the kernel. The key lives here between calls, and nothing in the kernel does.
 */
import { type Bytes, copy } from '../../bytes.ts';
import { unreachable } from '../../errors.ts';
import type { FrameCipher, OpenJob, SealJob } from '../engine.ts';
import type { BlockCipher, Kernel } from './kernel-calls.ts';

/** @param makeCipher AES under the key that it is given; by default the kernel's own. */
export function createKernelCipher(
  kernel: Kernel,
  key: Uint8Array,
  messageId: Uint8Array,
  makeCipher: (key: Bytes) => BlockCipher = (own) => own,
): FrameCipher {
  return new KernelFrameCipher(kernel, key, messageId, makeCipher);
}

class KernelFrameCipher implements FrameCipher {
  readonly #kernel: Kernel;
  readonly #key: Bytes;
  readonly #messageId: Bytes;
  readonly #makeCipher: (key: Bytes) => BlockCipher;
  #cipher: BlockCipher | undefined;
  #disposed = false;

  constructor(
    kernel: Kernel,
    key: Uint8Array,
    messageId: Uint8Array,
    makeCipher: (key: Bytes) => BlockCipher,
  ) {
    this.#kernel = kernel;
    this.#key = copy(key);
    this.#messageId = copy(messageId);
    this.#makeCipher = makeCipher;
  }

  seal(job: SealJob): void {
    this.#kernel.sealFrames(this.#blockCipher(), this.#messageId, job);
  }

  open(job: OpenJob): number {
    return this.#kernel.openFrames(this.#blockCipher(), this.#messageId, job);
  }

  dispose(): void {
    this.#disposed = true;
    this.#key.fill(0);
    this.#cipher = undefined;
  }

  #blockCipher(): BlockCipher {
    if (this.#disposed) throw unreachable('a frame was asked of a cipher that has been disposed');
    this.#cipher ??= this.#makeCipher(this.#key);
    return this.#cipher;
  }
}
