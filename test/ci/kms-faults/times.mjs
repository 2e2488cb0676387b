// What keyrings do with their time: calls side by side, one attempt for a region that does not answer, deadlines, hedges and
// quorums. By the log of requests; the clock decides only over deadlines.
import {
  awsKmsDiscoveryKeyring,
  awsKmsKeyring,
  awsKmsMrkDiscoveryKeyring,
  awsKmsMrkKeyring,
} from 'frameseal/aws-kms';
import { open, REGIONS, seal, sealed, TIMES, wantLog, wantSuccess } from './harness.mjs';

const LATENCY = 150;
const QUORUM = { quorum: { atLeast: 2 } };
const OUT_OF_REACH = {
  'a black hole': { kind: 'black-hole' },
  refused: { kind: 'down' },
  throttled: { kind: 'throttle' },
  'failing with 503': { kind: 'error', name: 'DependencyTimeoutException' },
};

export function times() {
  return [
    { name: 'encrypt takes two round trips for three regions', run: twoRoundTrips },
    { name: 'with a quorum too', run: (lab) => twoRoundTrips(lab, QUORUM) },
    ...['strict', 'MRK', 'discovery', 'MRK discovery'].flatMap((name) => [
      { name: `${name}: one attempt for a region that does not answer`, run: (lab) => oneAttempt(lab, name) },
      { name: `${name}: the deadline bounds the whole`, run: (lab) => deadline(lab, name) },
    ]),
    { name: 'a hedge wins', run: hedge },
    ...Object.entries(OUT_OF_REACH).flatMap(([state, fault]) =>
      REGIONS.map((_, at) => ({
        name: `a quorum of two with region ${at + 1} ${state}`,
        run: (lab) => quorum(lab, fault, at),
      })),
    ),
  ];
}

async function twoRoundTrips(lab, options = {}) {
  const keys = await lab.singles();
  for (const region of REGIONS) lab.fault(region, { kind: 'latency', ms: LATENCY });
  const keyring = awsKmsKeyring({
    generatorKeyId: keys[0],
    keyIds: keys.slice(1),
    clientSupplier: lab.supplier,
    ...options,
  });
  const wrong = wantSuccess(await seal(keyring));
  const [first, ...others] = lab.kms.requests;
  const after = others.every(({ startedAt }) => startedAt >= first.endedAt);
  const sideBySide =
    Math.max(...others.map(({ startedAt }) => startedAt)) < Math.min(...others.map(({ endedAt }) => endedAt));
  return wrong ?? (after && sideBySide && others.length === 2 ? undefined : 'the calls are not side by side');
}

async function makeReader(lab, name, options) {
  const isMrk = name.startsWith('MRK');
  const keys = isMrk ? [(await lab.replicas())[0], (await lab.replicas())[1]] : await lab.singles();
  const all = { clientSupplier: lab.supplier, ...TIMES, ...options };
  const writer = awsKmsKeyring({
    generatorKeyId: keys[0],
    keyIds: keys.slice(1),
    clientSupplier: lab.supplier,
  });
  const filter = { regions: REGIONS, discoveryFilter: 'any-account' };
  const reader = {
    strict: () => awsKmsKeyring({ keyIds: keys, ...all }),
    MRK: () => awsKmsMrkKeyring({ keyIds: keys, ...all }),
    discovery: () => awsKmsDiscoveryKeyring({ ...filter, ...all }),
    'MRK discovery': () => awsKmsMrkDiscoveryKeyring({ ...filter, ...all }),
  }[name]();
  return { keys, reader, message: await sealed(lab, writer) };
}

async function oneAttempt(lab, name) {
  const { reader, message } = await makeReader(lab, name);
  lab.fault(REGIONS[0], { kind: 'black-hole' });
  const outcome = await open(message, reader);
  return wantSuccess(outcome) ?? wantLog(lab, [`Decrypt ${REGIONS[0]}`, `Decrypt ${REGIONS[1]}`]);
}

async function deadline(lab, name) {
  const options = { attemptTimeoutMs: 400, deadlineMs: 1000 };
  const { reader, message } = await makeReader(lab, name, options);
  for (const region of REGIONS) lab.fault(region, { kind: 'black-hole' });
  const { error, milliseconds } = await open(message, reader);
  if (error?.code !== 'NO_DATA_KEY') return `it should have failed: ${error?.stack}`;
  if (milliseconds > options.deadlineMs * 1.1 + 1000)
    return `took ${milliseconds.toFixed(0)} ms of ${options.deadlineMs}`;
  return error.attempts.some(({ reason }) => /attemptTimeoutMs/.test(reason)) ? undefined : error.message;
}

async function hedge(lab) {
  const { reader, message } = await makeReader(lab, 'strict', { attemptTimeoutMs: 3000, hedgeAfterMs: 200 });
  lab.fault(REGIONS[0], { kind: 'black-hole' });
  const outcome = await open(message, reader);
  const wrong = wantSuccess(outcome) ?? wantLog(lab, [`Decrypt ${REGIONS[0]}`, `Decrypt ${REGIONS[1]}`]);
  if (wrong) return wrong;
  for (let i = 0; i < 50 && lab.kms.requests[0].endedAt === undefined; i++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return lab.kms.requests[0].endedAt === undefined ? 'the loser was not cut off' : undefined;
}

async function quorum(lab, fault, at) {
  const keys = await lab.singles();
  const keyring = awsKmsKeyring({
    generatorKeyId: keys[0],
    keyIds: keys.slice(1),
    clientSupplier: lab.supplier,
    ...TIMES,
    ...QUORUM,
  });
  lab.fault(REGIONS[at], fault);
  const outcome = await seal(keyring);
  const wrong = wantSuccess(outcome);
  if (wrong) return wrong;
  const missing = outcome.result.missingKeys.map(({ keyId, region }) => `${keyId} ${region}`).join();
  if (missing !== `${keys[at]} ${REGIONS[at]}`) return `missing: ${missing}`;
  const reader = awsKmsKeyring({ keyIds: keys, clientSupplier: lab.supplier, ...TIMES });
  lab.forget();
  const opened = await open(outcome.result.ciphertext, reader);
  return wantSuccess(opened) ?? wantLog(lab, [`Decrypt ${REGIONS[at === 0 ? 1 : 0]}`]);
}
