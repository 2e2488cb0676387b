/**
 * The cases as scripts for a page and for a worker, by esbuild of `test/runtimes`.
 */
import { cpSync, existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const BENCH = fileURLToPath(new URL('../', import.meta.url));
const TEST = join(BENCH, '../test');
const PEERS = join(BENCH, 'peers-browser');
/** Of the library as it is built: `paths` of the root's tsconfig.json lead to its sources. */
const OPTIONS = { bundle: true, format: 'esm', target: 'es2022', logLevel: 'silent', tsconfigRaw: '{}' };

/** Why pages have no peers to be compared with; `undefined` if they have. */
export function missingPeers() {
  return existsSync(join(PEERS, 'node_modules')) ? undefined : 'npm ci --prefix bench/peers-browser';
}

/** Writes the page and its scripts into a folder; `peers.js` is in it if the peers are installed. */
export async function bundlePage(folder) {
  const peers = missingPeers() ? {} : { peers: join(PEERS, 'web-cases.mjs') };
  const entryPoints = { 'in-page': join(BENCH, 'runtimes/in-page.mjs'), ...peers };
  await esbuild({ ...OPTIONS, entryPoints, outdir: folder, splitting: true, minify: true });
  cpSync(join(BENCH, 'runtimes/in-page.html'), join(folder, 'in-page.html'));
  cpSync(join(TEST, 'conformance/run-page-errors.js'), join(folder, 'page-errors.js'));
  for (const [name, path] of Object.entries(classicScripts())) cpSync(path, join(folder, name));
}

/** Writes the worker into a folder, and the kernel beside it, which workerd compiles only where it is imported. */
export async function bundleWorker(folder) {
  await esbuild({
    ...OPTIONS,
    entryPoints: { 'run-worker': join(BENCH, 'runtimes/in-worker.mjs') },
    outdir: folder,
    conditions: ['workerd'],
    loader: { '.wasm': 'copy' },
    external: ['node:*'],
  });
}

// What the package `benchmark` needs comes before it.
function classicScripts() {
  const { resolve } = createRequire(createRequire(import.meta.url).resolve('benchmark'));
  return {
    'lodash.js': resolve('lodash'),
    'platform.js': resolve('platform'),
    'benchmark.js': resolve('benchmark'),
  };
}

function esbuild(options) {
  return createRequire(join(TEST, 'runtimes/package.json'))('esbuild').build(options);
}
