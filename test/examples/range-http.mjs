// A range of a message behind HTTP: of a large object only the header and the frames that hold the range are fetched, and
// all of them from one version of it. `node test/examples/range-http.mjs` runs it on a server of its own, after
// `npm run build`; `httpSource` is what you would copy.

import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { decryptRange, encrypt, rawAesKeyring } from 'frameseal';

/**
 * What `decryptRange` reads from: a resource whose server answers `Range` requests and gives a strong ETag. Every request
 * names the ETag of the first answer, so that an object which is replaced meanwhile fails instead of being mixed up.
 */
export async function httpSource(url, { headers = {}, signal } = {}) {
  const get = (start, end, more) =>
    fetch(url, {
      // The bytes as they are stored: ranges of a compressed answer are ranges of something else.
      headers: { ...headers, ...more, 'Accept-Encoding': 'identity', Range: `bytes=${start}-${end - 1}` },
      signal,
    });
  const first = await get(0, 1);
  const etag = first.headers.get('ETag');
  const [, size] = /^bytes 0-0\/(\d+)$/.exec(first.headers.get('Content-Range') ?? '') ?? [];
  await first.body?.cancel();
  if (first.status !== 206 || size === undefined)
    throw new Error(`${url}: no ranges, status ${first.status}`);
  if (!etag?.startsWith('"')) throw new Error(`${url}: no strong ETag to pin, but ${etag}`);
  return {
    size: Number(size),
    async read(start, end) {
      const answer = await get(start, end, { 'If-Match': etag });
      const problem = problemOf(answer, etag, `bytes ${start}-${end - 1}/${size}`);
      if (problem === undefined) return new Uint8Array(await answer.arrayBuffer());
      await answer.body?.cancel();
      throw new Error(`${url}: ${problem}`);
    },
  };
}

// A server, or a proxy in front of it, may overlook If-Match or Range, so what came is looked at too.
function problemOf({ status, headers }, etag, range) {
  const now = headers.get('ETag');
  if (status === 412 || (now !== null && now !== etag)) return `the object changed, it is no longer ${etag}`;
  if (status !== 206) return `expected status 206, got ${status}`;
  const got = headers.get('Content-Range');
  return got === range ? undefined : `expected ${range}, got ${got}`;
}

export async function main(log = console.log) {
  const keyring = rawAesKeyring({
    keyNamespace: 'example',
    keyName: 'range',
    wrappingKey: crypto.getRandomValues(new Uint8Array(32)),
  });
  const plaintext = new Uint8Array(16 * 2 ** 20).map((_, i) => i >> 8);
  const message = async () => {
    const options = { keyring, frameLength: 65_536, algorithmSuite: 0x0478 }; // 0x0478 is not signed
    return (await encrypt(plaintext, options)).ciphertext;
  };
  const server = await startServer(await message());
  try {
    const source = await httpSource(server.url);
    const [start, end] = [10_000_000, 10_100_000];
    const opened = await decryptRange(source, { keyring, start, end });
    if (Buffer.compare(opened.plaintext, plaintext.subarray(start, end)) !== 0)
      throw new Error('other bytes');
    log(`bytes ${start} to ${end} of ${plaintext.length}, each from an authentic frame`);
    log(`  ${server.requests.length} requests, ${server.sent()} of ${source.size} bytes`);

    server.replace(await message());
    const refused = await decryptRange(source, { keyring, start, end }).catch((error) => error.message);
    log(`the same once the object has been replaced\n  ${refused}`);
  } finally {
    server.close();
  }
}

/** One object on 127.0.0.1, with ranges and an ETag. */
export async function startServer(content) {
  const requests = [];
  let version = 1;
  let object = { content, etag: '"1"' };
  const server = createServer(({ headers }, response) => {
    const { status, bytes = Buffer.alloc(0), range } = answer(object, headers);
    requests.push({ range: headers.range, status, bytes: bytes.length });
    response.writeHead(status, { ETag: object.etag, ...(range && { 'Content-Range': range }) }).end(bytes);
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    url: `http://127.0.0.1:${server.address().port}/message.esdk`,
    requests,
    sent: () => requests.reduce((sum, { bytes }) => sum + bytes, 0),
    replace: (other) => {
      object = { content: other, etag: `"${++version}"` };
    },
    close: () => server.close().closeAllConnections(),
  };
}

function answer({ content, etag }, headers) {
  if (headers['if-match'] !== undefined && headers['if-match'] !== etag) return { status: 412 };
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '') ?? [];
  if (first === undefined) return { status: 200, bytes: content };
  if (Number(first) >= content.length) return { status: 416, range: `bytes */${content.length}` };
  const bytes = content.subarray(Number(first), Number(last) + 1);
  const range = `bytes ${first}-${Number(first) + bytes.length - 1}/${content.length}`;
  return { status: 206, bytes, range };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
