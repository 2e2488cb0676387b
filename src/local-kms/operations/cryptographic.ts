/**
 * The cryptographic operations on symmetric encryption keys, and GenerateRandom.
 *
 * Source: AWS KMS API Reference, the actions of the same names; limits from the service's API model.
 * Answers name keys by key ARN, whatever form the request used.
 */
import { hasAccess, requireAccount, usedKey } from '../access.ts';
import { materialIdOf } from '../ciphertext-blob.ts';
import { contextAad, type EncryptionContext } from '../encryption-context.ts';
import {
  ciphertextKeyInaccessible,
  dryRunSucceeded,
  incompatibleAlgorithm,
  incorrectKey,
  invalidCiphertext,
  invalidUsage,
  validation,
} from '../errors.ts';
import { requireUsable } from '../key-id.ts';
import { currentMaterial, type KeyMaterial, type KmsKey } from '../kms-key.ts';
import { type Call, endDryRun, type Operation, type Reply } from './operation.ts';

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
  const context = input.pairs('EncryptionContext');
  const key = encryptionKey(call, 'KeyId', { action: 'Encrypt', context, algorithm: 'EncryptionAlgorithm' });
  const aad = contextAad(context);
  endDryRun(call);
  const blob = kms.blobs.seal(key, plaintext, aad);
  return { CiphertextBlob: blob.toString('base64'), KeyId: key.arn, EncryptionAlgorithm: ALGORITHM };
};

export const decrypt: Operation = (call) => {
  call.input.refuse('Recipient');
  const context = call.input.pairs('EncryptionContext');
  const use = { action: 'Decrypt', context, algorithm: 'EncryptionAlgorithm' };
  const { key, material, plaintext } = openBlob(call, 'KeyId', use);
  endDryRun(call);
  return {
    KeyId: key.arn,
    Plaintext: plaintext.toString('base64'),
    EncryptionAlgorithm: ALGORITHM,
    KeyMaterialId: materialIdOf(material),
  };
};

export const reEncrypt: Operation = (call) => {
  const { input, kms } = call;
  const from = input.pairs('SourceEncryptionContext');
  const to = input.pairs('DestinationEncryptionContext');
  const use = { action: 'ReEncryptFrom', context: from, algorithm: 'SourceEncryptionAlgorithm' };
  const key = encryptionKey(call, 'DestinationKeyId', {
    action: 'ReEncryptTo',
    context: to,
    algorithm: 'DestinationEncryptionAlgorithm',
  });
  const aad = contextAad(to);
  const source = openBlob(call, 'SourceKeyId', use);
  endDryRun(call);
  return {
    CiphertextBlob: kms.blobs.seal(key, source.plaintext, aad).toString('base64'),
    SourceKeyId: source.key.arn,
    KeyId: key.arn,
    SourceEncryptionAlgorithm: ALGORITHM,
    DestinationEncryptionAlgorithm: ALGORITHM,
    SourceKeyMaterialId: materialIdOf(source.material),
    DestinationKeyMaterialId: materialIdOf(currentMaterial(key)),
  };
};

export const generateRandom: Operation = (call) => {
  const { input, kms, region } = call;
  requireAccount(call);
  input.refuse('Recipient', 'CustomKeyStoreId');
  const length = input.integer('NumberOfBytes', 1, MAX_RANDOM);
  if (length === undefined) throw validation('Please specify number of bytes.');
  return { Plaintext: kms.entropy.bytes(length, 'random', region).toString('base64') };
};

/** What a request does with a key. */
interface KeyUse {
  readonly action: string;
  readonly context: EncryptionContext | undefined;
  /** The member that names the algorithm, if the operation has one. */
  readonly algorithm?: string;
}

interface OpenedBlob {
  readonly key: KmsKey;
  readonly material: KeyMaterial;
  readonly plaintext: Buffer;
}

function newDataKey(call: Call): { reply: Reply; plaintext: Buffer } {
  const { input, kms, operation } = call;
  const length = dataKeyLength(call);
  const context = input.pairs('EncryptionContext');
  const key = encryptionKey(call, 'KeyId', { action: operation, context });
  const aad = contextAad(context);
  endDryRun(call);
  const plaintext = kms.entropy.bytes(length, 'data key', key.arn, aad);
  const blob = kms.blobs.seal(key, plaintext, aad).toString('base64');
  const KeyMaterialId = materialIdOf(currentMaterial(key));
  return { reply: { CiphertextBlob: blob, KeyId: key.arn, KeyMaterialId }, plaintext };
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
function openBlob(call: Call, member: string, use: KeyUse): OpenedBlob {
  const { input, kms } = call;
  if (ignoresCiphertext(call)) {
    encryptionKey(call, member, use);
    throw dryRunSucceeded();
  }
  const blob = input.blob('CiphertextBlob', MAX_BLOB);
  const aad = contextAad(use.context);
  const { key, material } = blobKey(call, blob, input.optionalText(member), use);
  requireEncryptionKey(call, key, use);
  const plaintext = kms.blobs.open(material, blob, aad);
  if (plaintext === undefined) throw invalidCiphertext();
  return { key, material, plaintext };
}

/** A dry run may ask for the permission alone; then there need not be a blob, but a key id. */
function ignoresCiphertext({ input }: Call): boolean {
  const modifiers = input.texts('DryRunModifiers', 1);
  const unknown = modifiers.find((modifier) => modifier !== 'IGNORE_CIPHERTEXT');
  if (unknown !== undefined) throw validation(`${unknown} is not a DryRunModifier.`);
  if (modifiers.length > 0 && !input.flag('DryRun')) throw validation('DryRunModifiers need DryRun.');
  return modifiers.length > 0;
}

function blobKey(
  call: Call,
  blob: Buffer,
  keyId: string | undefined,
  { action, context }: KeyUse,
): { key: KmsKey; material: KeyMaterial } {
  const { kms, region } = call;
  const named = keyId === undefined ? undefined : usedKey(call, keyId, action, context);
  const identity = kms.blobs.identify(blob);
  if (identity === undefined) throw invalidCiphertext();
  const key = kms.store.key(region, identity.keyId);
  const material = key?.materials.find((one) => materialIdOf(one) === identity.materialId);
  const found = key && material && kms.store.isVisible(key) ? { key, material } : undefined;
  if (named !== undefined && named !== found?.key) throw incorrectKey();
  if (found === undefined || !hasAccess(call, found.key, action, context)) throw ciphertextKeyInaccessible();
  return found;
}

function encryptionKey(call: Call, member: string, use: KeyUse): KmsKey {
  const key = usedKey(call, call.input.requiredText(member), use.action, use.context);
  return requireEncryptionKey(call, key, use);
}

function requireEncryptionKey({ input, operation }: Call, key: KmsKey, { algorithm }: KeyUse): KmsKey {
  requireUsable(key);
  if (key.usage !== 'ENCRYPT_DECRYPT') throw invalidUsage(key.arn, key.usage, operation);
  const asked = algorithm === undefined ? ALGORITHM : (input.oneOf(algorithm, ALGORITHMS) ?? ALGORITHM);
  if (asked !== ALGORITHM) throw incompatibleAlgorithm(asked);
  return key;
}
