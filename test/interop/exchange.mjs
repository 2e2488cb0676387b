// @ts-check
/**
 * One message from one library to the other, with everything that both say of it compared.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { plaintextView } from './inputs.mjs';
import { framesealDecrypt, framesealEncrypt } from './ours.mjs';
import { peerDecrypt, peerEncrypt } from './peer.mjs';
import { chunkOf, engineOf, frameseal, readPolicy, writePolicy } from './setup.mjs';
import {
  bodyLength,
  contextKeysOnTheWire,
  headerLength,
  PUBLIC_KEY_FIELD,
  signatureLength,
  suiteName,
} from './suites.mjs';

/** @typedef {import('./suites.mjs').Suite} Suite */
/** @typedef {import('./inputs.mjs').Shape} Shape */
/** @typedef {import('./inputs.mjs').NamedContext} NamedContext */
/** @typedef {import('./keys.mjs').KeyPair} KeyPair */
/** @typedef {import('./peer.mjs').PeerHeader} PeerHeader */
/** @typedef {import('../../dist/index.js').MessageHeader} MessageHeader */

/**
 * One input, for both writers.
 * @typedef {object} Case
 * @property {number} choice picks policies, engine, API and the like: the same in every run, mixed over the cases
 * @property {string} name
 * @property {Suite} suite
 * @property {KeyPair} key
 * @property {Record<string, string>} context
 * @property {Shape} shape
 * @property {Chunks} chunks
 */

/**
 * Bytes of a chunk for the streams of each library; 0: its one-shot API.
 * @typedef {object} Chunks
 * @property {number} frameseal
 * @property {number} peer
 */

/**
 * @typedef {object} Measured
 * @property {number} length of the whole message
 * @property {number} signature bytes of its DER, 0 without one
 */

const DEFAULT_FRAME_LENGTH = 4096;

/**
 * @param {Suite} suite
 * @param {KeyPair} key
 * @param {NamedContext} context
 * @param {Shape} shape
 * @param {Chunks} [chunks]
 * @returns {Case}
 */
export function makeCase(suite, key, context, shape, chunks) {
  const size = `${shape.size} bytes in frames of ${shape.frameLength ?? 'default length'}`;
  const name = `${suiteName(suite)} [${key.name}] [${context.name}] [${size}]`;
  const choice = createHash('sha256').update(name).digest().readUInt32BE();
  return {
    choice,
    name,
    suite,
    key,
    context: context.pairs(suite),
    shape,
    chunks: chunks ?? { frameseal: chunkOf(choice, 24), peer: chunkOf(choice) },
  };
}

/** @param {Case} one @returns {Promise<Measured>} */
export async function framesealToPeer(one) {
  const { choice, suite, key, context, shape, chunks } = one;
  const plaintext = plaintextView(one.name, shape.size);
  const backing = Buffer.from(plaintext.buffer).toString('base64');
  const { ciphertext, header, missingKeys } = await framesealEncrypt(
    plaintext,
    {
      keyring: choice % 2 === 0 ? key.frameseal : key.framesealOther,
      encryptionContext: choice % 3 === 0 ? new Map(Object.entries(context)) : context,
      algorithmSuite: choice % 5 === 0 ? frameseal.algorithmSuite(suite.id).name : suite.id,
      commitmentPolicy: writePolicy(suite, choice),
      engine: engineOf(choice),
      ...(shape.frameLength !== undefined && { frameLength: shape.frameLength }),
    },
    chunks.frameseal,
  );
  assert.equal(Buffer.from(plaintext.buffer).toString('base64'), backing, 'the plaintext was changed');
  assert.equal(ciphertext.buffer.byteLength, ciphertext.length, 'the message does not own its buffer');
  assert.deepEqual(missingKeys, []);
  const signature = checkMessage(one, ciphertext, 'frameseal');
  assert.deepEqual(frameseal.parseHeader(ciphertext), header);

  for (const reader of readersOf(key)) {
    const mode = { policy: readPolicy(suite, choice), chunk: chunks.peer };
    const read = await peerDecrypt(reader.peer, inLargerBuffer(ciphertext), mode);
    assertSameBytes(read.plaintext, plaintext, `plaintext, read with ${reader.name}`);
    checkHeaders(one, header, read.header);
  }
  return { length: ciphertext.length, signature };
}

