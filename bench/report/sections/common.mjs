/** What the sections share: which colour a candidate has, how a row becomes a bar, and wordings. */
import { digits, rateOf, times } from '../numbers.mjs';
import { NATIVE_CALLS, oursOf, PUBLISHED_SDK, ratioTo } from '../rows.mjs';

export const KINDS = [
  { kind: 'ours', text: 'frameseal' },
  { kind: 'sdk', text: 'the published SDK, same format' },
  { kind: 'native', text: 'the platform’s own calls alone' },
  { kind: 'other', text: 'others, formats of their own' },
];

export const RATIO_NOTE =
  'At the right: how many times as fast frameseal is (below 1x it is slower). The thin line holds half of the rounds.';

export function kindOf(row, candidate) {
  if (candidate === oursOf(row) || candidate.startsWith('frameseal')) return 'ours';
  if (PUBLISHED_SDK.test(candidate)) return 'sdk';
  return NATIVE_CALLS.test(candidate) ? 'native' : 'other';
}

/** The published SDK where it is in the row, else the fastest of the others. */
export function mainPeer(row) {
  const peers = Object.keys(row.candidates).filter((candidate) => kindOf(row, candidate) !== 'ours');
  const fastest = peers.sort((a, b) => row.candidates[a].median - row.candidates[b].median)[0];
  return peers.find((candidate) => PUBLISHED_SDK.test(candidate)) ?? fastest;
}

export function barOf(row, candidate, kind) {
  const { median, low, high } = row.candidates[candidate];
  const value = rateOf(row, median);
  const note = candidate === oursOf(row) ? '' : times(ratioTo(row, candidate));
  return { value, low: rateOf(row, high), high: rateOf(row, low), text: digits(value), note, kind };
}

/** The least and the greatest. */
export function span(ratios) {
  const [least, most] = [times(Math.min(...ratios)), times(Math.max(...ratios))];
  return least === most ? least : `${least} to ${most}`;
}

export function captionOf({ group }, runtime, unit, logarithmic) {
  const scale = logarithmic ? ', logarithmic scale' : '';
  return `${unit}${scale}; ${runtime.title}; rows of “${group}”`;
}
