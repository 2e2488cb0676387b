/** Numbers as people read them. Times are microseconds, rates are MB (1,000,000 bytes) or messages per second. */

const whole = new Intl.NumberFormat('en');
const three = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 });

/** With three digits that count: 0.531, 53.1, 5,310. Whole numbers below 10,000 as they are. */
export function digits(value) {
  return (Number.isInteger(value) && value < 1e4 ? whole : three).format(value);
}

/** @param microseconds of a call */
export function duration(microseconds) {
  if (microseconds >= 1e6) return `${digits(microseconds / 1e6)} s`;
  if (microseconds >= 1e3) return `${digits(microseconds / 1e3)} ms`;
  return `${digits(microseconds)} µs`;
}

export function byteLength(bytes) {
  for (const [unit, size] of [
    ['GiB', 2 ** 30],
    ['MiB', 2 ** 20],
    ['KiB', 2 ** 10],
  ]) {
    if (bytes >= size) return `${digits(bytes / size)} ${unit}`;
  }
  return `${digits(bytes)} B`;
}

/** How many times as fast, or as much. */
export function times(ratio) {
  return `${ratio >= 10 ? Math.round(ratio) : ratio.toFixed(ratio < 0.1 ? 3 : ratio < 1 ? 2 : 1)}x`;
}

const SMALL = 64 * 1024;

/** Work of a row for each second: small messages by their number, everything else by its bytes. */
export function unitOf({ bytes, messages, group }) {
  if (messages && (!bytes || bytes / messages < SMALL) && group !== 'engines') return 'messages/s';
  return bytes ? 'MB/s' : 'calls/s';
}

/** @param microseconds of one call of the row */
export function rateOf(row, microseconds) {
  const unit = unitOf(row);
  if (unit === 'MB/s') return row.bytes / microseconds;
  return (1e6 * (unit === 'messages/s' ? row.messages : 1)) / microseconds;
}

const UNITS = [
  [/MiB$/, 'MiB'],
  [/KiB$/, 'KiB'],
  [/(Milliseconds|Ms)$/, 'ms'],
  [/(Microseconds|Us)$/, 'µs'],
  [/(MBps)$/, 'MB/s'],
  [/(PerSecond)$/i, 'per second'],
  [/(Seconds)$/, 's'],
];

const WORDS = { cpu: 'CPU time', wall: 'wall clock', kms: 'in KMS calls', other: 'outside of KMS calls' };

/** A figure's name, which carries its unit, as words: `peakAboveInputMiB` is a `peak above input` in `MiB`. */
export function figureName(name) {
  const [end, unit] = UNITS.find(([pattern]) => pattern.test(name)) ?? [/$^/, ''];
  const words = name
    .replace(end, '')
    .replaceAll(/([a-z])([A-Z0-9])/g, '$1 $2')
    .toLowerCase();
  return { words: WORDS[words] ?? words, unit };
}
