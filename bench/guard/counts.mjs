/**
 * Counts of instructions, by valgrind's callgrind: they hardly depend on what else the machine does.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = fileURLToPath(new URL('./', import.meta.url));
/** Milliseconds: then a machine is too busy for it. */
const LIMIT = 60_000;

/**
 * Of the kernel, translated to C.
 * @param modules paths of `frame.wasm`.
 * @returns { name: counts }, a count for each module; or { notRun }.
 */
export function kernelCounts(folder, modules) {
  mkdirSync(folder);
  const { output, failed } = run('bash', [join(HERE, 'kernel.sh'), folder, ...modules]);
  if (failed) return { notRun: /^not run: .*\((.*)\)$/m.exec(output)?.[1] ?? failed };
  const counts = {};
  for (const line of output.trim().split('\n').filter(Boolean)) {
    const [module, name, count] = line.split('\t');
    counts[name] ??= [];
    counts[name][module - 1] = Number(count);
  }
  return { counts };
}

/** What makes a run of Node.js repeatable: no compiler, one thread, fixed seeds, and no collection of garbage meanwhile. */
const REPEATABLE = [
  ...['--jitless', '--single-threaded', '--predictable', '--hash-seed=1', '--random-seed=1'],
  ...['--min-semi-space-size=64', '--max-semi-space-size=64'],
];

/**
 * Of small messages, by the interpreter of Node.js and without the kernel, as there is no WebAssembly then.
 * @param built folder of a built version.
 * @returns { counts: { piece: instructions of one call } }, the least of several batches; or { notRun }.
 */
export function messageCounts(folder, built) {
  mkdirSync(folder);
  const out = join(folder, 'out');
  const callgrind = ['-q', '--tool=callgrind', '--dump-before=umask', `--callgrind-out-file=${out}`];
  const program = [process.execPath, ...REPEATABLE, join(HERE, 'messages.mjs'), built];
  const { output, failed } = run('valgrind', [...callgrind, ...program]);
  if (failed) return { notRun: failed };
  const batches = output.split('\n').filter((line) => line.includes('\t'));
  const dumps = readdirSync(folder).filter((name) => /^out\.\d+$/.test(name)).length;
  // The first is what came before the first batch.
  if (dumps !== batches.length + 1)
    return { notRun: `callgrind has dumped ${dumps} times, not ${batches.length + 1}` };
  const counts = {};
  for (const [i, batch] of batches.entries()) {
    const [piece, calls] = batch.split('\t');
    const count = totalOf(`${out}.${i + 2}`) / calls;
    counts[piece] = Math.min(counts[piece] ?? count, count);
  }
  return { counts };
}

function totalOf(file) {
  return Number(/^totals: (\d+)/m.exec(readFileSync(file, 'latin1'))[1]);
}

function run(command, args) {
  try {
    const stdio = ['ignore', 'pipe', 'pipe'];
    return { output: execFileSync(command, args, { encoding: 'utf8', stdio, timeout: LIMIT }) };
  } catch (error) {
    const { code, stdout = '', stderr = '', signal } = error;
    if (code === 'ENOENT') return { output: '', failed: `${command} is missing` };
    const why = signal ? `it took more than ${LIMIT / 1000} s` : stderr.trim().split('\n').at(-1);
    return { output: stdout, failed: `${command}: ${why || error.message}` };
  }
}
