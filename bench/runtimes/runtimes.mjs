/**
 * The same cases in every runtime that this machine has, one after the other.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { answerOf, browserCommand } from '../../test/runtimes/answers.mjs';
import { versionOf } from '../../test/runtimes/browsers.mjs';
import { startHub } from '../../test/runtimes/hub.mjs';
import { endLeftovers } from '../../test/runtimes/processes.mjs';
import { missingOf, RUNTIMES } from '../../test/runtimes/runtimes.mjs';
import { bundlePage, bundleWorker, missingPeers } from './bundles.mjs';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const QUICK = ['node-22', 'node-24', 'node-26', 'deno', 'bun', 'workerd', 'chromium', 'firefox', 'webkitgtk'];
const FULL = [...QUICK, 'workerd-nodejs-compat'];
/** Node.js 20 runs the whole suite, and only by name these cases again. */
const KNOWN = ['node-20', ...FULL];
/** In whose `full` cases a table of engines is measured: the other Nodes go by the one of Node.js 20. */
const TABLES = ['deno', 'bun', 'chromium', 'firefox', 'webkitgtk'];
/** Milliseconds: how long a runtime measures the common cases, of which the rest is left out; and when it is taken to hang. */
const TIMES = {
  quick: { budget: 3_500, limit: 60_000 },
  full: { budget: 280_000, limit: 600_000 },
};
const SIGNALS = ['SIGINT', 'SIGTERM'];
/** A page that is isolated has a clock of finer steps. */
const ISOLATED = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
};

/**
 * Runs them.
 * @param scale `quick`: below ten seconds each on a machine that does nothing else; `full`: some minutes each.
 * @param only names, as in `test/runtimes/runtimes.mjs`; without it those of the scale.
 * @param except the one that has been measured already.
 * @param groups of cases; without it all.
 * @param progress is told what was measured, as text.
 * @returns for each { name, title, version, harness, clockStepMicroseconds, versions, rows, leftOut?, notRun? }
 */
export async function runRuntimes({ scale, only, except, groups, progress = () => {} }) {
  const folder = mkdtempSync(join(tmpdir(), 'frameseal-bench-'));
  const hub = await startHub();
  const setting = { scale, groups, folder, hub, bundles: {} };
  const results = [];
  const cleanUp = () => {
    endLeftovers();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  // What was started is in groups of its own, which the terminal does not reach.
  const interrupted = () => process.exit(130);
  process.once('exit', cleanUp);
  for (const signal of SIGNALS) process.once(signal, interrupted);
  try {
    const all = (scale === 'full' ? FULL : QUICK).filter((name) => name !== except);
    for (const runtime of chosen(only ?? all)) {
      const begun = performance.now();
      const result = await runOne(runtime, setting).catch((error) =>
        notRun(runtime, error.message.replaceAll('\n', ' ')),
      );
      endLeftovers(); // they would disturb the next
      progress(lineOf(result, Math.round((performance.now() - begun) / 1000)));
      results.push(result);
    }
  } finally {
    for (const signal of SIGNALS) process.removeListener(signal, interrupted);
    process.removeListener('exit', cleanUp);
    await hub.close();
    cleanUp();
  }
  return results;
}

function lineOf({ title, notRun: why, leftOut }, seconds) {
  if (why) return `not run: ${title} (${why})`;
  return `${title}: ${seconds} s${leftOut ? `, ${leftOut} cases left out for want of time` : ''}`;
}

function chosen(names) {
  const unknown = names.filter((name) => !KNOWN.includes(name));
  if (unknown.length > 0) throw new Error(`no runtime ${unknown.join(', ')}: there are ${KNOWN.join(', ')}`);
  return RUNTIMES.filter(({ name }) => names.includes(name));
}

async function runOne(runtime, setting) {
  const { name, title, page } = runtime;
  const why = whyNot(runtime);
  if (why) return notRun(runtime, why);
  const place = setting.hub.open(`${name}/bench`, await placeOf(runtime, setting));
  const { limit } = TIMES[setting.scale];
  const command = await commandOf(runtime, place.url, setting);
  const { about, fatal, ...measured } = await answerOf(place, { ...command, cwd: ROOT }, limit);
  if (fatal) return notRun(runtime, fatal);
  const version = page ? versionOf(page.browser) : about;
  return { name, title, version, versions: versionsOf(runtime, measured.rows), ...measured };
}

function notRun({ name, title }, why) {
  return {
    name,
    title,
    version: '',
    harness: '',
    clockStepMicroseconds: 0,
    versions: {},
    rows: [],
    notRun: why,
  };
}

const INSTALL = 'npm ci --prefix test/runtimes';

function whyNot(runtime) {
  const installed = existsSync(join(ROOT, 'test/runtimes/node_modules'));
  if (!installed && runtime.name !== 'node-20') return INSTALL;
  return missingOf(runtime);
}

// In `quick` one browser is enough for the peers of pages.
async function placeOf({ name, page }, setting) {
  const { scale, groups } = setting;
  const task = { scale, groups, table: TABLES.includes(name), budget: TIMES[scale].budget };
  if (!page) return { task };
  const files = await bundled('page', bundlePage, setting);
  const withPeers = missingPeers() === undefined && (scale === 'full' || name === 'chromium');
  return { task: { ...task, ...(withPeers && { peers: './peers.js' }) }, files, headers: ISOLATED };
}

async function commandOf({ name, page, process: command, worker }, url, setting) {
  if (page) return browserCommand(page.browser, `${url}in-page.html`, setting.folder);
  if (!worker) return { command: [...command, ...configOf(name), 'bench/runtimes/in-process.mjs', url] };
  const host = join(ROOT, 'test/runtimes/host-workerd.mjs');
  return {
    command: [process.execPath, host, await bundled('worker', bundleWorker, setting), url, ...worker],
  };
}

// Deno reads `imports` of package.json only in installed packages.
function configOf(name) {
  return name === 'deno' ? ['--config', 'bench/deno.json'] : [];
}

// Once; what could not be bundled for one browser cannot for the others.
function bundled(name, bundle, { folder, bundles }) {
  bundles[name] ??= mkdir(join(folder, name)).then(async () => {
    await bundle(join(folder, name));
    return join(folder, name);
  });
  return bundles[name];
}

function versionsOf({ page, worker }, rows) {
  const own = { frameseal: packageVersion('') };
  const harness = worker ? {} : { benchmark: packageVersion('node_modules/benchmark') };
  const PEER = '@aws-crypto/client-browser';
  const peers = page && rows.some(({ candidates }) => PEER in candidates);
  return {
    ...own,
    ...harness,
    ...(peers && { [PEER]: packageVersion(`bench/peers-browser/node_modules/${PEER}`) }),
  };
}

function packageVersion(folder) {
  return JSON.parse(readFileSync(join(ROOT, folder, 'package.json'), 'utf8')).version;
}
