// Rotation of a bucket: a cron lists it into a queue, consumers rewrap, a dead-letter queue keeps what cannot be done.
//
// Queues deliver at least once and in any order, and any invocation may die anywhere. Nothing depends on it: names may come twice,
// and `rotateObject` decides by the object itself what is to be done.

import { jobOf } from './job.js';
import { r2Store } from './r2-store.js';
import { isLasting, rotateObject } from './rotate-object.js';

const DEAD_QUEUE = 'frameseal-rotation-dead';
/** Objects at a time in one invocation; workerd opens six connections at most. */
const AT_ONCE = 6;
/** Messages that `sendBatch` takes. */
const SEND_AT_ONCE = 100;

export default {
  async scheduled(_event, env) {
    await produce(env);
    await writeReport(env);
  },
  async queue(batch, env) {
    await (batch.queue === DEAD_QUEUE ? bury(batch, env) : rotateBatch(batch, env));
  },
};

// A page is in the queue before it counts as listed: an invocation that dies in between sends it again.
async function produce(env) {
  const { OBJECTS, QUEUE, PREFIX: prefix, PAGE_LENGTH: limit, PAGES_PER_RUN } = env;
  const progress = await readProgress(env);
  for (let page = 0; page < PAGES_PER_RUN && !progress.finished; page++) {
    const startAfter = progress.after === undefined ? {} : { startAfter: progress.after };
    const { objects, truncated } = await OBJECTS.list({ prefix, limit, ...startAfter });
    for (let at = 0; at < objects.length; at += SEND_AT_ONCE)
      await QUEUE.sendBatch(
        objects.slice(at, at + SEND_AT_ONCE).map(({ key: name }) => ({ body: { name } })),
      );
    progress.after = objects.at(-1)?.key ?? progress.after;
    progress.listed += objects.length;
    progress.finished = !truncated;
    await env.STATE.put(`${env.ROTATION}/progress`, JSON.stringify(progress));
  }
}

async function readProgress({ STATE, ROTATION }) {
  const stored = await STATE.get(`${ROTATION}/progress`);
  return stored === null ? { after: undefined, listed: 0, finished: false } : stored.json();
}

async function rotateBatch({ messages }, env) {
  const counts = {};
  const queue = messages.values();
  const next = async () => {
    for (const message of queue) {
      const outcome = await rotateMessage(message, env);
      counts[outcome] = (counts[outcome] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, next));
  const customMetadata = Object.fromEntries(Object.entries(counts).map(([name, n]) => [name, String(n)]));
  await env.STATE.put(`${env.ROTATION}/batches/${crypto.randomUUID()}`, '', { customMetadata });
}

async function rotateMessage(message, env) {
  const { name } = message.body;
  try {
    const outcome = await rotateObject(r2Store(env.OBJECTS), name, jobOf(env));
    if (outcome === 'changed') message.retry();
    else message.ack();
    return outcome;
  } catch (error) {
    console.warn(`${name}: ${error}`);
    if (isLasting(error)) {
      await env.DEAD.send({ name, reason: error.code });
      message.ack();
      return 'dead';
    }
    message.retry({ delaySeconds: Math.min(env.RETRY_SECONDS * 2 ** (message.attempts - 1), 3600) });
    return 'retried';
  }
}

// What was sent here has a reason; what came by itself has been retried too often.
async function bury({ messages }, { STATE, ROTATION }) {
  for (const { body } of messages) {
    const reason = body.reason ?? 'RETRIES_USED_UP';
    await STATE.put(`${ROTATION}/dead/${body.name}`, reason, { customMetadata: { reason } });
  }
}

// Of what batches have told before they ended: `rotated` may be too few, never too many.
async function writeReport(env) {
  const report = { ...(await readProgress(env)), dead: {} };
  for await (const { customMetadata } of listed(env, 'batches/'))
    for (const [outcome, n] of Object.entries(customMetadata)) {
      if (outcome !== 'dead') report[outcome] = (report[outcome] ?? 0) + Number(n);
    }
  for await (const { customMetadata } of listed(env, 'dead/'))
    report.dead[customMetadata.reason] = (report.dead[customMetadata.reason] ?? 0) + 1;
  await env.STATE.put(`${env.ROTATION}/report.json`, JSON.stringify(report));
}

async function* listed({ STATE, ROTATION }, what) {
  let cursor;
  do {
    const page = await STATE.list({ prefix: `${ROTATION}/${what}`, include: ['customMetadata'], cursor });
    yield* page.objects;
    cursor = page.truncated ? page.cursor : undefined;
  } while (cursor !== undefined);
}
