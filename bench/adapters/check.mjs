// What candidates are checked by before they are timed.
import { testBytes } from '../../dist/bench/index.js';

const samples = new Map();

/** Bytes for every case of this length: nobody may write into them. */
export function sample(length) {
  if (!samples.has(length)) samples.set(length, testBytes(length));
  return samples.get(length);
}

/** @throws Error unless both are the same bytes */
export function sameBytes(actual, expected, what) {
  if (actual.length !== expected.length)
    throw new Error(`${what}: ${actual.length} bytes, not ${expected.length}`);
  if (Buffer.compare(actual, expected) !== 0) throw new Error(`${what}: the bytes differ`);
}

/**
 * Lets a library open what it has written itself, and looks at that closer where the library has a `check`.
 * @returns what it has written
 */
export async function roundTrip({ name, encrypt, decrypt, check }, plaintext) {
  const message = await encrypt(plaintext);
  sameBytes(await decrypt(message), plaintext, `${name}, its own message`);
  await check?.(plaintext, message);
  return message;
}
