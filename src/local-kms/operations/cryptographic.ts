/**
 * The cryptographic operations on symmetric encryption keys, and GenerateRandom.
 *
 * Source: AWS KMS API Reference, the actions of the same names; limits from the service's API model.
 * Answers name keys by key ARN, whatever form the request used.
 */

import { materialIdOf } from '../ciphertext-blob.ts';
import { contextAad } from '../encryption-context.ts';
import {
  ciphertextKeyInaccessible,
  incompatibleAlgorithm,
  incorrectKey,
  invalidCiphertext,
  invalidUsage,
  validation,
} from '../errors.ts';
import { requireUsable, resolveKey } from '../key-id.ts';
import type { KmsKey } from '../key-store.ts';
import type { Call, Operation, Reply } from './operation.ts';

const ALGORITHM = 'SYMMETRIC_DEFAULT';
const ALGORITHMS = [ALGORITHM, 'RSAES_OAEP_SHA_1', 'RSAES_OAEP_SHA_256', 'SM2PKE'];
const MAX_PLAINTEXT = 4096;
const MAX_BLOB = 6144;
const MAX_RANDOM = 1024;

export const generateDataKey: Operation = (call) => {
  call.input.refuse('Recipient');
  const { reply, plaintext } = newDataKey(call);
  return { ...reply, Plaintext: plaintext.toString('base64') };
};

export const generateDataKeyWithoutPlaintext: Operation = (call) => newDataKey(call).reply;

export const encrypt: Operation = (call) => {
  const { input, kms } = call;
  const plaintext = input.blob('Plaintext', MAX_PLAINTEXT);
  const key = encryptionKey(call, input.requiredText('KeyId'), 'EncryptionAlgorithm');
  const blob = kms.blobs.seal(key, plaintext, contextAad(input.pairs('EncryptionContext')));
  return { CiphertextBlob: blob.toString('base64'), KeyId: key.arn, EncryptionAlgorithm: ALGORITHM };
};

export const decrypt: Operation = (call) => {
  const { input } = call;
  input.refuse('Recipient', 'DryRunModifiers');
  const { key, plaintext } = openBlob(call, 'KeyId', 'EncryptionContext', 'EncryptionAlgorithm');
  return {
    KeyId: key.arn,
    Plaintext: plaintext.toString('base64'),
    EncryptionAlgorithm: ALGORITHM,
    KeyMaterialId: materialId(key),
  };
};

export const reEncrypt: Operation = (call) => {
  const { input, kms } = call;
  input.refuse('DryRunModifiers');
  const source = openBlob(call, 'SourceKeyId', 'SourceEncryptionContext', 'SourceEncryptionAlgorithm');
  const key = encryptionKey(call, input.requiredText('DestinationKeyId'), 'DestinationEncryptionAlgorithm');
  const aad = contextAad(input.pairs('DestinationEncryptionContext'));
  return {
    CiphertextBlob: kms.blobs.seal(key, source.plaintext, aad).toString('base64'),
    SourceKeyId: source.key.arn,
    KeyId: key.arn,
    SourceEncryptionAlgorithm: ALGORITHM,
    DestinationEncryptionAlgorithm: ALGORITHM,
    SourceKeyMaterialId: materialId(source.key),
    DestinationKeyMaterialId: materialId(key),
  };
};

export const generateRandom: Operation = ({ input, kms, region }) => {
  input.refuse('Recipient', 'CustomKeyStoreId');
  const length = input.integer('NumberOfBytes', 1, MAX_RANDOM);
  if (length === undefined) throw validation('Please specify number of bytes.');
  return { Plaintext: kms.entropy.bytes(length, 'random', region).toString('base64') };
};

function newDataKey(call: Call): { reply: Reply; plaintext: Buffer } {
  const { input, kms } = call;
  const keyId = input.requiredText('KeyId');
  const length = dataKeyLength(call);
  const key = encryptionKey(call, keyId);
  const aad = contextAad(input.pairs('EncryptionContext'));
  const plaintext = kms.entropy.bytes(length, 'data key', key.arn, aad);
  const blob = kms.blobs.seal(key, plaintext, aad);
  const reply = { CiphertextBlob: blob.toString('base64'), KeyId: key.arn, KeyMaterialId: materialId(key) };
  return { reply, plaintext };
}

/** Exactly one of KeySpec and NumberOfBytes says how long the data key is. */
function dataKeyLength({ input }: Call): number {
  const spec = input.oneOf('KeySpec', ['AES_256', 'AES_128']);
  const length = input.integer('NumberOfBytes', 1, MAX_RANDOM);
  if ((spec === undefined) === (length === undefined)) {
    throw validation('Please specify either number of bytes or key spec.');
  }
  return length ?? (spec === 'AES_256' ? 32 : 16);
}

/** Opens `CiphertextBlob` with the key that it names, which must be the one of the request if that names one. */
function openBlob(call: Call, keyId: string, context: string, algorithm: string) {
  const { input, kms } = call;
  const blob = input.blob('CiphertextBlob', MAX_BLOB);
  const aad = contextAad(input.pairs(context));
  const key = requireEncryptionKey(call, blobKey(call, blob, input.optionalText(keyId)), algorithm);
  const plaintext = kms.blobs.open(key, blob, aad);
  if (plaintext === undefined) throw invalidCiphertext();
  return { key, plaintext };
}

function blobKey({ kms, region }: Call, blob: Buffer, keyId: string | undefined): KmsKey {
  const named = keyId === undefined ? undefined : resolveKey(kms.store, region, keyId);
  const identity = kms.blobs.identify(blob);
  if (identity === undefined) throw invalidCiphertext();
  const found = kms.store.key(region, identity.keyId);
  const key = found?.material && materialId(found) === identity.materialId ? found : undefined;
  if (named !== undefined && named !== key) throw incorrectKey();
  if (key === undefined) throw ciphertextKeyInaccessible();
  return key;
}

function encryptionKey(call: Call, keyId: string, algorithm?: string): KmsKey {
  return requireEncryptionKey(call, resolveKey(call.kms.store, call.region, keyId), algorithm);
}

function requireEncryptionKey({ input, operation }: Call, key: KmsKey, algorithm?: string): KmsKey {
  requireUsable(key);
  if (key.usage !== 'ENCRYPT_DECRYPT') throw invalidUsage(key.arn, key.usage, operation);
  const asked = algorithm === undefined ? ALGORITHM : (input.oneOf(algorithm, ALGORITHMS) ?? ALGORITHM);
  if (asked !== ALGORITHM) throw incompatibleAlgorithm(asked);
  return key;
}

/** The id of a usable key's material. */
function materialId(key: KmsKey): string | undefined {
  return key.material && materialIdOf(key.material);
}
