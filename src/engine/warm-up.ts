/**
 * Makes ready what `auto` needs, and measures what serves what in this runtime.
 */
import { runtimeName } from '../crypto/node-builtin.ts';
import type { SealJob } from './engine.ts';
import { deriveRows, type EngineRow, type MeasuredEngine, type ServingEngine } from './engine-table.ts';
import { jobSealedLength } from './frame-layout.ts';
import { availableEngines, engineTable, selectPlatform, setEngineTable } from './select.ts';
import { kernelStatus, upgradeKernel } from './wasm/kernel.ts';
import type { KernelStatus } from './wasm/kernel-status.ts';

export type { MeasuredEngine } from './engine-table.ts';

/** What {@link warmUp} has found. */
export interface EngineReport {
  readonly runtime: string;
  /** Whether the WebAssembly kernel is used, or why not. */
  readonly kernel: KernelStatus;
  /** What `auto` goes by from now on: the first row that fits; what fits none is native. */
  readonly table: readonly EngineRow[];
  /**
   * Where the table comes from. `built-in`: there is but one engine, or the clock stands still while an engine works, as
   * in workers and browsers that blur it against timing attacks; `table` and `measured` then say nothing of each other.
   */
  readonly source: 'measured' | 'built-in';
  /** Every engine at every measured place; an engine that lacks a key length is not there. */
  readonly measured: readonly MeasuredEngine[];
}

const KEY_LENGTHS = [16, 24, 32];
const FRAME_LENGTHS = [256, 1024, 4096, 8192, 16_384];
const FRAME_COUNTS = [1, 4, 12];
const ROUNDS = 3;
/** Of a row: so short a measurement is noisy. */
const WORTH = 0.1;

/** A measurement to be made. */
type Place = Omit<MeasuredEngine, 'microseconds'>;

/**
 * Compiles and tests the kernel, the relaxed-SIMD build where the runtime has it, measures the engines of this runtime for
 * some tens of milliseconds, and lets `auto` go by the result. Without it, `auto` goes by a table that was measured before.
 */
export async function warmUp(): Promise<EngineReport> {
  await upgradeKernel();
  const measured = await measure(placesOf(availableEngines()));
  const source = isTelling(measured) ? 'measured' : 'built-in';
  if (source === 'measured') setEngineTable(deriveRows(measured, engineTable(), WORTH));
  return { runtime: runtimeName(), kernel: kernelStatus(), table: engineTable(), source, measured };
}

// A clock that is too coarse shows no time at all somewhere.
function isTelling(measured: readonly MeasuredEngine[]): boolean {
  return availableEngines().length > 1 && measured.every(({ microseconds }) => microseconds > 0);
}

// The engines of a place one after the other.
function placesOf(engines: readonly ServingEngine[]): readonly Place[] {
  return FRAME_COUNTS.flatMap((frames) =>
    FRAME_LENGTHS.flatMap((frameLength) =>
      KEY_LENGTHS.flatMap((keyLength) =>
        engines.map((engine) => ({ engine, keyLength, frameLength, frames })),
      ),
    ),
  );
}

// All places in turn, several rounds, the best time of each: others' work on the machine only ever adds, and so does code
// that is not compiled yet.
async function measure(places: readonly Place[]): Promise<readonly MeasuredEngine[]> {
  const best = places.map(() => Number.POSITIVE_INFINITY);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, place] of places.entries()) best[i] = Math.min(best[i]!, await time(place));
  }
  return places
    .map((place, i) => ({ ...place, microseconds: best[i]! }))
    .filter(({ microseconds }) => microseconds < Number.POSITIVE_INFINITY);
}

// Infinity where an engine has no keys of this length: Chromium's WebCrypto has no AES-192.
async function time({ engine, keyLength, frameLength, frames }: Place): Promise<number> {
  const shape = { frameLength, first: 1, regular: frames, finalLength: undefined };
  const output = new Uint8Array(jobSealedLength(shape));
  const job: SealJob = { ...shape, plaintext: new Uint8Array(frameLength * frames), output };
  const started = performance.now();
  const cipher = selectPlatform(engine).engine.cipher(new Uint8Array(keyLength), new Uint8Array(32));
  try {
    await cipher.seal(job);
    return (performance.now() - started) * 1000;
  } catch {
    return Number.POSITIVE_INFINITY;
  } finally {
    cipher.dispose();
  }
}
