/**
 * Primitives by `node:crypto`: the fastest native calls of Node, Deno and Bun, most of them synchronous.
 */
import type { KeyObject } from 'node:crypto';
import { type Bytes, concat, copy, equal, hexBytes } from '../bytes.ts';
import { FramesealError, invalidArgument, unreachable } from '../errors.ts';
import { type HashName, IV_LENGTH, type SignatureAlgorithm, TAG_LENGTH } from '../suite/algorithm-suites.ts';
import type {
  AesKey,
  Crypto,
  MaybePromise,
  RsaDecryptor,
  RsaEncryptor,
  RsaPadding,
  Signer,
  SigningKey,
  Verifier,
} from './crypto.ts';
import { OAEP_HASH } from './crypto.ts';
import { isCompressedPoint, takePoint } from './ec-point.ts';
import { decodeDer, encodeDer } from './ecdsa-der.ts';
import { type Hmac, hkdf } from './hkdf.ts';
import { nodeMajorVersion, runtimeName } from './node-builtin.ts';
import { pemBytes } from './pem.ts';
import { unpadOrSubstitute } from './pkcs1.ts';
import { platformRandom } from './random.ts';
import { createWebCrypto } from './webcrypto.ts';

type NodeCrypto = typeof import('node:crypto');

const DIGEST: Record<HashName, string> = {
  'SHA-1': 'sha1',
  'SHA-256': 'sha256',
  'SHA-384': 'sha384',
  'SHA-512': 'sha512',
};

/** Bytes of a message in pieces that are hashed twice at most: 5 ms or so. */
const MAX_HASHED_TWICE = 4 * 2 ** 20;

/** Everything of SubjectPublicKeyInfo (RFC 5480) before a compressed point. */
const COMPRESSED_SPKI: Record<SignatureAlgorithm['curve'], Bytes> = {
  'P-256': hexBytes('3039301306072a8648ce3d020106082a8648ce3d030107032200'),
  'P-384': hexBytes('3046301006072a8648ce3d020106052b81040022033200'),
};

/** The primitives over this module. WebCrypto keys stay with WebCrypto. */
export function createNodeCrypto(node: NodeCrypto): Crypto {
  const web = createWebCrypto();
  const hmac: Hmac = (hash, key, ...parts) => {
    const mac = node.createHmac(DIGEST[hash], key);
    for (const part of parts) mac.update(part);
    return moved(mac.digest());
  };
  const busy = inFlight();
  return {
    name: 'node',
    aesGcmSeal: (key, iv, aad, plaintext) =>
      isBytes(key) ? seal(node, key, iv, aad, plaintext) : web.aesGcmSeal(key, iv, aad, plaintext),
    aesGcmOpen: (key, iv, aad, sealed) =>
      isBytes(key) ? open(node, key, iv, aad, sealed) : web.aesGcmOpen(key, iv, aad, sealed),
    hash: (hash, ...parts) => {
      const digest = node.createHash(DIGEST[hash]);
      for (const part of parts) digest.update(part);
      return moved(digest.digest());
    },
    hmac,
    hkdf: (hash, key, salt, outputs) => hkdf(hmac, hash, key, salt, outputs),
    generateSigningKey: (algorithm, _random, use) => generateSigningKey(node, algorithm, busy, use?.reusable),
    verify: (algorithm, publicKey, message, signature) =>
      verify(node, algorithm, publicKey, message, signature, busy),
    verifier: (algorithm, publicKey) => verifier(node, algorithm, publicKey),
    rsaEncryptor: (padding, key) =>
      typeof key === 'string' ? rsaEncryptor(node, padding, key) : web.rsaEncryptor(padding, key),
    rsaDecryptor: (padding, key) =>
      typeof key === 'string' ? rsaDecryptor(node, padding, key, hmac) : web.rsaDecryptor(padding, key),
  };
}

/** The cipher name for a key of this many bytes. */
export function aesGcmName(keyLength: number): 'aes-128-gcm' | 'aes-192-gcm' | 'aes-256-gcm' {
  return keyLength === 32 ? 'aes-256-gcm' : keyLength === 24 ? 'aes-192-gcm' : 'aes-128-gcm';
}

