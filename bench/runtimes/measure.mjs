/**
 * What runs in every runtime: it fetches its task, runs the cases that are the same for all, and sends what came of it.
 */
import { clockStep, roundsOf, runCase } from '../../dist/bench/index.js';
import { chosenCases } from './chosen-cases.mjs';

/**
 * @param url of the place at the hub; ends with a slash
 * @param about the runtime, with its version
 * @param makeHarness called once there is a task: a clock that stands still is told, too
 * @param moreCases what only some runtimes have: a function of the task
 */
export async function measure({ url, about, makeHarness, moreCases = () => [] }) {
  let answer;
  try {
    const task = await (await fetch(`${url}task`)).json();
    answer = await run(task, makeHarness(), moreCases);
  } catch (error) {
    answer = { fatal: `${error?.stack ?? error}`.split('\n', 2).join(' ') };
  }
  await fetch(`${url}result`, { method: 'POST', body: JSON.stringify({ about, ...answer }) });
}

async function run({ scale, table, groups, budget, peers }, harness, moreCases) {
  const step = clockStep(() => performance.now());
  const options = { ...roundsOf(scale, step), harness };
  const isAsked = ({ group }) => groups?.includes(group) ?? true;
  const rows = [];
  for (const one of (await moreCases({ scale, peers })).filter(isAsked))
    rows.push(await runCase(one, options));
  const ends = performance.now() + budget; // of what all runtimes have
  let leftOut = 0;
  for (const one of chosenCases(scale, table).filter(isAsked)) {
    if (performance.now() < ends) rows.push(await runCase(one, options));
    else leftOut++;
  }
  return { harness: harness.name, clockStepMicroseconds: 1000 * step, rows, ...(leftOut && { leftOut }) };
}
