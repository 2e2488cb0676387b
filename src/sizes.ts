/**
 * Sizes: how long a message is, and how much plaintext it holds, from numbers and a header alone.
 *
 * Writers differ in two places. A signature is DER, whose length varies: messages of this library, as of the Python, Java
 * and .NET SDKs, always have one of 71 (P-256) or 103 (P-384) bytes, the JavaScript SDK writes up to one more. And behind
 * a last full frame some write an empty final frame, the Python and JavaScript SDKs among them, where others mark the
 * full one as final. No header tells who wrote it.
 * Source: AWS Encryption SDK specification, `data-format/message-body.md` and `data-format/message-footer.md`.
 */
import { type EncryptOptions, resolveEncrypt } from './begin-encrypt.ts';
import { type Context, PUBLIC_KEY_FIELD, toContext } from './encryption-context.ts';
import { checkOptions, FramesealError, invalidArgument, kindOf, quote, unreachable } from './errors.ts';
import {
  bodyLength,
  FINAL_FRAME_OVERHEAD,
  FRAME_OVERHEAD,
  MAX_FRAMES,
  MAX_NON_FRAMED_LENGTH,
  NON_FRAMED_OVERHEAD,
  regularFrames,
} from './format/message-body.ts';
import { FOOTER_OVERHEAD, footerLength } from './format/message-footer.ts';
import { encodeHeaderBody, headerAuthLength, type MessageHeader } from './format/message-header.ts';
import { encodeVerificationKey } from './kdf/signature.ts';
import type { CryptographicMaterialsManager } from './materials/cmm.ts';
import { checkInteger } from './options.ts';
import { checkFrameCount } from './stream/message-sealer.ts';
import { type AlgorithmSuite, COMMIT_KEY_LENGTH, suiteById } from './suite/algorithm-suites.ts';
import { defaultSuite } from './suite/commitment-policy.ts';

/** Options of {@link ciphertextLength}. */
export interface CiphertextLengthOptions {
  /**
   * Whose message it is. `frameseal` (default): one as this library writes it, whose length is exact. `any`: an upper
   * bound of what any writer makes of as much plaintext under this header.
   */
  readonly writer?: 'frameseal' | 'any' | undefined;
}

/** Options of {@link estimateCiphertextLength}: those of `encrypt`, all optional, and what the keys will add. */
export interface EstimateOptions extends EncryptOptions {
  /** Encrypted data keys of the message: one for each wrapping key. Default 1. */
  readonly encryptedDataKeys?: number | undefined;
  /** Bytes that each of them takes in the header, its three length fields included. Default 320. */
  readonly encryptedDataKeyLength?: number | undefined;
}

const MAX_LENGTH = Number.MAX_SAFE_INTEGER;
/** DER of r and s: a head of 2 bytes, then two integers with heads of 2. The least have one byte. */
const SHORTEST_SIGNATURE = 2 + 2 * (2 + 1);
/** For a KMS key: 6 of length fields, 7 of `aws-kms`, 75 to 90 of ARN, 184 of wrapped data key; and some room. */
const KMS_DATA_KEY_LENGTH = 320;
/** Three fields of a 16-bit length and as many bytes. */
const LONGEST_DATA_KEY = 3 * (2 + 0xffff);

/**
 * Bytes of the whole message, from header to footer.
 *
 * Exact for messages of this library, whether the header is that of `encrypt` or a parsed one (unless a materials manager
 * has a signing key of its own whose signatures are never of the usual length); and for messages of others that have the
 * same form. Other signed messages may be a byte longer or some bytes shorter, and messages with an empty final frame
 * behind a full one are 32 bytes longer: `{ writer: 'any' }` allows for both, and is what to allocate for a message of
 * unknown origin.
 * @param plaintextLength bytes of plaintext, 0 to 2^53 - 1.
 * @param header of `encrypt`, `decrypt` or `parseHeader`.
 * @throws FramesealError `INVALID_ARGUMENT`; `LIMIT_EXCEEDED` if no message with this header holds so much.
 */
export function ciphertextLength(
  plaintextLength: number,
  header: MessageHeader,
  options: CiphertextLengthOptions = {},
): number {
  checkOptions(options, ['writer']);
  const { writer = 'frameseal' } = options;
  if (writer !== 'frameseal' && writer !== 'any')
    throw invalidArgument('writer', '"frameseal" or "any"', quote(writer));
  checkInteger('plaintextLength', plaintextLength, 0, MAX_LENGTH);
  const suite = checkHeader(header);
  const { headerLength, contentType, frameLength } = header;
  const framed = contentType === 'framed';
  const length = framed
    ? framedLength(plaintextLength, headerLength, frameLength, suite)
    : nonFramedLength(plaintextLength, headerLength, suite);
  if (writer === 'frameseal') return length;
  const emptyFinalFrame = framed && plaintextLength > 0 && plaintextLength % frameLength === 0;
  const longerFooter = footerRange(suite).longest - footerLength(suite);
  return checkTotal(length + longerFooter + (emptyFinalFrame ? FRAME_OVERHEAD : 0));
}

