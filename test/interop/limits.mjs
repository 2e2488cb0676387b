// @ts-check
/**
 * Where the two libraries stop exchanging messages, and that both stop at the same place.
 */
import assert from 'node:assert/strict';
import { constants, generateKeyPairSync, privateDecrypt, publicEncrypt } from 'node:crypto';
import { assertSameBytes, framesealToPeer, makeCase, peerToFrameseal } from './exchange.mjs';
import { CONTEXTS, plaintextView } from './inputs.mjs';
import { pkcs1Keys, sortedAesKeys } from './keys.mjs';
import { peerDecrypt, peerEncrypt } from './peer.mjs';
import { aes256, frameseal, readMode, readPolicy, report, writePolicy } from './setup.mjs';
import { bodyLength, headerLength, isCommitting, PUBLIC_KEY_FIELD, SUITES, suiteName } from './suites.mjs';

/** @typedef {import('./suites.mjs').Suite} Suite */
/** @typedef {import('./inputs.mjs').NamedContext} NamedContext */

/** Other keys under the format's prefix: frameseal writes none, and reads them. */
export async function reservedPrefix() {
  const context = { 'aws-crypto-other': 'value', plain: 'value' };
  const key = aes256;
  let count = 0;
  for (const suite of SUITES) {
    const one = makeCase(
      suite,
      key,
      { name: 'aws-crypto-other', pairs: () => context },
      { size: 9, frameLength: 4 },
    );
    const passed = await report.check(`${one.name}: client-node -> frameseal`, async () => {
      await peerToFrameseal(one);
    });
    count += Number(passed);
    await report.check(`${one.name}: refused by frameseal`, () =>
      assert.rejects(framesealToPeer(one), { code: 'INVALID_ARGUMENT' }),
    );
    report.exclude('frameseal writes no context key that begins with aws-crypto-');
  }
  console.log(`\na context key "aws-crypto-other": client-node -> frameseal ${count}/${SUITES.length}`);
}

/** PKCS#1 v1.5: Node decrypts it only where its OpenSSL hides bad padding. */
export async function pkcs1() {
  const { frameseal: ours, peer } = pkcs1Keys(frameseal);
  let toFrameseal = 0;
  let toPeer = 0;
  let unreadable = 0;
  const readable = nodeDecryptsPkcs1();
  for (const suite of SUITES) {
    const policy = writePolicy(suite, 0);
    const plaintext = plaintextView(`pkcs1 ${suite.id}`, 1000);
    const passed = await report.check(
      `${suiteName(suite)} PKCS#1 v1.5: client-node -> frameseal`,
      async () => {
        const { message } = await peerEncrypt(peer, plaintext, { suiteId: suite.id }, { policy, chunk: 0 });
        const read = await frameseal.decrypt(message, { keyring: ours, commitmentPolicy: policy });
        assertSameBytes(read.plaintext, plaintext, 'plaintext');
      },
    );
    toFrameseal += Number(passed);
    if (!readable) {
      unreadable++;
      continue;
    }
    const back = await report.check(`${suiteName(suite)} PKCS#1 v1.5: frameseal -> client-node`, async () => {
      const options = { keyring: ours, commitmentPolicy: policy, algorithmSuite: suite.id };
      const { ciphertext } = await frameseal.encrypt(plaintext, options);
      const read = await peerDecrypt(peer, ciphertext, { policy, chunk: 0 });
      assertSameBytes(read.plaintext, plaintext, 'plaintext');
    });
    toPeer += Number(back);
  }
  console.log(
    `RSA PKCS#1 v1.5: client-node -> frameseal ${toFrameseal}/${SUITES.length}, ` +
      `frameseal -> client-node ${toPeer}/${SUITES.length - unreadable}`,
  );
  if (unreadable > 0) {
    report.exclude(
      'RSA PKCS#1 v1.5 by frameseal: privateDecrypt of this Node refuses that padding',
      unreadable,
    );
  }
}

/**
 * client-node's raw AES keyring without its option `utf8Sorting`: it binds the data key to the context in the order of
 * the locale, so messages are exchanged only where that is the order of the UTF-8 bytes too.
 */
