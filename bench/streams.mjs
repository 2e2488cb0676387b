// Long messages, one-shot and streamed, against the published SDK, against one native call for each frame, and beside
// what OpenSSL says of itself; and the peak memory of each, in a process of its own. Every candidate's output is checked
// before it is timed. Run: npm run bench:streams
//
//   --quick     16 MiB, fewer rounds
//   --long      512 MiB too
//   --json      the rows as JSON

import { strictEqual } from 'node:assert';
import { execFileSync } from 'node:child_process';
import { createCipheriv, createHash, createSecretKey } from 'node:crypto';
import { createReadStream, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { decrypt, decryptStream, encrypt, encryptStream, rawAesKeyring } from '../dist/index.js';
import { median, shuffled } from './interleave.mjs';

const MIB = 2 ** 20;
const CHUNK = 65_536;
const flag = (name) => process.argv.includes(name);
const quick = flag('--quick');
const ROUNDS = quick ? 3 : 7;
const names = { keyName: 'k', keyNamespace: 'bench' };
const wrappingKey = new Uint8Array(32).fill(5);
const keyring = rawAesKeyring({ ...names, wrappingKey });
const NAMES = ['stream', 'one-shot', 'sdk stream', 'sdk one-shot', 'bare'];
/** At least so many times the SDK's stream. */
const TARGETS = { 4096: 5, 65536: 3 };

if (flag('--one')) await one();
else await all();

async function all() {
  const rows = [];
  for (const mebibytes of flag('--long') ? [64, 512] : [quick ? 16 : 64]) {
    for (const suite of [0x0478, 0x0578]) {
      for (const frameLength of [4096, 65_536, MIB]) {
        for (const verb of ['encrypt', 'decrypt']) {
          const row = await measure({ mebibytes, suite, frameLength, verb });
          rows.push(row);
          if (!flag('--json')) print(row);
        }
      }
    }
  }
  const openssl = opensslSpeed();
  if (flag('--json')) console.log(JSON.stringify({ node: process.version, rows, openssl }, undefined, 2));
  else {
    console.log(`\nopenssl speed, AES-256-GCM alone: ${openssl}`);
    console.log('! marks a stream below its target against the SDK: 5x at frames of 4 KiB, 3x at 64 KiB');
  }
}

async function measure(what) {
  const { mebibytes, frameLength } = what;
  const candidates = await candidatesOf(what);
  const times = Object.fromEntries(Object.keys(candidates).map((name) => [name, []]));
  for (const run of Object.values(candidates)) await run(); // warms up, and checks
  for (let round = 0; round < (mebibytes > 64 ? 3 : ROUNDS); round++) {
    for (const name of shuffled(Object.keys(candidates))) {
      const started = performance.now();
      await candidates[name]();
      times[name].push(performance.now() - started);
    }
  }
  const rate = (name) => Math.round((mebibytes * MIB) / 1000 / median(times[name]));
  const rates = Object.fromEntries(Object.keys(times).map((name) => [name, rate(name)]));
  const ratio = median(times['sdk stream']) / median(times.stream);
  const memory = await peaks(Object.keys(times), what);
  return { ...what, rates, ratio, target: TARGETS[frameLength], memory };
}

function print({ mebibytes, suite, frameLength, verb, rates, ratio, target, memory }) {
  const mark = target !== undefined && ratio < target ? '!' : ' ';
  const cells = Object.keys(rates).map((name) => `${name} ${rates[name]} MB/s ${memory[name]} MiB`);
  const goal = target === undefined ? '' : ` (${target}x)`;
  console.log(
    `${mark} ${verb} ${mebibytes} MiB, 0x0${suite.toString(16)}, frames of ${String(frameLength).padStart(7)} B: ` +
      `${ratio.toFixed(1)}x the SDK's stream${goal};  ${cells.join(',  ')}`,
  );
}

// The same work by each, as functions that check their result by its length.
async function candidatesOf(what) {
  const plaintext = fill(what.mebibytes * MIB);
  const peer = publishedSdk(what);
  const options = optionsOf(what);
  if (what.verb === 'encrypt') await exchange(peer, plaintext.subarray(0, 4 * MIB), options);
  const input = what.verb === 'encrypt' ? plaintext : (await encrypt(plaintext, options)).ciphertext;
  const names = what.verb === 'encrypt' ? NAMES : NAMES.filter((name) => name !== 'bare');
  const least = what.verb === 'encrypt' ? plaintext.length + 1 : plaintext.length;
  const run = (name) => async () => {
    const length = await work(name, what, { whole: () => input, pieces: () => chunks(input) });
    strictEqual(length >= least && length < least * 1.02 + 4096, true);
  };
  return Object.fromEntries(names.map((name) => [name, run(name)]));
}

// Does it once, and answers how many bytes came out.
function work(name, what, { whole, pieces }) {
  const options = optionsOf(what);
  const encrypts = what.verb === 'encrypt';
  const peer = name.startsWith('sdk') ? publishedSdk(what) : undefined;
  if (name === 'bare') return bareFrames(whole(), what.frameLength);
  if (name === 'stream')
    return drain(ours(pieces(), encrypts ? encryptStream(options) : decryptStream({ keyring })));
  if (name === 'sdk stream') return encrypts ? peer.encryptStream(pieces()) : peer.decryptStream(pieces());
  if (name === 'sdk one-shot') return encrypts ? peer.encrypt(whole()) : peer.decrypt(whole());
  return encrypts
    ? encrypt(whole(), options).then(({ ciphertext }) => ciphertext.length)
    : decrypt(whole(), { keyring }).then(({ plaintext }) => plaintext.length);
}

function optionsOf({ suite, frameLength }) {
  return { keyring, algorithmSuite: suite, frameLength };
}

// Each opens what the other has written.
async function exchange(peer, plaintext, options) {
  const digest = (bytes) => createHash('sha256').update(bytes).digest('hex');
  const parts = [];
  for await (const part of ours(chunks(plaintext), encryptStream(options))) parts.push(part);
  strictEqual(digest(await peer.open(Buffer.concat(parts))), digest(plaintext));
  strictEqual(digest((await decrypt(await peer.seal(plaintext), { keyring })).plaintext), digest(plaintext));
}

function ours(pieces, stream) {
  const source = new ReadableStream({
    async pull(controller) {
      const { done, value } = await pieces.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
  });
  return source.pipeThrough(stream);
}

async function drain(readable) {
  const reader = readable.getReader();
  for (let length = 0; ; ) {
    const { done, value } = await reader.read();
    if (done) return length;
    length += value.length;
  }
}

function publishedSdk({ suite, frameLength }) {
  const sdk = createRequire(new URL('./peers/package.json', import.meta.url))('@aws-crypto/client-node');
  const client = sdk.buildClient(sdk.CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT);
  const theirs = new sdk.RawAesKeyringNode({
    ...names,
    unencryptedMasterKey: wrappingKey.slice(),
    utf8Sorting: true,
    wrappingSuite: sdk.RawAesWrappingSuiteIdentifier.AES256_GCM_IV12_TAG16_NO_PADDING,
  });
  const options = () => ({ frameLength, suiteId: suite }); // the SDK writes into what it is given
  const pump = async (pieces, through) => {
    let length = 0;
    await pipeline(Readable.from(pieces), through, async (results) => {
      for await (const piece of results) length += piece.length;
    });
    return length;
  };
  const seal = async (bytes) => (await client.encrypt(theirs, bytes, options())).result;
  const open = async (bytes) => (await client.decrypt(theirs, bytes)).plaintext;
  return {
    seal,
    open,
    encrypt: async (bytes) => (await seal(bytes)).length,
    decrypt: async (bytes) => (await open(bytes)).length,
    encryptStream: (pieces) => pump(pieces, client.encryptStream(theirs, options())),
    decryptStream: (pieces) => pump(pieces, client.decryptStream(theirs)),
  };
}

function* chunks(bytes) {
  for (let at = 0; at < bytes.length; at += CHUNK) yield Buffer.from(bytes.subarray(at, at + CHUNK));
}

// One native cipher for each frame, into one buffer: no format, no streams, no checks, no signature.
function bareFrames(plaintext, frameLength) {
  const key = createSecretKey(wrappingKey);
  const frames = Math.ceil(plaintext.length / frameLength);
  const output = Buffer.allocUnsafe(plaintext.length + frames * 32);
  for (let i = 0, at = 0; i < frames; i++) {
    const iv = Buffer.alloc(12);
    iv.writeUInt32BE(i + 1, 8);
    const cipher = createCipheriv('aes-256-gcm', key, iv);
    cipher.setAAD(Buffer.alloc(72));
    at +=
      cipher.update(plaintext.subarray(i * frameLength, (i + 1) * frameLength)).copy(output, at + 16) + 32;
    cipher.final();
    cipher.getAuthTag().copy(output, at - 16);
  }
  return output.length;
}

// The most memory, in MiB, of a fresh process for each that does it once with a file: streams read it in pieces.
async function peaks(names, what) {
  const folder = await mkdtemp(join(tmpdir(), 'frameseal-bench-'));
  try {
    const path = join(folder, 'input');
    const plaintext = fill(what.mebibytes * MIB);
    await writeFile(
      path,
      what.verb === 'encrypt' ? plaintext : (await encrypt(plaintext, optionsOf(what))).ciphertext,
    );
    const peak = (name) => {
      const call = [fileURLToPath(import.meta.url), '--one', JSON.stringify({ name, what, path })];
      return Number(execFileSync(process.execPath, call, { encoding: 'utf8' }));
    };
    return Object.fromEntries(names.map((name) => [name, peak(name)]));
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function one() {
  const { name, what, path } = JSON.parse(process.argv[process.argv.indexOf('--one') + 1]);
  const pieces = () => createReadStream(path, { highWaterMark: CHUNK })[Symbol.asyncIterator]();
  await work(name, what, { whole: () => readFileSync(path), pieces });
  console.log(Math.round(peakKilobytes() / 1024));
}

// Linux counts the parent's memory into a child's maxRSS, but not into its high-water mark.
function peakKilobytes() {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]);
  } catch {
    return process.resourceUsage().maxRSS;
  }
}

function fill(length) {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i += 4093) bytes[i] = i;
  return bytes;
}

function opensslSpeed() {
  try {
    const text = execFileSync(
      'openssl',
      ['speed', '-seconds', '1', '-bytes', '65536', '-evp', 'aes-256-gcm'],
      {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      },
    );
    const kilobytes = /([\d.]+)k\s*$/m.exec(text)?.[1];
    return `${Math.round(Number(kilobytes) / 1000)} MB/s in calls of 64 KiB`;
  } catch {
    return 'not here';
  }
}
