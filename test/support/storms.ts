/**
 * Requests over a storm tracking cache, whose calls a test answers one by one while it moves the time.
 */
import { vi } from 'vitest';
import {
  type CachingCmmOptions,
  type CryptographicMaterialsManager,
  cachingCmm,
  encrypt,
  type FramesealError,
  type MaterialsCache,
  type StormTrackingCacheOptions,
  stormTrackingCache,
} from '../../src/index.ts';
import { type Gate, gate, settle, UNSIGNED, type Watched, watched } from './caching.ts';
import { bytes } from './messages.ts';

/** What became of a request: `pending`, the data key that served it by the number of its call, or an error's code. */
export interface StormRequest {
  outcome: 'pending' | number | string;
  error?: FramesealError;
  readonly abort: () => void;
}

/** A manager over a storm tracking cache, and what a test does with it. */
export interface Storm {
  readonly cache: MaterialsCache;
  readonly cmm: CryptographicMaterialsManager;
  readonly under: Watched;
  /** Of the manager below, in order: each waits until it is opened or failed. */
  readonly calls: readonly Gate[];
  /** Whom each of them was for. */
  readonly tenants: readonly string[];
  /** Begins so many requests for a tenant. */
  asked(count: number, tenant?: string): Promise<StormRequest[]>;
  /** Lets these calls answer. */
  open(...which: number[]): Promise<void>;
  fail(which: number, text?: string): Promise<void>;
  pass(milliseconds: number): Promise<void>;
  /** Makes an entry. */
  warm(tenant?: string): Promise<StormRequest>;
}

/** Grace period 10 s, interval 1 s, fan-out 20, in flight 10 s at most, entries of 60 s, unless changed. */
export function make(
  cacheOptions: Partial<StormTrackingCacheOptions> = {},
  options: Partial<CachingCmmOptions> = {},
): Storm {
  const cache = stormTrackingCache({ entryCapacity: 100, ...cacheOptions });
  const under = watched();
  const calls: Gate[] = [];
  const tenants: string[] = [];
  let held = true;
  under.before = ({ encryptionContext }) => {
    const call = gate();
    calls.push(call);
    tenants.push(encryptionContext.tenant!);
    if (!held) call.open();
    return call.opened;
  };
  const cmm = cachingCmm({ cmm: under.cmm, cache, maxAgeSeconds: 60, ...options });
  const wrapped: string[] = [];
  const ask = (tenant = 'a'): StormRequest => {
    const controller = new AbortController();
    const request: StormRequest = { outcome: 'pending', abort: () => controller.abort() };
    const context = { encryptionContext: { tenant } };
    encrypt(bytes(5), { cmm, ...UNSIGNED, ...context, signal: controller.signal }).then(
      ({ header }) => {
        const edk = header.encryptedDataKeys[0]!.ciphertext.join();
        if (!wrapped.includes(edk)) wrapped.push(edk);
        request.outcome = wrapped.indexOf(edk) + 1;
      },
      (error: FramesealError) => {
        request.outcome = error.code ?? error.message;
        request.error = error;
      },
    );
    return request;
  };
  const asked = async (count: number, tenant = 'a') => {
    const requests = Array.from({ length: count }, () => ask(tenant));
    await settle();
    return requests;
  };
  const open = async (...which: number[]) => {
    for (const i of which) calls[i]!.open();
    await settle(120);
  };
  const fail = async (i: number, text = 'down') => {
    calls[i]!.fail(new Error(text));
    await settle(120);
  };
  const pass = async (milliseconds: number) => {
    await settle();
    await vi.advanceTimersByTimeAsync(milliseconds);
    await settle(120);
  };
  const warm = async (tenant = 'a') => {
    held = false;
    const [request] = await asked(1, tenant);
    await settle(120);
    held = true;
    return request!;
  };
  return { cache, under, cmm, calls, tenants, asked, open, fail, pass, warm };
}

/** What became of each. */
export function outcomes(requests: readonly StormRequest[]): StormRequest['outcome'][] {
  return requests.map(({ outcome }) => outcome);
}
