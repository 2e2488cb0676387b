// Many messages that share data keys through one cache: no key and IV ever meet twice, and no data key serves more than its
// limits allow. Keys are derived here once more, by node:crypto, from what each message says.
//
//   --messages N   default 1000000

import assert from 'node:assert/strict';
import { createDecipheriv, createHash, createHmac } from 'node:crypto';
import { parseArgs } from 'node:util';
import { cachingCmm, encrypt, encryptStream, localCache, rawAesKeyring, warmUp } from '../../dist/index.js';

const { values } = parseArgs({ options: { messages: { type: 'string', default: '1000000' } } });
const count = Number(values.messages);

const WRAPPING_KEY = crypto.getRandomValues(new Uint8Array(32));
const FRAME_LENGTH = 32;
/** Suite, how often it is written, hash, and whether it commits. */
const SUITES = [
  { id: 0x0478, every: 1, hash: 'sha512', commits: true },
  { id: 0x0178, every: 3, hash: 'sha256', commits: false },
  { id: 0x0578, every: 100, hash: 'sha512', commits: true },
];
const MAX_MESSAGES = 1000;
const MAX_BYTES = 60_000;
const AT_ONCE = 64;

await warmUp();
const keyring = rawAesKeyring({ keyNamespace: 'test', keyName: 'shared', wrappingKey: WRAPPING_KEY });
const cmm = cachingCmm({
  keyring,
  cache: localCache({ entryCapacity: 4 }),
  maxAgeSeconds: 3600,
  maxMessages: MAX_MESSAGES,
  maxBytes: MAX_BYTES,
});
const derived = new Set(); // of every message: suite and derived key
const served = new Map(); // of every data key: messages and bytes
const opened = new Map(); // of every encrypted data key, the data key
let done = 0;
let frames = 0;

async function one(number) {
  const suite = SUITES.findLast(({ every }) => number % every === 0);
  const length = number % 150;
  const options = {
    cmm,
    algorithmSuite: suite.id,
    frameLength: FRAME_LENGTH,
    commitmentPolicy: suite.commits ? 'REQUIRE_ENCRYPT_REQUIRE_DECRYPT' : 'FORBID_ENCRYPT_ALLOW_DECRYPT',
  };
  const message = number % 50 === 0 ? await streamed(length, options) : await whole(length, options);
  look(suite, message, length);
}

const plaintext = new Uint8Array(150);
async function whole(length, options) {
  return encrypt(plaintext.subarray(0, length), options);
}

async function streamed(length, options) {
  const stream = encryptStream({ ...options, plaintextLength: length });
  const writer = stream.writable.getWriter();
  const written = writer.write(plaintext.slice(0, length)).then(() => writer.close());
  const ciphertext = new Uint8Array(await new Response(stream.readable).arrayBuffer());
  await written;
  return { ciphertext, header: await stream.header };
}

function look({ id, hash, commits }, { ciphertext, header }, length) {
  const dataKey = unwrapped(header);
  const { messageId } = header;
  const info = commits
    ? Buffer.from([id >> 8, id & 0xff, ...Buffer.from('DERIVEKEY')])
    : [id >> 8, id & 0xff, ...messageId];
  const salt = commits ? messageId : Buffer.alloc(32);
  const key = expanded(hash, salt, Buffer.from(dataKey, 'base64'), Buffer.from(info));
  assert.ok(!derived.has(key), `message ${done}: a derived key that was used before`);
  derived.add(key);
  const use = served.get(dataKey) ?? { messages: 0, bytes: 0 };
  use.messages++;
  use.bytes += length;
  served.set(dataKey, use);
  checkIvs(ciphertext, header, length);
  done++;
}

// Header IV 0, then the frames' numbers, each once and counting up: within a message no IV comes twice.
function checkIvs(ciphertext, { headerLength, version }, length) {
  if (version === 1)
    assert.ok(ciphertext.subarray(headerLength - 28, headerLength - 16).every((byte) => byte === 0));
  const view = new DataView(ciphertext.buffer, ciphertext.byteOffset);
  let at = headerLength;
  for (let number = 1; ; number++) {
    const final = view.getUint32(at) === 0xffff_ffff;
    const iv = at + (final ? 8 : 4);
    assert.equal(view.getUint32(iv - 4), number);
    assert.ok(view.getUint32(iv) === 0 && view.getUint32(iv + 4) === 0 && view.getUint32(iv + 8) === number);
    frames++;
    if (final) return assert.equal(number, Math.max(1, Math.ceil(length / FRAME_LENGTH)));
    at = iv + 12 + FRAME_LENGTH + 16;
  }
}

function expanded(hash, salt, key, info) {
  const prk = createHmac(hash, salt).update(key).digest();
  const block = createHmac(hash, prk).update(info).update(Uint8Array.of(1)).digest();
  return createHash('sha256').update(block.subarray(0, 32)).digest('base64');
}

// The raw AES keyring's entry: name, tag bits, IV bytes, IV; the context is its associated data.
function unwrapped({ encryptedDataKeys: [edk], encryptionContext }) {
  const name = Buffer.from(edk.ciphertext).toString('base64');
  const known = opened.get(name);
  if (known) return known;
  const decipher = createDecipheriv('aes-256-gcm', WRAPPING_KEY, edk.providerInfo.subarray(-12));
  decipher.setAAD(serialized(encryptionContext));
  decipher.setAuthTag(edk.ciphertext.subarray(-16));
  const key = Buffer.concat([decipher.update(edk.ciphertext.subarray(0, -16)), decipher.final()]).toString(
    'base64',
  );
  opened.set(name, key);
  return key;
}

function serialized(context) {
  const field = (text) =>
    Buffer.concat([Buffer.from([text.length >> 8, text.length & 0xff]), Buffer.from(text)]);
  const pairs = Object.entries(context).map(([key, value]) => Buffer.concat([field(key), field(value)]));
  return pairs.length === 0 ? Buffer.alloc(0) : Buffer.concat([Buffer.from([0, pairs.length]), ...pairs]);
}

const started = performance.now();
let next = 0;
await Promise.all(
  Array.from({ length: AT_ONCE }, async () => {
    while (next < count) await one(next++);
  }),
);
const uses = [...served.values()];
const most = (name) => Math.max(...uses.map((use) => use[name]));
assert.equal(derived.size, count);
assert.ok(most('messages') <= MAX_MESSAGES && most('bytes') <= MAX_BYTES, 'a limit was passed');
assert.ok(served.size < count / 10, 'the cache has not been used');
const seconds = ((performance.now() - started) / 1000).toFixed(1);
console.log(
  `ok: ${count} messages of ${frames} frames under ${served.size} data keys in ${seconds} s: as many derived keys as messages; at most ${most('messages')} messages and ${most('bytes')} bytes for one`,
);
console.log('1 passed, 0 failed');
