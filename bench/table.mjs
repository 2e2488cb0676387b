// Which engine the selection table takes, beside what was measured, for each runtime of one or more reports; and the rows
// that the measurements ask for. Run: npm run bench:table -- [REPORT.json ...] [--write]
//
//   REPORT.json   of `npm run bench:full`; of several the least time counts, runtime by runtime. Without any: the newest in
//                 bench/results and bench/out that is a full one, else the newest
//   --write       writes the rows into src/engine/engine-table.gen.ts, where they are better than those there
//
// Exit code 1 where there is no such report. A table that differs from what was measured is no failure.

import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { ENGINE_TABLES } from '../dist/engine/engine-table.gen.js';
import { deriveRows, engineFor } from '../dist/engine/engine-table.js';
import {
  compared,
  linesOf,
  measuredRuntimes,
  rewritten,
  rowsFor,
  titleOf,
  votersOf,
} from './engine-rows.mjs';

const FILE = new URL('../src/engine/engine-table.gen.ts', import.meta.url);
const rules = { deriveRows, engineFor };

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { write: { type: 'boolean' } },
});
const runtimes = positionals.length > 0 ? await fromFiles(positionals) : await fromNewest();
if (runtimes.length === 0) {
  console.error('no report with measured engines: make one by `npm run bench:full`');
  process.exitCode = 1;
}
for (const table of Object.keys(ENGINE_TABLES)) {
  const those = runtimes.filter((one) => one.table === table);
  if (those.length > 0) await reportTable(table, those);
}

async function fromFiles(paths) {
  const reports = [];
  for (const path of paths) {
    try {
      reports.push(JSON.parse(await readFile(path, 'utf8')));
    } catch (error) {
      console.error(`${path} is not a report: ${error.message}`);
      process.exitCode = 1;
    }
  }
  return measuredRuntimes(reports);
}

async function fromNewest() {
  const found = [];
  for (const folder of ['results', 'out']) {
    const names = await readdir(new URL(folder, import.meta.url), { recursive: true }).catch(() => []);
    for (const name of names.filter((one) => one.endsWith('.json'))) {
      const url = new URL(`${folder}/${name}`, import.meta.url);
      const report = JSON.parse(await readFile(url, 'utf8'));
      const measured = measuredRuntimes([report]);
      const { mtimeMs } = await stat(url);
      if (measured.length > 0)
        found.push({ name: `${folder}/${name}`, measured, full: report.scale === 'full', mtimeMs });
    }
  }
  const [newest] = found.sort((a, b) => Number(b.full) - Number(a.full) || b.mtimeMs - a.mtimeMs);
  if (newest) console.log(`from bench/${newest.name}`);
  return newest?.measured ?? [];
}

async function reportTable(table, those) {
  const present = ENGINE_TABLES[table];
  const { rows, refused } = rowsFor(those, present, rules);
  const better = rows !== present;
  const written = better && values.write === true;
  if (written) {
    const text = await readFile(FILE, 'utf8');
    await writeFile(FILE, rewritten(text, table, votersOf(those), rows));
  }
  const shown = written ? rows : present;
  for (const runtime of those) reportRuntime(runtime, shown);
  printRows(`${table}: ${written ? 'now ' : ''}auto goes by`, shown);
  if (refused) console.log(`${table}: no other rows can be found: ${refused}`);
  else if (!better) console.log(`${table}: no other rows are clearly better`);
  else if (!written) reportBetter(table, those, rows);
}

function reportRuntime(runtime, rows) {
  const cells = compared(runtime, rows, rules);
  const engines = ['native', 'wasm', 'hybrid'].filter((one) => cells.some(({ place }) => one in place.times));
  console.log(
    `\n${titleOf(runtime)}: microseconds to seal and open all frames of a job, the least of all rounds\n`,
  );
  console.log(['  key', '  frame', 'frames', ...engines.map((one) => one.padStart(9))].join('  '));
  for (const cell of cells) console.log(lineOf(cell, engines));
  console.log(`\n${summaryOf(runtime, cells)}`);
}

function lineOf({ place, fastest, chosen, ratio, differs }, engines) {
  const { keyLength, frameLength, frames, times } = place;
  const where = [`${keyLength}`.padStart(5), `${frameLength}`.padStart(7), `${frames}`.padStart(6)];
  const measured = engines.map((one) => (times[one]?.toFixed(1) ?? 'none').padStart(9));
  const verdict = `fastest ${fastest.padEnd(6)}  chosen ${chosen.padEnd(6)} ${ratio.toFixed(2)}x`;
  return `${[...where, ...measured].join('  ')}  ${verdict}${differs ? ' !' : ''}`;
}

function summaryOf(runtime, cells) {
  const right = cells.filter(({ differs }) => !differs).length;
  const worst = Math.max(...cells.map(({ ratio }) => ratio)).toFixed(2);
  return `${titleOf(runtime)}: ${right} of ${cells.length} places within 10 % of the fastest, the worst ${worst}x`;
}

function reportBetter(table, those, rows) {
  printRows(`${table}: better rows, which --write takes`, rows);
  for (const runtime of those)
    console.log(`with them, ${summaryOf(runtime, compared(runtime, rows, rules))}`);
}

function printRows(title, rows) {
  console.log(`\n${title}`);
  for (const line of linesOf(rows)) console.log(line);
  console.log('    everything else: native');
}
