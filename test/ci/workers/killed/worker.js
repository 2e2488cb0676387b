/**
 * The example's Worker, killed now and then: before an object is stored, when it is stored and not acknowledged, when some of a batch
 * have been acknowledged; and the producer when a page has been sent and not counted. Now and then another consumer is quicker. It
 * tells of what is stored.
 */
import { jobOf } from '../src/job.js';
import { r2Store } from '../src/r2-store.js';
import { rotateObject } from '../src/rotate-object.js';
import worker from '../src/worker.js';
import { access } from './access.js';

const KINDS = ['before-put', 'after-put', 'mid-batch', undefined];
/** Deliveries of a message that may be killed: fewer than it has. */
const MAX_KILLED = 2;
/** Puts of a batch before which another consumer is quicker. */
const OTHER_IS_QUICKER = 7;
let batches = 0;
let pages = 0;

export default {
  fetch: access,
  scheduled: (event, env, ctx) => worker.scheduled(event, { ...env, STATE: dyingState(env.STATE) }, ctx),

  async queue(batch, env, ctx) {
    if (batch.queue.endsWith('dead')) return worker.queue(batch, env, ctx);
    const mayDie = batch.messages.every(({ attempts }) => attempts <= MAX_KILLED);
    const kind = mayDie ? KINDS[batches++ % KINDS.length] : undefined;
    const at = Math.ceil(batch.messages.length / 2);
    let die;
    const killed = new Promise((_, reject) => {
      die = () => {
        console.log(`killed ${kind}`);
        reject(new Error(kind));
        return new Promise(() => {}); // nothing that follows is done
      };
    });
    const fate = { kind, at, die };
    const work = worker.queue(dyingBatch(batch, fate), { ...env, OBJECTS: dyingBucket(env, fate) }, ctx);
    await Promise.race([work, killed]);
  },
};

function dyingBatch({ queue, messages }, { kind, at, die }) {
  let acknowledged = 0;
  return {
    queue,
    messages: messages.map((message) => ({
      id: message.id,
      attempts: message.attempts,
      body: message.body,
      retry: (options) => message.retry(options),
      ack() {
        message.ack();
        if (kind === 'mid-batch' && ++acknowledged === at) die();
      },
    })),
  };
}

function dyingBucket(env, { kind, at, die }) {
  const bucket = env.OBJECTS;
  let puts = 0;
  return {
    get: (...args) => bucket.get(...args),
    list: (...args) => bucket.list(...args),
    async put(name, ...args) {
      const isLast = ++puts === at;
      if (puts % OTHER_IS_QUICKER === 0)
        console.log(`other ${await rotateObject(r2Store(bucket), name, jobOf(env))} ${name}`);
      if (isLast && kind === 'before-put') return die();
      const stored = await bucket.put(name, ...args);
      console.log(stored === null ? `refused ${name}` : `stored ${name}`);
      if (isLast && kind === 'after-put') return die();
      return stored;
    },
  };
}

function dyingState(state) {
  return {
    get: (...args) => state.get(...args),
    list: (...args) => state.list(...args),
    put(name, ...args) {
      if (name.endsWith('/progress') && ++pages === 2) throw new Error('killed before the page counts');
      return state.put(name, ...args);
    },
  };
}
