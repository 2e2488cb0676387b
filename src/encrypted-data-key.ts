/**
 * An encrypted data key (EDK): the data key of a message, wrapped by one wrapping key.
 *
 * Source: AWS Encryption SDK specification, `framework/structures.md#encrypted-data-key`.
 */
import { type Bytes, copy, dataView, equal, hex, utf8, utf8Text } from './bytes.ts';
import { FramesealError, invalidArgument, kindOf } from './errors.ts';

/** One entry of the header's list. Each field takes at most 65,535 bytes. */
export interface EncryptedDataKey {
  /** Which kind of keyring made it: `aws-kms`, or the key namespace of a raw key. */
  readonly providerId: string;
  /** What that keyring needs to find its key: the key ARN; the name of a raw key, for AES with tag length and IV. */
  readonly providerInfo: Bytes;
  /** The wrapped data key. */
  readonly ciphertext: Bytes;
}

/**
 * @throws FramesealError `INVALID_ARGUMENT` if a field is not of its type; `LIMIT_EXCEEDED` if one does not fit the
 *   header's 16-bit lengths.
 */
export function checkEncryptedDataKey(edk: EncryptedDataKey): void {
  const providerId = typeof edk?.providerId === 'string' ? utf8(edk.providerId) : undefined;
  for (const [field, bytes] of [
    ['providerId', providerId],
    ['providerInfo', edk?.providerInfo],
    ['ciphertext', edk?.ciphertext],
  ] as const) {
    if (!(bytes instanceof Uint8Array)) {
      const expected = field === 'providerId' ? 'well-formed text' : 'a Uint8Array';
      throw invalidArgument(`encryptedDataKeys.${field}`, expected, kindOf(edk?.[field]));
    }
    if (bytes.length > 0xffff) {
      const what = `the ${field} of an encrypted data key takes ${bytes.length} bytes; the format allows 65535`;
      throw new FramesealError('LIMIT_EXCEEDED', what);
    }
  }
}

/** A copy that shares no bytes. */
export function copyEncryptedDataKey({
  providerId,
  providerInfo,
  ciphertext,
}: EncryptedDataKey): EncryptedDataKey {
  return { providerId, providerInfo: copy(providerInfo), ciphertext: copy(ciphertext) };
}

/** Whether two entries have the same bytes. */
export function sameEncryptedDataKey(a: EncryptedDataKey, b: EncryptedDataKey): boolean {
  return (
    a.providerId === b.providerId &&
    equal(a.providerInfo, b.providerInfo) &&
    equal(a.ciphertext, b.ciphertext)
  );
}

/**
 * The name of the wrapping key, as far as provider information shows it: the whole text, or what precedes tag length,
 * IV length and IV in an entry of a raw AES keyring. Bytes that are no text are shown in hexadecimal.
 */
export function keyNameOf(edk: EncryptedDataKey): string {
  const { providerInfo } = edk;
  const at = providerInfo.length - RAW_AES_SUFFIX;
  const whole = isRawAesInfo(providerInfo, at) ? providerInfo.subarray(0, at) : providerInfo;
  const shown = whole.subarray(0, SHOWN);
  const name = utf8Text(shown) ?? `0x${hex(shown)}`;
  return shown.length < whole.length ? `${name}… (${whole.length} bytes)` : name;
}

/** Bytes of a name that are shown at most. */
const SHOWN = 300;
/** Tag length, IV length and IV at the end of a raw AES keyring's provider information. */
const RAW_AES_SUFFIX = 4 + 4 + 12;

function isRawAesInfo(info: Uint8Array, at: number): boolean {
  if (at < 0) return false;
  const view = dataView(info);
  return view.getUint32(at) === 128 && view.getUint32(at + 4) === 12;
}
