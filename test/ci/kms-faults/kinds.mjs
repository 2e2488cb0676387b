// Kinds of faults, each for one key alone, for several, for multi-Region keys and for discovery. One region of two has the
// fault: what is encrypted fails and names it, what is decrypted opens through the other one.
import { CreateGrantCommand } from '@aws-sdk/client-kms';
import { awsKmsDiscoveryKeyring, awsKmsKeyring, awsKmsMrkKeyring } from 'frameseal/aws-kms';
import { open, REGIONS, seal, sealed, TIMES, wantFailure, wantSuccess } from './harness.mjs';

const SERVES = 'serves';
const TIMED_OUT = /timed out after 700 ms \(attemptTimeoutMs\)/;
const REFUSED = /ECONNREFUSED|socket hang up/;
const BROKEN = /broke off|ECONNRESET|socket hang up|aborted/;
/** The SDK's own three attempts take a second or two. */
const PATIENT = { attemptTimeoutMs: 6000, deadlineMs: 8000 };

/** A fault of the region, and what an error says, or that it serves all the same; by operation if that makes a difference. */
const region = (name, fault, every, more = {}) => ({ name, fault, every, ...more });
const error = (name, status) =>
  region(`${name}${status ? ` (${status})` : ''}`, { kind: 'error', name, status }, new RegExp(name));

