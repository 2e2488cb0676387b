/**
 * From reports to the rows of the selection table: with made-up measurements.
 */
import { readFileSync } from 'node:fs';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
// @ts-expect-error: a program, without types
import * as table from '../../bench/engine-rows.mjs';
import { ENGINE_TABLES } from '../../src/engine/engine-table.gen.ts';
import { deriveRows, type EngineRow, engineFor } from '../../src/engine/engine-table.ts';

const RULES = { deriveRows, engineFor };
const KEY_LENGTHS = [16, 24, 32];
const FRAME_LENGTHS = [64, 256, 1024, 4096, 16_384, 65_536];
const FRAMES = [1, 4, 16, 64];

interface Place {
  readonly keyLength: number;
  readonly frameLength: number;
  readonly frames: number;
}
type Model = Readonly<Record<string, (place: Place) => number | undefined>>;

// Microseconds: a cost for the job, for each frame and for each byte.
const NODE: Model = {
  native: ({ frameLength, frames }) => 4 + frames * (7 + frameLength / 3000),
  wasm: ({ frameLength, frames }) => 4 + frames * (0.5 + frameLength / 220),
  hybrid: ({ frameLength, frames }) => 8 + frames * (0.4 + frameLength / 700),
};
const FIREFOX: Model = {
  native: ({ frameLength, frames }) => 20 + frames * (30 + frameLength / 2000),
  wasm: ({ frameLength, frames }) => 2 + frames * (0.5 + frameLength / 250),
};
// No AES-192, and calls that cost less.
const CHROMIUM: Model = {
  native: (place) =>
    place.keyLength === 24 ? undefined : 10 + place.frames * (6 + place.frameLength / 2500),
  wasm: FIREFOX.wasm!,
};

/** Rows as the suite writes them, with the same noise for the same seed: up to `noise` more or less. */
function rowsOf(model: Model, { noise = 0, seed = 1, keyLengths = KEY_LENGTHS, slower = 1 } = {}) {
  let state = seed;
  const random = () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) / 2 ** 24;
  };
  const places = keyLengths.flatMap((keyLength) =>
    FRAME_LENGTHS.flatMap((frameLength) => FRAMES.map((frames) => ({ keyLength, frameLength, frames }))),
  );
  return places.flatMap((place) =>
    ['seal', 'open'].map((verb) => {
      const candidates: Record<string, { samples: number[] }> = {
        'frameseal: auto': { samples: [0.001] },
        'subtle per frame': { samples: [0.001] },
      };
      for (const [engine, timeOf] of Object.entries(model)) {
        const time = timeOf(place);
        const least = (time ?? 0) * slower * (1 + noise * (2 * random() - 1));
        if (time !== undefined)
          candidates[`frameseal: ${engine}`] = { samples: [3 * least, least, 1.2 * least] };
      }
      return {
        group: 'engines',
        name: `${verb} ${Object.values(place)}`,
        parameters: { verb, ...place },
        candidates,
      };
    }),
  );
}

function report(...runtimes: { name: string; version?: string; rows: unknown[] }[]) {
  return { format: 1, runtimes: runtimes.map((one) => ({ title: one.name, version: '1.0', ...one })) };
}

function rowsFrom(reports: unknown[], present: readonly EngineRow[] = []) {
  return table.rowsFor(table.measuredRuntimes(reports), present, RULES);
}

function places(reports: unknown[], rows: readonly EngineRow[]): { ratio: number; differs: boolean }[] {
  return table.measuredRuntimes(reports).flatMap((runtime: unknown) => table.compared(runtime, rows, RULES));
}

function worst(reports: unknown[], rows: readonly EngineRow[]): number {
  return Math.max(...places(reports, rows).map(({ ratio }) => ratio));
}

const node = (options?: Parameters<typeof rowsOf>[1]) =>
  report({ name: 'node-20', rows: rowsOf(NODE, options) });

