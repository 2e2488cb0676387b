// Sidecars of every suite, every bit of them flipped, cut off at every byte, and with a byte behind: in one shot, streamed
// and as a range, by a key of the header and by one of the sidecar alone. Then sidecars with very many entries, and what
// memory they take (resident, above what an ordinary one has left). Run on dist; the messages are those of test/vectors.

import { fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  addWrappingKeys,
  decrypt,
  decryptRange,
  decryptStream,
  encrypt,
  rawAesKeyring,
} from '../../../dist/index.js';

const MIB = 2 ** 20;
const { keys } = json('keys.json');
const { messages, tests } = json('sidecars.json');
const keyrings = { header: aes('aes-128'), sidecar: aes('aes-256') };
const WAYS = { 'in one shot': inOneShot, streamed, 'as a range': asRange };

// Each case answers the sidecar, further options, and what must come of it; `limit` is MiB.
const CROWDS = {
  '65,534 entries': { entries: 65_534, code: 'NO_DATA_KEY', limit: 64 },
  '65,534 entries, above maxEncryptedDataKeys': {
    entries: 65_534,
    options: { maxEncryptedDataKeys: 10 },
    code: 'LIMIT_EXCEEDED',
    limit: 4,
  },
  '65,535 entries, and one in the header': { entries: 65_535, code: 'LIMIT_EXCEEDED', limit: 48 },
  '65,535 entries claimed, none there': { entries: 0, code: 'SIDECAR_MISMATCH', limit: 4 },
};

let [passed, failed] = [0, 0];
if (process.send) await child(process.argv[2]);
else await parent();

async function parent() {
  for (const name of Object.keys(tests).filter((test) => test.endsWith('-aes-256'))) await everyBit(name);
  for (const name of Object.keys(CROWDS)) check(name, await inChild(name));
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed > 0 ? 1 : 0;
}

function check(name, problem) {
  if (problem === undefined) passed++;
  else failed++;
  if (problem !== undefined) console.log(`FAILED: ${name}: ${problem}`);
}

async function everyBit(name) {
  const started = performance.now();
  const { message, plaintext } = messages[tests[name].message];
  const vector = { message: bytes(message), plaintext: bytes(plaintext) };
  const sidecar = bytes(tests[name].sidecars[0]);
  let read = 0;
  for (const [way, open] of Object.entries(WAYS)) {
    for (const [whose, keyring] of Object.entries(keyrings)) {
      const problems = [];
      for (const { altered, expected, what } of alterations(sidecar, whose === 'sidecar')) {
        const options = { keyring, sidecar: altered, commitmentPolicy: policyOf(vector.message) };
        const got = await open(vector, options);
        if (got !== expected) problems.push(`${what}: ${got}, not ${expected}`);
        read++;
      }
      const problem = problems.length > 0 ? `${problems.length} wrong, first ${problems[0]}` : undefined;
      check(`${name}, ${way}, key of the ${whose}`, problem);
    }
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`${name}: ${sidecar.length} bytes, ${read} times decrypted, ${seconds} s`);
}

function* alterations(sidecar, alone) {
  yield { altered: sidecar, expected: 'opens', what: 'as it is' };
  for (let bit = 0; bit < sidecar.length * 8; bit++) {
    const expected = alone ? outcome(sidecar, bit) : 'SIDECAR_MISMATCH';
    yield { altered: flip(sidecar, bit), expected, what: `bit ${bit}` };
  }
  const expected = 'SIDECAR_MISMATCH';
  for (let length = 0; length < sidecar.length; length++)
    yield { altered: sidecar.subarray(0, length), expected, what: `${length} bytes` };
  yield { altered: Uint8Array.of(...sidecar, 0), expected, what: 'a byte behind' };
}

