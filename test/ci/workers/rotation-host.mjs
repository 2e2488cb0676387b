/** The rotation's Worker over buckets that outlive it, and what its state says. */
import { ok } from 'node:assert';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startWorker } from './host.mjs';
import { workerOptions } from './tools.mjs';

const EXAMPLE = 'rewrap-queue';
const ROTATION = 'test';
/** Objects in one request. */
const CHUNK = 50;
const PATIENCE_MS = 300_000;

export async function startRotation(
  app,
  folder,
  { bindings },
  { oldKey, unluckyKey, newKeys },
  PAGE_LENGTH,
  settings,
) {
  const { miniflare, url, log, stop } = await startWorker(app, EXAMPLE, {
    ...settings,
    r2Persist: join(folder, 'r2'),
    queueConsumers: quickly(workerOptions(join(app, EXAMPLE, 'wrangler.jsonc')).workerOptions.queueConsumers),
    bindings: {
      ...bindings,
      ROTATION,
      OLD_KEYS: [oldKey, unluckyKey],
      NEW_KEYS: newKeys,
      PAGES_PER_RUN: 2,
      PAGE_LENGTH,
      RETRY_SECONDS: 0,
    },
  });
  const state = await miniflare.getR2Bucket('STATE');
  const objects = await miniflare.getR2Bucket('OBJECTS');
  const queue = await miniflare.getQueueProducer('QUEUE');
  const worker = await miniflare.getWorker();
  const read = async (name) => JSON.parse(await (await state.get(`${ROTATION}/${name}`)).text());
  return {
    objects,
    /** Many at once, in place of one request for each. */
    put: (entries) => inChunks(entries, (chunk) => post(url, 'put', chunk)),
    get: (names) => inChunks(names, (chunk) => post(url, 'get', chunk)),
    log,
    stop,
    until,
    cron: () => worker.scheduled({ cron: '* * * * *' }),
    progress: () => read('progress'),
    report: () => read('report.json'),
    forgetProgress: () => state.delete(`${ROTATION}/progress`),
    sendAgain: (names) => queue.sendBatch(names.map((name) => ({ body: { name } }))),
    /** Names and etags of what this rotation has replaced. */
    marked: async () => {
      const entries = (await listed(objects)).filter(
        ({ customMetadata }) => customMetadata.rotation === ROTATION,
      );
      return new Map(entries.map(({ key, etag }) => [key, etag]));
    },
    dead: async () => {
      const prefix = `${ROTATION}/dead/`;
      const entries = await listed(state, prefix);
      return new Map(
        entries.map(({ key, customMetadata }) => [key.slice(prefix.length), customMetadata.reason]),
      );
    },
  };
}

// As configured, but with more and smaller batches, which do not wait for seconds to fill.
function quickly(consumers) {
  return Object.fromEntries(
    Object.entries(consumers).map(([name, options]) => [
      name,
      { ...options, maxBatchSize: 40, maxBatchTimeout: 0.2 },
    ]),
  );
}

async function inChunks(values, job) {
  const results = [];
  for (let at = 0; at < values.length; at += CHUNK)
    results.push(...(await job(values.slice(at, at + CHUNK))));
  return results;
}

async function post(url, path, body) {
  const answer = await fetch(new URL(path, url), { method: 'POST', body: JSON.stringify(body) });
  ok(answer.ok, `${path}: ${answer.status}`);
  return answer.json();
}

async function listed(bucket, prefix = '') {
  const objects = [];
  for (let page = { truncated: true }; page.truncated; ) {
    page = await bucket.list({
      prefix,
      include: ['customMetadata'],
      ...(page.cursor && { cursor: page.cursor }),
    });
    objects.push(...page.objects);
  }
  return objects;
}

async function until(condition) {
  const end = Date.now() + PATIENCE_MS;
  while (!(await condition())) {
    ok(Date.now() < end, 'it does not come to an end');
    await sleep(500);
  }
}
