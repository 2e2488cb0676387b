// Makes of dist what Node loads: a few files in place of some hundred, since Node spends most of an import on finding and
// linking files. Bundlers and workers take the single ones, and drop what a program does not use.
//
//   node scripts/bundle-node.mjs [FOLDER]     where package.json and dist are
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { build } from 'esbuild';

const absWorkingDir = resolve(process.argv[2] ?? '.');
const { bin, exports } = JSON.parse(readFileSync(`${absWorkingDir}/package.json`, 'utf8'));
const entries = [...Object.values(exports).map(({ node }) => node), ...Object.values(bin)].filter(Boolean);

await build({
  absWorkingDir,
  entryPoints: entries.map((path) => path.replace('dist/node-bundle/', 'dist/')),
  outbase: 'dist',
  outdir: 'dist/node-bundle',
  bundle: true,
  splitting: true, // entry points share classes and caches
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  packages: 'external',
  logLevel: 'warning',
});
