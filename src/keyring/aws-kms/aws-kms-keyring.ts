/**
 * The AWS KMS keyring: one data key, wrapped under KMS keys in any regions and partitions.
 *
 * On encrypt GenerateDataKey is called once, then Encrypt for all other keys in parallel; the encrypted data keys stand
 * in configured order, whatever the order of the answers. On decrypt only entries of configured key ARNs are tried.
 * Source: AWS Encryption SDK specification, `framework/aws-kms/aws-kms-keyring.md`, `aws-kms-multi-keyrings.md`.
 */
import { utf8, utf8Text } from '../../bytes.ts';
import type { EncryptedDataKey } from '../../encrypted-data-key.ts';
import {
  type DecryptAttempt,
  FramesealError,
  invalidArgument,
  kindOf,
  throwIfAborted,
} from '../../errors.ts';
import { markOurs } from '../../materials/data-key.ts';
import type { DecryptionMaterials, EncryptionMaterials } from '../../materials/materials.ts';
import {
  attempt,
  type Keyring,
  noDataKey,
  type OnDecryptOptions,
  type OnEncryptOptions,
  refuseDataKey,
} from '../keyring.ts';
import { type Deadline, startDeadline } from './deadline.ts';
import { type KeyIdentifier, keyIdentifier, mayBe, parseKeyResourceArn } from './key-arn.ts';
import type { ClientSupplier, KmsOutput } from './kms-api.ts';
import { answeredBytes, type KmsCall, KmsCaller } from './kms-caller.ts';

/** Options that all KMS keyrings have. */
export interface AwsKmsCommonOptions {
  /** Default: one `KMSClient` for each region, made at its first use and kept. */
  readonly clientSupplier?: ClientSupplier;
  readonly grantTokens?: readonly string[];
  /** How long one call may take, the client's own retries included. Default 5000. */
  readonly attemptTimeoutMs?: number;
  /** How long a whole wrap or unwrap may take. Default 15000. */
  readonly deadlineMs?: number;
  /** Added to the user agent of clients that the keyring makes. */
  readonly userAgentSuffix?: string;
  /** Told of every call, for metrics. It never sees a key. */
  readonly onKmsCall?: (call: KmsCall) => void;
}

/** Options of {@link awsKmsKeyring}: a generator, further keys, or both. */
export interface AwsKmsKeyringOptions extends AwsKmsCommonOptions {
  /** Generates the data key. A key ARN, alias ARN, `alias/NAME` or key id; only key ARNs match on decrypt. */
  readonly generatorKeyId?: string;
  /** Wrap the same data key. */
  readonly keyIds?: readonly string[];
}

const NAME = 'awsKmsKeyring';
const PROVIDER_ID = 'aws-kms';
const MAX_TIMEOUT = 2 ** 31 - 1;

/**
 * A keyring over KMS keys.
 * @throws FramesealError `INVALID_ARGUMENT`. Encrypting throws `KMS_FAILED` or `TIMEOUT`, naming operation, region and
 *   key, if any key cannot wrap; decrypting throws `NO_DATA_KEY` with every attempt.
 */
export function awsKmsKeyring(options: AwsKmsKeyringOptions): Keyring {
  const generator =
    options.generatorKeyId === undefined
      ? undefined
      : keyIdentifier('generatorKeyId', options.generatorKeyId);
  const others = (options.keyIds ?? []).map((id) => keyIdentifier('keyIds', id));
  const keys = generator ? [generator, ...others] : others;
  if (keys.length === 0) throw invalidArgument('generatorKeyId', 'a key, or keys in "keyIds"', 'neither');
  const call = new KmsWrapper(options);

  async function onEncrypt(
    materials: EncryptionMaterials,
    { signal }: OnEncryptOptions,
  ): Promise<EncryptionMaterials> {
    const deadline = call.deadline(signal);
    try {
      if (materials.plaintextDataKey !== undefined)
        return await call.wrapAll(keys, materials, deadline.signal);
      if (generator === undefined)
        throw invalidArgument('generatorKeyId', 'a key to generate the data key', 'none');
      return await call.generateAndWrap(generator, others, materials, deadline.signal);
    } finally {
      deadline.stop();
    }
  }

  async function onDecrypt(
    materials: DecryptionMaterials,
    encryptedDataKeys: readonly EncryptedDataKey[],
    { signal }: OnDecryptOptions,
  ): Promise<DecryptionMaterials> {
    refuseDataKey(materials);
    const edks = encryptedDataKeys.filter((edk) => edk.providerId === PROVIDER_ID);
    const malformed = edks.filter((edk) => parseKeyResourceArn(arnOf(edk)) === undefined);
    if (malformed.length > 0) {
      throw noDataKey(malformed.map((edk) => attempt(edk, NAME, 'its provider information is no key ARN')));
    }
    const deadline = call.deadline(signal);
    try {
      return await call.unwrapFirst(edks, keys, materials, deadline.signal, signal);
    } finally {
      deadline.stop();
    }
  }

  return markOurs({ onEncrypt, onDecrypt });
}

