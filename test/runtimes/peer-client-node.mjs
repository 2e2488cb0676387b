/**
 * The published SDK as one more runtime: it writes messages of its own, and opens everybody's. peer-client-node.mjs URL
 */
import { createRequire } from 'node:module';
import { policyFor, SUITES } from '../conformance/suites.mjs';
import { bytes, fromBase64, same, suiteName, toBase64 } from '../conformance/support.mjs';

const peer = createRequire(new URL('../interop/package.json', import.meta.url))('@aws-crypto/client-node');
const WRAPPING = {
  16: 'AES128_GCM_IV12_TAG16_NO_PADDING',
  24: 'AES192_GCM_IV12_TAG16_NO_PADDING',
  32: 'AES256_GCM_IV12_TAG16_NO_PADDING',
};
const LENGTH = 12_345;
const CONTEXT = { purpose: 'exchange', 'schlüssel \u{1f511}': '\u{ffee}' };

const [url] = process.argv.slice(2);
const { environment, writers } = await (await fetch(`${url}task`)).json();
const answer = writers ? { rows: await openAll() } : { rows: [], messages: await writeAll() };
const about = '@aws-crypto/client-node';
await fetch(`${url}result`, { method: 'POST', body: JSON.stringify({ about, ...answer }) });
process.exit();

async function writeAll() {
  const keys = [
    'aes-16',
    'aes-24',
    'aes-32',
    'oaep-sha1',
    'oaep-sha256',
    'oaep-sha384',
    'oaep-sha512',
    'kms',
  ];
  const kinds = SUITES.flatMap(({ id }) =>
    (id < 0x0400 ? ['aes-32'] : keys).map((key) => ({ key, suite: id })),
  );
  const messages = [];
  for (const { key, suite } of kinds) {
    const options = { suiteId: suite, encryptionContext: CONTEXT, frameLength: 1000 };
    const { result } = await client(suite).encrypt(keyringOf(key), Buffer.from(bytes(LENGTH)), options);
    messages.push({ name: `${suiteName(suite)} ${key}`, key, suite, message: toBase64(result) });
  }
  return messages;
}

async function openAll() {
  const rows = [];
  for (const [writer, messages] of Object.entries(writers)) {
    const row = { case: `exchanged/opens what ${writer} wrote`, ok: true, ms: 0 };
    for (const { name, key, suite, message } of messages) {
      try {
        const { plaintext } = await client(suite).decrypt(keyringOf(key), Buffer.from(fromBase64(message)));
        same(plaintext, bytes(LENGTH));
      } catch (error) {
        Object.assign(row, { ok: false, error: `${name}: ${error.message}` });
        break;
      }
    }
    rows.push(row);
  }
  return rows;
}

function client(suite) {
  return peer.buildClient(policyFor(suite));
}

function keyringOf(key) {
  const { keys, kms } = environment;
  if (key === 'kms') return kmsKeyring(kms);
  const names = { keyNamespace: 'conformance' };
  if (!key.startsWith('aes-')) {
    return new peer.RawRsaKeyringNode({
      ...names,
      keyName: key,
      oaepHash: key.slice('oaep-'.length),
      rsaKey: keys.rsa,
    });
  }
  const length = Number(key.slice('aes-'.length));
  return new peer.RawAesKeyringNode({
    ...names,
    keyName: `aes-${8 * length}`,
    unencryptedMasterKey: fromBase64(keys.aes[length]),
    wrappingSuite: peer.RawAesWrappingSuiteIdentifier[WRAPPING[length]],
    utf8Sorting: true,
  });
}

function kmsKeyring({ arns: [generatorKeyId, ...keyIds], endpoint, credentials }) {
  const clientProvider = (region) => new peer.KMS({ region, endpoint, credentials });
  return new peer.KmsKeyringNode({ generatorKeyId, keyIds, clientProvider });
}
