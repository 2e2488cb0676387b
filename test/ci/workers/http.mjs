/**
 * Requests over a socket of their own: bodies with and without a length, and ones that break off. A socket that is kept may be
 * closed by workerd just when it is used again.
 */
import { request } from 'node:http';

/** An answer that does not come is an error. */
const PATIENCE_MS = 60_000;

/**
 * Sends a request and reads the whole answer. An answer that breaks off has `whole: false`, and what had come.
 * @param options `body` in one piece or as an iterable of pieces, whose `length` is to be said; `length: false` sends no
 *   Content-Length; after `breakAfter` bytes the connection is cut; without `keep` what comes is only counted.
 */
export function send(url, { method = 'GET', headers = {}, body, length, breakAfter, keep = true } = {}) {
  return new Promise((resolve, reject) => {
    const declared = length === false ? {} : { 'content-length': length ?? body?.length ?? 0 };
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const sending = request(url, { method, headers: { ...headers, ...declared }, signal, agent: false });
    sending.on('error', (error) => (breakAfter === undefined ? reject(error) : resolve(undefined)));
    sending.on('response', (response) => {
      const { statusCode: status, headers } = response;
      const pieces = [];
      let received = 0;
      const end = (whole) => resolve({ status, headers, whole, received, bytes: Buffer.concat(pieces) });
      response.on('data', (piece) => {
        received += piece.length;
        if (keep) pieces.push(piece);
      });
      response.on('end', () => end(response.complete));
      response.on('error', () => end(false));
    });
    write(sending, body, breakAfter).catch(reject);
  });
}

async function write(sending, body, breakAfter) {
  if (body === undefined) return sending.end();
  let sent = 0;
  for await (const piece of body instanceof Uint8Array ? piecesOf(body) : body) {
    if (!sending.write(piece)) await drained(sending);
    sent += piece.length;
    if (breakAfter !== undefined && sent >= breakAfter) sending.destroy();
    if (sending.destroyed) return;
  }
  sending.end();
}

function drained(sending) {
  return new Promise((resolve) => {
    const done = () => {
      sending.off('drain', done).off('close', done);
      resolve();
    };
    sending.on('drain', done).on('close', done);
  });
}

function* piecesOf(bytes) {
  for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536);
}
