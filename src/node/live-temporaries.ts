/**
 * Temporary files that are being written. When the process exits or is told to end, they go first.
 *
 * Handlers exist only while such files do. A signal that nobody else listens to is raised again when the files are
 * gone, so that the process ends as it would have. Where the host listens, ending is its decision, and the files
 * go when it exits; until then they are written on, since it may wait for them.
 */
import { unlinkSync } from 'node:fs';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

// Another copy of this library in the process knows our listeners by this mark.
const MARK = Symbol.for('frameseal live temporaries');

const live = new Set<string>();

/** From now on the file goes with the process. To be called before it exists. */
export function track(path: string): void {
  if (live.size === 0) install();
  live.add(path);
}

/** The file is gone or has its final name. */
export function untrack(path: string): void {
  if (live.delete(path) && live.size === 0) uninstall();
}

function install(): void {
  process.on('exit', removeAll);
  // First in turn: a listener for one time is still to be seen.
  for (const signal of SIGNALS) process.prependListener(signal, onSignal);
}

function uninstall(): void {
  process.off('exit', removeAll);
  for (const signal of SIGNALS) process.off(signal, onSignal);
}

const onSignal = Object.assign(
  (signal: NodeJS.Signals): void => {
    if (hostListens(signal)) return;
    removeAll();
    process.kill(process.pid, signal);
  },
  { [MARK]: true },
);

function removeAll(): void {
  for (const path of live) {
    try {
      unlinkSync(path);
    } catch {} // gone already, or beyond help: the next run to the same target looks again
  }
  live.clear();
  uninstall();
}

function hostListens(signal: NodeJS.Signals): boolean {
  const others = process.listeners(signal).filter((listener) => !(MARK in listener));
  return others.length > politeListeners();
}

// The package `signal-exit`, which is in most terminal programs, ends the process only if nobody else listens, as we do:
// two that wait for each other would make the signal go unheard. It says how many listeners it has (versions 3 and 4).
function politeListeners(): number {
  const globals = globalThis as { [key: symbol]: { count?: number } | undefined };
  const { __signal_exit_emitter__: older } = process as { __signal_exit_emitter__?: { count?: number } };
  return (globals[Symbol.for('signal-exit emitter')]?.count ?? 0) + (older?.count ?? 0);
}
