/**
 * A kernel of its own for a test: its memories are seen, and its exports may be changed.
 */
import { vi } from 'vitest';
import type { Kernel, KernelStatus } from '../../../src/engine/wasm/kernel.ts';
import type { KernelExports } from '../../../src/engine/wasm/kernel-memory.ts';

const real = globalThis.WebAssembly;

/** Changes of exports, made from the true ones. */
export type Tamper = (exports: KernelExports, memory: WebAssembly.Memory) => Partial<KernelExports>;

export interface FreshKernel {
  readonly kernel: Kernel | undefined;
  readonly status: KernelStatus;
  /** The memory of each instance that was made, in order. */
  readonly memories: readonly WebAssembly.Memory[];
}

/** Loads the library's kernel modules anew under a WebAssembly that keeps what it makes. */
export async function freshKernel(tamper: Tamper = () => ({})): Promise<FreshKernel> {
  const memories: WebAssembly.Memory[] = [];
  class Instance {
    readonly exports: WebAssembly.Exports;
    constructor(module: WebAssembly.Module, imports: { env: { memory: WebAssembly.Memory } }) {
      const { memory } = imports.env;
      const { exports } = new real.Instance(module, imports);
      memories.push(memory);
      this.exports = {
        ...exports,
        ...tamper(exports as unknown as KernelExports, memory),
      } as WebAssembly.Exports;
    }
  }
  vi.stubGlobal('WebAssembly', { Module: real.Module, Memory: real.Memory, Instance });
  return { ...(await loaded()), memories };
}

/** Loads the kernel modules anew under this WebAssembly. */
export async function loaded(): Promise<{ kernel: Kernel | undefined; status: KernelStatus }> {
  vi.resetModules();
  const { kernelStatus, loadKernel } = await import('../../../src/engine/wasm/kernel.ts');
  const kernel = loadKernel();
  return { kernel, status: kernelStatus() };
}
