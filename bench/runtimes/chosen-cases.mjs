/**
 * Which of the common cases run in every runtime, and in which order: there are many runtimes, and they take turns.
 */
import { commonCases } from '../../dist/bench/index.js';

/** What matters first: where a runtime's time is over, what is left is engines. */
const ORDER = ['messages', 'streams', 'key-derivation', 'engines'];

/** Bytes: on both sides of where engines cross. */
const QUICK_FRAMES = [256, 4096, 65_536];

/**
 * Of `full` all; of `quick` what a few seconds are enough for.
 * @param table whether `full` ends with all places that a table of engines is found from
 */
export function chosenCases(scale, table) {
  const cases = commonCases({ scale, table }).filter((one) => scale === 'full' || isQuick(one));
  return ORDER.flatMap((name) => cases.filter(({ group }) => group === name));
}

function isQuick({ group, parameters: { verb, frames, bytes, frameLength } }) {
  if (group === 'engines') return verb === 'seal' && frames > 1 && QUICK_FRAMES.includes(frameLength);
  return group !== 'messages' || (frameLength === 4096 && (bytes === 2 ** 10 || bytes === 2 ** 24));
}
