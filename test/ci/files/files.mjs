// Files whole or not at all: kills at random points, signals, hosts with their own ideas of signals, full and read-only
// disks. The last line is `N passed, N failed`.
import { spawn, spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { decrypt } from 'frameseal';
import { encryptFile } from 'frameseal/node';
import { keyring, other } from './keys.mjs';

const { values } = parseArgs({
  options: { count: { type: 'string' }, seed: { type: 'string' }, size: { type: 'string' } },
});
const count = Number(values.count ?? 15);
const seed = Number(values.seed ?? randomInt(2 ** 31));
const size = Number(values.size ?? 64) * 2 ** 20;

const CHILD = join(import.meta.dirname, 'child.mjs');
const TEMPORARY = /^\.target\.\d+-\d+-[0-9a-f]{8}-[0-9a-f]{16}\.frameseal-tmp$/;
const OLD = 'what was there before';
const IS_ROOT = process.geteuid() === 0;
const NOBODY = 65_534;

const base = mkdtempSync(join(tmpdir(), 'frameseal-kill-'));
chmodSync(base, 0o755);
const plaintext = Buffer.alloc(size, Buffer.from('one of these bytes, and another. '));
const sources = {
  encrypt: join(base, 'plaintext'),
  decrypt: join(base, 'message'),
  small: join(base, 'small'),
};
sources.rewrap = sources.decrypt;
writeFileSync(sources.encrypt, plaintext);
writeFileSync(sources.small, 'a few bytes');
await encryptFile(sources.encrypt, sources.decrypt, { keyring, mode: 0o644 });
const message = readFileSync(sources.decrypt);

let passed = 0;
let failed = 0;
const WAYS = ['encrypt', 'decrypt', 'rewrap'];

/** A test of its own folder, which says what is wrong, or nothing. */
async function check(name, work) {
  const folder = mkdtempSync(join(base, 'run-'));
  let wrong;
  try {
    wrong = await work(folder, join(folder, 'target'));
  } catch (error) {
    wrong = error.stack;
  }
  if (wrong === undefined) passed++;
  else failed++;
  if (wrong !== undefined) console.log(`FAILED ${name}: ${wrong}`);
  rmSync(folder, { recursive: true });
}

/** Starts a run. `ended` settles when it is gone, `until` when its lines say that it has come so far. */
function run(way, source, target, { host = 'plain', ...options } = {}) {
  const program = options.uid === undefined ? CHILD : programForOthers();
  const child = spawn(process.execPath, [program, way, source, target, host], {
    stdio: ['ignore', 'pipe', 'pipe'],
    ...options,
  });
  let output = '';
  const until = (reached) =>
    new Promise((resolve) => {
      child.stdout.on('data', () => reached(output.split('\n')) && resolve());
      child.once('close', resolve);
    });
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  child.stderr.on('data', (chunk) => {
    output += chunk;
  });
  const ended = new Promise((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal, output }));
  });
  return { child, until, ended };
}

// Another user may not reach the folder that this repository lies in.
function programForOthers() {
  const folder = join(base, 'program');
  if (existsSync(folder)) return join(folder, 'child.mjs');
  const root = join(import.meta.dirname, '../../..');
  for (const part of ['package.json', 'dist'])
    cpSync(join(root, part), join(folder, part), { recursive: true });
  for (const file of ['child.mjs', 'keys.mjs']) cpSync(join(import.meta.dirname, file), join(folder, file));
  return join(folder, 'child.mjs');
}

async function isComplete(way, target) {
  const content = readFileSync(target);
  if (way === 'decrypt') return content.equals(plaintext);
  const by = way === 'rewrap' ? other : keyring;
  return Buffer.from((await decrypt(content, { keyring: by })).plaintext).equals(plaintext);
}

/** What is there before: a message, for what is rewritten in place. */
function putOld(way, target) {
  if (way === 'rewrap') copyFileSync(sources.rewrap, target);
  else writeFileSync(target, OLD);
}

function isOld(way, target) {
  return readFileSync(target).equals(way === 'rewrap' ? message : Buffer.from(OLD));
}

/** `absent`, `old` or `complete`; anything else is what must not be. */
async function stateOf(way, folder, target) {
  if (!readdirSync(folder).includes('target')) return 'absent';
  if (isOld(way, target)) return 'old';
  try {
    return (await isComplete(way, target)) ? 'complete' : 'damaged';
  } catch (error) {
    return `damaged: ${error.message}`;
  }
}

/** What lies beside the target and should not. */
function strays(folder) {
  return readdirSync(folder).filter((name) => name !== 'target');
}

