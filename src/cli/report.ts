/**
 * What is said besides the data: notes, failures and, with `--json`, one JSON line for each file.
 *
 * Texts go to stderr. JSON lines go to stdout; where stdout carries the data they go to stderr instead, and then
 * nothing there is text.
 */
import { EXIT, exitCodeOf, type Failure, failureOf, oneLine } from './failure.ts';
import { ClosedPipe, type Io, write } from './io.ts';

/** How much is said, and as what. */
export interface ReportOptions {
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly dataOnStdout?: boolean;
}

/** Which file a line is about; `-` is stdin or stdout. */
export interface Subject {
  readonly input?: string;
  readonly output?: string;
  /** For a failure: bytes that stdout has been given, and that must be discarded. */
  readonly bytesToDiscard?: number;
}

/** Speaks to people and machines. */
export class Report {
  readonly #io: Io;
  readonly #options: ReportOptions;

  constructor(io: Io, options: ReportOptions) {
    this.#io = io;
    this.#options = options;
  }

  /** Good to know; not said with `--quiet`. */
  async note(text: string): Promise<void> {
    if (!this.#options.quiet) await this.warn(text);
  }

  /** Said in any case. */
  async warn(text: string): Promise<void> {
    if (this.#jsonOnStderr) await this.json({ note: text });
    else await write(this.#io.stderr, `frameseal: ${oneLine(text)}\n`);
  }

  /** What failed: one line, in any case. */
  async failed(error: unknown, subject: Subject = {}): Promise<Failure> {
    const failure = failureOf(error);
    const { input, bytesToDiscard = 0 } = subject;
    if (this.#options.json) await this.json({ ok: false, ...subject, error: failure });
    if (!this.#jsonOnStderr) {
      const name = input === undefined ? '' : `${input === '-' ? 'standard input' : input}: `;
      const discard = bytesToDiscard > 0 ? `; discard the ${bytesToDiscard} bytes written to stdout` : '';
      const text = `${name}${failure.code}: ${failure.message}${discard}`;
      await write(this.#io.stderr, `frameseal: ${oneLine(text)}\n`);
    }
    return failure;
  }

  /** A JSON line, with `--json` only. */
  async json(value: object): Promise<void> {
    if (!this.#options.json) return;
    const { stderr, stdout } = this.#io;
    await write(this.#jsonOnStderr ? stderr : stdout, `${asciiJson(value)}\n`);
  }

  get #jsonOnStderr(): boolean {
    return this.#options.json === true && this.#options.dataOnStdout === true;
  }
}

/** Says what ended the call, if that can still be written. @returns the exit code, which is that of the error either way. */
export async function failWith(error: unknown, report: Report, io: Io): Promise<number> {
  if (error instanceof ClosedPipe) return EXIT.closedPipe;
  const asText = () => new Report(io, {}).failed(error); // stdout may be full, and stderr not
  await report
    .failed(error)
    .catch(asText)
    .catch(() => {});
  return exitCodeOf(failureOf(error), io.signal);
}

/** JSON that is exact and does nothing to a terminal: whatever is not printable ASCII is escaped. */
export function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
