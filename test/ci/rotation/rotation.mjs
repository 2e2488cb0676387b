// A rotation that is killed at random moments. After each kill every file is a whole message under the old key or the new one;
// in the end all are under the new one, by a journal that says so. The last line is `N passed, N failed`.
import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { decrypt, encrypt, parseHeader } from 'frameseal';
import { newKeyring, oldKeyring } from './keys.mjs';

const { values } = parseArgs({
  options: { messages: { type: 'string' }, kills: { type: 'string' }, seed: { type: 'string' } },
});
const count = Number(values.messages ?? 150);
const kills = Number(values.kills ?? 25);
const seed = Number(values.seed ?? randomInt(2 ** 31));

const CHILD = join(import.meta.dirname, 'child.mjs');
const base = mkdtempSync(join(tmpdir(), 'frameseal-rotation-'));
const folder = join(base, 'messages');
const journal = join(base, 'journal');

let passed = 0;
let failed = 0;
function check(name, wrong) {
  if (wrong === undefined) passed++;
  else failed++;
  if (wrong !== undefined) console.log(`FAILED ${name}: ${wrong}`);
}

// A small generator of the same numbers for the same seed (mulberry32).
let state = seed;
function random() {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
}

/** Most are small, some have megabytes; a tenth is signed. */
const plaintexts = new Map();
for (let i = 0; i < count; i++) {
  const name = `${i % 7}/${String(i).padStart(4, '0')}.fseal`;
  const length = Math.floor(random() * (i % 10 === 0 ? 4 * 2 ** 20 : 50_000));
  const plaintext = Buffer.alloc(length, `message ${i}, `);
  const algorithmSuite = i % 10 === 5 ? 0x0578 : 0x0478;
  const { ciphertext } = await encrypt(plaintext, { keyring: oldKeyring, algorithmSuite });
  mkdirSync(dirname(join(folder, name)), { recursive: true });
  writeFileSync(join(folder, name), ciphertext, { mode: 0o640 });
  plaintexts.set(name, plaintext);
}

function files() {
  return readdirSync(folder, { recursive: true }).filter((name) => statSync(join(folder, name)).isFile());
}

const keyOf = (message) =>
  Buffer.from(parseHeader(message).encryptedDataKeys[0].providerInfo).toString('latin1', 0, 3);

/** What is wrong with the files, or nothing; and how many are under the new key. */
async function look(mayHaveTemporaries) {
  const there = files();
  const temporaries = there.filter((name) => name.endsWith('.frameseal-tmp'));
  if (temporaries.length > mayHaveTemporaries) return { wrong: `temporary files: ${temporaries.join()}` };
  if (there.length - temporaries.length !== count) return { wrong: `${there.length} files` };
  let done = 0;
  for (const [name, plaintext] of plaintexts) {
    const message = readFileSync(join(folder, name));
    const isNew = keyOf(message) === 'new';
    if (isNew) done++;
    const opened = await decrypt(message, { keyring: isNew ? newKeyring : oldKeyring });
    if (!plaintext.equals(opened.plaintext)) return { wrong: `${name} has another plaintext` };
    if ((statSync(join(folder, name)).mode & 0o777) !== 0o640) return { wrong: `${name} has another mode` };
  }
  return { done };
}

/** One life, killed some time after so many objects, or when it has ended. */
async function live(objects, delay) {
  const child = spawn(process.execPath, [CHILD, folder, journal], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const ended = new Promise((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal, output }));
  });
  const reached = new Promise((resolve) => {
    const hear = (chunk) => {
      output += chunk;
      if (output.split('\n').length > objects + 1) resolve();
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
  });
  await Promise.race([reached, ended]);
  await Promise.race([sleep(delay), ended]);
  if (objects < Number.POSITIVE_INFINITY) child.kill('SIGKILL');
  return ended;
}

function notedDone() {
  return existsSync(journal) ? readFileSync(journal, 'utf8').split('"done"').length - 1 : 0;
}

console.log(`seed ${seed}, ${count} messages, ${kills} kills`);
let before = 0;
let lefts = 0;
let between = 0;
for (let i = 0; i < kills; i++) {
  const objects = Math.floor(random() * (count / kills));
  const { code, signal, output } = await live(objects, random() * 30);
  const { wrong, done } = await look(4).catch((error) => ({ wrong: error.stack }));
  if (files().length > count) lefts++;
  if (done > notedDone()) between++;
  const early = signal === 'SIGKILL' || code === 0 ? undefined : `it ended with ${code}: ${output}`;
  check(`kill ${i}`, wrong ?? early ?? (done < before ? `${done} are done, ${before} were` : undefined));
  before = done ?? before;
}
console.log(`  ${before} of ${count} were done after the kills; ${lefts} kills left temporary files`);
console.log(`  ${between} kills came when a file had been replaced, and the journal did not know yet`);

const { code, output } = await live(Number.POSITIVE_INFINITY, 0);
const report = JSON.parse(/^done (.*)$/m.exec(output)?.[1] ?? '{}');
const told = `${report.rewrapped} rewrapped, ${report.doneBefore} done before, ${report.failed} failed`;
console.log(`  the last run: ${told}`);
check('the last run', code === 0 && report.completed && report.objects === count ? undefined : output);
const end = await look(0);
check('the end', end.wrong ?? (end.done === count ? undefined : `${end.done} are under the new key`));

const entries = readFileSync(journal, 'utf8')
  .trimEnd()
  .split('\n')
  .slice(1)
  .map((line) => JSON.parse(line));
const ids = new Map(
  entries.filter(({ state }) => state === 'done').map((entry) => [entry.name, entry.messageId]),
);
const differ = [...plaintexts.keys()].filter((name) => {
  const { messageId } = parseHeader(readFileSync(join(folder, name)));
  return ids.get(name) !== Buffer.from(messageId).toString('hex');
});
check('the journal', differ.length === 0 ? undefined : `it has other messages for ${differ.join()}`);
check(
  'the wraps',
  report.wraps === entries.filter(({ state }) => state === 'begun').length ? undefined : told,
);

rmSync(base, { recursive: true });
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
