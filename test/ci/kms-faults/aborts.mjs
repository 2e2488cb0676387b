// The caller's signal, at every state: it ends the call at once, and with it every request, timer and back-off.
import { awsKmsDiscoveryKeyring, awsKmsKeyring, awsKmsMrkKeyring } from 'frameseal/aws-kms';
import { open, REGIONS, seal, sealed } from './harness.mjs';

const SETTLES_WITHIN_MS = 1000; // some 10 as a rule; machines are shared
const EVERYWHERE = (fault) => (lab) => {
  for (const region of REGIONS) lab.fault(region, fault);
};

const STATES = {
  'before the first call': { before: true, set: () => {} },
  'while KMS does not answer': { set: EVERYWHERE({ kind: 'black-hole' }) },
  'while the answer hangs in its body': { set: EVERYWHERE({ kind: 'hang-body' }) },
  'while KMS is slow': { set: EVERYWHERE({ kind: 'latency', ms: 5000 }) },
  'in the SDK’s back-off': { set: EVERYWHERE({ kind: 'throttle' }), attempts: 3 },
  'while the client is awaited': { set: () => {}, supply: () => new Promise(() => {}) },
};

export function aborts() {
  const cases = [];
  for (const [name, state] of Object.entries(STATES)) {
    cases.push({ name: `encrypt, ${name}`, run: (lab) => check(lab, state, encryption) });
    cases.push({ name: `decrypt, ${name}`, run: (lab) => check(lab, state, decryption(strict)) });
    cases.push({
      name: `decrypt with a hedge, ${name}`,
      run: (lab) => check(lab, state, decryption(hedged)),
    });
    cases.push({
      name: `decrypt by discovery, ${name}`,
      run: (lab) => check(lab, state, decryption(discovery)),
    });
  }
  const behind = {
    set: (lab) => {
      for (const region of REGIONS) lab.fault(region, { kind: 'black-hole', operation: 'Encrypt' });
    },
  };
  cases.push({ name: 'encrypt, after the data key', run: (lab) => check(lab, behind, encryption) });
  return cases;
}

async function check(lab, { before, set, attempts = 1, supply }, prepare) {
  const clientSupplier = supply ?? ((region) => lab.client(region, { maxAttempts: attempts }));
  const run = await prepare(lab, clientSupplier);
  set(lab);
  const controller = new AbortController();
  if (before) controller.abort('enough');
  const running = run(controller.signal);
  if (!before) {
    await new Promise((resolve) => setTimeout(resolve, 150));
    controller.abort('enough');
  }
  const aborted = performance.now();
  const { error } = await running;
  const took = performance.now() - aborted;
  if (error?.code !== 'ABORTED' || error.cause !== 'enough') return `not aborted: ${error?.stack}`;
  if (took > SETTLES_WITHIN_MS) return `settled after ${took.toFixed(0)} ms`;
  const made = lab.log.length;
  await new Promise((resolve) => setTimeout(resolve, 50));
  if (lab.log.length !== made) return 'a call was made after the abort';
  const hanging = lab.kms.requests.filter(({ endedAt }) => endedAt === undefined);
  return hanging.length > 0 ? `${hanging.length} requests were not cut off` : undefined;
}

async function encryption(lab, clientSupplier) {
  const keys = await lab.singles();
  const keyring = awsKmsKeyring({ generatorKeyId: keys[0], keyIds: keys.slice(1), clientSupplier });
  return (signal) => seal(keyring, { signal });
}

function decryption(makeReader) {
  return async (lab, clientSupplier) => {
    const keys = await lab.singles();
    const writer = awsKmsKeyring({
      generatorKeyId: keys[0],
      keyIds: keys.slice(1),
      clientSupplier: lab.supplier,
    });
    const message = await sealed(lab, writer);
    const reader = makeReader(keys, clientSupplier);
    return (signal) => open(message, reader, { signal });
  };
}

const strict = (keyIds, clientSupplier) => awsKmsMrkKeyring({ keyIds, clientSupplier });
const hedged = (keyIds, clientSupplier) => awsKmsKeyring({ keyIds, clientSupplier, hedgeAfterMs: 20 });
const discovery = (_, clientSupplier) =>
  awsKmsDiscoveryKeyring({ regions: REGIONS, discoveryFilter: 'any-account', clientSupplier });
