/** miniflare and wrangler, which are installed for test/runtimes. */
import { createRequire } from 'node:module';

const require = createRequire(new URL('../../runtimes/package.json', import.meta.url));

// A connection that Node closes just when workerd takes it up again fails miniflare's own log, and its queue then stands still.
const http = require('node:http');
const { createServer } = http;
http.createServer = (...args) => Object.assign(createServer(...args), { keepAliveTimeout: 0 });

export const { Log, LogLevel, Miniflare } = require('miniflare');
export const { unstable_getMiniflareWorkerOptions: workerOptions } = require('wrangler');
export const WRANGLER = require.resolve('wrangler/bin/wrangler.js');