class KmsWrapper {
  readonly #caller: KmsCaller;
  readonly #deadlineMs: number;
  readonly #grantTokens: readonly string[];

  constructor(options: AwsKmsCommonOptions) {
    const { attemptTimeoutMs = 5000, deadlineMs = 15000, grantTokens = [] } = options;
    checkMilliseconds('attemptTimeoutMs', attemptTimeoutMs);
    checkMilliseconds('deadlineMs', deadlineMs);
    refuseUnknown(options);
    this.#deadlineMs = deadlineMs;
    this.#grantTokens = [...grantTokens];
    const { clientSupplier, userAgentSuffix, onKmsCall } = options;
    this.#caller = new KmsCaller({ clientSupplier, userAgentSuffix, onKmsCall, attemptTimeoutMs });
  }

  deadline(signal: AbortSignal | undefined): Deadline {
    const expired = () =>
      new FramesealError('TIMEOUT', `${NAME}: not done within ${this.#deadlineMs} ms (deadlineMs)`);
    return startDeadline(this.#deadlineMs, signal, expired);
  }

  // A data key that could not be wrapped everywhere is wiped: this keyring made it, so it may.
  async generateAndWrap(
    generator: KeyIdentifier,
    others: readonly KeyIdentifier[],
    materials: EncryptionMaterials,
    signal: AbortSignal,
  ): Promise<EncryptionMaterials> {
    const generated = await this.#generate(generator, materials, signal);
    try {
      return await this.wrapAll(others, generated, signal);
    } catch (error) {
      generated.plaintextDataKey?.fill(0);
      throw error;
    }
  }

  async #generate(
    key: KeyIdentifier,
    materials: EncryptionMaterials,
    signal: AbortSignal,
  ): Promise<EncryptionMaterials> {
    const { keyLength } = materials.algorithmSuite;
    const input = { ...this.#input(key.text, materials), NumberOfBytes: keyLength };
    return this.#caller.call(
      { operation: 'GenerateDataKey', region: key.arn?.region, keyId: key.text },
      signal,
      (api, options) => api.generateDataKey(input, options),
      (output) => {
        const edk = wrapped(key, output);
        return {
          ...withEdks(materials, [edk]),
          plaintextDataKey: answeredBytes('Plaintext', output, keyLength),
        };
      },
    );
  }

  // All are tried before one failure fails the whole, so that the error can name every key that is out of reach.
  async wrapAll(
    keys: readonly KeyIdentifier[],
    materials: EncryptionMaterials,
    signal: AbortSignal,
  ): Promise<EncryptionMaterials> {
    const answers = await Promise.allSettled(keys.map((key) => this.#wrap(key, materials, signal)));
    const failures = answers.flatMap((answer) =>
      answer.status === 'rejected' ? [answer.reason as FramesealError] : [],
    );
    if (failures.length > 0) throw wrapFailure(failures);
    return withEdks(
      materials,
      answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : [])),
    );
  }

