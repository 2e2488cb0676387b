/**
 * The seam to cryptographic primitives: what the format and the keyrings ask of a platform.
 *
 * Providers stand beside this file. Calls that a provider answers at once return the value, others a promise:
 * callers `await` both. Providers copy what they keep; they wipe nothing that they are given.
 */
import type { Bytes } from '../bytes.ts';
import type { HashName, SignatureAlgorithm } from '../suite/algorithm-suites.ts';

/** A value now or later. */
export type MaybePromise<T> = T | Promise<T>;

/** A `CryptoKey`, as far as types go: that of every runtime fits. */
export interface WebCryptoKey {
  readonly type: string;
  readonly extractable: boolean;
  readonly algorithm: { readonly name: string };
  readonly usages: readonly string[];
}

/** An AES key: 16, 24 or 32 bytes, or a WebCrypto key with AES-GCM usages, which need not be extractable. */
export type AesKey = Uint8Array | WebCryptoKey;

/** A request for bytes from one HKDF extract. */
export interface HkdfOutput {
  readonly info: Uint8Array;
  readonly length: number;
}

/** Padding of an RSA wrapping key. */
export type RsaPadding = 'pkcs1' | 'oaep-sha1' | 'oaep-sha256' | 'oaep-sha384' | 'oaep-sha512';

/** RSA public-key encryption of a data key. */
export interface RsaEncryptor {
  encrypt(plaintext: Uint8Array): MaybePromise<Bytes>;
}

/** RSA private-key decryption of a data key. */
export interface RsaDecryptor {
  /**
   * OAEP: the plaintext, or `undefined` when the padding is wrong. PKCS#1 v1.5: always `length` bytes: the
   * plaintext when the padding is right and of that length, else bytes that only the holder of the key can predict.
   */
  decrypt(ciphertext: Uint8Array, length: number): MaybePromise<Bytes | undefined>;
}

/** A private key that signs messages: one, or those that share a cached data key. A materials manager may supply its own. */
export interface SigningKey {
  /** The verification key: a compressed point (SEC 1 section 2.3.3), 33 bytes for P-256, 49 for P-384. */
  readonly publicKey: Bytes;
  /** ECDSA over the suite's hash of the message: r || s, each as long as the curve's order. */
  sign(message: Uint8Array): MaybePromise<Bytes>;
  /** Begins to sign a message that comes in pieces; streams need it. */
  signer?(): Signer;
}

/** What a signing key has to be good for. */
export interface SigningKeyUse {
  /** It signs a message that comes in pieces. */
  readonly inPieces?: boolean | undefined;
  /**
   * It signs several messages: by the platform where that can be, and whatever JavaScript signs is verified before it is
   * released. Its nonces are hedged with fresh bytes of the platform, never with those of one message.
   */
  readonly reusable?: boolean | undefined;
}

/** Signs a message that comes in pieces. */
export interface Signer {
  /** The next bytes of the message. They are read before it returns. */
  update(bytes: Uint8Array): void;
  /** After the last piece: r || s. Asked again, another signature of the same message. */
  sign(): MaybePromise<Bytes>;
}

/** Verifies the signature of a message that comes in pieces. */
export interface Verifier {
  /** The next bytes of the message. They are read before it returns. */
  update(bytes: Uint8Array): void;
  /** After the last piece, once. @param signature r || s. */
  verify(signature: Uint8Array): MaybePromise<boolean>;
}

/** How the keys of a message come from its data key: `kdf/derive-keys.ts`. */
export interface KeyDerivation {
  readonly hash: Exclude<HashName, 'SHA-1'>;
  readonly dataKey: Uint8Array;
  /** Empty: zeros of the hash's length. */
  readonly salt: Uint8Array;
  /** Of the derived key. */
  readonly info: Uint8Array;
  /** Bytes of the derived key: 16, 24 or 32. */
  readonly keyLength: number;
  /** Of the commit key, 32 bytes; absent in suites without commitment. */
  readonly commitInfo: Uint8Array | undefined;
}

/** A sealed header. All parts are the caller's. */
export interface SealedHeader {
  readonly derivedKey: Bytes;
  /** Empty without commitment. */
  readonly commitKey: Bytes;
  readonly tag: Bytes;
}

