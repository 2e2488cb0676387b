/** "Measure this browser": runs the worker, shows how far it is, and what came of it beside the recorded figures. */
import { shown } from './results.mjs';

const at = (id) => document.getElementById(id);
const recorded = JSON.parse(at('measure-recorded').textContent);
const [button, state, bar] = ['run', 'state', 'bar'].map((name) => at(`measure-${name}`));

for (const element of document.querySelectorAll('.scripted')) element.hidden = false;
button.addEventListener('click', start);

function start() {
  const rows = [];
  // Not a blob: in a page that is a file, Chromium starts no module worker from one.
  const url = `data:text/javascript,${encodeURIComponent(at('measure-worker').textContent)}`;
  const worker = new Worker(url, { type: 'module' });
  const end = (text) => {
    worker.terminate();
    button.disabled = false;
    bar.hidden = true;
    state.textContent = text;
  };
  begin();
  worker.onerror = ({ message }) => end(`This browser runs no such worker: ${message ?? 'it says no more'}.`);
  worker.onmessage = ({ data: { event, ...data } }) => {
    if (event === 'started') bar.max = data.count;
    if (event === 'row') progress(rows, data.row);
    if (event === 'failed') end(`Not measured: ${data.message}.`);
    if (event === 'done') {
      end(`Measured: ${rows.length} cases.`);
      finish(rows, data);
    }
  };
}

function begin() {
  button.disabled = true;
  bar.hidden = false;
  bar.removeAttribute('value');
  state.textContent = 'Starting …';
  at('measure-results').replaceChildren();
  at('measure-save').replaceChildren();
}

function progress(rows, row) {
  rows.push(row);
  bar.value = rows.length;
  state.textContent = `${rows.length} of ${bar.max} cases: ${row.group}, ${row.name}`;
}

function finish(rows, about) {
  at('measure-results').replaceChildren(...shown(rows, recorded));
  const runtime = {
    name: 'this-browser',
    title: 'This browser',
    version: navigator.userAgent,
    versions: {},
    rows,
  };
  const machine = { cores: navigator.hardwareConcurrency, os: navigator.platform };
  const date = new Date().toISOString();
  const report = {
    format: 1,
    date,
    command: `the page ${location.href}`,
    machine,
    runtimes: [{ ...runtime, ...about }],
  };
  const blob = new Blob([JSON.stringify(report, null, 1)], { type: 'application/json' });
  const link = make('a', {
    className: 'button',
    href: URL.createObjectURL(blob),
    textContent: 'Save results as JSON',
  });
  link.download = 'frameseal-bench-browser.json';
  at('measure-save').replaceChildren(link);
}

function make(tag, properties) {
  return Object.assign(document.createElement(tag), properties);
}