  async #wrap(
    key: KeyIdentifier,
    materials: EncryptionMaterials,
    signal: AbortSignal,
  ): Promise<EncryptedDataKey> {
    const input = { ...this.#input(key.text, materials), Plaintext: materials.plaintextDataKey! };
    return this.#caller.call(
      { operation: 'Encrypt', region: key.arn?.region, keyId: key.text },
      signal,
      (api, options) => api.encrypt(input, options),
      (output) => wrapped(key, output),
    );
  }

  // Entries in the message's order. What a key ARN does not match is listed too, so that an alias in its place is seen.
  async unwrapFirst(
    edks: readonly EncryptedDataKey[],
    keys: readonly KeyIdentifier[],
    materials: DecryptionMaterials,
    signal: AbortSignal,
    callerSignal: AbortSignal | undefined,
  ): Promise<DecryptionMaterials> {
    const attempts: DecryptAttempt[] = [];
    const causes: unknown[] = [];
    for (const edk of edks) {
      const key = keys.find(({ text, arn }) => arn?.resourceType === 'key' && text === arnOf(edk));
      if (key === undefined) {
        attempts.push(attempt(edk, NAME, notConfigured(keys)));
        continue;
      }
      try {
        throwIfAborted(signal);
        return await this.#unwrap(edk, key, materials, signal);
      } catch (error) {
        throwIfAborted(callerSignal);
        causes.push(error);
        attempts.push(attempt(edk, NAME, error instanceof Error ? error.message : String(error)));
      }
    }
    if (attempts.length === 0) return materials;
    throw noDataKey(attempts, causes);
  }

  async #unwrap(
    edk: EncryptedDataKey,
    key: KeyIdentifier,
    materials: DecryptionMaterials,
    signal: AbortSignal,
  ): Promise<DecryptionMaterials> {
    const input = { ...this.#input(key.text, materials), CiphertextBlob: edk.ciphertext };
    return this.#caller.call(
      { operation: 'Decrypt', region: key.arn?.region, keyId: key.text },
      signal,
      (api, options) => api.decrypt(input, options),
      (output) => {
        if (output.KeyId !== key.text) throw new Error('the answer is of another key than the one asked for');
        return {
          ...materials,
          plaintextDataKey: answeredBytes('Plaintext', output, materials.algorithmSuite.keyLength),
        };
      },
    );
  }

  #input(keyId: string, { encryptionContext }: EncryptionMaterials | DecryptionMaterials) {
    return {
      KeyId: keyId,
      EncryptionContext: { ...encryptionContext },
      ...(this.#grantTokens.length > 0 && { GrantTokens: [...this.#grantTokens] }),
    };
  }
}

// aws-kms-keyring.md#onencrypt: the answer's KeyId must be a key ARN; it must also be one that the asked name can mean.
function wrapped(key: KeyIdentifier, output: KmsOutput): EncryptedDataKey {
  const keyId = output.KeyId ?? '';
  const arn = parseKeyResourceArn(keyId);
  if (arn === undefined || !mayBe(key, arn, keyId))
    throw new Error('the answer is of another key than the one asked for');
  return {
    providerId: PROVIDER_ID,
    providerInfo: utf8(keyId)!,
    ciphertext: answeredBytes('CiphertextBlob', output),
  };
}

function withEdks(materials: EncryptionMaterials, added: readonly EncryptedDataKey[]): EncryptionMaterials {
  return { ...materials, encryptedDataKeys: [...materials.encryptedDataKeys, ...added] };
}

function wrapFailure(failures: readonly FramesealError[]): FramesealError {
  const [first] = failures;
  if (failures.length === 1) return first!;
  const { operation, region, keyId, code } = failures.find(({ code }) => code === 'KMS_FAILED') ?? first!;
  return new FramesealError(code, failures.map((failure) => failure.message).join('; '), {
    cause: new AggregateError(failures, `${failures.length} keys could not wrap the data key`),
    region,
    ...(operation !== undefined && { operation }),
    ...(keyId !== undefined && { keyId }),
  });
}

function notConfigured(keys: readonly KeyIdentifier[]): string {
  const named = keys.filter(({ arn }) => arn?.resourceType !== 'key').map(({ text }) => text);
  const hint = `; ${named.join(', ')}: aliases and bare ids encrypt but never match on decrypt, configure the key ARN`;
  return `not one of the configured key ARNs${named.length > 0 ? hint : ''}`;
}

function arnOf(edk: EncryptedDataKey): string {
  return utf8Text(edk.providerInfo) ?? '';
}

function checkMilliseconds(name: string, value: number): void {
  if (!Number.isFinite(value) || value < 1 || value > MAX_TIMEOUT)
    throw invalidArgument(name, `1..${MAX_TIMEOUT} ms`, kindOf(value));
}

// An option that a later version has must not be ignored by this one.
function refuseUnknown(options: object): void {
  const later = ['preferredRegions', 'hedgeAfterMs', 'quorum'].filter((name) => name in options);
  if (later.length > 0)
    throw new FramesealError('UNSUPPORTED', `this version has no option "${later.join('", "')}"`);
}
