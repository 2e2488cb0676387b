/**
 * What encrypt and decrypt have in common: one message after the other. A failure does not stop the others; it is said
 * when it happens, and its file is named again at the end.
 */
import { stat } from 'node:fs/promises';
import { foreignEndpoint } from './endpoint.ts';
import { EXIT, endsAll, exitCodeOf, type Failure, UsageError } from './failure.ts';
import { headerJson } from './header-view.ts';
import { ClosedPipe, type Io } from './io.ts';
import { usesKms } from './keys.ts';
import { type Moved, type Mover, move } from './move.ts';
import type { Arguments } from './options.ts';
import { type Job, makePlan, type Plan, STDIO } from './plan.ts';
import { byteText, progressBar } from './progress.ts';
import { failWith, Report } from './report.ts';

const DEFAULT_SUFFIX = '.fseal';
/** Failed files that are named again. */
const NAMED_AGAIN = 20;

/** A call of encrypt or decrypt. */
export interface TransferCall {
  readonly direction: 'encrypt' | 'decrypt';
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
  if (direction === 'encrypt' && dataOnStdout && io.stdout.isTTY && args.text('output') !== STDIO) {
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

async function moveAll(
  { jobs, refused, skipped }: Plan,
  mover: Mover,
  { args, io }: TransferCall,
  report: Report,
): Promise<number> {
  const endpoint = usesKms(args.texts('key')) ? await foreignEndpoint(io.env) : undefined;
  if (endpoint !== undefined) await report.warn(endpoint);
  let code: number = EXIT.ok;
  const failed: string[] = [];
  const onFailure = (failure: Failure, input: string) => {
    code = exitCodeOf(failure, io.signal);
    failed.push(input);
  };
  for (const { input, error } of refused) onFailure(await report.failed(error, { input }), input);
  for (const job of jobs) {
    const failure = await moveOne(job, mover, { args, io }, report);
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
  { args, io }: Pick<TransferCall, 'args' | 'io'>,
  report: Report,
): Promise<Failure | undefined> {
  const { input, output } = job;
  const isQuiet = args.flag('quiet') || args.flag('json');
  const bar = isQuiet ? undefined : progressBar(io, input, await sizeOf(input));
  let bytesToDiscard = 0;
  let moved: Moved;
  try {
    moved = await move(job, mover, io, {
      overwrite: args.flag('overwrite'),
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
  await report.json({ ok: true, input, output, ...movedJson(moved) });
  if (!isQuiet && io.stderr.isTTY && output !== STDIO) await report.note(movedText(job, moved));
  return undefined;
}

// Of the input, for the progress bar: a message and its plaintext are about as long.
async function sizeOf(input: string): Promise<number | undefined> {
  const stats = input === STDIO ? undefined : await stat(input).catch(() => undefined);
  return stats?.isFile() ? stats.size : undefined;
}

function movedJson({ bytesRead, bytesWritten, header, authenticatedContext }: Moved): object {
  return {
    bytesRead,
    bytesWritten,
    header: headerJson(header),
    ...(authenticatedContext && { authenticatedContext }),
  };
}

function movedText({ input, output }: Job, { bytesWritten }: Moved): string {
  return `${input} -> ${output} (${byteText(bytesWritten)})`;
}

function summary(failed: readonly string[], all: number): string {
  const named = failed.slice(0, NAMED_AGAIN).join(', ');
  const more = failed.length > NAMED_AGAIN ? `, and ${failed.length - NAMED_AGAIN} more` : '';
  return `${failed.length} of ${all} failed: ${named}${more}`;
}
