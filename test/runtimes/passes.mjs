/**
 * The two passes: every runtime runs the suite and writes messages; then every runtime opens what all others wrote.
 */
import { fileURLToPath } from 'node:url';
import { answerOf, browserCommand } from './answers.mjs';
import { versionOf } from './browsers.mjs';

const LIMIT_MS = 240_000;
const AT_ONCE = 2;
const HOST = fileURLToPath(new URL('host-workerd.mjs', import.meta.url));

/** The results of all runtimes that started: { name, title, about, rows }. */
export async function runAll(runtimes, setting) {
  const first = await eachOf(runtimes, (runtime) => onePass(runtime, 'suite', {}, setting));
  const started = runtimes.filter((_, i) => first[i] !== undefined);
  const results = first.filter((result) => result !== undefined);
  const second = await eachOf(started, (runtime) => {
    const others = results.filter(({ name, messages }) => name !== runtime.name && messages);
    const writers = Object.fromEntries(others.map(({ title, messages }) => [title, messages]));
    return onePass(runtime, 'exchange', { writers }, setting);
  });
  return results.map((result, i) => ({ ...result, rows: [...result.rows, ...(second[i]?.rows ?? [])] }));
}

async function eachOf(list, work) {
  const results = [];
  const waiting = list.map((one, i) => [one, i]);
  const worker = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) results[next[1]] = await work(next[0]);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return results;
}

async function onePass(runtime, pass, task, setting) {
  const { name, title, csp, expected, page } = runtime;
  const environment = { ...setting.shared, ...expected, kms: kmsOf(runtime, setting) };
  const files = page && setting.bundles[page.bundler];
  const place = setting.hub.open(`${name}/${pass}`, { task: { environment, ...task }, files, csp });
  const begun = performance.now();
  const { command, env } = commandOf(runtime, place.url, setting);
  const answer = await answerOf(place, { command, cwd: setting.app, env }, LIMIT_MS);
  const seconds = ((performance.now() - begun) / 1000).toFixed(1);
  if (answer.fatal && !place.asked()) {
    console.log(`not run: ${title} (${answer.fatal})`);
    return undefined;
  }
  console.log(`${title}, ${pass}: ${seconds} s`);
  const fatal = { case: `${pass}/ends`, ok: false, error: answer.fatal, ms: 0 };
  return {
    name,
    title,
    about: page ? versionOf(page.browser) : answer.about,
    messages: answer.messages,
    rows: answer.fatal ? [fatal] : answer.rows,
  };
}

// Pages reach the KMS at their own origin.
function kmsOf({ page }, { hub, kms, shared }) {
  return { ...shared.kms, endpoint: page ? hub.origin : kms.endpoint };
}

function commandOf({ page, peer, process: command, worker }, url, { bundles, folder, kms }) {
  if (worker) return { command: [process.execPath, HOST, bundles.worker, url, ...worker] };
  if (!page) return { command: [...command, peer ?? 'conformance/run-process.mjs', url], env: kms.env };
  return browserCommand(page.browser, `${url}run-page.html`, folder);
}
