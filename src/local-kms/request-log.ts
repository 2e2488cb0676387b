/** The log of requests, for assertions on which calls were made, in which order and how they overlapped. */
import type { EncryptionContext } from './encryption-context.ts';

/**
 * One request. It is in the log from its start; `endedAt` and `outcome` stay `undefined` until it has been
 * answered or given up. It never holds key material, plaintext or ciphertext.
 */
export interface KmsRequestRecord {
  /** The operation as asked for, such as `GenerateDataKey`. */
  readonly operation: string;
  /** The region of the credential scope, which is not yet verified when the record is made. */
  readonly region: string;
  /** `KeyId`, `DestinationKeyId` or `TargetKeyId` as the client wrote it. */
  readonly keyId: string | undefined;
  /** The encryption context (of the source, in ReEncrypt). */
  readonly encryptionContext: EncryptionContext | undefined;
  readonly grantTokens: readonly string[];
  /** The client's `user-agent`. */
  readonly userAgent: string | undefined;
  /** `performance.now()` of this process when the headers had arrived. */
  readonly startedAt: number;
  /** `performance.now()` when the answer was handed to the socket, or when the client had gone. */
  readonly endedAt: number | undefined;
  /** `ok`, the name of the error answered, the kind of the fault, or `aborted` if the client gave up first. */
  readonly outcome: string | undefined;
  /** The SDK's attempt number, from 1, out of `amz-sdk-request`. */
  readonly attempt: number;
}

/** What fills a record in as more of the request is known. */
export interface OpenRecord {
  describe(details: Pick<KmsRequestRecord, 'keyId' | 'encryptionContext' | 'grantTokens'>): void;
  /** Completes the record; later calls change nothing. */
  end(outcome: string): void;
}

export class RequestLog {
  /** Oldest first. The caller may empty it. */
  readonly records: KmsRequestRecord[] = [];
  readonly #limit: number;

  /** Beyond `limit` records the oldest are dropped. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  start(request: Pick<KmsRequestRecord, 'operation' | 'region' | 'userAgent' | 'attempt'>): OpenRecord {
    const record: { -readonly [Name in keyof KmsRequestRecord]: KmsRequestRecord[Name] } = {
      ...request,
      keyId: undefined,
      encryptionContext: undefined,
      grantTokens: [],
      startedAt: performance.now(),
      endedAt: undefined,
      outcome: undefined,
    };
    this.records.push(record);
    if (this.records.length > this.#limit) this.records.shift();
    return {
      describe: (details) => void Object.assign(record, details),
      end: (outcome) => {
        if (record.outcome !== undefined) return;
        record.endedAt = performance.now();
        record.outcome = outcome;
      },
    };
  }
}
