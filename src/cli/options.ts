/**
 * Command lines: what each command takes, as a table from which arguments are parsed and help is written.
 */
import { parseArgs } from 'node:util';
import { oneLine, UsageError } from './failure.ts';
import type { Io } from './io.ts';

/** One option. */
export interface OptionSpec {
  readonly short?: string;
  /** What help calls the value; without one the option is a switch. */
  readonly value?: string;
  /** May be given several times. */
  readonly multiple?: boolean;
  readonly help: string;
}

/** A command as its module defines it. */
export interface Command {
  readonly name: string;
  /** How it is called, one line each, without `frameseal` and the name. */
  readonly usage: readonly string[];
  readonly about: string;
  readonly options: Readonly<Record<string, OptionSpec>>;
  /** @returns the exit code. */
  readonly run: (args: Arguments, io: Io) => Promise<number>;
}

/** What every command takes. */
const COMMON: Readonly<Record<string, OptionSpec>> = {
  json: { help: 'one JSON line for each result and each failure' },
  quiet: { short: 'q', help: 'no notes and no progress bar; failures are still said' },
  help: { short: 'h', help: 'this text' },
};

/** Parsed arguments. */
export class Arguments {
  readonly positionals: readonly string[];
  readonly #values: Readonly<Record<string, readonly (string | true)[]>>;

  constructor(values: Readonly<Record<string, readonly (string | true)[]>>, positionals: readonly string[]) {
    this.#values = values;
    this.positionals = positionals;
  }

  flag(name: string): boolean {
    return this.#values[name] !== undefined;
  }

  text(name: string): string | undefined {
    return this.texts(name)[0];
  }

  texts(name: string): readonly string[] {
    return (this.#values[name] ?? []).map(String);
  }

  /** @throws UsageError unless it is an integer from `min` to `max`, in decimal digits. */
  integer(name: string, min: number, max: number): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max) {
      throw new UsageError(`--${name} expected ${min}..${max}, got "${text}"`);
    }
    return value;
  }

  /** @throws UsageError unless it is one of these. */
  oneOf<T extends string>(name: string, choices: readonly T[]): T | undefined {
    const text = this.text(name);
    const choice = choices.find((one) => one === text);
    if (text !== undefined && choice === undefined) {
      throw new UsageError(`--${name} expected one of ${choices.join(', ')}, got "${text}"`);
    }
    return choice;
  }
}

/** @throws UsageError for an unknown option, a missing or superfluous value, and a single option given twice. */
export function parseArguments(command: Command, argv: readonly string[]): Arguments {
  const specs = { ...command.options, ...COMMON };
  const { tokens, positionals } = parsed(command, specs, argv);
  const values = valuesOf(tokens);
  for (const [name, { length }] of Object.entries(values)) {
    const once = specs[name]?.value !== undefined && !specs[name]?.multiple;
    if (once && length > 1) throw new UsageError(`--${name} is given twice`);
  }
  return new Arguments(values, positionals);
}

/** What can be understood of a call that may be wrong. @param command `undefined` if it is not known. */
export function parseLoosely(command: Command | undefined, argv: readonly string[]): Arguments {
  const { tokens, positionals } = tokensOf({ ...command?.options, ...COMMON }, argv, false);
  return new Arguments(valuesOf(tokens), positionals);
}

function valuesOf(tokens: ReturnType<typeof tokensOf>['tokens']): Record<string, (string | true)[]> {
  const values: Record<string, (string | true)[]> = Object.create(null);
  for (const token of tokens) {
    if (token.kind === 'option') values[token.name] = [...(values[token.name] ?? []), token.value ?? true];
  }
  return values;
}

/** The help of a command. */
export function helpText(command: Command): string {
  const calls = command.usage.map((one) => `  frameseal ${command.name} ${one}`);
  const options = Object.entries({ ...command.options, ...COMMON });
  const heads = options.map(([name, { short, value }]) => {
    const long = value === undefined ? `--${name}` : `--${name} ${value}`;
    return short === undefined ? `    ${long}` : `-${short}, ${long}`;
  });
  const width = Math.max(...heads.map(({ length }) => length)) + 2;
  const rows = options.flatMap(([, { help }], i) => {
    const [first = '', ...more] = help.split('\n');
    return [`  ${heads[i]!.padEnd(width)}${first}`, ...more.map((line) => `  ${''.padEnd(width)}${line}`)];
  });
  return `Usage\n${calls.join('\n')}\n\n${command.about}\n\nOptions\n${rows.join('\n')}\n`;
}

function parsed(
  command: Command,
  specs: Readonly<Record<string, OptionSpec>>,
  argv: readonly string[],
): ReturnType<typeof tokensOf> {
  try {
    return tokensOf(specs, argv, true);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (!code?.startsWith('ERR_PARSE_ARGS_')) throw error;
    const unknown = /^Unknown option '([^']*)'/.exec(message)?.[1];
    const what = unknown === undefined ? message.split('\n')[0]! : `unknown option ${unknown}`;
    const near = unknown?.startsWith('--') ? nearest(unknown.slice(2), Object.keys(specs)) : undefined;
    const hint = near === undefined ? '' : ` (is it --${near}?)`;
    throw new UsageError(`${oneLine(what)}${hint}; see "frameseal ${command.name} --help"`);
  }
}

function tokensOf(specs: Readonly<Record<string, OptionSpec>>, argv: readonly string[], strict: boolean) {
  const options = Object.entries(specs).map(([name, { short, value }]) => [
    name,
    { type: value === undefined ? 'boolean' : 'string', multiple: true, ...(short && { short }) } as const,
  ]);
  return parseArgs({
    args: [...argv],
    options: Object.fromEntries(options),
    strict,
    allowPositionals: true,
    tokens: true,
  });
}

/** The name that is meant: the nearest one, if it is near. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const measured = known.map((one) => [distance(name, one), one] as const);
  const [best] = measured.sort(([a], [b]) => a - b);
  return best !== undefined && best[0] <= Math.max(1, name.length / 3) ? best[1] : undefined;
}

// Levenshtein's: the fewest letters to add, remove or replace.
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