/** Waits for the temporary file. */
async function untilTemporary(folder) {
  for (let turn = 0; turn < 2000 && strays(folder).length === 0; turn++) await sleep(5);
}

// A small generator of the same numbers for the same seed (mulberry32).
let state = seed;
function random() {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
}

const seen = {};

/** Kills a run when it has done so many bytes, and some milliseconds later. */
async function killed(way, hadOld, { bytes, delay }, folder, target) {
  if (hadOld) putOld(way, target);
  const { child, until, ended } = run(way, sources[way], target, { host: 'watched' });
  await until((lines) => lines[0] === 'go' && (bytes === 0 || lines.some((line) => Number(line) >= bytes)));
  await sleep(delay);
  child.kill('SIGKILL');
  await ended;
  const after = await stateOf(way, folder, target);
  const left = strays(folder);
  const outcome = `${way}: ${after}${left.length > 0 ? ', temporary file left' : ''}`;
  seen[outcome] = (seen[outcome] ?? 0) + 1;
  if (after !== 'complete' && after !== (hadOld ? 'old' : 'absent')) return `the target is ${after}`;
  if (left.length > 1 || !left.every((name) => TEMPORARY.test(name))) return `left behind: ${left}`;
  for (const name of left) {
    const { mode } = statSync(join(folder, name));
    if ((mode & 0o777) !== 0o600) return `the temporary file has mode ${mode.toString(8)}`;
  }
  const next = await run('encrypt', sources.small, target).ended;
  if (next.code !== 0) return `the next run failed: ${next.output}`;
  const { plaintext: small } = await decrypt(readFileSync(target), { keyring });
  if (small.length !== 11) return 'the next run did not write its own message';
  if (strays(folder).length > 0) return `the next run left ${strays(folder)}`;
}

console.log(`seed ${seed}, ${count} kills of ${size / 2 ** 20} MiB`);
for (let i = 0; i < count; i++) {
  const way = WAYS[i % 3];
  // A third of them at the end, where the file gets its name, some before the first byte, the others anywhere.
  const kind = random();
  const bytes = kind < 1 / 3 ? size : kind < 1 / 2 ? 0 : Math.floor(random() * size);
  const delay = random() * (bytes === size ? 300 : 40);
  const name = `${way} killed ${delay.toFixed(1)} ms after byte ${bytes}`;
  const hadOld = way === 'rewrap' || i % 2 === 0;
  await check(name, (folder, target) => killed(way, hadOld, { bytes, delay }, folder, target));
}
for (const [outcome, times] of Object.entries(seen).sort()) console.log(`  ${outcome}: ${times}`);

/** A run that stands still, is told to end, ends as it should, and leaves nothing but the target. */
function ends({ way, host, signal, expected, leaves = 'old' }) {
  return async (folder, target) => {
    putOld(way, target);
    const { child, ended } = run(way, sources[way], target, { host });
    await untilTemporary(folder);
    if (signal) child.kill(signal);
    const { code, signal: by, output } = await ended;
    if ((by ?? code) !== expected) return `it ended with ${by ?? code}, not ${expected}: ${output}`;
    const after = await stateOf(way, folder, target);
    if (after !== leaves) return `the target is ${after}`;
    if (strays(folder).length > 0) return `left behind: ${strays(folder)}`;
  };
}

/** A run that is told to end when it has done so many bytes. It may be too late. */
function told(way, signal, bytes) {
  return async (folder, target) => {
    putOld(way, target);
    const { child, until, ended } = run(way, sources[way], target, { host: 'watched' });
    await until((lines) => lines.some((line) => Number(line) >= bytes));
    child.kill(signal);
    const { code, signal: by, output } = await ended;
    const after = await stateOf(way, folder, target);
    if (by !== signal && code !== 0) return `it ended with ${by ?? code}: ${output}`;
    if (after !== 'complete' && (after !== 'old' || code === 0)) return `the target is ${after}`;
    if (strays(folder).length > 0) return `left behind: ${strays(folder)}`;
  };
}

for (const way of WAYS) {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    await check(`${way}, ${signal}`, ends({ way, host: 'held', signal, expected: signal }));
    const bytes = Math.floor(random() * size);
    await check(`${way}, ${signal} after byte ${bytes}`, told(way, signal, bytes));
  }
  const term = { way, signal: 'SIGTERM' };
  await check(
    `${way}, host finishes its work`,
    ends({ ...term, host: 'patient', expected: 0, leaves: 'complete' }),
  );
  await check(`${way}, host exits`, ends({ ...term, host: 'exits', expected: 7 }));
  await check(`${way}, polite listener`, ends({ ...term, host: 'polite', expected: 'SIGTERM' }));
  await check(`${way}, crash`, ends({ way, host: 'crashes', expected: 1 }));
}

