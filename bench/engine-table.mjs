// Which engine is the fastest for which frames in this runtime, and whether `auto` takes it. Run: npm run bench:table,
// or with another runtime: deno run -A --config bench/deno.json bench/engine-table.mjs, bun run bench/engine-table.mjs
//
//   --quick     fewer rounds, fewer places
//   --write     rewrites the rows of this runtime in src/engine/engine-table.gen.ts, where others are better

import { strictEqual } from 'node:assert';
import { readFile, writeFile } from 'node:fs/promises';
import process from 'node:process';
import { runtimeName } from '../dist/crypto/node-builtin.js';
import { deriveRows, engineFor } from '../dist/engine/engine-table.js';
import { jobSealedLength } from '../dist/engine/frame-layout.js';
import { availableEngines, engineTable, selectPlatform } from '../dist/engine/select.js';
import { interleave } from './interleave.mjs';

const FILE = new URL('../src/engine/engine-table.gen.ts', import.meta.url);
const quick = process.argv.includes('--quick');
const options = { rounds: 5, roundMs: quick ? 2 : 5, warmUpMs: 10 };
// The whole of it again and again, and of each place the sweep that other work on the machine has delayed least.
const SWEEPS = quick ? 1 : 7;
const KEY_LENGTHS = [16, 24, 32];
const FRAME_LENGTHS = [64, 128, 256, 512, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_536].filter(
  (length) => !quick || Number.isInteger(Math.log2(length) / 2),
);
const FRAME_COUNTS = quick ? [1, 4, 16] : [1, 2, 4, 8, 16, 64];
const PLACES = KEY_LENGTHS.flatMap((keyLength) =>
  FRAME_LENGTHS.flatMap((frameLength) =>
    FRAME_COUNTS.map((frames) => ({ keyLength, frameLength, frames, times: {} })),
  ),
);
/** What a row is worth: 10 % at one length and number, under all three key lengths. */
const WORTH = 0.03;
/** An engine that is slower than the fastest by more is marked. */
const MARKED = 1.1;
const VERSIONS = { node: 'Node.js', deno: 'Deno', bun: 'Bun' };

const present = engineTable();
await measure(PLACES);
// Where a table looks wrong, it may be the measurement that is.
const tables = [present, derive()];
await measure(PLACES.filter((place) => tables.some((table) => ratioOf(table, place) > MARKED)));
const rows = derive();
const write = process.argv.includes('--write') && rows !== present;
if (write) await rewrite(rows);
report(write ? rows : present);
if (!write && rows !== present) printRows('better rows, which --write takes', rows);

// Seals and opens the frames of a job, each under a cipher of its own: what a message of one job costs. Undefined where
// the engine has no keys of this length.
async function candidate(engine, { keyLength, frameLength, frames }) {
  const shape = { frameLength, first: 1, regular: frames, finalLength: undefined };
  const plaintext = new Uint8Array(frameLength * frames).fill(7);
  const opened = new Uint8Array(plaintext.length);
  const sealed = new Uint8Array(jobSealedLength(shape));
  const [key, messageId] = [new Uint8Array(keyLength), new Uint8Array(32)];
  const { cipher } = selectPlatform(engine).engine;
  const sealJob = { ...shape, plaintext, output: sealed };
  const openJob = { ...shape, frames: sealed, output: opened };
  const run = () => {
    const sealing = cipher(key, messageId);
    const opening = cipher(key, messageId);
    const end = () => {
      sealing.dispose();
      opening.dispose();
    };
    const done = sealing.seal(sealJob);
    if (done instanceof Promise) return done.then(() => opening.open(openJob)).then(end);
    opening.open(openJob);
    end();
  };
  try {
    await run();
  } catch {
    return undefined;
  }
  strictEqual(Buffer.compare(opened, plaintext), 0);
  return { run, sealed };
}

async function measure(places) {
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    for (const place of places) await measureOnce(place);
  }
}

