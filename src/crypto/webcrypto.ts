/**
 * Primitives by WebCrypto, in browsers, workers and every runtime without `node:crypto`.
 *
 * What an engine lacks is filled in by `@noble/curves`, loaded when it is first needed: the import of compressed
 * points (WebKit) and ECDSA as a whole.
 */
import { type Bytes, concat } from '../bytes.ts';
import { FramesealError, invalidArgument } from '../errors.ts';
import { type HashName, type SignatureAlgorithm, TAG_LENGTH } from '../suite/algorithm-suites.ts';
import type {
  AesKey,
  Crypto,
  HkdfOutput,
  RandomSource,
  RsaDecryptor,
  RsaEncryptor,
  RsaPadding,
  Signer,
  SigningKey,
  SigningKeyUse,
  WebCryptoKey,
} from './crypto.ts';
import { OAEP_HASH } from './crypto.ts';
import { compressPoint, isCompressedPoint } from './ec-point.ts';
import { pemBytes } from './pem.ts';

/** The primitives over `globalThis.crypto.subtle`. */
export function createWebCrypto(): Crypto {
  return {
    name: 'webcrypto',
    aesGcmSeal: seal,
    aesGcmOpen: open,
    hash: async (hash, ...parts) => new Uint8Array(await crypto.subtle.digest(hash, concat(...parts))),
    hmac,
    hkdf,
    generateSigningKey,
    verify,
    verifier: async (algorithm, publicKey) => (await import('./noble.ts')).verifier(algorithm, publicKey),
    rsaEncryptor,
    rsaDecryptor,
  };
}

/**
 * An AES-GCM key for WebCrypto.
 * @throws FramesealError `UNSUPPORTED` where the runtime lacks this key length (Chromium has no AES-192).
 */
export async function importAesKey(key: AesKey, usage: 'encrypt' | 'decrypt'): Promise<CryptoKey> {
  if (!(key instanceof Uint8Array)) return key as CryptoKey;
  try {
    return await crypto.subtle.importKey('raw', source(key), 'AES-GCM', false, [usage]);
  } catch (cause) {
    throw unsupported(`AES-${key.length * 8}-GCM`, cause);
  }
}

/** Bytes as WebCrypto takes them: views into shared memory are refused by some engines, so they are copied. */
export function source(bytes: Uint8Array): Bytes {
  return bytes.buffer instanceof ArrayBuffer ? (bytes as Bytes) : new Uint8Array(bytes);
}

/** AES-GCM parameters. */
export function gcm(iv: Uint8Array, aad: Uint8Array): AesGcmParams {
  return { name: 'AES-GCM', iv: source(iv), additionalData: source(aad), tagLength: TAG_LENGTH * 8 };
}

