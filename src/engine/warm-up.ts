/**
 * Makes ready what `auto` needs, and measures what serves what in this runtime.
 */
import { runtimeName } from '../crypto/node-builtin.ts';
import type { FrameEngine, SealJob } from './engine.ts';
import { jobSealedLength } from './frame-layout.ts';
import { availableEngines, type EngineRow, engineTable, selectPlatform, setEngineTable } from './select.ts';
import { type KernelStatus, kernelStatus, upgradeKernel } from './wasm/kernel.ts';

/** One measurement: frames of fixed public data, sealed under a fixed public key. */
export interface MeasuredEngine {
  readonly engine: EngineRow['engine'];
  readonly frameLength: number;
  readonly frames: number;
  readonly microseconds: number;
}

/** What {@link warmUp} has found. */
export interface EngineReport {
  readonly runtime: string;
  /** Whether the WebAssembly kernel is used, or why not. */
  readonly kernel: KernelStatus;
  /** What `auto` goes by from now on: the first row that fits; what fits none is native. */
  readonly table: readonly EngineRow[];
  readonly measured: readonly MeasuredEngine[];
}

const FRAME_LENGTHS = [64, 256, 512, 1024, 2048, 4096, 8192, 16_384];
const MANY = 32;
const ROUNDS = 5;

/**
 * Compiles and tests the kernel, the relaxed-SIMD build where the runtime has it, measures the engines of this runtime for some tens of milliseconds, and lets `auto` go
 * by the result. Without it, `auto` goes by a table that was measured before.
 */
export async function warmUp(): Promise<EngineReport> {
  await upgradeKernel();
  const measured: MeasuredEngine[] = [];
  for (const frames of [MANY, 1]) {
    for (const frameLength of FRAME_LENGTHS) measured.push(...(await measure(frameLength, frames)));
  }
  if (availableEngines().length > 1) setEngineTable([...rowsOf(measured, MANY), ...rowsOf(measured, 1)]);
  return { runtime: runtimeName(), kernel: kernelStatus(), table: engineTable(), measured };
}

// The engines in turn, several rounds, the best time of each: others' work on the machine only ever adds.
async function measure(frameLength: number, frames: number): Promise<MeasuredEngine[]> {
  const names = availableEngines();
  const best = new Map(names.map((name) => [name, Number.POSITIVE_INFINITY]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const name of names) {
      const microseconds = await time(selectPlatform(name).engine, frameLength, frames);
      best.set(name, Math.min(best.get(name)!, microseconds));
    }
  }
  return names.map((engine) => ({ engine, frameLength, frames, microseconds: best.get(engine)! }));
}

async function time(engine: FrameEngine, frameLength: number, frames: number): Promise<number> {
  const plaintext = new Uint8Array(frameLength * frames);
  const shape = { frameLength, first: 1, regular: frames, finalLength: undefined };
  const job: SealJob = { ...shape, plaintext, output: new Uint8Array(jobSealedLength(shape)) };
  const started = performance.now();
  const cipher = engine.cipher(new Uint8Array(32), new Uint8Array(32));
  await cipher.seal(job);
  const took = performance.now() - started;
  cipher.dispose();
  return took * 1000;
}

// For each run of frame lengths with the same winner a row; the longest measured length ends the rows.
function rowsOf(measured: readonly MeasuredEngine[], frames: number): EngineRow[] {
  const rows: EngineRow[] = [];
  for (const maxFrameLength of FRAME_LENGTHS) {
    const here = measured.filter((one) => one.frameLength === maxFrameLength && one.frames === frames);
    const { engine } = here.reduce((a, b) => (b.microseconds < a.microseconds ? b : a));
    rows.push({ maxFrameLength, minFrames: frames === 1 ? 1 : MANY / 4, engine });
  }
  return rows;
}
