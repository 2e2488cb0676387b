/** Refuses faults that say nothing sensible, at the call of `setFault`. */
import { FAULT_KINDS, type Fault, type FaultKind } from './faults.ts';

type Member = Exclude<keyof Fault, 'kind'>;

/** What a kind needs, beside what `latency` does. */
const NEEDED: Readonly<Partial<Record<FaultKind, readonly Member[]>>> = {
  error: ['name'],
  'clock-skew': ['skewMs'],
  flapping: ['downMs', 'upMs'],
};

/** Members that belong to one kind. */
const ONLY: Readonly<Partial<Record<Member, FaultKind>>> = {
  percentiles: 'latency',
  name: 'error',
  message: 'error',
  status: 'error',
  perSecond: 'throttle',
  skewMs: 'clock-skew',
  downMs: 'flapping',
  upMs: 'flapping',
};

/** Checks a list of faults and copies it. */
export function checkFaults(faults: readonly Fault[]): readonly Fault[] {
  if (faults.length > 1 && faults.some(({ kind }) => kind === 'flapping')) {
    throw new TypeError('a flapping fault stands alone: it is the whole region that comes and goes');
  }
  return faults.map(checkFault);
}

/** Whether a fault is for some requests only, so that the region's port stays open. */
export function isLimited({ operation, keyId, times, probability }: Fault): boolean {
  return [operation, keyId, times, probability].some((limit) => limit !== undefined);
}

function checkFault(fault: Fault): Fault {
  if (!FAULT_KINDS.includes(fault.kind)) throw new TypeError(`unknown fault kind "${fault.kind}"`);
  checkMembers(fault);
  checkDuration('ms', fault.ms, 0);
  checkDuration('downMs', fault.downMs, 1);
  checkDuration('upMs', fault.upMs, 1);
  checkPercentiles(fault.percentiles);
  checkNumber('times', fault.times, (times) => Number.isInteger(times) && times > 0, 'a positive integer');
  checkNumber('probability', fault.probability, (share) => share >= 0 && share <= 1, '0..1');
  checkNumber('perSecond', fault.perSecond, (rate) => rate > 0 && rate < 1e9, 'more than 0');
  checkNumber('skewMs', fault.skewMs, Number.isSafeInteger, 'an integer');
  checkNumber('status', fault.status, (status) => status >= 200 && status <= 599, '200..599');
  return { ...fault };
}

function checkMembers(fault: Fault): void {
  const { kind } = fault;
  const missing = NEEDED[kind]?.find((member) => fault[member] === undefined || fault[member] === '');
  if (missing !== undefined) throw new TypeError(`a fault of the kind "${kind}" needs "${missing}"`);
  if (kind === 'latency' && (fault.ms === undefined) === (fault.percentiles === undefined)) {
    throw new TypeError('a fault of the kind "latency" needs one of "ms" and "percentiles"');
  }
  for (const [member, only] of Object.entries(ONLY)) {
    if (fault[member as Member] !== undefined && kind !== only) {
      throw new TypeError(`"${member}" is for faults of the kind "${only}", not "${kind}"`);
    }
  }
  if (kind === 'flapping' && isLimited(fault)) {
    throw new TypeError('a flapping fault hits all requests of its region');
  }
}

function checkPercentiles(percentiles: Fault['percentiles']): void {
  if (percentiles === undefined) return;
  const entries = Object.entries(percentiles);
  if (entries.length === 0) throw new TypeError('"percentiles" expected at least one, such as { 50: 20 }');
  for (const [share, ms] of entries) {
    checkNumber('percentiles', Number(share), (value) => value > 0 && value <= 100, 'shares of 0..100');
    checkDuration('percentiles', ms, 0);
  }
}

function checkDuration(name: string, value: number | undefined, min: number): void {
  checkNumber(name, value, (ms) => ms >= min && ms < 2 ** 31, `${min}..2^31-1`);
}

function checkNumber(
  name: string,
  value: number | undefined,
  holds: (value: number) => boolean,
  expected: string,
): void {
  if (value === undefined || (typeof value === 'number' && holds(value))) return;
  throw new RangeError(`"${name}" expected ${expected}, got ${value}`);
}
