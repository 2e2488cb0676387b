/** The page: one file, with drawings made now, and a script that nothing but "Measure this browser" needs. */
import { readFileSync } from 'node:fs';
import { html, raw } from './html.mjs';
import { measuringScripts } from './measure/bundle.mjs';
import { machineText } from './rows.mjs';
import { engines } from './sections/engines.mjs';
import { inFlight } from './sections/in-flight.mjs';
import { kms } from './sections/kms.mjs';
import { limits } from './sections/limits.mjs';
import { kernel, largeMessages, smallMessages } from './sections/peers.mjs';
import { coldStart, memory } from './sections/resources.mjs';
import { runtimes } from './sections/runtimes.mjs';
import { allRows, goalsTable, runtimesTable } from './tables.mjs';

const SECTIONS = [
  smallMessages,
  largeMessages,
  runtimes,
  engines,
  kernel,
  inFlight,
  kms,
  memory,
  coldStart,
  limits,
];

/** @param report as in README.md @returns the page, one document */
export async function renderHtml(report) {
  const sections = await Promise.all(SECTIONS.map((section) => section(report)));
  const style = ['page.css', 'charts.css'].map((name) =>
    readFileSync(new URL(name, import.meta.url), 'utf8'),
  );
  return `${html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="description" content="How fast frameseal is: engines, runtimes and peers, measured.">
<title>How fast is it? · frameseal</title>
<link rel="icon" href="data:,">
<style>${raw(style.join(''))}</style>
</head>
<body>
${top(report)}
<main>
${goals(report)}
${sections.map(sectionOf)}
${measuring()}
${method(report)}
<section class="card" id="rows"><h2>All rows</h2>${ROWS_NOTE}${allRows(report)}</section>
</main>
${await measuringScripts(report)}
</body>
</html>
`}`;
}

const LINKS = {
  goals: 'Goals',
  small: 'Small messages',
  large: 'Large messages',
  runtimes: 'Runtimes',
  engines: 'Engines',
  kernel: 'Kernel',
  'in-flight': 'In flight',
  kms: 'KMS',
  memory: 'Memory',
  'cold-start': 'Cold start',
  limits: 'Limits',
  method: 'How it was measured',
  rows: 'All rows',
};

function top({ date, machine }) {
  const links = Object.entries(LINKS).map(([id, text]) => html`<li><a href="#${id}">${text}</a>`);
  return html`<header class="top">
<p class="name">frameseal</p>
<h1>How fast is it?</h1>
<p>AWS Encryption SDK messages in every JavaScript runtime, measured on ${machineText(machine)}, on <time datetime="${date}">${date.slice(0, 10)}</time>.</p>
<nav aria-label="Sections"><ul>${links}<li class="scripted" hidden><a href="#measure">Measure this browser</a></ul></nav>
</header>`;
}

function goals({ goals = [] }) {
  const met = goals.filter(({ met }) => met === true).length;
  const open = goals.filter(({ met }) => met === undefined).length;
  const title =
    goals.length > 0
      ? `Goals: ${met} of ${goals.length} met${open > 0 ? `, ${open} not measured` : ''}`
      : 'Goals';
  const body = goals.length > 0 ? goalsTable(goals) : NOTHING;
  return html`<section class="card" id="goals"><h2>${title}</h2>${body}</section>`;
}

const NOTHING = html`<p class="hint">Nothing of this was measured in this run.</p>`;

function sectionOf({ id, title, about, legend, figures }) {
  if (figures.length === 0)
    return html`<section class="card" id="${id}"><h2>${LINKS[id]}</h2>${NOTHING}</section>`;
  return html`<section class="card" id="${id}">
<h2>${title}</h2>
<p class="hint">${about}</p>
<ul class="legend">${legend.map(({ text, ...style }) => html`<li>${swatch(style)}${text}`)}</ul>
<div class="figures">${figures.map(
    ({ title, drawing, caption }) =>
      html`<figure><h3>${title}</h3>${drawing}<figcaption>${caption}</figcaption></figure>`,
  )}</div>
</section>
`;
}

const SHAPES = {
  square: 'M10 3h8v8h-8z',
  'triangle-up': 'M14 2.5l5 9h-10z',
  diamond: 'M14 1.5l5 5.5l-5 5.5l-5 -5.5z',
  cross: 'M12.5 3h3v2.5h2.5v3h-2.5v2.5h-3v-2.5h-2.5v-3h2.5z',
  circle: 'M14 3a4 4 0 1 1 0 8a4 4 0 1 1 0 -8z',
};

// As in the drawings: a bar, a point on a line, or a ring around one.
function swatch({ kind, shape, dash = [], ring }) {
  const colour = `var(--bar-${kind})`;
  if (ring)
    return html`<svg aria-hidden="true" viewBox="0 0 28 14"><circle cx="14" cy="7" r="5.5" fill="none" stroke="var(--ink)" stroke-width="1.5"/></svg>`;
  if (!shape)
    return html`<svg aria-hidden="true" viewBox="0 0 28 14"><rect x="2" y="2" width="24" height="10" rx="2" fill="${colour}"/></svg>`;
  return html`<svg aria-hidden="true" viewBox="0 0 28 14"><path d="M0 7h28" stroke="${colour}" stroke-width="2" stroke-dasharray="${dash.join(' ')}"/><path d="${SHAPES[shape]}" fill="${colour}"/></svg>`;
}

function measuring() {
  return html`<section class="card scripted" id="measure" hidden>
<h2>Measure this browser</h2>
<p class="hint">The quick cases of this report, in this browser and on this machine, beside the recorded figures. It takes ten seconds to a minute; nothing is sent anywhere.</p>
<div class="buttons"><button type="button" class="primary" id="measure-run">Measure this browser</button><span id="measure-save"></span></div>
<p id="measure-state" class="state" role="status"></p>
<progress id="measure-bar" aria-label="Cases measured" max="1" value="0" hidden></progress>
<div id="measure-results"></div>
</section>
`;
}

function method({ command, seconds, date, machine, runtimes }) {
  const load = [machine.load ?? []].flat().map((one) => one.toFixed(2));
  return html`<section class="card" id="method"><h2>How it was measured</h2>
<dl class="facts">
<dt>Command<dd><code>${command}</code>${seconds && `, ${seconds} seconds`}
<dt>Date<dd>${date}
<dt>Machine<dd>${machineText(machine)}${load.length > 0 && `; load at the start ${load.join(', ')}`}
</dl>
<ul>
<li>The outputs of all candidates are checked before any is timed: a row whose candidates disagree is marked as failed.
<li>Candidates take turns in shuffled order, round after round, so that what else the machine does hits them all alike. What counts are ratios within a row; two runs differ by more.
<li>Code is warmed up until it is compiled, except where a cold start is what is measured. Batches are so long that the step of the clock hides at most one percent.
<li>Figures are medians over the rounds. Half of the rounds lie in the spread beside them; rounds farther outside than 1.5 times its width are named as outliers, and stay in.
</ul>
${runtimesTable(runtimes)}</section>
`;
}

const ROWS_NOTE = html`<p class="hint">Times are of one call. The ratio is the candidate’s median divided by frameseal’s own, which is first in each row: so many times as fast is frameseal, and below 1 it is slower.</p>`;
