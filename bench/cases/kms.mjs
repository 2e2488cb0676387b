// Multi-region KMS keyrings against a local KMS in another process: time in KMS calls and time of the library apart.
import { deepStrictEqual, strictEqual } from 'node:assert';
import { quantile, shuffled, summarize } from '../../dist/bench/index.js';
import { decrypt, encrypt } from '../../dist/index.js';
import { awsKmsKeyring as fetchKeyring } from '../../dist/keyring/aws-kms/fetch.js';
import { awsKmsKeyring } from '../../dist/keyring/aws-kms/index.js';
import { attempt } from './attempt.mjs';
import { clientNode } from './client-node.mjs';
import { startKms, tracedClients } from './kms-process.mjs';

const REGIONS = ['us-east-1', 'eu-west-1', 'ap-northeast-1'];
const SUITE = 0x0478;
const plaintext = new Uint8Array(1024).fill(7);
const encryptionContext = { purpose: 'bench', tenant: 'acme' };
/** Before calls are traced: code is compiled meanwhile. */
const WARM_UP_MS = 200;

/** The second: what decrypting takes when the region whose key comes first in the message refuses connections. */
const WATERFALLS = [
  { name: 'waterfall', verb: 'encrypt' },
  { name: 'waterfall: decrypt, the first region down', verb: 'decrypt', fault: { kind: 'down' } },
];
const ALL = [0, 10, 50].flatMap((latency) => [1, 2, 3].map((regions) => ({ latency, regions })));
const QUICK = ALL.filter(({ latency, regions }) => latency <= 10 && regions === 3);

/** Quick: fewer regions and latencies. `dispose()` of the array ends the KMS: call it when all have run. */
export async function cases({ quick }) {
  const kms = await startKms(REGIONS);
  const libraries = librariesOf(kms);
  const list = [];
  for (const where of quick ? QUICK : ALL) {
    for (const verb of ['encrypt', 'decrypt']) list.push(oneCase(kms, libraries, { verb, ...where }, quick));
  }
  list.dispose = () => close(kms, libraries);
  return list;
}

/** One call on a time line: `spans` in milliseconds from its start, of the run whose time is the median. */
export async function rows({ quick, progress }) {
  const kms = await startKms(REGIONS);
  const libraries = librariesOf(kms);
  const rounds = quick ? 3 : 15;
  try {
    progress('kms: waterfall');
    const list = [];
    for (const what of WATERFALLS) list.push(await waterfall(kms, libraries, rounds, what));
    return list;
  } finally {
    await close(kms, libraries);
  }
}

async function close(kms, libraries) {
  for (const { clients } of libraries) clients.destroy();
  await kms.close();
}

// Each with clients of its own, and the same keyring made of the first so many regions.
function librariesOf(kms) {
  const named = (regions) => {
    const [generatorKeyId, ...keyIds] = kms.keys.slice(0, regions).map(({ arn }) => arn);
    return { generatorKeyId, keyIds };
  };
  const ours = (name, kind, keyring) => {
    const clients = tracedClients(kind, kms);
    const keyringOf = once((regions) => keyring({ ...named(regions), clientSupplier: clients.supplier }));
    const options = { algorithmSuite: SUITE, encryptionContext };
    return {
      name,
      clients,
      write: async (regions) =>
        (await encrypt(plaintext, { keyring: keyringOf(regions), ...options })).ciphertext,
      read: async (regions, message) =>
        (await decrypt(message, { keyring: keyringOf(regions), encryptionContext })).plaintext,
    };
  };
  return [
    ours('frameseal', 'sdk', awsKmsKeyring),
    ours('frameseal/aws-kms/fetch', 'fetch', fetchKeyring),
    publishedSdk(kms, named),
  ];
}

function publishedSdk(kms, named) {
  const peer = clientNode();
  const clients = tracedClients('client-node', kms);
  const keyringOf = once(
    (regions) => new peer.sdk.KmsKeyringNode({ ...named(regions), clientProvider: clients.supplier }),
  );
  return {
    name: '@aws-crypto/client-node',
    clients,
    write: (regions) => peer.encrypt(keyringOf(regions), plaintext, { suiteId: SUITE, encryptionContext }),
    read: (regions, message) => peer.decrypt(keyringOf(regions), message),
  };
}

// Keyrings are made once, as programs do.
function once(make) {
  const made = new Map();
  return (regions) => {
    if (!made.has(regions)) made.set(regions, make(regions));
    return made.get(regions);
  };
}

