/**
 * The faults in force, and which of them a request meets.
 *
 * A region has a list of faults. A request meets the first one that is not used up, is meant for it, and is drawn if
 * it has a probability: so a list is a script that plays from its beginning to its end.
 */
import { createHash } from 'node:crypto';
import { checkFaults, isLimited } from './fault-check.ts';
import type { Fault } from './faults.ts';

/** What a fault is matched against. */
export interface FaultTarget {
  readonly operation: string;
  /** Whether a fault's `keyId` means the key of this request. */
  isKey(keyId: string): boolean;
}

/** A fault that hits a request. */
export interface Hit {
  readonly fault: Fault;
  /** Draws how long the request waits, in milliseconds. */
  delay(): number;
  /** Counts one use; false if `times` has been used up meanwhile. */
  spend(): boolean;
}

export class FaultBoard {
  readonly #regions = new Map<string, RegionFaults>();
  readonly #onPort: (region: string, down: boolean) => void;

  /** `onPort` is told when the port of a region has to close, and when it may open. */
  constructor(onPort: (region: string, down: boolean) => void) {
    this.#onPort = onPort;
  }

  /** Replaces the faults of a region; without any, it heals. */
  set(region: string, faults: readonly Fault[]): void {
    const next = new RegionFaults(checkFaults(faults));
    this.#regions.get(region)?.stop();
    this.#regions.set(region, next);
    next.start(() => this.update(region));
    this.update(region);
  }

  /** Whether the region's port has to be closed. */
  isDown(region: string): boolean {
    return this.#regions.get(region)?.isDown ?? false;
  }

  /** Closes or opens a port if that is due; for when a fault has been used up. */
  update(region: string): void {
    if (this.#regions.has(region)) this.#onPort(region, this.isDown(region));
  }

  match(region: string, target: FaultTarget): Hit | undefined {
    return this.#regions.get(region)?.match(target);
  }

  /** Ends all timers. */
  close(): void {
    for (const faults of this.#regions.values()) faults.stop();
  }
}

class RegionFaults {
  readonly #rules: readonly Rule[];
  #flap: NodeJS.Timeout | undefined;
  #flapsDown = false;

  constructor(faults: readonly Fault[]) {
    this.#rules = faults.map((fault, index) => new Rule(fault, index));
  }

  /** Begins to flap, if that is the fault; `onFlap` is told of each change. */
  start(onFlap: () => void): void {
    const first = this.#rules[0]?.fault;
    if (first?.kind !== 'flapping') return;
    const { downMs = 0, upMs = 0 } = first;
    const next = (down: boolean): void => {
      this.#flapsDown = down;
      this.#flap = setTimeout(() => next(!down), down ? downMs : upMs).unref();
      onFlap();
    };
    next(true);
  }

  get isDown(): boolean {
    const next = this.#rules.find((rule) => !rule.isUsedUp)?.fault;
    return this.#flapsDown || (next?.kind === 'down' && !isLimited(next));
  }

  match(target: FaultTarget): Hit | undefined {
    if (this.#flapsDown) return { fault: { kind: 'down' }, delay: () => 0, spend: () => true };
    return this.#rules.find((rule) => rule.hits(target));
  }

  stop(): void {
    clearTimeout(this.#flap);
    this.#flapsDown = false;
  }
}

/** A fault with what it keeps in mind. */
class Rule implements Hit {
  readonly fault: Fault;
  readonly #index: number;
  #left: number;
  #draws = 0;
  #permits: number;
  #permitsAt = 0;

  constructor(fault: Fault, index: number) {
    this.fault = fault;
    this.#index = index;
    this.#left = fault.times ?? Number.POSITIVE_INFINITY;
    this.#permits = Math.max(1, fault.perSecond ?? 0);
  }

  get isUsedUp(): boolean {
    return this.#left <= 0;
  }

  delay(): number {
    const { ms = 0, percentiles } = this.fault;
    return percentiles === undefined ? ms : this.#drawLatency(percentiles);
  }

  /** A flapping region is up as long as this is asked. */
  hits(target: FaultTarget): boolean {
    const { kind, operation, keyId, probability } = this.fault;
    if (kind === 'flapping' || this.isUsedUp) return false;
    if (operation !== undefined && operation !== target.operation) return false;
    if (keyId !== undefined && !target.isKey(keyId)) return false;
    if (probability !== undefined && this.#draw() >= probability) return false;
    return !this.#isPermitted();
  }

  spend(): boolean {
    return this.#left-- > 0;
  }

  /** Under the rate limit, which lets a second's worth of requests come at once. */
  #isPermitted(): boolean {
    const { perSecond } = this.fault;
    if (perSecond === undefined) return false;
    const now = performance.now();
    const refill = this.#permitsAt === 0 ? 0 : ((now - this.#permitsAt) / 1000) * perSecond;
    this.#permits = Math.min(Math.max(1, perSecond), this.#permits + refill);
    this.#permitsAt = now;
    if (this.#permits < 1) return false;
    this.#permits -= 1;
    return true;
  }

  /** The least of the percentiles that the draw is under; beyond all of them, the highest one. */
  #drawLatency(percentiles: NonNullable<Fault['percentiles']>): number {
    const drawn = this.#draw() * 100;
    const entries = Object.entries(percentiles)
      .map(([share, ms]) => [Number(share), ms] as const)
      .sort(([a], [b]) => a - b);
    const found = entries.find(([share]) => drawn < share) ?? entries.at(-1);
    return found?.[1] ?? 0;
  }

  /** 0 to 1: the next number of a series that the seed fixes. */
  #draw(): number {
    const { kind, seed = '' } = this.fault;
    const label = JSON.stringify([seed, this.#index, kind, this.#draws]);
    this.#draws += 1;
    return createHash('sha256').update(label).digest().readUIntBE(0, 6) / 2 ** 48;
  }
}
