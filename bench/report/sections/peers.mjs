/** Messages against peers: one drawing for each row, the fastest on top. */
import { bars, isWide } from '../charts/bars.mjs';
import { byteLength, digits, rateOf, times, unitOf } from '../numbers.mjs';
import { PUBLISHED_SDK, parameter, ratioTo, reference, richest, rowsOf } from '../rows.mjs';
import { barOf, captionOf, KINDS, kindOf, mainPeer, RATIO_NOTE, span } from './common.mjs';

const SMALL = 1024;
const LARGE = 2 ** 20;
const FRAMES = [undefined, 4096, 65536];
const SAME = ['verb', 'bytes', 'suite', 'frameLength', 'streamed'];
const OTHER_FORMATS = /other formats/;

export async function smallMessages(report) {
  const runtime = reference(report);
  const rows = richest(rowsOf(runtime, 'messages', { bytes: SMALL }), SAME);
  return {
    id: 'small',
    title: `Small messages: ${against(rows)}`,
    about: `Messages of ${byteLength(SMALL)} for each second in ${runtime.title}. ${RATIO_NOTE}`,
    legend: KINDS,
    figures: await figuresOf(rows, runtime),
  };
}

export async function largeMessages(report) {
  const runtime = reference(report);
  const rows = ['messages', 'signed', 'streams'].flatMap((group) => largest(rowsOf(runtime, group)));
  return {
    id: 'large',
    title: `Large messages: ${against(rows)}`,
    about: `MB (1,000,000 bytes of plaintext) for each second in ${runtime.title}. ${RATIO_NOTE}`,
    legend: KINDS,
    figures: await figuresOf(rows, runtime),
  };
}

export async function kernel(report) {
  const runtime = reference(report);
  const rows = rowsOf(runtime, 'engines', { engine: 'wasm', verb: 'seal' });
  return {
    id: 'kernel',
    title: `The kernel: ${span(rows.flatMap(ratiosOf))} JavaScript and Rust`,
    about: `The WebAssembly kernel alone, without a native call, in ${runtime.title}. ${RATIO_NOTE}`,
    legend: [KINDS[0], { kind: 'other', text: 'others without native calls' }],
    figures: await figuresOf(rows, runtime),
  };
}

function ratiosOf(row) {
  const peers = Object.keys(row.candidates).filter((name) => kindOf(row, name) !== 'ours');
  return peers.map((peer) => ratioTo(row, peer));
}

// Those against other formats are told by their name, and may be shorter, as some peers take seconds.
function largest(rows) {
  const long = rows.filter((row) => row.bytes >= LARGE && FRAMES.includes(parameter(row, 'frameLength')));
  const others = long.filter(({ name }) => OTHER_FORMATS.test(name));
  return [longest(long.filter((row) => !others.includes(row))), longest(others)].flat();
}

function longest(rows) {
  const most = Math.max(...rows.map(({ bytes }) => bytes));
  const some = richest(
    rows.filter(({ bytes }) => bytes === most),
    SAME,
  );
  return some.filter(({ candidates }) => Object.keys(candidates).length > 1);
}

function against(rows) {
  const compared = rows.filter((row) => PUBLISHED_SDK.test(mainPeer(row)));
  const peers = new Set(compared.map(mainPeer));
  if (peers.size !== 1) return 'frameseal and its peers';
  return `${span(compared.map((row) => ratioTo(row, mainPeer(row))))} ${[...peers][0]}`;
}

// A row's name says what is not said by its group: it is unique there.
function nameOf({ name, parameters }) {
  const streamed = parameters.streamed === 'streamed' ? ', streamed' : '';
  return name.replace(/, peers$/, '') + streamed;
}

function figuresOf(rows, runtime) {
  return Promise.all(rows.map((row) => figureOf(row, runtime)));
}

async function figureOf(row, runtime) {
  const peer = mainPeer(row);
  const name = nameOf(row);
  const title = peer ? `${name}: ${times(ratioTo(row, peer))} ${peer}` : name;
  const blocks = Object.keys(row.candidates)
    .map((candidate) => ({ heading: candidate, bars: [barOf(row, candidate, kindOf(row, candidate))] }))
    .sort((a, b) => b.bars[0].value - a.bars[0].value);
  const unit = unitOf(row);
  const values = Object.entries(row.candidates).map(
    ([candidate, { median }]) => `${candidate} ${digits(rateOf(row, median))}`,
  );
  const drawing = await bars(blocks, { label: `${title}. In ${unit}: ${values.join(', ')}.` });
  return { title, drawing, caption: captionOf(row, runtime, unit, isWide(blocks)) };
}
