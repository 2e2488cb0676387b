/**
 * The kernel of this runtime: compiled, instantiated and tested at its first use, nothing at import.
 *
 * Where it cannot be had (no SIMD, a content policy that forbids to compile) or answers wrong, it is refused for good,
 * and the callers use the platform's own primitives.
 */
import { frameModule } from '#frame-module';
import { createKernel, type Kernel } from './kernel-calls.ts';
import { failedCheck } from './self-test.ts';

export type { BlockCipher, EncryptBlocks, Kernel, KernelHash } from './kernel-calls.ts';

/** What became of the kernel. */
export interface KernelStatus {
  /** `unused`: nothing has asked for it yet. */
  readonly state: 'unused' | 'ready' | 'refused';
  /** Why it was refused. */
  readonly reason?: string;
  /** `relaxed` uses relaxed SIMD. */
  readonly build: 'plain' | 'relaxed';
}

let status: KernelStatus = { state: 'unused', build: 'plain' };
let kernel: Kernel | undefined;

/** The kernel, or `undefined` where it has been refused: see {@link kernelStatus}. */
export function loadKernel(): Kernel | undefined {
  if (status.state === 'unused') status = load();
  return kernel;
}

/** What became of the kernel, and why. */
export function kernelStatus(): KernelStatus {
  return status;
}

function load(): KernelStatus {
  const refused = (reason: string): KernelStatus => ({ state: 'refused', reason, build: 'plain' });
  try {
    const candidate = createKernel(frameModule());
    const failed = failedCheck(candidate);
    if (failed !== undefined) return refused(`wrong answer: ${failed}`);
    kernel = candidate;
    return { state: 'ready', build: 'plain' };
  } catch (error) {
    return refused(error instanceof Error ? `${error.name}: ${error.message}` : String(error));
  }
}
