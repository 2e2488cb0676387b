/**
 * Names of raw keys: a key namespace and a key name, each UTF-8 of at most 65,535 bytes.
 *
 * Source: AWS Encryption SDK specification, `framework/keyring-interface.md#key-namespace`.
 */
import { type Bytes, utf8 } from '../bytes.ts';
import { invalidArgument, quote } from '../errors.ts';

const MAX_LENGTH = 0xffff - 20; // a raw AES key's name shares its field with tag length, IV length and IV

/** The bytes of a key name. @throws FramesealError `INVALID_ARGUMENT` */
export function keyNameBytes(keyName: string): Bytes {
  return textBytes('keyName', keyName);
}

/** @throws FramesealError `INVALID_ARGUMENT`, also for namespaces that begin with `aws-kms`: they are KMS keyrings'. */
export function checkKeyNamespace(keyNamespace: string): void {
  textBytes('keyNamespace', keyNamespace);
  if (keyNamespace.startsWith('aws-kms')) {
    throw invalidArgument(
      'keyNamespace',
      'none that begins with "aws-kms", which is reserved for KMS keyrings',
      quote(keyNamespace),
    );
  }
}

function textBytes(argument: string, text: string): Bytes {
  const bytes = typeof text === 'string' ? utf8(text) : undefined;
  if (bytes === undefined || bytes.length === 0 || bytes.length > MAX_LENGTH) {
    throw invalidArgument(argument, `well-formed text of 1 to ${MAX_LENGTH} bytes of UTF-8`, quote(text));
  }
  return bytes;
}
