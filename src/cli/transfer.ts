/**
 * What the commands on messages have in common: one message after the other. A failure does not stop the others; it is said
 * when it happens, and its file is named again at the end.
 */
import { stat } from 'node:fs/promises';
import { foreignEndpoint } from './endpoint.ts';
import { EXIT, endsAll, exitCodeOf, type Failure, oneLine, UsageError } from './failure.ts';
import { ClosedPipe, type Io, write } from './io.ts';
import { usesKms } from './keys.ts';
import { type Moved, type Mover, move } from './move.ts';
import type { Arguments } from './options.ts';
import { type Direction, type Job, makePlan, type Plan, STDIO } from './plan.ts';
import { progressBar } from './progress.ts';
import { failWith, Report } from './report.ts';
import { movedJson, movedText } from './result-view.ts';
import { besideOf } from './sidecars.ts';

const DEFAULT_SUFFIX = '.fseal';
/** Failed files that are named again. */
const NAMED_AGAIN = 20;

/** A call of a command on messages. */
export interface TransferCall {
  readonly direction: Direction;
  readonly args: Arguments;
  readonly io: Io;
  /** Reads the keys. */
  readonly load: () => Promise<Mover>;
}

/** @returns the exit code. @throws UsageError, ClosedPipe */
export async function transfer(call: TransferCall): Promise<number> {
  const { direction, args, io } = call;
  const plan = await makePlan({
    direction,
    inputs: args.positionals,
    output: args.text('output'),
    recursive: args.flag('recursive'),
    suffix: args.text('suffix') ?? DEFAULT_SUFFIX,
  });
  const dataOnStdout = plan.jobs.some(({ output }) => output === STDIO);
  checkCall(plan, args);
  if (direction !== 'decrypt' && dataOnStdout && io.stdout.isTTY && args.text('output') !== STDIO) {
    throw new UsageError(
      'a message is no text for a terminal: say --output FILE, or --output - all the same',
    );
  }
  const report = new Report(io, { json: args.flag('json'), quiet: args.flag('quiet'), dataOnStdout });
  try {
    return await moveAll(plan, await call.load(), call, report);
  } catch (error) {
    if (error instanceof ClosedPipe) throw error;
    return failWith(error, report, io);
  }
}

function checkCall({ jobs, refused }: Plan, args: Arguments): void {
  if (args.texts('sidecar').length > 0 && jobs.length + refused.length > 1)
    throw new UsageError('--sidecar belongs to one message, and there are several');
  if (args.flag('dry-run') && jobs.some(({ input, output }) => input === STDIO || output === STDIO))
    throw new UsageError('--dry-run expected files, and no output on stdout');
}

async function moveAll(
  { jobs, refused, skipped }: Plan,
  mover: Mover,
  call: TransferCall,
  report: Report,
): Promise<number> {
  const { args, io } = call;
  const endpoint = usesKms(['key', 'add', 'to'].flatMap((name) => args.texts(name)))
    ? await foreignEndpoint(io.env)
    : undefined;
  if (endpoint !== undefined) await report.warn(endpoint);
  let code: number = EXIT.ok;
  const failed: string[] = [];
  const onFailure = (failure: Failure, input: string) => {
    code = exitCodeOf(failure, io.signal);
    failed.push(input);
  };
  for (const { input, error } of refused) onFailure(await report.failed(error, { input }), input);
  for (const job of jobs) {
    const failure = await moveOne(job, mover, call, report);
    if (failure === undefined) continue;
    onFailure(failure, job.input);
    if (endsAll(failure)) break;
  }
  const all = jobs.length + refused.length;
  if (skipped > 0) await report.note(`left alone in folders: ${skipped} links, devices and other names`);
  if (failed.length > 0 && all > 1) await report.warn(summary(failed, all));
  return code;
}

// What failed, if it has.
async function moveOne(
  job: Job,
  mover: Mover,
  call: TransferCall,
  report: Report,
): Promise<Failure | undefined> {
  const { args, io } = call;
  const { input, output } = job;
  const isQuiet = args.flag('quiet') || args.flag('json');
  const bar = isQuiet ? undefined : progressBar(io, input, await sizeOf(input));
  let bytesToDiscard = 0;
  let moved: Moved;
  try {
    moved = await move(job, mover, io, {
      overwrite: args.flag('overwrite'),
      dryRun: args.flag('dry-run'),
      onProgress: ({ bytes }) => bar?.show(bytes),
      onNote: (text) => report.note(text),
      onStdout: (bytes) => {
        bytesToDiscard += bytes;
      },
    });
  } catch (error) {
    bar?.clear();
    if (error instanceof ClosedPipe) throw error;
    return report.failed(error, { input, output, ...(bytesToDiscard > 0 && { bytesToDiscard }) });
  }
  // A line that cannot be written is no failure of this file, which is there.
  bar?.clear();
  await say(job, moved, call, report);
  await warnOfSidecar(job, call, report);
  return undefined;
}

// One that is there already is another message's: decrypt would refuse it beside the new one.
async function warnOfSidecar(
  { input, output }: Job,
  { direction, args }: TransferCall,
  report: Report,
): Promise<void> {
  const writes = direction === 'encrypt' || direction === 'rewrap';
  if (!writes || output === STDIO || output === input || args.flag('dry-run')) return;
  const sidecar = besideOf(output);
  if ((await stat(sidecar).catch(() => undefined)) === undefined) return;
  await report.warn(
    `"${sidecar}" is of the message that was here before: remove it, or decrypt will refuse "${output}"`,
  );
}

// A dry run has nothing but its texts, so these are its output. Whether a data key stayed, and which keys open a message
// now, is said in any case; that a file is there only on a terminal.
async function say(job: Job, moved: Moved, { args, io }: TransferCall, report: Report): Promise<void> {
  const { input, output } = job;
  const dryRun = args.flag('dry-run');
  await report.json({ ok: true, input, output, ...movedJson(moved, dryRun) });
  if (args.flag('json')) return;
  const text = movedText(job, moved, dryRun);
  if (dryRun) return write(io.stdout, `${oneLine(text)}\n`);
  const aboutKeys = moved.added !== undefined || moved.dataKey !== undefined;
  if (aboutKeys || (io.stderr.isTTY && output !== STDIO)) await report.note(text);
}

// Of the input, for the progress bar: a message and its plaintext are about as long.
async function sizeOf(input: string): Promise<number | undefined> {
  const stats = input === STDIO ? undefined : await stat(input).catch(() => undefined);
  return stats?.isFile() ? stats.size : undefined;
}

function summary(failed: readonly string[], all: number): string {
  const named = failed.slice(0, NAMED_AGAIN).join(', ');
  const more = failed.length > NAMED_AGAIN ? `, and ${failed.length - NAMED_AGAIN} more` : '';
  return `${failed.length} of ${all} failed: ${named}${more}`;
}
