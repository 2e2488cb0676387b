/**
 * The server on 127.0.0.1 that every runtime talks to:
 *
 *   GET  /NAME/PASS/task     what to do
 *   POST /NAME/PASS/result   what came of it
 *   GET  /NAME/PASS/FILE     the page and its scripts
 *   POST /                   the local KMS, so that pages find it at their own origin
 */
import { createReadStream, existsSync } from 'node:fs';
import { createServer, request as httpRequest } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { json } from 'node:stream/consumers';

const TYPES = { '.html': 'text/html', '.js': 'text/javascript' };

/** Starts it: { origin, open, close }. */
export async function startHub(kmsEndpoint) {
  const places = new Map();
  const server = createServer((request, response) => {
    answer(request, response, places, kmsEndpoint).catch((error) => {
      response.writeHead(500).end(String(error));
    });
  });
  server.keepAliveTimeout = 0; // who has worked for long answers on the connection that it asked on
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${server.address().port}`;
  return {
    origin,
    /**
     * A place for one runtime in one pass: { url, result, asked }.
     * @param place { task, files?, csp?, headers? }: what to do, the folder of the page, its content policy, more headers
     */
    open(path, place) {
      const opened = { ...place, asked: false };
      const result = new Promise((resolve) => {
        opened.resolve = resolve;
      });
      places.set(path, opened);
      return { url: `${origin}/${path}/`, result, asked: () => opened.asked };
    },
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

async function answer(request, response, places, kmsEndpoint) {
  const { pathname } = new URL(request.url, 'http://hub');
  if (request.method === 'POST' && pathname === '/') return forward(request, response, kmsEndpoint);
  const [, name, pass, ...rest] = pathname.split('/');
  const place = places.get(`${name}/${pass}`);
  const file = rest.join('/');
  if (place === undefined) return void response.writeHead(404).end();
  place.asked = true;
  if (file === 'task') return void response.writeHead(200, TASK).end(JSON.stringify(place.task));
  if (file === 'result') {
    place.resolve(await json(request));
    return void response.writeHead(204).end();
  }
  return sendFile(response, place, file);
}

const TASK = { 'content-type': 'application/json' };

function sendFile(response, { files, csp, headers }, file) {
  const path = files && join(files, normalize(`/${file}`));
  if (!path || !existsSync(path) || file === '') return void response.writeHead(404).end();
  const type = TYPES[extname(path)] ?? 'application/octet-stream';
  const policy = csp && { 'content-security-policy': csp };
  response.writeHead(200, { 'content-type': type, ...policy, ...headers });
  createReadStream(path).pipe(response);
}

// As it came, Host included: the signature covers it.
function forward(request, response, kmsEndpoint) {
  const { method, headers, url } = request;
  const onward = httpRequest(new URL(url, kmsEndpoint), { method, headers }, (kms) => {
    response.writeHead(kms.statusCode, kms.headers);
    kms.pipe(response);
  });
  onward.on('error', () => response.destroy());
  request.pipe(onward);
}
