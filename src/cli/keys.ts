/**
 * Wrapping keys as the command line names them, and the keyring over them.
 *
 * ```
 * aws-kms:ARN                   a key ARN; on encrypt also an alias ARN, alias/NAME or a key id
 * aes:NAMESPACE/NAME=FILE       raw bytes (16, 24, 32), or one line of base64 or hexadecimal
 * rsa:NAMESPACE/NAME=PEM        a public or a private key
 * ```
 * The namespace ends at the first slash, the name at the first equals sign.
 */
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { FramesealError, kindOf } from '../errors.ts';
import { type Keyring, multiKeyring, type RsaPadding, rawAesKeyring, rawRsaKeyring } from '../index.ts';
import { fileError, UsageError } from './failure.ts';

/** A key of the command line. */
export type KeySpec =
  | { readonly kind: 'aws-kms'; readonly keyId: string }
  | {
      readonly kind: 'aes' | 'rsa';
      readonly keyNamespace: string;
      readonly keyName: string;
      readonly file: string;
    };

/** The paddings that `--rsa-padding` takes. */
export const RSA_PADDINGS: readonly RsaPadding[] = [
  'oaep-sha256',
  'oaep-sha1',
  'oaep-sha384',
  'oaep-sha512',
  'pkcs1',
];

/** Longer key files are no keys. A PEM of 16,384 bits takes some 13 KiB. */
const MAX_KEY_FILE = 64 * 1024;

/** @param option the name of the option that it was given by. @throws UsageError */
export function parseKey(text: string, option = 'key'): KeySpec {
  const [, kind, rest = ''] = /^(aws-kms|aes|rsa):(.+)$/s.exec(text) ?? [];
  if (kind === 'aws-kms') return { kind, keyId: rest };
  const [, keyNamespace, keyName, file] = /^([^/]+)\/([^=]+)=(.+)$/s.exec(rest) ?? [];
  if ((kind === 'aes' || kind === 'rsa') && keyNamespace && keyName && file) {
    return { kind, keyNamespace, keyName, file };
  }
  const expected = 'aws-kms:ARN, aes:NAMESPACE/NAME=FILE or rsa:NAMESPACE/NAME=PEM';
  throw new UsageError(`--${option} expected ${expected}, got ${kindOf(text)}`); // it may be a key itself
}

/**
 * The keyring over all keys: the first one generates the data key, the others wrap it. KMS keys share one keyring, so
 * that one deadline bounds all their calls; it stands where the first of them is given.
 * @param option the name of the option that they were given by.
 * @throws UsageError; FramesealError `IO` and `INVALID_ARGUMENT` for files that are no keys or that others may read
 */
export async function loadKeyring(
  texts: readonly string[],
  rsaPadding: RsaPadding,
  option = 'key',
): Promise<Keyring> {
  if (texts.length === 0) throw new UsageError(`at least one --${option} is needed; see --help`);
  const specs = texts.map((text) => parseKey(text, option));
  const keyrings: Keyring[] = [];
  for (const spec of specs) {
    if (spec.kind === 'aes') keyrings.push(await aesKeyring(spec));
    else if (spec.kind === 'rsa') keyrings.push(await rsaKeyring(spec, rsaPadding));
    else if (spec === specs.find(isKms)) keyrings.push(await kmsKeyring(specs.filter(isKms)));
  }
  const [generator, ...children] = keyrings;
  return children.length === 0 ? generator! : multiKeyring({ generator: generator!, children });
}

/** Whether a call with these keys may reach KMS. */
export function usesKms(texts: readonly string[]): boolean {
  return texts.some((text) => text.startsWith('aws-kms:'));
}

/**
 * The bytes of an AES key file.
 * @throws FramesealError `INVALID_ARGUMENT` unless they are one key and can be read in one way only
 */
export function aesKeyBytes(file: string, contents: Uint8Array): Uint8Array {
  const text = Buffer.from(contents)
    .toString('latin1')
    .replace(/\r?\n$/, '');
  const fromText =
    /^(?:[0-9a-f]{2})+$/i.test(text) && KEY_LENGTHS.includes(text.length / 2)
      ? Buffer.from(text, 'hex')
      : Buffer.from(text, 'base64');
  const isText = KEY_LENGTHS.includes(fromText.length) && isEncodingOf(text, fromText);
  const isRaw = KEY_LENGTHS.includes(contents.length);
  if (isText && isRaw) {
    const what = `may be ${contents.length} raw bytes or the text of ${fromText.length}: end it with a line end if it is text`;
    throw badKey(file, `${what}, else write it as base64`);
  }
  if (isText) return fromText;
  if (isRaw) return contents;
  const expected = '16, 24 or 32 raw bytes, or one line of base64 or hexadecimal of as many';
  throw badKey(file, `expected ${expected}, got ${contents.length} bytes`);
}

type KmsSpec = Extract<KeySpec, { kind: 'aws-kms' }>;
type RawSpec = Exclude<KeySpec, KmsSpec>;

const KEY_LENGTHS: readonly number[] = [16, 24, 32];

function isKms(spec: KeySpec): spec is KmsSpec {
  return spec.kind === 'aws-kms';
}

