/**
 * Builds the kernel with planted leaks, as `scripts/build-kernel.mjs` builds the kernel.
 *
 *   node build.mjs <folder>      writes <folder>/leaky.wasm
 */
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

const ROOT = new URL('../../../../', import.meta.url);

/** Returns the file that has been built in the folder. */
export async function buildLeaky(folder) {
  await cp(new URL('assembly', ROOT), `${folder}/assembly`, { recursive: true });
  await mkdir(`${folder}/leaky`, { recursive: true });
  await cp(new URL('kernel.as', import.meta.url), `${folder}/leaky/index.ts`);
  const { entries: _, ...config } = JSON.parse(await readFile(new URL('asconfig.json', ROOT), 'utf8'));
  await writeFile(`${folder}/asconfig.json`, JSON.stringify(config));
  const output = `${folder}/leaky.wasm`;
  const { error, stderr } = await asc.main(
    ['leaky/index.ts', '--baseDir', folder, '--config', 'asconfig.json', '--target', 'plain'],
    { writeFile: (name, contents) => (name.endsWith('.wasm') ? writeFile(output, contents) : undefined) },
  );
  if (error) throw new Error(`${error.message}\n${stderr}`);
  return output;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildLeaky(process.argv[2]);
