/**
 * All of it: run.mjs FOLDER, an empty one.
 */
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundle, installApp } from './app.mjs';
import { checkLambda } from './lambda.mjs';
import { checkObjects } from './objects.mjs';
import { checkRotation } from './rotation.mjs';
import { checkSharing } from './sharing.mjs';
import { report } from './tally.mjs';

const [folder] = process.argv.slice(2);
const NODE = ['nodejs_compat'];

const app = await timed('packed, installed, bundled', prepare);
await timed('objects', () => checkObjects(app, []));
await timed('objects, nodejs_compat', () => checkObjects(app, NODE, { altered: false }));
await timed('shared by requests', () => checkSharing(app, []));
await timed('shared by requests, nodejs_compat', () => checkSharing(app, NODE, { memory: false }));
await timed('rotation in queues', () => checkRotation(app, folder));
await timed('rotation in Lambda', () => checkLambda(app));
report();

function prepare() {
  const app = installApp(folder, ['worker', 'rewrap-queue']);
  for (const [example, variant] of Object.entries({ worker: 'dropped', 'rewrap-queue': 'killed' })) {
    cpSync(fileURLToPath(new URL(variant, import.meta.url)), join(app, example, variant), {
      recursive: true,
    });
    bundle(app, example);
    bundle(app, example, { main: `${variant}/worker.js`, out: `out-${variant}` });
  }
  return app;
}

async function timed(what, part) {
  const started = performance.now();
  const result = await part();
  console.log(`${what}: ${((performance.now() - started) / 1000).toFixed(1)} s`);
  return result;
}
