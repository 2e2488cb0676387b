// @ts-check
/**
 * One set of wrapping keys, as keyrings of both libraries.
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes, webcrypto } from 'node:crypto';
import {
  MultiKeyringNode,
  RawAesKeyringNode,
  RawAesWrappingSuiteIdentifier,
  RawRsaKeyringNode,
} from '@aws-crypto/client-node';

/** @typedef {typeof import('../../dist/index.js')} Frameseal */
/** @typedef {import('../../dist/index.js').Keyring} Keyring */
/** @typedef {import('@aws-crypto/client-node').KeyringNode} KeyringNode */
/** @typedef {'sha1' | 'sha256' | 'sha384' | 'sha512'} OaepHash */

/**
 * The same keys in both libraries.
 * @typedef {object} KeyPair
 * @property {string} name
 * @property {Keyring} frameseal
 * @property {Keyring} framesealOther over CryptoKeys instead of bytes and PEM; over fetch instead of the AWS SDK
 * @property {KeyringNode} peer
 * @property {readonly KeyPair[]} members of a multi-keyring, or other keyrings: each must open the message alone
 * @property {(suite: { keyLength: number }) => number[]} edkLengths of its encrypted data keys, whole entries
 */

const WRAPPING_SUITES = {
  16: RawAesWrappingSuiteIdentifier.AES128_GCM_IV12_TAG16_NO_PADDING,
  24: RawAesWrappingSuiteIdentifier.AES192_GCM_IV12_TAG16_NO_PADDING,
  32: RawAesWrappingSuiteIdentifier.AES256_GCM_IV12_TAG16_NO_PADDING,
};

const RSA_BITS = 2048;

/**
 * @param {Frameseal} frameseal
 * @returns {Promise<KeyPair[]>}
 */
export async function makeKeys(frameseal) {
  const rsa = generateRsa();
  const aes = [];
  for (const length of /** @type {const} */ ([16, 24, 32])) {
    aes.push(await aesKeys(frameseal, `AES-${length * 8}`, 'interop-aes', `key-${length * 8}`, length));
  }
  const named = await aesKeys(
    frameseal,
    'AES-256, names outside ASCII',
    'dépôt-\u{1f4e6}',
    'clé-\u{1f511}',
    32,
  );
  const oaep = [];
  for (const hash of /** @type {const} */ (['sha1', 'sha256', 'sha384', 'sha512'])) {
    oaep.push(await oaepKeys(frameseal, rsa, hash));
  }
  const multi = multiKeys(frameseal, [/** @type {KeyPair} */ (aes[2]), /** @type {KeyPair} */ (oaep[1])]);
  return [...aes, named, ...oaep, multi];
}

/**
 * A raw AES wrapping key whose peer sorts the encryption context as asked.
 * @param {Frameseal} frameseal
 * @param {boolean | undefined} utf8Sorting undefined: the option is not given
 */
export function sortedAesKeys(frameseal, utf8Sorting) {
  const key = randomBytes(32);
  const names = { keyNamespace: 'interop-aes', keyName: 'sorting' };
  return {
    frameseal: frameseal.rawAesKeyring({ ...names, wrappingKey: key }),
    peer: peerAesKeyring(names, key, utf8Sorting),
  };
}

/** PKCS#1 v1.5, which is for old messages. @param {Frameseal} frameseal */
export function pkcs1Keys(frameseal) {
  const { publicKey, privateKey } = generateRsa();
  const names = { keyNamespace: 'interop-rsa', keyName: 'pkcs1' };
  return {
    frameseal: frameseal.rawRsaKeyring({ ...names, padding: 'pkcs1', publicKey, privateKey }),
    peer: new RawRsaKeyringNode({ ...names, padding: 1, rsaKey: { publicKey, privateKey } }),
  };
}

/**
 * @param {Frameseal} frameseal
 * @param {string} name
 * @param {string} keyNamespace
 * @param {string} keyName
 * @param {16 | 24 | 32} length
 * @returns {Promise<KeyPair>}
 */