const KINDS = [
  region('throttled for good', { kind: 'throttle' }, /ThrottlingException: Rate exceeded/),
  region('throttled once, with the SDK’s retries', { kind: 'throttle', times: 1 }, SERVES, { attempts: 3 }),
  region('throttled for good, with the SDK’s retries', { kind: 'throttle' }, /ThrottlingException/, {
    attempts: 3,
  }),
  region(
    'failing with 500 twice, with the SDK’s retries',
    { kind: 'error', name: 'KMSInternalException', times: 2 },
    SERVES,
    { attempts: 3 },
  ),
  error('KMSInternalException', 500),
  error('KMSInternalException', 400),
  error('KeyUnavailableException', 500),
  error('DependencyTimeoutException', 503),
  error('AccessDeniedException', 400),
  error('DisabledException', 400),
  error('KMSInvalidStateException', 400),
  error('NotFoundException', 400),
  error('InvalidKeyUsageException', 400),
  error('IncorrectKeyException', 400),
  error('InvalidCiphertextException', 400),
  error('LimitExceededException', 400),
  error('InvalidGrantTokenException', 400),
  error('ValidationException', 400),
  error('UnrecognizedClientException', 400),
  region(
    'an error without a name that is known',
    { kind: 'error', name: 'NobodyKnowsException', status: 418 },
    /NobodyKnows/,
  ),
  region('a key disabled meanwhile', { kind: 'disable-key' }, /DisabledException/),
  region('a key deleted meanwhile', { kind: 'delete-key' }, /KMSInvalidStateException|pending deletion/),
  region('expired credentials', { kind: 'expired-credentials' }, /ExpiredTokenException/),
  region('a clock ten minutes ahead', { kind: 'clock-skew', skewMs: 600_000 }, /InvalidSignatureException/, {
    attempts: 1,
  }),
  region(
    'a clock ten minutes ahead, with the SDK’s retries',
    { kind: 'clock-skew', skewMs: 600_000 },
    SERVES,
    { attempts: 3 },
  ),
  region(
    'a clock ten minutes behind',
    { kind: 'clock-skew', skewMs: -600_000 },
    /InvalidSignatureException/,
    { attempts: 1 },
  ),
  region('no answer', { kind: 'black-hole' }, TIMED_OUT),
  region('done, but no answer', { kind: 'hang-headers' }, TIMED_OUT),
  region('half an answer, then nothing', { kind: 'hang-body' }, TIMED_OUT),
  region('5 seconds late', { kind: 'latency', ms: 5000 }, TIMED_OUT),
  region('a little late', { kind: 'latency', ms: 60 }, SERVES),
  region('late at times', { kind: 'latency', percentiles: { 50: 10, 100: 120 }, seed: 'a' }, SERVES),
  region('a reset', { kind: 'reset' }, BROKEN),
  region('a reset once, with the SDK’s retries', { kind: 'reset', times: 1 }, SERVES, { attempts: 3 }),
  region('half an answer, then cut', { kind: 'truncate' }, BROKEN),
  region('a length that is too short', { kind: 'wrong-content-length' }, /./),
  region('a closed port', { kind: 'down' }, REFUSED),
  region(
    'a port that opens after a while, with the SDK’s retries',
    { kind: 'flapping', downMs: 20, upMs: 60_000 },
    'either',
    { attempts: 3 },
  ),
  region('garbage with 200', { kind: 'garbage' }, /the answer is none that the client can read/),
  region('HTML with 503', { kind: 'html' }, /the answer is none that the client can read \(HTTP 503\)/),
  region('an answer of another key', { kind: 'wrong-key-id' }, /the answer is of another key/),
  region('an empty blob', { kind: 'empty-blob' }, undefined, {
    GenerateDataKey: /no CiphertextBlob/,
    Encrypt: /no CiphertextBlob/,
    Decrypt: SERVES,
  }),
  region('no blob', { kind: 'missing-blob' }, undefined, {
    GenerateDataKey: /no CiphertextBlob/,
    Encrypt: /no CiphertextBlob/,
    Decrypt: SERVES,
  }),
  region('a plaintext that is too short', { kind: 'wrong-length' }, undefined, {
    GenerateDataKey: /31 bytes; expected 32/,
    Encrypt: SERVES,
    Decrypt: /31 bytes; expected 32/,
  }),
  region('no plaintext', { kind: 'missing-plaintext' }, undefined, {
    GenerateDataKey: /no Plaintext/,
    Encrypt: SERVES,
    Decrypt: /no Plaintext/,
  }),
  {
    name: 'a blob of another key since it was written',
    writeFault: { kind: 'blob-swap' },
    Decrypt: /IncorrectKeyException|InvalidCiphertextException/,
  },
  {
    name: 'blobs swapped between entries',
    edks: ([a, b]) => [
      { ...a, ciphertext: b.ciphertext },
      { ...b, ciphertext: a.ciphertext },
    ],
    Decrypt: /IncorrectKeyException|InvalidCiphertextException/,
    fatal: true,
  },
  {
    name: 'a blob cut in half',
    edks: ([a, b]) => [{ ...a, ciphertext: a.ciphertext.slice(0, a.ciphertext.length / 2) }, b],
    Decrypt: /InvalidCiphertextException|AccessDeniedException/,
  },
  {
    name: 'a blob with a flipped bit',
    edks: ([a, b]) => [{ ...a, ciphertext: a.ciphertext.map((byte, i) => (i === 90 ? byte ^ 1 : byte)) }, b],
    Decrypt: /InvalidCiphertextException|AccessDeniedException|IncorrectKeyException/,
  },
  {
    name: 'an empty entry',
    edks: ([a, b]) => [{ ...a, ciphertext: new Uint8Array() }, b],
    Decrypt: /Exception/,
  },
  {
    name: 'another encryption context',
    materials: (materials) => ({ ...materials, encryptionContext: { tenant: 'b' } }),
    Decrypt: /InvalidCiphertextException/,
    fatal: true,
  },
  client('a client of another region', (lab, { far }) => lab.supplier(far), /NotFoundException/),
  client('a supplier that refuses', () => undefined, /refuses this region/),
  client('a supplier that throws', () => Promise.reject(new Error('no route')), /no route/),
  client('a supplier that never answers', () => new Promise(() => {}), TIMED_OUT),
  client('a supplier that answers something else', () => ({}), /neither a KMSClient nor a KmsApi/),
  client(
    'wrong credentials',
    (lab, { near }) => lab.client(near, { credentials: { accessKeyId: 'AKIDNOBODY', secretAccessKey: 'x' } }),
    /UnrecognizedClientException/,
  ),
  client(
    'a wrong secret',
    (lab, { near }) => lab.client(near, { credentials: { ...lab.kms.credentials, secretAccessKey: 'x' } }),
    /InvalidSignatureException/,
  ),
  client(
    'credentials that cannot be had',
    (lab, { near }) => lab.client(near, { credentials: () => Promise.reject(new Error('no profile')) }),
    /no profile/,
  ),
  client(
    'temporary credentials that have expired',
    (lab, { near }) => {
      const { expiration: _, ...credentials } = lab.kms.issueCredentials({ lifetimeMs: 1 });
      return new Promise((resolve) => setTimeout(resolve, 5, lab.client(near, { credentials })));
    },
    /ExpiredTokenException/,
  ),
  client('a user without a grant', (lab, { near }) => lab.client(near, asUser(lab)), /AccessDeniedException/),
  {
    ...client('a user with a grant', (lab, { near }) => lab.client(near, asUser(lab)), SERVES),
    before: grant,
  },
  {
    ...client(
      'a user whose grant is revoked meanwhile',
      (lab, { near }) => lab.client(near, asUser(lab)),
      /AccessDeniedException/,
    ),
    before: grant,
    fault: { kind: 'revoke-grants' },
  },
];

function client(name, supply, every) {
  return { name, supply, every };
}

function asUser(lab) {
  return { credentials: lab.kms.issueCredentials({ principal: 'user/app' }) };
}

