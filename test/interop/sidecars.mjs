// @ts-check
/**
 * Sidecars of frameseal, for messages of both libraries, read by both: by client-node through the materials manager that
 * docs/sidecars.md shows, which is run as it stands there.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import * as clientNode from '@aws-crypto/client-node';
import { assertSameBytes, makeCase } from './exchange.mjs';
import { CONTEXTS, plaintextView } from './inputs.mjs';
import { startKms } from './kms-keys.mjs';
import { framesealDecrypt, framesealEncrypt } from './ours.mjs';
import { peerDecrypt, peerEncrypt } from './peer.mjs';
import { aes256, engineOf, frameseal, keys, readMode, readPolicy, report, writePolicy } from './setup.mjs';
import { SUITES } from './suites.mjs';

/** @typedef {import('./suites.mjs').Suite} Suite */
/** @typedef {import('./inputs.mjs').NamedContext} NamedContext */
/** @typedef {import('./keys.mjs').KeyPair} KeyPair */
/** @typedef {import('./exchange.mjs').Case} Case */
/** @typedef {import('@aws-crypto/client-node').KeyringNode} KeyringNode */
/** @typedef {(keyring: KeyringNode, sidecar: Uint8Array) => KeyringNode} WithSidecar */

const SIZE = 1000;
const SHAPE = { size: SIZE, frameLength: 256 };
/** One context that both sort alike is enough: every one is exchanged without a sidecar. */
const ACME = /** @type {NamedContext} */ (CONTEXTS[1]);

export async function sidecars() {
  const withSidecar = await documented();
  const running = await startKms();
  try {
    const { strict, arns } = running;
    const kms = { wrote: strict([arns.us]), adds: strict([arns.eu]) };
    const [aes128] = /** @type {[KeyPair]} */ (keys.filter((key) => key.name === 'AES-128'));
    const raw = keys.map((adds) => ({ wrote: adds === aes128 ? aes256 : aes128, adds }));
    for (const pair of [...raw, kms]) await pairOfKeys(pair, withSidecar);
  } finally {
    await running.close();
  }
}

/** @param {{ wrote: KeyPair, adds: KeyPair }} pair @param {WithSidecar} withSidecar */
async function pairOfKeys({ wrote, adds }, withSidecar) {
  const passed = { frameseal: 0, peer: 0, refused: 0 };
  for (const suite of SUITES) {
    const one = makeCase(suite, wrote, ACME, SHAPE);
    const name = `${one.name} sidecar [${adds.name}]`;
    for (const writer of /** @type {const} */ (['frameseal', 'peer'])) {
      const ok = await report.check(`${name}: written by ${writer}`, async () => {
        const message = await written(one, writer);
        const sidecar = await added(one, message, adds);
        await readByBoth(one, message, sidecar, adds, withSidecar);
      });
      passed[writer] += Number(ok);
    }
    const ok = await report.check(`${name}: of another message`, () => refused(one, adds, withSidecar));
    passed.refused += Number(ok);
  }
  console.log(
    `  sidecar ${adds.name}, message ${wrote.name}: of frameseal ${passed.frameseal}/${SUITES.length}` +
      `  of client-node ${passed.peer}/${SUITES.length}  of another message, refused ${passed.refused}/${SUITES.length}`,
  );
}

/** @param {Case} one @param {'frameseal' | 'peer'} writer @returns {Promise<Uint8Array>} */
async function written({ suite, key, context, name, choice, chunks }, writer) {
  const plaintext = plaintextView(name, SIZE);
  const policy = writePolicy(suite, choice);
  const common = { encryptionContext: context, frameLength: SHAPE.frameLength };
  if (writer === 'peer') {
    const options = { ...common, suiteId: suite.id };
    return (await peerEncrypt(key.peer, plaintext, options, { policy, chunk: chunks.peer })).message;
  }
  const options = { ...common, keyring: key.frameseal, algorithmSuite: suite.id, commitmentPolicy: policy };
  return (await framesealEncrypt(plaintext, options, chunks.frameseal)).ciphertext;
}

/** @param {Case} one @param {Uint8Array} message @param {KeyPair} adds */
async function added({ suite, key, choice }, message, adds) {
  const { headerLength } = frameseal.parseHeader(message);
  const { sidecar } = await frameseal.addWrappingKeys(message.subarray(0, headerLength), {
    keyring: key.frameseal,
    commitmentPolicy: readPolicy(suite, choice),
    engine: engineOf(choice),
    add: choice % 2 === 0 ? adds.frameseal : adds.framesealOther,
  });
  return sidecar;
}

/**
 * The added keys open it in both libraries, each alone; those of the header do so still; without a sidecar the added do not.
 * @param {Case} one
 * @param {Uint8Array} message
 * @param {Uint8Array} sidecar
 * @param {KeyPair} adds
 * @param {WithSidecar} withSidecar
 */
async function readByBoth({ suite, key, choice, name, chunks }, message, sidecar, adds, withSidecar) {
  const plaintext = plaintextView(name, SIZE);
  const mode = readMode(suite, choice);
  const commitmentPolicy = readPolicy(suite, choice);
  for (const reader of [...adds.members, adds, key]) {
    const theirs = await peerDecrypt(withSidecar(reader.peer, sidecar), message, mode);
    assertSameBytes(theirs.plaintext, plaintext, `plaintext, read by client-node with ${reader.name}`);
    const options = { keyring: reader.frameseal, commitmentPolicy, sidecar };
    const ours = await framesealDecrypt(message, options, chunks.frameseal);
    assertSameBytes(ours.plaintext, plaintext, `plaintext, read by frameseal with ${reader.name}`);
  }
  await assert.rejects(peerDecrypt(adds.peer, message, mode));
  await assert.rejects(frameseal.decrypt(message, { keyring: adds.frameseal, commitmentPolicy }), {
    code: 'NO_DATA_KEY',
  });
}

/** Neither opens a message with the sidecar of another. @param {Case} one @param {KeyPair} adds @param {WithSidecar} withSidecar */
async function refused(one, adds, withSidecar) {
  const message = await written(one, 'frameseal');
  const other = await added(one, await written(one, 'peer'), adds);
  const { suite, choice } = one;
  await assert.rejects(peerDecrypt(withSidecar(adds.peer, other), message, readMode(suite, choice)));
  const options = { keyring: adds.frameseal, commitmentPolicy: readPolicy(suite, choice), sidecar: other };
  await assert.rejects(frameseal.decrypt(message, options), { code: 'SIDECAR_MISMATCH' });
}

/** The materials manager of docs/sidecars.md. @returns {Promise<WithSidecar>} */
async function documented() {
  const text = readFileSync(new URL('../../docs/sidecars.md', import.meta.url), 'utf8');
  const blocks = [...text.matchAll(/^```js\n(.*?)^```$/gms)].map(([, code]) => code ?? '');
  const code = blocks.find((block) => block.includes("from '@aws-crypto/client-node'"));
  assert.ok(code, 'docs/sidecars.md shows how client-node reads a sidecar');
  const program = code.replace(/^import (\{.*?\}) from .*$/m, 'const $1 = clientNode;');
  return new Function('clientNode', `${program}\nreturn withSidecar;`)(clientNode);
}
