/**
 * The three KMS operations that keyrings need, as an interface that callers may implement themselves.
 *
 * Field names are the KMS API's: https://docs.aws.amazon.com/kms/latest/APIReference/
 */

/** The operations that keyrings call. */
export type KmsOperation = 'GenerateDataKey' | 'Encrypt' | 'Decrypt';

/** What accompanies every call. */
export interface KmsCallOptions {
  /** Aborted when the attempt has timed out, when the whole operation has, or when the caller aborts. */
  readonly signal: AbortSignal;
}

interface KmsInput {
  readonly KeyId: string;
  readonly EncryptionContext: Record<string, string>;
  readonly GrantTokens?: string[];
}

/** `GenerateDataKey`. */
export interface GenerateDataKeyInput extends KmsInput {
  readonly NumberOfBytes: number;
}

/** `Encrypt`. */
export interface EncryptInput extends KmsInput {
  readonly Plaintext: Uint8Array;
}

/** `Decrypt`. */
export interface DecryptInput extends KmsInput {
  readonly CiphertextBlob: Uint8Array;
}

/** What the operations answer; each field is checked. */
export interface KmsOutput {
  readonly KeyId?: string | undefined;
  readonly Plaintext?: Uint8Array | undefined;
  readonly CiphertextBlob?: Uint8Array | undefined;
}

/** KMS, as small as keyrings need it. */
export interface KmsApi {
  generateDataKey(input: GenerateDataKeyInput, options: KmsCallOptions): Promise<KmsOutput>;
  encrypt(input: EncryptInput, options: KmsCallOptions): Promise<KmsOutput>;
  decrypt(input: DecryptInput, options: KmsCallOptions): Promise<KmsOutput>;
}

/** A `KMSClient` of `@aws-sdk/client-kms`, or anything with its `send`. */
export interface KmsSender {
  // biome-ignore lint/suspicious/noExplicitAny: the SDK's own overloads cannot be named without importing the SDK
  send(command: any, options?: any): Promise<any>;
}

/** A client for one region. */
export type KmsClient = KmsApi | KmsSender;

/**
 * Answers the client for a region; `undefined` as region is the environment's own, for bare key ids and aliases.
 * Answering `undefined` refuses the region.
 */
export type ClientSupplier<Client extends KmsClient = KmsClient> = (
  region: string | undefined,
) => Client | undefined | Promise<Client | undefined>;

/** What metrics learn of a call. Never a key. */
export interface KmsCall {
  readonly operation: KmsOperation;
  /** `undefined` is the environment's own. */
  readonly region: string | undefined;
  readonly keyId: string;
  /** With the client's own retries. */
  readonly milliseconds: number;
  /** `ok`, or the name of the error: KMS's, `TIMEOUT`, or `ABORTED` when the caller or a faster call has ended it. */
  readonly outcome: string;
}
