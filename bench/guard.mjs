// Whether the kernel and small messages have become slower since the previous commit. Run: npm run bench:guard [-- COMMIT]
//
//   COMMIT    to compare with; without it HEAD while src has changes, else the commit before the last that changed src
//
// Both versions are built outside of the repository. Times are taken in one process, in turn, in shuffled order; a second
// copy of the previous version tells how much of a difference is none. Instructions are counted by valgrind's callgrind,
// which other work on the machine hardly moves. It fails for nothing that it finds: exit code 1 is for what cannot be built.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { kernelCounts, messageCounts } from './guard/counts.mjs';
import { difference, judge } from './guard/ratios.mjs';
import { buildCommit, buildPresent, copyOf, previousCommit } from './guard/versions.mjs';
import { guardCases } from './guard/work.mjs';

const TIMING = { rounds: 40, maxTime: 12, minSamples: 3, warmUp: 250 };
/** Share by which the counts of small messages differ from run to run. */
const COUNT_NOISE = 0.003;
const NAME = 36;

const named = process.argv[2];
const previous = previousCommit(named);
if (previous) await guard();
else if (named) {
  console.error(`there is no commit ${named} in this clone`);
  process.exitCode = 1;
} else console.log('no previous commit in this clone: nothing to compare with');

async function guard() {
  const folder = mkdtempSync(join(tmpdir(), 'frameseal-guard-'));
  try {
    const folders = {
      present: buildPresent(join(folder, 'present')),
      previous: buildCommit(join(folder, 'previous'), previous.commit),
    };
    folders.again = copyOf(folders.previous, join(folder, 'again'));
    console.log(`the files here against ${previous.title}`);
    await times(folders);
    countKernel(folder, folders);
    countMessages(folder, folders);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function times(folders) {
  const { loopHarness, runCase, summarize } = await import(
    pathToFileURL(join(folders.present, 'dist/bench/index.js')).href
  );
  const options = { ...TIMING, harness: loopHarness() };
  console.log(
    `\nTime against the previous: medians of ${TIMING.rounds} rounds, half of the rounds in parentheses`,
  );
  console.log('The last number is the same for a second copy of the previous: what is no difference\n');
  for (const one of guardCases(folders)) {
    const { name, candidates, failed } = await runCase(one, options);
    if (failed) console.log(`${name.padEnd(NAME)} not compared: ${failed}`);
    else console.log(lineOf(name, candidates, judge(candidates, summarize)));
  }
}

function lineOf(name, { previous }, { ratio, same, text }) {
  const time = `${Number(previous.median.toPrecision(3))} us`.padStart(10);
  const spread = `(${ratio.low.toFixed(3)} to ${ratio.high.toFixed(3)})`;
  return `${name.padEnd(NAME)} ${time}  x ${ratio.median.toFixed(3)} ${spread}  x ${same.median.toFixed(3)}  ${text}`;
}

function countKernel(folder, { present, previous }) {
  const modules = [present, previous].map((one) => join(one, 'src/engine/wasm/frame.wasm'));
  const { counts, notRun } = kernelCounts(join(folder, 'kernel'), modules);
  console.log(
    notRun
      ? `\nnot run: instructions of the kernel (${notRun})`
      : '\nInstructions of the kernel as C, previous and present\n',
  );
  for (const [name, [now, before]] of Object.entries(counts ?? {})) console.log(countLine(name, before, now));
}

function countMessages(folder, { present, previous }) {
  const before = messageCounts(join(folder, 'before'), previous);
  const now = before.notRun ? before : messageCounts(join(folder, 'now'), present);
  const what = 'small messages (1 KiB, 0x0478)';
  if (now.notRun) return console.log(`\nnot run: instructions of ${what} (${now.notRun})`);
  console.log(`\nInstructions of ${what} in Node.js without compiler and kernel, previous and present\n`);
  for (const [name, count] of Object.entries(now.counts))
    console.log(countLine(name, before.counts[name], count, COUNT_NOISE));
}

function countLine(name, before, now, noise) {
  const both = [before, now].map((count) =>
    (count === undefined ? 'none' : Math.round(count).toLocaleString('en')).padStart(12),
  );
  const text = before === undefined || now === undefined ? 'not compared' : difference(now, before, noise);
  return `${name.padEnd(NAME)} ${both.join('  ')}  ${text}`;
}
