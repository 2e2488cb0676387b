/**
 * Tables of engines: which one serves frames of a length, in jobs of a number, under keys of a length; and how such a
 * table is found from measurements. `bench/table.mjs` writes those that are built in, `warmUp` finds one at run
 * time.
 */

/** An engine that seals and opens; `native` is the platform's own AES-GCM. */
export type ServingEngine = 'native' | 'wasm' | 'hybrid';

/** A row of the table: the first that fits serves; what fits none is native. */
export interface EngineRow {
  /** Under keys of one of these lengths, bytes; absent: of any. */
  readonly keyLengths?: readonly number[];
  /** Frames of at most so many bytes of plaintext. */
  readonly maxFrameLength: number;
  /** In jobs of at least so many frames. */
  readonly minFrames: number;
  readonly engine: ServingEngine;
}

/** The rows of each runtime, under what `runtimeName` calls it. */
export type EngineTables = Readonly<Record<'node' | 'deno' | 'bun' | 'web', readonly EngineRow[]>>;

/** One measurement: frames of fixed public data, under a fixed public key. */
export interface MeasuredEngine {
  readonly engine: ServingEngine;
  /** Bytes of the key. */
  readonly keyLength: number;
  /** Bytes of plaintext of a frame. */
  readonly frameLength: number;
  /** Frames of the job. */
  readonly frames: number;
  /** For the whole job. */
  readonly microseconds: number;
}

const ENGINES: readonly ServingEngine[] = ['native', 'wasm', 'hybrid'];
/** Longer than any frame. */
const ANY_LENGTH: number = 2 ** 32;

/** The engine that these rows name. */
export function engineFor(
  rows: readonly EngineRow[],
  keyLength: number,
  frameLength: number,
  frames: number,
): ServingEngine {
  const row = rows.find(
    (one) =>
      frameLength <= one.maxFrameLength &&
      frames >= one.minFrames &&
      (one.keyLengths?.includes(keyLength) ?? true),
  );
  return row?.engine ?? 'native';
}

/**
 * Few rows that come near the fastest engine wherever it was measured. An engine that was not measured under a key length
 * serves none of that length.
 * @param present stays, unless other rows are better by as much as a row has to be worth.
 * @param worth what a row has to be worth, a sum over places of squared logarithms of ratios: 0.03 is 19 % at one place,
 *   10 % at three; more where the measurements are noisier.
 */
export function deriveRows(
  measured: readonly MeasuredEngine[],
  present: readonly EngineRow[],
  worth: number,
): readonly EngineRow[] {
  const cells = cellsOf(measured);
  const lossOf = (rows: readonly EngineRow[]) => loss(rows, cells, worth);
  const tables = partitions(distinct(cells, 'keyLength')).map((groups) =>
    groups.flatMap((keyLengths) => {
      const rows = rowsFor(
        cells.filter((cell) => keyLengths.includes(cell.keyLength)),
        worth,
      );
      return groups.length === 1 ? rows : rows.map((row) => ({ keyLengths, ...row }));
    }),
  );
  const derived = least(tables, lossOf);
  return lossOf(present) - lossOf(derived) < worth ? present : derived;
}

/** A place where engines were measured against each other. */
interface Cell {
  readonly keyLength: number;
  readonly frameLength: number;
  readonly frames: number;
  /** How far each engine is from the fastest. */
  readonly losses: Partial<Record<ServingEngine, number>>;
}

// Squared logarithms: being twice as slow at one place is worse than 10 % at many, and noise is next to nothing.
function cellsOf(measured: readonly MeasuredEngine[]): readonly Cell[] {
  const places = new Map<string, MeasuredEngine[]>();
  for (const one of measured) {
    const place = `${one.keyLength} ${one.frameLength} ${one.frames}`;
    places.set(place, [...(places.get(place) ?? []), one]);
  }
  return [...places.values()].map((here) => {
    const { keyLength, frameLength, frames } = here[0]!;
    const fastest = Math.min(...here.map(({ microseconds }) => microseconds));
    const losses = here.map(({ engine, microseconds }) => [engine, Math.log(microseconds / fastest) ** 2]);
    return { keyLength, frameLength, frames, losses: Object.fromEntries(losses) };
  });
}