/** @param {Case} one @returns {Promise<Measured>} */
export async function peerToFrameseal(one) {
  const { choice, suite, key, context, shape, chunks } = one;
  const plaintext = plaintextView(one.name, shape.size);
  const written = await peerEncrypt(
    key.peer,
    plaintext,
    {
      suiteId: suite.id,
      encryptionContext: context,
      ...(shape.frameLength && { frameLength: shape.frameLength }),
    },
    { policy: writePolicy(suite, choice), chunk: chunks.peer },
  );
  const signature = checkMessage(one, written.message, 'client-node');

  for (const reader of readersOf(key)) {
    const read = await framesealDecrypt(
      inLargerBuffer(written.message),
      {
        keyring: choice % 2 === 0 ? reader.framesealOther : reader.frameseal,
        commitmentPolicy: readPolicy(suite, choice),
        engine: engineOf(choice),
        ...(choice % 3 === 0 && { encryptionContext: withoutReserved(context) }),
      },
      chunks.frameseal,
    );
    assertSameBytes(read.plaintext, plaintext, `plaintext, read with ${reader.name}`);
    assert.equal(
      read.plaintext.buffer.byteLength,
      read.plaintext.length,
      'the plaintext does not own its buffer',
    );
    assert.deepEqual({ ...read.authenticatedContext }, { ...read.header.encryptionContext });
    checkHeaders(one, read.header, written.header);
  }
  return { length: written.message.length, signature };
}

/** @param {Shape} shape */
export function frameLengthOf(shape) {
  return shape.frameLength ?? DEFAULT_FRAME_LENGTH;
}

/** @param {Uint8Array} got @param {Uint8Array} expected @param {string} what */
export function assertSameBytes(got, expected, what) {
  assert.equal(got.length, expected.length, `length of the ${what}`);
  assert.ok(Buffer.compare(got, expected) === 0, `bytes of the ${what}`);
}

/**
 * What can be said of a message from its bytes alone.
 * @param {Case} one
 * @param {Uint8Array} message
 * @param {'frameseal' | 'client-node'} writer
 * @returns {number} the length of its signature
 */
function checkMessage({ suite, key, context, shape }, message, writer) {
  const header = headerLength(suite, context, key.edkLengths(suite));
  const footer = message.subarray(header + bodyLength(shape.size, frameLengthOf(shape), writer));
  const signature = signatureLength(footer);
  assert.equal(signature > 0, suite.signature > 0, 'whether there is a footer');

  const written = contextKeysOnTheWire(message, suite);
  const sorted = [...written].sort(Buffer.compare);
  assert.deepEqual(written, sorted, 'order of the encryption context');
  return signature;
}

/**
 * The header as both libraries see it.
 * @param {Case} one
 * @param {MessageHeader} ours
 * @param {PeerHeader} theirs
 */
function checkHeaders({ suite, key, context, shape }, ours, theirs) {
  assert.deepEqual([ours.suiteId, theirs.suiteId], [suite.id, suite.id], 'suite');
  assert.deepEqual([ours.version, theirs.version], [suite.version, suite.version], 'version');
  assert.equal(ours.messageId.length, suite.version === 1 ? 16 : 32, 'length of the message id');
  assertSameBytes(ours.messageId, theirs.messageId, 'message id');
  assert.deepEqual([ours.contentType, theirs.contentType], ['framed', 2], 'content type');
  const frameLength = frameLengthOf(shape);
  assert.deepEqual([ours.frameLength, theirs.frameLength], [frameLength, frameLength], 'frame length');
  const edkLengths = key.edkLengths(suite);
  assert.equal(ours.headerLength, headerLength(suite, context, edkLengths), 'header length');

  assert.deepEqual({ ...ours.encryptionContext }, { ...theirs.encryptionContext }, 'encryption context');
  const { [PUBLIC_KEY_FIELD]: publicKey, ...stored } = ours.encryptionContext;
  assert.deepEqual(Object.entries(stored).sort(), Object.entries(context).sort(), "the caller's pairs");
  assert.equal(
    publicKey === undefined ? 0 : Buffer.from(publicKey, 'base64').length,
    suite.publicKey,
    'public key',
  );

  assert.equal(ours.encryptedDataKeys.length, edkLengths.length, 'count of encrypted data keys');
  assert.equal(theirs.encryptedDataKeys.length, edkLengths.length, 'count of encrypted data keys');
  for (const [i, edk] of ours.encryptedDataKeys.entries()) {
    const { providerId, providerInfo, rawInfo, encryptedDataKey } =
      /** @type {import('./peer.mjs').PeerDataKey} */ (theirs.encryptedDataKeys[i]);
    assert.equal(edk.providerId, providerId, 'key provider id');
    assertSameBytes(edk.providerInfo, rawInfo ?? Buffer.from(providerInfo), 'key provider information');
    assertSameBytes(edk.ciphertext, encryptedDataKey, 'encrypted data key');
  }
}

/** @param {Record<string, string>} context */
function withoutReserved(context) {
  return Object.fromEntries(Object.entries(context).filter(([key]) => !key.startsWith('aws-crypto-')));
}

/**
 * The keyrings that must open a message, each alone.
 * @template {KeyPair & { members: readonly KeyPair[] }} Pair
 * @param {Pair} key
 * @returns {Pair['members'][number][]}
 */
export function readersOf(key) {
  return [...key.members, key];
}

/** @param {Uint8Array} bytes */
function inLargerBuffer(bytes) {
  const backing = new Uint8Array(bytes.length + 40).fill(0xdd);
  backing.set(bytes, 17);
  return backing.subarray(17, 17 + bytes.length);
}
