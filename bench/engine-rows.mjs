/**
 * Tables of engines and what was measured of them: from the rows of reports to measurements by place, to the rows of a
 * table, to the text of the generated file. `bench/table.mjs` is the command.
 */

/** An engine that is slower than the fastest by more is marked. */
export const MARKED = 1.1;
/** What a row is worth, as `deriveRows` counts: 10 % at one length and number, under all three key lengths. */
const WORTH = 0.03;
/** For the table of browsers and workerd, whose times are noisier. */
const WEB_WORTH = 0.1;
/** The same WebCrypto as workerd's: it has no vote of its own. */
const AGAIN = 'workerd-nodejs-compat';
const KEY_LENGTHS = [16, 24, 32];
/** A table from fewer lengths or numbers of frames would say much of what nobody has measured. */
const FEWEST = { frameLength: 5, frames: 3 };
const PLACE = ['keyLength', 'frameLength', 'frames'];

/**
 * What reports say of the engines, runtime by runtime. Of all rounds of all reports of a runtime the least time counts, for
 * each place, verb and engine: what else a machine does only ever adds, and a table must not come of it. A place's time is
 * that of all its verbs together; an engine without a time for each has none.
 * @returns {{ name, title, version, table, places: { keyLength, frameLength, frames, times: Record<engine, microseconds> }[] }[]}
 */
export function measuredRuntimes(reports) {
  const found = new Map();
  for (const { name, title = name, version, rows = [] } of reports.flatMap(runtimesIn)) {
    const key = `${name} ${version}`;
    const runtime = found.get(key) ?? { name, title, version, table: tableOf(name), cells: new Map() };
    for (const row of rows) if (isPlace(row)) addRow(runtime.cells, row);
    if (runtime.cells.size > 0) found.set(key, runtime);
  }
  return [...found.values()].map(({ cells, ...about }) => ({
    ...about,
    places: [...cells.values()].map(placeOf).sort(inOrder),
  }));
}

// A report, or what `bench/runtimes/run.mjs --json` writes.
function runtimesIn(report) {
  return Array.isArray(report) ? report : (report.runtimes ?? []);
}

/** The table that a runtime goes by: its own, or the one of all without Node's `node:crypto`. */
function tableOf(name) {
  return /^(node|deno|bun)/i.exec(name)?.[0].toLowerCase() ?? 'web';
}

// Of the engines against each other: rows about one engine alone name it.
function isPlace({ group, parameters = {} }) {
  return (
    group === 'engines' && !('engine' in parameters) && PLACE.every((one) => Number.isFinite(parameters[one]))
  );
}

function addRow(cells, { parameters, candidates }) {
  const key = PLACE.map((one) => parameters[one]).join(' ');
  const cell = cells.get(key) ?? { parameters, verbs: new Map() };
  const times = cell.verbs.get(parameters.verb) ?? {};
  for (const [name, { samples }] of Object.entries(candidates)) {
    const engine = /^frameseal: (native|wasm|hybrid)$/.exec(name)?.[1];
    const time = Math.min(...samples);
    if (engine !== undefined && time > 0) times[engine] = Math.min(times[engine] ?? time, time);
  }
  if (Object.keys(times).length > 0) cells.set(key, cell);
  cell.verbs.set(parameters.verb, times);
}

function placeOf({ parameters: { keyLength, frameLength, frames }, verbs }) {
  const [first, ...others] = [...verbs.values()].filter((times) => Object.keys(times).length > 0);
  const everywhere = Object.keys(first).filter((engine) => others.every((times) => engine in times));
  const sum = (engine) => others.reduce((total, times) => total + times[engine], first[engine]);
  return {
    keyLength,
    frameLength,
    frames,
    times: Object.fromEntries(everywhere.map((engine) => [engine, sum(engine)])),
  };
}

function inOrder(a, b) {
  return a.keyLength - b.keyLength || a.frameLength - b.frameLength || a.frames - b.frames;
}

/** Those that rows are found from: all, but for one that is another one's again. */
export function votersOf(runtimes) {
  return runtimes.length === 1 ? runtimes : runtimes.filter(({ name }) => name !== AGAIN);
}

/**
 * The rows for runtimes that share a table: the present ones, unless others are better by what a row is worth.
 * @param present the rows of today.
 * @param {{ deriveRows }} rules of the library's `engine-table`.
 * @returns {{ rows, refused?: string }} why there cannot be others, if so.
 */
export function rowsFor(runtimes, present, { deriveRows }) {
  const voting = votersOf(runtimes);
  const missing = whatIsMissing(voting.flatMap(({ places }) => places));
  if (missing !== undefined) return { rows: present, refused: missing };
  const worth = runtimes.every(({ table }) => table === 'web') ? WEB_WORTH : WORTH;
  return { rows: deriveRows(together(voting), present, worth) };
}

