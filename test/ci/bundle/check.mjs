// Bundles of the packed package: sizes, what must not leak in, and that they run. Chunks are told by what is in them, because
// their names are hashes.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';

const [folder] = process.argv.slice(2);
const bundlers = fileURLToPath(new URL('../../runtimes/', import.meta.url));
const load = async (name) => import(pathToFileURL(createRequire(bundlers).resolve(name)).href);
const KIB = 1024;

/** Gzip bytes that the code loaded at first, and each chunk loaded later, may take. */
const MAX_ENTRY = 36 * KIB;
const MAX_CHUNK = 20 * KIB;

/** Parts that must not leak in: a text that each has, and where. */
const MARKS = {
  'the AWS SDK': ['KMSServiceException', '@aws-sdk/client-kms/dist-es/models/KMSServiceException.js'],
  'the signer of requests': ['AWS4-HMAC-SHA256', 'aws4fetch/dist/aws4fetch.esm.mjs'],
  'the curves': ['recoverPublicKey', '@noble/curves/abstract/weierstrass.js'],
  'AES-SIV': ['CMAC', '@noble/ciphers/aes.js'],
  'the caches': ['entryCapacity', 'frameseal/dist/materials/local-cache.js'],
  'the local KMS': ['UpdatePrimaryRegion', 'frameseal/dist/local-kms/operations/index.js'],
};
const wasm = readFileSync(join(folder, 'node_modules/frameseal/dist/engine/wasm/frame.wasm')).toString('hex');

const ROUND_TRIP = `
const message = await encrypt(new Uint8Array(100_000).fill(7), { keyring });
const { plaintext } = await decrypt(message.ciphertext, { keyring });
if (plaintext.length !== 100_000 || plaintext.some((byte) => byte !== 7)) throw new Error('wrong plaintext');
console.log('ran');`;
const RAW_AES = `import { decrypt, encrypt, rawAesKeyring } from 'frameseal';
const wrappingKey = new Uint8Array(32).fill(1);
const keyring = rawAesKeyring({ keyNamespace: 'n', keyName: 'k', wrappingKey });${ROUND_TRIP}`;
const KMS_BY_FETCH = `import { decrypt, encrypt } from 'frameseal';
import { awsKmsKeyring, fetchKmsClient } from 'frameseal/aws-kms/fetch';
globalThis.kept = { decrypt, encrypt, awsKmsKeyring, fetchKmsClient };`;
const DETERMINISTIC = `import { createPinnedDataKey, openPinnedDataKey } from 'frameseal/deterministic';
globalThis.kept = { createPinnedDataKey, openPinnedDataKey };`;

let passed = 0;
let failed = 0;
async function check(name, work) {
  try {
    const note = await work();
    passed++;
    console.log(`ok      ${name}${note ? `: ${note}` : ''}`);
  } catch (error) {
    failed++;
    console.log(`FAILED  ${name}: ${error.message}`);
  }
}

const { build: esbuild } = await load('esbuild');

// The chunks of one program: what is loaded at once, and what by a dynamic import.
async function chunksOf(name, source) {
  const entry = join(folder, `${name}.js`);
  writeFileSync(entry, source);
  const { metafile, outputFiles } = await esbuild({
    absWorkingDir: folder,
    entryPoints: [entry],
    outdir: join(folder, `${name}-out`),
    bundle: true,
    splitting: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    metafile: true,
    write: false,
  });
  const chunks = outputFiles.map(({ path, text, contents }) => ({
    path,
    text,
    gzip: gzipSync(contents).length,
  }));
  const start = Object.keys(metafile.outputs).find(
    (path) => metafile.outputs[path].entryPoint !== undefined && path.includes(`${name}.js`),
  );
  const first = new Set();
  const add = (path) => {
    if (first.has(path)) return;
    first.add(path);
    for (const { path: next, kind } of metafile.outputs[path].imports)
      if (kind === 'import-statement') add(next);
  };
  add(start);
  const isFirst = ({ path }) => [...first].some((one) => path.endsWith(one));
  return { first: chunks.filter(isFirst), later: chunks.filter((chunk) => !isFirst(chunk)) };
}

const total = (chunks) => chunks.reduce((sum, { gzip }) => sum + gzip, 0);
const size = (bytes) => `${(bytes / KIB).toFixed(1)} KiB gzip`;
const textOf = (chunks) => chunks.map(({ text }) => text).join('\n');

function lacks(chunks, ...names) {
  const text = textOf(chunks);
  for (const name of names)
    assert.ok(!text.includes(MARKS[name][0]), `${name} is in it ("${MARKS[name][0]}")`);
}

await check('each part has its mark', () => {
  for (const [text, file] of Object.values(MARKS))
    assert.ok(
      readFileSync(join(folder, 'node_modules', file), 'utf8').includes(text),
      `${file} has no "${text}"`,
    );
});

