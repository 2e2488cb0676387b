/**
 * Bars that lie, each with its number: blocks of one or more under a heading. A thin line shows the quartiles.
 */
import { digits } from '../numbers.mjs';
import { draw, text, WIDTH } from './draw.mjs';

const HEADING = 20;
const BAR = 11;
const PITCH = 16;
const GAP = 7;
const AXIS_HEIGHT = 22;
/** Room for what is written to the right of bars. */
const VALUE = 84;
const NOTE = 46;
/** The longest as a multiple of the shortest: beyond it a shortest bar could not be seen. */
const MOST = 30;

/**
 * @param blocks [{ heading, bars: [{ value, low?, high?, from?, text, note?, kind }] }]; `kind` is the end of a CSS
 *   variable `--bar-KIND`, `from` where the bar begins
 * @param options.axis writes the numbers under the bars
 * @param options.most where the axis ends, if not at the greatest
 */
export function bars(blocks, { label, axis = digits, logarithmic = isWide(blocks), most }) {
  const { headings, rows, height } = placed(blocks);
  const notes = rows.some(({ note }) => note) ? NOTE : 0;
  const width = WIDTH - VALUE - notes;
  const scale = scaleOf(rows, logarithmic, most);
  const ticks = ticksOf(scale).map((at) => ({ at, text: axis(at) }));
  const specification = {
    width: WIDTH,
    height: height + AXIS_HEIGHT,
    padding: 1,
    data: [
      { name: 'headings', values: headings },
      { name: 'bars', values: rows.map((row) => ({ from: scale.domain[0], ...row })) },
      { name: 'spreads', values: rows.filter(({ low, high }) => high > low) },
      { name: 'ticks', values: ticks },
    ],
    scales: [{ name: 'x', range: [0, width], ...scale }],
    marks: [...gridMarks(height), ...barMarks(width, notes)],
  };
  return draw(specification, label);
}

export function isWide(blocks) {
  const values = blocks.flatMap((block) => block.bars.map(({ value }) => value));
  return Math.max(...values) > MOST * Math.min(...values);
}

function placed(blocks) {
  const [headings, rows] = [[], []];
  let y = 0;
  for (const { heading, bars } of blocks) {
    headings.push({ text: heading, y: y + HEADING / 2 });
    y += HEADING;
    for (const bar of bars) {
      rows.push({ ...bar, y, middle: y + BAR / 2 });
      y += PITCH;
    }
    y += GAP;
  }
  return { headings, rows, height: y - GAP };
}

function scaleOf(rows, logarithmic, most = Math.max(...rows.map(({ value, high = value }) => high))) {
  if (!logarithmic) return { type: 'linear', domain: [0, most] };
  const least = Math.min(...rows.map(({ value, low = value }) => low));
  return { type: 'log', domain: [10 ** Math.floor(Math.log10(least * 0.7)), most] };
}

function ticksOf({ type, domain: [least, most] }) {
  return type === 'log' ? powers(least, most) : steps(most);
}

function powers(least, most) {
  const all = [];
  for (let at = least; at <= most; at *= 10) all.push(at);
  const every = Math.ceil(all.length / 4);
  return all.filter((_, index) => index % every === 0);
}

// Four at most besides 0, round.
function steps(most) {
  const power = 10 ** Math.floor(Math.log10(most / 4));
  const step = power * [1, 2, 5, 10].find((factor) => factor * power >= most / 4.5);
  return Array.from({ length: Math.floor(most / step) + 1 }, (_, index) => index * step);
}

function gridMarks(height) {
  const x = { scale: 'x', field: 'at' };
  const from = { data: 'ticks' };
  const rule = { x, y: { value: 0 }, y2: { value: height }, stroke: { value: 'var(--line)' } };
  const y = { value: height + AXIS_HEIGHT / 2 };
  const align = { signal: "datum.at === domain('x')[0] ? 'left' : 'center'" };
  const number = text({ x, y, text: { field: 'text' }, size: 11, fill: 'var(--quiet)', align });
  return [
    { type: 'rule', from, encode: { enter: rule } },
    { type: 'text', from, encode: number },
  ];
}

function barMarks(width, notes) {
  const y = { field: 'y' };
  const middle = { field: 'middle' };
  const right = { value: 'right' };
  const fill = { signal: "'var(--bar-' + datum.kind + ')'" };
  const box = {
    x: { scale: 'x', field: 'from' },
    x2: { scale: 'x', field: 'value' },
    y,
    height: { value: BAR },
  };
  const spread = { x: { scale: 'x', field: 'low' }, x2: { scale: 'x', field: 'high' }, y: middle };
  const value = { x: { value: width + VALUE - 4 }, y: middle, text: { field: 'text' }, align: right };
  const note = {
    x: { value: WIDTH },
    y: middle,
    text: { field: 'note' },
    align: right,
    fill: 'var(--quiet)',
  };
  const bars = { data: 'bars' };
  return [
    { type: 'text', from: { data: 'headings' }, encode: text({ y, text: { field: 'text' }, size: 13 }) },
    { type: 'rect', from: bars, encode: { enter: { ...box, fill } } },
    { type: 'rule', from: { data: 'spreads' }, encode: { enter: { ...spread, ...SPREAD } } },
    { type: 'text', from: bars, encode: text(value) },
    ...(notes ? [{ type: 'text', from: bars, encode: text(note) }] : []),
  ];
}

const SPREAD = { stroke: { value: 'var(--ink)' }, strokeWidth: { value: 1.5 } };