async function seal(key: AesKey, iv: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Promise<Bytes> {
  const parameters = gcm(iv.slice(), aad.slice());
  const imported = await importAesKey(key, 'encrypt');
  return new Uint8Array(await crypto.subtle.encrypt(parameters, imported, source(plaintext)));
}

async function open(
  key: AesKey,
  iv: Uint8Array,
  aad: Uint8Array,
  sealed: Uint8Array,
): Promise<Bytes | undefined> {
  const parameters = gcm(iv.slice(), aad.slice());
  const imported = await importAesKey(key, 'decrypt');
  try {
    return new Uint8Array(await crypto.subtle.decrypt(parameters, imported, source(sealed)));
  } catch (error) {
    if (isNamed(error, 'OperationError')) return undefined;
    throw error;
  }
}

async function hmac(hash: HashName, key: Uint8Array, ...parts: readonly Uint8Array[]): Promise<Bytes> {
  const imported = await crypto.subtle.importKey('raw', source(key), { name: 'HMAC', hash }, false, ['sign']);
  return new Uint8Array(await crypto.subtle.sign('HMAC', imported, concat(...parts)));
}

async function hkdf(
  hash: HashName,
  key: Uint8Array,
  salt: Uint8Array,
  outputs: readonly HkdfOutput[],
): Promise<readonly Bytes[]> {
  const imported = await crypto.subtle.importKey('raw', source(key), 'HKDF', false, ['deriveBits']);
  return Promise.all(
    outputs.map(async ({ info, length }) => {
      const parameters = { name: 'HKDF', hash, salt: source(salt), info: source(info) };
      return new Uint8Array(await crypto.subtle.deriveBits(parameters, imported, length * 8));
    }),
  );
}

// WebCrypto hashes a message itself, and only a whole one. So a key that signs in pieces is noble's; one that signs several
// messages, whole ones and in pieces, is WebCrypto's and can be exported for the latter.
async function generateSigningKey(
  algorithm: SignatureAlgorithm,
  random: RandomSource,
  { inPieces = false, reusable = false }: SigningKeyUse = {},
): Promise<SigningKey> {
  if (inPieces && !reusable) return (await import('./noble.ts')).generateSigningKey(algorithm, random);
  let pair: CryptoKeyPair;
  try {
    const parameters = { name: 'ECDSA', namedCurve: algorithm.curve };
    pair = await crypto.subtle.generateKey(parameters, inPieces, ['sign', 'verify']);
  } catch (error) {
    if (!isNamed(error, 'NotSupportedError')) throw error;
    return (await import('./noble.ts')).generateSigningKey(algorithm, random, reusable);
  }
  const point = new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey));
  const n = algorithm.scalarLength;
  const publicKey = compressPoint(point.subarray(1, 1 + n), point.subarray(1 + n));
  const signer = inPieces && (await exportingSigner(algorithm, pair.privateKey, publicKey));
  const parameters = { name: 'ECDSA', hash: algorithm.hash };
  return {
    publicKey,
    sign: async (message) =>
      new Uint8Array(await crypto.subtle.sign(parameters, pair.privateKey, source(message))),
    ...(signer && { signer }),
  };
}

// The scalar is in memory of ours only while it signs.
async function exportingSigner(
  algorithm: SignatureAlgorithm,
  privateKey: CryptoKey,
  publicKey: Bytes,
): Promise<() => Signer> {
  const { digestSigner, signVerified } = await import('./noble.ts');
  const sign = async (digest: Uint8Array) => {
    const scalar = await scalarOf(algorithm, privateKey);
    try {
      return signVerified(algorithm, scalar, publicKey, digest);
    } finally {
      scalar.fill(0);
    }
  };
  return () => digestSigner(algorithm, sign);
}

// PKCS#8, RFC 5958, holds an ECPrivateKey, RFC 5915: 02 01 01 | 04 length scalar. What is before it has no such bytes.
async function scalarOf({ scalarLength }: SignatureAlgorithm, privateKey: CryptoKey): Promise<Bytes> {
  const der = new Uint8Array(await crypto.subtle.exportKey('pkcs8', privateKey));
  const before = [0x02, 0x01, 0x01, 0x04, scalarLength];
  const at = der.findIndex((_, i) => before.every((byte, j) => der[i + j] === byte)) + before.length;
  const scalar = der.slice(at, at + scalarLength);
  der.fill(0);
  return scalar;
}

async function verify(
  algorithm: SignatureAlgorithm,
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  if (!isCompressedPoint(publicKey, algorithm.scalarLength)) return false;
  let imported: CryptoKey | undefined;
  try {
    imported = await importPoint(algorithm, publicKey);
  } catch (error) {
    if (!isNamed(error, 'NotSupportedError')) throw error;
    return (await import('./noble.ts')).verify(algorithm, publicKey, message, signature);
  }
  if (imported === undefined) return false;
  const parameters = { name: 'ECDSA', hash: algorithm.hash };
  return crypto.subtle.verify(parameters, imported, source(signature), source(message));
}