/**
 * Bytes of the whole message before there is one: no key is asked, `keyring` and `cmm` may be left out.
 *
 * Everything but the encrypted data keys is computed, from `algorithmSuite` (or the default under `commitmentPolicy`),
 * `frameLength` and `encryptionContext`; the other options are checked as by `encrypt` and change nothing. For keys the
 * default assumes symmetric AWS KMS keys, and is then at most 70 bytes too much for each. For other keys say
 * `encryptedDataKeyLength`, in bytes:
 *
 * ```
 * raw AES: 6 + key namespace + key name + 20 + data key + 16      data key: 16, 24 or 32, the suite's key length
 * raw RSA: 6 + key namespace + key name + modulus                 modulus: 256 for RSA-2048, 512 for RSA-4096
 * ```
 * with names in bytes of UTF-8. The result is then exact if these lengths are, and an upper bound if they are. A manager
 * of the caller's own that chooses another suite, or more context, makes it a guess.
 * @param plaintextLength bytes of plaintext, 0 to 2^53 - 1.
 * @throws FramesealError `INVALID_ARGUMENT`, `UNSUPPORTED`, `COMMITMENT_POLICY`, `LIMIT_EXCEEDED`, `ABORTED`: where
 *   `encrypt` would
 */
export function estimateCiphertextLength(plaintextLength: number, options: EstimateOptions): number {
  checkInteger('plaintextLength', plaintextLength, 0, MAX_LENGTH);
  if (options === null || typeof options !== 'object')
    throw invalidArgument('options', 'an object', kindOf(options));
  const { encryptedDataKeys = 1, encryptedDataKeyLength = KMS_DATA_KEY_LENGTH, ...rest } = options;
  const keyless = rest.keyring === undefined && rest.cmm === undefined;
  const request = resolveEncrypt(keyless ? { ...rest, cmm: NO_MANAGER } : rest);
  checkInteger('encryptedDataKeys', encryptedDataKeys, 1, request.maxEncryptedDataKeys);
  checkInteger('encryptedDataKeyLength', encryptedDataKeyLength, 6, LONGEST_DATA_KEY);
  const suite = request.algorithmSuite ?? defaultSuite(request.commitmentPolicy);
  const keysLength = encryptedDataKeys * encryptedDataKeyLength;
  const headerLength = keylessHeaderLength(suite, request.encryptionContext) + keysLength;
  return framedLength(plaintextLength, headerLength, request.frameLength, suite);
}

/**
 * Bytes of plaintext that a message of this length may hold, whoever wrote it: at least `min`, at most `max`.
 *
 * The two are equal for unsigned messages. For signed ones they differ by at most 64 (P-256) or 96 (P-384) bytes, as the
 * length of a signature may.
 * @param ciphertextLength bytes of the whole message, 0 to 2^53 - 1.
 * @param header of `encrypt`, `decrypt` or `parseHeader`.
 * @throws FramesealError `INVALID_ARGUMENT`; `TRUNCATED` if every message with this header is longer; `INVALID_MESSAGE` if
 *   none has this length: it is cut off, or something follows it.
 */
export function plaintextLength(
  ciphertextLength: number,
  header: MessageHeader,
): { min: number; max: number } {
  checkInteger('ciphertextLength', ciphertextLength, 0, MAX_LENGTH);
  const suite = checkHeader(header);
  const { headerLength, contentType, frameLength } = header;
  const form = contentType === 'framed' ? framedForm(frameLength) : NON_FRAMED;
  const footer = footerRange(suite);
  const least = ciphertextLength - headerLength - footer.longest;
  const most = ciphertextLength - headerLength - footer.shortest;
  if (most < form.overhead) {
    const shortest = headerLength + form.overhead + footer.shortest;
    const what = `a message with this header has at least ${shortest} bytes, not ${ciphertextLength}`;
    throw new FramesealError('TRUNCATED', what);
  }
  const first = shortestBody(form, Math.max(least, form.overhead));
  const last = longestBody(form, Math.min(most, form.longest));
  if (first > last) {
    const what = `no message with this header has ${ciphertextLength} bytes: it is cut off, or something follows it`;
    throw new FramesealError('INVALID_MESSAGE', what);
  }
  return { min: bodyPlaintext(form, first), max: bodyPlaintext(form, last) };
}

/** A body: regular frames of `frameLength` and FRAME_OVERHEAD, and behind them 0 to `frameLength` bytes and `overhead`. */
interface BodyForm {
  readonly frameLength: number;
  readonly overhead: number;
  /** Bytes of the longest body. */
  readonly longest: number;
}

