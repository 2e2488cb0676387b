/**
 * The message header: parse and encode, no cryptography.
 *
 * ```
 * version 1: 01 | type 80 | suite 2 | message id 16 | context 2+n | EDKs 2+n | content type | 00000000 | 0c | frame length 4
 *            header authentication: IV 12 | tag 16
 * version 2: 02 |           suite 2 | message id 32 | context 2+n | EDKs 2+n | content type |                frame length 4 | commit key 32
 *            header authentication:         tag 16      (the IV is 0)
 * ```
 * Source: AWS Encryption SDK specification, `data-format/message-header.md`.
 */
import { allocate, type Bytes, concat, copy, Reader, Writer } from '../bytes.ts';
import type { EncryptedDataKey } from '../encrypted-data-key.ts';
import { type Context, parseContext, serializeContext } from '../encryption-context.ts';
import { FramesealError } from '../errors.ts';
import {
  type AlgorithmSuite,
  type AlgorithmSuiteName,
  COMMIT_KEY_LENGTH,
  IV_LENGTH,
  suiteById,
  TAG_LENGTH,
} from '../suite/algorithm-suites.ts';
import {
  encryptedDataKeysLength,
  parseEncryptedDataKeys,
  writeEncryptedDataKeys,
} from './encrypted-data-keys.ts';

/** What a header says. From `parseHeader` it is NOT authenticated; from `encrypt` and `decrypt` it is. */
export interface MessageHeader {
  readonly version: 1 | 2;
  readonly algorithmSuite: AlgorithmSuiteName;
  readonly suiteId: number;
  /** 16 bytes in version 1, 32 in version 2. */
  readonly messageId: Bytes;
  /** The context as stored: without required pairs that the caller reproduces. */
  readonly encryptionContext: Context;
  readonly encryptedDataKeys: readonly EncryptedDataKey[];
  readonly contentType: 'framed' | 'non-framed';
  /** Plaintext bytes of a regular frame; 0 for non-framed content. */
  readonly frameLength: number;
  /** Bytes of the whole header, its authentication included. */
  readonly headerLength: number;
}

/** The fields of a header body. */
export interface HeaderFields {
  readonly suite: AlgorithmSuite;
  readonly messageId: Bytes;
  readonly encryptionContext: Context;
  readonly encryptedDataKeys: readonly EncryptedDataKey[];
  readonly contentType: 'framed' | 'non-framed';
  readonly frameLength: number;
  /** The commit key of a version 2 header; empty in version 1. */
  readonly suiteData: Bytes;
}

/** A header as received: its fields, and the bytes that its tag authenticates. */
export interface ParsedHeader extends HeaderFields {
  /** The header body exactly as received. */
  readonly body: Uint8Array;
  /** Of version 1 from the wire, of version 2 zero: `client-apis/decrypt.md#verify-the-header`. */
  readonly iv: Uint8Array;
  readonly tag: Uint8Array;
  /** Bytes of body and authentication. */
  readonly length: number;
}

/** The type of version 1. */
export const TYPE_CUSTOMER_AE_DATA = 0x80;
/** The values of the content type. */
export const CONTENT_TYPES = { 'non-framed': 1, framed: 2 } as const;
/**
 * How the base64 text of a message begins. `client-apis/decrypt.md#encrypted-message-format` names "AY"; the first
 * bytes of version 2 give the others.
 */
export const BASE64_STARTS: readonly string[] = ['AY', 'AgR4', 'AgV4'];
/** The header IV that encryption uses, and that version 2 implies. */
export const HEADER_IV: Bytes = new Uint8Array(IV_LENGTH);

/**
 * Parses a header.
 * @param maxEncryptedDataKeys checked before the first encrypted data key is read.
 * @throws FramesealError `TRUNCATED`, `INVALID_MESSAGE`, `BASE64_MESSAGE`, `LIMIT_EXCEEDED`
 */
export function parseMessageHeader(bytes: Uint8Array, maxEncryptedDataKeys = 0xffff): ParsedHeader {
  refuseBase64(bytes);
  const reader = new Reader(bytes);
  const version = reader.u8('version');
  if (version !== 1 && version !== 2) throw invalid('version', '1 or 2', version);
  if (version === 1) {
    const type = reader.u8('type');
    if (type !== TYPE_CUSTOMER_AE_DATA) throw invalid('type', String(TYPE_CUSTOMER_AE_DATA), type);
  }
  const suite = parseSuite(reader, version);
  const messageId = copy(reader.take(suite.messageIdLength, 'message id'));
  const encryptionContext = parseContext(
    reader.take(reader.u16('encryption context length'), 'encryption context'),
  );
  const encryptedDataKeys = parseEncryptedDataKeys(reader, maxEncryptedDataKeys);
  const contentType = parseContentType(reader);
  if (version === 1) parseReserved(reader);
  const frameLength = reader.u32('frame length');
  if ((contentType === 'framed') !== frameLength > 0) {
    throw invalid(
      'frame length',
      contentType === 'framed' ? 'at least 1' : '0 for non-framed content',
      frameLength,
    );
  }
  const suiteData = copy(reader.take(suite.committing ? COMMIT_KEY_LENGTH : 0, 'algorithm suite data'));
  const body = bytes.subarray(0, reader.offset);
  const iv = version === 1 ? reader.take(IV_LENGTH, 'header IV') : HEADER_IV;
  const tag = reader.take(TAG_LENGTH, 'header authentication tag');
  return {
    suite,
    messageId,
    encryptionContext,
    encryptedDataKeys,
    contentType,
    frameLength,
    suiteData,
    body,
    iv,
    tag,
    length: reader.offset,
  };
}

