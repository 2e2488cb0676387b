/**
 * Names of temporary files, which tell who writes them:
 *
 * ```
 * .NAME.PID-START-PLACE-RANDOM.frameseal-tmp
 * ```
 * NAME is the target's name, or the SHA-256 of a long one. PID and START, the time at which it started, name a process
 * and never its successor; PLACE stands for what a process id means something in: a host, its boot and its process
 * namespace (proc(5)). Where a system does not tell the time, START is 0.
 */
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** A process that writes, or wrote, a temporary file. */
export interface Writer {
  readonly pid: number;
  readonly start: string;
  readonly place: string;
}

const SUFFIX = '.frameseal-tmp';
const UNKNOWN = '0';
const WRITER = /^(\d{1,10})-(\d{1,20})-([0-9a-f]{8})-[0-9a-f]{16}$/;

// Name and writer together stay below the 255 bytes that file systems allow.
const MAX_NAME_BYTES = 180;

let self: Writer | undefined;

/** A new name for a temporary file of this process beside a target of that name. */
export function temporaryName(name: string): string {
  self ??= { pid: process.pid, start: statOf('self')?.start ?? UNKNOWN, place: thisPlace() };
  const { pid, start, place } = self;
  return `${prefix(name)}${pid}-${start}-${place}-${randomBytes(8).toString('hex')}${SUFFIX}`;
}

/** Whether a file of that name is a temporary one of any target. */
export function isTemporary(entry: string): boolean {
  return entry.endsWith(SUFFIX);
}

/** Who writes the temporary file `entry` of the target `name`; `undefined` if it is no such file. */
export function writerOf(entry: string, name: string): Writer | undefined {
  if (!entry.startsWith(prefix(name)) || !isTemporary(entry)) return undefined;
  const match = WRITER.exec(entry.slice(prefix(name).length, -SUFFIX.length));
  return match ? { pid: Number(match[1]), start: match[2]!, place: match[3]! } : undefined;
}

/** Whether a writer still lives; `undefined` when that cannot be told from here. */
export function isAlive({ pid, start, place }: Writer): boolean | undefined {
  if (place !== thisPlace()) return undefined;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  const stat = statOf(pid);
  if (stat === undefined) return true;
  return stat.state !== 'Z' && (start === UNKNOWN || stat.start === start);
}

function prefix(name: string): string {
  const long = Buffer.byteLength(name) > MAX_NAME_BYTES;
  return `.${long ? createHash('sha256').update(name).digest('hex').slice(0, 32) : name}.`;
}

// Fields 3 and 22 of /proc/PID/stat: Z for a process that has ended and is still listed, and ticks since the boot. Field 2
// is a name in parentheses, which may hold anything.
function statOf(pid: number | 'self'): { state: string; start: string } | undefined {
  const stat = textOr(undefined, () => readFileSync(`/proc/${pid}/stat`, 'latin1'));
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields && { state: fields[0]!, start: fields[19]! };
}

function thisPlace(): string {
  const boot = textOr('', () => readFileSync('/proc/sys/kernel/random/boot_id', 'latin1'));
  const namespace = textOr('', () => readlinkSync('/proc/self/ns/pid'));
  return createHash('sha256').update(`${hostname()}\n${boot}\n${namespace}`).digest('hex').slice(0, 8);
}

function textOr<T>(instead: T, read: () => string): string | T {
  try {
    return read();
  } catch {
    return instead;
  }
}