describe('what reports say', () => {
  it('is the time of seal and open together, of engines alone', () => {
    const [runtime] = table.measuredRuntimes([node()]);
    const place = { keyLength: 16, frameLength: 64, frames: 1 };
    expect(runtime.places.length).toBe(KEY_LENGTHS.length * FRAME_LENGTHS.length * FRAMES.length);
    expect(runtime.places[0]).toMatchObject(place);
    const times = Object.entries(NODE).map(([engine, timeOf]) => [engine, 2 * timeOf(place)!]);
    expect(runtime.places[0].times).toEqual(Object.fromEntries(times));
  });

  it('is the least of several reports of one runtime', () => {
    const busy = rowsOf(NODE, { slower: 3 });
    const calm = rowsOf(NODE);
    const calmAt = (odd: number) => busy.map((row, i) => (i % 2 === odd ? calm[i]! : row));
    const reports = [0, 1].map((odd) => report({ name: 'node-20', rows: calmAt(odd) }));
    expect(table.measuredRuntimes(reports)).toEqual(table.measuredRuntimes([node()]));
  });

  it('is said of each version apart, and versions of one runtime share a table', () => {
    const other = report({ name: 'node-20', version: '20.1.0', rows: rowsOf(NODE) });
    const names = ['deno', 'bun', 'workerd', 'workerd-nodejs-compat', 'chromium', 'webkitgtk'];
    const others = report(...names.map((name) => ({ name, rows: rowsOf(NODE) })));
    const tables = table.measuredRuntimes([node(), other, others]).map((one: { table: string }) => one.table);
    expect(tables).toEqual(['node', 'node', 'deno', 'bun', 'web', 'web', 'web', 'web']);
  });

  it('leaves out rows about one engine alone', () => {
    const alone = rowsOf({ wasm: () => 0.01 }).map(({ parameters, ...row }) => ({
      ...row,
      parameters: { ...parameters, engine: 'wasm' },
    }));
    const reports = [report({ name: 'node-20', rows: [...rowsOf(NODE), ...alone] })];
    expect(table.measuredRuntimes(reports)).toEqual(table.measuredRuntimes([node()]));
  });

  it('leaves out an engine that failed at one verb, other groups, and cases that failed', () => {
    const rows: unknown[] = rowsOf(NODE).map(({ candidates, ...row }) => {
      const { 'frameseal: wasm': wasm, ...rest } = candidates;
      return { ...row, candidates: row.parameters.verb === 'seal' ? candidates : rest };
    });
    rows.push({
      group: 'messages',
      name: 'm',
      parameters: {},
      candidates: { 'frameseal: wasm': { samples: [1] } },
    });
    rows.push({
      ...rowsOf(NODE)[0],
      parameters: { verb: 'seal', keyLength: 8, frameLength: 1, frames: 1 },
      candidates: {},
    });
    const [runtime] = table.measuredRuntimes([report({ name: 'bun', rows })]);
    expect(runtime.places.length).toBe(KEY_LENGTHS.length * FRAME_LENGTHS.length * FRAMES.length);
    for (const { times } of runtime.places) expect(Object.keys(times)).toEqual(['native', 'hybrid']);
  });

  it('may be nothing', () => {
    expect(table.measuredRuntimes([report({ name: 'deno', rows: [] })])).toEqual([]);
  });
});

