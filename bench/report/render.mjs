/**
 * A report of the benchmarks as a page and as Markdown:
 * node bench/report/render.mjs REPORT.json [--html FILE] [--markdown FILE]
 * Without either the Markdown is printed.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { renderMarkdown } from './markdown.mjs';
import { renderHtml } from './page.mjs';

export { renderHtml, renderMarkdown };

const USAGE = 'use: node bench/report/render.mjs REPORT.json [--html FILE] [--markdown FILE]';

/** @returns what the file says, once it is known to be a report */
export function readReport(file) {
  const report = JSON.parse(readFileSync(file, 'utf8'));
  if (report.format !== 1)
    throw new Error(`${file}: expected a report of format 1, got format ${report.format}`);
  return report;
}

async function main() {
  const options = { html: { type: 'string' }, markdown: { type: 'string' } };
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  if (positionals.length !== 1) throw new Error(USAGE);
  const report = readReport(positionals[0]);
  if (values.html) writeFileSync(values.html, await renderHtml(report));
  if (values.markdown) writeFileSync(values.markdown, renderMarkdown(report));
  if (!values.html && !values.markdown) process.stdout.write(renderMarkdown(report));
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await main().catch((error) => {
    console.error(error.message);
    process.exitCode = 2;
  });
}
