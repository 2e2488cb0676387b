// @ts-check
/**
 * Messages of both libraries, rewrapped by frameseal, and read by client-node: with the new keys, and with the old ones where
 * they were kept and nowhere else.
 */
import assert from 'node:assert/strict';
import { assertSameBytes, makeCase } from './exchange.mjs';
import { CONTEXTS, plaintextView, SHAPES } from './inputs.mjs';
import { multiKeys } from './keys.mjs';
import { startKms } from './kms-keys.mjs';
import { framesealEncrypt } from './ours.mjs';
import { peerDecrypt, peerEncrypt, split } from './peer.mjs';
import { aes256, engineOf, frameseal, keys, readMode, report, writePolicy } from './setup.mjs';
import { isCommitting, PUBLIC_KEY_FIELD, SUITES } from './suites.mjs';

/** @typedef {import('./suites.mjs').Suite} Suite */
/** @typedef {import('./inputs.mjs').NamedContext} NamedContext */
/** @typedef {import('./inputs.mjs').Shape} Shape */
/** @typedef {import('./keys.mjs').KeyPair} KeyPair */
/** @typedef {import('./exchange.mjs').Case} Case */
/** @typedef {import('./peer.mjs').PeerHeader} PeerHeader */
/** @typedef {import('../../dist/index.js').RewrapStreamOptions} RewrapOptions */
/** @typedef {import('../../dist/index.js').RewrapResult} RewrapResult */

/**
 * One way to rewrap, and what must come of it.
 * @typedef {object} Mode
 * @property {string} name
 * @property {Partial<RewrapOptions>} wishes
 * @property {'kept' | 'new'} dataKey
 * @property {boolean} oldKeys whether they still open it
 * @property {number} suiteId
 */

const FORBID = 'FORBID_ENCRYPT_ALLOW_DECRYPT';
const ALLOW = 'REQUIRE_ENCRYPT_ALLOW_DECRYPT';
/** The longest has no room for the verification key where an unsigned message becomes a signed one; KMS takes less anyway. */
const SOME_CONTEXTS = CONTEXTS.slice(0, -1);
/** A second AES key of another length, for what the first has written. */
const [AES_128] = /** @type {[KeyPair]} */ (keys.filter((key) => key.name === 'AES-128'));

export async function rewrapped() {
  console.log('\nmessages of both, rewrapped by frameseal, read by client-node:');
  const running = await startKms();
  try {
    const { strict, mrk, arns } = running;
    const raw = keys.map((to) => ({ wrote: to === aes256 ? AES_128 : aes256, to }));
    const inUs = strict([arns.us]);
    const inEu = strict([arns.eu]);
    const overKms = [
      { wrote: inUs, to: inEu },
      { wrote: aes256, to: strict([arns.us, arns.ap]) },
      { wrote: inUs, to: aes256 },
      { wrote: mrk([arns.primary]), to: multiKeys(frameseal, [inEu, aes256]) },
    ];
    for (const pair of [...raw, ...overKms]) await pairOfKeys(pair);
  } finally {
    await running.close();
  }
}

/** @param {{ wrote: KeyPair, to: KeyPair }} pair */
async function pairOfKeys({ wrote, to }) {
  const passed = { kept: 0, new: 0, of: { kept: 0, new: 0 } };
  for (const [i, suite] of SUITES.entries()) {
    for (const [m, mode] of modesOf(suite).entries()) {
      for (const [w, writer] of /** @type {const} */ (['frameseal', 'peer']).entries()) {
        const number = i * 7 + m * 2 + w;
        const context = /** @type {NamedContext} */ (SOME_CONTEXTS[number % SOME_CONTEXTS.length]);
        const shape = /** @type {Shape} */ (SHAPES[number % SHAPES.length]);
        const one = makeCase(suite, wrote, context, shape);
        const name = `${one.name} of ${writer} rewrapped [${to.name}] ${mode.name}`;
        const ok = await report.check(name, () => rewrapAndRead(one, writer, to, mode));
        passed[mode.dataKey] += Number(ok);
        passed.of[mode.dataKey]++;
      }
    }
  }
  console.log(
    `  ${wrote.name} -> ${to.name}: data key kept ${passed.kept}/${passed.of.kept}  new ${passed.new}/${passed.of.new}`,
  );
}

/** @param {Suite} suite @returns {Mode[]} */
function modesOf(suite) {
  const keeps = suite.signature === 0 && ![0x0014, 0x0046, 0x0078].includes(suite.id);
  const { id: suiteId } = suite;
  /** @type {Mode[]} */
  const modes = [
    { name: 'by default', wishes: {}, dataKey: keeps ? 'kept' : 'new', oldKeys: false, suiteId },
    { name: 'freshDataKey', wishes: { freshDataKey: true }, dataKey: 'new', oldKeys: false, suiteId },
    isCommitting(suite)
      ? policy('read under FORBID', FORBID, 0x0378)
      : policy('read under REQUIRE_ENCRYPT', ALLOW, 0x0578),
  ];
  if (keeps)
    modes.push({
      name: 'keepExisting',
      wishes: { keepExisting: true },
      dataKey: 'kept',
      oldKeys: true,
      suiteId,
    });
  return modes;
}

