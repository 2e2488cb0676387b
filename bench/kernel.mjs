// The kernel and the engines against one native call for each frame, against JavaScript and Rust, and whole small messages
// against the published SDK. Every candidate's output is checked before it is timed. Run: npm run bench:kernel
//
//   --quick     fewer rounds
//   --json      the rows as JSON

import { strictEqual } from 'node:assert';
import * as nodeCrypto from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { gzipSync } from 'node:zlib';
import { createHybridEngine } from '../dist/engine/hybrid-engine.js';
import { selectPlatform } from '../dist/engine/select.js';
import { loadKernel } from '../dist/engine/wasm/kernel.js';
import { createWasmEngine } from '../dist/engine/wasm/wasm-engine.js';
import { decrypt, encrypt, rawAesKeyring } from '../dist/index.js';
import { interleave } from './interleave.mjs';

const { createCipheriv, createDecipheriv, createHmac, createSecretKey, hkdfSync, randomBytes } = nodeCrypto;
const quick = process.argv.includes('--quick');
const options = quick ? { rounds: 5, roundMs: 6, warmUpMs: 50 } : {};
// Whole messages run a lot of JavaScript: they need longer until it is compiled.
const messageOptions = { ...options, warmUpMs: quick ? 300 : 2000 };
const peers = createRequire(new URL('./peers/package.json', import.meta.url));
const rows = [];
const kernel = loadKernel();
const engines = {
  wasm: createWasmEngine(kernel),
  hybrid: createHybridEngine(kernel, nodeCrypto),
  auto: selectPlatform('auto').engine,
};
const key = randomBytes(32);
const keyObject = createSecretKey(key);
const messageId = randomBytes(32);
const STRING = Buffer.from('AWSKMSEncryptionClient Frame');

await frames('wasm', { 256: 4, 1024: 1.25 });
await frames('auto', { 256: 5, 512: 4, 1024: 2.5, 2048: 1.5, 4096: 1.0, 65536: 0.95 });
await opening({ 256: 4, 512: 3, 1024: 2.2, 2048: 1.4, 4096: 0.95, 65536: 0.95 });
await otherImplementations();
await keyDerivation();
await messages();
await size();
print();

// Seals `count` frames as anyone would with node:crypto: one cipher for each, under a KeyObject.
function nativeSeal(plaintext, frameLength, count, output) {
  for (let i = 0; i < count; i++) {
    const at = i * (frameLength + 32);
    const iv = Buffer.alloc(12);
    iv.writeUInt32BE(i + 1, 8);
    const cipher = createCipheriv('aes-256-gcm', keyObject, iv);
    cipher.setAAD(aad(i + 1, frameLength));
    output.writeUInt32BE(i + 1, at);
    iv.copy(output, at + 4);
    cipher.update(plaintext.subarray(i * frameLength, (i + 1) * frameLength)).copy(output, at + 16);
    cipher.final();
    cipher.getAuthTag().copy(output, at + 16 + frameLength);
  }
}

function nativeOpen(frames, frameLength, count, output) {
  for (let i = 0; i < count; i++) {
    const at = i * (frameLength + 32);
    const end = at + 16 + frameLength;
    const decipher = createDecipheriv('aes-256-gcm', keyObject, frames.subarray(at + 4, at + 16));
    decipher.setAAD(aad(i + 1, frameLength));
    decipher.setAuthTag(frames.subarray(end, end + 16));
    decipher.update(frames.subarray(at + 16, end)).copy(output, i * frameLength);
    decipher.final();
  }
}

function aad(sequenceNumber, length) {
  const bytes = Buffer.alloc(72);
  messageId.copy(bytes);
  STRING.copy(bytes, 32);
  bytes.writeUInt32BE(sequenceNumber, 60);
  bytes.writeUInt32BE(length, 68);
  return bytes;
}

function shapeOf(frameLength) {
  const count = Math.max(16, Math.min(64, 2 ** 20 / frameLength));
  return {
    count,
    plaintext: randomBytes(count * frameLength),
    output: Buffer.alloc(count * (frameLength + 32)),
  };
}

