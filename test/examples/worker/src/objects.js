// Encrypted objects in R2: stored and answered as streams, so that memory does not grow with their length.

import {
  ciphertextLength,
  decryptRange,
  decryptStream,
  encryptStream,
  parseHeader,
  plaintextLength,
} from 'frameseal';
import { storeInParts } from './parts.js';
import { resolveRange } from './range.js';

/** A part of an object costs at least a frame; long frames make long objects faster. */
const FRAME_LENGTH = 16 * 1024;
/** Bytes of the object that are read for its header, and bytes of a range that are decrypted at a time. */
const HEADER_READ = 4096;
const RANGE_PIECE = 1024 * 1024;
/**
 * Commits to the key, and is not signed. A signature is behind the last byte: of a signed message everything but the last
 * frame would have been answered before it is known who wrote it, and a range could not be verified at all.
 */
const SUITE = 'ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY';

export async function upload(bucket, cmm, { key, encryptionContext }, request) {
  const length = lengthOf(request);
  const options = { cmm, encryptionContext, algorithmSuite: SUITE, frameLength: FRAME_LENGTH };
  const stream = encryptStream(length === undefined ? options : { ...options, plaintextLength: length });
  const encrypted = (request.body ?? new Blob([]).stream()).pipeThrough(stream);
  const header = await stream.header;
  if (length === undefined) {
    await storeInParts(bucket, key, encrypted);
  } else {
    // R2 wants to know the length beforehand. An upload that breaks off is shorter, and nothing is stored.
    const sized = encrypted.pipeThrough(new FixedLengthStream(ciphertextLength(length, header)));
    await Promise.all([stream.result, bucket.put(key, sized)]);
  }
  return new Response(null, { status: 201 });
}

/** Every frame is authentic before it is answered. If a later one is not, the answer breaks off before its declared length. */
export async function download(bucket, cmm, { key, encryptionContext }) {
  const object = await bucket.get(key);
  if (object === null) return notFound();
  const stream = decryptStream({ cmm, encryptionContext, signedStreams: 'refuse', maxEncryptedDataKeys: 8 });
  const pieces = object.body.pipeThrough(stream)[Symbol.asyncIterator]();
  const first = await pieces.next();
  const { min: length } = plaintextLength(object.size, await stream.header);
  return new Response(body(first, pieces, length), { headers: headersOf(object) });
}

export async function downloadRange(bucket, cmm, { key, encryptionContext }, header) {
  const object = await bucket.head(key);
  if (object === null) return notFound();
  const source = await rangeSource(bucket, object);
  const { min: length } = plaintextLength(object.size, parseHeader(source.head));
  const range = resolveRange(header, length);
  if (range === undefined)
    return new Response(null, { status: 416, headers: { 'content-range': `bytes */${length}` } });
  const { start, end } = range;
  const pieces = decryptPieces(source, { cmm, encryptionContext, maxEncryptedDataKeys: 8 }, start, end);
  const first = await pieces.next();
  const headers = { ...headersOf(object), 'content-range': `bytes ${start}-${end - 1}/${length}` };
  return new Response(body(first, pieces, end - start), { status: 206, headers });
}

// Piece by piece: the cache keeps the data key, so KMS is asked once.
async function* decryptPieces(source, options, start, end) {
  for (let at = start; at < end; at += RANGE_PIECE) {
    const piece = { ...options, start: at, end: Math.min(end, at + RANGE_PIECE) };
    yield (await decryptRange(source, piece)).plaintext;
  }
}

// Reads of one version of the object: one that is replaced meanwhile fails, and is never mixed up.
async function rangeSource(bucket, { key, size, etag }) {
  const get = async (start, end) => {
    const range = { offset: start, length: end - start };
    const part = await bucket.get(key, { range, onlyIf: { etagMatches: etag } });
    if (!part?.body) throw new Error(`${key}: the object has changed, it is no longer ${etag}`);
    return new Uint8Array(await part.arrayBuffer());
  };
  const head = await get(0, Math.min(size, HEADER_READ));
  return {
    size,
    head,
    read: async (start, end) => (end <= head.length ? head.slice(start, end) : get(start, end)),
  };
}

// The first piece is there already: what is wrong with the beginning has become a status. The length lets the client see
// whether the rest has come.
function body(first, pieces, length) {
  const put = (controller, { done, value }) => (done ? controller.close() : controller.enqueue(value));
  return new ReadableStream({
    start: (controller) => put(controller, first),
    pull: async (controller) => put(controller, await pieces.next()),
    cancel: () => pieces.return(),
  }).pipeThrough(new FixedLengthStream(length));
}

function headersOf({ httpEtag }) {
  return { 'content-type': 'application/octet-stream', 'accept-ranges': 'bytes', etag: httpEtag };
}

function lengthOf(request) {
  if (request.body === null) return 0;
  const length = request.headers.get('content-length');
  return length === null ? undefined : Number(length);
}

function notFound() {
  return new Response('no such object\n', { status: 404 });
}
