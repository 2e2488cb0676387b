// Six states of a region, in each of three places, for both operations and four keyrings: 144 cases.
import {
  awsKmsDiscoveryKeyring,
  awsKmsKeyring,
  awsKmsMrkDiscoveryKeyring,
  awsKmsMrkKeyring,
} from 'frameseal/aws-kms';
import { open, REGIONS, seal, sealed, TIMES, wantFailure, wantLog, wantSuccess } from './harness.mjs';

const STATES = {
  healthy: null,
  throttled: { fault: { kind: 'throttle' }, reason: /ThrottlingException/ },
  'failing with 500': {
    fault: { kind: 'error', name: 'KMSInternalException' },
    reason: /KMSInternalException/,
  },
  'a black hole': { fault: { kind: 'black-hole' }, reason: /timed out after 700 ms \(attemptTimeoutMs\)/ },
  refused: { fault: { kind: 'down' }, reason: /ECONNREFUSED|socket hang up/, unseen: true },
  'answering wrongly': { fault: { kind: 'wrong-key-id' }, reason: /the answer is of another key/ },
};
const PLACES = ['the generator', 'the second region', 'the third region'];
const FILTER = { partition: 'aws', accountIds: ['000000000000'] };

/** Each: the keyring for keys of a case, and a message that it opens first in the region of a place. */
const KEYRINGS = {
  'strict multi': async (lab) => {
    const keys = await lab.singles();
    const strict = (options) => awsKmsKeyring({ generatorKeyId: keys[0], keyIds: keys.slice(1), ...options });
    return { keys, keyring: strict, writer: strict };
  },
  MRK: async (lab) => {
    const [a, b, c] = [await lab.replicas(), await lab.replicas(), await lab.replicas()];
    const keys = [a[0], b[1], c[2]];
    const mrk =
      (generatorKeyId, ...keyIds) =>
      (options) =>
        awsKmsMrkKeyring({ generatorKeyId, keyIds, ...options });
    return { keys, keyring: mrk(...keys), writer: mrk(a[1], b[2], c[0]) };
  },
  'MRK discovery': async (lab) => {
    const keys = await lab.replicas();
    const keyring = (options) =>
      awsKmsMrkDiscoveryKeyring({ regions: REGIONS, discoveryFilter: 'any-account', ...options });
    return {
      keys,
      keyring,
      writer: (options) => awsKmsMrkKeyring({ generatorKeyId: keys[0], ...options }),
      readOnly: true,
    };
  },
  'discovery with filter': async (lab) => {
    const keys = await lab.singles();
    const keyring = (options) =>
      awsKmsDiscoveryKeyring({ regions: REGIONS, discoveryFilter: FILTER, ...options });
    const writer = (options) => awsKmsKeyring({ generatorKeyId: keys[0], keyIds: keys.slice(1), ...options });
    return { keys, keyring, writer, readOnly: true };
  },
};

export function matrix() {
  const cases = [];
  for (const [state, what] of Object.entries(STATES)) {
    for (const [at, place] of PLACES.entries()) {
      for (const [name, make] of Object.entries(KEYRINGS)) {
        const title = `${name}, ${place} ${state}`;
        cases.push({ name: `encrypt: ${title}`, run: (lab) => checkEncrypt(lab, make, at, what) });
        cases.push({ name: `decrypt: ${title}`, run: (lab) => checkDecrypt(lab, make, at, what) });
      }
    }
  }
  return cases;
}

async function checkEncrypt(lab, make, at, what) {
  const { keys, keyring, readOnly } = await make(lab);
  if (what) lab.fault(REGIONS[at], what.fault);
  const outcome = await seal(keyring({ clientSupplier: lab.supplier, ...TIMES }));
  if (readOnly) {
    const refused = outcome.error?.code === 'INVALID_ARGUMENT' && /only decrypts/.test(outcome.error.message);
    return refused ? wantLog(lab, []) : `it should not encrypt: ${outcome.error?.stack}`;
  }
  const operation = at === 0 ? 'GenerateDataKey' : 'Encrypt';
  const target = { operation, region: REGIONS[at], keyId: keys[at] };
  const wrong = what ? wantFailure(outcome, target, what.reason) : wantSuccess(outcome);
  const calls = REGIONS.map((region, i) => `${i === 0 ? 'GenerateDataKey' : 'Encrypt'} ${region}`);
  const made = what && at === 0 ? calls.slice(0, 1) : calls;
  return wrong ?? wantLog(lab, what?.unseen ? made.filter((_, i) => i !== at) : made);
}

async function checkDecrypt(lab, make, at, what) {
  const { keys, keyring, writer } = await make(lab);
  const message = await sealed(lab, writer({ clientSupplier: lab.supplier }));
  if (what) lab.fault(REGIONS[at], what.fault);
  const reader = keyring({ clientSupplier: lab.supplier, preferredRegions: [REGIONS[at]], ...TIMES });
  const wrong = wantSuccess(await open(message, reader));
  const places = what ? [at, at === 0 ? 1 : 0] : [at];
  const seen = what?.unseen ? places.slice(1) : places;
  const asked = lab.kms.requests.map(({ keyId }) => keyId).join();
  return (
    wrong ??
    wantLog(
      lab,
      seen.map((i) => `Decrypt ${REGIONS[i]}`),
    ) ??
    (asked === seen.map((i) => keys[i]).join() ? undefined : `other keys were asked for: ${asked}`)
  );
}