describe('rows from reports', () => {
  it('are few, and right everywhere', () => {
    const { rows } = rowsFrom([node()]);
    expect(rows.length).toBeGreaterThan(1);
    expect(rows.length).toBeLessThanOrEqual(6);
    expect(worst([node()], rows)).toBeLessThan(1.1);
    expect(worst([node()], [])).toBeGreaterThan(3);
  });

  it('are the present ones, the same array, when only noise is new', () => {
    const { rows } = rowsFrom([node()]);
    for (let seed = 1; seed <= 10; seed++)
      expect(rowsFrom([node({ noise: 0.07, seed })], rows).rows).toBe(rows);
  });

  it('are others when an engine has become faster', () => {
    const { rows } = rowsFrom([node()]);
    const faster = report({
      name: 'node-20',
      rows: rowsOf({ ...NODE, native: (one) => NODE.native!(one)! / 4 }),
    });
    const others = rowsFrom([faster], rows).rows;
    expect(worst([faster], rows)).toBeGreaterThan(1.5);
    expect(worst([faster], others)).toBeLessThan(1.1);
  });

  it('stay where too little was measured, and say why', () => {
    const present: EngineRow[] = [{ maxFrameLength: 64, minFrames: 1, engine: 'wasm' }];
    const few = rowsFrom([node({ keyLengths: [32] })], present);
    expect(few.rows).toBe(present);
    expect(few.refused).toContain('16 and 24');
    const one = rowsOf(NODE).filter(({ parameters }) => parameters.frames === 16);
    expect(rowsFrom([report({ name: 'node-20', rows: one })], present).refused).toContain('frames');
  });
});

describe('rows for several browsers', () => {
  const chromium = report({ name: 'chromium', rows: rowsOf(CHROMIUM) });
  const firefox = report({ name: 'firefox', rows: rowsOf(FIREFOX) });
  const { rows } = rowsFrom([chromium, firefox]) as { rows: EngineRow[] };

  it('serve no key length by an engine that one of them lacks', () => {
    for (const frameLength of [1, ...FRAME_LENGTHS, 0xffff_ffff])
      for (const frames of [1, 3, ...FRAMES, 1000])
        expect(engineFor(rows, 24, frameLength, frames)).toBe('wasm');
    expect(worst([firefox], rowsFrom([firefox]).rows)).toBeLessThan(1.1);
  });

  it('serve none of that length even where the other alone was measured', () => {
    const few = rowsOf(CHROMIUM).filter(({ parameters }) => parameters.frames === 16);
    const shared = rowsFrom([report({ name: 'chromium', rows: few }), firefox]).rows;
    expect(engineFor(rowsFrom([firefox]).rows, 24, 65_536, 64)).toBe('native');
    for (const frames of FRAMES) expect(engineFor(shared, 24, 65_536, frames)).toBe('wasm');
  });

  it('lose least over all of them', () => {
    // Of the two engines the one whose squared logarithms sum to less, wherever that is not close.
    const models = [CHROMIUM, FIREFOX];
    for (const frameLength of FRAME_LENGTHS) {
      for (const frames of FRAMES) {
        const place = { keyLength: 32, frameLength, frames };
        const losses = ['native', 'wasm'].map((engine) => {
          const ratios = models.map((model) => {
            const least = Math.min(model.native!(place)!, model.wasm!(place)!);
            return Math.log(model[engine]!(place)! / least) ** 2;
          });
          return ratios.reduce((sum, one) => sum + one, 0);
        });
        if (Math.abs(losses[0]! - losses[1]!) < 0.2) continue;
        const better = losses[0]! < losses[1]! ? 'native' : 'wasm';
        expect([place, engineFor(rows, 32, frameLength, frames)]).toEqual([place, better]);
      }
    }
  });

  it('lie between the rows of each alone', () => {
    const crossover = (some: EngineRow[]) =>
      FRAME_LENGTHS.filter((length) => engineFor(some, 32, length, 16) === 'wasm').length;
    const [fast, slow] = [chromium, firefox].map((one) => crossover(rowsFrom([one]).rows)) as [
      number,
      number,
    ];
    expect(fast).toBeLessThan(slow);
    expect(crossover(rows)).toBeGreaterThanOrEqual(fast);
    expect(crossover(rows)).toBeLessThanOrEqual(slow);
  });

  it('are not divided for as little as those of other runtimes', () => {
    const here = ({ keyLength, frameLength }: Place) => keyLength === 16 && frameLength === 64;
    const model: Model = { native: () => 10, wasm: (place) => (here(place) ? 10 / 1.19 : 20) };
    const found = (name: string) => rowsFrom([report({ name, rows: rowsOf(model) })]).rows;
    expect(engineFor(found('bun'), 16, 64, 1)).toBe('wasm');
    expect(found('chromium')).toEqual([]);
  });

  it('count workerd once, with and without Node compatibility', () => {
    const others = ['workerd', 'workerd-nodejs-compat'].map((name) =>
      report({ name, rows: rowsOf(FIREFOX) }),
    );
    expect(rowsFrom([chromium, ...others])).toEqual(rowsFrom([chromium, others[0]]));
    expect(rowsFrom([others[1]]).rows).toEqual(rowsFrom([others[0]]).rows);
  });

  it('do not need hybrid where only one has it', () => {
    const compat = report({ name: 'workerd-nodejs-compat', rows: rowsOf({ ...FIREFOX, hybrid: () => 0.1 }) });
    const shared = rowsFrom([compat, firefox]).rows as EngineRow[];
    expect(shared.some(({ engine }) => engine === 'hybrid')).toBe(false);
  });
});