const raw = await chunksOf('raw-aes', RAW_AES);
await check('raw AES: what is loaded at first', () => {
  assert.ok(total(raw.first) <= MAX_ENTRY, `${size(total(raw.first))}, at most ${size(MAX_ENTRY)}`);
  lacks(raw.first, ...Object.keys(MARKS));
  assert.equal(textOf(raw.first).split(wasm.slice(0, 2000)).length - 1, 1, 'one kernel is embedded');
  return size(total(raw.first));
});
for (const { text, gzip } of raw.later) {
  const what = text.includes(MARKS['the curves'][0]) ? 'signatures and curves' : 'kernel with relaxed SIMD';
  await check(`raw AES, loaded later: ${what}`, () => {
    assert.ok(gzip <= MAX_CHUNK, `${size(gzip)}, at most ${size(MAX_CHUNK)}`);
    return size(gzip);
  });
}
await check('raw AES: nothing of other entries in any chunk', () => {
  assert.equal(raw.later.length, 2);
  lacks(raw.later, 'the AWS SDK', 'the signer of requests', 'AES-SIV', 'the caches', 'the local KMS');
});
await check('KMS by fetch: no byte of the AWS SDK', async () => {
  const { first, later } = await chunksOf('kms-by-fetch', KMS_BY_FETCH);
  lacks([...first, ...later], 'the AWS SDK', 'AES-SIV', 'the local KMS');
  assert.ok(textOf([...first, ...later]).includes(MARKS['the signer of requests'][0]), 'no signer');
  return size(total(first));
});
await check('deterministic: the curves come later, nothing of KMS at all', async () => {
  const { first, later } = await chunksOf('deterministic', DETERMINISTIC);
  lacks(first, 'the curves', 'the AWS SDK', 'the signer of requests', 'the caches', 'the local KMS');
  lacks(later, 'the AWS SDK', 'the signer of requests', 'the local KMS');
  return size(total(first));
});

// Each bundler as it is when nobody configures it, and the result run.
function run(out, name) {
  const file = join(out, name ?? readdirSync(out).find((one) => /^(raw-aes|main).*\.m?js$/.test(one)));
  assert.equal(execFileSync(process.execPath, [file], { encoding: 'utf8' }), 'ran\n');
}
const outOf = (name) => {
  const out = join(folder, name);
  mkdirSync(out, { recursive: true });
  writeFileSync(join(out, 'package.json'), '{ "type": "module" }');
  return out;
};
const entry = join(folder, 'raw-aes.js');
await check('esbuild', async () => {
  const outdir = outOf('by-esbuild');
  await esbuild({ entryPoints: [entry], outdir, bundle: true, format: 'esm' });
  run(outdir, 'raw-aes.js');
});
await check('Vite', async () => {
  const { build } = await load('vite');
  const outDir = outOf('by-vite');
  const rolldownOptions = { input: entry, output: { entryFileNames: 'main.js' } };
  await build({
    root: folder,
    logLevel: 'error',
    configFile: false,
    build: { outDir, emptyOutDir: false, rolldownOptions },
  });
  run(outDir, 'main.js');
});
await check('webpack', async () => {
  const { default: webpack } = await load('webpack');
  const path = outOf('by-webpack');
  const output = { path, filename: 'main.js', module: true, chunkFormat: 'module', chunkLoading: 'import' };
  const options = { mode: 'production', context: folder, entry, output, experiments: { outputModule: true } };
  await new Promise((done, fail) => {
    webpack(options, (error, stats) => {
      if (error || stats.hasErrors()) fail(error ?? new Error(stats.toString('errors-only')));
      else done();
    });
  });
  run(path, 'main.js');
});
await check('wrangler', () => {
  const worker = join(folder, 'worker.js');
  writeFileSync(
    worker,
    `${RAW_AES.split('\nconst message')[0]}\nexport default { fetch: async () => {${ROUND_TRIP}; return new Response('ran'); } };`,
  );
  const wrangler = join(bundlers, 'node_modules/wrangler/bin/wrangler.js');
  const options = [
    '--dry-run',
    '--name',
    'check',
    '--compatibility-date',
    '2026-01-01',
    '--outdir',
    join(folder, 'by-wrangler'),
  ];
  const env = { ...process.env, WRANGLER_SEND_METRICS: 'false', HOME: folder };
  execFileSync(process.execPath, [wrangler, 'deploy', worker, ...options], {
    cwd: folder,
    env,
    stdio: 'pipe',
  });
  const made = readdirSync(join(folder, 'by-wrangler'));
  assert.ok(
    made.some((name) => name.endsWith('.wasm')),
    'the kernel is a module of its own',
  );
  assert.ok(
    !readFileSync(join(folder, 'by-wrangler/worker.js'), 'utf8').includes(wasm.slice(0, 2000)),
    'and not text',
  );
});

// Importing does nothing: whatever it would touch is made to throw first.
const ENTRIES = [
  'frameseal',
  'frameseal/aws-kms',
  'frameseal/aws-kms/fetch',
  'frameseal/deterministic',
  'frameseal/node',
  'frameseal/local-kms',
];
for (const name of ENTRIES) {
  await check(`import ${name}: no randomness, timer, digest, cipher or compilation`, () => {
    const script = join(folder, 'import.mjs');
    writeFileSync(script, importing(name));
    execFileSync(process.execPath, [script], { cwd: folder, stdio: 'pipe' });
  });
}

// The AWS SDK reads its own package at import, which is its business; ours loads it there at most.
function importing(name) {
  return `
const refuse = (what) => () => { throw new Error(what + ' at import: ' + new Error().stack); };
const { default: crypto } = await import('node:crypto');
${name === 'frameseal/aws-kms' || name === 'frameseal/local-kms' ? "await import('@aws-sdk/client-kms');" : ''}
for (const call of ['randomBytes', 'createHash', 'createHmac', 'createCipheriv', 'generateKeyPair', 'generateKeyPairSync'])
  crypto[call] = refuse(call);
(await import('node:module')).syncBuiltinESMExports();
globalThis.crypto.getRandomValues = refuse('getRandomValues');
globalThis.crypto.randomUUID = refuse('randomUUID');
for (const call of Object.getOwnPropertyNames(Object.getPrototypeOf(globalThis.crypto.subtle)))
  if (call !== 'constructor') globalThis.crypto.subtle[call] = refuse(call);
for (const call of ['setTimeout', 'setInterval', 'setImmediate']) globalThis[call] = refuse(call);
WebAssembly.Module = refuse('WebAssembly.Module');
WebAssembly.compile = WebAssembly.instantiate = refuse('WebAssembly');
await import('${name}');
process.exit(0);`;
}

console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
