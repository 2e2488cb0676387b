/**
 * Faults that a test can put on a region: what they are called, and what can be said about each.
 *
 * A fault sits in front of the service: it hits a request whether or not its signature is good. Which requests are
 * hit is in `fault-board.ts`, how each fault looks on the wire in `fault-answer.ts`.
 */

/**
 * Nothing:
 * - `none`: the request is served. For lists: it lets the next requests pass.
 *
 * Connections:
 * - `down`: the region's port is closed and its connections are cut; on the shared endpoint its requests are
 *   cut. With `operation`, `keyId`, `times` or `probability` the port stays open and the requests hit are cut.
 * - `flapping`: `down` for `downMs`, up for `upMs`, and so on.
 * - `black-hole`: the connection is accepted, the request read, neither performed nor answered.
 * - `reset`: TCP reset instead of an answer; the request is not performed.
 * - `hang-headers`: the request is performed, and not even the head of its answer is sent.
 * - `hang-body`: headers and half of the body, then nothing, on an open connection.
 * - `truncate`: headers and half of the body, then the connection is cut.
 * - `wrong-content-length`: the whole answer under a `content-length` of half of it.
 *
 * Time:
 * - `latency`: the request waits `ms`, or what `percentiles` say, and is then served.
 * - `clock-skew`: the request is served by a clock that is `skewMs` ahead: signatures, `date` header.
 *
 * Answers instead of the service's:
 * - `throttle`: ThrottlingException, HTTP 400; with `perSecond` only for requests beyond that rate.
 * - `error`: the error called `name`.
 * - `expired-credentials`: ExpiredTokenException, HTTP 400.
 * - `garbage`: HTTP 200 with a body that is not JSON.
 * - `html`: HTTP 503 with a page of HTML.
 *
 * One member of the service's answer changed; they hit only answers that have it:
 * - `wrong-key-id`: `KeyId` is the ARN of another key.
 * - `wrong-length`: `Plaintext` lacks its last byte.
 * - `missing-plaintext`: there is no `Plaintext`.
 * - `missing-blob`: there is no `CiphertextBlob`.
 * - `empty-blob`: `CiphertextBlob` is empty.
 * - `blob-swap`: `CiphertextBlob` is one of another key of the region, with another plaintext of the same length
 *   under the same encryption context. There has to be another key that can encrypt.
 *
 * Changes to the service; the request is then served:
 * - `disable-key`: the key of the request is disabled.
 * - `delete-key`: the key's deletion is scheduled.
 * - `revoke-grants`: all grants on the key are revoked.
 */
export const FAULT_KINDS = [
  'none',
  'down',
  'flapping',
  'black-hole',
  'reset',
  'hang-headers',
  'hang-body',
  'truncate',
  'wrong-content-length',
  'latency',
  'clock-skew',
  'throttle',
  'error',
  'expired-credentials',
  'garbage',
  'html',
  'wrong-key-id',
  'wrong-length',
  'missing-plaintext',
  'missing-blob',
  'empty-blob',
  'blob-swap',
  'disable-key',
  'delete-key',
  'revoke-grants',
] as const;

/** What goes wrong; the comment at `FAULT_KINDS` and the documentation say what each one does. */
export type FaultKind = (typeof FAULT_KINDS)[number];

export interface Fault {
  readonly kind: FaultKind;
  /** Milliseconds to wait first, less than 2^31; for every kind, and needed for `latency` without `percentiles`. */
  readonly ms?: number;
  /** For `latency`: how long so many per cent of the requests wait at most, such as `{ 50: 20, 99: 900 }`. */
  readonly percentiles?: Readonly<Record<number, number>>;
  /** Only the next so many requests that it hits; without it, until it is replaced or removed. */
  readonly times?: number;
  /** Only this share of the requests, 0 to 1, drawn from `seed`. */
  readonly probability?: number;
  /** What `probability` and `percentiles` draw from; the same draws each time, without it too. */
  readonly seed?: string;
  /** Only requests of this operation, such as `Decrypt`. */
  readonly operation?: string;
  /** Only requests for this key, in any form of key id; Decrypt without one counts by its blob. */
  readonly keyId?: string;
  /** For `error`: its name, such as `KMSInternalException`. */
  readonly name?: string;
  /** For `error`: its text. */
  readonly message?: string;
  /** For `error`: its HTTP status; by default 500 or 503 for the service's own faults, 400 for all others. */
  readonly status?: number;
  /** For `throttle`: how many requests in a second are served; as many may come at once. */
  readonly perSecond?: number;
  /** For `clock-skew`: by how much the server's clock is ahead; negative: behind. */
  readonly skewMs?: number;
  /** For `flapping`: how long the region is down each time. It begins so. */
  readonly downMs?: number;
  /** For `flapping`: how long it is up in between. */
  readonly upMs?: number;
}