function sealer(name, frameLength, { count, plaintext, output }) {
  return () => {
    const cipher = engines[name].cipher(key, messageId);
    cipher.seal({ plaintext, frameLength, first: 1, regular: count, finalLength: undefined, output });
    cipher.dispose();
  };
}

async function frames(name, targets) {
  for (const [length, target] of Object.entries(targets)) {
    const frameLength = Number(length);
    const shape = shapeOf(frameLength);
    const native = { ...shape, output: Buffer.alloc(shape.output.length) };
    const candidates = {
      ours: sealer(name, frameLength, shape),
      native: () => nativeSeal(shape.plaintext, frameLength, shape.count, native.output),
    };
    for (const run of Object.values(candidates)) run();
    strictEqual(Buffer.compare(shape.output, native.output), 0);
    const times = await interleave(candidates, options);
    row(
      `${name}: seal ${shape.count} frames of ${length} B`,
      'createCipheriv per frame',
      times,
      target,
      shape.plaintext.length,
    );
  }
}

async function opening(targets) {
  for (const [length, target] of Object.entries(targets)) {
    const frameLength = Number(length);
    const { count, plaintext, output } = shapeOf(frameLength);
    nativeSeal(plaintext, frameLength, count, output);
    const [mine, theirs] = [Buffer.alloc(plaintext.length), Buffer.alloc(plaintext.length)];
    const candidates = {
      ours: () => {
        const cipher = engines.auto.cipher(key, messageId);
        const opened = cipher.open({
          frames: output,
          frameLength,
          first: 1,
          regular: count,
          finalLength: undefined,
          output: mine,
        });
        cipher.dispose();
        strictEqual(opened, count);
      },
      native: () => nativeOpen(output, frameLength, count, theirs),
    };
    for (const run of Object.values(candidates)) run();
    strictEqual(Buffer.compare(mine, theirs), 0);
    const times = await interleave(candidates, options);
    row(
      `auto: open ${count} frames of ${length} B`,
      'createDecipheriv per frame',
      times,
      target,
      plaintext.length,
    );
  }
}

async function otherImplementations() {
  const { gcm } = await import(peers.resolve('@noble/ciphers/aes.js'));
  const rust = await rustGcm();
  for (const frameLength of [256, 1024, 4096, 16_384]) {
    const shape = {
      count: 16,
      plaintext: randomBytes(16 * frameLength),
      output: Buffer.alloc(16 * (frameLength + 32)),
    };
    const each = (run) => () => {
      for (let i = 0; i < 16; i++)
        run(shape.plaintext.subarray(i * frameLength, (i + 1) * frameLength), i + 1);
    };
    const iv = (n) => {
      const bytes = new Uint8Array(12);
      new DataView(bytes.buffer).setUint32(8, n);
      return bytes;
    };
    const noble = (text, n) => gcm(key, iv(n), aad(n, frameLength)).encrypt(text);
    sealer('wasm', frameLength, shape)();
    strictEqual(
      Buffer.compare(
        noble(shape.plaintext.subarray(0, frameLength), 1),
        shape.output.subarray(16, 32 + frameLength),
      ),
      0,
    );
    const few = { ...options, rounds: 7 };
    const times = await interleave({ ours: sealer('wasm', frameLength, shape), noble: each(noble) }, few);
    row(`wasm: seal 16 frames of ${frameLength} B`, '@noble/ciphers gcm', times, 7, shape.plaintext.length);
    if (rust === undefined) continue;
    const rustSeal = (text, n) => rust(key, iv(n), aad(n, frameLength), text);
    strictEqual(
      Buffer.compare(
        rustSeal(shape.plaintext.subarray(0, frameLength), 1),
        shape.output.subarray(16, 32 + frameLength),
      ),
      0,
    );
    const against = await interleave({ ours: sealer('wasm', frameLength, shape), rust: each(rustSeal) }, few);
    row(
      `wasm: seal 16 frames of ${frameLength} B`,
      'encrypt-web-streams (Rust)',
      against,
      8,
      shape.plaintext.length,
    );
  }
}

