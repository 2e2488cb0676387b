// One stored message from old keys to new ones. Queue, Lambda or a loop of your own: they all call this.
//
// It may be called again for the same object at any time, by several at once, and may be killed at any point: the object is
// replaced as a whole, only if it is still the one that was read, and one that is done is left alone.

import {
  ciphertextLength,
  FramesealError,
  parseHeader,
  plaintextLength,
  rewrap,
  rewrapStream,
} from 'frameseal';

/** Bytes that are read to decide. What is no longer is rewrapped in memory, what is longer as a stream. */
const FIRST_READ = 256 * 1024;
/** Signed messages are held as a whole: nobody knows how long their plaintext is before they have been opened. */
const MAX_SIGNED = 32 * 1024 * 1024;

/**
 * Rewraps an object under a new data key of the new keys.
 *
 * - `rotated`: it has been replaced;
 * - `already`: this rotation has done it before, or it was written under the new keys;
 * - `gone`: there is none;
 * - `changed`: somebody replaced it meanwhile. Try again.
 *
 * @param store `open(name)` and `replace(object, content, length, mark)`: see `r2-store.js` and `s3-store.js`.
 * @param job `rotation` (its name), `keyring` (opens), `to` (wraps), `newKeys` (ARNs of `to` that are none of the old keys) and
 *   `contextOf(name)`, what the message under this name must be bound to.
 * @throws FramesealError of a message that could not be verified and rewritten: the object stays as it is; and what the store throws
 */
export async function rotateObject(store, name, job) {
  const object = await store.open(name);
  if (object === undefined) return 'gone';
  const { first, whole } = await peek(object.body, Math.min(object.size, FIRST_READ));
  try {
    const header = parseHeader(first);
    if (isDone(header, object.metadata, job)) return 'already';
    const { min, max } = plaintextLength(object.size, header);
    const isShort = first.length === object.size;
    if (!isShort && min === max) return await rotateStream(store, object, whole, min, job);
    if (object.size > MAX_SIGNED)
      throw new FramesealError('UNSUPPORTED', `a signed message of ${object.size} bytes: use the command`);
    const bytes = isShort ? first : new Uint8Array(await new Response(whole).arrayBuffer());
    return await rotateBytes(store, object, bytes, job);
  } finally {
    if (!whole.locked) await whole.cancel();
  }
}

/** Whether trying again is useless: it is the message that is wrong, not the moment. */
export function isLasting(error) {
  if (!(error instanceof FramesealError)) return false;
  if (error.code !== 'NO_DATA_KEY') return !PASSING.has(error.code);
  const { cause } = error;
  const causes = cause instanceof AggregateError ? cause.errors : cause === undefined ? [] : [cause];
  return causes.every((call) => WRONG_ENTRY.has(call.cause?.name));
}

/** KMS did not answer or would not, or the invocation ends. A denied access is among them: somebody may grant it. */
const PASSING = new Set(['KMS_FAILED', 'TIMEOUT', 'ABORTED']);
/** What KMS says of an encrypted data key that it cannot open. */
const WRONG_ENTRY = new Set(['InvalidCiphertextException', 'IncorrectKeyException']);

// The mark names the message, so that it cannot outlive it. Headers are not authenticated yet: whoever may write to the store can
// have an object skipped, as he could have deleted it.
function isDone({ messageId, encryptedDataKeys }, metadata, { rotation, newKeys }) {
  if (metadata.rotation === rotation && metadata.message === hex(messageId)) return true;
  const names = encryptedDataKeys.map(({ providerInfo }) => new TextDecoder().decode(providerInfo));
  return names.length === newKeys.size && names.every((name) => newKeys.has(name));
}

function markOf({ messageId }, { rotation }) {
  return { rotation, message: hex(messageId) };
}

function optionsOf({ name }, { keyring, to, contextOf }) {
  return { keyring, to, freshDataKey: true, encryptionContext: contextOf(name), maxEncryptedDataKeys: 16 };
}

async function rotateBytes(store, object, bytes, job) {
  const { ciphertext, header } = await rewrap(bytes, optionsOf(object, job));
  return (await store.replace(object, ciphertext, ciphertext.length, markOf(header, job)))
    ? 'rotated'
    : 'changed';
}

// The last frame is written when all of the old message has been verified: what fails before has no end, and is not stored.
async function rotateStream(store, object, whole, plaintextLength, job) {
  const stop = new AbortController();
  const stream = rewrapStream({ ...optionsOf(object, job), signal: stop.signal });
  try {
    const content = whole.pipeThrough(stream);
    const header = await stream.header;
    const length = ciphertextLength(plaintextLength, header);
    return (await store.replace(object, content, length, markOf(header, job))) ? 'rotated' : 'changed';
  } catch (error) {
    stop.abort();
    const reason = await stream.result.catch((own) => own); // a store only knows that its input broke off
    throw reason instanceof FramesealError && reason.code !== 'ABORTED' ? reason : error;
  } finally {
    stop.abort();
  }
}

// So many bytes, or a few more, and a stream of all of them.
async function peek(body, length) {
  const pieces = body[Symbol.asyncIterator]();
  const read = [];
  for (let have = 0; have < length; have += read.at(-1).length) {
    const { done, value } = await pieces.next();
    if (done) break;
    read.push(value);
  }
  const first = new Uint8Array(await new Blob(read).arrayBuffer());
  const whole = new ReadableStream({
    start: (controller) => controller.enqueue(first),
    async pull(controller) {
      const { done, value } = await pieces.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: () => pieces.return(),
  });
  return { first, whole };
}

function hex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