/** A policy that reads the suite and does not write it. @returns {Mode} */
function policy(
  /** @type {string} */ name,
  /** @type {FORBID | ALLOW} */ commitmentPolicy,
  /** @type {number} */ suiteId,
) {
  return { name, wishes: { commitmentPolicy }, dataKey: 'new', oldKeys: false, suiteId };
}

/**
 * @param {Case} one
 * @param {'frameseal' | 'peer'} writer
 * @param {KeyPair} to
 * @param {Mode} mode
 */
async function rewrapAndRead(one, writer, to, mode) {
  const { suite, key, choice, chunks } = one;
  const message = await written(one, writer);
  const options = {
    keyring: choice % 2 === 0 ? key.frameseal : key.framesealOther,
    to: choice % 3 === 0 ? to.frameseal : to.framesealOther,
    commitmentPolicy: writePolicy(suite, choice),
    engine: engineOf(choice),
    ...mode.wishes,
  };
  const result = await rewrap(message, options, chunks.frameseal);
  assert.equal(result.dataKey, mode.dataKey);
  assert.equal(result.header.suiteId, mode.suiteId);
  const suiteAfter = /** @type {Suite} */ (SUITES.find(({ id }) => id === mode.suiteId));
  const read = readMode(suiteAfter, choice);
  const old = [...key.members, key];
  for (const reader of [...to.members, to, ...(mode.oldKeys ? old : [])]) {
    const { plaintext, header } = await peerDecrypt(reader.peer, result.ciphertext, read);
    assertSameBytes(
      plaintext,
      plaintextView(one.name, one.shape.size),
      `plaintext, read with ${reader.name}`,
    );
    checkHeader(one, message, result, header);
  }
  if (!mode.oldKeys && !sharesKey(key, to))
    await assert.rejects(peerDecrypt(key.peer, result.ciphertext, read));
}

/** Whether a reader of the one may open what the other has wrapped. @param {KeyPair} key @param {KeyPair} to */
function sharesKey(key, to) {
  return [...to.members, to].some((member) => [...key.members, key].includes(member));
}

/** What client-node sees of the new header. */
function checkHeader(
  /** @type {Case} */ { context },
  /** @type {Uint8Array} */ message,
  /** @type {RewrapResult} */ { header, remaining },
  /** @type {PeerHeader} */ theirs,
) {
  const before = frameseal.parseHeader(message);
  assertSameBytes(theirs.messageId, header.messageId, 'message id');
  assert.notDeepEqual([...theirs.messageId], [...before.messageId]);
  assert.equal(theirs.suiteId, header.suiteId, 'suite');
  assert.equal(theirs.frameLength, before.frameLength, 'frame length');
  const { [PUBLIC_KEY_FIELD]: publicKey, ...pairs } = theirs.encryptionContext;
  assert.deepEqual(Object.entries(pairs).sort(), Object.entries(context).sort(), 'context');
  assert.notEqual(publicKey ?? 'none', before.encryptionContext[PUBLIC_KEY_FIELD], 'public key');
  assert.equal(theirs.encryptedDataKeys.length, header.encryptedDataKeys.length, 'encrypted data keys');
  for (const [i, { ciphertext }] of remaining.entries()) {
    const kept = theirs.encryptedDataKeys[i]?.encryptedDataKey;
    assertSameBytes(kept ?? new Uint8Array(0), ciphertext, 'encrypted data key that was kept');
  }
}

/** @param {Case} one @param {'frameseal' | 'peer'} writer @returns {Promise<Uint8Array>} */
async function written({ suite, key, context, name, choice, chunks, shape }, writer) {
  const plaintext = plaintextView(name, shape.size);
  const policy = writePolicy(suite, choice);
  const frameLength = shape.frameLength === undefined ? {} : { frameLength: shape.frameLength };
  const common = { encryptionContext: context, ...frameLength };
  if (writer === 'peer') {
    const options = { ...common, suiteId: suite.id };
    return (await peerEncrypt(key.peer, plaintext, options, { policy, chunk: chunks.peer })).message;
  }
  const options = { ...common, keyring: key.frameseal, algorithmSuite: suite.id, commitmentPolicy: policy };
  return (await framesealEncrypt(plaintext, options, chunks.frameseal)).ciphertext;
}

/**
 * @param {Uint8Array} message
 * @param {RewrapOptions} options
 * @param {number} chunk bytes of a chunk for the stream API; 0: the one-shot API
 * @returns {Promise<RewrapResult>}
 */
async function rewrap(message, options, chunk) {
  if (chunk === 0) return frameseal.rewrap(message, options);
  const { readable, writable, result } = frameseal.rewrapStream(options);
  const write = async () => {
    const writer = writable.getWriter();
    for (const piece of split(message, chunk)) await writer.write(piece);
    await writer.close();
  };
  const writing = write();
  /** @type {Uint8Array[]} */
  const pieces = [];
  for await (const piece of /** @type {any} */ (readable)) pieces.push(piece);
  await writing;
  return { ciphertext: new Uint8Array(Buffer.concat(pieces)), ...(await result) };
}
