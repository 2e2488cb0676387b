/**
 * test/examples/worker: what requests share. Many at once make one set of KMS calls, one that is dropped takes nobody with it,
 * and memory does not grow with the objects.
 */
import { deepStrictEqual, ok, strictEqual } from 'node:assert';
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { startKms, startWorker } from './host.mjs';
import { send } from './http.mjs';
import { check } from './tally.mjs';

const MIB = 2 ** 20;
const CLIENTS = 100;
const ONE_SET = ['GenerateDataKey us-east-1', 'Encrypt eu-west-1'];
/** Objects whose memory is compared, and what the larger one may take beyond the smaller one. */
const SMALL = 16 * MIB;
const LARGE = 128 * MIB;
const MAY_GROW = 48 * MIB;

export async function checkSharing(app, compatibilityFlags, { memory = true } = {}) {
  const host = compatibilityFlags.join() || 'no flags';
  const { kms, bindings, createKeys } = await startKms(app);
  const KMS_KEYS = await createKeys();
  const TOKENS = JSON.stringify({ a: 'tenant-a', b: 'tenant-b', c: 'tenant-c' });
  const variables = { ...bindings, KMS_KEYS, TOKENS, DATA_KEY_PER: 'tenant' };
  const settings = { out: 'out-dropped', compatibilityFlags, bindings: variables };
  const worker = await startWorker(app, 'worker', settings);
  const at = {
    kms,
    case: (what, test) => check(`worker, ${host}: ${what}`, test),
    ask: (name, { token = 'a', headers, ...options } = {}) =>
      send(new URL(`/${name}`, worker.url), {
        ...options,
        headers: { authorization: `Bearer ${token}`, ...headers },
      }),
  };
  try {
    await checkClients(at);
    await checkDropped(at);
    if (memory) await checkMemory(at);
  } finally {
    await worker.stop();
    await kms.close();
  }
}

async function checkClients({ case: check, ask, kms }) {
  const bodies = Array.from({ length: CLIENTS }, (_, i) => randomBytes(1000 + i));
  await check(`${CLIENTS} uploads at once make one set of KMS calls`, async () => {
    const before = kms.requests.length;
    const answers = await Promise.all(
      bodies.map((body, i) => ask(`${i}`, { method: 'PUT', body, ...(i % 2 && { length: false }) })),
    );
    deepStrictEqual(
      answers.map(({ status }) => status),
      bodies.map(() => 201),
    );
    deepStrictEqual(callsSince(kms, before), ONE_SET);
  });
  await check(`${CLIENTS} downloads at once make one call`, async () => {
    const before = kms.requests.length;
    const answers = await Promise.all(bodies.map((_, i) => ask(`${i}`)));
    for (const [i, { bytes }] of answers.entries()) strictEqual(Buffer.compare(bytes, bodies[i]), 0);
    deepStrictEqual(callsSince(kms, before), ['Decrypt us-east-1']);
  });
}

async function checkDropped({ case: check, ask, kms }) {
  await check('a request that is dropped while KMS is asked takes nobody with it', async () => {
    const body = randomBytes(1000);
    const put = (name, headers = {}) => ask(name, { token: 'b', method: 'PUT', body, headers });
    const before = kms.requests.length;
    kms.setFault('us-east-1', { kind: 'latency', ms: 1500 });
    const dropped = put('dropped', { 'dropped-after': '600' });
    await sleep(300);
    const others = await Promise.all([1, 2, 3].map((i) => put(`${i}`)));
    kms.setFault('us-east-1', null);
    const statuses = [...others, await put('later')].map(({ status }) => status);
    deepStrictEqual([String((await dropped).bytes), ...statuses], ['dropped', 201, 201, 201, 201]);
    deepStrictEqual(callsSince(kms, before), ONE_SET);
  });
}

// What the garbage collector leaves lying grows too, but not with the object.
async function checkMemory({ case: check, ask }) {
  const put = { token: 'c', method: 'PUT' };
  const jobs = {
    'upload with Content-Length': (length) => ask(`k${length}`, { ...put, body: zeros(length), length }),
    'upload without Content-Length': (length) =>
      ask(`u${length}`, { ...put, body: zeros(length), length: false }),
    download: (length) => ask(`k${length}`, { token: 'c', keep: false }),
    'download of a range': (length) =>
      ask(`u${length}`, { token: 'c', keep: false, headers: { range: `bytes=1-${length}` } }),
  };
  for (const [what, job] of Object.entries(jobs)) {
    await check(`memory: ${what}`, async () => {
      await job(SMALL);
      const small = await peakOf(() => job(SMALL));
      const large = await peakOf(() => job(LARGE));
      const grown = (large - small) / MIB;
      console.log(
        `memory, ${what}: ${(small / MIB).toFixed(0)} MiB, ${(large / MIB).toFixed(0)} MiB for eight times as much`,
      );
      ok(grown < MAY_GROW / MIB, `${grown.toFixed(0)} MiB more`);
    });
  }
}

// Bytes that workerd had resident at most, R2 of miniflare included.
async function peakOf(job) {
  const pid = workerd();
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
  const answer = await job();
  ok(answer.whole && answer.status < 300, `status ${answer.status}`);
  const [, kibibytes] = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(kibibytes) * 1024;
}

function workerd() {
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim().split(' ');
  return children.find((pid) => readFileSync(`/proc/${pid}/comm`, 'utf8').startsWith('workerd'));
}

function* zeros(length) {
  const piece = new Uint8Array(65_536);
  for (let at = 0; at < length; at += piece.length) yield piece.subarray(0, length - at);
}

function callsSince(kms, before) {
  return kms.requests.slice(before).map(({ operation, region }) => `${operation} ${region}`);
}
