/**
 * A {@link KmsApi} over `fetch`, for bundles that cannot afford the AWS SDK: three operations, no retries.
 *
 * ```
 * POST /   content-type: application/x-amz-json-1.1   x-amz-target: TrentService.OPERATION   blobs in base64
 * ```
 * Errors have the name that KMS gives them and the HTTP status; an answer's text never becomes part of one, unless it is
 * KMS's own message. Source: AWS KMS API Reference, AWS JSON 1.1 protocol of Smithy.
 */
import { base64, base64Bytes } from '../../bytes.ts';
import { checkOptions, escapeText, invalidArgument, kindOf, quote } from '../../errors.ts';
import { markOurs } from '../../materials/data-key.ts';
import { VERSION } from '../../version.ts';
import { isRegion } from './key-arn.ts';
import type { KmsApi, KmsCallOptions, KmsOperation, KmsOutput } from './kms-api.ts';
import { checkEndpoint, regionEndpoint } from './kms-endpoint.ts';
import { type AwsCredentials, type RequestSigner, type SigningRequest, signV4 } from './sigv4.ts';

/** Options of {@link fetchKmsClient}. */
export interface FetchKmsClientOptions {
  readonly region: string;
  /** Credentials, or a function that is asked for them before each request: it renews them before they expire. */
  readonly credentials: AwsCredentials | (() => AwsCredentials | Promise<AwsCredentials>);
  /** Default: the region's own. `https:`, or `http:` on this machine. */
  readonly endpoint?: string | URL | undefined;
  /** Default: the runtime's. It must heed `signal`. */
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** Default: Signature Version 4. */
  readonly signer?: RequestSigner | undefined;
}

/**
 * KMS in one region, for a `clientSupplier`. A request that fails is not sent again: keyrings go on to the next key, and a
 * keyring with one key fails where the SDK would have tried three times.
 * @throws FramesealError `INVALID_ARGUMENT`
 */
export function fetchKmsClient(options: FetchKmsClientOptions): KmsApi {
  const client = checked(options);
  return markOurs<KmsApi>({
    generateDataKey: (input, call) => post(client, 'GenerateDataKey', input, call),
    encrypt: ({ Plaintext, ...input }, call) =>
      post(client, 'Encrypt', { ...input, Plaintext: base64(Plaintext) }, call),
    decrypt: ({ CiphertextBlob, ...input }, call) =>
      post(client, 'Decrypt', { ...input, CiphertextBlob: base64(CiphertextBlob) }, call),
  });
}

/** Bytes of an answer that are read. */
const MAX_ANSWER = 2 ** 18;

interface CheckedClient {
  readonly region: string;
  readonly url: string;
  readonly credentials: () => Promise<AwsCredentials>;
  readonly fetch: typeof globalThis.fetch;
  readonly signer: RequestSigner;
}

function checked(options: FetchKmsClientOptions): CheckedClient {
  checkOptions(options, ['region', 'credentials', 'endpoint', 'fetch', 'signer']);
  const { region, credentials, endpoint, signer = signV4 } = options;
  if (!isRegion(region)) throw invalidArgument('region', 'a region name such as "eu-west-1"', quote(region));
  if (credentials === null || !['object', 'function'].includes(typeof credentials)) {
    throw invalidArgument('credentials', 'credentials, or a function that answers them', kindOf(credentials));
  }
  // Looked up late and called without an object: browsers and workers insist on it.
  const fetch = options.fetch ?? ((input, init) => globalThis.fetch(input, init));
  for (const [name, value] of Object.entries({ fetch, signer })) {
    if (typeof value !== 'function') throw invalidArgument(name, 'a function', kindOf(value));
  }
  return {
    region,
    url: endpoint === undefined ? `${regionEndpoint(region)}/` : checkEndpoint(endpoint),
    credentials: async () => (typeof credentials === 'function' ? credentials() : credentials),
    fetch,
    signer,
  };
}

async function post(
  client: CheckedClient,
  operation: KmsOperation,
  input: object,
  { signal }: KmsCallOptions,
): Promise<KmsOutput> {
  const { region, url } = client;
  const body = JSON.stringify(input);
  const headers = {
    'content-type': 'application/x-amz-json-1.1',
    'x-amz-target': `TrentService.${operation}`,
    'x-amz-user-agent': `frameseal/${VERSION}`,
  };
  const credentials = checkCredentials(await client.credentials());
  const request: SigningRequest = { method: 'POST', url, headers, body, region, credentials };
  const signed = await client.signer(request);
  signal.throwIfAborted();
  const init: RequestInit = { method: 'POST', headers: { ...signed }, body, redirect: 'manual', signal };
  const [status, text] = await sent(client, init, signal);
  const answer = parsed(text);
  if (status !== 200) throw kmsError(status, answer);
  if (answer === undefined) throw new Error('the answer is no JSON object');
  const { KeyId, Plaintext, CiphertextBlob } = answer;
  return {
    KeyId: typeof KeyId === 'string' ? KeyId : undefined,
    Plaintext: blob(Plaintext),
    CiphertextBlob: blob(CiphertextBlob),
  };
}

// What `fetch` rejects with is a network fault, unless it is the signal.
async function sent(
  { fetch, url }: CheckedClient,
  init: RequestInit,
  signal: AbortSignal,
): Promise<readonly [number, string]> {
  try {
    const response = await fetch(url, init);
    return [response.status, await boundedText(response)];
  } catch (error) {
    signal.throwIfAborted();
    const reason = error instanceof Error ? codeOf(error.cause) : '';
    throw named('NetworkError', `the request got no whole answer${reason}`, undefined);
  }
}

// An answer is a few KiB at most: one that does not end is given up.
async function boundedText({ body }: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  if (body === null) return text;
  const reader = body.getReader();
  for (let length = 0; ; ) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    length += value.length;
    if (length > MAX_ANSWER) {
      reader.cancel().catch(() => {});
      throw new Error('the answer does not end');
    }
    text += decoder.decode(value, { stream: true });
  }
}

function codeOf(cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  return typeof code === 'string' ? ` (${escapeText(code)})` : '';
}

function parsed(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return value !== null && typeof value === 'object' ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** `__type` may be preceded by a namespace; the message is KMS's own. */
function kmsError(status: number, answer: Readonly<Record<string, unknown>> | undefined): Error {
  const type = answer?.__type;
  if (typeof type !== 'string' || type === '') {
    return named('Error', `HTTP ${status} without an error of KMS`, status);
  }
  const message = answer?.message ?? answer?.Message;
  const name = type.slice(type.lastIndexOf('#') + 1);
  return named(escapeText(name), typeof message === 'string' ? message : '', status);
}

function named(name: string, message: string, httpStatusCode: number | undefined): Error {
  const error = Object.assign(new Error(message), { name });
  return httpStatusCode === undefined ? error : Object.assign(error, { $metadata: { httpStatusCode } });
}

function blob(value: unknown): Uint8Array | undefined {
  return typeof value === 'string' ? base64Bytes(value) : undefined;
}

function checkCredentials(credentials: AwsCredentials): AwsCredentials {
  const { accessKeyId, secretAccessKey, sessionToken } = credentials ?? {};
  const areTexts = [accessKeyId, secretAccessKey].every((text) => typeof text === 'string' && text !== '');
  if (!areTexts || (sessionToken !== undefined && typeof sessionToken !== 'string')) {
    throw named('CredentialsError', 'the credentials lack accessKeyId or secretAccessKey', undefined);
  }
  return credentials;
}
