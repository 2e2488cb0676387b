/**
 * The one error class of the library, and its codes.
 *
 * `switch (error.code)` narrows: the codes are stable, the texts are not. Wrong tags, commitments and signatures
 * share one code and one text, so that an error tells nobody which check an altered message has passed.
 */

/** What went wrong. Every code says what happened, whose fault it may be and what to do. */
export type ErrorCode =
  /** A call that can never work: the text names the argument, what was expected and what came. Fix the call. */
  | 'INVALID_ARGUMENT'
  /** This runtime or this version lacks something the call needs. Use another key, suite or runtime. */
  | 'UNSUPPORTED'
  /** The bytes are no message of this format, or one that the format forbids. Look at where they come from. */
  | 'INVALID_MESSAGE'
  /** The message ends early: an upload or a read was cut off. Read it again. */
  | 'TRUNCATED'
  /** Bytes follow the end of the message: two objects were joined, or something was appended. */
  | 'TRAILING_BYTES'
  /** The input is the base64 text of a message. Decode it first. */
  | 'BASE64_MESSAGE'
  /** A limit of the caller's or of the format's. Raise the caller's limit only for a trusted source. */
  | 'LIMIT_EXCEEDED'
  /** The commitment policy does not allow the algorithm suite. */
  | 'COMMITMENT_POLICY'
  /** No encrypted data key could be opened; `attempts` lists each one and why. */
  | 'NO_DATA_KEY'
  /** A pair of the encryption context that the caller requires or reproduces differs from the message's. */
  | 'CONTEXT_MISMATCH'
  /** Wrong tag, commitment or signature: the message was altered, or the key is not its key. */
  | 'AUTHENTICATION_FAILED'
  /** The sidecar belongs to another message, or was altered. */
  | 'SIDECAR_MISMATCH'
  /** A KMS operation failed; `operation`, `region` and `keyId` say which, `cause` why. */
  | 'KMS_FAILED'
  /** A deadline passed: ours for a KMS attempt or for a whole wrap or unwrap. */
  | 'TIMEOUT'
  /** The caller's AbortSignal. `cause` is its reason. */
  | 'ABORTED'
  /** Files. */
  | 'IO';

/** One encrypted data key that did not open. Names come from an unauthenticated header and are escaped. */
export interface DecryptAttempt {
  /** The key provider id of the encrypted data key, such as `aws-kms` or a key namespace. */
  readonly providerId: string;
  /** The key's name: the key ARN, or the name of a raw key. */
  readonly keyName: string;
  /** The keyring that looked at it. */
  readonly keyring: string;
  /** Why it did not open. RSA keyrings give one constant text. */
  readonly reason: string;
}

/** What an error carries besides its code and text. */
export interface ErrorDetails {
  readonly cause?: unknown;
  readonly attempts?: readonly DecryptAttempt[];
  readonly operation?: string | undefined;
  readonly region?: string | undefined;
  readonly keyId?: string | undefined;
}

/** The error that every function of this library throws or rejects with. */
export class FramesealError extends Error {
  override readonly name = 'FramesealError';
  /** Stable; see {@link ErrorCode}. */
  readonly code: ErrorCode;
  /**
   * For `NO_DATA_KEY` (and what follows from it): each encrypted data key and why it did not open; of those that no
   * keyring knew, as many as make 1,024 in all.
   */
  readonly attempts: readonly DecryptAttempt[];
  /** For KMS errors the operation, such as `GenerateDataKey`; for files what was done, such as `read`. */
  readonly operation: string | undefined;
  /** For KMS errors: the region that was called; `undefined` is the environment's own. */
  readonly region: string | undefined;
  /** For KMS errors: the key that was named in the call. */
  readonly keyId: string | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.attempts = details.attempts ?? [];
    this.operation = details.operation;
    this.region = details.region;
    this.keyId = details.keyId;
  }
}

