/**
 * A progress bar with rate and time left, redrawn in place on a terminal.
 */
import { oneLine } from './failure.ts';
import type { Io } from './io.ts';

const BAR_WIDTH = 20;
const REDRAW_MS = 100;
/** Columns of a terminal that does not say. */
const COLUMNS = 80;
const LABEL_WIDTH = 28;

/** The bar of one file. */
export interface Progress {
  show(bytes: number): void;
  /** Takes the bar away. */
  clear(): void;
}

/**
 * A bar on stderr if that is a terminal; else nothing.
 * @param total bytes, about; `undefined` if nobody knows.
 * @param now a clock in milliseconds, for tests.
 */
export function progressBar(
  { stderr }: Pick<Io, 'stderr'>,
  label: string,
  total: number | undefined,
  now: () => number = () => performance.now(),
): Progress {
  if (!stderr.isTTY) return { show() {}, clear() {} };
  const started = now();
  let drawnAt = Number.NEGATIVE_INFINITY;
  let drawn = false;
  return {
    show(bytes) {
      const time = now();
      if (time - drawnAt < REDRAW_MS) return;
      drawnAt = time;
      drawn = true;
      const line = progressLine(label, bytes, total, (time - started) / 1000);
      stderr.write(`\r\x1b[K${line.slice(0, (stderr.columns ?? COLUMNS) - 1)}`);
    },
    clear() {
      if (drawn) stderr.write('\r\x1b[K');
      drawn = false;
    },
  };
}

/** The line of work in steps that take about the same time. */
export interface StepProgress {
  /** @param done steps before this one. */
  show(done: number, label: string): void;
  /** Takes the line away. */
  clear(): void;
}

/** A line on stderr if that is a terminal: how many steps are done, time left, what is done now; else nothing. */
export function stepProgress(
  { stderr }: Pick<Io, 'stderr'>,
  total: number,
  now: () => number = () => performance.now(),
): StepProgress {
  if (!stderr.isTTY) return { show() {}, clear() {} };
  const started = now();
  return {
    show(done, label) {
      const left = done === 0 ? '' : `${clock((((now() - started) / 1000) * (total - done)) / done)} left  `;
      const line = `[${done + 1}/${total}]  ${left}${oneLine(label)}`;
      stderr.write(`\r\x1b[K${line.slice(0, (stderr.columns || COLUMNS) - 1)}`);
    },
    clear: () => void stderr.write('\r\x1b[K'),
  };
}

/** One state of a bar as text: label, bar and per cent where the total is known, bytes, rate, time left. */
export function progressLine(
  label: string,
  bytes: number,
  total: number | undefined,
  seconds: number,
): string {
  const rate = seconds > 0 ? bytes / seconds : 0;
  const parts = [shortened(oneLine(label))];
  if (total !== undefined) {
    const part = total === 0 ? 1 : Math.min(bytes / total, 1);
    const filled = Math.round(part * BAR_WIDTH);
    parts.push(`[${'#'.repeat(filled)}${'.'.repeat(BAR_WIDTH - filled)}]`);
    parts.push(`${Math.floor(part * 100)}`.padStart(3).concat(' %'));
  }
  parts.push(byteText(bytes), `${byteText(rate)}/s`);
  if (total !== undefined && rate > 0) parts.push(`${clock((total - bytes) / rate)} left`);
  return parts.join('  ');
}

/** A number of bytes for people: 1.5 MiB. */
export function byteText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

function clock(seconds: number): string {
  const whole = Math.max(0, Math.ceil(seconds));
  const minutes = Math.floor(whole / 60);
  const mmss = `${minutes % 60}:${String(whole % 60).padStart(2, '0')}`;
  return minutes < 60 ? mmss : `${Math.floor(minutes / 60)}:${mmss.padStart(5, '0')}`;
}

// The end of a path says more than its beginning.
function shortened(label: string): string {
  return label.length > LABEL_WIDTH ? `…${label.slice(1 - LABEL_WIDTH)}` : label;
}
