// What a client is told of an error: a status and the code. The text, which names keys, is for the log alone.

import { FramesealError } from 'frameseal';

export function failed(error) {
  console.error(error);
  const status = statusOf(error);
  const headers = status === 503 ? { 'retry-after': '5' } : {};
  const code = error instanceof FramesealError ? error.code : 'INTERNAL';
  return new Response(`${code}\n`, { status, headers });
}

function statusOf(error) {
  if (!(error instanceof FramesealError)) return 500;
  switch (error.code) {
    // KMS did not answer, or would not: no key opened the object, or none could be made for it.
    case 'KMS_FAILED':
    case 'TIMEOUT':
    case 'NO_DATA_KEY':
      return isRefused(error) ? 403 : 503;
    // An object of another tenant or of another name lies under this one's key.
    case 'CONTEXT_MISMATCH':
      return 403;
    // What lies in the bucket is not what was stored there, or was not stored by this Worker.
    case 'AUTHENTICATION_FAILED':
    case 'INVALID_MESSAGE':
    case 'TRUNCATED':
    case 'TRAILING_BYTES':
    case 'BASE64_MESSAGE':
    case 'COMMITMENT_POLICY':
    case 'UNSUPPORTED':
      return 502;
    case 'LIMIT_EXCEEDED':
      return 413;
    default:
      return 500;
  }
}

/** Answers of KMS that no waiting changes. */
const REFUSALS = new Set([
  'AccessDeniedException',
  'DisabledException',
  'IncorrectKeyException',
  'InvalidCiphertextException',
  'InvalidKeyUsageException',
  'KMSInvalidStateException',
  'NotFoundException',
]);

// Whether every key that was asked has refused. It is so, too, if the object has no entry of our keys: none was asked.
function isRefused(error) {
  if (error.code === 'TIMEOUT') return false;
  if (error.code === 'KMS_FAILED') return REFUSALS.has(error.cause?.name);
  const { cause } = error;
  const causes = cause instanceof AggregateError ? cause.errors : cause === undefined ? [] : [cause];
  return causes.every((each) => each instanceof FramesealError && isRefused(each));
}
