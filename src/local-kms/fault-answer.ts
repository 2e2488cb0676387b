/** What faults look like on the wire. */
import type { ServerResponse } from 'node:http';
import { type Answer, errorAnswer, type Outcome } from './answer.ts';
import { isMultiRegionId, keyArn, parseArn } from './arn.ts';
import { type Fault, type FaultKind, faultError } from './faults.ts';
import type { Reply } from './operations/operation.ts';

const OTHER_KEY = 'ffffffff-ffff-4fff-bfff-ffffffffffff';
const CANNED: Readonly<Partial<Record<FaultKind, Answer>>> = {
  garbage: { status: 200, contentType: 'application/x-amz-json-1.1', body: '\u0000garbage{' },
  html: {
    status: 503,
    contentType: 'text/html',
    body: '<html><body><h1>Service Unavailable</h1></body></html>',
  },
};

/** The answer that a fault gives without asking the service; `undefined` if it gives none. */
export function cannedAnswer(fault: Fault): Outcome | undefined {
  const error = faultError(fault);
  if (error !== undefined) return { answer: errorAnswer(error), outcome: error.name };
  const canned = CANNED[fault.kind];
  return canned && { answer: canned, outcome: fault.kind };
}

/** Kinds that change a member of the service's reply. They count only when there was one to change. */
export function tampers({ kind }: Fault): boolean {
  return ['wrong-key-id', 'wrong-length', 'missing-plaintext', 'empty-blob'].includes(kind);
}

/** The service's reply with one member changed; `undefined` if the fault changes nothing in it. */
export function tamper(fault: Fault, reply: Reply): Reply | undefined {
  const { KeyId, Plaintext, CiphertextBlob, ...rest } = reply;
  if (fault.kind === 'wrong-key-id' && typeof KeyId === 'string') {
    return { ...reply, KeyId: otherKey(KeyId) };
  }
  if (fault.kind === 'wrong-length' && typeof Plaintext === 'string') {
    return { ...reply, Plaintext: Buffer.from(Plaintext, 'base64').subarray(0, -1).toString('base64') };
  }
  if (fault.kind === 'missing-plaintext' && Plaintext !== undefined) {
    return { ...rest, KeyId, CiphertextBlob };
  }
  if (fault.kind === 'empty-blob' && CiphertextBlob !== undefined) return { ...reply, CiphertextBlob: '' };
  return undefined;
}

/** Kinds whose answer gets stuck or cut off on the way. */
export function spoilsDelivery({ kind }: Fault): boolean {
  return kind === 'hang-body' || kind === 'truncate';
}

/** The first half of the body; the head has promised all of it. */
export function sendHalf(response: ServerResponse, answer: Answer, fault: Fault): void {
  const bytes = Buffer.from(answer.body);
  const half = bytes.subarray(0, Math.ceil(bytes.length / 2));
  response.write(half, () => {
    if (fault.kind === 'truncate') response.destroy();
  });
}

/** Kinds that get no answer at all. */
export function isSilent({ kind }: Fault): boolean {
  return kind === 'reset' || kind === 'down' || kind === 'black-hole';
}

/** Ends the connection in the way of the fault; a black hole keeps it until client or server closes it. */
export function cut(response: ServerResponse, fault: Fault): void {
  if (fault.kind === 'reset') response.socket?.resetAndDestroy();
  if (fault.kind === 'down') response.socket?.destroy();
}

/** A well-formed ARN of a key of the same kind, region and account that does not exist. */
function otherKey(text: string): string {
  const arn = parseArn(text);
  const multiRegion = isMultiRegionId(arn?.resource.slice('key/'.length) ?? '');
  const id = multiRegion ? `mrk-${OTHER_KEY.replaceAll('-', '')}` : OTHER_KEY;
  return keyArn(arn?.region ?? '', arn?.account ?? '', id);
}
