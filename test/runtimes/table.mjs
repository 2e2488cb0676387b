/**
 * The results as tables: one for the terminal, one for docs/runtimes.md.
 */
import { readFileSync, writeFileSync } from 'node:fs';

const DOCS = new URL('../../docs/runtimes.md', import.meta.url);
const BEGIN = (name) => `<!-- ${name}: written by test/runtimes -->`;
const END = '<!-- end -->';

/** Groups of cases by runtimes: passed, or passed and failed. */
export function printTable(results) {
  const groups = [...new Set(results.flatMap(({ rows }) => rows.map((row) => groupOf(row))))];
  const header = ['', ...groups, 'ms'];
  const lines = results.map(({ name, rows }) => [
    name,
    ...groups.map((group) => count(rows.filter((row) => groupOf(row) === group))),
    String(rows.reduce((sum, { ms }) => sum + ms, 0)),
  ]);
  const widths = header.map((_, i) => Math.max(...[header, ...lines].map((line) => line[i].length)));
  for (const line of [header, ...lines])
    console.log(line.map((cell, i) => cell.padStart(widths[i])).join('  '));
}

/** Every case that failed, with its error. */
export function printFailures(results) {
  for (const { title, rows } of results) {
    const failed = rows.filter(({ ok }) => !ok);
    for (const { case: name, error } of failed.slice(0, SHOWN))
      console.log(`FAILED ${title}: ${name}: ${error}`);
    if (failed.length > SHOWN) console.log(`FAILED ${title}: ${failed.length - SHOWN} more`);
  }
}

const SHOWN = 20;

function groupOf({ case: name }) {
  return name.split('/')[0];
}

function count(rows) {
  const failed = rows.filter(({ ok }) => !ok).length;
  return failed === 0 ? String(rows.length) : `${rows.length - failed}!${failed}`;
}

/** What works where, as the rows say; without versions, so that it stays the same until something changes. */
export function capabilities(results) {
  const lines = results.map(({ title, rows }) => [
    title,
    ['native', 'wasm', 'hybrid']
      .filter((engine) => noteOf(rows, `engines/${engine}`) === 'serves')
      .join(', '),
    noteOf(rows, 'engines/warmUp') === 'relaxed' ? 'relaxed SIMD' : kernelOf(rows),
    aes192Of(rows),
    noteOf(rows, 'keyrings/AES-192, CryptoKey') === undefined ? 'yes' : 'no',
    noteOf(rows, 'keyrings/RSA pkcs1') === 'reads' ? 'reads' : 'no',
    rows.some((row) => row.case.startsWith('kms/AWS SDK')) ? 'fetch, AWS SDK' : 'fetch',
  ]);
  return markdown(
    [
      'runtime',
      'engines',
      'kernel after `warmUp`',
      'AES-192',
      'AES-192 CryptoKeys',
      'RSA PKCS#1 v1.5',
      'KMS over',
    ],
    lines,
  );
}

function noteOf(rows, name) {
  return rows.find((row) => row.case === name)?.note;
}

function kernelOf(rows) {
  return noteOf(rows, 'engines/wasm') === 'serves' ? 'SIMD' : 'refused';
}

function aes192Of(rows) {
  if (noteOf(rows, 'whole/0x0046 auto') === 'UNSUPPORTED') return 'no';
  return noteOf(rows, 'whole/0x0046 native') === 'UNSUPPORTED' ? 'by the kernel' : 'yes';
}

function markdown(header, lines) {
  const row = (cells) => `| ${cells.join(' | ')} |`;
  return [row(header), row(header.map(() => '---')), ...lines.map(row)].join('\n');
}

/** Which versions were run, and how many cases. */
export function versions(results) {
  const lines = results.map(({ title, about, rows }) => [title, about, String(rows.length)]);
  return markdown(['runtime', 'version', 'cases'], lines);
}

/** Whether the page says what the results say, of the runtimes that were run. */
export function docsAgree(results) {
  const lines = readFileSync(DOCS, 'utf8').split('\n');
  return capabilities(results)
    .split('\n')
    .every((line) => lines.includes(line));
}

/** Writes both tables into the page. */
export function writeDocs(results) {
  let text = readFileSync(DOCS, 'utf8');
  for (const [name, table] of Object.entries({ table: capabilities(results), versions: versions(results) })) {
    const start = text.indexOf(BEGIN(name));
    const end = text.indexOf(END, start);
    if (start < 0 || end < 0) throw new Error(`docs/runtimes.md has no ${BEGIN(name)}`);
    text = text.slice(0, start) + section(name, table) + text.slice(end + END.length);
  }
  writeFileSync(DOCS, text);
}

function section(name, table) {
  return `${BEGIN(name)}\n\n${table}\n\n${END}`;
}