// How far the rows are from the fastest, and how many they are.
function loss(rows: readonly EngineRow[], cells: readonly Cell[], worth: number): number {
  let sum = rows.length * worth;
  for (const { keyLength, frameLength, frames, losses } of cells) {
    sum += losses[engineFor(rows, keyLength, frameLength, frames)] ?? Number.POSITIVE_INFINITY;
  }
  return sum;
}

// The rows for some key lengths: runs of numbers of frames, the most first, each with runs of frame lengths. What native
// serves from some length on needs no row of its own, unless a row of fewer frames would take it.
function rowsFor(cells: readonly Cell[], worth: number): readonly EngineRow[] {
  const numbers = distinct(cells, 'frames').reverse();
  const { parts } = cheapestRuns(numbers.length, (from, to) => {
    const minFrames = to === numbers.length ? 1 : middle(numbers[to]!, numbers[to - 1]!);
    const band = cells.filter(({ frames }) => numbers.slice(from, to).includes(frames));
    const { cost, parts: part } = bandRows(band, minFrames, worth);
    return { cost, part };
  });
  return withoutIdle(parts.flat(), cells, worth);
}

function bandRows(cells: readonly Cell[], minFrames: number, worth: number): Runs<EngineRow> {
  const lengths = distinct(cells, 'frameLength');
  return cheapestRuns(lengths.length, (from, to) => {
    const last = to === lengths.length;
    const maxFrameLength = last ? ANY_LENGTH : middle(lengths[to - 1]!, lengths[to]!);
    const run = cells.filter(({ frameLength }) => lengths.slice(from, to).includes(frameLength));
    const rows = ENGINES.map((engine) => ({ maxFrameLength, minFrames, engine }));
    const costOf = (row: EngineRow) => loss([row], run, last && row.engine === 'native' ? 0 : worth);
    const part = least(rows, costOf);
    return { cost: costOf(part), part };
  });
}

// Without the rows that are worth less than a row, the idlest first.
function withoutIdle(
  rows: readonly EngineRow[],
  cells: readonly Cell[],
  worth: number,
): readonly EngineRow[] {
  if (rows.length === 0) return rows;
  const lossOf = (some: readonly EngineRow[]) => loss(some, cells, worth);
  const fewer = least(
    rows.map((row) => rows.filter((one) => one !== row)),
    lossOf,
  );
  return lossOf(fewer) > lossOf(rows) ? rows : withoutIdle(fewer, cells, worth);
}

/** A sequence cut into runs. */
interface Runs<T> {
  readonly cost: number;
  /** What stands for each run. */
  readonly parts: readonly T[];
}

// Cuts 0..count-1 into the runs that cost least together: the best of the whole is made of bests of its beginnings.
function cheapestRuns<T>(
  count: number,
  runOf: (from: number, to: number) => { readonly cost: number; readonly part: T },
): Runs<T> {
  const best: Runs<T>[] = [{ cost: 0, parts: [] }];
  for (let to = 1; to <= count; to++) {
    const ways = best.map((before, from) => {
      const { cost, part } = runOf(from, to);
      return { cost: before.cost + cost, parts: [...before.parts, part] };
    });
    best.push(least(ways, ({ cost }) => cost));
  }
  return best[count]!;
}

// All ways to divide items into groups, the fewest groups first.
function partitions([first, ...rest]: readonly number[]): readonly (readonly (readonly number[])[])[] {
  if (first === undefined) return [[]];
  return partitions(rest)
    .flatMap((groups) => [
      ...groups.map((joined) => [[first, ...joined], ...groups.filter((group) => group !== joined)]),
      [[first], ...groups],
    ])
    .sort((a, b) => a.length - b.length);
}

// The first of those with the least value.
function least<T>(items: readonly T[], rank: (item: T) => number): T {
  let [best] = items as readonly [T];
  let value = rank(best);
  for (const item of items.slice(1)) {
    const other = rank(item);
    if (other < value) [best, value] = [item, other];
  }
  return best;
}

function distinct(cells: readonly Cell[], field: 'keyLength' | 'frameLength' | 'frames'): number[] {
  return [...new Set(cells.map((cell) => cell[field]))].sort((a, b) => a - b);
}

function middle(a: number, b: number): number {
  return Math.ceil((a + b) / 2);
}
