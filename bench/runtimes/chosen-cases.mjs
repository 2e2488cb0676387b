/**
 * Which of the common cases run in every runtime, and in which order: there are many runtimes, and they take turns.
 */
import { commonCases } from '../../dist/bench/index.js';

/** What matters first: where a runtime's time is over, what is left is engines. */
const ORDER = ['messages', 'streams', 'key-derivation', 'engines'];

/** Bytes: on both sides of where engines cross. */
const QUICK_FRAMES = [256, 4096, 65_536];

/** Bytes of the messages that runtimes are compared by. */
const MESSAGES = [2 ** 10, 2 ** 24];

/**
 * Of `full` what a minute or two are enough for, of `quick` a few seconds.
 * @param table whether `full` ends with all places that a table of engines is found from
 */
export function chosenCases(scale, table) {
  const cases = commonCases({ scale, table }).filter(scale === 'full' ? isFull : isQuick);
  return ORDER.flatMap((name) => cases.filter(({ group }) => group === name));
}

function isFull({ group, parameters: { bytes, frameLength } }) {
  if (group !== 'messages' && group !== 'streams') return true;
  return MESSAGES.includes(bytes) && [4096, 65_536].includes(frameLength);
}

function isQuick({ group, parameters: { verb, frames, bytes, frameLength } }) {
  if (group === 'engines') return verb === 'seal' && frames > 1 && QUICK_FRAMES.includes(frameLength);
  return group !== 'messages' || (frameLength === 4096 && MESSAGES.includes(bytes));
}
