/**
 * The kernel as a module, compiled from bytes that lie in the code. workerd, which compiles no bytes at run time, takes
 * `frame-module.workerd.ts` instead (`imports` in `package.json`).
 */
import { hexBytes } from '../../bytes.ts';
import { FRAME_HEX } from './frame-bytes.gen.ts';

/**
 * Compiles the kernel.
 * @throws WebAssembly.CompileError where the runtime has no SIMD or a content policy forbids to compile.
 */
export function frameModule(): WebAssembly.Module {
  return new WebAssembly.Module(hexBytes(FRAME_HEX));
}
