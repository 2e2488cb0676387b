/**
 * The cases in every runtime, by hand:
 *
 *   node bench/runtimes/run.mjs [--full] [--only NAME,...] [--groups NAME,...] [--json FILE]
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { runRuntimes } from './runtimes.mjs';

const { values } = parseArgs({
  options: {
    full: { type: 'boolean' },
    only: { type: 'string' },
    groups: { type: 'string' },
    json: { type: 'string' },
  },
});
const results = await runRuntimes({
  scale: values.full ? 'full' : 'quick',
  only: values.only?.split(','),
  groups: values.groups?.split(','),
  progress: (text) => console.log(text),
});
for (const result of results.filter(({ notRun }) => notRun === undefined)) print(result);
if (values.json) writeFileSync(values.json, `${JSON.stringify(results, undefined, 1)}\n`);

function print({ title, version, harness, clockStepMicroseconds, rows }) {
  console.log(`\n${title} ${version}, ${harness}, clock in steps of ${round(clockStepMicroseconds)} us`);
  for (const { group, name, candidates, failed } of rows) {
    const cells = Object.entries(candidates).map(
      ([candidate, { median, low, high }]) => `${candidate} ${[median, low, high].map(round).join(' ')} us`,
    );
    console.log(`  ${group}: ${name}: ${failed ?? cells.join('; ')}`);
  }
}

function round(value) {
  return Number(value.toPrecision(3));
}
