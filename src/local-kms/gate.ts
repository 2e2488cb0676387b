/**
 * What a request must be before it is looked at as a request to KMS.
 *
 * The server listens on loopback only, but a web page can point a host name of its own at 127.0.0.1 (DNS
 * rebinding). So the Host header must name this machine, and no CORS header is sent unless asked for.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { KmsError, unknownOperation } from './errors.ts';

const LOCAL_HOST = /^(127\.0\.0\.1|localhost|\[::1\]):\d{1,5}$/i;
const MAX_BODY_BYTES = 64 * 1024;
const MAX_DISCARDED_BYTES = 16 * 1024 * 1024;
const CONTENT_TYPE = /^application\/x-amz-json-1\.1( *;.*)?$/i;

/** Header names in lower case with all their values, in the order of arrival. */
export function headersOf(request: IncomingMessage): ReadonlyMap<string, readonly string[]> {
  const headers = new Map<string, string[]>();
  const raw = request.rawHeaders;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = (raw[i] as string).toLowerCase();
    headers.set(name, [...(headers.get(name) ?? []), raw[i + 1] as string]);
  }
  return headers;
}

/** Refuses, with HTTP 403, a request that does not name this machine as its host. */
export function checkHost(headers: ReadonlyMap<string, readonly string[]>): void {
  const hosts = headers.get('host') ?? [];
  if (hosts.length === 1 && LOCAL_HOST.test(hosts[0] as string)) return;
  throw new KmsError('AccessDeniedException', 'The local KMS answers only to 127.0.0.1 and localhost.', 403);
}

/** Adds CORS headers for the origins allowed. True if the request was a preflight, which is then answered. */
export function answerCors(
  request: IncomingMessage,
  response: ServerResponse,
  origins: readonly string[],
): boolean {
  const { origin } = request.headers;
  if (origin === undefined || !origins.includes(origin)) return false;
  response.setHeader('access-control-allow-origin', origin);
  response.setHeader('access-control-expose-headers', 'date, x-amzn-requestid');
  response.setHeader('vary', 'origin');
  if (request.method !== 'OPTIONS') return false;
  response.setHeader('access-control-allow-methods', 'POST');
  response.setHeader(
    'access-control-allow-headers',
    request.headers['access-control-request-headers'] ?? 'authorization, content-type',
  );
  response.writeHead(204).end();
  return true;
}

/** Refuses what is not `POST /` of the protocol's content type. */
export function checkProtocol(request: IncomingMessage): void {
  if (request.method !== 'POST' || request.url !== '/') {
    throw new KmsError('UnknownOperationException', 'The local KMS serves POST / only.', 404);
  }
  if (!CONTENT_TYPE.test(request.headers['content-type'] ?? '')) throw unknownOperation();
}

/** The operation asked for; empty if the header is missing or of another service. */
export function operationOf(request: IncomingMessage): string {
  return /^TrentService\.([A-Za-z]{1,64})$/.exec(String(request.headers['x-amz-target'] ?? ''))?.[1] ?? '';
}

/**
 * The body, at most 64 KiB. What is too long is read to its end and thrown away, so that the client sees the
 * answer (HTTP 413) and not a reset; far too long, and the connection is cut.
 */
export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length <= MAX_BODY_BYTES) chunks.push(chunk);
    if (length > MAX_DISCARDED_BYTES) request.destroy();
  }
  if (length > MAX_BODY_BYTES) {
    throw new KmsError(
      'RequestEntityTooLargeException',
      `The body has more than ${MAX_BODY_BYTES} bytes.`,
      413,
    );
  }
  return Buffer.concat(chunks);
}
