/**
 * The suite as bundlers make scripts of it: the page by three of them, the worker by wrangler.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build as esbuild } from 'esbuild';
import { build as vite } from 'vite';
import webpack from 'webpack';
import { COMPATIBILITY_DATE } from './compatibility-date.mjs';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const NAME = 'run-page.js';

const BUNDLERS = {
  esbuild: (absWorkingDir, entry, outdir) =>
    esbuild({
      absWorkingDir,
      entryPoints: [entry],
      outdir,
      bundle: true,
      splitting: true,
      minify: true,
      format: 'esm',
      target: 'es2022',
      logLevel: 'warning',
    }),
  vite: async (root, entry, outDir) => {
    const rolldownOptions = { input: entry, output: { entryFileNames: NAME } };
    await vite({ root, logLevel: 'warn', build: { outDir, rolldownOptions } });
    delete process.env.NODE_ENV; // Vite sets it to production, and there the local KMS does not start
  },
  webpack: (context, entry, path) =>
    new Promise((resolve, reject) => {
      const output = { path, filename: NAME, module: true, chunkFormat: 'module' };
      const options = {
        context,
        entry,
        output,
        mode: 'production',
        target: 'web',
        experiments: { outputModule: true },
      };
      webpack(options, (error, stats) => {
        if (error || stats.hasErrors()) reject(error ?? new Error(stats.toString('errors-only')));
        else resolve();
      });
    }),
};

/** A folder with the page and its scripts by one bundler. */
export async function bundlePage(app, bundler) {
  const folder = join(app, `page-${bundler}`);
  mkdirSync(folder);
  await BUNDLERS[bundler](app, join(app, 'conformance/run-page.mjs'), folder);
  for (const file of ['run-page.html', 'run-page-errors.js'])
    cpSync(join(app, 'conformance', file), join(folder, file));
  console.log(`page by ${bundler}: ${Math.round(statSync(join(folder, NAME)).size / 1024)} KiB`);
  return folder;
}

/** A folder with the worker and the kernel beside it, as wrangler would send them up. */
export async function bundleWorker(app) {
  const folder = join(app, 'worker');
  const wrangler = join(HERE, 'node_modules/wrangler/bin/wrangler.js');
  const args = [
    'deploy',
    'conformance/run-worker.mjs',
    '--dry-run',
    '--name',
    'conformance',
    '--outdir',
    folder,
  ];
  const env = { ...process.env, WRANGLER_SEND_METRICS: 'false', HOME: app, NO_COLOR: '1' };
  execFileSync(process.execPath, [wrangler, ...args, '--compatibility-date', COMPATIBILITY_DATE], {
    cwd: app,
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const { FRAME_HEX } = await import(join(app, 'node_modules/frameseal/dist/engine/wasm/frame-bytes.gen.js'));
  if (readFileSync(join(folder, 'run-worker.js'), 'utf8').includes(FRAME_HEX))
    throw new Error('the worker has the kernel as text too, which workerd does not compile');
  return folder;
}
