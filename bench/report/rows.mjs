/** What tables and charts ask of a report. */
import { digits, duration, figureName, rateOf, unitOf } from './numbers.mjs';

/** The runtime that peers are compared in: Node 20 if it was measured, else the one with the most rows. */
export function reference({ runtimes }) {
  const most = [...runtimes].sort((a, b) => b.rows.length - a.rows.length)[0];
  return runtimes.find(({ name, rows }) => /^node-?20$/.test(name) && rows.length > 0) ?? most;
}

/** What is known of it. */
export function machineText({ cpu, cores, memoryGiB, os }) {
  return (
    [cpu, cores && `${cores} cores`, memoryGiB && `${memoryGiB} GiB`, os].filter(Boolean).join(', ') ||
    'an unknown machine'
  );
}

/** Rows that have times, of a group; `wanted` are parameters or fields that they must have. */
export function rowsOf(runtime, group, wanted = {}) {
  return runtime.rows.filter(
    (row) =>
      row.group === group &&
      Object.keys(row.candidates).length > 0 &&
      Object.entries(wanted).every(([name, value]) => parameter(row, name) === value),
  );
}

export function parameter(row, name) {
  return row.parameters?.[name] ?? row[name];
}

/** Of rows that are equal in these parameters the one with the most candidates. */
export function richest(rows, names) {
  const best = new Map();
  for (const row of rows) {
    const key = JSON.stringify(names.map((name) => parameter(row, name)));
    if (!best.has(key) || count(row) > count(best.get(key))) best.set(key, row);
  }
  return [...best.values()];
}

function count({ candidates }) {
  return Object.keys(candidates).length;
}

/** The values that a parameter has in rows, each once, in ascending order. */
export function valuesOf(rows, name) {
  const values = new Set(rows.map((row) => parameter(row, name)).filter((value) => value !== undefined));
  return [...values].sort((a, b) => (typeof a === 'number' ? a - b : `${a}`.localeCompare(`${b}`)));
}

/** The groups of a report, in the order in which they were measured. */
export function groupsOf({ runtimes }) {
  return [...new Set(runtimes.flatMap(({ rows }) => rows.map(({ group }) => group)))];
}

/** The library's own, first in each row. */
export function oursOf(row) {
  return Object.keys(row.candidates)[0];
}

/** How many times as fast as a peer the library is. */
export function ratioTo(row, peer) {
  return row.candidates[peer].median / row.candidates[oursOf(row)].median;
}

export const PUBLISHED_SDK = /^@aws-crypto\/client-/;
/** What the platform itself does, without a message format. */
export const NATIVE_CALLS = /^(bare |node:crypto|subtle|createCipheriv|WebCrypto|native )/i;

/** A goal as cells of a table. What must be reached is a ratio; what must not be exceeded is in the unit that it names. */
export function goalCells({ work, against = '', atLeast, atMost, measured, met, bare }) {
  const limit = atMost === undefined ? `at least ${atLeast}x` : `at most ${atMost}`;
  const known = typeof measured === 'number';
  const value = known && `${digits(measured)}${atMost === undefined ? 'x' : ''}`;
  const result = known ? (met ? 'met' : 'missed') : 'not measured';
  return { result, work, measured: value || '', limit, against, bare: bare ? `${digits(bare)}x` : '' };
}

/** A row as lines of a table, one for each candidate, every cell a text. */
export function linesOf(row) {
  const names = new Set([...Object.keys(row.candidates), ...Object.keys(row.figures ?? {})]);
  return [...names].map((candidate) => ({
    candidate,
    ...timed(row, candidate),
    figures: figuresOf(row.figures?.[candidate] ?? {}),
  }));
}

function timed(row, candidate) {
  const summary = row.candidates[candidate];
  if (!summary) return { median: '', spread: '', rate: '', ratio: '', outliers: '' };
  const { median, low, high, samples, outliers } = summary;
  return {
    median: duration(median),
    spread: span(duration(low), duration(high)),
    rate: `${digits(rateOf(row, median))}${unitOf(row) === 'MB/s' ? ' MB/s' : '/s'}`,
    ratio: candidate === oursOf(row) ? '' : ratioTo(row, candidate).toFixed(2),
    outliers: outliers.map((round) => `round ${round + 1}: ${duration(samples[round])}`).join(', '),
  };
}

// The unit once if both have the same.
function span(low, high) {
  const [from, unit] = low.split(' ');
  return high.endsWith(` ${unit}`) ? `${from} – ${high}` : `${low} – ${high}`;
}

function figuresOf(figures) {
  return Object.entries(figures)
    .map(([name, value]) => {
      const { words, unit } = figureName(name);
      return [words, digits(value), unit].filter(Boolean).join(' ');
    })
    .join(', ');
}
