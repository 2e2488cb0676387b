/**
 * One KMS call: the right client, an attempt timeout of our own, one typed error for everything that can go wrong, and
 * a word to the caller's metrics. No retries: the client has its own, and other keys are tried instead.
 */
import { type Bytes, copy } from '../../bytes.ts';
import { aborted, escapeText, FramesealError } from '../../errors.ts';
import { startDeadline, untilAborted } from './deadline.ts';
import type { ClientSupplier, KmsApi, KmsCallOptions, KmsClient, KmsOutput } from './kms-api.ts';

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
  readonly onKmsCall?: ((call: KmsCall) => void) | undefined;
}

/** Which call. */
export interface CallTarget {
  readonly operation: KmsOperation;
  readonly region: string | undefined;
  readonly keyId: string;
}

/** Makes the calls of one keyring. */
export class KmsCaller {
  readonly #options: CallerOptions;
  readonly #clients = new Map<string | undefined, Promise<KmsApi>>();

  constructor(options: CallerOptions) {
    this.#options = options;
  }

  /**
   * Makes a call and checks its answer.
   * @param read takes what is needed from the answer; throws an Error whose text says what is wrong with it.
   * @throws FramesealError `KMS_FAILED`, `TIMEOUT`, or the signal's own reason
   */
  async call<T>(
    target: CallTarget,
    signal: AbortSignal,
    request: (api: KmsApi, options: KmsCallOptions) => Promise<KmsOutput>,
    read: (output: KmsOutput) => T,
  ): Promise<T> {
    const started = performance.now();
    let outcome = 'ok';
    const deadline = startDeadline(this.#options.attemptTimeoutMs, signal, () => this.#timedOut(target));
    try {
      const api = await untilAborted(deadline.signal, this.#client(target), () => {});
      const answer = request(api, { signal: deadline.signal });
      return read(await untilAborted(deadline.signal, answer, wipe));
    } catch (error) {
      outcome = error instanceof Error ? error.name : 'Error';
      if (deadline.signal.aborted) {
        const reason = aborted(deadline.signal);
        outcome = reason.code;
        throw reason.code === 'TIMEOUT' ? inTime(target, reason) : reason;
      }
      throw error instanceof FramesealError ? error : failed(target, error);
    } finally {
      deadline.stop();
      this.#options.onKmsCall?.({ ...target, milliseconds: performance.now() - started, outcome });
    }
  }

  // One client for a region; a refusal or a failure is not kept.
  #client(target: CallTarget): Promise<KmsApi> {
    const { region } = target;
    let client = this.#clients.get(region);
    if (client === undefined) {
      client = this.#makeClient(target);
      this.#clients.set(region, client);
      client.catch(() => this.#clients.delete(region));
    }
    return client;
  }

  async #makeClient(target: CallTarget): Promise<KmsApi> {
    const { clientSupplier, userAgentSuffix } = this.#options;
    if (clientSupplier === undefined) {
      const sdk = await import('./kms-client.ts');
      return sdk.sdkApi(sdk.ownClient(target.region, userAgentSuffix));
    }
    const client: KmsClient | undefined = await clientSupplier(target.region);
    if (client === undefined) throw new Error('the clientSupplier refuses this region');
    if ('generateDataKey' in client) return client;
    if (typeof client.send !== 'function')
      throw new Error('the clientSupplier answered neither a KMSClient nor a KmsApi');
    return (await import('./kms-client.ts')).sdkApi(client);
  }

  #timedOut(target: CallTarget): FramesealError {
    const what = `${describe(target)} timed out after ${this.#options.attemptTimeoutMs} ms (attemptTimeoutMs)`;
    return new FramesealError('TIMEOUT', what, target);
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
  if (length !== undefined && bytes.length !== length) {
    throw new Error(`the answer's ${field} has ${bytes.length} bytes; ${length} were expected`);
  }
  return copy(bytes);
}

function describe({ operation, region, keyId }: CallTarget): string {
  return `KMS ${operation} in ${region ?? "the environment's region"} for ${escapeText(keyId)}`;
}

// A deadline of the whole operation says which call it has cut off.
function inTime(target: CallTarget, reason: FramesealError): FramesealError {
  if (reason.operation !== undefined) return reason;
  return new FramesealError('TIMEOUT', `${describe(target)}: ${reason.message}`, {
    ...target,
    cause: reason,
  });
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
  output?.Plaintext?.fill?.(0);
}
