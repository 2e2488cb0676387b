// What the cases of whole messages have in common: names, how long each is timed, and the calls of one verb.
import { sizeText } from '../../dist/bench/index.js';

export const KIB = 1024;
export const MIB = 2 ** 20;
export const VERBS = ['encrypt', 'decrypt'];
export const SUITES = [0x0478, 0x0578];

/** Whether messages of this suite are signed. */
export function isSigned(suite) {
  return suite === 0x0578;
}

/** The parameters of a case, as reports look them up. `suite` is a number. */
export function parametersOf({ suite, ...others }) {
  return { suite: `0x0${suite.toString(16)}`, ...others };
}

/** The name of a case: what it does to how much. */
export function nameOf({ verb, bytes, frameLength, suite }) {
  return `${verb} ${sizeText(bytes)}, ${parametersOf({ suite }).suite}, frames of ${sizeText(frameLength)}`;
}

/**
 * Calls that take milliseconds need long until their code is compiled, and calls that take seconds need no more than one
 * for each round.
 */
export function timingFor(bytes, quick) {
  if (bytes < MIB) return quick ? timing(5, 12, 5, 150) : timing(11, 60, 5, 1000);
  if (bytes < 16 * MIB) return quick ? timing(5, 10, 2, 150) : timing(9, 40, 3, 600);
  return quick ? timing(5, 1, 1, 1) : timing(9, 1, 1, 300);
}

function timing(rounds, maxTime, minSamples, warmUp) {
  return { rounds, maxTime, minSamples, warmUp };
}

/** The calls of a verb, by library. @param messages what each is given to decrypt */
export function callsOf(verb, libraries, plaintext, messages) {
  const call = ({ encrypt, decrypt }, message) =>
    verb === 'encrypt' ? () => encrypt(plaintext) : () => decrypt(message);
  return Object.fromEntries(
    libraries.map((library, index) => [library.name, call(library, messages[index])]),
  );
}
