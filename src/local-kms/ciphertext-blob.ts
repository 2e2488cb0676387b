/**
 * The ciphertext blob: opaque to clients, self-describing to the server.
 *
 *   +------------------------ identity (124) -----------------------+------------ payload ------------+
 *   | IV (12) | AES-256-GCM(server secret; which key) (96 + tag 16)  | IV (12) | ciphertext | tag (16) |
 *   +---------------------------------------------------------------+---------------------------------+
 *   identity plaintext: version (1) | multi-region (1) | key id (16) | key material id (32) | zeros (46)
 *
 * The whole blob looks random: no ARN shows, so nobody can come to rely on parsing it. The identity is under
 * a secret of the server, so blobs of another server are foreign. It names no region: a blob of a multi-Region
 * key opens wherever a replica has the same id and material. The payload is under one of the key's own materials,
 * the current one when it was sealed, and authenticates the identity as well as the encryption context. A blob is 152 bytes longer than its
 * plaintext, about as much as one of AWS, so that test messages have realistic sizes.
 */
import { createCipheriv, createDecipheriv, createHash } from 'node:crypto';
import { dashed, isMultiRegionId } from './arn.ts';
import type { Entropy } from './entropy.ts';
import { currentMaterial, type KeyMaterial, type KmsKey } from './kms-key.ts';

const VERSION = 1;
const IV = 12;
const TAG = 16;
const IDENTITY_PLAINTEXT = 96;
const IDENTITY = IV + IDENTITY_PLAINTEXT + TAG;

/** Which key made a blob: a key id together with the id of its material. */
export interface BlobIdentity {
  readonly keyId: string;
  readonly materialId: string;
}

export class BlobSealer {
  readonly #secret: Uint8Array;
  readonly #entropy: Entropy;

  /** `secret`: 32 bytes that only this server has. */
  constructor(secret: Uint8Array, entropy: Entropy) {
    this.#secret = secret;
    this.#entropy = entropy;
  }

  /** Encrypts under the key's current material. The key must have one. */
  seal(key: KmsKey, plaintext: Uint8Array, aad: Uint8Array): Buffer {
    const ivs = this.#entropy.bytes(2 * IV, 'blob', key.arn, digest(aad), digest(plaintext));
    const identity = seal(this.#secret, ivs.subarray(0, IV), identityOf(key));
    const { bytes } = currentMaterial(key);
    return Buffer.concat([identity, seal(bytes, ivs.subarray(IV), plaintext, identity, aad)]);
  }

  /** The key a blob names; `undefined` for a foreign, short or damaged blob. */
  identify(blob: Uint8Array): BlobIdentity | undefined {
    const plain = open(this.#secret, blob.subarray(0, IDENTITY));
    if (plain?.length !== IDENTITY_PLAINTEXT || plain[0] !== VERSION) return undefined;
    const digits = plain.toString('hex', 2, 18);
    const keyId = plain[1] === 1 ? `mrk-${digits}` : dashed(digits);
    return { keyId, materialId: plain.toString('hex', 18, 50) };
  }

  /** The plaintext; `undefined` if material, context or any byte of the blob is not the right one. */
  open(material: KeyMaterial, blob: Uint8Array, aad: Uint8Array): Buffer | undefined {
    const identity = blob.subarray(0, IDENTITY);
    return open(material.bytes, blob.subarray(IDENTITY), identity, aad);
  }

  /** The length of the plaintext of a blob of this server. */
  plaintextLength(blob: Uint8Array): number {
    return blob.length - IDENTITY - IV - TAG;
  }
}

/** The public id of key material: what KMS answers as `KeyMaterialId`. */
export function materialIdOf({ bytes }: KeyMaterial): string {
  return createHash('sha256').update('local-kms key material id').update(bytes).digest('hex');
}

function identityOf(key: KmsKey): Buffer {
  const plain = Buffer.alloc(IDENTITY_PLAINTEXT);
  plain[0] = VERSION;
  plain[1] = isMultiRegionId(key.id) ? 1 : 0;
  plain.write(key.id.replace('mrk-', '').replaceAll('-', ''), 2, 'hex');
  plain.write(materialIdOf(currentMaterial(key)), 18, 'hex');
  return plain;
}

function seal(key: Uint8Array, iv: Uint8Array, plaintext: Uint8Array, ...aad: Uint8Array[]): Buffer {
  const cipher = createCipheriv('aes-256-gcm', key, iv, { authTagLength: TAG });
  cipher.setAAD(Buffer.concat(aad));
  return Buffer.concat([iv, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

function open(key: Uint8Array, sealed: Uint8Array, ...aad: Uint8Array[]): Buffer | undefined {
  if (sealed.length < IV + TAG) return undefined;
  const end = sealed.length - TAG;
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, IV), { authTagLength: TAG });
  decipher.setAAD(Buffer.concat(aad)).setAuthTag(sealed.subarray(end));
  const plaintext = decipher.update(sealed.subarray(IV, end));
  try {
    decipher.final();
    return plaintext;
  } catch {
    plaintext.fill(0);
    return undefined;
  }
}

function digest(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}
