// @ts-check
/**
 * What every part of the program needs: the two libraries, the keys, and which policy, engine and API a message takes.
 */
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { makeKeys } from './keys.mjs';
import { Report } from './report.mjs';
import { isCommitting } from './suites.mjs';

/** @typedef {import('./suites.mjs').Suite} Suite */
/** @typedef {import('./keys.mjs').KeyPair} KeyPair */
/** @typedef {import('./peer.mjs').Mode} Mode */
/** @typedef {import('./peer.mjs').PolicyName} PolicyName */
/** @typedef {import('../../dist/index.js').EngineChoice} EngineChoice */

const CHUNKS = [1, 100, 4096, 65_536];

/** @type {typeof import('../../dist/index.js')} */
export const frameseal = await load('index.js');
/** @type {typeof import('../../dist/keyring/aws-kms/index.js')} */
export const awsKms = await load('keyring/aws-kms/index.js');
/** @type {typeof import('../../dist/keyring/aws-kms/fetch.js')} */
export const awsKmsFetch = await load('keyring/aws-kms/fetch.js');
/** @type {typeof import('../../dist/local-kms/index.js')} */
export const localKms = await load('local-kms/index.js');
export const report = new Report();
export const engines = await availableEngines();
export const keys = await makeKeys(frameseal);
/** For checks that one key is enough for. */
export const aes256 = /** @type {KeyPair} */ (keys.find((key) => key.name === 'AES-256'));

/** @param {Suite} suite @param {number} choice @returns {PolicyName} */
export function writePolicy(suite, choice) {
  if (!isCommitting(suite)) return 'FORBID_ENCRYPT_ALLOW_DECRYPT';
  return pick(['REQUIRE_ENCRYPT_REQUIRE_DECRYPT', 'REQUIRE_ENCRYPT_ALLOW_DECRYPT'], choice >>> 4);
}

/** @param {Suite} suite @param {number} choice @returns {PolicyName} */
export function readPolicy(suite, choice) {
  /** @type {PolicyName[]} */
  const allowed = ['FORBID_ENCRYPT_ALLOW_DECRYPT', 'REQUIRE_ENCRYPT_ALLOW_DECRYPT'];
  if (isCommitting(suite)) allowed.push('REQUIRE_ENCRYPT_REQUIRE_DECRYPT');
  return pick(allowed, choice >>> 8);
}

/** @param {Suite} suite @param {number} choice @returns {Mode} */
export function readMode(suite, choice) {
  return { policy: readPolicy(suite, choice), chunk: chunkOf(choice) };
}

/**
 * One message of four goes through the streams of a library.
 * @param {number} choice
 * @param {number} [bit] from which the choice is made: another one for each library
 */
export function chunkOf(choice, bit = 12) {
  return pick([0, 0, 0, pick(CHUNKS, choice >>> (bit + 4))], choice >>> bit);
}

/** @param {number} choice @returns {EngineChoice} */
export function engineOf(choice) {
  return pick(engines, choice >>> 20);
}

/**
 * @template T
 * @param {readonly T[]} list
 * @param {number} choice
 * @returns {T}
 */
function pick(list, choice) {
  return /** @type {T} */ (list[choice % list.length]);
}

/** The engines that this build has; one that it has not is named among the exclusions. */
async function availableEngines() {
  const keyring = frameseal.rawAesKeyring({
    keyNamespace: 'a',
    keyName: 'b',
    wrappingKey: new Uint8Array(16),
  });
  /** @type {EngineChoice[]} */
  const available = [];
  for (const engine of /** @type {const} */ (['auto', 'native', 'wasm', 'hybrid'])) {
    try {
      await frameseal.encrypt(new Uint8Array(1), { keyring, engine });
      available.push(engine);
    } catch (error) {
      if (!(error instanceof frameseal.FramesealError && error.code === 'UNSUPPORTED')) throw error;
      report.exclude(`engine ${engine}: not in this build of frameseal`);
    }
  }
  return available;
}

/** @param {string} file of the build */
async function load(file) {
  const repository = fileURLToPath(new URL('../../', import.meta.url));
  const dist = resolve(process.env.FRAMESEAL_DIST ?? resolve(repository, 'dist'));
  return import(pathToFileURL(resolve(dist, file)).href);
}
