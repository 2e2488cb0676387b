/** What the page runs: one script, the worker's as text inside, and the recorded figures that it shows beside its own. */
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { commonCases } from '../../../dist/bench/index.js';
import { html, raw } from '../html.mjs';
import { oursOf } from '../rows.mjs';

export async function measuringScripts(report) {
  const [worker, page] = await Promise.all([bundled('worker.mjs'), bundled('page.mjs')]);
  const recorded = JSON.stringify(recordedFigures(report)).replaceAll('<', '\\u003c');
  return html`<script type="application/json" id="measure-recorded">${raw(recorded)}</script>
<script type="text/plain" id="measure-worker">${raw(worker)}</script>
<script type="module">${raw(page)}</script>`;
}

async function bundled(name) {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL(name, import.meta.url))],
    bundle: true,
    write: false,
    minify: true,
    legalComments: 'none',
    format: 'esm',
    target: 'es2022',
    tsconfigRaw: {}, // that of the repository leads to src
    logLevel: 'warning',
  });
  const { text } = outputFiles[0];
  if (/<\/script|<!--/i.test(text)) throw new Error(`${name}: the bundle cannot stand in a page`);
  return text;
}

/**
 * Of the cases that a browser runs itself the library's medians, in microseconds: { names, runtimes: [{ title, medians }] },
 * in the same order, `null` where a runtime has not measured one.
 */
function recordedFigures({ runtimes }) {
  const names = commonCases({ scale: 'quick' }).map(({ group, name }) => `${group}: ${name}`);
  const measured = runtimes.map((runtime) => {
    const medians = new Map(
      runtime.rows.map((row) => [`${row.group}: ${row.name}`, row.candidates[oursOf(row)]?.median]),
    );
    const short = (median) => (median === undefined ? null : Number(median.toPrecision(4)));
    return { title: runtime.title, medians: names.map((name) => short(medians.get(name))) };
  });
  return { names, runtimes: measured.filter(({ medians }) => medians.some((median) => median !== null)) };
}
