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
  const all = [...(await moreCases({ scale, peers })), ...chosenCases(scale, table)];
  const cases = all.filter(({ group }) => groups?.includes(group) ?? true);
  const rows = [];
  const ends = performance.now() + budget;
  for (const one of cases) if (performance.now() < ends) rows.push(await runCase(one, options));
  const leftOut = cases.length - rows.length;
  return { harness: harness.name, clockStepMicroseconds: 1000 * step, rows, ...(leftOut && { leftOut }) };
}