// By the layout in docs/sidecars.md: another key is named, or does not unwrap; texts must be UTF-8; all else is not this
// message's sidecar.
function outcome(sidecar, bit) {
  const view = Buffer.from(sidecar);
  const at = bit >> 3;
  let end = 2 + (view.readUInt16BE(5) < 0x0400 ? 7 + 16 : 7 + 64);
  const [id, info, ciphertext] = [0, 0, 0].map(() => {
    const start = end + 2;
    end = start + view.readUInt16BE(end);
    return at >= start && at < end;
  });
  return (id && (bit & 7) !== 7) || info || ciphertext ? 'NO_DATA_KEY' : 'SIDECAR_MISMATCH';
}

async function inOneShot({ message, plaintext }, options) {
  return told(async () => (await decrypt(message, options)).plaintext, plaintext);
}

async function asRange({ message, plaintext }, options) {
  const range = { start: 0, end: plaintext.length, allowUnverifiedSignature: true };
  const read = async () => (await decryptRange(new Blob([message]), { ...options, ...range })).plaintext;
  return told(read, plaintext);
}

async function streamed({ message, plaintext }, options) {
  const released = [];
  const outcome = await told(async () => {
    const stream = decryptStream(options);
    const writer = stream.writable.getWriter();
    writer.closed.catch(() => {});
    writer.write(message).then(
      () => writer.close().catch(() => {}),
      () => {},
    );
    for await (const piece of stream.readable) released.push(piece);
    return Buffer.concat(released);
  }, plaintext);
  return outcome === 'opens' || released.length === 0 ? outcome : `${outcome}, and ${released.length} pieces`;
}

async function told(read, plaintext) {
  try {
    return Buffer.compare(await read(), plaintext) === 0 ? 'opens' : 'another plaintext';
  } catch (error) {
    return error.code ?? String(error);
  }
}

function inChild(name) {
  return new Promise((resolve) => {
    const execArgv = ['--expose-gc', '--max-semi-space-size=1'];
    const process = fork(fileURLToPath(import.meta.url), [name], { execArgv });
    let problem = 'it ended without an answer';
    process.on('message', ({ text, wrong }) => {
      console.log(`${name}: ${text}`);
      problem = wrong ?? undefined;
    });
    process.on('exit', () => resolve(problem));
  });
}

async function child(name) {
  const { entries, options, code, limit } = CROWDS[name];
  const { ciphertext } = await encrypt(new Uint8Array(100), { keyring: keyrings.header });
  const { sidecar } = await addWrappingKeys(ciphertext, { keyring: keyrings.header, add: keyrings.sidecar });
  await decrypt(ciphertext, { keyring: keyrings.sidecar, sidecar });
  const start = sidecar.subarray(0, 7 + 64);
  const claimed = Buffer.alloc(2);
  claimed.writeUInt16BE(entries || 65_535);
  const crowd = new Uint8Array(Buffer.concat([start, claimed, Buffer.alloc(6 * entries), Buffer.alloc(64)]));
  globalThis.gc();
  const before = process.memoryUsage.rss();
  const got = await told(
    async () =>
      (await decrypt(ciphertext, { keyring: keyrings.sidecar, sidecar: crowd, ...options })).plaintext,
    new Uint8Array(100),
  );
  const taken = (process.memoryUsage.rss() - before) / MIB;
  const text = `${got}, ${taken.toFixed(1)} MiB`;
  process.send({ text, wrong: got === code && taken <= limit ? null : text }, () => process.disconnect());
}

function aes(name) {
  const wrappingKey = bytes(keys[name].material);
  return rawAesKeyring({ keyNamespace: 'frameseal vectors', keyName: name, wrappingKey });
}

function policyOf(message) {
  return message[0] === 1 ? 'FORBID_ENCRYPT_ALLOW_DECRYPT' : 'REQUIRE_ENCRYPT_REQUIRE_DECRYPT';
}

function flip(sidecar, bit) {
  const altered = sidecar.slice();
  altered[bit >> 3] ^= 1 << (bit & 7);
  return altered;
}

function bytes(text) {
  return new Uint8Array(Buffer.from(text, 'base64'));
}

function json(file) {
  return JSON.parse(readFileSync(new URL(`../../vectors/${file}`, import.meta.url), 'utf8'));
}
