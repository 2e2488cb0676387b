/** The package as a user has it, the page beside it, and esbuild as the one tool that the page needs. */
import { cpSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { installPackage } from '../../runtimes/package.mjs';
import { ESBUILD } from './tools.mjs';

const EXAMPLE = fileURLToPath(new URL('../../examples/browser', import.meta.url));

/** A folder with package, page and esbuild. */
export function installApp(folder) {
  const app = installPackage(folder);
  cpSync(EXAMPLE, join(app, 'browser'), { recursive: true });
  symlinkSync(ESBUILD, join(app, 'node_modules/esbuild'));
  return app;
}

/** What the cases need: the library in Node.js, and two servers, one of which forbids WebAssembly. */
export async function startApp(app) {
  const load = (path) => import(pathToFileURL(join(app, path)));
  const { servePage } = await load('browser/serve.mjs');
  const [served, noWasm] = await Promise.all([servePage(), servePage({ wasm: false })]);
  return {
    library: await load('node_modules/frameseal/dist/index.js'),
    awsKms: await load('node_modules/frameseal/dist/keyring/aws-kms/index.js'),
    served,
    noWasm,
    close: () => Promise.all([served.close(), noWasm.close()]),
  };
}
