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
import { type Bytes, concat, copy, equal, utf8, Writer } from '../bytes.ts';
import type { Crypto, HeaderCrypto, KeyDerivation, SealedHeader } from '../crypto/crypto.ts';
import { type AlgorithmSuite, COMMIT_KEY_LENGTH } from '../suite/algorithm-suites.ts';

/** The keys of one message. Both are the caller's to wipe. */
export interface MessageKeys {
  readonly derivedKey: Bytes;
  /** Empty for suites without commitment. */
  readonly commitKey: Bytes;
}

/** A header body, and what its tag is computed with. */
export interface HeaderInput {
  readonly messageId: Uint8Array;
  /** In committing suites its last 32 bytes are the commit key's place. */
  readonly body: Uint8Array;
  readonly iv: Uint8Array;
  /** What the tag covers behind the body. */
  readonly authenticatedOnly: Uint8Array;
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
  const derivation = derivationOf(suite, dataKey, messageId);
  if (derivation === undefined) return { derivedKey: copy(dataKey), commitKey: NONE };
  const { hash, salt, info, keyLength, commitInfo } = derivation;
  const outputs = [{ info, length: keyLength }];
  if (commitInfo) outputs.push({ info: commitInfo, length: COMMIT_KEY_LENGTH });
  const [derivedKey, commitKey = NONE] = await crypto.hkdf(hash, dataKey, salt, outputs);
  return { derivedKey: derivedKey!, commitKey };
}

/**
 * Derives the keys of a new message, writes the commit key into its header body, and makes the header's tag.
 * Source: AWS Encryption SDK specification, `client-apis/encrypt.md#construct-the-header`.
 */
export async function sealHeader(
  crypto: Crypto,
  suite: AlgorithmSuite,
  dataKey: Uint8Array,
  { messageId, body, iv, authenticatedOnly }: HeaderInput,
): Promise<SealedHeader> {
  const commitAt = body.length - (suite.committing ? COMMIT_KEY_LENGTH : 0);
  const derivation = derivationOf(suite, dataKey, messageId);
  const atOnce = headersAtOnce(crypto, body.length + authenticatedOnly.length);
  if (derivation && atOnce) {
    const sealed = atOnce.seal(derivation, iv, body, authenticatedOnly);
    body.set(sealed.commitKey, commitAt);
    return sealed;
  }
  const keys = await deriveKeys(crypto, suite, dataKey, messageId);
  body.set(keys.commitKey, commitAt);
  const tag = await crypto.aesGcmSeal(keys.derivedKey, iv, concat(body, authenticatedOnly), NONE);
  return { ...keys, tag };
}

/**
 * The derived key of a message whose header is authentic under this data key; `undefined` when the commitment or the tag
 * is wrong. Source: AWS Encryption SDK specification, `client-apis/decrypt.md#verify-the-header`.
 */
export async function openHeader(
  crypto: Crypto,
  suite: AlgorithmSuite,
  dataKey: Uint8Array,
  { messageId, body, iv, authenticatedOnly }: HeaderInput,
  tag: Uint8Array,
): Promise<Bytes | undefined> {
  const derivation = derivationOf(suite, dataKey, messageId);
  const atOnce = headersAtOnce(crypto, body.length + authenticatedOnly.length);
  if (derivation && atOnce) return atOnce.open(derivation, iv, body, authenticatedOnly, tag);
  const { derivedKey, commitKey } = await deriveKeys(crypto, suite, dataKey, messageId);
  const committed = equal(commitKey, body.subarray(body.length - commitKey.length));
  const opened =
    committed &&
    (await crypto.aesGcmOpen(derivedKey, iv, concat(body, authenticatedOnly), tag)) !== undefined;
  if (opened) return derivedKey;
  derivedKey.fill(0);
  return undefined;
}

function headersAtOnce(crypto: Crypto, length: number): HeaderCrypto | undefined {
  return crypto.headers && length <= crypto.headers.maxLength ? crypto.headers : undefined;
}

// `undefined` in suites whose derived key is the data key.
function derivationOf(
  suite: AlgorithmSuite,
  dataKey: Uint8Array,
  messageId: Uint8Array,
): KeyDerivation | undefined {
  const { kdf: hash, keyLength } = suite;
  if (hash === undefined) return undefined;
  const id = new Writer(2).u16(suite.id).bytes;
  return suite.committing
    ? { hash, dataKey, keyLength, salt: messageId, info: concat(id, DERIVE_KEY), commitInfo: COMMIT_KEY }
    : { hash, dataKey, keyLength, salt: NONE, info: concat(id, messageId), commitInfo: undefined };
}
