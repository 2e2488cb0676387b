/**
 * The runtimes: how each one is started, and what it is expected to have. See `environment.mjs` for `lacks`.
 */
import { existsSync } from 'node:fs';
import { arch, platform } from 'node:process';
import { fileURLToPath } from 'node:url';
import { missingBrowser } from './browsers.mjs';

const HERE = fileURLToPath(new URL('.', import.meta.url));
/** Fetch of Node.js needs WebAssembly itself, at its first use: so one goes before. */
const WITHOUT_WASM = 'data:text/javascript,await fetch(process.argv[2]); delete globalThis.WebAssembly';
const modules = (path) => `${HERE}node_modules/${path}`;

const ALL = { engines: ['wasm', 'native', 'hybrid'], kernel: 'ready', lacks: [] };
const NATIVE = { engines: ['native'], kernel: 'refused' };
const WEB = { engines: ['wasm', 'native'], kernel: 'ready', lacks: ['raw-rsa'] };
const CHROMIUM = { ...WEB, lacks: ['raw-rsa', 'native-aes-192', 'webcrypto-aes-192'] };
/** A content policy without 'wasm-unsafe-eval': nothing is compiled. */
const NO_WASM_POLICY = "script-src 'self'";

/** Every runtime: { name, title, expected, and `process` or `page` or `worker` }; and the published SDK as one more. */
export const RUNTIMES = [
  node('node-20', 'Node.js 20', process.version.startsWith('v20.') ? process.execPath : undefined),
  node('node-22', 'Node.js 22', modules('node-22/bin/node')),
  node('node-24', 'Node.js 24', modules('node-24/bin/node')),
  node('node-26', 'Node.js 26', modules('node-26/bin/node')),
  {
    ...node(
      'node-20-without-wasm',
      'Node.js 20 without WebAssembly',
      process.execPath,
      '--import',
      WITHOUT_WASM,
    ),
    expected: { ...NATIVE, lacks: [] },
  },
  fromProcess('deno', 'Deno', modules('.bin/deno'), ['run', '--allow-all', '--quiet'], ALL),
  fromProcess('bun', 'Bun', modules(`@oven/bun-${platform}-${arch}/bin/bun`), ['run'], ALL),
  { name: 'workerd', title: 'workerd', worker: [], expected: WEB },
  {
    name: 'workerd-nodejs-compat',
    title: 'workerd, nodejs_compat',
    worker: ['nodejs_compat'],
    expected: { ...WEB, engines: ALL.engines },
  },
  page('chromium', 'Chromium', 'chromium', 'esbuild', CHROMIUM),
  page('chromium-vite', 'Chromium, bundled by Vite', 'chromium', 'vite', CHROMIUM),
  page('chromium-webpack', 'Chromium, bundled by webpack', 'chromium', 'webpack', CHROMIUM),
  {
    ...page('chromium-policy', 'Chromium, no `wasm-unsafe-eval`', 'chromium', 'esbuild', {
      ...NATIVE,
      lacks: ['raw-rsa', 'aes-192', 'webcrypto-aes-192'],
    }),
    csp: NO_WASM_POLICY,
  },
  page('firefox', 'Firefox', 'firefox', 'esbuild', WEB),
  page('webkitgtk', 'WebKitGTK', 'webkitgtk', 'esbuild', WEB),
  page('wpe', 'WPE WebKit', 'wpe', 'esbuild', { ...NATIVE, lacks: ['raw-rsa'] }),
  {
    ...node('client-node', '@aws-crypto/client-node', process.execPath),
    peer: `${HERE}peer-client-node.mjs`,
  },
];

/** Why a runtime cannot be started here; `undefined` if it can. */
export function missingOf({ missing, page, peer }) {
  if (page) return missingBrowser(page.browser);
  if (peer && !existsSync(`${HERE}../interop/node_modules`)) return 'test/interop is not installed';
  return missing;
}

function node(name, title, executable, ...flags) {
  return fromProcess(name, title, executable, flags, ALL);
}

function fromProcess(name, title, executable, args, expected) {
  const why = executable === undefined ? `this is Node.js ${process.version}` : 'it is not installed here';
  const missing = executable !== undefined && existsSync(executable) ? undefined : why;
  return { name, title, process: [executable, ...args], expected, missing };
}

function page(name, title, browser, bundler, expected) {
  return { name, title, page: { browser, bundler }, expected };
}
