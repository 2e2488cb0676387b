/**
 * Verification of AWS Signature Version 4, header form.
 *
 * Source: AWS IAM User Guide, "Create a signed AWS API request". The chain is checked for real, so a client
 * that signs wrongly fails here as it would at AWS:
 *
 *   canonical request = method \n path \n query \n headers \n\n signed header names \n SHA-256(body)
 *   string to sign    = algorithm \n x-amz-date \n scope \n SHA-256(canonical request)
 *   signing key       = HMAC chain: "AWS4" + secret, date, region, service, "aws4_request"
 *
 * The account's credentials are public, so this protects nothing. Temporary credentials need their session token;
 * with others one is not interpreted.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { Identity } from './credentials.ts';
import { expiredToken, KmsError } from './errors.ts';

const ALGORITHM = 'AWS4-HMAC-SHA256';
const MAX_SKEW_MS = 300_000;

/** A request as far as its signature covers it: method `POST`, path `/`, no query. */
export interface SignedRequest {
  /** Lower-case names, each with its values in the order of arrival. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  readonly body: Uint8Array;
}

export interface SignatureRules {
  /** Whose an access key id is. */
  identify(accessKeyId: string): Identity | undefined;
  /** The regions that the endpoint serves. */
  readonly regions: readonly string[];
  /** The server's clock, in milliseconds since 1970. */
  readonly now: number;
}

interface Authorization {
  readonly accessKeyId: string;
  readonly date: string;
  readonly region: string;
  readonly service: string;
  readonly terminator: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
}

/** The region a request is meant for. Not authenticated: for routing faults and the log. */
export function claimedRegion(authorization: string): string | undefined {
  return /Credential=[^/,]*\/[^/,]*\/([^/,]*)\//.exec(authorization)?.[1];
}

/** What a good signature says. */
export interface Signer {
  readonly region: string;
  /** ARN of the account, user or role. */
  readonly principal: string;
}

/** Throws unless the request is signed with credentials of this server for a region served here. */
export function verifySignature(request: SignedRequest, rules: SignatureRules): Signer {
  const authorization = parseAuthorization(header(request, 'authorization'));
  const dateTime = header(request, 'x-amz-date') ?? '';
  checkDateForm(dateTime);
  const identity = rules.identify(authorization.accessKeyId);
  if (identity === undefined) throw invalidToken();
  checkSession(request, identity, rules.now);
  checkScope(authorization, dateTime, rules.regions);
  checkSignedHeaders(request, authorization.signedHeaders);
  checkClock(dateTime, rules.now);
  checkSignature(request, authorization, dateTime, identity.secretAccessKey);
  return { region: authorization.region, principal: identity.principal };
}

function parseAuthorization(value: string | undefined): Authorization {
  if (value === undefined) {
    throw new KmsError('MissingAuthenticationTokenException', 'Missing Authentication Token');
  }
  if (!value.startsWith(`${ALGORITHM} `)) throw incomplete('Unsupported AWS signing algorithm.');
  const parts = new Map(value.slice(ALGORITHM.length).split(',').map(nameAndValue));
  const [accessKeyId, date, region, service, terminator, ...more] = required(parts, 'Credential').split('/');
  if (terminator === undefined || more.length > 0) throw incomplete('Credential must have five elements.');
  return {
    accessKeyId: accessKeyId ?? '',
    date: date ?? '',
    region: region ?? '',
    service: service ?? '',
    terminator,
    signedHeaders: required(parts, 'SignedHeaders').split(';'),
    signature: required(parts, 'Signature'),
  };
}

function nameAndValue(part: string): [string, string] {
  const equals = part.indexOf('=');
  return [part.slice(0, equals).trim(), part.slice(equals + 1).trim()];
}

function required(parts: ReadonlyMap<string, string>, name: string): string {
  const value = parts.get(name);
  if (!value) throw incomplete(`Authorization header requires '${name}' parameter.`);
  return value;
}

function checkSession(request: SignedRequest, identity: Identity, now: number): void {
  const { sessionToken, expiration } = identity;
  if (sessionToken !== undefined && sessionToken !== header(request, 'x-amz-security-token')) {
    throw invalidToken();
  }
  if (expiration !== undefined && expiration.getTime() <= now) throw expiredToken();
}

