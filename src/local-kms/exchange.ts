/**
 * One HTTP request, from its headers to its answer:
 *
 *   host check -> log -> body -> fault -> signature -> operation -> answer, spoilt if the fault says so
 *
 * Operations run without waiting, so requests never interleave inside one; only faults wait.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Answer, errorAnswer, type Outcome, replyAnswer, sendHead } from './answer.ts';
import type { CredentialBook } from './credentials.ts';
import { KmsError } from './errors.ts';
import { cannedAnswer, cut, isSilent, sendSpoilt, spoilsDelivery, tamper, tampers } from './fault-answer.ts';
import type { FaultBoard, Hit } from './fault-board.ts';
import { changeKey } from './fault-effects.ts';
import { faultTarget, namedKey, targetKey } from './fault-target.ts';
import type { Fault } from './faults.ts';
import { answerCors, checkHost, checkProtocol, headersOf, operationOf, readBody } from './gate.ts';
import { Input } from './input.ts';
import { perform } from './operations/index.ts';
import type { KmsState } from './operations/operation.ts';
import type { OpenRecord, RequestLog } from './request-log.ts';
import { claimedRegion, verifySignature } from './sigv4.ts';

export interface ExchangeSettings {
  readonly kms: KmsState;
  readonly log: RequestLog;
  readonly faults: FaultBoard;
  readonly credentials: CredentialBook;
  /** Web origins that may call. */
  readonly cors: readonly string[];
  /** Requests being served, with their regions. */
  readonly open: Map<ServerResponse, string>;
}

/** Serves one request of an endpoint for `regions`. Never rejects. */
export async function exchange(
  settings: ExchangeSettings,
  regions: readonly string[],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const headers = headersOf(request);
  try {
    checkHost(headers);
    if (answerCors(request, response, settings.cors)) return;
    checkProtocol(request);
  } catch (error) {
    request.resume();
    return send(response, errorAnswer(asKmsError(error)), settings.kms.now());
  }
  await new Exchange(settings, regions, request, response, headers).run();
}

class Exchange {
  readonly #settings: ExchangeSettings;
  readonly #regions: readonly string[];
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #headers: ReadonlyMap<string, readonly string[]>;
  readonly #operation: string;
  readonly #region: string;
  readonly #record: OpenRecord;
  readonly #gone = new AbortController();
  /** How the log tells of it if the connection ends before an answer. */
  #outcomeIfCut = 'aborted';
  /** By how much the clock is ahead that this request is served by. */
  #skewMs = 0;

  constructor(
    settings: ExchangeSettings,
    regions: readonly string[],
    request: IncomingMessage,
    response: ServerResponse,
    headers: ReadonlyMap<string, readonly string[]>,
  ) {
    this.#settings = settings;
    this.#regions = regions;
    this.#request = request;
    this.#response = response;
    this.#headers = headers;
    this.#operation = operationOf(request);
    this.#region = claimedRegion(request.headers.authorization ?? '') ?? '';
    this.#record = settings.log.start({
      operation: this.#operation,
      region: this.#region,
      userAgent: request.headers['user-agent'],
      attempt: Number(/attempt=(\d+)/.exec(String(request.headers['amz-sdk-request']))?.[1] ?? 1),
    });
    settings.open.set(response, this.#region);
    response.once('close', () => {
      settings.open.delete(response);
      this.#record.end(settings.faults.isDown(this.#region) ? 'down' : this.#outcomeIfCut);
      this.#gone.abort();
      settings.faults.update(this.#region);
    });
  }

  async run(): Promise<void> {
    try {
      await this.#serve(await readBody(this.#request));
    } catch (error) {
      const left = this.#gone.signal.aborted || this.#request.socket.destroyed;
      if (!left) this.#finish(failure(error));
    }
  }

  async #serve(body: Buffer): Promise<void> {
    const input = this.#parse(body);
    const parsed = input instanceof Input ? input : undefined;
    const { faults, kms } = this.#settings;
    const hit = faults.match(this.#region, faultTarget(kms, this.#region, this.#operation, parsed));
    if (hit === undefined) return this.#finish(this.#answer(body, input));
    const { fault } = hit;
    if (!tampers(fault)) hit.spend();
    const delayMs = hit.delay();
    if (delayMs > 0) await sleep(delayMs, undefined, { signal: this.#gone.signal });
    if (isSilent(fault)) return this.#dropOut(fault);
    changeKey(kms, fault, targetKey(kms, this.#region, parsed));
    this.#skewMs = fault.skewMs ?? 0;
    const outcome = cannedAnswer(fault) ?? this.#answer(body, input, hit);
    if (!spoilsDelivery(fault)) return this.#finish(outcome);
    this.#outcomeIfCut = fault.kind;
    sendSpoilt(this.#response, outcome.answer, fault, this.#now);
  }

  #dropOut(fault: Fault): void {
    this.#outcomeIfCut = fault.kind;
    cut(this.#response, fault);
  }

  /** The service's answer: signature first, then the operation; changed if the fault changes it. */
  #answer(body: Buffer, input: Input | KmsError, hit?: Hit): Outcome {
    const { kms, credentials } = this.#settings;
    const identify = (accessKeyId: string) => credentials.identify(accessKeyId);
    try {
      const signed = { headers: this.#headers, body };
      const signer = verifySignature(signed, { identify, regions: this.#regions, now: this.#now });
      if (input instanceof KmsError) throw input;
      const { region, principal: caller } = signer;
      const reply = perform({ kms, region, operation: this.#operation, input, caller });
      const changed = hit && tamper(hit.fault, reply, { kms, region, input });
      if (!hit || !changed || !hit.spend()) return { answer: replyAnswer(reply), outcome: 'ok' };
      return { answer: replyAnswer(changed), outcome: hit.fault.kind };
    } catch (error) {
      return failure(error);
    }
  }

  get #now(): number {
    return this.#settings.kms.now() + this.#skewMs;
  }

  /** A body that cannot be parsed is reported only after the signature has been checked. */
  #parse(body: Buffer): Input | KmsError {
    try {
      const input = Input.parse(body);
      this.#record.describe({
        keyId: namedKey(input),
        encryptionContext: input.pairs('EncryptionContext') ?? input.pairs('SourceEncryptionContext'),
        grantTokens: input.texts('GrantTokens', 10),
      });
      return input;
    } catch (error) {
      return asKmsError(error);
    }
  }

  #finish({ answer, outcome }: Outcome): void {
    this.#record.end(outcome);
    send(this.#response, answer, this.#now);
  }
}

function send(response: ServerResponse, answer: Answer, now: number): void {
  sendHead(response, answer, now);
  response.end(answer.body);
}

function failure(error: unknown): Outcome {
  const kmsError = asKmsError(error);
  return { answer: errorAnswer(kmsError), outcome: kmsError.name };
}

/** What is no KmsError is a defect here, or a state file that cannot be written. */
function asKmsError(error: unknown): KmsError {
  if (error instanceof KmsError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new KmsError('KMSInternalException', message);
}