describe('marks', () => {
  it('stand where what is chosen is more than 10 % slower than the fastest', () => {
    const rows = rowsOf({ native: () => 100, wasm: ({ frames }) => (frames === 1 ? 108 : 112) });
    const wasm: EngineRow[] = [{ maxFrameLength: 2 ** 32, minFrames: 1, engine: 'wasm' }];
    const cells = places([report({ name: 'bun', rows })], wasm);
    expect(cells.filter(({ differs }) => !differs).length).toBe(cells.length / FRAMES.length);
  });

  it('stand where what is chosen is not there at all', () => {
    const cells = places([report({ name: 'chromium', rows: rowsOf(CHROMIUM) })], []);
    expect(cells.filter(({ ratio }) => ratio === Number.POSITIVE_INFINITY).length).toBe(cells.length / 3);
    expect(cells.filter(({ ratio, differs }) => ratio === Number.POSITIVE_INFINITY && !differs)).toEqual([]);
  });
});

describe('the generated file', () => {
  const text = readFileSync(new URL('../../src/engine/engine-table.gen.ts', import.meta.url), 'utf8');
  const runtimes = [
    { title: 'Node.js 20', version: '20.20.2' },
    { title: 'Chromium', version: '150.0.7871.13-1~deb12u1' },
    { title: 'workerd', version: '' },
  ];
  const rows: EngineRow[] = [
    { keyLengths: [16, 24], maxFrameLength: 100, minFrames: 4, engine: 'hybrid' },
    { maxFrameLength: 2 ** 32, minFrames: 1, engine: 'wasm' },
  ];

  async function tablesIn(source: string) {
    const { outputText, diagnostics } = ts.transpileModule(source, {
      reportDiagnostics: true,
      compilerOptions: { module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true },
    });
    expect(diagnostics).toEqual([]);
    return (await import(`data:text/javascript,${encodeURIComponent(outputText)}`)).ENGINE_TABLES;
  }

  it.each(Object.keys(ENGINE_TABLES))('gets other rows of %s, and keeps all else', async (name) => {
    const after = table.rewritten(text, name, runtimes, rows);
    expect(await tablesIn(after)).toEqual({ ...ENGINE_TABLES, [name]: rows });
    expect(after).toContain(`  // Node.js 20.20.2, Chromium 150.0.7871.13, workerd\n  ${name}: [\n`);
    expect(after).toMatch(/^\/\/ Generated by bench\/table\.mjs .*do not edit\.\nimport type /);
    const kept = after.split('\n').filter((line: string) => !text.split('\n').includes(line));
    expect(kept.length).toBeLessThanOrEqual(2 + rows.length);
  });

  it('may get no rows, and rows again', async () => {
    const without = table.rewritten(text, 'bun', runtimes, []);
    expect(await tablesIn(without)).toEqual({ ...ENGINE_TABLES, bun: [] });
    expect(await tablesIn(table.rewritten(without, 'bun', runtimes, rows))).toEqual({
      ...ENGINE_TABLES,
      bun: rows,
    });
  });

  it('is not written where it has no such table', () => {
    expect(() => table.rewritten(text, 'other', runtimes, rows)).toThrow('no rows of other');
  });
});
