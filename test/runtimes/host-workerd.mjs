/**
 * Starts the worker in workerd and asks it to run the suite: host-workerd.mjs FOLDER URL [FLAG...]
 */
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Miniflare } from 'miniflare';
import { COMPATIBILITY_DATE } from './compatibility-date.mjs';

const [folder, url, ...compatibilityFlags] = process.argv.slice(2);
const { version } = createRequire(createRequire(import.meta.url).resolve('miniflare'))(
  'workerd/package.json',
);
const contents = (path) => readFileSync(join(folder, path));
const wasm = readdirSync(folder).filter((name) => name.endsWith('.wasm'));
const miniflare = new Miniflare({
  compatibilityDate: COMPATIBILITY_DATE,
  compatibilityFlags,
  cf: false,
  modules: [
    { type: 'ESModule', path: 'run-worker.js', contents: contents('run-worker.js') },
    ...wasm.map((path) => ({ type: 'CompiledWasm', path, contents: contents(path) })),
  ],
});
try {
  const body = JSON.stringify({ about: `workerd ${version}`, url });
  const response = await miniflare.dispatchFetch('http://localhost/', { method: 'POST', body });
  if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`);
} finally {
  await miniflare.dispose();
}
