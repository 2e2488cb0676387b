/** The same as Markdown: goals, and a table for each group. */
import { goalCells, groupsOf, linesOf, machineText } from './rows.mjs';

const MARKS = { met: '✅ met', missed: '❌ **missed**' };

/** @param report as in README.md @returns Markdown */
export function renderMarkdown(report) {
  const { date, command, machine, runtimes } = report;
  const parts = [
    '# How fast is frameseal?',
    `\`${command}\`, ${date.slice(0, 10)}, on ${machineText(machine)}. Medians over rounds in shuffled order; the ratio is the candidate’s median divided by frameseal’s, which is first in each row: so many times as fast is frameseal.`,
    ...goalsPart(report),
    '## Runtimes',
    table(['runtime', 'version', 'harness', 'rows'], runtimes.map(runtimeCells)),
    ...groupsOf(report).flatMap((group) => groupPart(group, runtimes)),
  ];
  return `${parts.join('\n\n')}\n`;
}

function goalsPart({ goals = [] }) {
  return goals.length === 0 ? [] : ['## Goals', goalsTable(goals)];
}

/** What was to be reached, and whether it was. */
export function goalsTable(goals) {
  const rows = goals.map((goal) => {
    const { result, work, measured, limit, against, bare } = goalCells(goal);
    return [MARKS[result] ?? result, work, measured, limit, against, bare];
  });
  return table(['result', 'work', 'measured', 'goal', 'against', 'bare native calls'], rows);
}

function runtimeCells(runtime) {
  const { version, harness, rows, notRun } = runtime;
  return [runtime.title, version, harness, notRun ? `not run: ${notRun}` : rows.length];
}

function groupPart(group, runtimes) {
  return [
    `## ${group}`,
    ...runtimes.flatMap((runtime) => {
      const rows = runtime.rows.filter((row) => row.group === group);
      return rows.length > 0 ? [`### ${runtime.title}`, rowsTable(rows)] : [];
    }),
  ];
}

/** Rows with all that was measured of each candidate. */
export function rowsTable(rows) {
  const columns = ['work', 'candidate', 'median', 'half of the rounds', 'rate', 'ratio'];
  const more = rows.some(({ figures }) => figures);
  return table(
    more ? [...columns, 'other figures'] : columns,
    rows.flatMap((row) => cellsOf(row, more)),
  );
}

function cellsOf(row, more) {
  if (row.failed) return [[row.name, `not measured: ${row.failed}`, '', '', '', '', ...(more ? [''] : [])]];
  return linesOf(row).map(({ candidate, median, spread, rate, ratio, figures }, index) => {
    const cells = [index === 0 ? row.name : '', candidate, median, spread, rate, ratio && `${ratio}x`];
    return more ? [...cells, figures] : cells;
  });
}

/** @param head and rows: texts or numbers */
export function table(head, rows) {
  const line = (cells) => `| ${cells.map(escaped).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function escaped(text) {
  return `${text}`
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('|', '\\|')
    .replaceAll('\n', ' ');
}
