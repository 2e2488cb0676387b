/** What faults look like on the wire. */
import type { ServerResponse } from 'node:http';
import { type Answer, errorAnswer, type Outcome, sendHead } from './answer.ts';
import { isMultiRegionId, keyArn, parseArn } from './arn.ts';
import { contextAad } from './encryption-context.ts';
import { expiredToken, KmsError } from './errors.ts';
import type { Fault, FaultKind } from './faults.ts';
import type { Input } from './input.ts';
import type { KmsState, Reply } from './operations/operation.ts';

const OTHER_KEY = 'ffffffff-ffff-4fff-bfff-ffffffffffff';
const CANNED: Readonly<Partial<Record<FaultKind, Answer>>> = {
  garbage: { status: 200, contentType: 'application/x-amz-json-1.1', body: '\u0000garbage{' },
  html: {
    status: 503,
    contentType: 'text/html',
    body: '<html><body><h1>Service Unavailable</h1></body></html>',
  },
};
const SILENT: readonly FaultKind[] = ['reset', 'down', 'black-hole'];
const SPOILT: readonly FaultKind[] = ['hang-headers', 'hang-body', 'truncate', 'wrong-content-length'];
const TAMPERING: readonly FaultKind[] = [
  'wrong-key-id',
  'wrong-length',
  'missing-plaintext',
  'missing-blob',
  'empty-blob',
  'blob-swap',
];

/** The request that an answer is for. */
export interface Asked {
  readonly kms: KmsState;
  readonly region: string;
  readonly input: Input;
}

/** The answer that a fault gives without asking the service; `undefined` if it gives none. */
export function cannedAnswer(fault: Fault): Outcome | undefined {
  const error = faultError(fault);
  if (error !== undefined) return { answer: errorAnswer(error), outcome: error.name };
  const canned = CANNED[fault.kind];
  return canned && { answer: canned, outcome: fault.kind };
}

/** Kinds that change a member of the service's reply. They count only when there was one to change. */
export function tampers({ kind }: Fault): boolean {
  return TAMPERING.includes(kind);
}

/** The service's reply with one member changed; `undefined` if the fault changes nothing in it. */
export function tamper({ kind }: Fault, reply: Reply, asked: Asked): Reply | undefined {
  const { KeyId, Plaintext, CiphertextBlob } = reply;
  if (kind === 'wrong-key-id' && typeof KeyId === 'string') return { ...reply, KeyId: otherKey(KeyId) };
  if (kind === 'wrong-length' && typeof Plaintext === 'string') {
    return { ...reply, Plaintext: Buffer.from(Plaintext, 'base64').subarray(0, -1).toString('base64') };
  }
  if (kind === 'missing-plaintext' && Plaintext !== undefined) return { ...reply, Plaintext: undefined };
  if (typeof CiphertextBlob !== 'string') return undefined;
  if (kind === 'missing-blob') return { ...reply, CiphertextBlob: undefined };
  if (kind === 'empty-blob') return { ...reply, CiphertextBlob: '' };
  const swapped = kind === 'blob-swap' ? blobOfAnotherKey(CiphertextBlob, asked) : undefined;
  return swapped === undefined ? undefined : { ...reply, CiphertextBlob: swapped };
}

/** Kinds whose answer gets stuck or cut off on the way. */
export function spoilsDelivery({ kind }: Fault): boolean {
  return SPOILT.includes(kind);
}

/** Sends of an answer what the fault lets through. */
export function sendSpoilt(response: ServerResponse, answer: Answer, fault: Fault, now: number): void {
  const bytes = Buffer.from(answer.body);
  const half = bytes.subarray(0, Math.ceil(bytes.length / 2));
  if (fault.kind === 'hang-headers') return;
  if (fault.kind === 'wrong-content-length') {
    response.setHeader('connection', 'close');
    sendHead(response, answer, now, half.length);
    response.end(bytes, () => response.destroy());
    return;
  }
  sendHead(response, answer, now);
  response.write(half, () => {
    if (fault.kind === 'truncate') response.destroy();
  });
}

/** Kinds that get no answer at all, and are not performed. */
export function isSilent({ kind }: Fault): boolean {
  return SILENT.includes(kind);
}

/** Ends the connection in the way of the fault; a black hole keeps it until client or server closes it. */
export function cut(response: ServerResponse, fault: Fault): void {
  if (fault.kind === 'reset') response.socket?.resetAndDestroy();
  if (fault.kind === 'down') response.socket?.destroy();
}

function faultError(fault: Fault): KmsError | undefined {
  if (fault.kind === 'throttle') return new KmsError('ThrottlingException', 'Rate exceeded');
  if (fault.kind === 'expired-credentials') return expiredToken();
  if (fault.kind !== 'error') return undefined;
  return new KmsError(fault.name ?? '', fault.message ?? '', fault.status);
}

/** A well-formed ARN of a key of the same kind, region and account that does not exist. */
function otherKey(text: string): string {
  const arn = parseArn(text);
  const multiRegion = isMultiRegionId(arn?.resource.slice('key/'.length) ?? '');
  const id = multiRegion ? `mrk-${OTHER_KEY.replaceAll('-', '')}` : OTHER_KEY;
  return keyArn(arn?.region ?? '', arn?.account ?? '', id);
}

function blobOfAnotherKey(blob: string, { kms, region, input }: Asked): string | undefined {
  const bytes = Buffer.from(blob, 'base64');
  const keyId = kms.blobs.identify(bytes)?.keyId;
  const other = kms.store
    .keys(region)
    .find((key) => key.id !== keyId && key.state === 'Enabled' && key.materials.length > 0);
  if (other === undefined) return undefined;
  const context = input.pairs('EncryptionContext') ?? input.pairs('DestinationEncryptionContext');
  const plaintext = kms.entropy.bytes(kms.blobs.plaintextLength(bytes), 'swapped', other.arn);
  return kms.blobs.seal(other, plaintext, contextAad(context)).toString('base64');
}