/** Whether the module has AES-GCM with keys of 24 bytes. */
export function hasAes192(node: NodeCrypto): boolean {
  try {
    node.createCipheriv(aesGcmName(24), new Uint8Array(24), new Uint8Array(IV_LENGTH));
    return true;
  } catch {
    return false;
  }
}

function seal(
  node: NodeCrypto,
  key: Uint8Array,
  iv: Uint8Array,
  aad: Uint8Array,
  plaintext: Uint8Array,
): Bytes {
  const cipher = node.createCipheriv(aesGcmName(key.length), key, iv);
  cipher.setAAD(aad);
  const ciphertext = cipher.update(plaintext);
  cipher.final();
  return concat(ciphertext, cipher.getAuthTag());
}

function open(
  node: NodeCrypto,
  key: Uint8Array,
  iv: Uint8Array,
  aad: Uint8Array,
  sealed: Uint8Array,
): Bytes | undefined {
  const end = sealed.length - TAG_LENGTH;
  if (end < 0) return undefined;
  const decipher = node.createDecipheriv(aesGcmName(key.length), key, iv, { authTagLength: TAG_LENGTH });
  decipher.setAAD(aad);
  decipher.setAuthTag(sealed.subarray(end));
  const plaintext = decipher.update(sealed.subarray(0, end));
  try {
    decipher.final();
    return copy(plaintext);
  } catch {
    return undefined;
  } finally {
    plaintext.fill(0);
  }
}

function generateSigningKey(
  node: NodeCrypto,
  algorithm: SignatureAlgorithm,
  busy: InFlight,
  reusable = false,
): Promise<SigningKey> {
  const options = { namedCurve: algorithm.curve };
  const toKey = (pair: KeyPair) => toSigningKey(node, algorithm, pair, busy, reusable);
  return busy(
    () => toKey(node.generateKeyPairSync('ec', options)),
    (done, failed) =>
      node.generateKeyPair('ec', options, (error, publicKey, privateKey) =>
        error ? failed(error) : done(toKey({ publicKey, privateKey })),
      ),
  );
}

interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

function toSigningKey(
  node: NodeCrypto,
  algorithm: SignatureAlgorithm,
  pair: KeyPair,
  busy: InFlight,
  reusable: boolean,
): SigningKey {
  const digest = DIGEST[algorithm.hash];
  const publicKey = publicPoint(pair, algorithm);
  const again = reusable ? publicKey : undefined;
  let last: Bytes | undefined;
  return {
    publicKey,
    // Who is asked again wants another signature. Deno's are always the same for a message (RFC 6979).
    sign: async (message) => {
      const signature = await busy(
        () => node.sign(digest, message, pair.privateKey),
        (done, failed) =>
          node.sign(digest, message, pair.privateKey, (error, signed) =>
            error ? failed(error) : done(signed),
          ),
      ).then((der) => rawSignature(algorithm, der));
      if (last === undefined || !equal(signature, last)) {
        last = signature;
        return signature;
      }
      const hashed = copy(node.createHash(digest).update(message).digest());
      return signHedged(algorithm, pair.privateKey, again, hashed);
    },
    signer: () => signer(node, algorithm, pair.privateKey, again),
  };
}

// DER: an export as JWK makes strings while it holds the key's lock, and a garbage collection then may wait for that lock
// for ever, because the job that made the pair takes it when it is collected (Node 20). Writing SubjectPublicKeyInfo takes
// 0.1 ms in Node 20, a twelfth of a small signed message, and 0.02 from Node 22 on; ECPrivateKey takes 0.02 in both.
function publicPoint({ publicKey, privateKey }: KeyPair, { scalarLength }: SignatureAlgorithm): Bytes {
  const quick = runtimeName() === 'node' && nodeMajorVersion() === 20;
  const point =
    (quick ? takePoint(privateKey.export({ format: 'der', type: 'sec1' }), scalarLength) : undefined) ??
    takePoint(publicKey.export({ format: 'der', type: 'spki' }), scalarLength);
  if (point === undefined) throw unreachable('a public key ends with an uncompressed point');
  return point;
}