function checkDateForm(dateTime: string): void {
  if (/^\d{8}T\d{6}Z$/.test(dateTime)) return;
  throw incomplete(
    "Authorization header requires existence of a 'X-Amz-Date' header in ISO-8601 basic form.",
  );
}

function checkScope(authorization: Authorization, dateTime: string, regions: readonly string[]): void {
  const { date, region, service, terminator } = authorization;
  if (!regions.includes(region)) {
    throw invalid(`Credential should be scoped to a valid region, not '${region}'. `);
  }
  if (service !== 'kms') throw invalid("Credential should be scoped to correct service: 'kms'. ");
  if (terminator !== 'aws4_request') {
    throw invalid(
      `Credential should be scoped with a valid terminator: 'aws4_request', not '${terminator}'. `,
    );
  }
  if (date !== dateTime.slice(0, 8)) {
    throw invalid(
      'Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: ' +
        `'${date}' != '${dateTime.slice(0, 8)}', from '${dateTime}'.`,
    );
  }
}

/** Host and every x-amz- header that came must be under the signature, else they could be exchanged. */
function checkSignedHeaders(request: SignedRequest, signed: readonly string[]): void {
  if (!signed.includes('host')) {
    throw invalid("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.");
  }
  for (const name of request.headers.keys()) {
    if (name.startsWith('x-amz-') && !signed.includes(name)) {
      throw invalid(`'${name}' must be a 'SignedHeader' in the AWS Authorization.`);
    }
  }
}

function checkClock(dateTime: string, now: number): void {
  const [, year, month, day, hour, minute, second] =
    /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(dateTime)?.map(Number) ?? [];
  const signedAt = Date.UTC(year ?? 0, (month ?? 1) - 1, day ?? 1, hour ?? 0, minute ?? 0, second ?? 0);
  const age = now - signedAt;
  if (age > MAX_SKEW_MS) {
    const limit = basicForm(now - MAX_SKEW_MS);
    throw invalid(`Signature expired: ${dateTime} is now earlier than ${limit} (${basicForm(now)} - 5 min.)`);
  }
  if (age < -MAX_SKEW_MS) {
    const limit = basicForm(now + MAX_SKEW_MS);
    throw invalid(
      `Signature not yet current: ${dateTime} is still later than ${limit} (${basicForm(now)} + 5 min.)`,
    );
  }
}

function checkSignature(
  request: SignedRequest,
  authorization: Authorization,
  dateTime: string,
  secret: string,
): void {
  const { date, region, service, terminator } = authorization;
  const bodyHash = sha256(request.body);
  const declared = header(request, 'x-amz-content-sha256') ?? bodyHash;
  const canonical = canonicalRequest(request, authorization.signedHeaders, bodyHash);
  const toSign = [ALGORITHM, dateTime, [date, region, service, terminator].join('/'), sha256(canonical)];
  const key = [date, region, service, terminator].reduce(hmac, Buffer.from(`AWS4${secret}`));
  const expected = hmac(key, toSign.join('\n')).toString('hex');
  if (declared !== bodyHash || !equal(expected, authorization.signature)) {
    throw invalid(
      'The request signature we calculated does not match the signature you provided. Check your AWS ' +
        'Secret Access Key and signing method. Consult the service documentation for details.',
    );
  }
}

function canonicalRequest(request: SignedRequest, signed: readonly string[], bodyHash: string): string {
  const lines = signed.map((name) => {
    const values = (request.headers.get(name) ?? []).map((value) => value.trim().replace(/ +/g, ' '));
    return `${name}:${values.join(',')}`;
  });
  return ['POST', '/', '', ...lines, '', signed.join(';'), bodyHash].join('\n');
}

function header(request: SignedRequest, name: string): string | undefined {
  return request.headers.get(name)?.[0];
}

function basicForm(time: number): string {
  return new Date(time).toISOString().replace(/[-:]|\.\d+/g, '');
}

function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

function hmac(key: Uint8Array, data: string): Buffer {
  return createHmac('sha256', key).update(data).digest();
}

function equal(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

const invalidToken = (): KmsError =>
  new KmsError('UnrecognizedClientException', 'The security token included in the request is invalid.');
const incomplete = (message: string): KmsError => new KmsError('IncompleteSignatureException', message);
const invalid = (message: string): KmsError => new KmsError('InvalidSignatureException', message);
