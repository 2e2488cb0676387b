/** What this browser has measured: bars for what most people ask first, and a table of everything. */
import { digits, duration, rateOf, times, unitOf } from '../numbers.mjs';

const HERE = 'This browser';
/** Bytes of the messages that are drawn; all are in the table. */
const DRAWN = [2 ** 10, 2 ** 20, 2 ** 24];

/** @returns elements */
export function shown(rows, recorded) {
  const measured = rows.map((row) => ({ row, others: othersOf(row, recorded) }));
  const chosen = measured.filter(({ row, others }) => !row.failed && others.length > 0 && isChosen(row));
  const figures = element('div', { className: 'figures' }, chosen.map(figureOf));
  return [figures, tableOf(measured, recorded)];
}

// The recorded medians of the same case.
function othersOf({ group, name }, { names, runtimes }) {
  const index = names.indexOf(`${group}: ${name}`);
  return runtimes
    .map(({ title, medians }) => ({ title, median: medians[index] }))
    .filter(({ median }) => median > 0);
}

function isChosen({ group, parameters: { verb, suite, bytes, frameLength } }) {
  return (
    group === 'messages' &&
    verb === 'encrypt' &&
    suite === '0x0478' &&
    frameLength === 4096 &&
    DRAWN.includes(bytes)
  );
}

function figureOf({ row, others }) {
  const rate = (median) => rateOf(row, median);
  const bars = [{ title: HERE, median: oursOf(row).median }, ...others]
    .map(({ title, median }) => ({ title, value: rate(median) }))
    .sort((a, b) => b.value - a.value);
  const most = bars[0].value;
  const list = element(
    'div',
    { className: 'bars' },
    bars.flatMap((bar) => barOf(bar, most)),
  );
  list.role = 'img';
  list.ariaLabel = `${row.name}: ${bars.map(({ title, value }) => `${title} ${digits(value)}`).join(', ')}`;
  const caption = element('figcaption', {}, [
    `${unitOf(row)}; recorded runtimes ran on the machine of this report`,
  ]);
  return element('figure', {}, [element('h3', {}, [row.name]), list, caption]);
}

function barOf({ title, value }, most) {
  const bar = element('span', { className: title === HERE ? 'bar here' : 'bar' });
  bar.style.inlineSize = `${(100 * value) / most}%`;
  return [
    element('span', { className: 'name' }, [title]),
    element('span', { className: 'room' }, [bar]),
    element('span', { className: 'value' }, [digits(value)]),
  ];
}

function tableOf(measured, { runtimes }) {
  const head = [
    'work',
    'unit',
    HERE,
    'half of the rounds',
    'frameseal is',
    ...runtimes.map(({ title }) => title),
  ];
  const header = element(
    'tr',
    {},
    head.map((text) => element('th', { scope: 'col' }, [text])),
  );
  const body = measured.map((one) => element('tr', {}, cellsOf(one, runtimes)));
  const table = element('table', {}, [element('thead', {}, [header]), element('tbody', {}, body)]);
  const box = element('div', { className: 'scroll', tabIndex: 0 }, [table]);
  box.role = 'region';
  box.ariaLabel = 'Measured in this browser, beside the recorded figures';
  return box;
}

function cellsOf({ row, others }, runtimes) {
  const name = element('th', { scope: 'row' }, [`${row.group}: ${row.name}`]);
  if (row.failed) return [name, cell(`not measured: ${row.failed}`, { colSpan: 4 + runtimes.length })];
  const { median, low, high } = oursOf(row);
  const recorded = runtimes.map(({ title }) => others.find((other) => other.title === title));
  return [
    name,
    cell(unitOf(row)),
    cell(digits(rateOf(row, median))),
    cell(`${duration(low)} – ${duration(high)}`),
    cell(peersOf(row, median)),
    ...recorded.map((other) => cell(other ? digits(rateOf(row, other.median)) : '')),
  ];
}

// How many times as fast the library is as each candidate that is not its own.
function peersOf({ candidates }, median) {
  return Object.entries(candidates)
    .filter(([name]) => !name.startsWith('frameseal'))
    .map(([name, summary]) => `${times(summary.median / median)} ${name}`)
    .join(', ');
}

function oursOf({ candidates }) {
  return Object.values(candidates)[0];
}

function cell(text, properties = {}) {
  return element('td', properties, [text]);
}

function element(tag, properties, children = []) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}
