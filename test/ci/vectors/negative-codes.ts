/**
 * Which code each kind of fault may give. The first row whose class and name fit decides.
 */
import type { ErrorCode } from '../../../src/index.ts';

interface Row {
  readonly class: string;
  /** Of the case, without its base message. Absent: every other case of the class. */
  readonly name?: RegExp;
  readonly codes: readonly ErrorCode[];
}

const ROWS: readonly Row[] = [
  // A body without its final frame ends early, unless a footer stands where the next frame would.
  {
    class: 'truncated',
    name: /frames-final-missing-footer-kept|-no-frames/,
    codes: ['TRUNCATED', 'INVALID_MESSAGE'],
  },
  { class: 'truncated', codes: ['TRUNCATED'] },

  { class: 'trailing-bytes', name: /^trailing-/, codes: ['TRAILING_BYTES'] },
  // Of signed messages, what follows the final frame is read as the footer first, whose length is then too large.
  { class: 'trailing-bytes', codes: ['TRAILING_BYTES', 'TRUNCATED'] },

  { class: 'header-format', name: /^base64-/, codes: ['BASE64_MESSAGE'] },
  // Lengths and counts that reach beyond the message, or make later fields do so.
  {
    class: 'header-format',
    name: /^field-aadLength-|^field-edkCount-max|^flip-edkCount/,
    codes: ['TRUNCATED'],
  },
  { class: 'header-format', name: /^field-edk\d|^flip-edk\d+\.provider/, codes: ['TRUNCATED'] },
  {
    class: 'header-format',
    name: /^flip-aadLength|^flip-edk\d+\.ciphertextLen/,
    codes: ['TRUNCATED', 'INVALID_MESSAGE'],
  },
  // Without version, type and IV length the rest of a short message may still parse; then its header tag is wrong.
  { class: 'header-format', name: /^upgrade-to-v2/, codes: ['INVALID_MESSAGE', 'AUTHENTICATION_FAILED'] },
  { class: 'header-format', codes: ['INVALID_MESSAGE'] },

  // A pair that no longer is UTF-8 or repeats a key does not parse; else the data key, bound to it, does not open.
  { class: 'header-auth', name: /^flip-ec\d/, codes: ['INVALID_MESSAGE', 'NO_DATA_KEY'] },
  { class: 'header-auth', name: /^field-frameLength-zero/, codes: ['INVALID_MESSAGE'] },
  { class: 'header-auth', name: /^field-frameLength-max/, codes: ['LIMIT_EXCEEDED', 'INVALID_MESSAGE'] },
  {
    class: 'header-auth',
    name: /^flip-frameLength/,
    codes: ['LIMIT_EXCEEDED', 'INVALID_MESSAGE', 'AUTHENTICATION_FAILED'],
  },
  { class: 'header-auth', codes: ['AUTHENTICATION_FAILED'] },

  // Version 2: a frame IV that is not the sequence number is malformed.
  { class: 'body-auth', name: /^flip-f\d+\.iv/, codes: ['AUTHENTICATION_FAILED', 'INVALID_MESSAGE'] },
  { class: 'body-auth', codes: ['AUTHENTICATION_FAILED'] },
  { class: 'body-sequence', codes: ['INVALID_MESSAGE'] },

  // A content length that is too small leaves bytes over; what is left may read as a footer that is too long.
  { class: 'body-format', name: /^field-.*-zero/, codes: ['TRAILING_BYTES', 'TRUNCATED'] },
  { class: 'body-format', name: /^flip-.*[lL]ength-last/, codes: ['TRUNCATED'] },
  { class: 'body-format', codes: ['INVALID_MESSAGE'] },

  // The key opens the other entry; then the header tag is wrong.
  { class: 'data-key-unwrap', name: /^flip-edk/, codes: ['NO_DATA_KEY', 'AUTHENTICATION_FAILED'] },
  { class: 'data-key-unwrap', codes: ['NO_DATA_KEY'] },
  { class: 'no-matching-key', name: /^flip-edk\d+\.providerId-first/, codes: ['INVALID_MESSAGE'] },
  { class: 'no-matching-key', name: /^flip-edk/, codes: ['NO_DATA_KEY', 'AUTHENTICATION_FAILED'] },
  { class: 'no-matching-key', codes: ['NO_DATA_KEY'] },

  { class: 'commitment', codes: ['AUTHENTICATION_FAILED'] },
  { class: 'commitment-policy', codes: ['COMMITMENT_POLICY'] },
  { class: 'edk-limit', codes: ['LIMIT_EXCEEDED'] },
  { class: 'signature', name: /-public-key-(not-base64|other-curve)/, codes: ['INVALID_MESSAGE'] },
  { class: 'signature', codes: ['AUTHENTICATION_FAILED'] },
  { class: 'footer-format', name: /^field-sigLength-max/, codes: ['TRUNCATED'] },
  { class: 'footer-format', name: /^field-sigLength-zero/, codes: ['TRAILING_BYTES'] },
  { class: 'footer-format', codes: ['TRUNCATED', 'TRAILING_BYTES'] },
];

/** The codes that a case may be rejected with. */
export function allowedCodes(faultClass: string, name: string): readonly ErrorCode[] {
  const fault = name.slice(name.indexOf('/') + 1);
  const row = ROWS.find((one) => one.class === faultClass && (one.name?.test(fault) ?? true));
  if (row === undefined) throw new Error(`no codes for the class ${faultClass}`);
  return row.codes;
}
