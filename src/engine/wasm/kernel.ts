/**
 * The kernel of this runtime: compiled, instantiated and tested at its first use, nothing at import.
 *
 * Where it cannot be had (no SIMD, a content policy that forbids to compile) or answers wrong, it is refused for good,
 * and the callers use the platform's own primitives.
 */
import { frameModule } from '#frame-module';
import type { Bytes } from '../../bytes.ts';
import { createKernel, type Kernel, type ReplaceableKernel } from './kernel-calls.ts';
import type { KernelStatus } from './kernel-status.ts';
import { failedCheck } from './self-test.ts';

export type { BlockCipher, EncryptBlocks, Kernel } from './kernel-calls.ts';
export type { KernelStatus } from './kernel-status.ts';

let status: KernelStatus = { state: 'unused', build: 'plain' };
let kernel: ReplaceableKernel | undefined;

/** The kernel, or `undefined` where it has been refused: see {@link kernelStatus}. */
export function loadKernel(): Kernel | undefined {
  if (status.state === 'unused') status = load();
  return kernel;
}

/** What became of the kernel, and why. */
export function kernelStatus(): KernelStatus {
  return status;
}

/**
 * Puts the build with relaxed SIMD in the kernel's place, where the runtime has relaxed SIMD and that build passes the
 * same test; otherwise everything stays as it is. Ciphers that exist go on with it.
 */
export async function upgradeKernel(): Promise<void> {
  if (loadKernel() === undefined || status.build === 'relaxed' || !WebAssembly.validate(RELAXED_PROBE))
    return;
  try {
    const { relaxedModule } = await import('./relaxed-module.ts');
    const module = relaxedModule();
    if (failedCheck(createKernel(module)) !== undefined) return;
    kernel?.replace(module);
    status = { state: 'ready', build: 'relaxed' };
  } catch {
    // Refused by the runtime: the plain build is there.
  }
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

// A module of one function: () => i8x16.relaxed_swizzle(i8x16.splat(0), i8x16.splat(0)).
const RELAXED_PROBE: Bytes = Uint8Array.of(
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
  ...[0x01, 0x05, 0x01, 0x60, 0x00, 0x01, 0x7b, 0x03, 0x02, 0x01, 0x00],
  ...[0x0a, 0x0f, 0x01, 0x0d, 0x00, 0x41, 0x00, 0xfd, 0x0f, 0x41, 0x00, 0xfd, 0x0f, 0xfd, 0x80, 0x02, 0x0b],
);
