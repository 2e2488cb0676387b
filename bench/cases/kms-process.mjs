// A local KMS in another process, and clients for it whose calls are traced.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { KMSClient } from '@aws-sdk/client-kms';
import { fetchKmsClient } from '../../dist/keyring/aws-kms/fetch.js';
import { clientNode } from './client-node.mjs';

/** The file of the process. */
const CHILD = fileURLToPath(new URL('kms-child.mjs', import.meta.url));

/** @returns the KMS with one key in each region; `close()` ends its process. */
export async function startKms(regions) {
  const child = fork(CHILD, regions, { execArgv: [] });
  const ended = once(child, 'exit');
  const [hello] = await Promise.race([
    once(child, 'message'),
    ended.then(([code]) => Promise.reject(endedBy(code))),
  ]);
  const ask = asker(child);
  return {
    ...hello,
    setFault: (region, fault) => ask('setFault', region, fault),
    /** The same latency in every region. */
    async setLatency(ms) {
      const fault = ms === 0 ? null : { kind: 'latency', ms };
      for (const region of regions) await ask('setFault', region, fault);
    },
    /** Runs it, and tells the requests that the KMS saw meanwhile. */
    async requestsOf(run) {
      await ask('forget');
      await run();
      return ask('requests');
    },
    async close() {
      if (child.connected) child.disconnect();
      await ended;
    },
  };
}

function asker(child) {
  const waiting = new Map();
  let last = 0;
  child.on('message', ({ id, answer }) => {
    waiting.get(id).resolve(answer);
    waiting.delete(id);
  });
  child.on('exit', (code) => {
    for (const { reject } of waiting.values()) reject(endedBy(code));
  });
  return (ask, ...args) =>
    new Promise((resolve, reject) => {
      waiting.set(++last, { resolve, reject });
      child.send({ id: last, ask, args }, (error) => error && reject(error));
    });
}

function endedBy(code) {
  return new Error(`the process of the local KMS has ended with code ${code}`);
}

/**
 * The clients of one candidate, one for each region, with a trace of their calls: each is one call of the library, with
 * what the client does in it (signing, retries, parsing). `traced(run)` answers the calls, the milliseconds with at least
 * one under way, and all the others.
 */
export function tracedClients(kind, { keys, credentials }) {
  let calls;
  const trace = (operation, region, call) => {
    if (calls === undefined) return call();
    const span = { operation, region, start: performance.now(), end: Number.NaN };
    calls.push(span);
    return call().finally(() => {
      span.end = performance.now();
    });
  };
  const made = new Map(
    keys.map(({ region, endpoint }) => [region, KINDS[kind]({ region, endpoint, credentials }, trace)]),
  );
  return {
    supplier: (region) => made.get(region),
    async traced(run) {
      const list = [];
      calls = list;
      const started = performance.now();
      await run().finally(() => {
        calls = undefined;
      });
      const totalMs = performance.now() - started;
      const spans = list.map((call) => ({ ...call, start: call.start - started, end: call.end - started }));
      const kmsMs = covered(spans);
      return { spans, calls: spans.length, totalMs, kmsMs, otherMs: totalMs - kmsMs };
    },
    destroy() {
      for (const client of made.values()) client.destroy?.();
    },
  };
}

/** How a client is made, and where its calls pass. */
const KINDS = {
  sdk: (where, trace) => tracedSdk(new KMSClient(where), where, trace),
  fetch(where, trace) {
    const client = fetchKmsClient(where);
    const through = (operation, name) => (input, options) =>
      trace(operation, where.region, () => client[name](input, options));
    return {
      generateDataKey: through('GenerateDataKey', 'generateDataKey'),
      encrypt: through('Encrypt', 'encrypt'),
      decrypt: through('Decrypt', 'decrypt'),
    };
  },
  'client-node': (where, trace) => tracedSdk(new (clientNode().sdk.KMS)(where), where, trace),
};

// The outermost step, so that retries are in it.
function tracedSdk(client, { region }, trace) {
  client.middlewareStack.add(
    (next, { commandName }) =>
      (args) =>
        trace(commandName.replace(/Command$/, ''), region, () => next(args)),
    { step: 'initialize', priority: 'high', name: 'trace' },
  );
  return client;
}

/** Milliseconds in which at least one is under way. */
function covered(spans) {
  let [sum, until] = [0, 0];
  for (const { start, end } of [...spans].sort((a, b) => a.start - b.start)) {
    sum += Math.max(0, end - Math.max(start, until));
    until = Math.max(until, end);
  }
  return sum;
}
