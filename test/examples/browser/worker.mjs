// All that has to do with messages, off the page's own thread: it may compute as long as it likes.
//
//   to the worker     { task: 'inspect', id, file }
//                     { task: 'run', mode, file, target?, key, context, signed }
//                     { task: 'cancel' }
//   from the worker   { event: 'ready', kernel } { event: 'inspected', id, header, plaintext } { event: 'inspected', id, error }
//                     { event: 'progress', bytes } { event: 'header', header }
//                     { event: 'done', bytes, blob? } { event: 'failed', error }

import {
  algorithmSuite,
  decryptStream,
  encryptStream,
  parseHeader,
  plaintextLength,
  rawAesKeyring,
  warmUp,
} from 'frameseal';
import { awsKmsKeyring, fetchKmsClient } from 'frameseal/aws-kms/fetch';

const HEADER_START = 64 * 1024;
const LONGEST_HEADER = 4 * 1024 * 1024;
const MAX_DATA_KEYS = 16;
const PIECE = 1024 * 1024;
const PROGRESS_MS = 100;
/** The default suite is this one with signatures. */
const UNSIGNED_SUITE = 'ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY';

let running; // the AbortController of the task under way

self.addEventListener('message', async ({ data }) => {
  if (data.task === 'cancel') running?.abort();
  if (data.task === 'inspect')
    postMessage({ event: 'inspected', id: data.id, ...(await inspect(data.file)) });
  if (data.task === 'run') await run(data);
});

const { kernel } = await warmUp(); // compiles the kernel before the first file comes
postMessage({ event: 'ready', kernel });

// What its first bytes say a file is. Anyone may have written them.
async function inspect(file) {
  for (let length = HEADER_START; ; length *= 4) {
    try {
      const header = parseHeader(new Uint8Array(await file.slice(0, length).arrayBuffer()));
      return { header: view(header), plaintext: plaintextOf(file, header) };
    } catch (error) {
      const more = error.code === 'TRUNCATED' && length < Math.min(file.size, LONGEST_HEADER);
      if (!more) return { error: plain(error) };
    }
  }
}

// Undefined: no message with this header has this length.
function plaintextOf(file, header) {
  try {
    return plaintextLength(file.size, header);
  } catch {
    return undefined;
  }
}

// A header and what its suite does.
function view(header) {
  const { committing, signature } = algorithmSuite(header.suiteId);
  return { ...header, committing, signed: signature !== undefined };
}

async function run({ target, ...task }) {
  running = new AbortController();
  const { signal } = running;
  try {
    const stream = messageStream(task, signal);
    stream.header.then((header) => postMessage({ event: 'header', header: view(header) })).catch(() => {});
    const output = pieces(task.file).pipeThrough(stream, { signal });
    const saved = await (target ? intoFile(output, target, signal) : intoBlob(output, signal));
    postMessage({ event: 'done', ...saved });
  } catch (error) {
    running.abort(); // whatever of it still goes on
    if (target) await removeEmpty(target);
    postMessage({ event: 'failed', error: plain(error) });
  } finally {
    running = undefined;
  }
}

function messageStream({ mode, file, key, context, signed }, signal) {
  const options = { keyring: keyringOf(key), encryptionContext: context, signal };
  if (mode === 'decrypt') return decryptStream({ ...options, maxEncryptedDataKeys: MAX_DATA_KEYS });
  const suite = signed ? {} : { algorithmSuite: UNSIGNED_SUITE };
  return encryptStream({ ...options, ...suite, plaintextLength: file.size });
}

function keyringOf({ raw, kms }) {
  if (raw) return rawAesKeyring(raw);
  const [generatorKeyId, ...keyIds] = kms.arns;
  return awsKmsKeyring({ generatorKeyId, keyIds, clientSupplier: (region) => kmsClient(region, kms) });
}

// The KMS is behind this page's own server: KMS answers no pages of other origins.
function kmsClient(region, { path, credentials }) {
  return fetchKmsClient({
    region,
    credentials,
    endpoint: self.location.origin,
    fetch: (_url, init) => fetch(path, init),
  });
}

// The file piece by piece; tells the page how far it has been read. As a stream of its own, because what a browser says
// when its `file.stream()` fails does not name the file.
function pieces(file) {
  let at = 0;
  let told = 0;
  return new ReadableStream({
    async pull(controller) {
      if (at >= file.size) return controller.close();
      const piece = await file.slice(at, at + PIECE).arrayBuffer();
      at += PIECE;
      controller.enqueue(piece);
      if (performance.now() - told < PROGRESS_MS) return;
      told = performance.now();
      postMessage({ event: 'progress', bytes: Math.min(at, file.size) });
    },
  });
}

// Written beside the file, which is replaced when all has gone well: a pipe that fails aborts its writer.
async function intoFile(output, target, signal) {
  await output.pipeTo(await target.createWritable(), { signal });
  return { bytes: (await target.getFile()).size };
}

// Piece by piece, so that a browser may keep them on the disk.
async function intoBlob(output, signal) {
  const parts = [];
  const write = (piece) => void parts.push(new Blob([piece]));
  await output.pipeTo(new WritableStream({ write }), { signal });
  const blob = new Blob(parts);
  return { bytes: blob.size, blob };
}

// The empty file that the browser makes when the person chooses a name.
async function removeEmpty(target) {
  try {
    if ((await target.getFile()).size === 0) await target.remove?.();
  } catch {
    // It is gone, or may not be removed: there is nothing in it.
  }
}

// Errors as they can be posted. Texts of the library hold no keys, and escape what a header says.
function plain(error) {
  const { name, code, message, attempts = [] } = error;
  return { code: code && name === 'FramesealError' ? code : name, message, attempts };
}
