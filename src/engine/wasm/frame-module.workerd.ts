/**
 * The kernel as a module, for workerd: it compiles what a worker imports, and no bytes at run time.
 */
import module from './frame.wasm';

/** The compiled kernel. */
export function frameModule(): WebAssembly.Module {
  return module;
}
