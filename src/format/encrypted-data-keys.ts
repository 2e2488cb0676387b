/**
 * The list of encrypted data keys, as a header and a sidecar hold it: parse and encode.
 *
 * ```
 * u16 count | ( u16 length | provider id, UTF-8 | u16 length | provider information | u16 length | ciphertext ) ...
 * ```
 * Source: AWS Encryption SDK specification, `data-format/message-header.md#encrypted-data-keys`.
 */
import { type Bytes, base64, copy, type Reader, utf8, utf8Text, Writer } from '../bytes.ts';
import { checkEncryptedDataKey, type EncryptedDataKey } from '../encrypted-data-key.ts';
import { FramesealError } from '../errors.ts';

/**
 * @param max checked before the first entry is read.
 * @throws FramesealError `TRUNCATED`, `INVALID_MESSAGE`, `LIMIT_EXCEEDED`
 */
export function parseEncryptedDataKeys(reader: Reader, max: number): EncryptedDataKey[] {
  const count = reader.u16('encrypted data key count');
  if (count === 0) throw invalid('encrypted data key count', 'at least 1', '0');
  checkEncryptedDataKeyCount(count, max);
  return Array.from({ length: count }, () => parseEncryptedDataKey(reader));
}

/** @throws FramesealError `LIMIT_EXCEEDED` */
export function checkEncryptedDataKeyCount(count: number, max: number): void {
  if (count <= max) return;
  throw new FramesealError(
    'LIMIT_EXCEEDED',
    `the message has ${count} encrypted data keys; maxEncryptedDataKeys is ${max}`,
  );
}

/**
 * Bytes that the list takes.
 * @throws FramesealError `INVALID_ARGUMENT`, `LIMIT_EXCEEDED` if an entry is none, or too long for the format.
 */
export function encryptedDataKeysLength(encryptedDataKeys: readonly EncryptedDataKey[]): number {
  return encryptedDataKeys.reduce((sum, edk) => sum + encryptedDataKeyLength(edk), 2);
}

/** Writes the list, whose length has been asked for before. */
export function writeEncryptedDataKeys(writer: Writer, encryptedDataKeys: readonly EncryptedDataKey[]): void {
  writer.u16(encryptedDataKeys.length);
  for (const edk of encryptedDataKeys) writeEncryptedDataKey(writer, edk);
}

/** One entry. @throws as {@link encryptedDataKeysLength} */
export function encodeEncryptedDataKey(edk: EncryptedDataKey): Bytes {
  const writer = new Writer(encryptedDataKeyLength(edk));
  writeEncryptedDataKey(writer, edk);
  return writer.bytes;
}

/** The entries, each of them once, in their order: sidecars that were merged before may share some. */
export function distinctEncryptedDataKeys(edks: readonly EncryptedDataKey[]): EncryptedDataKey[] {
  return [...new Map(edks.map((edk) => [base64(encodeEncryptedDataKey(edk)), edk])).values()];
}

function encryptedDataKeyLength(edk: EncryptedDataKey): number {
  checkEncryptedDataKey(edk);
  return 6 + utf8(edk.providerId)!.length + edk.providerInfo.length + edk.ciphertext.length;
}

function writeEncryptedDataKey(
  writer: Writer,
  { providerId, providerInfo, ciphertext }: EncryptedDataKey,
): void {
  writer.sized(utf8(providerId)!).sized(providerInfo).sized(ciphertext);
}

function parseEncryptedDataKey(reader: Reader): EncryptedDataKey {
  const id = reader.take(reader.u16('key provider id length'), 'key provider id');
  const providerId = utf8Text(id);
  if (providerId === undefined) throw invalid('key provider id', 'UTF-8', 'other bytes');
  const providerInfo = copy(
    reader.take(reader.u16('key provider information length'), 'key provider information'),
  );
  const ciphertext = copy(reader.take(reader.u16('encrypted data key length'), 'encrypted data key'));
  return { providerId, providerInfo, ciphertext };
}

function invalid(field: string, expected: string, got: string): FramesealError {
  return new FramesealError('INVALID_MESSAGE', `the header's ${field}: expected ${expected}, got ${got}`);
}