// The Rust cipher below that package's streams, without the streams.
async function rustGcm() {
  const folder = new URL('./peers/node_modules/@transcend-io/encrypt-web-streams/wasm/', import.meta.url);
  const glue = await import(new URL('aes_gcm_stream_wasm.js', folder).href);
  const bytes = await readFile(new URL('aes_gcm_stream_wasm_bg.wasm', folder));
  await glue.default({ module_or_path: bytes });
  const Encryptor = Object.values(glue).find(
    (one) => typeof one === 'function' && /encryptor/i.test(one.name),
  );
  if (Encryptor === undefined) return undefined;
  return (k, iv, ad, text) => {
    const cipher = new Encryptor(k, iv);
    cipher.init_adata?.(ad);
    const parts = [cipher.update(text), cipher.finalize()].flat();
    return Buffer.concat(parts.map((part) => Buffer.from(part)));
  };
}

async function keyDerivation() {
  const { hkdf } = await import(peers.resolve('@noble/hashes/hkdf.js'));
  const { sha512 } = await import(peers.resolve('@noble/hashes/sha2.js'));
  const infos = [Buffer.from('\x05\x78DERIVEKEY'), Buffer.from('COMMITKEY')];
  const outputs = infos.map((info) => ({ info, length: 32 }));
  const hmac = (k, ...parts) => {
    const mac = createHmac('sha512', k);
    for (const part of parts) mac.update(part);
    return mac.digest();
  };
  const one = Buffer.from([1]);
  const candidates = {
    ours: () => kernel.hkdf('SHA-512', key, messageId, outputs),
    hmac: () => {
      const prk = hmac(messageId, key);
      return infos.map((info) => hmac(prk, info, one).subarray(0, 32));
    },
    hkdfSync: () => infos.map((info) => Buffer.from(hkdfSync('sha512', key, messageId, info, 32))),
    noble: () => infos.map((info) => hkdf(sha512, key, messageId, info, 32)),
  };
  const answers = Object.values(candidates).map((run) => Buffer.concat(run()).toString('hex'));
  for (const answer of answers) strictEqual(answer, answers[0]);
  const times = await interleave(candidates, options);
  const what = 'HKDF-SHA512, key and commitment';
  row(what, 'three createHmac', { ours: times.ours, hmac: times.hmac }, 2);
  row(what, 'two hkdfSync', { ours: times.ours, hkdfSync: times.hkdfSync }, 4);
  row(what, '@noble/hashes', { ours: times.ours, noble: times.noble }, 6);
}

async function messages() {
  const sdk = peers('@aws-crypto/client-node');
  const suite = sdk.AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY;
  const client = sdk.buildClient(sdk.CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT);
  const names = { keyName: 'k', keyNamespace: 'bench' };
  const wrappingKey = new Uint8Array(32).fill(5);
  const theirs = new sdk.RawAesKeyringNode({
    ...names,
    unencryptedMasterKey: wrappingKey.slice(),
    utf8Sorting: true,
    wrappingSuite: sdk.RawAesWrappingSuiteIdentifier.AES256_GCM_IV12_TAG16_NO_PADDING,
  });
  const keyring = rawAesKeyring({ ...names, wrappingKey });
  const plaintext = randomBytes(1024);
  const encryptionContext = { purpose: 'bench', tenant: 'acme' };
  const write = () => encrypt(plaintext, { keyring, encryptionContext, algorithmSuite: 0x0478 });
  const { ciphertext } = await write();
  strictEqual(Buffer.compare((await client.decrypt(theirs, ciphertext)).plaintext, plaintext), 0);
  const encrypting = await interleave(
    {
      ours: write,
      sdk: () => client.encrypt(theirs, plaintext, { encryptionContext, suiteId: suite }),
      bare: () => bareEncrypt(plaintext),
    },
    messageOptions,
  );
  const decrypting = await interleave(
    {
      ours: () => decrypt(ciphertext, { keyring }),
      sdk: () => client.decrypt(theirs, ciphertext),
      bare: bareDecrypt(plaintext),
    },
    messageOptions,
  );
  for (const [verb, times] of Object.entries({ encrypt: encrypting, decrypt: decrypting })) {
    const what = `1 KiB message 0x0478, raw AES-256: ${verb}`;
    row(what, '@aws-crypto/client-node', { ours: times.ours, sdk: times.sdk }, 15);
    row(what, 'the same cryptography as bare node:crypto calls', { ours: times.ours, bare: times.bare }, 2);
  }
}