async function measureOnce(place) {
  const candidates = {};
  let sealed;
  for (const engine of availableEngines()) {
    const made = await candidate(engine, place);
    if (made === undefined) continue;
    sealed ??= made.sealed;
    strictEqual(Buffer.compare(made.sealed, sealed), 0);
    candidates[engine] = made.run;
  }
  for (const [engine, time] of Object.entries(await interleave(candidates, options)))
    place.times[engine] = Math.min(place.times[engine] ?? time, time);
}

function derive() {
  const measured = PLACES.flatMap(({ times, ...place }) =>
    Object.entries(times).map(([engine, microseconds]) => ({ engine, ...place, microseconds })),
  );
  return deriveRows(measured, present, WORTH);
}

// How many times the fastest one's time the engine takes that these rows name.
function ratioOf(table, { keyLength, frameLength, frames, times }) {
  const time = times[engineFor(table, keyLength, frameLength, frames)] ?? Number.POSITIVE_INFINITY;
  return time / Math.min(...Object.values(times));
}

function report(table) {
  const engines = availableEngines();
  const how = `the least of ${SWEEPS} medians of interleaved rounds`;
  console.log(`\n${version()}: microseconds to seal and open all frames of a job, ${how}\n`);
  console.log(['  key', ' frame', 'frames', ...engines.map((one) => one.padStart(9))].join('  '));
  for (const place of PLACES) reportPlace(engines, table, place);
  const ratios = PLACES.map((place) => ratioOf(table, place));
  const right = ratios.filter((ratio) => ratio <= MARKED).length;
  const worst = Math.max(...ratios).toFixed(2);
  console.log(`\n${right} of ${PLACES.length} places within 10 % of the fastest, the worst ${worst}x`);
  printRows('auto goes by', table);
}

function reportPlace(engines, table, place) {
  const { keyLength, frameLength, frames, times } = place;
  const fastest = Object.keys(times).reduce((a, b) => (times[b] < times[a] ? b : a));
  const chosen = engineFor(table, keyLength, frameLength, frames);
  const ratio = ratioOf(table, place);
  const where = [keyLength, frameLength, frames].map((value, i) => String(value).padStart(i === 0 ? 5 : 6));
  const measured = engines.map((one) => (times[one]?.toFixed(1) ?? 'none').padStart(9));
  const verdict = `fastest ${fastest.padEnd(6)}  chosen ${chosen.padEnd(6)} ${ratio.toFixed(2)}x`;
  console.log(`${[...where, ...measured].join('  ')}  ${verdict}${ratio > MARKED ? ' !' : ''}`);
}

function printRows(title, table) {
  console.log(`\n${title}:`);
  for (const line of linesOf(table)) console.log(line);
  console.log('    everything else: native');
}

// As they are written into the generated file.
function linesOf(table) {
  return table.map(({ keyLengths, maxFrameLength, minFrames, engine }) => {
    const keys = keyLengths === undefined ? '' : `keyLengths: [${keyLengths.join(', ')}], `;
    return `    { ${keys}maxFrameLength: ${maxFrameLength}, minFrames: ${minFrames}, engine: '${engine}' },`;
  });
}

// Only the rows of this runtime, with the comment above them.
async function rewrite(table) {
  const text = await readFile(FILE, 'utf8');
  const name = runtimeName();
  const there = new RegExp(`^ {2}//.*\\n {2}${name}: \\[\\n[^]*?^ {2}\\],\\n`, 'm');
  if (!there.test(text)) throw new Error(`${FILE.pathname} has no rows of ${name}`);
  const block = [`  // ${version()}`, `  ${name}: [`, ...linesOf(table), '  ],', ''].join('\n');
  await writeFile(
    FILE,
    text.replace(there, () => block),
  );
}

function version() {
  const name = runtimeName();
  return `${VERSIONS[name]} ${process.versions[name]}`;
}
