/** Which engine seals frames of which length the fastest, in each runtime. */
import { lines } from '../charts/lines.mjs';
import { byteLength } from '../numbers.mjs';
import { parameter, rowsOf, valuesOf } from '../rows.mjs';

const ENGINE = 'frameseal: ';
const AUTO = 'auto';
/** An engine takes over where it is so much faster: less is noise. */
const CLEARLY = 1.05;
/** Of a job that is drawn; fewer where frames are so long that no job has as many. */
const FRAMES = 16;

const STYLES = {
  native: { kind: 'native', shape: 'square', dash: [] },
  wasm: { kind: 'wasm', shape: 'triangle-up', dash: [6, 3] },
  hybrid: { kind: 'ours', shape: 'diamond', dash: [] },
  [AUTO]: { kind: 'ours', ring: true },
};
const PEERS = {
  'node:crypto per frame': { kind: 'other', shape: 'cross', dash: [2, 3] },
  'subtle per frame': { kind: 'other', shape: 'circle', dash: [2, 3] },
};
const OTHER = { kind: 'other', shape: 'triangle-down', dash: [1, 3] };

const LEGEND = [
  { ...STYLES.native, text: 'native: the platform’s AES-GCM' },
  { ...STYLES.wasm, text: 'wasm: the kernel' },
  { ...STYLES.hybrid, text: 'hybrid: both' },
  { ...STYLES[AUTO], text: 'what auto takes' },
  ...Object.entries(PEERS).map(([text, style]) => ({ ...style, text })),
];

export async function engines({ runtimes }) {
  const figures = runtimes.flatMap((runtime) => {
    const rows = comparable(rowsOf(runtime, 'engines', { verb: 'seal', engine: undefined }));
    return valuesOf(rows, 'frameLength').length > 1 ? [figureOf(runtime, rows)] : [];
  });
  return {
    id: 'engines',
    title: 'Engines: short frames and long ones want different ones',
    about:
      'A ring is what auto takes. A dashed rule marks the frame length where another engine becomes the fastest. Both axes are logarithmic.',
    legend: LEGEND,
    figures: await Promise.all(figures),
  };
}

// One row for each frame length, of the longest key: equal jobs as far as that goes, so that runtimes compare.
function comparable(rows) {
  const keyed = rows.filter((row) => parameter(row, 'keyLength') === valuesOf(rows, 'keyLength').at(-1));
  return valuesOf(keyed, 'frameLength').map((length) => {
    const jobs = keyed.filter((row) => parameter(row, 'frameLength') === length);
    const most = jobs.reduce((a, b) => (b.bytes > a.bytes ? b : a));
    return jobs.find((row) => parameter(row, 'frames') === FRAMES) ?? most;
  });
}

async function figureOf(runtime, rows) {
  const list = linesOf(rows);
  const serving = list.filter(({ name, style }) => STYLES[name] && !style.ring);
  const crossings = crossingsOf(serving);
  const title = `${runtime.title}: ${told(serving, crossings)}`;
  const rules = crossings.map(({ length, to }) => ({
    length,
    text: `${to} from ${byteLength(rounded(length))}`,
  }));
  const drawing = await lines(list, rules, {
    label: `${title}. Throughput in MB/s by frame length.`,
    unit: 'MB/s',
  });
  const [{ parameters }] = rows;
  const key = parameters.keyLength ? `, keys of ${8 * parameters.keyLength} bits` : '';
  return {
    title,
    drawing,
    caption: `MB/s sealed${key}, jobs of ${FRAMES} frames or fewer; rows of “engines”`,
  };
}

function linesOf(rows) {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row.candidates)))];
  return names.map((candidate) => {
    const name = candidate.replace(ENGINE, '');
    const there = rows.filter((row) => row.candidates[candidate]);
    const points = there.map((row) => ({
      length: parameter(row, 'frameLength'),
      rate: row.bytes / row.candidates[candidate].median,
    }));
    return { name, style: STYLES[name] ?? PEERS[name] ?? OTHER, points };
  });
}

// From short to long frames: the fastest stays until another one is clearly faster.
function crossingsOf(serving) {
  const lengths = [...new Set(serving.flatMap(({ points }) => points.map(({ length }) => length)))];
  const rate = ({ points }, length) => points.find((point) => point.length === length)?.rate ?? 0;
  const fastest = (length) => serving.reduce((a, b) => (rate(b, length) > rate(a, length) ? b : a));
  const crossings = [];
  let at = lengths[0];
  let best = fastest(at);
  for (const length of lengths.sort((a, b) => a - b)) {
    const next = fastest(length);
    if (next !== best && rate(next, length) > CLEARLY * rate(best, length)) {
      const before = rate(next, at) / rate(best, at);
      const after = rate(next, length) / rate(best, length);
      crossings.push({ length: between(at, length, before, after), from: best.name, to: next.name });
      best = next;
    }
    at = length;
  }
  return crossings;
}

// Where two lines meet on logarithmic axes: their ratio is `before` at one length and `after` at the other.
function between(from, to, before, after) {
  if (before <= 0 || before >= 1) return to;
  const share = Math.log(1 / before) / Math.log(after / before);
  return from * (to / from) ** share;
}

function rounded(length) {
  const step = 2 ** Math.max(0, Math.floor(Math.log2(length)) - 3);
  return Math.round(length / step) * step;
}

function told(serving, crossings) {
  if (serving.length === 0) return 'peers alone';
  if (crossings.length === 0) return `${fastestOf(serving)} at every length`;
  const { from } = crossings[0];
  const parts = crossings.map(({ length, to }) => `${to} from ${byteLength(rounded(length))} on`);
  return `${from} for the shortest frames, ${parts.join(', ')}`;
}

function fastestOf(serving) {
  return serving.reduce((a, b) => (b.points[0].rate > a.points[0].rate ? b : a)).name;
}
