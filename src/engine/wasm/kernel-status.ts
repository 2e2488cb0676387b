/**
 * What callers learn of the kernel: apart from it, so that their types need to know nothing of WebAssembly.
 */

/** What became of the kernel. */
export interface KernelStatus {
  /** `unused`: nothing has asked for it yet. */
  readonly state: 'unused' | 'ready' | 'refused';
  /** Why it was refused. */
  readonly reason?: string;
  /** `relaxed` uses relaxed SIMD. */
  readonly build: 'plain' | 'relaxed';
}
