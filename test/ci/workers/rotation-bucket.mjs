/** The bucket that is rotated: small and long messages, signed and not, some under the new keys already, and some that are wrong. */
import { createHash } from 'node:crypto';

/** Longer than what is rewrapped in memory. */
const LONG = 700_000;
const SUITES = [0x0478, 0x0578];
/** Every so many is under the new keys; of so many two are long, one of them signed. */
const NEW = 40;
const FEW = 400;
const AT_ONCE = 16;

/** What is wrong with some of them, and what becomes known of it. */
const WRONGS = [
  ['AUTHENTICATION_FAILED', (message) => flipped(message, message.length - 1)],
  ['TRUNCATED', (message) => message.subarray(0, message.length - 40)],
  ['TRUNCATED', () => new Uint8Array(0)],
  ['INVALID_MESSAGE', () => new TextEncoder().encode('no message at all')],
  ['NO_DATA_KEY', (message, header) => flipped(message, header.headerLength - 200)],
  ['CONTEXT_MISMATCH', (message) => message],
  ['RETRIES_USED_UP', (message) => message],
];

/** Fills it through the Worker of the test. */
export async function prepareBucket(worker, { encrypt }, { oldKey, unluckyKey, newKeys }, keyringOf, count) {
  const [old, unlucky, renewed] = [[oldKey], [unluckyKey], newKeys].map(keyringOf);
  const names = Array.from(
    { length: count },
    (_, i) => `tenant-${i % 7}/${String(i).padStart(6, '0')} page+${i}%.txt`,
  );
  names.sort();
  const bad = new Map();
  const toRotate = new Set();
  const entries = await eachOf(names, async (name, i) => {
    const wrong = i % Math.floor(count / WRONGS.length) === 3 ? WRONGS[bad.size] : undefined;
    const reason = wrong?.[0];
    if (wrong) bad.set(name, { reason });
    const isNew = !wrong && i % NEW === 0;
    if (!wrong && !isNew) toRotate.add(name);
    const keyring = reason === 'RETRIES_USED_UP' ? unlucky : isNew ? renewed : old;
    const { ciphertext, header } = await encrypt(plaintextOf(name, i), {
      keyring,
      encryptionContext: contextOf(reason === 'CONTEXT_MISMATCH' ? names[i - 1] : name),
      algorithmSuite: SUITES[i % 5 === 0 ? 1 : 0],
    });
    const content = Buffer.from(wrong ? wrong[1](ciphertext, header) : ciphertext).toString('base64');
    return { name, content, httpMetadata: { contentType: 'text/plain' }, customMetadata: { n: String(i) } };
  });
  const etags = await worker.put(entries);
  for (const [name, wrong] of bad) wrong.etag = etags[names.indexOf(name)];
  return { names, bad, toRotate, plaintextOf: (name) => plaintextOf(name, names.indexOf(name)) };
}

export function contextOf(key) {
  const [tenant, ...name] = key.split('/');
  return { tenant, name: name.join('/') };
}

/** Some at a time; answers the results. */
export async function eachOf(values, job) {
  const results = [];
  const queue = values.entries();
  const next = async () => {
    for (const [i, value] of queue) results[i] = await job(value, i);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, next));
  return results;
}

function plaintextOf(name, i) {
  const seed = createHash('sha512').update(name).digest();
  const length = [1, 5].includes(i % FEW) ? LONG + i : (i * 37) % 4000;
  return new Uint8Array(Buffer.alloc(length, seed));
}

function flipped(message, at) {
  const altered = message.slice();
  altered[at] ^= 1;
  return altered;
}
