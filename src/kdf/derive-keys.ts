/**
 * From the data key to the keys of one message: the derived key that seals it, and the commit key that binds it.
 *
 * | suites | salt | info of the derived key | info of the commit key |
 * |---|---|---|---|
 * | 04 78, 05 78 | message id | suite id, `DERIVEKEY` | `COMMITKEY` |
 * | other HKDF suites | zeros | suite id, message id | none |
 * | 00 14, 00 46, 00 78 | identity: the derived key is the data key | | |
 *
 * Source: AWS Encryption SDK specification, `framework/transitive-requirements.md`.
 */
import { type Bytes, concat, copy, utf8, Writer } from '../bytes.ts';
import type { Crypto } from '../crypto/crypto.ts';
import { type AlgorithmSuite, COMMIT_KEY_LENGTH } from '../suite/algorithm-suites.ts';

/** The keys of one message. Both are the caller's to wipe. */
export interface MessageKeys {
  readonly derivedKey: Bytes;
  /** Empty for suites without commitment. */
  readonly commitKey: Bytes;
}

const DERIVE_KEY = utf8('DERIVEKEY')!;
const COMMIT_KEY = utf8('COMMITKEY')!;
const NONE: Bytes = new Uint8Array(0);

/** Derives the keys of the message with this id. Both results have buffers of their own. */
export async function deriveKeys(
  crypto: Crypto,
  suite: AlgorithmSuite,
  dataKey: Uint8Array,
  messageId: Uint8Array,
): Promise<MessageKeys> {
  if (suite.kdf === undefined) return { derivedKey: copy(dataKey), commitKey: NONE };
  const id = new Writer(2).u16(suite.id).bytes;
  if (!suite.committing) {
    const info = concat(id, messageId);
    const [derivedKey] = await crypto.hkdf(suite.kdf, dataKey, NONE, [{ info, length: suite.keyLength }]);
    return { derivedKey: derivedKey!, commitKey: NONE };
  }
  const [derivedKey, commitKey] = await crypto.hkdf(suite.kdf, dataKey, messageId, [
    { info: concat(id, DERIVE_KEY), length: suite.keyLength },
    { info: COMMIT_KEY, length: COMMIT_KEY_LENGTH },
  ]);
  return { derivedKey: derivedKey!, commitKey: commitKey! };
}
