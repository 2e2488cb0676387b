// Serves the page on 127.0.0.1 with a strict content policy, and a local KMS at its own origin.
//
//   node serve.mjs [--port PORT] [--no-wasm]      --no-wasm: a policy under which no WebAssembly is compiled
//
//   GET  /             the page; its files as they are, but for the worker, which is bundled by esbuild
//   GET  /config.json  keys of the local KMS, and its credentials, which are public
//   POST /kms          the local KMS

import { readFile } from 'node:fs/promises';
import { createServer, request as httpRequest } from 'node:http';
import { createRequire } from 'node:module';
import { extname } from 'node:path';
import { argv } from 'node:process';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

const HERE = new URL('./', import.meta.url);
const REGIONS = ['us-east-1', 'eu-west-1'];
const FILES = [
  'index.html',
  'icon.svg',
  'style.css',
  'controls.css',
  'results.css',
  'page.mjs',
  'context-pairs.mjs',
  'errors.mjs',
  'header-view.mjs',
  'kms-keys.mjs',
  'raw-key.mjs',
  'status-view.mjs',
  'text.mjs',
];
const TYPES = {
  '.html': 'text/html',
  '.css': 'text/css',
  '.mjs': 'text/javascript',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
};

/** Starts it: { url, kms, close }. @param wasm whether the policy allows WebAssembly */
export async function servePage({ port = 0, wasm = true } = {}) {
  const worker = await bundleWorker();
  const { startLocalKms } = await needed('frameseal/local-kms', 'run "npm run build" first');
  const kms = await startLocalKms({ regions: REGIONS });
  const keys = await Promise.all(
    REGIONS.map(async (region) => ({ region, ...(await kms.createKey({ region })) })),
  );
  const config = JSON.stringify({ kms: { keys, credentials: kms.credentials } });
  const made = new Map([...worker, ['config.json', config]]);
  const headers = headersFor(wasm);
  const server = createServer((request, response) => {
    answer(request, response, { made, headers, kms }).catch(() => response.destroy());
  });
  await new Promise((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
  const close = async () => {
    server.closeAllConnections();
    await Promise.all([new Promise((resolve) => server.close(resolve)), kms.close()]);
  };
  return { url: `http://127.0.0.1:${server.address().port}/`, kms, keys, close };
}

function headersFor(wasm) {
  const policy = [
    "default-src 'none'",
    `script-src 'self'${wasm ? " 'wasm-unsafe-eval'" : ''}`,
    "style-src 'self'",
    "img-src 'self'",
    "worker-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
  return {
    'content-security-policy': policy,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'cache-control': 'no-store',
  };
}

async function answer(request, response, { made, headers, kms }) {
  const { method, url } = request;
  const name = url === '/' ? 'index.html' : url.slice(1);
  if (!isOurs(request)) return void response.writeHead(403, headers).end();
  if (method === 'POST' && name === 'kms') return forward(request, response, kms.endpoint);
  if (method !== 'GET' || !(made.has(name) || FILES.includes(name)))
    return void response.writeHead(404, headers).end();
  const body = made.get(name) ?? (await readFile(new URL(name, HERE)));
  response.writeHead(200, { ...headers, 'content-type': `${TYPES[extname(name)]}; charset=utf-8` }).end(body);
}

// A name of another site that leads to this machine is not ours.
function isOurs({ headers, socket }) {
  return ['127.0.0.1', 'localhost'].some((host) => headers.host === `${host}:${socket.localPort}`);
}

// As it came, Host included: the signature covers it.
function forward(request, response, endpoint) {
  const { method, headers } = request;
  const onward = httpRequest(new URL('/', endpoint), { method, headers }, (answered) => {
    response.writeHead(answered.statusCode, answered.headers);
    answered.pipe(response);
  });
  onward.on('error', () => response.destroy());
  request.pipe(onward);
}

// The worker and what it loads later, by name.
async function bundleWorker() {
  const esbuild = await needed(
    'esbuild',
    'run "npm ci --prefix test/runtimes" first, or install esbuild beside this file',
  );
  const { outputFiles } = await esbuild.build({
    absWorkingDir: fileURLToPath(HERE),
    entryPoints: ['worker.mjs'],
    outdir: 'out',
    write: false,
    bundle: true,
    splitting: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    outExtension: { '.js': '.mjs' },
    logLevel: 'warning',
  });
  return outputFiles.map(({ path, contents }) => [path.replace(/^.*[/\\]/, ''), contents]);
}

// A module from beside this file, or from where this repository has its bundlers.
async function needed(name, advice) {
  for (const from of [import.meta.url, new URL('../../runtimes/package.json', HERE)]) {
    try {
      return await import(pathToFileURL(createRequire(from).resolve(name)));
    } catch (error) {
      if (!['MODULE_NOT_FOUND', 'ERR_PACKAGE_PATH_NOT_EXPORTED'].includes(error.code)) throw error;
    }
  }
  throw new Error(`${name} is not there: ${advice}`);
}

if (import.meta.url === pathToFileURL(argv[1]).href) {
  const { values } = parseArgs({ options: { port: { type: 'string' }, 'no-wasm': { type: 'boolean' } } });
  try {
    const { url } = await servePage({ port: Number(values.port ?? 8080), wasm: !values['no-wasm'] });
    console.log(`${url}\nCtrl-C ends it, and the local KMS with its keys.`);
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
