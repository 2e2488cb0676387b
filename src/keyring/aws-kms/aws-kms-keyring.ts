/**
 * The AWS KMS keyring: one data key, wrapped under KMS keys in any regions and partitions.
 *
 * On encrypt GenerateDataKey is called once, then Encrypt for all other keys in parallel; the encrypted data keys stand
 * in configured order, whatever the order of the answers. On decrypt only entries of configured key ARNs are tried.
 * Source: AWS Encryption SDK specification, `framework/aws-kms/aws-kms-keyring.md`, `aws-kms-multi-keyrings.md`.
 */
import { copy, utf8, utf8Text } from '../../bytes.ts';
import { Deadline, turns } from '../../deadline.ts';
import type { EncryptedDataKey } from '../../encrypted-data-key.ts';
import {
  checkOptions,
  combined,
  type DecryptAttempt,
  invalidArgument,
  kindOf,
  textOf,
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
import { type KeyIdentifier, keyIdentifier, mayBe, parseKeyResourceArn } from './key-arn.ts';
import type { ClientSupplier, KmsOutput } from './kms-api.ts';
import { answeredBytes, type KmsCall, KmsCaller } from './kms-caller.ts';

/** Options that all KMS keyrings have. */
export interface AwsKmsCommonOptions {
  /** Default: one `KMSClient` for each region, made at its first use and kept. */
  readonly clientSupplier?: ClientSupplier | undefined;
  readonly grantTokens?: readonly string[] | undefined;
  /** How long one call may take, the client's own retries included. Default 5000. */
  readonly attemptTimeoutMs?: number | undefined;
  /** How long a whole wrap or unwrap may take. Default 15000. */
  readonly deadlineMs?: number | undefined;
  /** Added to the user agent of clients that the keyring makes. */
  readonly userAgentSuffix?: string | undefined;
  /** Told of every call, for metrics. It never sees a key; what it throws is ignored. */
  readonly onKmsCall?: ((call: KmsCall) => unknown) | undefined;
}

/** Options of {@link awsKmsKeyring}: a generator, further keys, or both. */
export interface AwsKmsKeyringOptions extends AwsKmsCommonOptions {
  /** Generates the data key. A key ARN, alias ARN, `alias/NAME` or key id; only key ARNs match on decrypt. */
  readonly generatorKeyId?: string | undefined;
  /** Wrap the same data key. */
  readonly keyIds?: readonly string[] | undefined;
}

const NAME = 'awsKmsKeyring';
const PROVIDER_ID = 'aws-kms';
const MAX_TIMEOUT = 2 ** 31 - 1;
const COMMON = [
  'clientSupplier',
  'grantTokens',
  'attemptTimeoutMs',
  'deadlineMs',
  'userAgentSuffix',
  'onKmsCall',
];
const LATER = ['preferredRegions', 'hedgeAfterMs', 'quorum'];

/**
 * A keyring over KMS keys.
 * @throws FramesealError `INVALID_ARGUMENT`. Encrypting throws `KMS_FAILED` or `TIMEOUT`, naming operation, region and
 *   key, if any key cannot wrap; decrypting throws `NO_DATA_KEY` with every attempt.
 */
export function awsKmsKeyring(options: AwsKmsKeyringOptions): Keyring {
  checkOptions(options, ['generatorKeyId', 'keyIds', ...COMMON], LATER);
  const { generatorKeyId, keyIds = [] } = options;
  if (!Array.isArray(keyIds)) throw invalidArgument('keyIds', 'an array of key ids', kindOf(keyIds));
  const generator =
    generatorKeyId === undefined ? undefined : keyIdentifier('generatorKeyId', generatorKeyId);
  const others = keyIds.map((id: string) => keyIdentifier('keyIds', id));
  const keys = generator ? [generator, ...others] : others;
  if (keys.length === 0) throw invalidArgument('generatorKeyId', 'a key, or keys in "keyIds"', 'neither');
  const call = new KmsWrapper(options);

  async function onEncrypt(
    materials: EncryptionMaterials,
    { signal }: OnEncryptOptions,
  ): Promise<EncryptionMaterials> {
    const deadline = call.deadline(signal);
    try {
      if (materials.plaintextDataKey !== undefined) return await call.wrapAll(keys, materials, deadline);
      if (generator === undefined)
        throw invalidArgument('generatorKeyId', 'a key to generate the data key', 'none');
      return await call.generateAndWrap(generator, others, materials, deadline);
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
      return await call.unwrapFirst(edks, keys, materials, deadline, signal);
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
    const { attemptTimeoutMs = 5000, deadlineMs = 15000, grantTokens = [], clientSupplier } = options;
    checkMilliseconds('attemptTimeoutMs', attemptTimeoutMs);
    checkMilliseconds('deadlineMs', deadlineMs);
    if (!Array.isArray(grantTokens))
      throw invalidArgument('grantTokens', 'an array of texts', kindOf(grantTokens));
    if (clientSupplier !== undefined && typeof clientSupplier !== 'function') {
      throw invalidArgument('clientSupplier', 'a function', kindOf(clientSupplier));
    }
    this.#deadlineMs = deadlineMs;
    this.#grantTokens = [...grantTokens];
    const { userAgentSuffix, onKmsCall } = options;
    this.#caller = new KmsCaller({ clientSupplier, userAgentSuffix, onKmsCall, attemptTimeoutMs });
  }

  deadline(signal: AbortSignal | undefined): Deadline {
    return new Deadline(
      this.#deadlineMs,
      signal,
      `${NAME} was not done within ${this.#deadlineMs} ms (deadlineMs)`,
    );
  }

  // A data key that could not be wrapped everywhere is wiped: this keyring made it, so it may.
  async generateAndWrap(
    generator: KeyIdentifier,
    others: readonly KeyIdentifier[],
    materials: EncryptionMaterials,
    deadline: Deadline,
  ): Promise<EncryptionMaterials> {
    const generated = await this.#generate(generator, materials, deadline);
    try {
      return await this.wrapAll(others, generated, deadline);
    } catch (error) {
      generated.plaintextDataKey?.fill(0);
      throw error;
    }
  }

  // All are tried before one failure fails the whole, so that the error can name every key that is out of reach.
  async wrapAll(
    keys: readonly KeyIdentifier[],
    materials: EncryptionMaterials,
    deadline: Deadline,
  ): Promise<EncryptionMaterials> {
    const answers = await Promise.allSettled(keys.map((key) => this.#wrap(key, materials, deadline)));
    const failures = answers.flatMap((answer) =>
      answer.status === 'rejected' ? [answer.reason as unknown] : [],
    );
    const aborted = failures.find((failure) => deadline.signal.aborted && deadline.signal.reason === failure);
    if (aborted !== undefined) throw aborted;
    if (failures.length > 0) throw combined(failures, 'keys could not wrap the data key');
    return withEdks(
      materials,
      answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : [])),
    );
  }

  // Entries in the message's order. What a key ARN does not match is listed too, so that an alias in its place is seen.
  async unwrapFirst(
    edks: readonly EncryptedDataKey[],
    keys: readonly KeyIdentifier[],
    materials: DecryptionMaterials,
    deadline: Deadline,
    callerSignal: AbortSignal | undefined,
  ): Promise<DecryptionMaterials> {
    const attempts: DecryptAttempt[] = [];
    const causes: unknown[] = [];
    const byArn = new Map(
      keys.filter(({ arn }) => arn?.resourceType === 'key').map((key) => [key.text, key]),
    );
    const other = notConfigured(keys);
    const turn = turns(callerSignal);
    for (const edk of edks) {
      await turn();
      const key = byArn.get(arnOf(edk));
      if (key === undefined) {
        attempts.push(attempt(edk, NAME, other));
        continue;
      }
      try {
        throwIfAborted(deadline.signal);
        return await this.#unwrap(edk, key, materials, deadline);
      } catch (error) {
        throwIfAborted(callerSignal);
        causes.push(error);
        attempts.push(attempt(edk, NAME, textOf(error)));
      }
    }
    if (attempts.length === 0) return materials;
    throw noDataKey(attempts, causes);
  }

  async #generate(
    key: KeyIdentifier,
    materials: EncryptionMaterials,
    deadline: Deadline,
  ): Promise<EncryptionMaterials> {
    const { keyLength } = materials.algorithmSuite;
    const input = { ...this.#input(key.text, materials), NumberOfBytes: keyLength };
    return this.#caller.call(
      { operation: 'GenerateDataKey', region: key.arn?.region, keyId: key.text },
      deadline,
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

  // The data key is lent as a copy: a client may wipe what it has sent.
  async #wrap(
    key: KeyIdentifier,
    materials: EncryptionMaterials,
    deadline: Deadline,
  ): Promise<EncryptedDataKey> {
    const lent = copy(materials.plaintextDataKey!);
    const input = { ...this.#input(key.text, materials), Plaintext: lent };
    try {
      return await this.#caller.call(
        { operation: 'Encrypt', region: key.arn?.region, keyId: key.text },
        deadline,
        (api, options) => api.encrypt(input, options),
        (output) => wrapped(key, output),
      );
    } finally {
      lent.fill(0);
    }
  }

  async #unwrap(
    edk: EncryptedDataKey,
    key: KeyIdentifier,
    materials: DecryptionMaterials,
    deadline: Deadline,
  ): Promise<DecryptionMaterials> {
    const input = { ...this.#input(key.text, materials), CiphertextBlob: copy(edk.ciphertext) };
    return this.#caller.call(
      { operation: 'Decrypt', region: key.arn?.region, keyId: key.text },
      deadline,
      (api, options) => api.decrypt(input, options),
      (output) => {
        if (output.KeyId !== key.text) throw new Error('the answer is of another key than the one asked for');
        const plaintextDataKey = answeredBytes('Plaintext', output, materials.algorithmSuite.keyLength);
        return { ...materials, plaintextDataKey };
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
  const keyId = typeof output.KeyId === 'string' ? output.KeyId : '';
  const arn = parseKeyResourceArn(keyId);
  if (arn === undefined || !mayBe(key, arn, keyId)) {
    throw new Error('the answer is of another key than the one asked for');
  }
  const ciphertext = answeredBytes('CiphertextBlob', output);
  return { providerId: PROVIDER_ID, providerInfo: utf8(keyId)!, ciphertext };
}

function withEdks(materials: EncryptionMaterials, added: readonly EncryptedDataKey[]): EncryptionMaterials {
  return { ...materials, encryptedDataKeys: [...materials.encryptedDataKeys, ...added] };
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
  if (!Number.isFinite(value) || value < 1 || value > MAX_TIMEOUT) {
    throw invalidArgument(name, `1..${MAX_TIMEOUT} ms`, kindOf(value));
  }
}
