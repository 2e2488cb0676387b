/** What is advised, of made-up rows. */
import { describe, expect, it } from 'vitest';
import { type BenchRow, engineAdvice, type Summary } from '../../src/bench/index.ts';
import type { EngineRow } from '../../src/engine/engine-table.ts';

/** Long jobs of short frames are the hybrid engine's, one short frame is the kernel's, everything else native. */
const TABLE: readonly EngineRow[] = [
  { maxFrameLength: 4096, minFrames: 2, engine: 'hybrid' },
  { maxFrameLength: 512, minFrames: 1, engine: 'wasm' },
];

function summary(median: number, spread = 0.02): Summary {
  const [low, high] = [median * (1 - spread), median * (1 + spread)];
  return { median, low, high, samples: [low, median, high], outliers: [] };
}

/** The rows of a place: to seal and to open take half of the time each. */
function rowsAt(
  frameLength: number,
  frames: number,
  times: Record<string, number>,
  spread?: number,
): readonly BenchRow[] {
  const named = Object.entries({ auto: 1, ...times }).map(([name, time]) => [
    `frameseal: ${name}`,
    summary(time / 2, spread),
  ]);
  const candidates = { ...Object.fromEntries(named), 'node:crypto per frame': summary(0.1) };
  return ['seal', 'open'].map((verb) => ({
    group: 'engines',
    name: `${verb} ${frames} of ${frameLength}`,
    parameters: { verb, keyLength: 32, frameLength, frames },
    candidates,
  }));
}

const RIGHT = [
  ...rowsAt(256, 1, { native: 9, wasm: 5, hybrid: 7 }),
  ...rowsAt(1024, 16, { native: 60, wasm: 50, hybrid: 20 }),
  ...rowsAt(65_536, 16, { native: 300, wasm: 4000, hybrid: 900 }),
];

describe('advice', () => {
  it('is to leave it at auto where that takes the fastest', () => {
    const { text, force } = engineAdvice(RIGHT, TABLE);
    expect(force).toEqual([]);
    expect(text).toContain('Leave the engine at "auto": in all 3 jobs');
  });

  it('is to leave it at auto where another is hardly faster', () => {
    const rows = rowsAt(1024, 16, { native: 60, wasm: 50, hybrid: 54.9 });
    expect(engineAdvice(rows, TABLE).force).toEqual([]);
  });

  it('is to leave it at auto where the rounds differ more than the engines', () => {
    const times = { native: 60, wasm: 40, hybrid: 50 };
    expect(engineAdvice(rowsAt(1024, 16, times, 0.3), TABLE).force).toEqual([]);
    expect(engineAdvice(rowsAt(1024, 16, times, 0.1), TABLE).force.length).toBe(1);
  });

  it('names the engine that is clearly faster, and for which frames', () => {
    const rows = [
      ...RIGHT,
      ...rowsAt(2048, 16, { native: 20, wasm: 90, hybrid: 30 }),
      ...rowsAt(4096, 16, { native: 40, wasm: 180, hybrid: 50 }),
      ...rowsAt(1024, 1, { native: 8, wasm: 5, hybrid: 9 }),
    ];
    const { text, force } = engineAdvice(rows, TABLE);
    expect(force).toEqual([
      { engine: 'native', messages: 'several frames', frameLengths: [2048, 4096], ratios: [1.5, 1.25] },
      { engine: 'wasm', messages: 'one frame', frameLengths: [1024], ratios: [1.6] },
    ]);
    expect(text).toContain(
      '"native" is faster than what "auto" takes, in messages of several frames of 2 KiB (1.50x), 4 KiB (1.25x).',
    );
    expect(text).toContain('"wasm"');
    expect(text).toContain('warmUp()');
    expect(text).not.toContain('Leave the engine');
  });

  it('counts seal and open together', () => {
    const [seal, open] = rowsAt(1024, 16, { native: 40, wasm: 90, hybrid: 50 }) as [BenchRow, BenchRow];
    const slow = { ...open.candidates, 'frameseal: native': summary(35) };
    expect(engineAdvice([seal, open], TABLE).force.length).toBe(1);
    expect(engineAdvice([seal, { ...open, candidates: slow }], TABLE).force).toEqual([]);
  });

  it('is not the native engine for one frame, whose keys and header it is slow with', () => {
    expect(engineAdvice(rowsAt(256, 1, { native: 3, wasm: 5, hybrid: 7 }), TABLE).force).toEqual([]);
  });

  it('takes native for what auto takes where the engine of the table is missing', () => {
    const { force } = engineAdvice(rowsAt(1024, 16, { native: 60, wasm: 40 }), TABLE);
    expect(force).toEqual([
      { engine: 'wasm', messages: 'several frames', frameLengths: [1024], ratios: [1.5] },
    ]);
  });

  it('says where there is nothing to choose, and where nothing was measured', () => {
    expect(engineAdvice(rowsAt(1024, 16, { native: 60 }), TABLE).text).toContain('one engine alone');
    const failed = RIGHT.map((row) => ({ ...row, candidates: {}, failed: 'no' }));
    const others = RIGHT.map((row) => ({ ...row, group: 'messages' }));
    for (const rows of [[], failed, others])
      expect(engineAdvice(rows, TABLE)).toEqual({
        text: expect.stringContaining('No engine was measured'),
        force: [],
      });
  });

  it('goes by the table of this runtime unless told otherwise', () => {
    const rows = rowsAt(1024, 16, { native: 60, wasm: 60, hybrid: 20 });
    expect(engineAdvice(rows).force).toEqual([]); // Node.js: hybrid
    expect(engineAdvice(rows, []).force.length).toBe(1);
  });
});