export async function unsorted() {
  console.log("\nclient-node's raw AES keyring without the option utf8Sorting, as predicted from the keys:");
  for (const id of [0x0478, 0x0578]) {
    const suite = /** @type {Suite} */ (SUITES.find((one) => one.id === id));
    for (const context of CONTEXTS) {
      const pairs = context.pairs(suite);
      const key = sortedAesKeys(frameseal, undefined);
      const toPeer = await unsortedOneWay(suite, context, bytewise(withPublicKey(pairs, suite)), async () => {
        const options = { keyring: key.frameseal, algorithmSuite: id, encryptionContext: pairs };
        const { ciphertext } = await frameseal.encrypt(plaintextView(context.name, 40), options);
        return () => peerDecrypt(key.peer, ciphertext, readMode(suite, 0));
      });
      const fromPeer = await unsortedOneWay(suite, context, withPublicKey(pairs, suite), async () => {
        const options = { suiteId: id, encryptionContext: pairs };
        const mode = { policy: writePolicy(suite, 0), chunk: 0 };
        const { message } = await peerEncrypt(key.peer, plaintextView(context.name, 40), options, mode);
        return () => frameseal.decrypt(message, { keyring: key.frameseal });
      });
      const said = [`frameseal -> client-node ${toPeer}`, `client-node -> frameseal ${fromPeer}`];
      console.log(`  ${suiteName(suite)} ${context.name}: ${said.join(', ')}`);
    }
  }
}

/** Defaults and refusals of the three commitment policies agree. */
export async function policies() {
  const key = aes256;
  const plaintext = plaintextView('policies', 100);
  const names = /** @type {const} */ ([
    'FORBID_ENCRYPT_ALLOW_DECRYPT',
    'REQUIRE_ENCRYPT_ALLOW_DECRYPT',
    'REQUIRE_ENCRYPT_REQUIRE_DECRYPT',
  ]);
  let agreed = 0;
  let asked = 0;
  const agree = async (/** @type {string} */ name, /** @type {() => Promise<void>} */ run) => {
    asked++;
    agreed += Number(await report.check(name, run));
  };
  for (const policy of names) {
    await agree(`default suite under ${policy}`, async () => {
      const ours = await frameseal.encrypt(plaintext, { keyring: key.frameseal, commitmentPolicy: policy });
      const theirs = await peerEncrypt(key.peer, plaintext, {}, { policy, chunk: 0 });
      assert.equal(ours.header.suiteId, theirs.header.suiteId);
    });
    for (const suite of SUITES) {
      await agree(`${suiteName(suite)} written under ${policy}`, async () => {
        const options = { keyring: key.frameseal, commitmentPolicy: policy, algorithmSuite: suite.id };
        const ours = await succeeds(frameseal.encrypt(plaintext, options));
        const theirs = await succeeds(
          peerEncrypt(key.peer, plaintext, { suiteId: suite.id }, { policy, chunk: 0 }),
        );
        assert.equal(ours, theirs);
        assert.equal(ours, isCommitting(suite) === (policy !== 'FORBID_ENCRYPT_ALLOW_DECRYPT'));
      });
      await agree(`${suiteName(suite)} read under ${policy}`, async () => {
        const write = writePolicy(suite, 0);
        const options = { keyring: key.frameseal, commitmentPolicy: write, algorithmSuite: suite.id };
        const { ciphertext } = await frameseal.encrypt(plaintext, options);
        const ours = await succeeds(
          frameseal.decrypt(ciphertext, { keyring: key.frameseal, commitmentPolicy: policy }),
        );
        const theirs = await succeeds(peerDecrypt(key.peer, ciphertext, { policy, chunk: 0 }));
        assert.equal(ours, theirs);
        assert.equal(ours, isCommitting(suite) || policy !== 'REQUIRE_ENCRYPT_REQUIRE_DECRYPT');
      });
    }
  }
  console.log(`\ncommitment policies: ${agreed}/${asked} answers agree`);
}

