/**
 * A report of measurements as text: a table for each group, with a row for each case and a column for each candidate.
 */
import type { Advice, BenchReport, BenchRow, RuntimeReport, Summary } from '../bench/index.ts';
import { oneLine } from './failure.ts';

/** What stands above the rows of a group. */
const TITLES: Readonly<Record<string, string>> = {
  engines: 'Frames alone, MB/s: by the engines of frameseal, and by one plain call for each frame',
  'key-derivation': 'Keys of a message, microseconds: less is better',
  messages:
    'Whole messages, MB/s; long ones beside their frames by plain calls. 0x0478 is not signed, 0x0578 is',
  streams: 'Whole messages, streamed in pieces of 64 KiB, MB/s',
};
/** The library's own candidates begin so, an engine's with a colon behind it. */
const OURS = 'frameseal';
const COLUMNS = 100;

/** All of it, for people. */
export function benchText(report: BenchReport, advice: Advice | undefined): string {
  const parts = report.runtimes.flatMap((runtime) => [
    headText(report, runtime),
    ...groupsOf(runtime.rows).map(groupText),
  ]);
  if (advice !== undefined) parts.push(`Which engine to force\n${wrapped(advice.text)}`);
  return `${parts.join('\n\n')}\n`;
}

function headText({ machine }: BenchReport, { title, version, versions, rows }: RuntimeReport): string {
  const { cpu, cores, memoryGiB, os, load = 0 } = machine;
  const about = [cpu, cores && `${cores} cores`, memoryGiB && `${memoryGiB} GiB`, os].filter(Boolean);
  const times = rows.flatMap(({ candidates }) => Object.values(candidates));
  const rounds = Math.max(0, ...times.map(({ samples }) => samples.length));
  const busy =
    load > 0.5 * (cores ?? 1)
      ? `\nThis machine was busy before (load ${load} on ${cores} cores): compare within a row only.`
      : '';
  return `${oneLine(`frameseal ${versions.frameseal} in ${title} ${version}`)}
${oneLine(about.join(', '))}

Medians of up to ${rounds} rounds in which all candidates take turns. MB/s: 10^6 bytes of plaintext a second.
±: half of the rounds lie within this of the median, for the first column. ratio: how many times as fast
the first column is as the fastest plain call of this runtime's cryptography; below 1 it is slower.${busy}`;
}

function groupsOf(rows: readonly BenchRow[]): readonly (readonly BenchRow[])[] {
  const groups = new Map<string, BenchRow[]>();
  for (const row of rows) groups.set(row.group, [...(groups.get(row.group) ?? []), row]);
  return [...groups.values()];
}

/** A column: its title, and its cell in a row whose first candidate took so long. */
interface Column {
  readonly title: string;
  readonly cell: (row: BenchRow, ours: Summary) => string;
}

function groupText(rows: readonly BenchRow[]): string {
  const { group } = rows[0]!;
  const columns = columnsOf(rows);
  const first = namesOf(rows)[0] ?? '';
  const lines = rows.map((row) => {
    const ours = row.candidates[first];
    return ours && [row.name, ...columns.map(({ cell }) => cell(row, ours))];
  });
  const measured = lines.filter((line) => line !== undefined);
  const failed = rows
    .filter((row) => row.failed !== undefined)
    .map(({ name, failed }) => oneLine(`${name}: NOT MEASURED: ${failed}`));
  const table =
    measured.length === 0 ? [] : aligned([['', ...columns.map(({ title }) => title)], ...measured]);
  return [TITLES[group] ?? group, ...table, ...failed].join('\n');
}

function columnsOf(rows: readonly BenchRow[]): readonly Column[] {
  const [first = '', ...others] = namesOf(rows);
  const column = (name: string): Column => ({
    title: titleOf(name),
    cell: (row) => figure(row, row.candidates[name]),
  });
  const compared = others.some((name) => !isOurs(name));
  return [
    column(first),
    { title: '±', cell: (_, ours) => spread(ours) },
    ...(rows.some(({ messages }) => messages) ? [MESSAGES] : []),
    ...others.map(column),
    ...(compared ? [RATIO] : []),
  ];
}

const MESSAGES: Column = {
  title: 'messages/s',
  cell: ({ messages = 0 }, { median }) => number((1e6 * messages) / median),
};

const RATIO: Column = {
  title: 'ratio',
  cell({ candidates }, { median }) {
    const others = Object.keys(candidates).filter((name) => !isOurs(name));
    const fastest = Math.min(...others.map((name) => candidates[name]!.median));
    return others.length === 0 ? '' : `${(fastest / median).toFixed(2)}x`;
  },
};

function namesOf(rows: readonly BenchRow[]): readonly string[] {
  return [...new Set(rows.flatMap(({ candidates }) => Object.keys(candidates)))];
}

function isOurs(candidate: string): boolean {
  return candidate.startsWith(OURS);
}

// `auto` for `frameseal: auto`, `subtle` for `subtle per frame`: the group's title says the rest.
function titleOf(candidate: string): string {
  return candidate.replace(/^frameseal: /, '').replace(/ per frame$/, '');
}

function figure({ bytes }: BenchRow, time: Summary | undefined): string {
  if (time === undefined) return '';
  return number(bytes === undefined ? time.median : bytes / time.median);
}

function spread({ low, high, median }: Summary): string {
  const percent = (50 * (high - low)) / median;
  return percent > 99 ? '>99%' : `${percent.toFixed(0)}%`;
}

/** 0.041, 4.12, 41.2, 412, 4,120. */
function number(value: number): string {
  if (value < 100) return value.toFixed(value < 1 ? 3 : value < 10 ? 2 : 1);
  return Math.round(value).toLocaleString('en-US');
}

// The first column to the left, the others to the right.
function aligned(table: readonly (readonly string[])[]): readonly string[] {
  const widths = table[0]!.map((_, i) => Math.max(...table.map((row) => row[i]!.length)));
  const pad = (cell: string, i: number) => (i === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[i]!));
  return table.map((row) => row.map(pad).join('  ').trimEnd());
}

function wrapped(text: string): string {
  return text
    .split('\n')
    .map((line) => line.replace(new RegExp(`(?=.{${COLUMNS},})(.{1,${COLUMNS}}) `, 'g'), '$1\n'))
    .join('\n');
}
