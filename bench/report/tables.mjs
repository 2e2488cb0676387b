/** Tables of a page: goals, runtimes, and every row that was measured. */
import { html, raw } from './html.mjs';
import { digits } from './numbers.mjs';
import { goalCells, groupsOf, linesOf } from './rows.mjs';

/** In a box of its own, so that a wide table scrolls and the page does not. */
export function table(label, head, rows) {
  return html`<div class="scroll" role="region" tabindex="0" aria-label="${label}"><table><thead><tr>${head.map(
    (text) => html`<th scope="col">${text}`,
  )}<tbody>${rows}</table></div>`;
}

const KINDS = { met: 'good', missed: 'bad' };

export function goalsTable(goals) {
  const rows = goals.map((goal) => {
    const { result, work, measured, limit, against, bare } = goalCells(goal);
    return html`<tr><td><span class="state ${KINDS[result]}">${result}</span><th scope="row">${work}<td class="number">${measured}<td>${limit}<td>${against}<td class="number">${bare}`;
  });
  return table('Goals', ['result', 'work', 'measured', 'goal', 'against', 'bare native calls'], rows);
}

export function runtimesTable(runtimes) {
  const rows = runtimes.map((runtime) => {
    const { harness, clockStepMicroseconds, versions = {}, rows, notRun } = runtime;
    const packages = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
    const step = clockStepMicroseconds ? `${digits(clockStepMicroseconds)} µs` : '';
    const count = notRun ? html`<span class="state bad">not run: ${notRun}</span>` : `${rows.length} rows`;
    return html`<tr><th scope="row">${runtime.title}<td>${runtime.version}<td>${harness}<td class="number">${step}<td>${packages.join(', ')}<td>${count}`;
  });
  return table('Runtimes', ['runtime', 'version', 'harness', 'clock’s step', 'packages', 'measured'], rows);
}

/** All rows: a part that opens for each group, in it a table for each runtime. */
export function allRows(report) {
  return groupsOf(report).map((group) => {
    const parts = report.runtimes.flatMap((runtime) => {
      const rows = runtime.rows.filter((row) => row.group === group);
      return rows.length > 0 ? [{ runtime, rows }] : [];
    });
    const count = parts.reduce((sum, { rows }) => sum + rows.length, 0);
    return html`<details><summary>${group}<span class="hint"> ${count} rows, ${parts.length} ${parts.length === 1 ? 'runtime' : 'runtimes'}</span></summary>${parts.map(
      ({ runtime, rows }) => html`<h3>${runtime.title}</h3>${rowsTable(`${group}, ${runtime.title}`, rows)}`,
    )}</details>`;
  });
}

const COLUMNS = ['work', 'candidate', 'median', 'half of the rounds', 'rate', 'ratio', 'outliers'];

function rowsTable(label, rows) {
  const head = rows.some(({ figures }) => figures) ? [...COLUMNS, 'other figures'] : COLUMNS;
  return table(
    label,
    head,
    rows.map((row) => rowOf(row, head.length)),
  );
}

function rowOf(row, columns) {
  if (row.failed)
    return html`<tr><th scope="row">${row.name}<td colspan="${columns - 1}"><span class="state bad">not measured: ${row.failed}</span>`;
  return linesOf(row).map(
    ({ candidate, median, spread, rate, ratio, outliers, figures }, index, { length }) => {
      const name =
        index === 0 && html`<th scope="row"${length > 1 && raw(` rowspan="${length}"`)}>${row.name}`;
      const cells = [candidate, median, spread, rate, ratio && `${ratio}x`, outliers];
      return html`<tr>${name}${[...cells, ...(columns > cells.length + 1 ? [figures] : [])].map((cell) => html`<td>${cell}`)}`;
    },
  );
}