/** A run that the system refuses: it says so, leaves the old target and nothing else. */
async function refuses(way, folder, expected, options = {}) {
  const target = join(folder, 'target');
  const before = readdirSync(folder).sort().join();
  const { code, output } = await run(way, sources[way], target, options).ended;
  if (code !== 1 || !output.includes('IO ') || !expected.test(output))
    return `it ended with ${code}: ${output}`;
  if (!isOld(way, target)) return 'the target has changed';
  if (readdirSync(folder).sort().join() !== before) return `left behind: ${readdirSync(folder)}`;
}

function succeeds(command, ...args) {
  return spawnSync(command, args).status === 0;
}

function mount(options, folder) {
  return IS_ROOT && succeeds('mount', '-t', 'tmpfs', ...options, 'tmpfs', folder);
}

/** Calls `work` with a disk of its own that holds an old target. */
async function onDisk(way, folder, options, work) {
  const disk = join(folder, 'disk');
  mkdirSync(disk);
  mount(options, disk);
  try {
    putOld(way, join(disk, 'target'));
    return await work(disk);
  } finally {
    succeeds('umount', disk);
  }
}

const CAN_MOUNT = mount([], base) && succeeds('umount', base);
if (!CAN_MOUNT) console.log('  not checked here: full and read-only disks, because only root can mount some');

for (const way of WAYS) {
  await check(`${way}, file size limit`, async (folder, target) => {
    putOld(way, target);
    const limited = spawnSync(
      'bash',
      ['-c', 'ulimit -f 4096; exec "$@"', '-', process.execPath, CHILD, way, sources[way], target],
      { encoding: 'utf8' },
    );
    if (limited.status !== 1 || !/IO cannot write .*\(EFBIG\)/.test(limited.stdout)) return limited.stdout;
    if (strays(folder).length > 0) return `left behind: ${strays(folder)}`;
    if (!isOld(way, target)) return 'the target has changed';
  });

  await check(`${way}, read-only folder`, async (folder, target) => {
    putOld(way, target);
    if (IS_ROOT) chownSync(folder, NOBODY, NOBODY);
    chmodSync(folder, 0o555);
    chmodSync(target, 0o644);
    const user = IS_ROOT ? { uid: NOBODY, gid: NOBODY } : {};
    const wrong = await refuses(way, folder, /cannot write .*\(EACCES\)/, user);
    chmodSync(folder, 0o755);
    return wrong;
  });

  if (!CAN_MOUNT) continue;
  await check(`${way}, full disk`, async (folder) =>
    onDisk(way, folder, ['-o', `size=${way === 'rewrap' ? size / 2 ** 20 + 4 : 4}m`], (disk) =>
      refuses(way, disk, /cannot write .*\(ENOSPC\)/),
    ),
  );
  await check(`${way}, read-only disk`, async (folder) =>
    onDisk(way, folder, [], (disk) => {
      succeeds('mount', '-o', 'remount,ro', disk);
      return refuses(way, disk, /cannot write .*\(EROFS\)/);
    }),
  );
}

const MOST_GROWTH = 64; // MiB
const LARGE = 512;
const large = { encrypt: join(base, 'large'), decrypt: join(base, 'large-message'), rewrap: '' };
writeFileSync(large.encrypt, '');
truncateSync(large.encrypt, LARGE * 2 ** 20);
for (const way of WAYS) {
  await check(`${way}, memory`, async (folder, target) => {
    const memory = [];
    putOld(way, target);
    // The message that encrypting leaves is the one that is decrypted, and then rewrapped.
    const short = way === 'encrypt' ? large.decrypt : target;
    const long = way === 'decrypt' ? target : large.decrypt;
    for (const [source, out] of [
      [sources[way], short],
      [large[way], long],
    ]) {
      const { code, output } = await run(way, source, out).ended;
      if (code !== 0) return output;
      memory.push(Number(output.split(' ').at(-1)) / 1024);
    }
    const [some, most] = memory.map(Math.round);
    console.log(`  ${way}: ${some} MiB of memory for ${size / 2 ** 20} MiB, ${most} for ${LARGE}`);
    if (most - some > MOST_GROWTH) return `memory grew by ${most - some} MiB`;
    if (strays(folder).length > 0) return `left behind: ${strays(folder)}`;
  });
}

rmSync(base, { recursive: true });
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
