/**
 * The manager that is asked, by a call or by another manager: a default manager over the caller's keyring, or the
 * caller's own.
 */
import { invalidArgument, kindOf } from '../errors.ts';
import type { Keyring } from '../keyring/keyring.ts';
import type { CryptographicMaterialsManager } from './cmm.ts';
import { takeDataKey } from './data-key.ts';
import { defaultCmm } from './default-cmm.ts';

/** Exactly one of both. */
export interface UnderlyingOptions {
  readonly keyring?: Keyring | undefined;
  readonly cmm?: CryptographicMaterialsManager | undefined;
}

// One default manager for a keyring: it holds nothing of any message.
const managers = new WeakMap<Keyring, CryptographicMaterialsManager>();

/** @throws FramesealError `INVALID_ARGUMENT` unless exactly one is given, and is what it should be. */
export function underlyingCmm({ keyring, cmm }: UnderlyingOptions): CryptographicMaterialsManager {
  if ((keyring === undefined) === (cmm === undefined)) {
    const got = keyring === undefined ? 'neither' : 'both';
    throw invalidArgument('keyring', 'exactly one of "keyring" and "cmm"', got);
  }
  if (keyring !== undefined) {
    const known = managers.get(keyring) ?? defaultCmm({ keyring });
    managers.set(keyring, known);
    return known;
  }
  if (typeof cmm?.getEncryptionMaterials !== 'function' || typeof cmm.decryptMaterials !== 'function')
    throw invalidArgument('cmm', 'an object with getEncryptionMaterials and decryptMaterials', kindOf(cmm));
  return cmm;
}

/**
 * What the manager has answered, with a data key that is the receiver's to wipe. An answer without one is left as it is: the
 * protocol says what is wrong with it.
 */
export function ownedMaterials<M extends { readonly plaintextDataKey?: Uint8Array }>(
  cmm: CryptographicMaterialsManager,
  answer: M,
): M {
  if (!(answer?.plaintextDataKey instanceof Uint8Array)) return answer;
  return { ...answer, plaintextDataKey: takeDataKey(cmm, answer.plaintextDataKey).bytes };
}
