/** What is not a rate: memory, and the cost of a start. The least is on top. */
import { bars, isWide } from '../charts/bars.mjs';
import { digits, figureName, times } from '../numbers.mjs';
import { reference } from '../rows.mjs';
import { captionOf, KINDS, kindOf } from './common.mjs';

const NOTE = 'Less is better. At the right: how many times as much as frameseal takes.';

export function memory(report) {
  return resource(report, 'memory', 'Memory: what a message takes above its input');
}

export function coldStart(report) {
  return resource(report, 'cold-start', 'Cold start: what a process pays before its first message is done');
}

async function resource(report, group, title) {
  const runtime = reference(report);
  const rows = runtime.rows.filter((row) => row.group === group && !row.failed);
  const figures = rows.flatMap((row) => valuesIn(row).map((value) => figureOf(row, value, runtime)));
  return {
    id: group,
    title,
    about: `${runtime.title}, each in a process of its own. ${NOTE}`,
    legend: KINDS.filter(({ kind }) =>
      rows.some((row) => namesOf(row).some((name) => kindOf(withNames(row), name) === kind)),
    ),
    figures: await Promise.all(figures),
  };
}

function namesOf(row) {
  return Object.keys(row.figures ?? row.candidates);
}

function withNames(row) {
  return { candidates: row.figures ?? row.candidates };
}

// Where there are no figures, times; else each figure that is drawn.
function valuesIn(row) {
  if (!row.figures) {
    const milliseconds = Object.entries(row.candidates).map(([name, { median }]) => [name, median / 1000]);
    return [{ words: 'time', unit: 'ms', values: Object.fromEntries(milliseconds) }];
  }
  const [first] = Object.values(row.figures);
  const [figure] = Object.keys(first);
  const values = Object.fromEntries(
    Object.entries(row.figures).map(([name, figures]) => [name, figures[figure]]),
  );
  return [{ ...figureName(figure), values }];
}

async function figureOf(row, { words, unit, values }, runtime) {
  const [[, ours]] = Object.entries(values);
  const blocks = Object.entries(values)
    .filter(([, value]) => value > 0)
    .map(([heading, value], index) => {
      const note = index === 0 ? '' : times(value / ours);
      const text = `${digits(value)} ${unit}`;
      return { heading, bars: [{ value, text, note, kind: kindOf(withNames(row), heading) }] };
    })
    .sort((a, b) => a.bars[0].value - b.bars[0].value);
  const title = `${row.name}: ${digits(ours)} ${unit} ${words}`;
  const texts = Object.entries(values).map(([name, value]) => `${name} ${digits(value)}`);
  const drawing = await bars(blocks, { label: `${title}. In ${unit}: ${texts.join(', ')}.` });
  return { title, drawing, caption: captionOf(row, runtime, `${unit}, ${words}`, isWide(blocks)) };
}
