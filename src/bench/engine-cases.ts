/**
 * Frames alone: the engines of this runtime, and what `auto` makes of them, beside one call of the platform for each frame.
 */

import type { MeasuredEngine } from '../engine/engine-table.ts';
import { jobSealedLength } from '../engine/frame-layout.ts';
import { availableEngines, type EngineChoice, selectPlatform } from '../engine/select.ts';
import { unreachable } from '../errors.ts';
import type { BenchCase } from './bench-case.ts';
import { mustAgree, type Scale, sizeText, testBytes } from './inputs.ts';
import { type FrameWorker, nativeFrameWorkers } from './native-frames.ts';
import type { Candidates } from './rounds.ts';

/** Where engines are compared: a job of so many whole frames. */
export type EnginePlace = Omit<MeasuredEngine, 'engine' | 'microseconds'>;

type Verb = 'seal' | 'open';

export const ENGINES_GROUP = 'engines';
/** Before the name of an engine. */
const OURS = 'frameseal: ';
/** The largest job of a message: bytes of plaintext, unless one frame has more, and frames. */
const MAX_JOB = { bytes: 2 ** 20, frames: 1024 };

/**
 * Places for charts, under keys of 32 bytes. Of each frame length the place with the most frames stands for long messages;
 * in `full` it is exactly what they are made of. `table` is what a selection table is found from beside these: frames of
 * 64 B to 64 KiB, jobs of 1 to 16 and long ones, most of them under keys of 32 bytes, some under the others.
 */
export function enginePlaces(scale: Scale | 'table'): readonly EnginePlace[] {
  if (scale === 'table') {
    return [
      ...grid([32], powers(64, 2 ** 16, 2), [1, 2, 4, 16]),
      ...grid([16, 24], powers(64, 2 ** 16, 4), [1, 4, 16, MAX_JOB.frames]),
    ];
  }
  return scale === 'quick'
    ? [...grid([32], [256, 1024, 4096, 2 ** 20], [1]), ...grid([32], powers(256, 2 ** 16, 4), [16])]
    : [
        ...grid([32], powers(64, 2 ** 14, 4), [1, 16]),
        ...grid([32], powers(64, 2 ** 20, 2), [MAX_JOB.frames]),
      ];
}

/**
 * Sealing and opening at these places, a case for each, under a fresh cipher: what a message of one job costs. An engine
 * without keys of a length is left out.
 * @param options.baselines whether those without this library and `auto` are candidates too; default true.
 */
export function engineCases(
  places: readonly EnginePlace[],
  { baselines = true }: { readonly baselines?: boolean } = {},
): readonly BenchCase[] {
  return places.flatMap((place) => [
    engineCase('seal', place, baselines),
    engineCase('open', place, baselines),
  ]);
}

/** The engine that a candidate of these cases is; `undefined` for those without this library. */
export function engineOf(candidate: string): EngineChoice | undefined {
  return candidate.startsWith(OURS) ? (candidate.slice(OURS.length) as EngineChoice) : undefined;
}

/** An engine at an engine's work. */
export function engineWorker(choice: EngineChoice): FrameWorker {
  return {
    name: `${OURS}${choice}`,
    seal(key, messageId, job) {
      const cipher = selectPlatform(choice).engine.cipher(key, messageId);
      const done = cipher.seal(job);
      return done instanceof Promise ? done.finally(() => cipher.dispose()) : cipher.dispose();
    },
    open(key, messageId, job) {
      const cipher = selectPlatform(choice).engine.cipher(key, messageId);
      const check = (opened: number) => {
        cipher.dispose();
        if (opened !== job.regular + (job.finalLength === undefined ? 0 : 1))
          throw unreachable(`the ${choice} engine refused an authentic frame`);
      };
      const opened = cipher.open(job);
      return opened instanceof Promise ? opened.then(check) : check(opened);
    },
  };
}

function engineCase(verb: Verb, place: EnginePlace, baselines: boolean): BenchCase {
  const { keyLength, frameLength, frames } = place;
  const what =
    frames === 1 ? `a frame of ${sizeText(frameLength)}` : `${frames} frames of ${sizeText(frameLength)}`;
  const key = keyLength === 32 ? '' : `, AES-${keyLength * 8}`;
  return {
    group: ENGINES_GROUP,
    name: `${verb} ${what}${key}`,
    parameters: { verb, keyLength, frameLength, frames },
    bytes: frameLength * frames,
    prepare: () => prepare(verb, place, workersFor(baselines)),
  };
}

function workersFor(baselines: boolean): readonly FrameWorker[] {
  const engines = availableEngines().map(engineWorker);
  return baselines ? [engineWorker('auto'), ...engines, ...nativeFrameWorkers()] : engines;
}

/** Each seals the job into the same bytes, and opens them again, before it is a candidate. */
async function prepare(verb: Verb, place: EnginePlace, workers: readonly FrameWorker[]): Promise<Candidates> {
  const { keyLength, frameLength, frames } = place;
  const shape = { frameLength, first: 1, regular: frames, finalLength: undefined };
  const [key, messageId] = [testBytes(keyLength, 2), testBytes(32, 3)];
  const plaintext = testBytes(frameLength * frames);
  const candidates: Record<string, () => unknown> = {};
  let first: { readonly name: string; readonly sealed: Uint8Array } | undefined;
  for (const worker of workers) {
    if (!(await hasKeys(worker, keyLength))) continue;
    const sealed = new Uint8Array(jobSealedLength(shape));
    const opened = new Uint8Array(plaintext.length);
    const seal = () => worker.seal(key, messageId, { ...shape, plaintext, output: sealed });
    const open = () => worker.open(key, messageId, { ...shape, frames: sealed, output: opened });
    await seal();
    first ??= { name: worker.name, sealed };
    mustAgree(worker.name, sealed, first.name, first.sealed);
    await open();
    mustAgree(worker.name, opened, 'the plaintext', plaintext);
    candidates[worker.name] = verb === 'seal' ? seal : open;
  }
  return candidates;
}

// Of AES-192 alone not everyone has keys: Chromium's WebCrypto, Deno's node:crypto.
async function hasKeys(worker: FrameWorker, keyLength: number): Promise<boolean> {
  if (keyLength !== 24) return true;
  const output = new Uint8Array(48);
  const job = {
    frameLength: 16,
    first: 1,
    regular: 1,
    finalLength: undefined,
    plaintext: testBytes(16),
    output,
  };
  try {
    await worker.seal(testBytes(24), testBytes(32), job);
    return true;
  } catch {
    return false;
  }
}

// No job is larger than a message's: one that would be is cut to as many frames as that has.
function grid(
  keyLengths: readonly number[],
  frameLengths: readonly number[],
  numbers: readonly number[],
): readonly EnginePlace[] {
  return keyLengths.flatMap((keyLength) =>
    frameLengths.flatMap((frameLength) => {
      const most = Math.max(1, Math.floor(MAX_JOB.bytes / frameLength));
      const fitting = new Set(numbers.map((frames) => Math.min(frames, most)));
      return [...fitting].map((frames) => ({ keyLength, frameLength, frames }));
    }),
  );
}

function powers(from: number, to: number, factor: number): readonly number[] {
  return from > to ? [] : [from, ...powers(from * factor, to, factor)];
}