/** Derivation, commitment and tag of a header in one step. */
export interface HeaderCrypto {
  /** Bytes of headers up to which this is the fastest way. */
  readonly maxLength: number;
  /**
   * A commit key takes the place of the last 32 bytes of the header body, which itself is not changed.
   * @param authenticatedOnly bytes that the tag covers behind the header body.
   */
  seal(
    derivation: KeyDerivation,
    iv: Uint8Array,
    headerBody: Uint8Array,
    authenticatedOnly: Uint8Array,
  ): SealedHeader;
  /** The derived key if commitment, in the last 32 bytes of the header body, and tag both hold. */
  open(
    derivation: KeyDerivation,
    iv: Uint8Array,
    headerBody: Uint8Array,
    authenticatedOnly: Uint8Array,
    tag: Uint8Array,
  ): Bytes | undefined;
}

/** The primitives. */
export interface Crypto {
  /** Which platform answers. */
  readonly name: 'node' | 'webcrypto';
  /** AES-GCM, NIST SP 800-38D, 12-byte IV, 16-byte tag: ciphertext || tag. */
  aesGcmSeal(key: AesKey, iv: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): MaybePromise<Bytes>;
  /** The plaintext, or `undefined` when the tag is wrong. */
  aesGcmOpen(
    key: AesKey,
    iv: Uint8Array,
    aad: Uint8Array,
    sealed: Uint8Array,
  ): MaybePromise<Bytes | undefined>;
  /** A hash of the joined parts, FIPS 180-4. */
  hash(hash: HashName, ...parts: readonly Uint8Array[]): MaybePromise<Bytes>;
  /** HMAC of the joined parts, RFC 2104. */
  hmac(hash: HashName, key: Uint8Array, ...parts: readonly Uint8Array[]): MaybePromise<Bytes>;
  /** HKDF, RFC 5869: one extract, an expand for each output. An empty salt stands for zeros of the hash's length. */
  hkdf(
    hash: HashName,
    key: Uint8Array,
    salt: Uint8Array,
    outputs: readonly HkdfOutput[],
  ): MaybePromise<readonly Bytes[]>;
  /** Whole headers in one step, where a provider has that. */
  readonly headers?: HeaderCrypto;
  /** A fresh ECDSA key pair: by the platform's own generator, or from `random` where the platform has no ECDSA. */
  generateSigningKey(
    algorithm: SignatureAlgorithm,
    random: RandomSource,
    use?: SigningKeyUse,
  ): MaybePromise<SigningKey>;
  /**
   * ECDSA verification.
   * @param publicKey a compressed point; one that is not on the curve verifies nothing.
   * @param signature r || s.
   */
  verify(
    algorithm: SignatureAlgorithm,
    publicKey: Uint8Array,
    message: Uint8Array,
    signature: Uint8Array,
  ): MaybePromise<boolean>;
  /**
   * ECDSA verification of a message that comes in pieces.
   * @param publicKey a compressed point; one that is not on the curve verifies nothing.
   */
  verifier(algorithm: SignatureAlgorithm, publicKey: Uint8Array): MaybePromise<Verifier>;
  /** @throws FramesealError `UNSUPPORTED` for PKCS#1 v1.5 where the platform has no raw RSA. */
  rsaEncryptor(padding: RsaPadding, publicKey: string | WebCryptoKey): MaybePromise<RsaEncryptor>;
  /** @throws FramesealError `UNSUPPORTED` for PKCS#1 v1.5 where the platform has no raw RSA. */
  rsaDecryptor(padding: RsaPadding, privateKey: string | WebCryptoKey): MaybePromise<RsaDecryptor>;
}

/** Draws that many random bytes. */
export type RandomSource = (length: number) => Bytes;

/** The hash of an OAEP padding. */
export const OAEP_HASH: Record<Exclude<RsaPadding, 'pkcs1'>, HashName> = {
  'oaep-sha1': 'SHA-1',
  'oaep-sha256': 'SHA-256',
  'oaep-sha384': 'SHA-384',
  'oaep-sha512': 'SHA-512',
};
