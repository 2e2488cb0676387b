/**
 * One KMS call: the right client, an attempt timeout of our own, one typed error for everything that can go wrong, and
 * a word to the caller's metrics. No retries: the client has its own, and other keys are tried instead.
 */
import { Deadline, untilAborted } from '../../deadline.ts';
import { aborted, type FramesealError, invalidArgument } from '../../errors.ts';
import { isOurs } from '../../materials/data-key.ts';
import { Clients, type Sdk } from './clients.ts';
import type { KmsApi, KmsCall, KmsCallOptions, KmsOutput } from './kms-api.ts';
import { type CallTarget, callFailed, callTimedOut, describeCall } from './kms-failure.ts';
import type { AwsKmsCommonOptions } from './options.ts';

/** Makes the calls of one keyring. */
export class KmsCaller {
  readonly #clients: Clients;
  readonly #attemptTimeoutMs: number;
  readonly #onKmsCall: AwsKmsCommonOptions['onKmsCall'];

  /** @throws FramesealError `INVALID_ARGUMENT` without supplier and SDK. */
  constructor(options: AwsKmsCommonOptions, attemptTimeoutMs: number, sdk: Sdk | undefined) {
    const { clientSupplier = sdk?.supplier({ userAgentSuffix: options.userAgentSuffix }) } = options;
    if (clientSupplier === undefined) {
      throw invalidArgument('clientSupplier', 'a function: without the AWS SDK there is no default', 'none');
    }
    this.#clients = new Clients(clientSupplier, sdk);
    this.#attemptTimeoutMs = attemptTimeoutMs;
    this.#onKmsCall = options.onKmsCall;
  }

  /**
   * Makes a call and checks its answer.
   * @param read takes copies of what is needed from the answer; throws an Error whose text says what is wrong with it.
   * @throws FramesealError `KMS_FAILED`, `TIMEOUT`, or the caller's own abort
   */
  async call<T>(
    target: CallTarget,
    whole: Deadline,
    request: (api: KmsApi, options: KmsCallOptions) => Promise<KmsOutput>,
    read: (output: KmsOutput) => T,
  ): Promise<T> {
    if (whole.signal.aborted) throw callTimedOut(target, aborted(whole.signal));
    const started = performance.now();
    let outcome = 'ok';
    const text = `${describeCall(target)} timed out after ${this.#attemptTimeoutMs} ms (attemptTimeoutMs)`;
    const deadline = new Deadline(this.#attemptTimeoutMs, whole, text);
    try {
      const api = await this.#clients.get(target.region, deadline.signal);
      const answer = Promise.resolve(request(api, { signal: deadline.signal }));
      return await take(api, answer, deadline.signal, read);
    } catch (error) {
      const failure = deadline.signal.aborted
        ? callTimedOut(target, aborted(deadline.signal))
        : callFailed(target, error);
      outcome = outcomeOf(failure);
      throw failure;
    } finally {
      deadline.stop();
      this.#tell({ ...target, milliseconds: performance.now() - started, outcome });
    }
  }

  // Metrics that fail are no reason to fail a message.
  #tell(call: KmsCall): void {
    try {
      const told: unknown = this.#onKmsCall?.(call);
      if (told instanceof Promise) told.catch(() => {});
    } catch {}
  }
}

// Nobody else sees what a client of ours answers: it is wiped when it has been read, or when it comes too late. What a
// caller's client answers may be the caller's to keep.
async function take<T>(
  api: KmsApi,
  answer: Promise<KmsOutput>,
  signal: AbortSignal,
  read: (output: KmsOutput) => T,
): Promise<T> {
  const wipe = isOurs(api) ? wipePlaintext : () => {};
  const output = await untilAborted(signal, answer, wipe);
  if (output === null || typeof output !== 'object') throw new Error('the answer is empty');
  try {
    return read(output);
  } finally {
    wipe(output);
  }
}

function wipePlaintext(output: KmsOutput): void {
  if (output?.Plaintext instanceof Uint8Array) output.Plaintext.fill(0);
}

function outcomeOf({ code, cause }: FramesealError): string {
  return code === 'KMS_FAILED' && cause instanceof Error ? cause.name : code;
}
