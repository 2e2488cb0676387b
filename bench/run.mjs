/**
 * The benchmark suite: every group of cases in this Node, the common ones in every other runtime that is here, and the
 * report of it all.
 *
 *   bash bench/run.sh [--full] [--groups NAME,...] [--runtimes NAME,...|none] [--output FOLDER]
 *
 * --full takes an hour instead of three minutes. --groups and --runtimes run some of them. The report is written to
 * FOLDER as report.json, report.md and report.html; without it to `bench/out`.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import Benchmark from 'benchmark';
import { benchmarkHarness } from './benchmark-harness.mjs';
import { judge, summaryOf } from './goals.mjs';
import { GROUPS, runGroups } from './groups.mjs';
import { aboutMachine, aboutThisNode } from './machine.mjs';
import { progressLine } from './progress.mjs';
import { rounded } from './rounded.mjs';

const OUT = fileURLToPath(new URL('out', import.meta.url));
const { values } = parseArgs({
  options: {
    full: { type: 'boolean', default: false },
    groups: { type: 'string', default: GROUPS.join(',') },
    runtimes: { type: 'string' },
    output: { type: 'string', default: OUT },
  },
});
const scale = values.full ? 'full' : 'quick';
const progress = progressLine(process.stderr);
const started = performance.now();

const machine = aboutMachine();
const harness = benchmarkHarness(Benchmark);
const rows = await runGroups(values.groups.split(','), scale);
const here = { ...aboutThisNode(harness), rows };
const others = await otherRuntimes(values.runtimes);
progress('');
const report = rounded({
  format: 1,
  date: new Date().toISOString().slice(0, 10),
  command: commandLine(values),
  scale,
  seconds: Math.round((performance.now() - started) / 1000),
  machine,
  runtimes: [here, ...others],
});
report.goals = judge(report);
await write(report, values.output);

// Without the folder, which is this machine's.
function commandLine({ full, groups, runtimes }) {
  const words = ['bash bench/run.sh'];
  if (full) words.push('--full');
  if (groups !== GROUPS.join(',')) words.push('--groups', groups);
  if (runtimes) words.push('--runtimes', runtimes);
  return words.join(' ');
}

async function otherRuntimes(chosen) {
  if (chosen === 'none') return [];
  const { runRuntimes } = await import('./runtimes/runtimes.mjs');
  return runRuntimes({ scale, only: chosen?.split(','), except: here.name, progress });
}

async function write(report, folder) {
  const { renderHtml, renderMarkdown } = await import('./report/render.mjs');
  await mkdir(folder, { recursive: true });
  const put = (name, text) => writeFile(join(folder, name), text);
  const markdown = renderMarkdown(report);
  await put('report.json', `${JSON.stringify(report)}\n`);
  await put('report.md', markdown);
  await put('report.html', await renderHtml(report));
  console.log(markdown);
  for (const { title, notRun } of report.runtimes) if (notRun) console.log(`not run: ${title} (${notRun})`);
  for (const { title, leftOut } of report.runtimes)
    if (leftOut) console.log(`${title}: ${leftOut} cases left out, its time was over`);
  const failed = report.runtimes.flatMap(({ title, rows = [] }) =>
    rows
      .filter((row) => row.failed)
      .map((row) => `FAILED ${title}: ${row.group}, ${row.name}: ${row.failed}`),
  );
  for (const line of failed) console.log(line);
  const measured = report.runtimes.flatMap(({ rows = [] }) => rows).length - failed.length;
  console.log(
    `${summaryOf(report.goals)}; ${report.seconds} s; ${relative(process.cwd(), folder)}/report.html`,
  );
  console.log(`${measured} passed, ${failed.length} failed`);
  process.exitCode = failed.length === 0 && measured > 0 ? 0 : 1;
}
