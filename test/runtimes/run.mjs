/**
 * The packed package in every runtime that this machine has: the conformance suite in each, then the messages that each of
 * them and the published SDK have written, opened by all others.
 *
 *   node run.mjs [--write] [--only NAME,...] [--package TARBALL]
 *
 * --write writes the tables of docs/runtimes.md; without it they are compared. --only runs some of the runtimes.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { bundlePage, bundleWorker } from './bundles.mjs';
import { makeEnvironment } from './environment.mjs';
import { startHub } from './hub.mjs';
import { installPackage } from './package.mjs';
import { runAll } from './passes.mjs';
import { endLeftovers } from './processes.mjs';
import { missingOf, RUNTIMES } from './runtimes.mjs';
import { docsAgree, printFailures, printTable, writeDocs } from './table.mjs';

const { values } = parseArgs({
  options: { write: { type: 'boolean' }, only: { type: 'string' }, package: { type: 'string' } },
});

const folder = mkdtempSync(join(tmpdir(), 'frameseal-runtimes-'));
try {
  process.exitCode = (await main()) ? 0 : 1;
} finally {
  endLeftovers();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}

async function main() {
  const chosen = RUNTIMES.filter(({ name }) => values.only?.split(',').includes(name) ?? true);
  for (const runtime of chosen) {
    const why = missingOf(runtime);
    if (why) console.log(`not run: ${runtime.title} (${why})`);
  }
  const runtimes = chosen.filter((runtime) => missingOf(runtime) === undefined);
  const app = installPackage(folder, values.package);
  const bundles = await bundle(app, runtimes);
  const { kms, shared } = await makeEnvironment(app);
  const hub = await startHub(kms.endpoint);
  const results = await runAll(runtimes, { app, bundles, folder, hub, kms, shared });
  await Promise.all([hub.close(), kms.close()]);
  return judge(results, runtimes);
}

async function bundle(app, runtimes) {
  const bundles = {};
  for (const bundler of new Set(runtimes.flatMap(({ page }) => (page ? [page.bundler] : []))))
    bundles[bundler] = await bundlePage(app, bundler);
  if (runtimes.some(({ worker }) => worker)) bundles.worker = await bundleWorker(app);
  return bundles;
}

function judge(results, runtimes) {
  const rows = results.flatMap((result) => result.rows);
  let failed = rows.filter(({ ok }) => !ok).length;
  printFailures(results);
  printTable(results);
  const shown = results.filter(({ title }) => runtimes.some((one) => one.title === title && !one.peer));
  if (values.write) writeDocs(shown);
  else if (!docsAgree(shown)) {
    failed++;
    console.log('FAILED docs/runtimes.md says something else: run.mjs --write');
  }
  const passed = rows.length - rows.filter(({ ok }) => !ok).length;
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 && passed > 0;
}
