/**
 * The three KMS operations as keyrings use them: what is sent, and what an answer must be to be believed.
 *
 * Source: AWS Encryption SDK specification, `framework/aws-kms/aws-kms-keyring.md#onencrypt`, `#ondecrypt`; the other
 * keyrings' are the same.
 */
import { type Bytes, copy, utf8 } from '../../bytes.ts';
import type { Deadline } from '../../deadline.ts';
import type { EncryptedDataKey } from '../../encrypted-data-key.ts';
import type { DecryptionMaterials, EncryptionMaterials } from '../../materials/materials.ts';
import { type KeyIdentifier, mayBe, parseKeyResourceArn } from './key-arn.ts';
import type { KmsOutput } from './kms-api.ts';
import type { KmsCaller } from './kms-caller.ts';

/** The key provider id of all KMS keyrings. */
export const PROVIDER_ID = 'aws-kms';

/** An encrypted data key, and the call that may open it. */
export interface Candidate {
  readonly edk: EncryptedDataKey;
  /** The key ARN to ask for, which the answer must name. */
  readonly keyId: string;
  /** The region to call: a configured one, never text of the message alone. */
  readonly region: string;
}

/** The operations of one keyring. */
export class KmsOperations {
  readonly #caller: KmsCaller;
  readonly #grantTokens: readonly string[];

  constructor(caller: KmsCaller, grantTokens: readonly string[]) {
    this.#caller = caller;
    this.#grantTokens = grantTokens;
  }

  /** The materials with a new data key, of exactly the suite's length, and its entry. @throws FramesealError */
  generate(
    key: KeyIdentifier,
    materials: EncryptionMaterials,
    deadline: Deadline,
  ): Promise<EncryptionMaterials & { plaintextDataKey: Uint8Array }> {
    const { keyLength } = materials.algorithmSuite;
    const input = { ...this.#input(key.text, materials), NumberOfBytes: keyLength };
    return this.#caller.call(
      { operation: 'GenerateDataKey', region: key.arn?.region, keyId: key.text },
      deadline,
      (api, options) => api.generateDataKey(input, options),
      (output) => {
        const encryptedDataKeys = [...materials.encryptedDataKeys, wrapped(key, output)];
        const plaintextDataKey = answeredBytes('Plaintext', output, keyLength);
        return { ...materials, encryptedDataKeys, plaintextDataKey };
      },
    );
  }

  /** The entry of one more key. The data key is lent as a copy: a client may wipe what it has sent. @throws FramesealError */
  async wrap(
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

  /** The materials with the data key of an entry. @throws FramesealError */
  unwrap(
    { edk, keyId, region }: Candidate,
    materials: DecryptionMaterials,
    deadline: Deadline,
  ): Promise<DecryptionMaterials> {
    const input = { ...this.#input(keyId, materials), CiphertextBlob: copy(edk.ciphertext) };
    return this.#caller.call(
      { operation: 'Decrypt', region, keyId },
      deadline,
      (api, options) => api.decrypt(input, options),
      (output) => {
        if (output.KeyId !== keyId) throw new Error('the answer is of another key than the one asked for');
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
  const providerInfo = utf8(keyId);
  if (providerInfo === undefined) throw new Error("the answer's KeyId is no well-formed text");
  return { providerId: PROVIDER_ID, providerInfo, ciphertext: answeredBytes('CiphertextBlob', output) };
}

/** A byte string of an answer, as a copy of our own. @throws Error if it is missing or not of this length. */
function answeredBytes(
  field: 'Plaintext' | 'CiphertextBlob',
  output: KmsOutput,
  length: number | undefined = undefined,
): Bytes {
  const bytes = output[field];
  if (!(bytes instanceof Uint8Array) || bytes.length === 0) throw new Error(`the answer has no ${field}`);
  const fits = length === undefined ? bytes.length <= 0xffff : bytes.length === length;
  if (!fits) {
    throw new Error(`the answer's ${field} has ${bytes.length} bytes; expected ${length ?? 'at most 65535'}`);
  }
  return copy(bytes);
}
