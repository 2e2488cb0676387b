/**
 * A message header for people and for machines.
 *
 * For people every text of it is escaped: unless a key has opened the message, anyone may have written it.
 */
import { escapeText } from '../errors.ts';
import { algorithmSuite, type EncryptedDataKey, type MessageHeader, plaintextLength } from '../index.ts';
import type { SidecarView } from '../node/index.ts';

/** Encrypted data keys that are shown to people at most. */
const SHOWN_KEYS = 50;

/** At least and at most. They differ for signed messages, because no header tells how long the signature is. */
interface Range {
  readonly min: number;
  readonly max: number;
}

/** Lengths of a message, in bytes. */
export interface Sizes {
  readonly ciphertextLength: number;
  readonly plaintextLength: Range;
  readonly overhead: Range;
  /** The final frame included, but not an empty one behind a full one. A body that is not framed has none. */
  readonly frames?: Range;
}

/** @throws FramesealError `TRUNCATED`, `INVALID_MESSAGE` if no message with this header has this length */
export function sizesOf(ciphertextLength: number, header: MessageHeader): Sizes {
  const plaintext = plaintextLength(ciphertextLength, header);
  const { contentType, frameLength } = header;
  const frames = (bytes: number) => Math.max(1, Math.ceil(bytes / frameLength));
  return {
    ciphertextLength,
    plaintextLength: plaintext,
    overhead: { min: ciphertextLength - plaintext.max, max: ciphertextLength - plaintext.min },
    ...(contentType === 'framed' && { frames: { min: frames(plaintext.min), max: frames(plaintext.max) } }),
  };
}

/** A header as JSON: exact, bytes in hexadecimal or base64. */
export function headerJson(header: MessageHeader): object {
  const { messageId, encryptedDataKeys, ...rest } = header;
  return {
    ...rest,
    messageId: Buffer.from(messageId).toString('hex'),
    encryptedDataKeys: encryptedDataKeys.map(dataKeyJson),
  };
}

/** An encrypted data key as JSON. */
export function dataKeyJson(edk: EncryptedDataKey): object {
  return {
    providerId: edk.providerId,
    keyName: keyName(edk),
    ...(regionOf(edk) !== undefined && { region: regionOf(edk) }),
    providerInfo: Buffer.from(edk.providerInfo).toString('base64'),
    ciphertextLength: edk.ciphertext.length,
  };
}

/** The names of wrapping keys, in a line of text. */
export function keyNames(encryptedDataKeys: readonly EncryptedDataKey[]): string {
  const more = encryptedDataKeys.length - SHOWN_KEYS;
  const names = encryptedDataKeys.slice(0, SHOWN_KEYS).map((edk) => keyText(edk).trim());
  return [...names, ...(more > 0 ? [`${more} more`] : [])].join(', ');
}

/** A sidecar as JSON. */
export function sidecarJson({ messageId, encryptedDataKeys, ...rest }: SidecarView): object {
  return {
    ...rest,
    messageId: Buffer.from(messageId).toString('hex'),
    encryptedDataKeys: encryptedDataKeys.map(dataKeyJson),
  };
}

/** A sidecar as lines of text. */
export function sidecarText(sidecar: SidecarView): string {
  const { messageId, encryptedDataKeys } = sidecar;
  return [
    row('suite', suiteText(sidecar)),
    row('message id', Buffer.from(messageId).toString('hex')),
    row('data keys', `${encryptedDataKeys.length}, any one of which opens that message`),
    ...keyRows(encryptedDataKeys),
  ].join('\n');
}

/** A header as lines of text. @param sizes a reason where they are not known. */
export function headerText(header: MessageHeader, sizes: Sizes | string): string {
  const { version, messageId, encryptionContext, encryptedDataKeys, headerLength } = header;
  const pairs = Object.entries(encryptionContext);
  return [
    row('version', String(version)),
    row('suite', suiteText(header)),
    row('message id', Buffer.from(messageId).toString('hex')),
    row('header', `${headerLength} bytes`),
    row('body', bodyText(header)),
    ...sizeRows(sizes),
    row('context', pairs.length === 0 ? 'empty' : ''),
    ...pairs.map(([key, value]) => `  ${escapeText(key)} = ${escapeText(value)}`),
    row('data keys', `${encryptedDataKeys.length}, any one of which opens the message`),
    ...keyRows(encryptedDataKeys),
  ].join('\n');
}

function keyRows(encryptedDataKeys: readonly EncryptedDataKey[]): string[] {
  const more = encryptedDataKeys.length - SHOWN_KEYS;
  const rows = encryptedDataKeys.slice(0, SHOWN_KEYS).map(keyText);
  return more > 0 ? [...rows, `  and ${more} more, see --json`] : rows;
}

function row(name: string, text: string): string {
  return `${name.padEnd(12)}${text}`.trimEnd();
}

function suiteText({ suiteId, algorithmSuite: name }: MessageHeader | SidecarView): string {
  const { committing, signature } = algorithmSuite(name);
  const id = `0x${suiteId.toString(16).padStart(4, '0')}`;
  return `${id} ${name}: ${committing ? 'key commitment' : 'no key commitment'}, ${signature ? 'signed' : 'not signed'}`;
}

function bodyText({ contentType, frameLength }: MessageHeader): string {
  return contentType === 'framed' ? `frames of ${frameLength} bytes` : 'one block, not framed';
}

function sizeRows(sizes: Sizes | string): string[] {
  if (typeof sizes === 'string') return [row('size', sizes)];
  const { ciphertextLength, plaintextLength, overhead, frames } = sizes;
  const inFrames = frames === undefined ? '' : `, ${range(frames)} ${frames.max === 1 ? 'frame' : 'frames'}`;
  return [
    row('size', `${ciphertextLength} bytes`),
    row('plaintext', `${range(plaintextLength)} bytes${inFrames}`),
    row('overhead', `${range(overhead)} bytes`),
  ];
}

function range({ min, max }: Range): string {
  return min === max ? String(min) : `${min} to ${max}`;
}

function keyText(edk: EncryptedDataKey): string {
  const region = regionOf(edk);
  const where = region === undefined ? '' : ` in ${escapeText(region)}`;
  return `  ${escapeText(edk.providerId)}${where}: ${escapeText(keyName(edk))}`;
}

// Provider information is the name; of a raw AES key the name, then tag length 128, IV length 12 and IV. What is no
// text is shown in hexadecimal.
function keyName({ providerInfo }: EncryptedDataKey): string {
  const bytes = Buffer.from(providerInfo);
  const at = bytes.length - 20;
  const isAes = at > 0 && bytes.readUInt32BE(at) === 128 && bytes.readUInt32BE(at + 4) === 12;
  const name = isAes ? bytes.subarray(0, at) : bytes;
  const text = name.toString('utf8');
  return Buffer.from(text).equals(name) ? text : `0x${name.toString('hex')}`;
}

// The fourth part of an ARN.
function regionOf(edk: EncryptedDataKey): string | undefined {
  return edk.providerId === 'aws-kms' ? keyName(edk).split(':')[3] : undefined;
}
