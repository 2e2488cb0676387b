/**
 * Cases of pages alone: the same messages by the published SDK for browsers.
 */
import './buffer-global.mjs';
import {
  buildClient,
  CommitmentPolicy,
  RawAesKeyringWebCrypto,
  RawAesWrappingSuiteIdentifier,
} from '@aws-crypto/client-browser';
import { decrypt, encrypt, rawAesKeyring } from '../../dist/index.js';
import { roundTrip } from '../adapters/check.mjs';
import { nativeFrames } from '../adapters/native-frames.mjs';

const PEER = '@aws-crypto/client-browser';
const MIB = 2 ** 20;
const SUITE = 0x0478;
const FRAME_LENGTH = 4096;
const NAMES = { keyNamespace: 'bench', keyName: 'key' };
const CONTEXT = { tenant: 'acme', purpose: 'benchmark' };
/** Milliseconds until the code of short messages is compiled. */
const WARM_UP = { quick: 200, full: 1000 };
/** Of long ones a round takes one. */
const LONG = {
  quick: { rounds: 4, warmUp: 0, minSamples: 1 },
  full: { rounds: 11, warmUp: 300, minSamples: 1 },
};

/** The cases: short and long messages, each way; beside the long ones one call of WebCrypto for each frame. */
export function webCases({ scale }) {
  return [1024, 16 * MIB].flatMap((bytes) =>
    ['encrypt', 'decrypt'].map((verb) => ({
      group: 'web',
      name: `${verb} ${bytes < MIB ? `${bytes / 1024} KiB` : `${bytes / MIB} MiB`}, frames of 4 KiB`,
      parameters: { verb, bytes, suite: '0x0478', frameLength: FRAME_LENGTH, streamed: 'one-shot' },
      bytes,
      messages: 1,
      timing: bytes > MIB ? LONG[scale] : { warmUp: WARM_UP[scale] },
      prepare: () => prepare(verb, bytes),
    })),
  );
}

async function prepare(verb, bytes) {
  const wrappingKey = crypto.getRandomValues(new Uint8Array(32));
  const [ours, theirs] = [frameseal(wrappingKey), await publishedSdk(wrappingKey)];
  const plaintext = new Uint8Array(bytes).map((_, i) => i * 7); // at offset 0: the SDK reads the buffer from its start
  const message = await exchange(ours, theirs, plaintext);
  const call = (one) => () => (verb === 'encrypt' ? one.seal(plaintext) : one.open(message));
  const both = { frameseal: call(ours), [PEER]: call(theirs) };
  return bytes > MIB ? { ...both, ...(await withoutFormat(verb, plaintext)) } : both;
}

async function withoutFormat(verb, plaintext) {
  const [native] = nativeFrames(plaintext.length, FRAME_LENGTH);
  const frames = await roundTrip(native, plaintext);
  return { [native.name]: () => (verb === 'encrypt' ? native.encrypt(plaintext) : native.decrypt(frames)) };
}

function frameseal(wrappingKey) {
  const keyring = rawAesKeyring({ ...NAMES, wrappingKey });
  const options = { keyring, algorithmSuite: SUITE, frameLength: FRAME_LENGTH, encryptionContext: CONTEXT };
  return {
    seal: async (plaintext) => (await encrypt(plaintext, options)).ciphertext,
    open: async (message) => (await decrypt(message, { keyring })).plaintext,
  };
}

async function publishedSdk(wrappingKey) {
  const client = buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT);
  const wrappingSuite = RawAesWrappingSuiteIdentifier.AES256_GCM_IV12_TAG16_NO_PADDING;
  const masterKey = await RawAesKeyringWebCrypto.importCryptoKey(wrappingKey, wrappingSuite);
  const keyring = new RawAesKeyringWebCrypto({ ...NAMES, wrappingSuite, masterKey });
  const options = () => ({ frameLength: FRAME_LENGTH, suiteId: SUITE, encryptionContext: { ...CONTEXT } });
  return {
    seal: async (plaintext) => (await client.encrypt(keyring, plaintext, options())).result,
    open: async (message) => (await client.decrypt(keyring, message)).plaintext,
  };
}

// Each opens what the other has written. A message of the SDK's is what both are timed with.
async function exchange(ours, theirs, plaintext) {
  const message = await theirs.seal(plaintext);
  sameBytes(await ours.open(message), plaintext);
  sameBytes(await theirs.open(await ours.seal(plaintext)), plaintext);
  return message;
}

function sameBytes(opened, plaintext) {
  if (opened.length !== plaintext.length || opened.some((byte, i) => byte !== plaintext[i]))
    throw new Error(`frameseal and ${PEER} do not open each other's messages`);
}
