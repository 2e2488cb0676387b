/**
 * Faults that a test can put on a region: what they are called, and which request they hit.
 *
 * A fault sits in front of the service: it hits a request whether or not its signature is good. How each one
 * looks on the wire is in `fault-answer.ts`.
 */
import { KmsError } from './errors.ts';

const KINDS = [
  'down',
  'black-hole',
  'latency',
  'throttle',
  'error',
  'reset',
  'hang-body',
  'truncate',
  'garbage',
  'html',
  'wrong-key-id',
  'wrong-length',
  'missing-plaintext',
  'empty-blob',
] as const;

/**
 * - `down`: the region's port is closed and its connections are cut; on the shared endpoint its requests are
 *   cut. With `operation`, `keyId` or `times` the port stays open and the requests hit are cut.
 * - `black-hole`: the connection is accepted, the request read and never answered.
 * - `latency`: the request waits `ms` and is then served.
 * - `throttle`: ThrottlingException, HTTP 400.
 * - `error`: the error called `name`.
 * - `reset`: TCP reset instead of an answer.
 * - `hang-body`: headers and half of the body, then nothing, on an open connection.
 * - `truncate`: headers and half of the body, then the connection is cut.
 * - `garbage`: HTTP 200 with a body that is not JSON.
 * - `html`: HTTP 503 with a page of HTML.
 * - `wrong-key-id`: `KeyId` of the answer is the ARN of another key.
 * - `wrong-length`: `Plaintext` of the answer lacks its last byte.
 * - `missing-plaintext`: the answer has no `Plaintext`.
 * - `empty-blob`: `CiphertextBlob` of the answer is empty.
 *
 * The last four hit only answers that have the member.
 */
export type FaultKind = (typeof KINDS)[number];

export interface Fault {
  readonly kind: FaultKind;
  /** Milliseconds to wait first; needed for `latency`, possible for every kind. */
  readonly ms?: number;
  /** Only the next so many requests that it hits; without it, until it is replaced or removed. */
  readonly times?: number;
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
}

/** What a fault is matched against. */
export interface FaultTarget {
  readonly operation: string;
  /** Whether a fault's `keyId` means the key of this request. */
  isKey(keyId: string): boolean;
}

/** A fault that hits a request. */
export interface Hit {
  readonly fault: Fault;
  /** Counts one use; false if `times` has been used up meanwhile. */
  spend(): boolean;
}

/** The faults in force, at most one per region. */
export class FaultBoard {
  readonly #active = new Map<string, { readonly fault: Fault; left: number }>();

  set(region: string, fault: Fault | null): void {
    if (fault === null) this.#active.delete(region);
    else this.#active.set(region, { fault: checked(fault), left: fault.times ?? Number.POSITIVE_INFINITY });
  }

  /** Whether the region's port has to be closed. */
  isDown(region: string): boolean {
    const fault = this.#active.get(region)?.fault;
    return fault?.kind === 'down' && !isLimited(fault);
  }

  match(region: string, target: FaultTarget): Hit | undefined {
    const active = this.#active.get(region);
    if (active === undefined || active.left === 0) return undefined;
    const { operation, keyId } = active.fault;
    if (operation !== undefined && operation !== target.operation) return undefined;
    if (keyId !== undefined && !target.isKey(keyId)) return undefined;
    return { fault: active.fault, spend: () => active.left-- > 0 };
  }
}

/** The error that a `throttle` or `error` fault answers with. */
export function faultError(fault: Fault): KmsError | undefined {
  if (fault.kind === 'throttle') return new KmsError('ThrottlingException', 'Rate exceeded');
  if (fault.kind !== 'error') return undefined;
  return new KmsError(fault.name ?? '', fault.message ?? '', fault.status);
}

function isLimited({ operation, keyId, times }: Fault): boolean {
  return operation !== undefined || keyId !== undefined || times !== undefined;
}

function checked(fault: Fault): Fault {
  if (!KINDS.includes(fault.kind)) throw new TypeError(`unknown fault kind "${fault.kind}"`);
  if (fault.kind === 'latency' && fault.ms === undefined) throw new TypeError('a latency fault needs "ms"');
  if (fault.kind === 'error' && !fault.name)
    throw new TypeError('an error fault needs the "name" of the error');
  if (fault.ms !== undefined && !(fault.ms >= 0 && fault.ms < 2 ** 31)) {
    throw new RangeError(`"ms" expected 0..2^31-1, got ${fault.ms}`);
  }
  if (fault.times !== undefined && !(Number.isInteger(fault.times) && fault.times > 0)) {
    throw new RangeError(`"times" expected a positive integer, got ${fault.times}`);
  }
  return { ...fault };
}
