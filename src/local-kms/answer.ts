/** Answers in the form of `application/x-amz-json-1.1` (AWS JSON 1.1 protocol, Smithy documentation). */
import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { KmsError } from './errors.ts';
import type { Reply } from './operations/operation.ts';

export interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** An answer and what the log calls it. */
export interface Outcome {
  readonly answer: Answer;
  readonly outcome: string;
}

const JSON_TYPE = 'application/x-amz-json-1.1';

export function replyAnswer(reply: Reply): Answer {
  return { status: 200, contentType: JSON_TYPE, body: JSON.stringify(reply) };
}

/** The service leaves `message` out where it has nothing to say. */
export function errorAnswer(error: KmsError): Answer {
  const message = error.message === '' ? {} : { message: error.message };
  return {
    status: error.status,
    contentType: JSON_TYPE,
    body: JSON.stringify({ __type: error.name, ...message }),
  };
}

/** Sends the status line and headers. `now`: SDKs correct their clock by the `date` header. */
export function sendHead(
  response: ServerResponse,
  answer: Answer,
  now: number,
  contentLength: number = Buffer.byteLength(answer.body),
): void {
  response.writeHead(answer.status, {
    'content-type': answer.contentType,
    'content-length': contentLength,
    'cache-control': 'no-store',
    date: new Date(now).toUTCString(),
    'x-amzn-requestid': randomUUID(),
  });
}
