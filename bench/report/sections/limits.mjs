/** What the machine can do at most. */
import { bars, isWide } from '../charts/bars.mjs';
import { digits, figureName } from '../numbers.mjs';
import { reference } from '../rows.mjs';
import { captionOf } from './common.mjs';

export async function limits(report) {
  const runtime = reference(report);
  const values = runtime.rows.filter(({ group, figures }) => group === 'limits' && figures).flatMap(valuesOf);
  const units = [...new Set(values.map(({ unit }) => unit))];
  return {
    id: 'limits',
    title: 'Limits: what this machine can do at most',
    about:
      'What everything above is made of: OpenSSL without JavaScript, hashes and signatures in this Node, and memory.',
    legend: [{ kind: 'native', text: 'this machine' }],
    figures: await Promise.all(units.map((unit) => figureOf(unit, values, runtime))),
  };
}

function valuesOf({ name, figures }) {
  return Object.values(figures).flatMap((all) =>
    Object.entries(all).map(([figure, value]) => {
      const { words, unit } = figureName(figure);
      return { heading: words ? `${name}, ${words}` : name, unit, value };
    }),
  );
}

async function figureOf(unit, values, runtime) {
  const blocks = values
    .filter((one) => one.unit === unit)
    .sort((a, b) => b.value - a.value)
    .map(({ heading, value }) => ({ heading, bars: [{ value, text: digits(value), kind: 'native' }] }));
  const title = unit === 'per second' ? 'Signatures for each second' : 'Bytes for each second';
  const texts = blocks.map(({ heading, bars: [{ text }] }) => `${heading} ${text}`);
  const drawing = await bars(blocks, { label: `${title}. In ${unit}: ${texts.join(', ')}.` });
  return { title, drawing, caption: captionOf({ group: 'limits' }, runtime, unit, isWide(blocks)) };
}