// `figures` is filled by `prepare`: KMS and library apart, medians of some traced calls.
function oneCase(kms, libraries, { verb, regions, latency }, quick) {
  const figures = {};
  return {
    group: 'kms',
    name: `${verb}, ${regions} region${regions > 1 ? 's' : ''}, ${latency} ms`,
    parameters: { verb, regions, latency, bytes: plaintext.length, suite: '0x0478' },
    bytes: plaintext.length,
    messages: 1,
    timing: { rounds: quick ? 3 : 15, warmUp: 0, maxTime: latency > 0 ? 1 : quick ? 20 : 50, minSamples: 5 },
    figures,
    async prepare() {
      const runs = await warmRuns(kms, libraries, verb, regions);
      await kms.setLatency(latency);
      const traces = await traceInTurn(runs, quick ? 5 : latency === 0 ? 25 : 15);
      for (const [name, list] of Object.entries(traces)) figures[name] = figuresOf(list);
      return Object.fromEntries(runs.map(({ name, run }) => [name, run]));
    },
  };
}

async function warmRuns(kms, libraries, verb, regions) {
  await kms.setLatency(0);
  const runs = await verifiedRuns(kms, libraries, verb, regions);
  for (const { run } of runs) await warmUp(run);
  return runs;
}

// Each opens what every other has written; and the KMS has seen as many calls as the trace, all of them answered.
async function verifiedRuns(kms, libraries, verb, regions) {
  const messages = [];
  for (const { write } of libraries) messages.push(await write(regions));
  for (const { read } of libraries) {
    for (const message of messages)
      deepStrictEqual(Buffer.from(await read(regions, message)), Buffer.from(plaintext));
  }
  const runs = libraries.map((library) => ({ ...library, run: runOf(library, verb, regions, messages[0]) }));
  for (const { name, clients, run } of runs) {
    let trace;
    const requests = await kms.requestsOf(async () => {
      trace = await clients.traced(run);
    });
    const expected = verb === 'encrypt' ? regions : 1;
    const counted = { traced: trace.calls, seen: requests.length };
    deepStrictEqual(counted, { traced: expected, seen: expected }, `${name}: calls of one ${verb}`);
    for (const { outcome } of requests) strictEqual(outcome, 'ok');
  }
  return runs;
}

function runOf({ write, read }, verb, regions, message) {
  return verb === 'encrypt' ? () => write(regions) : () => read(regions, message);
}

async function warmUp(run) {
  const until = performance.now() + WARM_UP_MS;
  do await run();
  while (performance.now() < until);
}

async function traceInTurn(runs, rounds) {
  const traces = Object.fromEntries(runs.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const { name, clients, run } of shuffled(runs)) traces[name].push(await clients.traced(run));
  }
  return traces;
}

function figuresOf(traces) {
  const middle = (figure) =>
    round(
      quantile(
        traces.map((trace) => trace[figure]),
        0.5,
      ),
    );
  return { calls: middle('calls'), kmsMs: middle('kmsMs'), otherMs: middle('otherMs') };
}

function waterfall(kms, libraries, rounds, { name, verb, fault }) {
  const [regions, latency] = [REGIONS.length, 50];
  const parameters = { verb, regions, latency, bytes: plaintext.length, suite: '0x0478' };
  const about = { group: 'kms', name, parameters, bytes: plaintext.length, messages: 1 };
  return attempt(about, async () => {
    const runs = await warmRuns(kms, libraries, verb, regions);
    await kms.setLatency(latency);
    if (fault !== undefined) await kms.setFault(REGIONS[0], fault);
    const traces = await traceInTurn(runs, rounds);
    const each = (map) => Object.fromEntries(Object.entries(traces).map(([key, list]) => [key, map(list)]));
    return {
      candidates: each((list) => summarize(list.map(({ totalMs }) => totalMs * 1000))),
      figures: each(figuresOf),
      spans: each(typicalSpans),
    };
  });
}

// Those of the run that took the median time.
function typicalSpans(traces) {
  const { spans } = [...traces].sort((a, b) => a.totalMs - b.totalMs)[traces.length >> 1];
  return spans.map(({ start, end, ...call }) => ({ ...call, start: round(start), end: round(end) }));
}

function round(milliseconds) {
  return Math.round(milliseconds * 100) / 100;
}