/** Messages of client-node with one thing wrong: frameseal reads none. */
export async function damaged() {
  const key = aes256;
  const context = { tenant: 'acme' };
  const size = 100;
  const frameLength = 40;
  let refused = 0;
  let asked = 0;
  for (const suite of SUITES) {
    const written = await peerEncrypt(
      key.peer,
      plaintextView('damaged', size),
      { suiteId: suite.id, encryptionContext: context, frameLength },
      { policy: writePolicy(suite, 0), chunk: 0 },
    );
    const header = headerLength(suite, context, key.edkLengths(suite));
    const body = bodyLength(size, frameLength, 'client-node');
    const places = {
      'message id': suite.version === 1 ? 4 : 3,
      'encryption context': Buffer.from(written.message).indexOf('acme'),
      'encrypted data key': Buffer.from(written.message).indexOf('interop-aes') + 60,
      'header tag': header - 1,
      'first frame': header + 16,
      'last frame': header + body - 17,
      "last frame's tag": header + body - 1,
      ...(suite.signature > 0 && { signature: header + body + 2 + 10 }),
    };
    /** @type {[string, Uint8Array][]} */
    const copies = Object.entries(places).map(([place, at]) => [place, flipped(written.message, at)]);
    copies.push(['one byte less', written.message.subarray(0, -1)]);
    copies.push(['one byte more', Buffer.concat([written.message, Buffer.alloc(1)])]);
    for (const [place, copy] of copies) {
      asked++;
      const passed = await report.check(`${suiteName(suite)} damaged: ${place}`, () =>
        assert.rejects(
          frameseal.decrypt(copy, { keyring: key.frameseal, commitmentPolicy: readPolicy(suite, 0) }),
          frameseal.FramesealError,
        ),
      );
      refused += Number(passed);
    }
  }
  console.log(`damaged messages of client-node: frameseal refuses ${refused}/${asked}`);
}

function nodeDecryptsPkcs1() {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
  const padding = constants.RSA_PKCS1_PADDING;
  const ciphertext = publicEncrypt({ key: publicKey, padding }, Buffer.from('text'));
  try {
    return privateDecrypt({ key: privateKey, padding }, ciphertext).toString() === 'text';
  } catch {
    return false;
  }
}

/**
 * @param {Suite} suite
 * @param {NamedContext} context
 * @param {string[]} keysAsGiven in the order in which client-node meets them: its sort keeps it for equal ones
 * @param {() => Promise<() => Promise<unknown>>} write answers how to read
 */
async function unsortedOneWay(suite, context, keysAsGiven, write) {
  const byLocale = [...keysAsGiven].sort((a, b) => a.localeCompare(b));
  const expected = byLocale.every((key, i) => key === bytewise(keysAsGiven)[i]);
  const passed = await report.check(`${suiteName(suite)} without utf8Sorting [${context.name}]`, async () => {
    const read = await write();
    const opened = await read().then(
      () => true,
      (error) => {
        if (error instanceof frameseal.FramesealError) assert.equal(error.code, 'NO_DATA_KEY');
        return false;
      },
    );
    assert.equal(opened, expected, expected ? 'it does not open' : 'it opens');
  });
  const outcome = expected ? 'opens' : 'does not open';
  if (passed && !expected)
    report.exclude(`without utf8Sorting: ${suiteName(suite)}, context: ${context.name}`);
  return passed ? outcome : `NOT AS PREDICTED (${outcome})`;
}

/** @param {Record<string, string>} pairs @param {Suite} suite */
function withPublicKey(pairs, suite) {
  return suite.signature > 0 ? [...Object.keys(pairs), PUBLIC_KEY_FIELD] : Object.keys(pairs);
}

/** @param {string[]} texts */
function bytewise(texts) {
  return [...texts].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

/** @param {Promise<unknown>} promise */
function succeeds(promise) {
  return promise.then(
    () => true,
    () => false,
  );
}

/** @param {Uint8Array} bytes @param {number} at */
function flipped(bytes, at) {
  const copy = new Uint8Array(bytes);
  copy[at] = /** @type {number} */ (copy[at]) ^ 1;
  return copy;
}
