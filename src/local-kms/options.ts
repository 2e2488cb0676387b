/** The options of `startLocalKms`, checked, and what it returns. */
import type { KMSClient } from '@aws-sdk/client-kms';
import { isRegion } from './arn.ts';
import type { ClientOptions } from './clients.ts';
import type { IssueCredentialsOptions, IssuedCredentials, LocalKmsCredentials } from './credentials.ts';
import type { Fault } from './faults.ts';
import type { KmsRequestRecord } from './request-log.ts';

export interface LocalKmsOptions {
  /** The regions served, at least one; the first is the default of `clientSupplier` and `env`. */
  readonly regions: readonly string[];
  /** 12 digits; by default `000000000000`, which no AWS account has, or that of `file`. */
  readonly accountId?: string;
  /** Port of `endpoint`; by default a free one. The ports of the regions are always free ones. */
  readonly port?: number;
  /**
   * Keeps keys, aliases and grants in this file, made with mode 0600; blobs of earlier runs can then be opened.
   * NO security boundary: key material is in clear text.
   */
  readonly file?: string;
  /** All ids, keys, IVs and tokens derive from this, for golden files. Everybody can compute them. */
  readonly seed?: string | Uint8Array;
  /** Configuration of the clients that `clientSupplier` makes, such as `maxAttempts`. */
  readonly clientOptions?: ClientOptions;
  /** Web origins, such as `http://localhost:5173`, whose pages may call; by default none. */
  readonly cors?: readonly string[];
  /** Lets the server start under NODE_ENV=production. */
  readonly allowProduction?: boolean;
  /** How long a replica made by ReplicateKey stays `Creating`, in milliseconds; by default only in the answer. */
  readonly replicaCreatingMs?: number;
  /** How long UpdatePrimaryRegion leaves both keys `Updating`, in milliseconds; by default 0. */
  readonly primaryUpdateMs?: number;
  /** How long an on-demand rotation is in progress, in milliseconds; by default 0. */
  readonly rotationMs?: number;
  /** How long a new grant counts in requests with its token only, in milliseconds; by default 0. */
  readonly grantDelayMs?: number;
  /** How long keys, replicas and aliases made by requests are not found, in milliseconds; by default 0. */
  readonly visibilityDelayMs?: number;
  /** The server's clock in milliseconds since 1970, for clock skew and deletion dates; by default the real one. */
  readonly now?: () => number;
  /** The number of records in `requests` beyond which the oldest are dropped; by default 100 000. */
  readonly maxRequests?: number;
}

/** The environment variables with which an SDK in another process finds the local KMS. */
export interface LocalKmsEnv extends Record<string, string> {
  readonly AWS_ENDPOINT_URL_KMS: string;
  readonly AWS_ACCESS_KEY_ID: string;
  readonly AWS_SECRET_ACCESS_KEY: string;
  readonly AWS_REGION: string;
}

export interface CreateKeyOptions {
  readonly region: string;
  /** With or without the prefix `alias/`. */
  readonly alias?: string;
  /** A multi-Region primary key; by default only if `keyId` says so. */
  readonly multiRegion?: boolean;
  /** A UUID in lower case, or `mrk-` and 32 hexadecimal digits. */
  readonly keyId?: string;
}

/** A running local KMS. */
export interface LocalKms {
  /** URL for all regions, told apart by the credential scope of the signature. */
  readonly endpoint: string;
  /** URL for one region only, on a port of its own. Throws for a region not served. */
  regionEndpoint(region: string): string;
  /**
   * The same SDK client for a region each time, destroyed by `close`; `undefined` for a region not served.
   * No region: the first one. May be handed over as a function on its own.
   */
  readonly clientSupplier: (region?: string) => Promise<KMSClient | undefined>;
  /** The account's credentials, the same in every run. Public: they protect nothing. */
  readonly credentials: LocalKmsCredentials;
  /**
   * More credentials: of a user or role, which may do what grants and key policies allow, or temporary ones. They
   * are not kept in `file`. Throws on a principal or lifetime that cannot be.
   */
  issueCredentials(options?: IssueCredentialsOptions): IssuedCredentials;
  readonly env: LocalKmsEnv;
  /** Makes an enabled key. Rejects with AlreadyExistsException if id or alias is taken. */
  createKey(options: CreateKeyOptions): Promise<{ readonly arn: string }>;
  /** Makes a replica of a multi-Region primary key that can be used at once. */
  replicateKey(options: { readonly arn: string; readonly region: string }): Promise<{ readonly arn: string }>;
  /**
   * Puts a fault on a region in place of earlier ones; `null` heals it. Requests already stuck stay so. Of a list,
   * each request meets the first fault that is meant for it and not used up: with `times` it is a script.
   */
  setFault(region: string, fault: Fault | readonly Fault[] | null): void;
  /** All requests, oldest first. Set its length to 0 to start over. */
  readonly requests: KmsRequestRecord[];
  /** Resolves when ports and connections are closed, stuck ones too. Calling it again does no harm. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Throws on options that cannot work, and in production. */
export function checkOptions(options: LocalKmsOptions): void {
  const { regions, accountId, port = 0, maxRequests = 1 } = options;
  if (process.env.NODE_ENV === 'production' && options.allowProduction !== true) {
    throw new Error('the local KMS does not start under NODE_ENV=production without allowProduction');
  }
  if (regions.length === 0) throw new TypeError('"regions" expected at least one region');
  const wrong = regions.find((region, index) => !isRegion(region) || regions.indexOf(region) !== index);
  if (wrong !== undefined) throw new TypeError(`"regions" has "${wrong}" twice, or it is no region name`);
  if (accountId !== undefined && !/^\d{12}$/.test(accountId)) {
    throw new TypeError(`"accountId" expected 12 digits, got "${accountId}"`);
  }
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new RangeError(`"port" expected 0..65535, got ${port}`);
  }
  if (!(maxRequests >= 1)) throw new RangeError(`"maxRequests" expected at least 1, got ${maxRequests}`);
  for (const name of DURATIONS) {
    const value = options[name] ?? 0;
    if (!(value >= 0)) throw new RangeError(`"${name}" expected at least 0, got ${value}`);
  }
}

const DURATIONS = [
  'replicaCreatingMs',
  'primaryUpdateMs',
  'rotationMs',
  'grantDelayMs',
  'visibilityDelayMs',
] as const;
