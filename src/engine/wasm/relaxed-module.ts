/**
 * The kernel with relaxed SIMD, for runtimes that have it: reached by a dynamic import alone, so that nothing else pays
 * for a second kernel.
 */
import { hexBytes } from '../../bytes.ts';
import { FRAME_HEX } from './frame-relaxed-bytes.gen.ts';

/**
 * Compiles the kernel with relaxed SIMD.
 * @throws WebAssembly.CompileError where the runtime has none or a content policy forbids to compile.
 */
export function relaxedModule(): WebAssembly.Module {
  return new WebAssembly.Module(hexBytes(FRAME_HEX));
}
