/** Lines over lengths, both axes logarithmic, with rules where another line becomes the highest. */
import { byteLength, digits } from '../numbers.mjs';
import { draw, text, WIDTH } from './draw.mjs';

const LEFT = 46;
const RIGHT = 10;
const BOTTOM = 38;
const HEIGHT = 200;
const RULE = 15;
/** Room beside the first and the last point, as a factor. */
const MARGIN = 1.35;
/** Labels that have room under the axis. */
const MOST_LABELS = 6;

/**
 * @param lines [{ name, style: { kind, shape, dash?, ring? }, points: [{ length, rate }] }]; a `ring` is drawn around
 *   the points of other lines
 * @param rules [{ length, text }]
 */
export function lines(list, rules, { label, unit }) {
  const points = list.flatMap(({ name, style, points }) =>
    points.map((point) => ({ name, ...style, ...point })),
  );
  const lengths = points.map(({ length }) => length);
  const rates = points.map(({ rate }) => rate);
  const ends = [Math.min(...lengths), Math.max(...lengths)];
  const domain = [ends[0] / MARGIN, ends[1] * MARGIN];
  const top = Math.max(1, rules.length) * RULE + 6;
  const rows = rules.map((rule, index) => ({
    ...rule,
    y: (index - rules.length) * RULE + 6,
    ...side(rule, domain),
  }));
  const specification = {
    width: WIDTH - LEFT - RIGHT,
    height: HEIGHT,
    padding: { left: LEFT, right: RIGHT, top: top + 4, bottom: BOTTOM },
    data: [
      { name: 'points', values: points.filter(({ ring }) => !ring) },
      { name: 'rings', values: points.filter(({ ring }) => ring) },
      { name: 'rules', values: rows },
    ],
    scales: [
      { name: 'x', type: 'log', base: 2, domain, range: 'width' },
      {
        name: 'y',
        type: 'log',
        domain: [Math.min(...rates) * 0.9, Math.max(...rates) * 1.1],
        range: 'height',
      },
    ],
    axes: axes(ends, rates, unit),
    marks: [...ruleMarks(), ...lineMarks(), pointMarks('points'), pointMarks('rings')],
  };
  return draw(specification, label);
}

// The text of a rule lies on that side of it which has more room.
function side({ length }, [least, most]) {
  const before = length / least > most / length;
  return { align: before ? 'right' : 'left', dx: before ? -4 : 4 };
}

function axes([least, most], rates, unit) {
  const step = Math.log2(most / least) / 2 >= MOST_LABELS ? 16 : 4;
  const lengths = [];
  for (let at = least; at <= most; at *= step) lengths.push(at);
  const texts = Object.fromEntries(lengths.map((at) => [at, byteLength(at)]));
  const labels = { update: { text: { signal: `(${JSON.stringify(texts)})[datum.value]` } } };
  const numbers = Object.fromEntries(oneThrees(rates).map((at) => [at, digits(at)]));
  return [
    { scale: 'x', orient: 'bottom', grid: true, values: lengths, title: 'frame length', encode: { labels } },
    {
      scale: 'y',
      orient: 'left',
      grid: true,
      values: oneThrees(rates),
      title: unit,
      titleAngle: 0,
      titleAlign: 'left',
      titleBaseline: 'middle',
      titleY: -RULE + 2,
      titleX: -LEFT + 2,
      encode: { labels: { update: { text: { signal: `(${JSON.stringify(numbers)})[datum.value]` } } } },
    },
  ];
}

function oneThrees(rates) {
  const [least, most] = [Math.min(...rates) * 0.9, Math.max(...rates) * 1.1];
  const ticks = [];
  for (let power = 10 ** Math.floor(Math.log10(least)); power <= most; power *= 10)
    ticks.push(power, 3 * power);
  return ticks.filter((at) => at >= least && at <= most);
}

function ruleMarks() {
  const from = { data: 'rules' };
  const x = { scale: 'x', field: 'length' };
  const rule = { x, y: { field: 'y' }, y2: { value: HEIGHT }, stroke: { value: 'var(--ink)' } };
  const [dx, align] = [{ field: 'dx' }, { field: 'align' }];
  return [
    { type: 'rule', from, encode: { enter: { ...rule, strokeDash: { value: [3, 3] } } } },
    {
      type: 'text',
      from,
      encode: text({ x, y: { field: 'y' }, text: { field: 'text' }, dx, align, size: 11.5 }),
    },
  ];
}

const COLOUR = { signal: "'var(--bar-' + datum.kind + ')'" };
const AT = { x: { scale: 'x', field: 'length' }, y: { scale: 'y', field: 'rate' } };

function lineMarks() {
  const line = { ...AT, stroke: COLOUR, strokeWidth: { value: 2 }, strokeDash: { field: 'dash' } };
  const facet = { name: 'line', data: 'points', groupby: 'name' };
  return [
    {
      type: 'group',
      from: { facet },
      marks: [{ type: 'line', from: { data: 'line' }, encode: { enter: line } }],
    },
  ];
}

function pointMarks(data) {
  const ring = data === 'rings';
  const filled = { fill: COLOUR, size: { value: 38 }, shape: { field: 'shape' } };
  const around = { stroke: { value: 'var(--ink)' }, strokeWidth: { value: 1.5 }, size: { value: 130 } };
  return { type: 'symbol', from: { data }, encode: { enter: { ...AT, ...(ring ? around : filled) } } };
}
