// Work on headers alone: reading them, further wrapping keys for finished messages, other wrapping keys for new ones.
import { deepStrictEqual, rejects, strictEqual } from 'node:assert';
import { addWrappingKeys, decrypt, encrypt, multiKeyring, parseHeader, rewrap } from '../../dist/index.js';
import { clientNode, partOfClientNode, rawAesKeys } from './client-node.mjs';

const SUITE = 0x0478;
const KIB = 1024;
const PEER = '@aws-crypto/client-node';
const encryptionContext = { purpose: 'bench', tenant: 'acme' };
const [old, added] = [rawAesKeys('old'), rawAesKeys('added')];

export async function cases({ quick }) {
  return [
    ...[1, 3, 100].map(parsing),
    ...(quick ? [KIB] : [KIB, KIB * KIB]).map(adding),
    withSidecar(),
    rewrapping(),
  ];
}

function caseOf(verb, what, bytes, parameters, prepare) {
  const suite = `0x0${SUITE.toString(16)}`;
  return {
    group: 'headers',
    name: `${verb}: ${what}`,
    parameters: { verb, bytes, suite, ...parameters },
    messages: 1,
    prepare,
  };
}

function parsing(encryptedDataKeys) {
  const what = `${encryptedDataKeys} encrypted data key${encryptedDataKeys > 1 ? 's' : ''}`;
  return caseOf('parseHeader', what, KIB, { encryptedDataKeys }, async () => {
    const keyrings = Array.from({ length: encryptedDataKeys }, (_, i) => rawAesKeys(`k${i}`).ours);
    const [generator, ...children] = keyrings;
    const message = await write(multiKeyring({ generator, children }), bytesOf(KIB));
    const read = publishedReader();
    sameHeader(parseHeader(message), read(message), encryptedDataKeys);
    return {
      frameseal: () => parseHeader(message),
      '@aws-crypto/serialize': () => read(message),
    };
  });
}

// What the published SDK reads headers with.
function publishedReader() {
  const { deserializeFactory } = partOfClientNode('@aws-crypto/serialize');
  const { NodeAlgorithmSuite } = partOfClientNode('@aws-crypto/material-management-node');
  const toUtf8 = (bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  const reader = deserializeFactory(toUtf8, NodeAlgorithmSuite);
  return (message) => reader.deserializeMessageHeader(message);
}

function sameHeader(ours, { messageHeader: theirs }, count) {
  const keys = (list, ciphertext) =>
    list.map((key) => [key.providerId, Buffer.from(key[ciphertext]).toString('hex')]);
  strictEqual(ours.encryptedDataKeys.length, count);
  deepStrictEqual(
    keys(ours.encryptedDataKeys, 'ciphertext'),
    keys(theirs.encryptedDataKeys, 'encryptedDataKey'),
  );
  deepStrictEqual({ ...ours.encryptionContext }, { ...theirs.encryptionContext });
  deepStrictEqual(Buffer.from(ours.messageId), Buffer.from(theirs.messageId));
}

// Without sidecars a message has to be opened and written again.
function adding(bytes) {
  return caseOf('addWrappingKeys', `${bytes / KIB} KiB`, bytes, {}, async () => {
    const plaintext = bytesOf(bytes);
    const message = await write(old.ours, plaintext);
    const add = () => addWrappingKeys(message, { keyring: old.ours, add: added.ours });
    const { sidecar } = await add();
    await rejects(decrypt(message, { keyring: added.ours }), { code: 'NO_DATA_KEY' });
    sameBytes((await decrypt(message, { keyring: added.ours, sidecar })).plaintext, plaintext);
    const both = new (clientNode().sdk.MultiKeyringNode)({ generator: old.theirs, children: [added.theirs] });
    return { frameseal: add, [`${PEER}: open and write again`]: await again(message, both, plaintext) };
  });
}

function withSidecar() {
  return caseOf('decrypt', '1 KiB with a sidecar', KIB, {}, async () => {
    const plaintext = bytesOf(KIB);
    const message = await write(old.ours, plaintext);
    const { sidecar } = await addWrappingKeys(message, { keyring: old.ours, add: added.ours });
    const candidates = {
      frameseal: () => decrypt(message, { keyring: added.ours, sidecar }),
      'frameseal without a sidecar': () => decrypt(message, { keyring: old.ours }),
    };
    for (const run of Object.values(candidates)) sameBytes((await run()).plaintext, plaintext);
    return candidates;
  });
}

function rewrapping() {
  return caseOf('rewrap', '1 KiB, the data key kept', KIB, {}, async () => {
    const plaintext = bytesOf(KIB);
    const message = await write(old.ours, plaintext);
    const run = () => rewrap(message, { keyring: old.ours, to: added.ours });
    const { ciphertext, dataKey } = await run();
    strictEqual(dataKey, 'kept');
    sameBytes((await decrypt(ciphertext, { keyring: added.ours })).plaintext, plaintext);
    sameBytes(await clientNode().decrypt(added.theirs, ciphertext), plaintext);
    const theirs = await again(message, added.theirs, plaintext);
    return { frameseal: run, [`${PEER}: open and write again`]: theirs };
  });
}

// By the published SDK, under another keyring, which must open it.
async function again(message, to, plaintext) {
  const peer = clientNode();
  const options = { suiteId: SUITE, encryptionContext };
  const run = async () => peer.encrypt(to, await peer.decrypt(old.theirs, message), options);
  sameBytes((await decrypt(await run(), { keyring: added.ours })).plaintext, plaintext);
  return run;
}

async function write(keyring, plaintext) {
  return (await encrypt(plaintext, { keyring, encryptionContext, algorithmSuite: SUITE })).ciphertext;
}

function sameBytes(bytes, expected) {
  strictEqual(Buffer.compare(bytes, expected), 0);
}

function bytesOf(length) {
  return new Uint8Array(length).map((_, i) => i);
}
