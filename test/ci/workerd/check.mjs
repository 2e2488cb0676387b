/**
 * The packed package in workerd: the kernel runs there as the module that a worker imports, every engine works, and what
 * is written there is read in Node and the other way round. With the Node built-ins of workerd, and without.
 *
 *   node check.mjs FOLDER    a folder into which the package has been installed
 */
import { deepStrictEqual, ok, strictEqual } from 'node:assert';
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { Miniflare } from 'miniflare';

const [folder] = process.argv.slice(2);
const installed = (path) => join(folder, 'node_modules/frameseal/dist', path);
const { decrypt, encrypt, rawAesKeyring } = await import(pathToFileURL(installed('index.js')));
const { FRAME_HEX } = await import(pathToFileURL(installed('engine/wasm/frame-bytes.gen.js')));
const keyring = rawAesKeyring({ keyNamespace: 'n', keyName: 'k', wrappingKey: new Uint8Array(32).fill(1) });

const COMPATIBILITY_DATE = '2026-04-01';
/** Compatibility flags of workers: without the Node built-ins of workerd, and with them. */
const HOSTS = [[], ['nodejs_compat']];
const ENGINES = ['auto', 'wasm', 'native'];
/** With commitment and signature; with commitment; AES-128; AES-192 with signature. */
const SUITES = [0x0578, 0x0478, 0x0114, 0x0346];
/** Plaintext and frames, bytes: no byte, one short frame, many short ones, long ones. */
const SHAPES = [
  [0, 4096],
  [100, 4096],
  [20_000, 100],
  [200_000, 65_536],
];

let passed = 0;
let failed = 0;

const script = await bundle();
for (const flags of HOSTS) await checkHost(flags);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

// As a bundler for workers does it: by its condition, with the kernel beside the script.
async function bundle() {
  cpSync(new URL('worker.mjs', import.meta.url), join(folder, 'worker.mjs'));
  await build({
    absWorkingDir: folder,
    entryPoints: ['worker.mjs'],
    outdir: 'bundle',
    bundle: true,
    format: 'esm',
    target: 'es2022',
    conditions: ['workerd', 'worker', 'browser'],
    loader: { '.wasm': 'copy' },
    assetNames: '[name]',
    logLevel: 'warning',
  });
  return readFileSync(join(folder, 'bundle/worker.js'), 'utf8');
}

async function checkHost(flags) {
  const name = flags.join() || 'no flags';
  const contents = readFileSync(join(folder, 'bundle/frame.wasm'));
  const miniflare = new Miniflare({
    compatibilityDate: COMPATIBILITY_DATE,
    compatibilityFlags: flags,
    cf: false,
    modules: [
      { type: 'ESModule', path: 'worker.js', contents: script },
      { type: 'CompiledWasm', path: 'frame.wasm', contents },
    ],
  });
  const send = sender(miniflare);
  try {
    await checkKernel(name, send);
    for (const engine of ENGINES) await exchange(name, send, engine);
    await checkHybrid(name, send);
  } finally {
    await miniflare.dispose();
  }
}

async function checkKernel(name, send) {
  await check(
    `${name}: bytes are not compiled, and the kernel is not among those of the script`,
    async () => {
      strictEqual((await send('/compiles-bytes')).text(), 'false');
      ok(!script.includes(FRAME_HEX));
    },
  );
  await check(`${name}: the imported kernel is in use`, async () => {
    const report = JSON.parse((await send('/report')).text());
    deepStrictEqual(report.kernel, { state: 'ready', build: 'plain' });
    ok(report.measured.some(({ engine }) => engine === 'wasm'));
    console.log(`${name}: warmUp() says ${JSON.stringify({ ...report, measured: report.measured.length })}`);
  });
}

// It needs Node built-ins: it is there, or says that it is not.
async function checkHybrid(name, send) {
  const { status, text } = await send('/encrypt', { engine: 'hybrid' });
  if (status === 200) return exchange(name, send, 'hybrid');
  await check(`${name}: no hybrid engine`, () => deepStrictEqual([status, text()], [422, 'UNSUPPORTED']));
}

async function exchange(name, send, engine) {
  for (const algorithmSuite of SUITES) {
    const commitmentPolicy =
      algorithmSuite >= 0x0400 ? 'REQUIRE_ENCRYPT_REQUIRE_DECRYPT' : 'FORBID_ENCRYPT_ALLOW_DECRYPT';
    const writing = { algorithmSuite, commitmentPolicy, encryptionContext: { where: 'here' } };
    for (const [length, frameLength] of SHAPES) {
      const what = `${name}: ${engine}, suite 0x0${algorithmSuite.toString(16)}, ${length} B in frames of ${frameLength} B`;
      const plaintext = Uint8Array.from({ length }, (_, i) => i * 7);
      await check(`${what}, read in Node`, async () => {
        const message = await send('/encrypt', { engine, frameLength, ...writing }, plaintext);
        strictEqual(message.status, 200, message.text());
        same((await decrypt(message.bytes, { keyring, commitmentPolicy })).plaintext, plaintext);
      });
      await check(`${what}, written in Node`, async () => {
        const { ciphertext } = await encrypt(plaintext, { keyring, frameLength, ...writing });
        const reading = { engine, commitmentPolicy };
        const opened = await send('/decrypt', reading, ciphertext);
        strictEqual(opened.status, 200, opened.text());
        same(opened.bytes, plaintext);
        // A bit of the last frame's tag, or of the signature behind it.
        ciphertext[ciphertext.length - 1] ^= 1;
        const { status, text } = await send('/decrypt', reading, ciphertext);
        deepStrictEqual([status, text()], [422, 'AUTHENTICATION_FAILED']);
      });
    }
  }
}

function sender(miniflare) {
  return async (path, options = {}, body = new Uint8Array(0)) => {
    const response = await miniflare.dispatchFetch(`http://localhost${path}`, {
      method: 'POST',
      headers: { options: JSON.stringify(options) },
      body,
    });
    const bytes = new Uint8Array(await response.arrayBuffer());
    return { status: response.status, bytes, text: () => new TextDecoder().decode(bytes) };
  };
}

function same(a, b) {
  strictEqual(Buffer.compare(a, b), 0, 'another plaintext');
}

async function check(what, test) {
  try {
    await test();
    passed++;
  } catch (error) {
    failed++;
    console.error(`FAILED ${what}: ${String(error.message).split('\n')[0]}`);
  }
}
