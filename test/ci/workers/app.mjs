/**
 * The package as a user has it, and the examples beside it: built from the source as it is, packed, installed into an empty folder,
 * and bundled by wrangler with the configuration of the example alone.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { WRANGLER } from './tools.mjs';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const PACKED = ['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md', 'SECURITY.md'];

/** Installs the package and copies the examples; answers the folder. */
export function installApp(folder, examples) {
  const app = join(folder, 'app');
  mkdirSync(app);
  const dependencies = { frameseal: `file:${pack(folder)}` };
  writeFileSync(join(app, 'package.json'), JSON.stringify({ private: true, type: 'module', dependencies }));
  npm(app, 'install', '--no-audit', '--no-fund', '--omit=dev', '--ignore-scripts');
  for (const name of examples)
    cpSync(join(ROOT, 'test/examples', name), join(app, name), { recursive: true });
  return app;
}

/** A module of the installed package. */
export function installed(app, path) {
  return import(pathToFileURL(join(app, 'node_modules/frameseal/dist', path)));
}

/** Bundles an example into its folder `out`, or with another main module into another folder. */
export function bundle(app, example, { main, out = 'out' } = {}) {
  const cwd = join(app, example);
  const env = {
    ...process.env,
    CI: 'true',
    WRANGLER_SEND_METRICS: 'false',
    WRANGLER_LOG_PATH: cwd,
    NO_COLOR: '1',
  };
  const script = main === undefined ? [] : [main];
  return run(cwd, env, process.execPath, WRANGLER, 'deploy', ...script, '--dry-run', '--outdir', out);
}

// Into a folder of its own: `dist` of the repository is left alone.
function pack(folder) {
  const built = join(folder, 'built');
  mkdirSync(built);
  for (const file of PACKED) cpSync(join(ROOT, file), join(built, file));
  symlinkSync(join(ROOT, 'node_modules'), join(built, 'node_modules'));
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
  run(ROOT, process.env, process.execPath, tsc, '-p', 'tsconfig.build.json', '--outDir', join(built, 'dist'));
  cpSync(join(ROOT, 'src/engine/wasm/frame.wasm'), join(built, 'dist/engine/wasm/frame.wasm'));
  run(ROOT, process.env, process.execPath, 'scripts/bundle-node.mjs', built);
  return join(folder, npm(built, 'pack', '--pack-destination', folder, '--ignore-scripts').trim());
}

function npm(cwd, ...args) {
  return run(cwd, process.env, 'npm', ...args, '--silent');
}

function run(cwd, env, command, ...args) {
  return execFileSync(command, args, { cwd, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
}