// OpenSSL signs what it has hashed itself, once, and never a digest. So the message is hashed twice: for OpenSSL, and for
// the one signature in some hundreds that misses its length and is made again, over the digest. Of a long message the
// second hash alone goes on: it would take longer than the signature itself. A key that signs several messages, whose public
// key is given, always signs by OpenSSL first, and what is made again is verified.
function signer(
  node: NodeCrypto,
  algorithm: SignatureAlgorithm,
  privateKey: KeyObject,
  reusable: Bytes | undefined,
): Signer {
  const digest = DIGEST[algorithm.hash];
  const hash = node.createHash(digest);
  let sign: ReturnType<NodeCrypto['createSign']> | undefined = node.createSign(digest);
  let length = 0;
  let hashed: Bytes | undefined;
  return {
    update: (bytes) => {
      hash.update(bytes);
      length += bytes.length;
      if (length > MAX_HASHED_TWICE && !reusable) sign = undefined;
      sign?.update(bytes);
    },
    sign: async () => {
      if (sign !== undefined) {
        const der = sign.sign(privateKey);
        sign = undefined;
        return rawSignature(algorithm, der);
      }
      hashed ??= copy(hash.digest());
      return signHedged(algorithm, privateKey, reusable, hashed);
    },
  };
}

// Another signature of the same digest each time, by noble: its nonces are hedged with randomness (RFC 6979 section 3.6).
async function signHedged(
  algorithm: SignatureAlgorithm,
  privateKey: KeyObject,
  reusable: Bytes | undefined,
  digest: Bytes,
): Promise<Bytes> {
  const { signDigest, signVerified } = await import('./noble.ts');
  const secretKey = scalarOf(privateKey, algorithm);
  try {
    return reusable
      ? signVerified(algorithm, secretKey, reusable, digest)
      : signDigest(algorithm, secretKey, digest, platformRandom);
  } finally {
    secretKey.fill(0);
  }
}

// Signatures pass as DER: for r || s Node makes the key's curve once more, which takes 0.04 to 0.08 ms.
function rawSignature({ scalarLength }: SignatureAlgorithm, der: Uint8Array): Bytes {
  const rs = decodeDer(der, scalarLength);
  if (rs === undefined) throw unreachable('the platform signs with strict DER');
  return rs;
}

// ECPrivateKey, RFC 5915: 30 length | 02 01 01 | 04 length scalar. DER, as for the public key.
function scalarOf(privateKey: KeyObject, { scalarLength }: SignatureAlgorithm): Bytes {
  const der = privateKey.export({ format: 'der', type: 'sec1' });
  const at = (der[1]! < 0x80 ? 2 : 3) + 3 + 2;
  const scalar = copy(der.subarray(at, at + scalarLength));
  der.fill(0);
  return scalar;
}

function verify(
  node: NodeCrypto,
  algorithm: SignatureAlgorithm,
  point: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
  busy: InFlight,
): MaybePromise<boolean> {
  const publicKey = importPoint(node, algorithm, point);
  if (publicKey === undefined || signature.length !== 2 * algorithm.scalarLength) return false;
  const digest = DIGEST[algorithm.hash];
  const der = encodeDer(signature);
  return busy(
    () => node.verify(digest, message, publicKey, der),
    (done, failed) =>
      node.verify(digest, message, publicKey, der, (error, good) => (error ? failed(error) : done(good))),
  );
}

function verifier(node: NodeCrypto, algorithm: SignatureAlgorithm, point: Uint8Array): Verifier {
  const publicKey = importPoint(node, algorithm, point);
  const hash = node.createVerify(DIGEST[algorithm.hash]);
  return {
    update: (bytes) => {
      hash.update(bytes);
    },
    verify: (signature) =>
      publicKey !== undefined &&
      signature.length === 2 * algorithm.scalarLength &&
      hash.verify(publicKey, encodeDer(signature)),
  };
}

// `undefined` for what is no compressed point of the curve.
function importPoint(
  node: NodeCrypto,
  algorithm: SignatureAlgorithm,
  point: Uint8Array,
): KeyObject | undefined {
  if (!isCompressedPoint(point, algorithm.scalarLength)) return undefined;
  try {
    const der = concat(COMPRESSED_SPKI[algorithm.curve], point) as Buffer<ArrayBuffer>;
    return node.createPublicKey({ key: der, format: 'der', type: 'spki' });
  } catch {
    return undefined; // x is no point's coordinate
  }
}

