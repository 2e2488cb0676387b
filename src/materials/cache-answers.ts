/**
 * Answers of the underlying manager, made ready to be kept: nobody else holds what they are made of, and each request is
 * handed a copy.
 *
 * A caller's manager may answer anything. The protocol judges it when it is used; what one message alone may use is marked.
 */
import { type Bytes, copy } from '../bytes.ts';
import { checkEncryptedDataKey, copyEncryptedDataKey } from '../encrypted-data-key.ts';
import { materialsContext } from '../encryption-context.ts';
import { invalidArgument, kindOf } from '../errors.ts';
import { suiteById } from '../suite/algorithm-suites.ts';
import type { Answer, Materials } from './cache-entry.ts';
import type { CryptographicMaterialsManager } from './cmm.ts';
import { type DataKey, takeDataKey } from './data-key.ts';
import type { DecryptionMaterials, EncryptionMaterials } from './materials.ts';

/** @throws FramesealError `INVALID_ARGUMENT` for materials that are none; their data key is wiped. */
export function encryptionAnswer(
  cmm: CryptographicMaterialsManager,
  answer: EncryptionMaterials,
): Answer<EncryptionMaterials> {
  return owned(cmm, answer, (dataKey) => {
    const { plaintextDataKey: _, charge: __, ...rest } = answer;
    for (const edk of list('encryptedDataKeys', rest.encryptedDataKeys)) checkEncryptedDataKey(edk);
    list('requiredEncryptionContextKeys', rest.requiredEncryptionContextKeys);
    const materials = copiedEncryption({
      ...rest,
      encryptionContext: materialsContext(rest.encryptionContext),
    });
    const handOut = (plaintextDataKey: Bytes) => ({ ...copiedEncryption(materials), plaintextDataKey });
    return { materials, dataKey, handOut, single: isSingle(materials, dataKey), provisional: false };
  });
}

/**
 * @param provisional whether the message was asked if the data key is its own.
 * @throws FramesealError `INVALID_ARGUMENT` for materials that are none; their data key is wiped.
 */
export function decryptionAnswer(
  cmm: CryptographicMaterialsManager,
  answer: DecryptionMaterials,
  provisional: boolean,
): Answer<DecryptionMaterials> {
  return owned(cmm, answer, (dataKey) => {
    const { plaintextDataKey: _, ...rest } = answer;
    list('requiredEncryptionContextKeys', rest.requiredEncryptionContextKeys);
    const materials = copiedDecryption({
      ...rest,
      encryptionContext: materialsContext(rest.encryptionContext),
    });
    const handOut = (plaintextDataKey: Bytes) => ({ ...copiedDecryption(materials), plaintextDataKey });
    return { materials, dataKey, handOut, single: isSingle(materials, dataKey), provisional };
  });
}

// Owned before anything else is looked at, so that it is wiped whatever is wrong with the rest.
function owned<M extends Materials>(
  cmm: CryptographicMaterialsManager,
  answer: M,
  prepare: (dataKey: DataKey) => Answer<M>,
): Answer<M> {
  const bytes = answer?.plaintextDataKey;
  if (!(bytes instanceof Uint8Array)) throw wrong('a data key', bytes);
  const dataKey = takeDataKey(cmm, bytes);
  try {
    return prepare(dataKey);
  } catch (error) {
    dataKey.dispose();
    throw error;
  }
}

// Without key derivation the data key encrypts frames itself: two messages under it would share their nonces.
function isSingle({ algorithmSuite }: Materials, { bytes }: DataKey): boolean {
  const suite = suiteById(algorithmSuite?.id);
  return suite?.kdf === undefined || bytes.length !== suite.keyLength;
}

// Contexts are frozen: they are shared.
function copiedEncryption(materials: EncryptionMaterials): EncryptionMaterials {
  const { requiredEncryptionContextKeys, encryptedDataKeys, missingKeys = [] } = materials;
  return {
    ...materials,
    requiredEncryptionContextKeys: [...requiredEncryptionContextKeys],
    encryptedDataKeys: encryptedDataKeys.map(copyEncryptedDataKey),
    missingKeys: [...missingKeys],
  };
}

function copiedDecryption(materials: DecryptionMaterials): DecryptionMaterials {
  const { requiredEncryptionContextKeys, verificationKey } = materials;
  return {
    ...materials,
    requiredEncryptionContextKeys: [...requiredEncryptionContextKeys],
    ...(verificationKey && { verificationKey: copy(verificationKey) }),
  };
}

function list<T>(name: string, value: readonly T[]): readonly T[] {
  if (!Array.isArray(value)) throw wrong(`a list of ${name}`, value);
  return value;
}

function wrong(expected: string, got: unknown): Error {
  return invalidArgument('cmm', `to answer ${expected}`, kindOf(got));
}
