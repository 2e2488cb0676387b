/**
 * `frameseal bench`: how fast this machine is with this runtime, and whether an engine should be forced.
 */
import { setImmediate } from 'node:timers/promises';
import {
  type BenchCase,
  type BenchRow,
  clockStep,
  commonCases,
  engineAdvice,
  type Harness,
  loopHarness,
  machineHere,
  reportHere,
  roundsOf,
  runCase,
} from '../../bench/index.ts';
import { throwIfAborted } from '../../errors.ts';
import { benchText } from '../bench-text.ts';
import { EXIT, UsageError } from '../failure.ts';
import { type Io, write } from '../io.ts';
import type { Arguments, Command } from '../options.ts';
import { stepProgress } from '../progress.ts';
import { Report } from '../report.ts';

const GROUPS = ['engines', 'key-derivation', 'messages', 'streams'] as const;

export const command: Command = {
  name: 'bench',
  usage: ['[--full] [--only GROUP] ...'],
  about: `Measures, on this machine and in this runtime: frames alone by each engine, the derivation of keys, whole messages
and streams, under a raw AES-256 key, beside plain calls of the platform's cryptography. Every result is checked before
it is timed. Says in the end which engine to force, if any. No key is needed, nothing is read, written or sent.`,
  options: {
    full: { help: 'more lengths, more rounds: some minutes instead of ten seconds' },
    only: { value: 'GROUP', multiple: true, help: `one of ${GROUPS.join(', ')}; may be given several times` },
  },
  run: bench,
};

async function bench(args: Arguments, io: Io): Promise<number> {
  if (args.positionals.length > 0) throw new UsageError('bench takes options only');
  const scale = args.flag('full') ? 'full' : 'quick';
  const only = groupsOf(args);
  const machine = machineHere();
  const loop = loopHarness();
  const cases = commonCases({ scale, table: false }).filter(
    ({ group }) => only.length === 0 || only.includes(group),
  );
  const options = {
    ...roundsOf(
      scale,
      clockStep(() => performance.now()),
    ),
    harness: interruptible(loop, io.signal),
  };
  const rows = await runAll(cases, (one) => runCase(one, options), args, io);
  const call = [
    'frameseal bench',
    ...(scale === 'full' ? ['--full'] : []),
    ...only.map((one) => `--only ${one}`),
  ];
  const report = reportHere(call.join(' '), machine, loop, rows);
  const advice = rows.some(({ group }) => group === 'engines') ? engineAdvice(rows) : undefined;
  const lines = new Report(io, { json: args.flag('json') });
  const failed = rows.filter((row) => row.failed !== undefined);
  await lines.json({ ok: failed.length === 0, ...report, ...(advice && { advice }) });
  if (!args.flag('json')) await write(io.stdout, benchText(report, advice));
  return failed.length === 0 ? EXIT.ok : EXIT.failed;
}

function groupsOf(args: Arguments): readonly string[] {
  const groups: readonly string[] = GROUPS;
  const only = args.texts('only');
  const unknown = only.find((one) => !groups.includes(one));
  if (unknown !== undefined)
    throw new UsageError(`--only expected one of ${GROUPS.join(', ')}, got "${unknown}"`);
  return only;
}

async function runAll(
  cases: readonly BenchCase[],
  measure: (one: BenchCase) => Promise<BenchRow>,
  args: Arguments,
  io: Io,
): Promise<readonly BenchRow[]> {
  const isQuiet = args.flag('quiet') || args.flag('json');
  const progress = isQuiet ? undefined : stepProgress(io, cases.length);
  const rows: BenchRow[] = [];
  try {
    for (const one of cases) {
      throwIfAborted(io.signal);
      progress?.show(rows.length, `${one.group}: ${one.name}`);
      rows.push(await measure(one));
    }
    throwIfAborted(io.signal);
    return rows;
  } finally {
    progress?.clear();
  }
}

// Between two rounds a signal of the system is heard, which needs a turn of the event loop: calls that answer at once leave
// it none.
function interruptible(harness: Harness, signal: AbortSignal): Harness {
  return {
    name: harness.name,
    async time(call, limits) {
      await setImmediate();
      throwIfAborted(signal);
      return harness.time(call, limits);
    },
  };
}