// Undefined: no such point. WebKit imports no compressed points, so the point is uncompressed by noble and tried again.
async function importPoint(algorithm: SignatureAlgorithm, point: Uint8Array): Promise<CryptoKey | undefined> {
  const load = (bytes: Uint8Array) =>
    crypto.subtle.importKey('raw', source(bytes), { name: 'ECDSA', namedCurve: algorithm.curve }, false, [
      'verify',
    ]);
  try {
    return await load(point);
  } catch (error) {
    if (isNamed(error, 'NotSupportedError')) throw error;
    const uncompressed = (await import('./noble.ts')).uncompressPoint(algorithm, point);
    return uncompressed === undefined ? undefined : load(uncompressed);
  }
}

async function rsaEncryptor(padding: RsaPadding, key: string | WebCryptoKey): Promise<RsaEncryptor> {
  const imported = await importRsaKey(padding, key, 'encrypt');
  return {
    encrypt: async (plaintext) =>
      new Uint8Array(await crypto.subtle.encrypt({ name: 'RSA-OAEP' }, imported, source(plaintext))),
  };
}

async function rsaDecryptor(padding: RsaPadding, key: string | WebCryptoKey): Promise<RsaDecryptor> {
  const imported = await importRsaKey(padding, key, 'decrypt');
  return {
    decrypt: async (ciphertext, length) => {
      try {
        const parameters = { name: 'RSA-OAEP' };
        const plaintext = await crypto.subtle.decrypt(parameters, imported, source(ciphertext));
        return withLeadingZeros(new Uint8Array(plaintext), length);
      } catch {
        return undefined;
      }
    },
  };
}

/** Zeros that are put back: a data key that begins with more comes once in 2^40. */
const MAX_LEADING_ZEROS = 4;

// Where RSA is done on integers, zeros at the front of what was decrypted can get lost, and each 256th data key begins with
// one. A block that really holds too few bytes fails at the header's tag instead.
function withLeadingZeros(plaintext: Bytes, length: number): Bytes {
  const missing = length - plaintext.length;
  if (missing <= 0 || missing > MAX_LEADING_ZEROS) return plaintext;
  const whole = concat(new Uint8Array(missing), plaintext);
  plaintext.fill(0);
  return whole;
}

async function importRsaKey(
  padding: RsaPadding,
  key: string | WebCryptoKey,
  usage: 'encrypt' | 'decrypt',
): Promise<CryptoKey> {
  if (padding === 'pkcs1') {
    throw new FramesealError(
      'UNSUPPORTED',
      'RSA PKCS#1 v1.5 needs a PEM key and raw RSA, which WebCrypto has not: use node:crypto, or an OAEP padding',
    );
  }
  const argument = usage === 'encrypt' ? 'publicKey' : 'privateKey';
  const hash = OAEP_HASH[padding];
  if (typeof key !== 'string') {
    checkRsaKey(key, hash, usage, argument);
    return key as CryptoKey;
  }
  const der = pemBytes(key, usage === 'encrypt' ? 'PUBLIC KEY' : 'PRIVATE KEY', argument);
  try {
    const format = usage === 'encrypt' ? 'spki' : 'pkcs8';
    return await crypto.subtle.importKey(format, der, { name: 'RSA-OAEP', hash }, false, [usage]);
  } catch {
    throw new FramesealError('INVALID_ARGUMENT', `"${argument}" is no RSA key: its DER does not decode`);
  }
}

function checkRsaKey(key: WebCryptoKey, hash: HashName, usage: string, argument: string): void {
  const algorithm = key.algorithm as { name: string; hash?: { name: string } };
  const fits = algorithm.name === 'RSA-OAEP' && algorithm.hash?.name === hash && key.usages.includes(usage);
  if (!fits) {
    const got = `${algorithm.name} ${algorithm.hash?.name ?? ''} with usages ${key.usages.join(', ') || 'none'}`;
    throw invalidArgument(argument, `an RSA-OAEP ${hash} key with usage ${usage}`, got);
  }
}

function unsupported(what: string, cause: unknown): FramesealError {
  return new FramesealError('UNSUPPORTED', `this runtime's WebCrypto has no ${what}`, { cause });
}

/** Whether an engine has thrown this kind of DOMException. */
export function isNamed(error: unknown, name: string): boolean {
  return error instanceof Error && error.name === name;
}
