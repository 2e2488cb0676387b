/**
 * Grant tokens: opaque to clients, and checked without a table.
 *
 *   base64url(grant id (32) | nonce (16) | HMAC-SHA-256(server secret; both) (32))
 *
 * Each CreateGrant answers another token, also for a grant that exists; all of them stand for that grant (AWS KMS
 * API Reference, CreateGrant).
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Entropy } from './entropy.ts';

const ID = 32;
const BODY = ID + 16;
const LENGTH = BODY + 32;

export class GrantTokens {
  readonly #secret: Uint8Array;
  readonly #entropy: Entropy;

  /** `secret`: 32 bytes that only this server has. */
  constructor(secret: Uint8Array, entropy: Entropy) {
    this.#secret = secret;
    this.#entropy = entropy;
  }

  issue(grantId: string): string {
    const nonce = this.#entropy.bytes(BODY - ID, 'grant token', grantId);
    const body = Buffer.concat([Buffer.from(grantId, 'hex'), nonce]);
    return Buffer.concat([body, this.#mac(body)]).toString('base64url');
  }

  /** The id of the grant that a token stands for; `undefined` if no token of this server reads so. */
  open(token: string): string | undefined {
    const bytes = Buffer.from(token, 'base64url');
    if (bytes.length !== LENGTH || bytes.toString('base64url') !== token) return undefined;
    const body = bytes.subarray(0, BODY);
    return timingSafeEqual(this.#mac(body), bytes.subarray(BODY)) ? body.toString('hex', 0, ID) : undefined;
  }

  #mac(body: Uint8Array): Buffer {
    return createHmac('sha256', this.#secret).update('local-kms grant token').update(body).digest();
  }
}
