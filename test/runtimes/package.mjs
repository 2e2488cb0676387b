/**
 * The package as a user has it: built from the source as it is, packed, and installed into an empty folder.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const PACKED = ['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md', 'SECURITY.md'];

/** Installs it, with the conformance suite beside. @param tarball if there is one already. */
export function installPackage(folder, tarball = packFresh(folder)) {
  const app = join(folder, 'app');
  mkdirSync(app);
  const manifest = { private: true, type: 'module', dependencies: { frameseal: `file:${resolve(tarball)}` } };
  writeFileSync(join(app, 'package.json'), JSON.stringify(manifest));
  npm(app, 'install', '--no-audit', '--no-fund', '--omit=dev', '--ignore-scripts');
  cpSync(join(ROOT, 'test/conformance'), join(app, 'conformance'), { recursive: true });
  return app;
}

// Into a folder of its own: `dist` of the repository is left alone.
function packFresh(folder) {
  const built = join(folder, 'built');
  mkdirSync(built);
  for (const file of PACKED) cpSync(join(ROOT, file), join(built, file));
  symlinkSync(join(ROOT, 'node_modules'), join(built, 'node_modules'));
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
  const dist = join(built, 'dist');
  run(ROOT, process.execPath, tsc, '-p', 'tsconfig.build.json', '--outDir', dist);
  cpSync(join(ROOT, 'src/engine/wasm/frame.wasm'), join(dist, 'engine/wasm/frame.wasm'));
  run(ROOT, process.execPath, 'scripts/bundle-node.mjs', built);
  return join(folder, npm(built, 'pack', '--pack-destination', folder, '--ignore-scripts').trim());
}

function npm(cwd, ...args) {
  return run(cwd, 'npm', ...args, '--silent');
}

function run(cwd, command, ...args) {
  return execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
}
