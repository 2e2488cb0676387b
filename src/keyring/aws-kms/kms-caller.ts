/**
 * One KMS call: the right client, an attempt timeout of our own, one typed error for everything that can go wrong, and
 * a word to the caller's metrics. No retries: the client has its own, and other keys are tried instead.
 */
import { type Bytes, copy } from '../../bytes.ts';
import { Deadline, untilAborted } from '../../deadline.ts';
import { aborted, escapeText, FramesealError } from '../../errors.ts';

import type { ClientSupplier, KmsApi, KmsCallOptions, KmsOutput, KmsSender } from './kms-api.ts';

/** What metrics learn of a call. Never a key. */
export interface KmsCall {
  readonly operation: KmsOperation;
  readonly region: string | undefined;
  readonly keyId: string;
  readonly milliseconds: number;
  /** `ok`, or the name of the error. */
  readonly outcome: string;
}

/** The operations that keyrings call. */
export type KmsOperation = 'GenerateDataKey' | 'Encrypt' | 'Decrypt';

/** How calls are made. */
export interface CallerOptions {
  readonly clientSupplier?: ClientSupplier | undefined;
  readonly userAgentSuffix?: string | undefined;
  readonly attemptTimeoutMs: number;
  readonly onKmsCall?: ((call: KmsCall) => unknown) | undefined;
}

/** Which call. */
export interface CallTarget {
  readonly operation: KmsOperation;
  readonly region: string | undefined;
  readonly keyId: string;
}

/** A client, and whether this library made it: then nobody else sees its answers. */
interface Client {
  readonly api: KmsApi;
  readonly own: boolean;
}

/** Makes the calls of one keyring. */
export class KmsCaller {
  readonly #options: CallerOptions;
  readonly #clients = new Map<string | undefined, Promise<Client>>();

  constructor(options: CallerOptions) {
    this.#options = options;
  }

  /**
   * Makes a call and checks its answer.
   * @param read takes what is needed from the answer; throws an Error whose text says what is wrong with it.
   * @throws FramesealError `KMS_FAILED`, `TIMEOUT`, or the caller's own abort
   */
  async call<T>(
    target: CallTarget,
    whole: Deadline,
    request: (api: KmsApi, options: KmsCallOptions) => Promise<KmsOutput>,
    read: (output: KmsOutput) => T,
  ): Promise<T> {
    const started = performance.now();
    let outcome = 'ok';
    const { attemptTimeoutMs } = this.#options;
    const text = `${describe(target)} timed out after ${attemptTimeoutMs} ms (attemptTimeoutMs)`;
    const deadline = new Deadline(attemptTimeoutMs, whole, text);
    try {
      const { api, own } = await this.#client(target, deadline.signal);
      const answer = Promise.resolve(request(api, { signal: deadline.signal }));
      const output = await untilAborted(deadline.signal, answer, own ? wipe : undefined);
      if (output === null || typeof output !== 'object') throw new Error('the answer is empty');
      return read(output);
    } catch (error) {
      const failure = deadline.signal.aborted
        ? inTime(target, aborted(deadline.signal))
        : error instanceof FramesealError
          ? error
          : failed(target, error);
      outcome =
        failure.cause instanceof Error && failure.code === 'KMS_FAILED' ? failure.cause.name : failure.code;
      throw failure;
    } finally {
      deadline.stop();
      this.#tell({ ...target, milliseconds: performance.now() - started, outcome });
    }
  }

  // One client for a region. A refusal, a failure and one that has not come in time are not kept.
  async #client(target: CallTarget, signal: AbortSignal): Promise<Client> {
    const { region } = target;
    let client = this.#clients.get(region);
    if (client === undefined) {
      client = this.#makeClient(target);
      this.#clients.set(region, client);
    }
    try {
      return await untilAborted(signal, client);
    } catch (error) {
      if (this.#clients.get(region) === client) this.#clients.delete(region);
      throw error;
    }
  }

  async #makeClient({ region }: CallTarget): Promise<Client> {
    const { clientSupplier, userAgentSuffix } = this.#options;
    if (clientSupplier === undefined) {
      const sdk = await import('./kms-client.ts');
      return { api: sdk.sdkApi(sdk.ownClient(region, userAgentSuffix)), own: true };
    }
    const client: Partial<KmsApi & KmsSender> | undefined = await clientSupplier(region);
    if (client == null) throw new Error('the clientSupplier refuses this region');
    if (typeof client.generateDataKey === 'function') return { api: client as KmsApi, own: false };
    if (typeof client.send !== 'function') {
      throw new Error('the clientSupplier answered neither a KMSClient nor a KmsApi');
    }
    return { api: (await import('./kms-client.ts')).sdkApi(client as KmsSender), own: false };
  }

  // Metrics that fail are no reason to fail a message.
  #tell(call: KmsCall): void {
    try {
      const told: unknown = this.#options.onKmsCall?.(call);
      if (told instanceof Promise) told.catch(() => {});
    } catch {}
  }
}

/** A byte string of an answer, as a copy of our own. @throws Error if it is missing or not of this length. */
export function answeredBytes(
  field: 'Plaintext' | 'CiphertextBlob',
  output: KmsOutput,
  length?: number,
): Bytes {
  const bytes = output[field];
  if (!(bytes instanceof Uint8Array) || bytes.length === 0) throw new Error(`the answer has no ${field}`);
  const fits = length === undefined ? bytes.length <= 0xffff : bytes.length === length;
  if (!fits) {
    throw new Error(`the answer's ${field} has ${bytes.length} bytes; expected ${length ?? 'at most 65535'}`);
  }
  return copy(bytes);
}

function describe({ operation, region, keyId }: CallTarget): string {
  return `KMS ${operation} in ${region ?? "the environment's region"} for ${escapeText(keyId)}`;
}

// A deadline of the whole operation says which call it has cut off.
function inTime(target: CallTarget, reason: FramesealError): FramesealError {
  if (reason.code !== 'TIMEOUT') return reason;
  const text = reason.message.startsWith('KMS ') ? reason.message : `${describe(target)}: ${reason.message}`;
  return new FramesealError('TIMEOUT', text, target);
}

function failed(target: CallTarget, error: unknown): FramesealError {
  const cause = safeCause(error);
  const name = cause instanceof Error && cause.name !== 'Error' ? `${cause.name}: ` : '';
  const message = cause instanceof Error ? cause.message : String(cause);
  return new FramesealError('KMS_FAILED', `${describe(target)} failed: ${name}${escapeText(message)}`, {
    ...target,
    cause,
  });
}

// A parser's error may quote the answer, and the SDK attaches its whole text: both may hold a data key.
function safeCause(error: unknown): unknown {
  const quotesAnswer =
    error instanceof SyntaxError || (error instanceof Error && '$responseBodyText' in error);
  return quotesAnswer ? new Error('the answer is no JSON that the client can read') : error;
}

// An answer that came after its time: nobody else will see it.
function wipe(output: KmsOutput): void {
  if (output.Plaintext instanceof Uint8Array) output.Plaintext.fill(0);
}
