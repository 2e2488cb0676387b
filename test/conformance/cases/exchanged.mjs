/**
 * Messages that one runtime writes and all others open: by every suite, engine, API and kind of key.
 */
import {
  aesCryptoKeyring,
  aesKeyring,
  kmsKeyring,
  PADDINGS,
  rsaCryptoKeyring,
  rsaKeyring,
} from '../keys.mjs';
import { lacksCipher, policyFor, SUITES } from '../suites.mjs';
import { bytes, equal, fromBase64, refused, same, suiteName, through, toBase64 } from '../support.mjs';

const LENGTH = 12_345;
const CONTEXT = { purpose: 'exchange', 'schlüssel \u{1f511}': '\u{ffee}' };

/** Writes one message of each kind: { name, key, suite, message }. */
export async function write(library, environment) {
  const writer = { library, environment, messages: [] };
  for (const suite of SUITES) await writeSuite(writer, suite);
  for (const length of [16, 24]) {
    if (length === 24 && environment.lacks.includes('aes-192')) continue;
    await add(writer, `aes-${length}`, 0x0478, {}, aesKeyring(library, environment, length));
  }
  for (const padding of PADDINGS) {
    await add(writer, padding, 0x0578, {}, rsaKeyring(library, environment, padding));
    await add(writer, padding, 0x0478, {}, await rsaCryptoKeyring(library, environment, padding));
  }
  await add(writer, 'aes-32', 0x0478, {}, await aesCryptoKeyring(library, environment, 32));
  await add(writer, 'kms', 0x0578, {}, kmsKeyring(library, environment));
  return writer.messages;
}

async function writeSuite(writer, suite) {
  const keyring = aesKeyring(writer.library, writer.environment, 32);
  const engines = ['auto', ...writer.environment.engines];
  for (const engine of engines.filter((one) => !lacksCipher(writer.environment, one, suite))) {
    await add(writer, 'aes-32', suite.id, { engine, frameLength: 1000 }, keyring);
  }
  if (!lacksCipher(writer.environment, 'auto', suite))
    await add(writer, 'aes-32', suite.id, { streamed: true, frameLength: 512 }, keyring);
}

async function add({ library, messages }, key, suite, { streamed, ...how }, keyring) {
  const commitmentPolicy = policyFor(suite);
  const options = { keyring, algorithmSuite: suite, commitmentPolicy, encryptionContext: CONTEXT, ...how };
  const message = streamed
    ? await through(library.encryptStream(options), bytes(LENGTH), 1024)
    : (await library.encrypt(bytes(LENGTH), options)).ciphertext;
  const name = [suiteName(suite), key, streamed ? 'streamed' : how.engine].filter(Boolean).join(' ');
  messages.push({ name, key, suite, message: toBase64(message) });
}

/** Opens every message; fails with the first that does not open as it should. */
export async function open(library, environment, messages) {
  let opened = 0;
  for (const one of messages) {
    try {
      opened += await openOne(library, environment, one);
    } catch (error) {
      throw new Error(`${one.name}: ${error.message}`);
    }
  }
  return `${opened} of ${messages.length}`;
}

async function openOne(library, environment, { key, suite, message }) {
  const options = {
    keyring: keyringOf(library, environment, key),
    commitmentPolicy: policyFor(suite),
    encryptionContext: CONTEXT,
  };
  const read = () => library.decrypt(fromBase64(message), options);
  const isAes192 = key === 'aes-24' || SUITES.find(({ id }) => id === suite).keyLength === 24;
  if (isAes192 && environment.lacks.includes('aes-192')) {
    await refused(library, ['UNSUPPORTED'], read);
    return 0;
  }
  const { plaintext, header } = await read();
  same(plaintext, bytes(LENGTH));
  equal(header.suiteId, suite, 'suite');
  return 1;
}

function keyringOf(library, environment, key) {
  if (key === 'kms') return kmsKeyring(library, environment);
  if (key.startsWith('aes-')) return aesKeyring(library, environment, Number(key.slice(4)));
  return rsaKeyring(library, environment, key);
}
