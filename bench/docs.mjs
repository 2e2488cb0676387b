/**
 * The figures of docs/benchmarks.md, which come from the committed report: node bench/docs.mjs [--write]
 * Without --write they are compared, and a difference is an error.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { goalsTable, rowsTable, table } from './report/markdown.mjs';
import { digits, duration, rateOf } from './report/numbers.mjs';
import { machineText } from './report/rows.mjs';

const REPORT = new URL('results/full.json', import.meta.url);
const DOCS = new URL('../docs/benchmarks.md', import.meta.url);
const KIB = 1024;
const MIB = KIB * KIB;
/** A peer is faster from this share of our time on: less is noise. */
const LOSS = 0.95;

const report = JSON.parse(readFileSync(REPORT, 'utf8'));
const [here] = report.runtimes;
const found = readFileSync(DOCS, 'utf8');
const wanted = Object.entries(parts()).reduce(filled, found);
if (process.argv.includes('--write')) writeFileSync(DOCS, wanted);
else if (wanted !== found) {
  console.log(
    'FAILED docs/benchmarks.md says something else than bench/results/full.json: node bench/docs.mjs --write',
  );
  process.exitCode = 1;
}

function parts() {
  const { command, date, machine, seconds } = report;
  const inMinutes = Math.round(seconds / 60);
  return {
    run: `\`${command}\` on ${date}: ${inMinutes} minutes, on ${machineText(machine)}, ${here.title} ${here.version} (OpenSSL ${here.versions.openssl}); load before it ${machine.load.toFixed(1)}.${leftOutText()}`,
    goals: goalsTable(report.goals),
    limits: rowsTable(rows('limits')),
    small: rowsTable(
      rows('messages', { bytes: KIB, frameLength: 4096 }).filter(({ name }) => name.endsWith('peers')),
    ),
    inFlight: rowsTable(rows('in-flight', { inFlight: 64 })),
    large: rowsTable([16 * MIB, 64 * MIB].flatMap(largeRows)),
    streams: rowsTable(rows('streams', { bytes: 64 * MIB })),
    runtimes: runtimesTable(),
    losses: lossesTable(),
  };
}

// The last ones of a runtime whose time was over.
function leftOutText() {
  const left = report.runtimes.filter(({ leftOut }) => leftOut > 0);
  if (left.length === 0) return '';
  return ` Cases of engines left out for want of time: ${left.map(({ title, leftOut }) => `${leftOut} in ${title}`).join(', ')}.`;
}

function rows(group, wanted = {}, runtime = here) {
  return runtime.rows.filter(
    (row) =>
      row.group === group &&
      !row.failed &&
      Object.entries(wanted).every(([name, value]) => (row.parameters[name] ?? row[name]) === value),
  );
}

// Beside the published SDK, which the common cases lack, and other formats.
function largeRows(bytes) {
  const messages = rows('messages', { bytes }).filter(({ name }) => /, (peers|other formats)$/.test(name));
  return [...messages, ...rows('signed', { bytes })];
}

function runtimesTable() {
  const shapes = [
    { bytes: KIB, frameLength: 4096 },
    { bytes: 16 * MIB, frameLength: 4096 },
    { bytes: 16 * MIB, frameLength: 65_536 },
  ];
  const head = ['runtime', '1 KiB', '16 MiB, frames of 4 KiB', '16 MiB, frames of 64 KiB'];
  const cell = (runtime, shape) =>
    ['encrypt', 'decrypt']
      .map((verb) => rows('messages', { ...shape, verb, suite: '0x0478', streamed: 'one-shot' }, runtime)[0])
      .map((row) => (row === undefined ? '–' : speed(row)))
      .join(' / ');
  const lines = report.runtimes.map((runtime) => [
    `${runtime.title} ${runtime.version}`,
    ...(runtime.notRun
      ? [`not run: ${runtime.notRun}`, '', '']
      : shapes.map((shape) => cell(runtime, shape))),
  ]);
  return table(head, lines);
}

function speed(row) {
  const { median } = row.candidates.frameseal;
  return row.bytes < MIB ? duration(median) : `${digits(rateOf(row, median))} MB/s`;
}

// Every row where another is faster; where several are, the fastest.
function lossesTable() {
  const lines = report.runtimes.flatMap((runtime) =>
    runtime.rows.flatMap((row) => {
      const [ours, ...others] = Object.entries(row.candidates).filter(([name]) => !/^frameseal.+/.test(name));
      if (ours?.[0] !== 'frameseal' || others.length === 0) return [];
      const [name, { median }] = others.reduce((a, b) => (b[1].median < a[1].median ? b : a));
      const ratio = median / ours[1].median;
      return ratio < LOSS ? [[runtime.title, `${row.group}: ${row.name}`, name, `${ratio.toFixed(2)}x`]] : [];
    }),
  );
  return table(['runtime', 'work', 'faster', 'our speed, times its'], lines);
}

function filled(text, [name, part]) {
  const between = new RegExp(`(<!-- ${name} -->\\n)[^]*?(\\n<!-- end of ${name} -->)`);
  if (!between.test(text)) throw new Error(`docs/benchmarks.md has no place for ${name}`);
  return text.replace(between, (_, begin, end) => `${begin}${part}${end}`);
}
