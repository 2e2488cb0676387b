/**
 * The kernel's hashes: SHA-2 in steps.
 *
 * The state of a hash lives here between its steps and is copied into linear memory for each, so that the kernel keeps
 * nothing from one call to the next and any number of hashes may be under way.
 */
import type { Bytes } from '../../bytes.ts';
import { unreachable } from '../../errors.ts';
import type { HashName } from '../../suite/algorithm-suites.ts';
import type { KernelMemory } from './kernel-memory.ts';

/** A hash that the kernel has. */
export type KernelHash = Exclude<HashName, 'SHA-1'>;

/** Bytes of each hash. */
export const HASH_LENGTH: Record<KernelHash, number> = { 'SHA-256': 32, 'SHA-384': 48, 'SHA-512': 64 };

/** A hash in steps. Its state lives with the caller and is wiped by `digest` and `dispose`. */
export interface KernelHasher {
  /** Takes bytes of any length. The caller may change them afterwards. */
  update(bytes: Uint8Array): void;
  /** The hash of all that was taken. Nothing can be taken, nor another digest asked for, afterwards. */
  digest(): Bytes;
  /** Gives the hash up. May be called at any time, and again. */
  dispose(): void;
}

/** Runs a call in the kernel's memory, which is wiped afterwards. */
export type RunInKernel = <T>(work: (memory: KernelMemory) => T) => T;

/** Begins a hash. */
export function createKernelHasher(run: RunInKernel, hash: KernelHash): KernelHasher {
  return new Hasher(run, hash);
}

/** Bytes that are in memory at once: they are still in a near cache when they are hashed. */
const PIECE = 0x8000;

class Hasher implements KernelHasher {
  readonly #run: RunInKernel;
  readonly #length: number;
  #context: Bytes | undefined;

  constructor(run: RunInKernel, hash: KernelHash) {
    this.#run = run;
    this.#length = HASH_LENGTH[hash];
    this.#context = run((memory) => {
      const at = memory.reserve(memory.layout.hashContext);
      memory.exports.hashInit(at, this.#bits);
      return memory.take(at, memory.layout.hashContext);
    });
  }

  update(bytes: Uint8Array): void {
    const context = this.#inUse();
    this.#run((memory) => {
      const at = memory.put(context);
      const piece = memory.reserve(Math.min(bytes.length, PIECE));
      for (let from = 0; from < bytes.length; from += PIECE) {
        const length = Math.min(bytes.length - from, PIECE);
        memory.set(piece, length === bytes.length ? bytes : bytes.subarray(from, from + length));
        memory.exports.hashUpdate(at, this.#bits, piece, length);
      }
      context.set(memory.view(at, context.length));
    });
  }

  digest(): Bytes {
    const context = this.#inUse();
    const digest = this.#run((memory) => {
      const at = memory.put(context);
      const output = memory.reserve(this.#length);
      memory.exports.hashFinal(at, this.#bits, output);
      return memory.take(output, this.#length);
    });
    this.dispose();
    return digest;
  }

  dispose(): void {
    this.#context?.fill(0);
    this.#context = undefined;
  }

  get #bits(): number {
    return 8 * this.#length;
  }

  #inUse(): Bytes {
    if (this.#context === undefined) throw unreachable('a hash was used after its end');
    return this.#context;
  }
}