async function aesKeys(frameseal, name, keyNamespace, keyName, length) {
  const key = randomBytes(length);
  const names = { keyNamespace, keyName };
  const cryptoKey = await webcrypto.subtle.importKey('raw', key, 'AES-GCM', false, ['encrypt', 'decrypt']);
  const entry = 6 + Buffer.byteLength(keyNamespace) + Buffer.byteLength(keyName) + 4 + 4 + 12 + 16;
  return {
    name,
    frameseal: frameseal.rawAesKeyring({ ...names, wrappingKey: key }),
    framesealOther: frameseal.rawAesKeyring({ ...names, wrappingKey: cryptoKey }),
    peer: peerAesKeyring(names, key, true),
    members: [],
    edkLengths: (suite) => [entry + suite.keyLength],
  };
}

/**
 * @param {{ keyNamespace: string, keyName: string }} names
 * @param {Uint8Array} key
 * @param {boolean | undefined} utf8Sorting
 */
function peerAesKeyring(names, key, utf8Sorting) {
  return new RawAesKeyringNode({
    ...names,
    unencryptedMasterKey: new Uint8Array(key), // it wants bytes that have their buffer for themselves
    wrappingSuite: WRAPPING_SUITES[/** @type {16 | 24 | 32} */ (key.length)],
    ...(utf8Sorting !== undefined && { utf8Sorting }),
  });
}

/**
 * @param {Frameseal} frameseal
 * @param {{ publicKey: string, privateKey: string }} pem
 * @param {OaepHash} oaepHash
 * @returns {Promise<KeyPair>}
 */
async function oaepKeys(frameseal, { publicKey, privateKey }, oaepHash) {
  const names = { keyNamespace: 'interop-rsa', keyName: `oaep-${oaepHash}` };
  const padding = /** @type {const} */ (`oaep-${oaepHash}`);
  const algorithm = { name: 'RSA-OAEP', hash: oaepHash.replace('sha', 'SHA-') };
  const spki = createPublicKey(publicKey).export({ type: 'spki', format: 'der' });
  const pkcs8 = createPrivateKey(privateKey).export({ type: 'pkcs8', format: 'der' });
  const { subtle } = webcrypto;
  return {
    name: `RSA OAEP ${oaepHash}`,
    frameseal: frameseal.rawRsaKeyring({ ...names, padding, publicKey, privateKey }),
    framesealOther: frameseal.rawRsaKeyring({
      ...names,
      padding,
      publicKey: await subtle.importKey('spki', spki, algorithm, false, ['encrypt']),
      privateKey: await subtle.importKey('pkcs8', pkcs8, algorithm, false, ['decrypt']),
    }),
    peer: new RawRsaKeyringNode({ ...names, oaepHash, rsaKey: { publicKey, privateKey } }),
    members: [],
    edkLengths: () => [6 + names.keyNamespace.length + names.keyName.length + RSA_BITS / 8],
  };
}

/**
 * The first key generates, the others are children.
 * @param {Frameseal} frameseal
 * @param {readonly KeyPair[]} members
 * @returns {KeyPair}
 */
export function multiKeys(frameseal, members) {
  /** @template T @param {(member: KeyPair) => T} pick */
  const split = (pick) => {
    const [generator, ...children] = members.map(pick);
    return { generator: /** @type {T} */ (generator), children };
  };
  return {
    name: `multi: ${members.map((member) => member.name).join(' + ')}`,
    frameseal: frameseal.multiKeyring(split((member) => member.frameseal)),
    framesealOther: frameseal.multiKeyring(split((member) => member.framesealOther)),
    peer: new MultiKeyringNode(split((member) => member.peer)),
    members,
    edkLengths: (suite) => members.flatMap((member) => member.edkLengths(suite)),
  };
}

function generateRsa() {
  return generateKeyPairSync('rsa', {
    modulusLength: RSA_BITS,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
}
