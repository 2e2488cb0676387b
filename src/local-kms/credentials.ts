/**
 * Who may sign requests: the account, whose credentials are the same in every run, and the users and roles that a
 * test gives credentials to.
 */
import type { Entropy } from './entropy.ts';
import { accountArn, principalArn } from './principal.ts';

/** Recognisably made up. */
const ACCOUNT_CREDENTIALS = {
  accessKeyId: 'AKIDLOCALKMSEXAMPLE',
  secretAccessKey: 'local-kms-example-secret-key-not-a-real-one',
} as const;
const NAME = /^(user|role)\/[\w+=,.@/-]{1,128}$/;

export interface LocalKmsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface IssueCredentialsOptions {
  /** `user/…` or `role/…` of the account, which may do what grants and key policies allow; else the account itself. */
  readonly principal?: string;
  /** Makes them temporary: by the server's clock they expire after so many milliseconds. */
  readonly lifetimeMs?: number;
}

/** In the form that SDK clients take as `credentials`. */
export interface IssuedCredentials extends LocalKmsCredentials {
  /** Only with `lifetimeMs`. */
  readonly sessionToken?: string;
  /** Only with `lifetimeMs`. SDKs ask a credential provider again some minutes before. */
  readonly expiration?: Date;
}

/** Whose credentials they are. */
export interface Identity extends IssuedCredentials {
  /** ARN of the account, user or role. */
  readonly principal: string;
}

export class CredentialBook {
  /** A copy: SDK clients write into the credentials that they are given. */
  readonly account: LocalKmsCredentials = { ...ACCOUNT_CREDENTIALS };
  readonly #identities = new Map<string, Identity>();
  readonly #partition: string;
  readonly #accountId: string;
  readonly #entropy: Entropy;
  readonly #now: () => number;

  constructor(partition: string, accountId: string, entropy: Entropy, now: () => number) {
    this.#partition = partition;
    this.#accountId = accountId;
    this.#entropy = entropy;
    this.#now = now;
    this.#add({ ...ACCOUNT_CREDENTIALS, principal: accountArn(partition, accountId) });
  }

  identify(accessKeyId: string): Identity | undefined {
    return this.#identities.get(accessKeyId);
  }

  issue({ principal, lifetimeMs }: IssueCredentialsOptions): IssuedCredentials {
    if (principal !== undefined && !NAME.test(principal)) {
      throw new TypeError(`"principal" expected user/NAME or role/NAME, got "${principal}"`);
    }
    if (lifetimeMs !== undefined && !(lifetimeMs >= 0)) {
      throw new RangeError(`"lifetimeMs" expected at least 0, got ${lifetimeMs}`);
    }
    const arn = principalArn(this.#partition, this.#accountId, principal ?? 'root');
    const bytes = this.#entropy.bytes(72, 'credentials', arn);
    const prefix = lifetimeMs === undefined ? 'AKID' : 'ASID';
    const permanent = {
      accessKeyId: `${prefix}LOCAL${bytes.toString('hex', 0, 6).toUpperCase()}`,
      secretAccessKey: bytes.toString('base64url', 6, 36),
    };
    const credentials = lifetimeMs === undefined ? permanent : this.#temporary(permanent, bytes, lifetimeMs);
    this.#add({ ...credentials, principal: arn });
    return credentials;
  }

  #temporary(permanent: LocalKmsCredentials, bytes: Buffer, lifetimeMs: number): IssuedCredentials {
    const expiration = new Date(this.#now() + lifetimeMs);
    return { ...permanent, sessionToken: bytes.toString('base64', 36), expiration };
  }

  #add(identity: Identity): void {
    this.#identities.set(identity.accessKeyId, identity);
  }
}
