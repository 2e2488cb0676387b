/**
 * What went wrong with a KMS call, as one typed error; and whether the key was merely out of reach.
 *
 * Errors are known by name, code and HTTP status, never by class: AWS KMS throws several that its SDK has no class for.
 */
import { escapeText, FramesealError } from '../../errors.ts';
import type { KmsOperation } from './kms-api.ts';

/** Which call. */
export interface CallTarget {
  readonly operation: KmsOperation;
  readonly region: string | undefined;
  readonly keyId: string;
}

/** A call in words, for the beginning of an error's text. */
export function describeCall({ operation, region, keyId }: CallTarget): string {
  return `KMS ${operation} in ${region ?? "the environment's region"} for ${escapeText(keyId)}`;
}

/** `KMS_FAILED`, with the client's error as its cause unless that error quotes the answer. */
export function callFailed(target: CallTarget, error: unknown): FramesealError {
  const cause = safeCause(error);
  const name = cause instanceof Error && cause.name !== 'Error' ? `${cause.name}: ` : '';
  const message = cause instanceof Error ? cause.message : String(cause);
  const text = `${describeCall(target)} failed: ${name}${escapeText(message)}`;
  return new FramesealError('KMS_FAILED', text, { ...target, cause });
}

/** A deadline that has cut off a call; a deadline of the whole operation says which call that was. */
export function callTimedOut(target: CallTarget, reason: FramesealError): FramesealError {
  if (reason.code !== 'TIMEOUT') return reason;
  const { message } = reason;
  const text = message.startsWith('KMS ') ? message : `${describeCall(target)}: ${message}`;
  return new FramesealError('TIMEOUT', text, target);
}

/**
 * Whether a failed call says nothing of the key, only that its region did not answer or would not: a timeout, a network
 * fault, HTTP 5xx, throttling. A quota that is used up (`LimitExceededException`) is none of these.
 */
export function isOutOfReach(failure: unknown): boolean {
  if (!(failure instanceof FramesealError)) return false;
  if (failure.code === 'TIMEOUT') return true;
  const { cause } = failure;
  if (failure.code !== 'KMS_FAILED' || !(cause instanceof Error)) return false;
  const status = statusOf(cause);
  if (isThrottling(cause) || isNetworkFault(cause)) return true;
  return status === undefined ? SERVER_FAULTS.has(cause.name) : status >= 500 || status === 429;
}

/** What SDKs add to an error. */
interface SdkError extends Error {
  readonly code?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: unknown };
  readonly $response?: { readonly statusCode?: unknown };
}

function statusOf(error: SdkError): number | undefined {
  const status = error.$metadata?.httpStatusCode ?? error.$response?.statusCode;
  return typeof status === 'number' ? status : undefined;
}

function isThrottling({ name }: Error): boolean {
  return THROTTLING.has(name);
}

function isNetworkFault(error: SdkError): boolean {
  const code = typeof error.code === 'string' ? error.code : '';
  return NETWORK_NAMES.has(error.name) || NETWORK_CODE.test(code) || isFetchFailure(error);
}

// What `fetch` rejects with: one class for all network faults, told from a defect of the client by its text.
function isFetchFailure({ message }: Error): boolean {
  return FETCH_FAILURE.test(message);
}

// A parser's error may quote the answer, and the SDK attaches the answer to errors that are not the service's own: both
// may hold a data key. The status stays.
function safeCause(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const isService = '$fault' in error;
  const quotesAnswer =
    error instanceof SyntaxError || '$responseBodyText' in error || ('$response' in error && !isService);
  if (!quotesAnswer) return error;
  const { name, code } = error as SdkError;
  const status = statusOf(error as SdkError);
  const cut = isNetworkFault(error as SdkError);
  const text = cut ? 'the answer broke off' : 'the answer is none that the client can read';
  const cause = new Error(status === undefined ? text : `${text} (HTTP ${status})`);
  return Object.assign(cause, {
    ...(cut && { name, code }),
    ...(status !== undefined && { $metadata: { httpStatusCode: status } }),
  });
}

const THROTTLING = new Set([
  'ThrottlingException',
  'Throttling',
  'ThrottledException',
  'RequestThrottled',
  'RequestThrottledException',
  'RequestLimitExceeded',
  'TooManyRequestsException',
  'SlowDown',
]);
const SERVER_FAULTS = new Set([
  'DependencyTimeoutException',
  'KMSInternalException',
  'KeyUnavailableException',
  'InternalFailure',
  'InternalServerError',
  'InternalServerException',
  'ServiceUnavailable',
  'ServiceUnavailableException',
]);
const NETWORK_NAMES = new Set(['TimeoutError', 'NetworkError', 'NetworkingError', 'RequestTimeout']);
const NETWORK_CODE =
  /^(E(CONN(RESET|REFUSED|ABORTED)|PIPE|TIMEDOUT|HOSTUNREACH|HOSTDOWN|NETUNREACH|NETDOWN|AI_AGAIN|PROTO)|ENOTFOUND|UND_ERR_.*)$/;
/** Node; Chromium; Safari; Firefox; Node, in a body; workerd; Deno; Bun. */
const FETCH_FAILURE =
  /^(fetch failed|failed to fetch|load failed|networkerror when|terminated|network connection lost|error sending request|unable to connect)/i;
