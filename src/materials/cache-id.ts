/**
 * Under which key a cache keeps materials: the specification's cache entry identifier, and then what it leaves out.
 *
 * ```
 * E            = SHA-384( 01 00 scope 00 partition id, UTF-8 00 what is asked for )
 * encrypt: key = SHA-384( E | u32 length policy | u32 count ( u32 length required key ) ... sorted )
 * decrypt: key = SHA-384( E | u32 length policy | u32 length reproduced pairs | u32 count of encrypted data keys )
 * ```
 * The second hash keeps apart what E joins: requests under different commitment policies, with different required keys, and
 * with different reproduced pairs; and lists of encrypted data keys, whose end E does not mark.
 * Source: AWS Encryption SDK specification, `framework/caching-cmm.md#appendix-a-cache-entry-identifier-formulas`.
 */
import { type Bytes, base64, compare, concat, utf8, Writer } from '../bytes.ts';
import { nativeCrypto } from '../crypto/default-crypto.ts';
import { EMPTY_CONTEXT, serializeContext } from '../encryption-context.ts';
import { invalidArgument, kindOf } from '../errors.ts';
import { encodeEncryptedDataKey } from '../format/encrypted-data-keys.ts';
import type { AlgorithmSuite } from '../suite/algorithm-suites.ts';
import { type CommitmentPolicy, resolvePolicy } from '../suite/commitment-policy.ts';
import type { DecryptionMaterialsRequest, EncryptionMaterialsRequest } from './cmm.ts';

const NULL_BYTE = Uint8Array.of(0);
const CACHING_CMM = Uint8Array.of(1);
const ENCRYPT = Uint8Array.of(1);
const DECRYPT = Uint8Array.of(2);
const WITHOUT_SUITE = Uint8Array.of(0);
const WITH_SUITE = Uint8Array.of(1);

/** The key of encryption materials. @throws FramesealError `INVALID_ARGUMENT`, `LIMIT_EXCEEDED` */
export async function encryptionKey(
  partitionId: string,
  request: EncryptionMaterialsRequest,
): Promise<string> {
  const { commitmentPolicy, requiredEncryptionContextKeys = [] } = request;
  const id = await encryptionEntryId(partitionId, request);
  return cacheKey(id, [policy(commitmentPolicy), ...requiredKeys(requiredEncryptionContextKeys)]);
}

/** The key of decryption materials. @throws FramesealError `INVALID_ARGUMENT`, `LIMIT_EXCEEDED` */
export async function decryptionKey(
  partitionId: string,
  request: DecryptionMaterialsRequest,
): Promise<string> {
  const { commitmentPolicy, encryptedDataKeys, reproducedEncryptionContext = EMPTY_CONTEXT } = request;
  const id = await decryptionEntryId(partitionId, request);
  const reproduced = sized(serializeContext(reproducedEncryptionContext));
  return cacheKey(id, [policy(commitmentPolicy), reproduced, u32(encryptedDataKeys.length)]);
}

/** E of encryption materials: 48 bytes. */
export async function encryptionEntryId(
  partitionId: string,
  { algorithmSuite, encryptionContext }: EncryptionMaterialsRequest,
): Promise<Bytes> {
  const suite = algorithmSuite ? [WITH_SUITE, suiteId(algorithmSuite)] : [WITHOUT_SUITE];
  return entryId(ENCRYPT, partitionId, ...suite, serializeContext(encryptionContext));
}

/** E of decryption materials: 48 bytes. */
export async function decryptionEntryId(
  partitionId: string,
  { algorithmSuite, encryptedDataKeys, encryptionContext }: DecryptionMaterialsRequest,
): Promise<Bytes> {
  const edks = concat(...encryptedDataKeys.map(encodeEncryptedDataKey).sort(compare));
  return entryId(DECRYPT, partitionId, suiteId(algorithmSuite), edks, serializeContext(encryptionContext));
}

async function entryId(
  scope: Uint8Array,
  partitionId: string,
  ...suffix: readonly Uint8Array[]
): Promise<Bytes> {
  const fields = [scope, utf8(partitionId)!, ...suffix].flatMap((field) => [NULL_BYTE, field]);
  return nativeCrypto().hash('SHA-384', CACHING_CMM, ...fields);
}

async function cacheKey(id: Bytes, suffix: readonly Uint8Array[]): Promise<string> {
  return base64(await nativeCrypto().hash('SHA-384', id, ...suffix));
}

function suiteId({ id }: AlgorithmSuite): Bytes {
  return new Writer(2).u16(id).bytes;
}

function policy(value: CommitmentPolicy): Bytes {
  return sized(utf8(resolvePolicy(value))!);
}

function requiredKeys(keys: readonly string[]): Uint8Array[] {
  const sorted = [...new Set(keys)].sort();
  return [u32(sorted.length), ...sorted.map(requiredKey)];
}

function requiredKey(key: string): Bytes {
  const bytes = typeof key === 'string' ? utf8(key) : undefined;
  if (bytes === undefined)
    throw invalidArgument('requiredEncryptionContextKeys', 'well-formed text', kindOf(key));
  return sized(bytes);
}

function sized(bytes: Uint8Array): Bytes {
  return concat(u32(bytes.length), bytes);
}

function u32(value: number): Bytes {
  return new Writer(4).u32(value).bytes;
}
