/**
 * A long file from disk to disk in Chromium, and how much memory all of its processes take on the way. The files lie in the
 * origin's own file system, for which Chromium needs a profile on the disk.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { prepare } from './browsers.mjs';
import { chromium } from './tools.mjs';
import { visit } from './visit.mjs';

const KEY = '7'.repeat(64);
const SAMPLE_MS = 200;
const GROWTH_MIB = 256;
const LIMIT_MS = 600_000;

/** Encrypts and decrypts so many MiB. @param report is told rates and memory */
export async function checkMemory(folder, { served }, mebibytes, report) {
  const context = await chromium.launchPersistentContext(join(folder, 'profile'), {
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox'],
  });
  try {
    await prepare(context, 'stream');
    const page = await visit(context, served.url);
    await page.pasteKey(KEY);
    await page.page.evaluate(writeLong, mebibytes);
    await oneWay(page, 'long.bin', `encrypt ${mebibytes} MiB`, report);
    await page.page.evaluate(moveAway);
    await oneWay(page, 'long.bin.fseal', `decrypt ${mebibytes} MiB`, report);
    assert.equal(await page.page.evaluate(differsAt), -1);
    assert.deepEqual(page.errors, []);
  } finally {
    await context.close();
  }
}

async function oneWay(page, name, what, report) {
  await page.page.evaluate(dropStored, name);
  await page.page.locator('#header > *').first().waitFor();
  await delay(500);
  const before = memoryOfBrowser();
  const sampling = sample();
  const began = performance.now();
  await page.start();
  const outcome = await page.outcome(LIMIT_MS);
  const seconds = (performance.now() - began) / 1000;
  const most = sampling.stop();
  assert.equal(outcome.state, 'done', JSON.stringify(outcome));
  report(
    `${what}: ${seconds.toFixed(1)} s, ${before.toFixed(0)} MiB before, ${most.toFixed(0)} MiB at most, all processes of Chromium`,
  );
  assert.ok(most - before < GROWTH_MIB, `memory grew by ${(most - before).toFixed(0)} MiB`);
}

function sample() {
  let most = 0;
  const timer = setInterval(() => {
    most = Math.max(most, memoryOfBrowser());
  }, SAMPLE_MS);
  return {
    stop() {
      clearInterval(timer);
      return most;
    },
  };
}

// Proportional set size of all that this process has started, in MiB: pages that they share count once.
function memoryOfBrowser() {
  const parents = new Map(processes().map((pid) => [pid, parentOf(pid)]));
  const isOurs = (pid) => pid !== undefined && (parents.get(pid) === process.pid || isOurs(parents.get(pid)));
  const ours = [...parents.keys()].filter(isOurs);
  return ours.reduce((sum, pid) => sum + proportionalKib(pid), 0) / 1024;
}

function processes() {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function parentOf(pid) {
  return Number(/^PPid:\s+(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1] ?? 0) || undefined;
}

function proportionalKib(pid) {
  return Number(/^Pss:\s+(\d+)/m.exec(read(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0);
}

function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // it has ended
  }
}

/* What follows runs in the page. */

async function writeLong(mebibytes) {
  const root = await navigator.storage.getDirectory();
  const writer = await (await root.getFileHandle('long.bin', { create: true })).createWritable();
  const part = new Uint8Array(2 ** 20);
  for (let i = 0; i < mebibytes; i++) {
    for (let at = 0; at < part.length; at += 4096) crypto.getRandomValues(part.subarray(at, at + 16));
    await writer.write(part);
  }
  await writer.close();
}

// The name under which the plaintext comes back.
async function moveAway() {
  const root = await navigator.storage.getDirectory();
  await (await root.getFileHandle('long.bin')).move('original.bin');
}

async function dropStored(name) {
  document.getElementById('header').replaceChildren();
  const root = await navigator.storage.getDirectory();
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(await (await root.getFileHandle(name)).getFile());
  document.getElementById('drop').dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true }));
}

// Where original and result differ first; -1 if nowhere.
async function differsAt() {
  const root = await navigator.storage.getDirectory();
  const [a, b] = await Promise.all(
    ['original.bin', 'long.bin'].map(async (name) => (await root.getFileHandle(name)).getFile()),
  );
  if (a.size !== b.size) return Math.min(a.size, b.size);
  for (let at = 0; at < a.size; at += 2 ** 22) {
    const [x, y] = await Promise.all(
      [a, b].map(async (file) => new BigUint64Array(await file.slice(at, at + 2 ** 22).arrayBuffer())),
    );
    if (x.some((word, i) => word !== y[i])) return at;
  }
  return -1;
}