// Random, wrap, two HKDF outputs by HMAC, header tag, one frame: no format, no checks.
function bareEncrypt(plaintext) {
  const random = randomBytes(76);
  const dataKey = random.subarray(0, 32);
  gcmSeal(key, random.subarray(32, 44), Buffer.alloc(60), dataKey);
  const derived = bareDerive(dataKey, random.subarray(44));
  const header = gcmSeal(derived, Buffer.alloc(12), Buffer.alloc(300), Buffer.alloc(0));
  return Buffer.concat([header, gcmSeal(derived, Buffer.alloc(12, 1), Buffer.alloc(78), plaintext)]);
}

function bareDecrypt(plaintext) {
  const dataKey = randomBytes(32);
  const wrapped = gcmSeal(key, Buffer.alloc(12, 3), Buffer.alloc(60), dataKey);
  const derived = bareDerive(dataKey, messageId);
  const header = gcmSeal(derived, Buffer.alloc(12), Buffer.alloc(300), Buffer.alloc(0));
  const frame = gcmSeal(derived, Buffer.alloc(12, 1), Buffer.alloc(78), plaintext);
  return () => {
    const opened = bareDerive(gcmOpen(key, Buffer.alloc(12, 3), Buffer.alloc(60), wrapped), messageId);
    gcmOpen(opened, Buffer.alloc(12), Buffer.alloc(300), header);
    return gcmOpen(opened, Buffer.alloc(12, 1), Buffer.alloc(78), frame);
  };
}

function bareDerive(dataKey, salt) {
  const prk = createHmac('sha512', salt).update(dataKey).digest();
  createHmac('sha512', prk).update('COMMITKEY\x01').digest();
  return createHmac('sha512', prk).update('\x04\x78DERIVEKEY\x01').digest().subarray(0, 32);
}

function gcmSeal(k, iv, ad, text) {
  const cipher = createCipheriv('aes-256-gcm', k, iv);
  cipher.setAAD(ad);
  return Buffer.concat([cipher.update(text), cipher.final(), cipher.getAuthTag()]);
}

function gcmOpen(k, iv, ad, sealed) {
  const decipher = createDecipheriv('aes-256-gcm', k, iv);
  decipher.setAAD(ad);
  decipher.setAuthTag(sealed.subarray(-16));
  return Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()]);
}

async function size() {
  const wasm = await readFile(new URL('../dist/engine/wasm/frame.wasm', import.meta.url));
  rows.push({
    what: 'kernel',
    against: '40 KiB, 16 KiB gzip at most',
    ratio: `${wasm.length} B, ${gzipSync(wasm, { level: 9 }).length} B gzip`,
    met: wasm.length <= 40 * 1024,
  });
}

function row(what, against, times, target, bytes) {
  const [ours, theirs] = Object.values(times);
  const ratio = theirs / ours;
  const rate = bytes === undefined ? `${ours.toFixed(1)} us` : `${(bytes / ours).toFixed(0)} MB/s`;
  rows.push({
    what,
    against,
    ours: rate,
    theirs: bytes === undefined ? `${theirs.toFixed(1)} us` : `${(bytes / theirs).toFixed(0)} MB/s`,
    ratio: `${ratio.toFixed(2)}x`,
    target: `${target}x`,
    met: ratio >= target,
  });
}

function print() {
  if (process.argv.includes('--json'))
    return console.log(JSON.stringify({ node: process.version, rows }, null, 2));
  console.log(`Node ${process.version}, medians of interleaved rounds\n`);
  for (const { what, against, ours = '', theirs = '', ratio, target = '', met } of rows) {
    console.log(
      `${met ? ' ' : '!'} ${what.padEnd(48)} ${ours.padStart(9)}  ${against.padEnd(48)} ${theirs.padStart(9)}  ${ratio.padStart(8)} (${target || 'limit'})`,
    );
  }
  console.log(
    `\n${rows.filter(({ met }) => met).length} of ${rows.length} at or above the target; ! marks the others`,
  );
}
