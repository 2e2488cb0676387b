/**
 * Whether `auto` is right on this machine, and which engine to force where it is not.
 */
import { type EngineRow, engineFor, type ServingEngine } from '../engine/engine-table.ts';
import { engineTable } from '../engine/select.ts';
import type { BenchRow } from './bench-case.ts';
import { ENGINES_GROUP, type EnginePlace, engineOf } from './engine-cases.ts';
import { sizeText } from './inputs.ts';
import type { Summary } from './statistics.ts';

/** What was found. */
export interface Advice {
  /** For people: a sentence, or a line for each engine and what else there is to say. */
  readonly text: string;
  /** Empty where `auto` is right. */
  readonly force: readonly ForcedEngine[];
}

/** An engine that is clearly faster than the one that `auto` takes. */
export interface ForcedEngine {
  readonly engine: ServingEngine;
  /** In messages of one frame, or of several. */
  readonly messages: 'one frame' | 'several frames';
  readonly frameLengths: readonly number[];
  /** At each of these: how many times as fast. */
  readonly ratios: readonly number[];
}

/** Less is no reason to do anything. */
const CLEARLY = 1.1;

type Time = Pick<Summary, 'median' | 'low' | 'high'>;

/** An engine's place with the times of all engines there: to seal and to open. */
interface Measured {
  readonly place: EnginePlace;
  readonly times: Partial<Record<ServingEngine, Time>>;
}

/** @param rows of any groups. @param table what `auto` goes by. */
export function engineAdvice(rows: readonly BenchRow[], table: readonly EngineRow[] = engineTable()): Advice {
  const measured = measuredPlaces(rows);
  if (measured.length === 0) return { text: 'No engine was measured, so there is no advice.', force: [] };
  if (measured.every(({ times }) => Object.keys(times).length < 2))
    return { text: 'This runtime has one engine alone: there is nothing to choose.', force: [] };
  const better = measured.flatMap((one) => betterAt(one, table));
  const force = groupsOf(better);
  if (force.length > 0) return { text: textOf(force), force };
  const text = `Leave the engine at "auto": in all ${measured.length} jobs measured it takes the fastest engine, or one that is as fast within ${Math.round(100 * (CLEARLY - 1))} % or within the spread of the rounds.`;
  return { text, force };
}

function measuredPlaces(rows: readonly BenchRow[]): readonly Measured[] {
  const found = new Map<string, Measured>();
  for (const { group, parameters, candidates } of rows) {
    if (group !== ENGINES_GROUP) continue;
    const { keyLength, frameLength, frames } = parameters as unknown as EnginePlace;
    const key = `${keyLength} ${frameLength} ${frames}`;
    const times = { ...found.get(key)?.times };
    for (const [name, time] of Object.entries(candidates)) {
      const engine = engineOf(name);
      if (engine !== undefined && engine !== 'auto') times[engine] = sum(times[engine], time);
    }
    if (Object.keys(times).length > 0) found.set(key, { place: { keyLength, frameLength, frames }, times });
  }
  return [...found.values()];
}

function sum(a: Time | undefined, b: Time): Time {
  const { median, low, high } = a ?? { median: 0, low: 0, high: 0 };
  return { median: median + b.median, low: low + b.low, high: high + b.high };
}

interface Better {
  readonly engine: ServingEngine;
  readonly place: EnginePlace;
  readonly ratio: number;
}

// The fastest, if it is clearly faster: by its median, and by most of its rounds. In messages of one frame keys and header
// are most of the work; those the native engine leaves to the platform too, which takes longer than the frame can save.
function betterAt({ place, times }: Measured, table: readonly EngineRow[]): readonly Better[] {
  const chosen = times[engineFor(table, place.keyLength, place.frameLength, place.frames)] ?? times.native;
  if (chosen === undefined) return [];
  const others = (Object.entries(times) as [ServingEngine, Time][])
    .filter(([engine]) => place.frames > 1 || engine !== 'native')
    .filter(([, time]) => chosen.median > CLEARLY * time.median && time.high < chosen.low)
    .sort(([, a], [, b]) => a.median - b.median);
  return others.slice(0, 1).map(([engine, { median }]) => ({ engine, place, ratio: chosen.median / median }));
}

function groupsOf(better: readonly Better[]): readonly ForcedEngine[] {
  const groups = new Map<
    string,
    { engine: ServingEngine; messages: ForcedEngine['messages']; found: Better[] }
  >();
  for (const one of better) {
    const messages = one.place.frames === 1 ? 'one frame' : 'several frames';
    const key = `${one.engine} ${messages}`;
    const group = groups.get(key) ?? { engine: one.engine, messages, found: [] };
    group.found.push(one);
    groups.set(key, group);
  }
  return [...groups.values()].map(({ engine, messages, found }) => ({
    engine,
    messages,
    frameLengths: found.map(({ place }) => place.frameLength),
    ratios: found.map(({ ratio }) => ratio),
  }));
}

function textOf(force: readonly ForcedEngine[]): string {
  const lines = force.map(({ engine, messages, frameLengths, ratios }) => {
    const lengths = frameLengths.map((length, i) => `${sizeText(length)} (${ratios[i]!.toFixed(2)}x)`);
    return `Engine "${engine}" is faster than what "auto" takes, in messages of ${messages} of ${lengths.join(', ')}.`;
  });
  return [
    ...lines,
    'Force it for such messages with the option `engine`, or call `warmUp()` when your program starts: "auto" then goes by what that measures. Everywhere else leave it at "auto".',
  ].join('\n');
}
