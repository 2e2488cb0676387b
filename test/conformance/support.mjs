/**
 * What the cases need, with nothing but what every runtime has.
 */

/** `length` bytes that differ from each other; the same seed, the same bytes. */
export function bytes(length, seed = 1) {
  return Uint8Array.from({ length }, (_, i) => i * 167 + seed * 41 + (i >> 8));
}

/** Fails unless two byte sequences are the same. */
export function same(got, expected, what = 'plaintext') {
  if (!(got instanceof Uint8Array)) throw new Error(`${what}: no bytes`);
  if (got.length !== expected.length)
    throw new Error(`${what}: ${got.length} bytes instead of ${expected.length}`);
  const at = got.findIndex((byte, i) => byte !== expected[i]);
  if (at !== -1) throw new Error(`${what}: differs at byte ${at}`);
}

/** Fails unless two values are the same. */
export function equal(got, expected, what) {
  if (got !== expected) throw new Error(`${what}: ${got} instead of ${expected}`);
}

/** The code with which work fails; throws for every failure but a FramesealError, and for none. */
export async function codeOf({ FramesealError }, work) {
  try {
    await work();
  } catch (error) {
    if (error instanceof FramesealError) return error.code;
    throw new Error(`failed with ${described(error)} instead of a FramesealError`);
  }
  throw new Error('did not fail');
}

/** Fails unless work fails with one of these codes, and answers which. */
export async function refused(library, codes, work) {
  const code = await codeOf(library, work);
  if (!codes.includes(code)) throw new Error(`failed with ${code} instead of ${codes.join(' or ')}`);
  return code;
}

/** An error as one line. */
export function described(error) {
  const { name, code, message } = error ?? {};
  return [name, code, message ?? String(error)].filter(Boolean).join(': ').split('\n')[0];
}

/** What comes out of a pair of streams when the input goes in, in chunks of that many bytes. */
export async function through({ readable, writable }, input, chunk) {
  const [output] = await Promise.all([collect(readable), feed(writable, input, chunk)]);
  return output;
}

async function feed(writable, input, chunk) {
  const writer = writable.getWriter();
  for (let at = 0; at < input.length; at += chunk) await writer.write(input.subarray(at, at + chunk));
  await writer.close();
}

// With a reader: not every browser iterates over streams.
async function collect(readable) {
  const reader = readable.getReader();
  const pieces = [];
  for (let next = await reader.read(); !next.done; next = await reader.read()) pieces.push(next.value);
  return new Uint8Array(await new Blob(pieces).arrayBuffer());
}

/** Base64 text of bytes. */
export function toBase64(bytes) {
  let text = '';
  for (let at = 0; at < bytes.length; at += 0x8000)
    text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(text);
}

/** Bytes of base64 text. */
export function fromBase64(text) {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

/** A suite's id as it is written everywhere. */
export function suiteName(id) {
  return `0x${id.toString(16).padStart(4, '0')}`;
}