/**
 * Writes a header body.
 * @param room zeros behind it, for what follows.
 * @throws FramesealError `LIMIT_EXCEEDED` if the context or an encrypted data key is too long for the format, or the whole for a
 *   buffer; `INVALID_ARGUMENT` if an encrypted data key is none
 */
export function encodeHeaderBody(fields: HeaderFields, room = 0): Bytes {
  const { suite, messageId, encryptedDataKeys, suiteData } = fields;
  const context = serializeContext(fields.encryptionContext);
  const v1 = suite.messageVersion === 1;
  const fixed = v1 ? 1 + 1 + 2 + 2 + 1 + 4 + 1 + 4 : 1 + 2 + 2 + 1 + 4;
  const edksLength = encryptedDataKeysLength(encryptedDataKeys);
  const length = fixed + messageId.length + context.length + edksLength + suiteData.length;
  const writer = new Writer(allocate(length + room, 'a message'));
  writer.u8(suite.messageVersion);
  if (v1) writer.u8(TYPE_CUSTOMER_AE_DATA);
  writer.u16(suite.id).put(messageId).sized(context);
  writeEncryptedDataKeys(writer, encryptedDataKeys);
  writer.u8(CONTENT_TYPES[fields.contentType]);
  if (v1) writer.u32(0).u8(IV_LENGTH);
  return writer.u32(fields.frameLength).put(suiteData).bytes;
}

/** The header authentication: IV and tag in version 1, the tag alone in version 2. */
export function encodeHeaderAuth(suite: AlgorithmSuite, tag: Uint8Array): Bytes {
  return suite.messageVersion === 1 ? concat(HEADER_IV, tag) : copy(tag);
}

/** Bytes of the header authentication. */
export function headerAuthLength(suite: AlgorithmSuite): number {
  return suite.messageVersion === 1 ? IV_LENGTH + TAG_LENGTH : TAG_LENGTH;
}

/** The header as callers see it, with byte strings of its own. */
export function publicHeader(fields: HeaderFields, headerLength: number): MessageHeader {
  return {
    version: fields.suite.messageVersion,
    algorithmSuite: fields.suite.name,
    suiteId: fields.suite.id,
    messageId: fields.messageId,
    encryptionContext: fields.encryptionContext,
    encryptedDataKeys: fields.encryptedDataKeys,
    contentType: fields.contentType,
    frameLength: fields.frameLength,
    headerLength,
  };
}

function refuseBase64(bytes: Uint8Array): void {
  const start = String.fromCharCode(...bytes.subarray(0, 4));
  if (BASE64_STARTS.some((text) => start.startsWith(text))) {
    throw new FramesealError(
      'BASE64_MESSAGE',
      'this is the base64 text of a message: decode it to bytes first',
    );
  }
}

function parseSuite(reader: Reader, version: number): AlgorithmSuite {
  const id = reader.u16('algorithm suite id');
  const suite = suiteById(id);
  if (suite?.messageVersion !== version) {
    throw invalid('algorithm suite id', `a suite of message version ${version}`, hex(id));
  }
  return suite;
}

function parseContentType(reader: Reader): 'framed' | 'non-framed' {
  const value = reader.u8('content type');
  if (value === CONTENT_TYPES.framed) return 'framed';
  if (value === CONTENT_TYPES['non-framed']) return 'non-framed';
  throw invalid('content type', '1 or 2', value);
}

function parseReserved(reader: Reader): void {
  const reserved = reader.u32('reserved field');
  if (reserved !== 0) throw invalid('reserved field', '0', reserved);
  const ivLength = reader.u8('IV length');
  if (ivLength !== IV_LENGTH) throw invalid('IV length', String(IV_LENGTH), ivLength);
}

function invalid(field: string, expected: string, got: number | string): FramesealError {
  return new FramesealError('INVALID_MESSAGE', `the header's ${field}: expected ${expected}, got ${got}`);
}

function hex(value: number): string {
  return `0x${value.toString(16).padStart(4, '0')}`;
}
