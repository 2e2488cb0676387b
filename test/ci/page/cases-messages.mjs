/** Encrypting and decrypting: by every kind of key, both ways to save, and everything that goes wrong. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';

const KEY = randomBytes(32);
const NAMES = { keyNamespace: 'browser-example', keyName: 'my-key' };
const LENGTHS = [0, 1, 4096, 300_001];

/** Console errors that are meant to come, by the name of the case. */
export const ALLOWED_ERRORS = { 'KMS refuses': /status of 400|400 \(?Bad Request/ };

/** By name: (visit, app) => Promise. Each is run with both ways to save. */
export const messageCases = {
  'raw key, there and back': async (visit, { library }) => {
    await visit.pasteKey(KEY.toString('hex'));
    for (const length of LENGTHS) {
      const plaintext = randomBytes(length);
      const message = await encrypted(visit, plaintext);
      const opened = await library.decrypt(message, { keyring: keyring(library) });
      assert.deepEqual(Buffer.from(opened.plaintext), plaintext);
      assert.equal(opened.header.suiteId, 0x0578);
      assert.deepEqual(await decrypted(visit, message), plaintext);
    }
  },

  'keys of 128 and 192 bits, as base64 and as a file': async (visit, { library }) => {
    const plaintext = randomBytes(5000);
    for (const length of [16, 24]) {
      const key = randomBytes(length);
      await visit.pasteKey(key.toString('base64'));
      const message = await encrypted(visit, plaintext);
      const opened = await library.decrypt(message, { keyring: keyring(library, key) });
      assert.deepEqual(Buffer.from(opened.plaintext), plaintext);
      await visit.page.click('#key-forget');
      await visit.page.setInputFiles('#key-file', file('key', `${key.toString('hex')}\n`));
      await visit.page.locator('#key-state.good').waitFor();
      assert.deepEqual(await decrypted(visit, message), plaintext);
    }
  },

  'a new key, from its file': async (visit, { library }) => {
    await visit.page.click('#key-generate');
    const shown = await visit.text('#key-value');
    const inFile = await visit.page.evaluate(() =>
      window.blobs.get(document.querySelector('#key-save a').href).text(),
    );
    assert.equal(inFile, `${shown}\n`);
    await visit.page.click('#key-kept');
    assert.equal(await visit.page.locator('#key-value').textContent(), '');
    const plaintext = randomBytes(100);
    const message = await encrypted(visit, plaintext);
    const opened = await library.decrypt(message, { keyring: keyring(library, Buffer.from(shown, 'hex')) });
    assert.deepEqual(Buffer.from(opened.plaintext), plaintext);
  },

  'local KMS, there and back': async (visit, { awsKms, library, served }) => {
    const plaintext = randomBytes(10_000);
    await visit.choose('report.bin', plaintext);
    await visit.pick('source', 'kms');
    await visit.addPair('tenant', 'acme');
    const message = await savedAfter(visit, 'Encrypted');
    const { arn } = served.keys[1];
    const other = awsKms.awsKmsKeyring({
      generatorKeyId: arn,
      clientSupplier: served.kms.clientSupplier,
    });
    const opened = await library.decrypt(message, {
      keyring: other,
      encryptionContext: { tenant: 'acme' },
    });
    assert.deepEqual(Buffer.from(opened.plaintext), plaintext);
    assert.deepEqual(await decrypted(visit, message), plaintext);
    assert.match(await visit.text('#header'), /aws-kms in eu-west-1/);
  },

  'without a signature': async (visit, { library }) => {
    await visit.pasteKey(KEY.toString('hex'));
    await visit.page.uncheck('#signed');
    const plaintext = randomBytes(9000);
    const message = await encrypted(visit, plaintext);
    assert.equal(library.parseHeader(message).suiteId, 0x0478);
    assert.deepEqual(await decrypted(visit, message), plaintext);
  },

  dropped: async (visit, { library }) => {
    await visit.pasteKey(KEY.toString('hex'));
    const plaintext = randomBytes(2000);
    await visit.drop('dropped.bin', plaintext);
    const message = await savedAfter(visit, 'Encrypted');
    const opened = await library.decrypt(message, { keyring: keyring(library) });
    assert.deepEqual(Buffer.from(opened.plaintext), plaintext);
    await visit.drop('dropped.bin.fseal', message);
    assert.deepEqual(await savedAfter(visit, 'Decrypted and verified'), plaintext);
  },

  'wrong key': async (visit, { library }) => {
    await visit.pasteKey(randomBytes(32).toString('hex'));
    await refused(visit, await message(library), 'NO_DATA_KEY');
  },

  'wrong pair of the context': async (visit, { library }) => {
    await visit.pasteKey(KEY.toString('hex'));
    await visit.addPair('purpose', 'another');
    await refused(visit, await message(library), 'CONTEXT_MISMATCH');
  },

  'altered: first frame, last byte, cut off, longer': async (visit, { library }) => {
    await visit.pasteKey(KEY.toString('hex'));
    const good = await message(library, 1_000_000);
    const { headerLength } = library.parseHeader(good);
    await refused(visit, flipped(good, headerLength + 50), 'AUTHENTICATION_FAILED');
    await refused(visit, flipped(good, good.length - 1), 'AUTHENTICATION_FAILED'); // of the signature
    await refused(visit, good.subarray(0, -1000), 'TRUNCATED');
    await refused(visit, Buffer.concat([good, Buffer.alloc(1)]), 'TRAILING_BYTES');
  },

  'not a message': async (visit) => {
    await visit.pasteKey(KEY.toString('hex'));
    await visit.choose('picture.png', Buffer.from('\x89PNG and so on', 'latin1'));
    assert.match(await visit.text('#header'), /not a message/);
    await visit.pick('mode', 'decrypt');
    await fails(visit, 'INVALID_MESSAGE');
  },

  'base64 text of a message': async (visit, { library }) => {
    await visit.pasteKey(KEY.toString('hex'));
    const text = Buffer.from((await message(library)).toString('base64'));
    await visit.choose('message.txt', text);
    assert.match(await visit.text('#header'), /base64 text/);
    await fails(visit, 'BASE64_MESSAGE');
  },

  'KMS refuses': async (visit, { served }) => {
    await visit.choose('report.bin', randomBytes(100));
    await visit.pick('source', 'kms');
    served.kms.setFault('us-east-1', { kind: 'error', name: 'DisabledException' });
    try {
      await fails(visit, 'KMS_FAILED');
    } finally {
      served.kms.setFault('us-east-1', null);
    }
  },

  'cancelled in the middle, then another': async (visit, { library }) => {
    await visit.pasteKey(KEY.toString('hex'));
    await visit.dropLong('long.bin', 200);
    await visit.start();
    await visit.progress(0.02);
    await visit.page.click('#cancel');
    const { state, names, offered } = await visit.outcome();
    assert.deepEqual({ state, names, offered }, { state: 'cancelled', names: [], offered: undefined });
    const plaintext = randomBytes(3000);
    const next = await encrypted(visit, plaintext);
    const opened = await library.decrypt(next, { keyring: keyring(library) });
    assert.deepEqual(Buffer.from(opened.plaintext), plaintext);
  },
};

function keyring(library, wrappingKey = KEY) {
  return library.rawAesKeyring({ ...NAMES, wrappingKey });
}

/** A message that Node.js has written. */
async function message(library, length = 5000) {
  const options = { keyring: keyring(library), encryptionContext: { purpose: 'test' } };
  return Buffer.from((await library.encrypt(randomBytes(length), options)).ciphertext);
}

async function encrypted(visit, plaintext) {
  await visit.choose('report.bin', plaintext);
  return savedAfter(visit, 'Encrypted');
}

async function decrypted(visit, message) {
  await visit.choose('report.bin.fseal', message);
  return savedAfter(visit, 'Decrypted and verified');
}

async function savedAfter(visit, title) {
  const outcome = await visit.run();
  assert.equal(outcome.title, title, JSON.stringify(outcome));
  const bytes = await visit.saved();
  await visit.forgetFiles();
  return bytes;
}

async function refused(visit, message, code) {
  await visit.choose('report.bin.fseal', message);
  await fails(visit, code);
}

// With nothing saved, and nothing offered.
async function fails(visit, code) {
  const outcome = await visit.run();
  assert.equal(outcome.state, 'error', JSON.stringify(outcome));
  assert.equal(outcome.code, code);
  assert.deepEqual([outcome.names, outcome.offered], [[], undefined]);
  assert.match(outcome.text, /Nothing was saved/);
}

function flipped(bytes, at) {
  const copy = Buffer.from(bytes);
  copy[at] ^= 1;
  return copy;
}

function file(name, text) {
  return { name, mimeType: 'text/plain', buffer: Buffer.from(text) };
}