// Loaded here, so that a call without KMS keys starts without it.
async function kmsKeyring([generator, ...others]: readonly KmsSpec[]): Promise<Keyring> {
  const { awsKmsKeyring } = await import('../keyring/aws-kms/index.ts');
  return awsKmsKeyring({ generatorKeyId: generator!.keyId, keyIds: others.map(({ keyId }) => keyId) });
}

async function aesKeyring({ keyNamespace, keyName, file }: RawSpec): Promise<Keyring> {
  const { contents, shared } = await readKeyFile(file);
  if (shared !== undefined) throw shared;
  return rawAesKeyring({ keyNamespace, keyName, wrappingKey: aesKeyBytes(file, contents) });
}

// A private key serves both ways: its public half encrypts.
async function rsaKeyring({ keyNamespace, keyName, file }: RawSpec, padding: RsaPadding): Promise<Keyring> {
  const { contents, shared } = await readKeyFile(file);
  const pem = contents.toString('latin1');
  const isPrivate = pem.includes('PRIVATE KEY-----');
  if (isPrivate && shared !== undefined) throw shared;
  const key = parsePem(file, pem, isPrivate);
  const publicKey = (isPrivate ? createPublicKey(key) : key)
    .export({ type: 'spki', format: 'pem' })
    .toString();
  if (!isPrivate) return rawRsaKeyring({ keyNamespace, keyName, padding, publicKey });
  const privateKey = key.export({ type: 'pkcs8', format: 'pem' }).toString();
  return rawRsaKeyring({ keyNamespace, keyName, padding, publicKey, privateKey });
}

function parsePem(file: string, pem: string, isPrivate: boolean): KeyObject {
  const key = tryParse(pem, isPrivate);
  if (key?.asymmetricKeyType === 'rsa') return key;
  const found = /-----BEGIN ([A-Z0-9 ]+)-----/.exec(pem)?.[1] ?? 'no PEM';
  throw badKey(
    file,
    `expected a PEM file with an RSA PUBLIC KEY or an unencrypted PRIVATE KEY, got ${found}`,
  );
}

// What OpenSSL says of a key file helps nobody.
function tryParse(pem: string, isPrivate: boolean): KeyObject | undefined {
  try {
    return isPrivate ? createPrivateKey(pem) : createPublicKey(pem);
  } catch {
    return undefined;
  }
}

interface KeyFile {
  readonly contents: Buffer;
  /** Why a secret must not lie in it: others may read it. */
  readonly shared: FramesealError | undefined;
}

// Mode and contents of the same open file.
async function readKeyFile(file: string): Promise<KeyFile> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(file);
    const { mode } = await handle.stat();
    return { contents: await readAll(file, handle), shared: sharedError(file, mode) };
  } catch (cause) {
    if (cause instanceof FramesealError) throw cause;
    throw looksLikeKey(file) ? keyForFile(file) : fileError(file, 'read', cause);
  } finally {
    await handle?.close();
  }
}

// Base64 of either alphabet, with or without its padding, hexadecimal, PEM.
function looksLikeKey(file: string): boolean {
  if (file.includes('-----BEGIN')) return true;
  const text = file.trim().replace(/=+$/, '').replaceAll('-', '+').replaceAll('_', '/');
  return (['hex', 'base64'] as const).some((encoding) => {
    const bytes = Buffer.from(text, encoding);
    const again = bytes.toString(encoding).replace(/=+$/, '');
    return KEY_LENGTHS.includes(bytes.length) && again === (encoding === 'hex' ? text.toLowerCase() : text);
  });
}

// Neither the key nor the system's error, which repeats it.
function keyForFile(file: string): FramesealError {
  const what = `a key option expected the name of a FILE that holds the key, got ${kindOf(file)}`;
  return new FramesealError('IO', `${what}, which may be the key itself and cannot be read as a file`);
}

// Pipes too, such as a shell's <(...), which have no length.
async function readAll(file: string, handle: FileHandle): Promise<Buffer> {
  const buffer = Buffer.alloc(MAX_KEY_FILE + 1);
  let length = 0;
  for (;;) {
    const { bytesRead } = await handle.read(buffer, length, buffer.length - length, null);
    length += bytesRead;
    if (bytesRead === 0) return buffer.subarray(0, length);
    if (length > MAX_KEY_FILE) throw badKey(file, `expected a key file, got more than ${MAX_KEY_FILE} bytes`);
  }
}

function sharedError(file: string, mode: number): FramesealError | undefined {
  if (process.platform === 'win32' || (mode & 0o077) === 0) return undefined;
  const octal = (mode & 0o777).toString(8).padStart(4, '0');
  return badKey(file, `others may use it (mode ${octal}): run  chmod 600 ${shellQuoted(file)}`);
}

function badKey(file: string, why: string): FramesealError {
  return new FramesealError('INVALID_ARGUMENT', `key file "${file}": ${why}`);
}

// Whether text is exactly how these bytes are written, so that nothing in it was skipped.
function isEncodingOf(text: string, bytes: Buffer): boolean {
  return text.toLowerCase() === bytes.toString('hex') || text === bytes.toString('base64');
}

/** A word as a shell takes it. */
export function shellQuoted(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
