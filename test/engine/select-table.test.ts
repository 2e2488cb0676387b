/**
 * The tables of engines: the ones that are built in, and how one is found from measurements.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ENGINE_TABLES } from '../../src/engine/engine-table.gen.ts';
import {
  deriveRows,
  type EngineRow,
  engineFor,
  type MeasuredEngine,
  type ServingEngine,
} from '../../src/engine/engine-table.ts';

const KEY_LENGTHS = [16, 24, 32];
const FRAME_LENGTHS = [64, 128, 256, 512, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_536];
const FRAME_COUNTS = [1, 2, 4, 8, 16, 64];
const PLACES = KEY_LENGTHS.flatMap((keyLength) =>
  FRAME_LENGTHS.flatMap((frameLength) => FRAME_COUNTS.map((frames) => ({ keyLength, frameLength, frames }))),
);
const WORTH = 0.03;

type Place = (typeof PLACES)[number];
type Model = Partial<Record<ServingEngine, (place: Place) => number | undefined>>;

// Microseconds, about as they are: a cost for the job, for each frame and for each byte.
const model: Model = {
  native: ({ frameLength, frames }) => 4 + frames * (7 + frameLength / 3000),
  wasm: ({ keyLength, frameLength, frames }) => 4 + frames * (0.5 + frameLength / (260 - 2 * keyLength)),
  hybrid: ({ frameLength, frames }) => 8 + frames * (0.4 + frameLength / 700),
};

// The same noise for the same seed: up to `noise` more or less.
function measure(model: Model, noise = 0, seed = 1): MeasuredEngine[] {
  let state = seed;
  const random = () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) / 2 ** 24;
  };
  return PLACES.flatMap((place) =>
    (Object.keys(model) as ServingEngine[]).flatMap((engine) => {
      const time = model[engine]!(place);
      const microseconds = (time ?? 0) * (1 + noise * (2 * random() - 1));
      return time === undefined ? [] : [{ engine, ...place, microseconds }];
    }),
  );
}

// How many times the fastest one's time the chosen engine takes, where that is worst.
function worst(rows: readonly EngineRow[], model: Model): number {
  const ratios = PLACES.map((place) => {
    const times = Object.values(model).map((timeOf) => timeOf(place) ?? Number.POSITIVE_INFINITY);
    const chosen = model[engineFor(rows, place.keyLength, place.frameLength, place.frames)];
    return (chosen?.(place) ?? Number.POSITIVE_INFINITY) / Math.min(...times);
  });
  return Math.max(...ratios);
}

describe('the built-in tables', () => {
  const tables = Object.entries(ENGINE_TABLES);

  it('are there for every runtime', () => {
    expect(tables.map(([runtime]) => runtime)).toEqual(['node', 'deno', 'bun', 'web']);
  });

  it.each(tables)('%s: every row is one', (_, rows) => {
    for (const { keyLengths = KEY_LENGTHS, maxFrameLength, minFrames, engine } of rows) {
      expect(keyLengths.length).toBeGreaterThan(0);
      for (const keyLength of keyLengths) expect(KEY_LENGTHS).toContain(keyLength);
      for (const number of [maxFrameLength, minFrames]) {
        expect(Number.isSafeInteger(number)).toBe(true);
        expect(number).toBeGreaterThan(0);
      }
      expect(['native', 'wasm', 'hybrid']).toContain(engine);
    }
  });

  it.each(tables)('%s: every row is the first to fit somewhere', (_, rows) => {
    for (const [i, row] of rows.entries()) {
      for (const before of rows.slice(0, i)) {
        const keys = (row.keyLengths ?? KEY_LENGTHS).every((one) => before.keyLengths?.includes(one) ?? true);
        const hidden =
          keys && before.maxFrameLength >= row.maxFrameLength && before.minFrames <= row.minFrames;
        expect(hidden).toBe(false);
      }
    }
  });

  it('web: needs nothing that browsers lack, hybrid nor AES-192', () => {
    for (const { keyLength, frameLength, frames } of PLACES) {
      const engine = engineFor(ENGINE_TABLES.web, keyLength, frameLength, frames);
      expect(engine).not.toBe('hybrid');
      if (keyLength === 24) expect(engine).toBe('wasm');
    }
    expect(engineFor(ENGINE_TABLES.web, 24, 0xffff_ffff, 1)).toBe('wasm');
  });

  it('are written as the benchmark finds and rewrites them', () => {
    const text = readFileSync(new URL('../../src/engine/engine-table.gen.ts', import.meta.url), 'utf8');
    for (const [runtime, rows] of tables) {
      const block = new RegExp(`^ {2}//.*\\n {2}${runtime}: \\[\\n([^]*?)^ {2}\\],\\n`, 'm').exec(text);
      const lines = block![1]!.split('\n').slice(0, -1);
      expect(lines.length).toBe(rows.length);
      for (const line of lines) {
        expect(line).toMatch(
          /^ {4}\{ (keyLengths: \[\d+(, \d+)*\], )?maxFrameLength: \d+, minFrames: \d+, engine: '[a-z]+' \},$/,
        );
      }
    }
  });
});

describe('the engine of a place', () => {
  const rows: readonly EngineRow[] = [
    { keyLengths: [16, 24], maxFrameLength: 100, minFrames: 4, engine: 'hybrid' },
    { maxFrameLength: 50, minFrames: 2, engine: 'wasm' },
  ];

  it('is that of the first row that fits, and native where none does', () => {
    expect(engineFor(rows, 16, 100, 4)).toBe('hybrid');
    expect(engineFor(rows, 24, 50, 9)).toBe('hybrid');
    expect(engineFor(rows, 32, 50, 9)).toBe('wasm');
    expect(engineFor(rows, 16, 50, 3)).toBe('wasm');
    expect(engineFor(rows, 16, 101, 4)).toBe('native');
    expect(engineFor(rows, 32, 51, 4)).toBe('native');
    expect(engineFor(rows, 32, 50, 1)).toBe('native');
    expect(engineFor([], 32, 1, 1)).toBe('native');
  });
});

describe('a table found from measurements', () => {
  it('is right everywhere with few rows', () => {
    const rows = deriveRows(measure(model), [], WORTH);
    expect(rows.length).toBeLessThanOrEqual(6);
    expect(worst(rows, model)).toBeLessThan(1.1);
    expect(worst([], model)).toBeGreaterThan(5);
  });

  it('is as right and as short when it has been measured with noise', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const rows = deriveRows(measure(model, 0.08, seed), [], WORTH);
      expect(rows.length).toBeLessThanOrEqual(6);
      expect(worst(rows, model)).toBeLessThan(1.25);
    }
  });

  it('stays when it is measured again', () => {
    const rows = deriveRows(measure(model), [], WORTH);
    for (let seed = 1; seed <= 20; seed++) {
      expect(deriveRows(measure(model, 0.04, seed), rows, WORTH)).toBe(rows);
    }
  });

  it('is replaced when another one is clearly better', () => {
    const rows = deriveRows(measure(model), [], WORTH);
    const faster: Model = { ...model, native: (place) => model.native!(place)! / 3 };
    const others = deriveRows(measure(faster), rows, WORTH);
    expect(worst(rows, faster)).toBeGreaterThan(1.5);
    expect(worst(others, faster)).toBeLessThan(1.1);
  });

  it('is not changed by one place that is 18 % off', () => {
    const rows = deriveRows(measure(model), [], WORTH);
    const place = { keyLength: 32, frameLength: 4096, frames: 16 };
    const measured = measure(model).map((one) => {
      const here = one.engine === 'native' && one.keyLength === 32 && one.frameLength === 4096;
      const microseconds = (0.82 * model.hybrid!(place)!) as number;
      return here && one.frames === place.frames ? { ...one, microseconds } : one;
    });
    expect(engineFor(rows, 32, 4096, 16)).toBe('hybrid');
    expect(deriveRows(measured, [], WORTH)).toEqual(rows);
  });

  it('tells key lengths apart only where they differ', () => {
    expect(deriveRows(measure(model), [], WORTH).some(({ keyLengths }) => keyLengths)).toBe(false);
    const wasm = (place: Place) => model.wasm!(place)! * (place.keyLength === 16 ? 0.3 : 1);
    const differing = { ...model, wasm };
    const rows = deriveRows(measure(differing), [], WORTH);
    expect(new Set(rows.map(({ keyLengths }) => String(keyLengths)))).toEqual(new Set(['16', '24,32']));
    expect(worst(rows, differing)).toBeLessThan(1.15);
  });

  it('gives an engine nothing to do under keys that it lacks, at no length and number', () => {
    const lacking: Model = {
      native: (place) => (place.keyLength === 24 ? undefined : model.native!(place)),
      wasm: model.wasm!,
    };
    const rows = deriveRows(measure(lacking), [], WORTH);
    for (const frameLength of [1, ...FRAME_LENGTHS, 0xffff_ffff]) {
      for (const frames of [...FRAME_COUNTS, 1000])
        expect(engineFor(rows, 24, frameLength, frames)).toBe('wasm');
    }
    expect(engineFor(rows, 16, 65_536, 1)).toBe('native');
    expect(worst(rows, lacking)).toBeLessThan(1.1);
  });

  it('is empty where native is always the fastest', () => {
    const slow: Model = { ...model, native: () => 0.1 };
    expect(deriveRows(measure(slow), [], WORTH)).toEqual([]);
  });
});
