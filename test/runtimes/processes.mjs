/**
 * Processes that end with what they were started for, and so do theirs.
 */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** In the environment of everything started here, and inherited: so leftovers are known. */
const MARK = `FRAMESEAL_RUNTIMES=${randomUUID()}`;
const LAST_LINES = 6;

/** Starts a command. `ended` resolves with what it said last and how it ended. */
export function start([command, ...args], { cwd, env = {} }) {
  const [name, value] = MARK.split('=');
  const child = spawn(command, args, {
    cwd,
    env: { ...process.env, ...env, [name]: value },
    detached: true, // a process group of its own, which is ended as a whole
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = [];
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (bytes) => {
      said.push(
        ...String(bytes)
          .split('\n')
          .filter((line) => line.trim() !== ''),
      );
      said.splice(0, said.length - LAST_LINES);
    });
  const ended = new Promise((resolve) => {
    child.on('error', (error) => resolve(error.message));
    child.on('close', (code, signal) => resolve([`ended with ${signal ?? code}`, ...said].join(' | ')));
  });
  return { ended, stop: () => killGroup(child.pid) };
}

/** Ends what has left its group, where the system tells. */
export function endLeftovers() {
  if (!existsSync('/proc')) return;
  for (const pid of readdirSync('/proc').filter(
    (name) => /^\d+$/.test(name) && Number(name) !== process.pid,
  )) {
    if (environmentOf(pid).includes(MARK)) kill(Number(pid));
  }
}

function environmentOf(pid) {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0');
  } catch {
    return []; // it has ended, or is another user's
  }
}

function killGroup(pid) {
  if (pid !== undefined) kill(-pid);
}

function kill(pid) {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // it has ended
  }
}
