// Every case: all of it within its deadline, with the calls that it should make and no other, and either the plaintext or
// one typed error that names region and key. Cases run side by side, each on a local KMS that it has for itself.
import { setTimeout as sleep } from 'node:timers/promises';
import { aborts } from './aborts.mjs';
import { closeLabs, runAll } from './harness.mjs';
import { kinds } from './kinds.mjs';
import { matrix } from './matrix.mjs';
import { times } from './times.mjs';

// The AWS SDK's note on the Node versions that it will need says nothing of this.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';

const [only = ''] = process.argv.slice(2);
let passed = 0;
let failed = 0;

for (const [title, cases, atOnce] of [
  ['regions and keyrings', matrix(), 8],
  ['kinds of faults', kinds(), 8],
  ['time', times(), 2],
  ['aborts', aborts(), 1],
]) {
  const chosen = cases.filter(({ name }) => name.includes(only));
  const wrong = await runAll(chosen, atOnce);
  for (const { name, reason } of wrong) console.log(`FAILED ${title}: ${name}\n  ${reason}`);
  console.log(`${title}: ${chosen.length - wrong.length} of ${chosen.length}`);
  passed += chosen.length - wrong.length;
  failed += wrong.length;
}
await closeLabs();

// What an attempt has started ends with it: no timer, no connection. The SDK's back-off alone sleeps on, a few seconds at
// most, and then sends nothing.
const open = () => process.getActiveResourcesInfo().filter((name) => /Timeout|TCP/.test(name));
for (let i = 0; i < 25 && open().length > 0; i++) await sleep(200);
const left = open();
if (left.length > 0) console.log(`FAILED: still open at the end: ${left.join(', ')}`);
failed += left.length > 0 ? 1 : 0;
passed += left.length > 0 ? 0 : 1;

console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
