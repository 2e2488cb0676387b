/**
 * KMS in this process, for what HTTP cannot show: who is aborted, whose bytes are wiped, and answers that come exactly when
 * a test lets them. A blob opens under the key that made it and under its replicas.
 */
import type {
  ClientSupplier,
  DecryptInput,
  EncryptInput,
  GenerateDataKeyInput,
  KmsApi,
  KmsCallOptions,
  KmsOperation,
  KmsOutput,
} from '../../../src/keyring/aws-kms/index.ts';
import { markOurs } from '../../../src/materials/data-key.ts';

type Input = GenerateDataKeyInput | EncryptInput | DecryptInput;

/** One call, as it was made. */
export interface FakeCall {
  readonly operation: KmsOperation;
  readonly region: string | undefined;
  readonly keyId: string;
  readonly signal: AbortSignal;
  readonly grantTokens: readonly string[] | undefined;
  /** What was answered, the very object. */
  output?: KmsOutput;
}

/** What a region does instead of answering: `hang` until the signal aborts, throw, or change the answer. */
export type Behaviour = 'hang' | Error | ((output: KmsOutput, call: FakeCall) => unknown);

export class FakeKms {
  readonly calls: FakeCall[] = [];
  readonly #behaviours = new Map<string | undefined, Behaviour>();
  readonly #blobs = new Map<string, { readonly key: string; readonly plaintext: Uint8Array }>();
  #count = 0;

  /** @param ours the clients count as made by the library. */
  constructor(ours = false) {
    const clients = new Map<string | undefined, KmsApi>();
    this.clientSupplier = (region) => {
      const client = clients.get(region) ?? this.#client(region);
      if (!clients.has(region)) clients.set(region, ours ? markOurs(client) : client);
      return client;
    };
  }

  readonly clientSupplier: ClientSupplier<KmsApi>;

  set(region: string, behaviour: Behaviour | null): void {
    if (behaviour === null) this.#behaviours.delete(region);
    else this.#behaviours.set(region, behaviour);
  }

  /** `Decrypt us-east-1`, ... in the order of the calls. */
  get log(): string[] {
    return this.calls.map(({ operation, region }) => `${operation} ${region}`);
  }

  /** Forgets calls and heals all regions. */
  reset(): void {
    this.calls.length = 0;
    this.#behaviours.clear();
  }

  #client(region: string | undefined): KmsApi {
    const run =
      (operation: KmsOperation, perform: (input: never) => KmsOutput) =>
      (input: Input, options: KmsCallOptions) =>
        this.#run(
          {
            operation,
            region,
            keyId: input.KeyId,
            signal: options.signal,
            grantTokens: input.GrantTokens,
          },
          () => perform(input as never),
        );
    return {
      generateDataKey: run('GenerateDataKey', ({ KeyId, NumberOfBytes }: GenerateDataKeyInput) => {
        const Plaintext = crypto.getRandomValues(new Uint8Array(NumberOfBytes));
        return { KeyId, Plaintext, CiphertextBlob: this.#seal(KeyId, Plaintext) };
      }),
      encrypt: run('Encrypt', ({ KeyId, Plaintext }: EncryptInput) => ({
        KeyId,
        CiphertextBlob: this.#seal(KeyId, Plaintext),
      })),
      decrypt: run('Decrypt', ({ KeyId, CiphertextBlob }: DecryptInput) => {
        const sealed = this.#blobs.get(new TextDecoder().decode(CiphertextBlob));
        if (sealed?.key !== keyOf(KeyId)) throw named('IncorrectKeyException', 400);
        return { KeyId, Plaintext: sealed.plaintext.slice() };
      }),
    };
  }

  async #run(call: FakeCall, perform: () => KmsOutput): Promise<KmsOutput> {
    this.calls.push(call);
    await Promise.resolve();
    const behaviour = this.#behaviours.get(call.region);
    if (behaviour instanceof Error) throw behaviour;
    if (behaviour === 'hang') return new Promise((_, reject) => onAbort(call.signal, reject));
    const output = perform();
    call.output = output;
    return typeof behaviour === 'function' ? ((await behaviour(output, call)) as KmsOutput) : output;
  }

  #seal(keyId: string, plaintext: Uint8Array): Uint8Array {
    const name = `blob-${this.#count++}`;
    this.#blobs.set(name, { key: keyOf(keyId), plaintext: plaintext.slice() });
    return new TextEncoder().encode(name);
  }
}

/** An error as KMS answers it. */
export function named(name: string, status?: number, code?: string): Error {
  const details = status === undefined ? {} : { $metadata: { httpStatusCode: status } };
  return Object.assign(new Error(`said ${name}`), { name, ...details, ...(code !== undefined && { code }) });
}

/** A key ARN of account 0. */
export function keyArn(region: string, id = '11111111-2222-4333-8444-555555555555'): string {
  const partition = region.startsWith('cn-') ? 'aws-cn' : 'aws';
  return `arn:${partition}:kms:${region}:000000000000:key/${id}`;
}

/** The id of a multi-Region key. */
export const MRK = 'mrk-0123456789abcdef0123456789abcdef';

function keyOf(keyId: string): string {
  return keyId.includes('key/mrk-') ? keyId.replace(/^(arn:[^:]+:kms:)[^:]+/, '$1') : keyId;
}

function onAbort(signal: AbortSignal, stop: (reason: unknown) => void): void {
  if (signal.aborted) stop(signal.reason);
  else signal.addEventListener('abort', () => stop(signal.reason), { once: true });
}