function whatIsMissing(places) {
  const counts = (field) => new Set(places.map((place) => place[field])).size;
  const keyLengths = KEY_LENGTHS.filter((length) => !places.some(({ keyLength }) => keyLength === length));
  if (keyLengths.length > 0) return `nothing was measured under keys of ${keyLengths.join(' and ')} bytes`;
  const few = Object.entries(FEWEST).find(([field, fewest]) => counts(field) < fewest);
  return few && `only ${counts(few[0])} values of ${few[0]} were measured, ${few[1]} are needed`;
}

/**
 * One measurement for each engine at each place, of several runtimes that go by one table. `deriveRows` counts the squared
 * logarithm of how far an engine is from the fastest; here that is the mean over the runtimes, so the times that come out
 * are relative ones. An engine that one of them has not under a key length serves none of that length.
 */
export function together(runtimes) {
  const lacking = new Set(runtimes.flatMap(lackingIn));
  const cells = new Map();
  for (const place of runtimes.flatMap(({ places }) => places)) {
    const key = PLACE.map((one) => place[one]).join(' ');
    cells.set(key, [...(cells.get(key) ?? []), place]);
  }
  return [...cells.values()].flatMap((here) => combined(here, lacking));
}

// "engine keyLength" for each that the runtime has under no key of this length.
function lackingIn({ places }) {
  return KEY_LENGTHS.flatMap((keyLength) => {
    const there = places.filter((place) => place.keyLength === keyLength);
    return ['native', 'wasm', 'hybrid']
      .filter((engine) => there.length > 0 && there.every(({ times }) => !(engine in times)))
      .map((engine) => `${engine} ${keyLength}`);
  });
}

function combined(here, lacking) {
  const [{ keyLength, frameLength, frames, times }] = here;
  const engines = Object.keys(times).filter(
    (engine) => !lacking.has(`${engine} ${keyLength}`) && here.every((place) => engine in place.times),
  );
  const losses = engines.map((engine) => mean(here.map((place) => Math.log(slowness(place, engine)) ** 2)));
  const least = Math.min(...losses);
  return engines.map((engine, i) => ({
    engine,
    keyLength,
    frameLength,
    frames,
    microseconds: Math.exp(Math.sqrt(losses[i] - least)),
  }));
}

function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

// How many times the fastest one's time an engine takes at a place.
function slowness({ times }, engine) {
  return (times[engine] ?? Number.POSITIVE_INFINITY) / Math.min(...Object.values(times));
}

/**
 * What a table chooses at each place of a runtime, beside what was the fastest there.
 * @param {{ engineFor }} rules of the library's `engine-table`.
 */
export function compared({ places }, rows, { engineFor }) {
  return places.map((place) => {
    const { keyLength, frameLength, frames, times } = place;
    const fastest = Object.keys(times).reduce((a, b) => (times[b] < times[a] ? b : a));
    const chosen = engineFor(rows, keyLength, frameLength, frames);
    const ratio = slowness(place, chosen);
    return { place, fastest, chosen, ratio, differs: ratio > MARKED };
  });
}

/** Rows as they stand in the generated file. */
export function linesOf(rows) {
  return rows.map(({ keyLengths, maxFrameLength, minFrames, engine }) => {
    const keys = keyLengths === undefined ? '' : `keyLengths: [${keyLengths.join(', ')}], `;
    return `    { ${keys}maxFrameLength: ${maxFrameLength}, minFrames: ${minFrames}, engine: '${engine}' },`;
  });
}

/**
 * The text of the generated file with other rows in one table, and what they were measured in above them.
 * @throws Error where the text has no such table.
 */
export function rewritten(text, table, runtimes, rows) {
  const there = new RegExp(`^ {2}//.*\\n {2}${table}: \\[(?:\\]|\\n[^]*?^ {2}\\]),\\n`, 'm');
  if (!there.test(text)) throw new Error(`there are no rows of ${table} to be replaced`);
  const names = runtimes.map(titleOf);
  const block = [`  // ${names.join(', ')}`, `  ${table}: [`, ...linesOf(rows), '  ],', ''].join('\n');
  return text.replace(/^\/\/ Generated by .*/, GENERATED).replace(there, () => block);
}

/** Node.js 20.20.2, Chromium 150.0.1: the version's numbers behind the name, without what a distribution adds. */
export function titleOf({ title, version }) {
  const numbers = /\d[\d.]*/.exec(version)?.[0];
  return numbers === undefined ? title : `${title.replace(/ [\d.]+$/, '')} ${numbers}`;
}

const GENERATED = "// Generated by bench/table.mjs from the suite's results: do not edit.";
