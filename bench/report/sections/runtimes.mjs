/** The same message in every runtime. */
import { bars, isWide } from '../charts/bars.mjs';
import { byteLength, digits, unitOf } from '../numbers.mjs';
import { oursOf, PUBLISHED_SDK, parameter, richest, rowsOf, valuesOf } from '../rows.mjs';
import { barOf, KINDS, kindOf, RATIO_NOTE } from './common.mjs';

const WORK = { verb: 'encrypt', suite: '0x0478' };
/** Both have such messages; the second beside what browsers alone have as a peer. */
const GROUPS = ['messages', 'web'];

export async function runtimes({ runtimes }) {
  const measured = runtimes
    .map((runtime) => ({
      runtime,
      rows: GROUPS.flatMap((group) => rowsOf(runtime, group, WORK)).filter(isPlain),
    }))
    .filter(({ rows }) => rows.length > 0);
  const figures = [1024, commonLength(measured)].flatMap((bytes) => {
    const there = measured
      .map(({ runtime, rows }) => ({ runtime, rows: rows.filter((row) => row.bytes === bytes) }))
      .filter(({ rows }) => rows.length > 0);
    return there.length > 0 ? [figureOf(there, bytes)] : [];
  });
  return {
    id: 'runtimes',
    title: `The same messages in ${measured.length} runtimes`,
    about: `Encrypted in one call, suite 0x0478, frames of 4 KiB, raw AES key. ${RATIO_NOTE} A bar without one took turns with another measurement of frameseal than the one shown.`,
    legend: KINDS.slice(0, 3),
    figures: await Promise.all(figures),
  };
}

function isPlain(row) {
  const frameLength = parameter(row, 'frameLength');
  return [undefined, 4096].includes(frameLength) && parameter(row, 'streamed') !== 'streamed';
}

// Of large messages the length that most runtimes have, the greater if two are equal.
function commonLength(measured) {
  const all = measured.flatMap(({ rows }) => rows);
  const lengths = valuesOf(all, 'bytes').filter((bytes) => bytes >= 2 ** 20);
  const count = (bytes) => measured.filter(({ rows }) => rows.some((row) => row.bytes === bytes)).length;
  return lengths.reduce((best, bytes) => (best && count(best) > count(bytes) ? best : bytes), undefined);
}

async function figureOf(there, bytes) {
  const blocks = there
    .map(({ runtime, rows }) => ({ heading: runtime.title, bars: barsOf(rows) }))
    .sort((a, b) => b.bars[0].value - a.bars[0].value);
  const unit = unitOf(there[0].rows[0]);
  const text = ({ heading, bars: [{ value }] }) => `${digits(value)} ${unit} in ${heading}`;
  const title = `${byteLength(bytes)} messages: ${text(blocks[0])}, ${text(blocks.at(-1))}`;
  const drawing = await bars(blocks, { label: `${title}. frameseal: ${blocks.map(text).join(', ')}.` });
  const scale = isWide(blocks) ? ', logarithmic scale' : '';
  return { title, drawing, caption: `${unit}${scale}; rows of “messages” and “web”` };
}

// frameseal beside the published SDK where that is, and one bar at most of each kind that it is compared with. A ratio is
// told only of those that took turns with what is shown of frameseal.
function barsOf(rows) {
  const first = rows.find(hasSdk) ?? richest(rows, ['bytes'])[0];
  const pairs = [first, ...rows].flatMap((row) => Object.keys(row.candidates).map((name) => ({ row, name })));
  const others = ['sdk', 'native'].flatMap(
    (kind) => pairs.find(({ row, name }) => kindOf(row, name) === kind) ?? [],
  );
  return [{ row: first, name: oursOf(first) }, ...others].map(({ row, name }) => {
    const bar = barOf(row, name, kindOf(row, name));
    return row === first ? bar : { ...bar, note: '' };
  });
}

function hasSdk(row) {
  return Object.keys(row.candidates).some((name) => PUBLISHED_SDK.test(name));
}