/** The common error for a wrong tag, commitment or signature: one text for all of them. */
export function authenticationFailed(): FramesealError {
  return new FramesealError(
    'AUTHENTICATION_FAILED',
    'the message is not authentic: it was altered, or the data key is not its own',
  );
}

/**
 * An argument that can never work.
 * @param got from {@link kindOf} for anything that may be secret, from {@link quote} for names and choices.
 */
export function invalidArgument(name: string, expected: string, got: string): FramesealError {
  return new FramesealError('INVALID_ARGUMENT', `"${name}" expected ${expected}, got ${got}`);
}

/** The several failures of one step, as one error: that of a KMS call first, because it says most. */
export function combined(failures: readonly unknown[], what: string): unknown {
  if (failures.length === 1 && failures[0] instanceof Error) return failures[0];
  const known = failures.filter((failure) => failure instanceof FramesealError);
  const first = known.find(({ code }) => code === 'KMS_FAILED') ?? known[0];
  const texts = failures.map(textOf);
  const cause = new AggregateError(failures, `${failures.length} ${what}`);
  const { code = 'INVALID_ARGUMENT', operation, region, keyId, attempts = [] } = first ?? {};
  return new FramesealError(code, `${failures.length} ${what}: ${texts.join('; ')}`, {
    cause,
    operation,
    region,
    keyId,
    attempts,
  });
}

/** Throws what an aborted signal asks for; does nothing while it is not aborted. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw aborted(signal);
}

const deadlines = new WeakSet<object>();

/** A passed deadline of ours, which {@link aborted} knows from whatever a caller gives as a signal's reason. */
export function deadlineError(text: string): FramesealError {
  const error = new FramesealError('TIMEOUT', text);
  deadlines.add(error);
  return error;
}

/** The error for an aborted signal: a deadline's own error, or that of a caller's signal. */
export function aborted(signal: AbortSignal): FramesealError {
  const { reason } = signal;
  if (reason instanceof FramesealError && (deadlines.has(reason) || reason.code === 'ABORTED')) return reason;
  return new FramesealError('ABORTED', 'aborted by the caller', { cause: signal.reason });
}

/**
 * An options object with no name but the known ones: a misspelt `encryptionContext` must not be a message without one.
 * @throws FramesealError `INVALID_ARGUMENT`
 */
export function checkOptions(options: unknown, known: readonly string[]): void {
  if (options === null || typeof options !== 'object')
    throw invalidArgument('options', 'an object', kindOf(options));
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || known.includes(name)) continue;
    throw invalidArgument('options', `names among ${known.join(', ')}`, quote(name));
  }
}

/** The text of whatever was thrown. */
export function textOf(failure: unknown): string {
  if (failure instanceof Error) return failure.message;
  return typeof failure === 'string' ? failure : kindOf(failure);
}

/** A state that no caller can reach. */
export function unreachable(what: string): Error {
  return new Error(`frameseal: ${what}. This is a defect of the library: please report it`);
}

/**
 * Text from an unauthenticated header, made safe to show: control, ANSI and bidirectional characters are escaped,
 * and long text is cut.
 */
export function escapeText(text: string): string {
  const shown = text.length > 300 ? `${text.slice(0, 300)}… (${text.length} characters)` : text;
  return shown.replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\\]/gu,
    (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`,
  );
}

/** A value by its kind and length; only numbers and booleans are shown. It may be a key. */
export function kindOf(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'boolean' || value == null) return String(value);
  if (typeof value === 'string') return `a string of ${value.length} characters`;
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (Array.isArray(value)) return `an array of ${value.length}`;
  return typeof value === 'object'
    ? `an object (${value.constructor?.name ?? 'no prototype'})`
    : `a ${typeof value}`;
}

/** A value that is no secret: text is shown, escaped. */
export function quote(value: unknown): string {
  return typeof value === 'string' ? `"${escapeText(value)}"` : kindOf(value);
}