/** As one final frame. */
const NON_FRAMED: BodyForm = {
  frameLength: MAX_NON_FRAMED_LENGTH,
  overhead: NON_FRAMED_OVERHEAD,
  longest: MAX_NON_FRAMED_LENGTH + NON_FRAMED_OVERHEAD,
};

function framedForm(frameLength: number): BodyForm {
  const longest = bodyLength(MAX_FRAMES * frameLength, frameLength); // exact wherever a length can reach it
  return { frameLength, overhead: FINAL_FRAME_OVERHEAD, longest };
}

// Bytes beyond the regular frames and the overhead. More than a frame's plaintext: no body is so long.
function lastFrameLength({ frameLength, overhead }: BodyForm, length: number): number {
  return (length - overhead) % (frameLength + FRAME_OVERHEAD);
}

// The shortest body of at least so many bytes, and the longest of at most so many.
function shortestBody(form: BodyForm, length: number): number {
  const last = lastFrameLength(form, length);
  return last <= form.frameLength ? length : length - last + form.frameLength + FRAME_OVERHEAD;
}

function longestBody(form: BodyForm, length: number): number {
  return length - Math.max(0, lastFrameLength(form, length) - form.frameLength);
}

function bodyPlaintext(form: BodyForm, length: number): number {
  const last = lastFrameLength(form, length);
  const regular = (length - form.overhead - last) / (form.frameLength + FRAME_OVERHEAD);
  return regular * form.frameLength + last;
}

// Bytes of a footer that holds a signature, or of none.
function footerRange({ signature }: AlgorithmSuite): { shortest: number; longest: number } {
  if (signature === undefined) return { shortest: 0, longest: 0 };
  const longest = 2 + 2 * (2 + 1 + signature.scalarLength); // a zero byte before one with its top bit set
  return { shortest: FOOTER_OVERHEAD + SHORTEST_SIGNATURE, longest: FOOTER_OVERHEAD + longest };
}

function framedLength(
  plaintextLength: number,
  headerLength: number,
  frameLength: number,
  suite: AlgorithmSuite,
): number {
  checkFrameCount(regularFrames(plaintextLength, frameLength) + 1);
  return checkTotal(headerLength + bodyLength(plaintextLength, frameLength) + footerLength(suite));
}

function nonFramedLength(plaintextLength: number, headerLength: number, suite: AlgorithmSuite): number {
  if (plaintextLength > MAX_NON_FRAMED_LENGTH) {
    throw new FramesealError(
      'LIMIT_EXCEEDED',
      `a non-framed body has at most ${MAX_NON_FRAMED_LENGTH} bytes, not ${plaintextLength}`,
    );
  }
  return checkTotal(headerLength + plaintextLength + NON_FRAMED_OVERHEAD + footerLength(suite));
}

// Sums above this are no longer exact, but stay above it.
function checkTotal(length: number): number {
  if (length <= MAX_LENGTH) return length;
  throw new FramesealError(
    'LIMIT_EXCEEDED',
    `the message would have more than ${MAX_LENGTH} bytes, the most that a number counts`,
  );
}

// A header without its encrypted data keys, its authentication included.
function keylessHeaderLength(suite: AlgorithmSuite, context: Context): number {
  const { signature } = suite;
  const key = signature && encodeVerificationKey(new Uint8Array(1 + signature.scalarLength));
  const pairs = Object.entries(context);
  const body = encodeHeaderBody({
    suite,
    messageId: new Uint8Array(suite.messageIdLength),
    encryptionContext: key === undefined ? context : toContext([...pairs, [PUBLIC_KEY_FIELD, key]]),
    encryptedDataKeys: [],
    contentType: 'framed',
    frameLength: 1,
    suiteData: new Uint8Array(suite.committing ? COMMIT_KEY_LENGTH : 0),
  });
  return body.length + headerAuthLength(suite);
}

/** Stands where nobody names a keyring: an estimate asks for no materials. */
const NO_MANAGER: CryptographicMaterialsManager = {
  getEncryptionMaterials: neverAsked,
  decryptMaterials: neverAsked,
};

function neverAsked(): never {
  throw unreachable('an estimate asked for materials');
}

function checkHeader(header: MessageHeader): AlgorithmSuite {
  const suite = suiteById(header?.suiteId);
  if (suite === undefined || !['framed', 'non-framed'].includes(header.contentType))
    throw invalidArgument('header', 'a header of encrypt, decrypt or parseHeader', kindOf(header));
  checkInteger('header.headerLength', header.headerLength, 1, MAX_LENGTH);
  const framed = header.contentType === 'framed';
  checkInteger('header.frameLength', header.frameLength, framed ? 1 : 0, framed ? 0xffff_ffff : 0);
  return suite;
}