function rsaEncryptor(node: NodeCrypto, padding: RsaPadding, pem: string): RsaEncryptor {
  const key = rsaKey('publicKey', () => {
    const der = pemBytes(pem, 'PUBLIC KEY', 'publicKey') as Buffer<ArrayBuffer>;
    return node.createPublicKey({ key: der, format: 'der', type: 'spki' });
  });
  const options = rsaOptions(node, padding);
  return { encrypt: (plaintext) => copy(node.publicEncrypt({ key, ...options }, plaintext)) };
}

function rsaDecryptor(node: NodeCrypto, padding: RsaPadding, pem: string, hmac: Hmac): RsaDecryptor {
  const key = rsaKey('privateKey', () => {
    const der = pemBytes(pem, 'PRIVATE KEY', 'privateKey') as Buffer<ArrayBuffer>;
    return node.createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  });
  if (padding === 'pkcs1') return pkcs1Decryptor(node, key, hmac);
  const options = rsaOptions(node, padding);
  return {
    decrypt: (ciphertext) => {
      try {
        return moved(node.privateDecrypt({ key, ...options }, ciphertext));
      } catch {
        return undefined;
      }
    },
  };
}

// Node itself refuses PKCS#1 v1.5 decryption where OpenSSL lacks implicit rejection, so the padding is ours.
function pkcs1Decryptor(node: NodeCrypto, key: KeyObject, hmac: Hmac): RsaDecryptor {
  const label = new TextEncoder().encode('frameseal pkcs1 implicit rejection');
  const secret = hmac('SHA-256', key.export({ type: 'pkcs8', format: 'der' }), label);
  const modulusLength = (key.asymmetricKeyDetails!.modulusLength! + 7) >> 3;
  return {
    decrypt: (ciphertext, length) => {
      if (ciphertext.length !== modulusLength || modulusLength < length + 11) return undefined;
      const substitute = hmac('SHA-256', secret, ciphertext);
      try {
        const encoded = node.privateDecrypt({ key, padding: node.constants.RSA_NO_PADDING }, ciphertext);
        const message = unpadOrSubstitute(encoded, length, substitute);
        encoded.fill(0);
        return message;
      } catch {
        return undefined; // a number at or above the modulus: no ciphertext of this key, as anyone can see
      }
    },
  };
}

function rsaOptions(node: NodeCrypto, padding: RsaPadding): { padding: number; oaepHash?: string } {
  return padding === 'pkcs1'
    ? { padding: node.constants.RSA_PKCS1_PADDING }
    : { padding: node.constants.RSA_PKCS1_OAEP_PADDING, oaepHash: DIGEST[OAEP_HASH[padding]] };
}

function rsaKey(argument: string, load: () => KeyObject): KeyObject {
  let key: KeyObject;
  try {
    key = load();
  } catch (error) {
    if (error instanceof FramesealError) throw error;
    throw new FramesealError('INVALID_ARGUMENT', `"${argument}" is no RSA key: its DER does not decode`);
  }
  if (key.asymmetricKeyType !== 'rsa')
    throw invalidArgument(argument, 'an RSA key', String(key.asymmetricKeyType));
  return key;
}

/** Runs an operation at once when it is the only one waiting, else on the platform's thread pool. */
type InFlight = <T>(
  now: () => T,
  later: (done: (value: T) => void, failed: (error: Error) => void) => void,
) => Promise<T>;

// One signature alone is quickest on this thread; many at once are 2 to 2.5 times quicker on the pool. All calls of
// one turn are counted before the first of them goes on.
function inFlight(): InFlight {
  let waiting = 0;
  return async (now, later) => {
    waiting++;
    try {
      await undefined;
      return waiting === 1 ? now() : await new Promise(later);
    } finally {
      waiting--;
    }
  };
}

// A copy with a buffer of its own; what the platform answered may lie in a pool, and is wiped.
function moved(answer: Uint8Array): Bytes {
  const bytes = copy(answer);
  answer.fill(0);
  return bytes;
}

function isBytes(key: AesKey): key is Uint8Array {
  return key instanceof Uint8Array;
}