async function grant(lab, { near, keyId }) {
  const command = new CreateGrantCommand({
    KeyId: keyId,
    GranteePrincipal: 'arn:aws:iam::000000000000:user/app',
    Operations: ['GenerateDataKey', 'Encrypt', 'Decrypt'],
  });
  await (await lab.supplier(near)).send(command);
}

/** Keys in two regions, and keyrings over them. */
const KEYRINGS = {
  strict: { encrypts: 'GenerateDataKey', alone: true, keys: singles, keyring: awsKmsKeyring },
  multi: { encrypts: 'Encrypt', keys: singles, keyring: awsKmsKeyring },
  MRK: { encrypts: 'Encrypt', keys: replicas, keyring: awsKmsMrkKeyring },
  discovery: {
    keys: singles,
    keyring: ({ generatorKeyId: _, keyIds: __, ...options }) =>
      awsKmsDiscoveryKeyring({ regions: REGIONS, discoveryFilter: 'any-account', ...options }),
  },
};

export function kinds() {
  const cases = [];
  for (const kind of KINDS) {
    for (const [name, ring] of Object.entries(KEYRINGS)) {
      const title = `${name}: ${kind.name}`;
      if (ring.encrypts && expected(kind, ring.encrypts)) {
        cases.push({ name: `encrypt with ${title}`, run: (lab) => checkEncrypt(lab, kind, ring) });
      }
      cases.push({ name: `decrypt with ${title}`, run: (lab) => checkDecrypt(lab, kind, ring) });
    }
  }
  return cases;
}

async function checkEncrypt(lab, kind, ring) {
  const keys = await ring.keys(lab);
  const at = ring.alone ? 0 : 1;
  const place = { near: REGIONS[at], far: REGIONS[2], keyId: keys[at] };
  const keyring = ring.keyring({
    generatorKeyId: keys[0],
    keyIds: ring.alone ? [] : keys.slice(1),
    clientSupplier: supplier(lab, kind, place),
    ...timesOf(kind),
  });
  await prepare(lab, kind, place);
  const target = { operation: ring.encrypts, region: place.near, keyId: place.keyId };
  return judge(await seal(keyring), expected(kind, ring.encrypts), target, kind);
}

async function checkDecrypt(lab, kind, ring) {
  const keys = await ring.keys(lab);
  const place = { near: REGIONS[0], far: REGIONS[2], keyId: keys[0] };
  if (kind.writeFault) {
    await lab.kms.createKey({ region: place.near });
    lab.fault(place.near, kind.writeFault);
  }
  const writer = awsKmsKeyring({
    generatorKeyId: keys[0],
    keyIds: keys.slice(1),
    clientSupplier: lab.supplier,
  });
  const message = await sealed(lab, writer);
  lab.fault(place.near, null);
  const reader = ring.keyring({
    keyIds: ring.alone ? keys.slice(0, 1) : keys,
    clientSupplier: supplier(lab, kind, place),
    ...timesOf(kind),
  });
  await prepare(lab, kind, place);
  const outcome = await open(message, changing(reader, kind));
  const fails = ring.alone || kind.fatal;
  const target = { operation: 'Decrypt', region: place.near, keyId: place.keyId };
  return judge(outcome, fails ? expected(kind, 'Decrypt') : SERVES, target, kind);
}

function judge(outcome, expectation, target, kind) {
  const { deadlineMs } = timesOf(kind);
  if (expectation === SERVES) return wantSuccess(outcome, deadlineMs);
  if (expectation === 'either' && outcome.error === undefined) return wantSuccess(outcome, deadlineMs);
  return wantFailure(outcome, target, expectation === 'either' ? /./ : expectation, deadlineMs);
}

function expected(kind, operation) {
  return kind[operation] ?? kind.every;
}

function timesOf({ attempts }) {
  return attempts ? PATIENT : TIMES;
}

function supplier(lab, { supply, attempts }, place) {
  return (region) => {
    if (supply && region === place.near) return supply(lab, place);
    return attempts ? lab.client(region, { maxAttempts: attempts }) : lab.supplier(region);
  };
}

async function prepare(lab, { before, fault }, place) {
  await before?.(lab, place);
  if (fault) lab.fault(place.near, fault);
}

// What a message or its reader gets wrong, as the keyring sees it.
function changing(keyring, { edks = (list) => list, materials = (same) => same }) {
  return {
    onEncrypt: keyring.onEncrypt,
    onDecrypt: (given, list, options) => keyring.onDecrypt(materials(given), edks(list), options),
  };
}

async function singles(lab) {
  return (await lab.singles()).slice(0, 2);
}

async function replicas(lab) {
  const [a, b] = [await lab.replicas(), await lab.replicas()];
  return [a[0], b[1]];
}
