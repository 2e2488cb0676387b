// Local KMSs to run cases on, and what all cases ask of an outcome.
import { DescribeKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { decrypt, encrypt, FramesealError } from 'frameseal';
import { startLocalKms } from 'frameseal/local-kms';

export const REGIONS = ['us-east-1', 'us-west-2', 'eu-west-1'];
/** Milliseconds. An attempt's is enough for a region that answers, on a machine that is busy. */
export const TIMES = { attemptTimeoutMs: 700, deadlineMs: 4000 };
export const PLAINTEXT = new TextEncoder().encode('what is to be read again');
const SUITE = { algorithmSuite: 0x0478 };

const idle = [];
const all = [];

/** A local KMS with three regions for one case at a time; keys are made anew for each. */
export class Lab {
  #clients = [];
  #wasDown = true;

  static async start() {
    const lab = new Lab();
    lab.kms = await startLocalKms({ regions: REGIONS, clientOptions: { maxAttempts: 1 } });
    all.push(lab);
    await lab.reset();
    return lab;
  }

  get supplier() {
    return this.kms.clientSupplier;
  }

  /** A client with other settings: the SDK's own three attempts, say, or other credentials. */
  client(region, config) {
    const endpoint = this.kms.regionEndpoint(region);
    const { credentials } = this.kms;
    const client = new KMSClient({ region, endpoint, credentials, maxAttempts: 1, ...config });
    this.#clients.push(client);
    return client;
  }

  /** One single-Region key in each region. */
  async singles() {
    const arns = [];
    for (const region of REGIONS) arns.push((await this.kms.createKey({ region })).arn);
    return arns;
  }

  /** A multi-Region key by the ARNs of its replicas, one in each region. */
  async replicas() {
    const { arn } = await this.kms.createKey({ region: REGIONS[0], multiRegion: true });
    const arns = [arn];
    for (const region of REGIONS.slice(1)) arns.push((await this.kms.replicateKey({ arn, region })).arn);
    return arns;
  }

  /** The calls so far, in the order of their arrival. */
  get log() {
    return this.kms.requests.map(({ operation, region }) => `${operation} ${region}`);
  }

  forget() {
    this.kms.requests.length = 0;
  }

  fault(region, fault) {
    this.kms.setFault(region, fault);
    if (['down', 'flapping'].includes(fault?.kind)) this.#wasDown = true;
  }

  async reset() {
    for (const region of REGIONS) this.kms.setFault(region, null);
    for (const client of this.#clients.splice(0)) client.destroy();
    if (this.#wasDown) await this.#connect();
    this.#wasDown = false;
    this.forget();
  }

  // The first call of a client loads and connects, which takes longer than an attempt here may; and a port that was closed
  // takes a moment to open.
  async #connect() {
    for (const [i, arn] of (await this.singles()).entries()) {
      const client = await this.supplier(REGIONS[i]);
      const call = () => client.send(new DescribeKeyCommand({ KeyId: arn }));
      await call().catch(() => new Promise((resolve) => setTimeout(resolve, 50)).then(call));
    }
  }
}

/** Runs cases side by side. Each one says what is wrong, or nothing. Answers those that say something, or throw. */
export async function runAll(cases, atOnce) {
  const queue = [...cases];
  const wrong = [];
  const work = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const lab = idle.pop() ?? (await Lab.start());
      const reason = await next.run(lab).catch((error) => error.stack ?? String(error));
      if (reason !== undefined) wrong.push({ name: next.name, reason });
      await lab.reset();
      idle.push(lab);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return wrong;
}

export async function closeLabs() {
  await Promise.all(all.map(({ kms }) => kms.close()));
}

/** A message under a keyring, or the error; and how long it took. */
export function seal(keyring, options = {}) {
  return timed(encrypt(PLAINTEXT, { ...SUITE, encryptionContext: { tenant: 'a' }, keyring, ...options }));
}

/** The plaintext of a message, or the error; and how long it took. */
export function open(ciphertext, keyring, options = {}) {
  return timed(decrypt(ciphertext, { keyring, ...options }));
}

async function timed(work) {
  const started = performance.now();
  const outcome = await work.then(
    (result) => ({ result }),
    (error) => ({ error }),
  );
  return { ...outcome, milliseconds: performance.now() - started };
}

/** A message that opens wherever there is one of these keys, made without any fault. */
export async function sealed(lab, keyring) {
  const { result, error } = await seal(keyring);
  if (error) throw error;
  lab.forget();
  return result.ciphertext;
}

/** What is wrong with an outcome that should be the plaintext, or a message, in time. */
export function wantSuccess({ result, error, milliseconds }, deadlineMs = TIMES.deadlineMs) {
  if (error) return `failed: ${error.stack}`;
  if (result.plaintext && !Buffer.from(result.plaintext).equals(PLAINTEXT)) return 'another plaintext';
  return inTime(milliseconds, deadlineMs);
}

/** What is wrong with an outcome that should be an error about this call, in time. */
export function wantFailure({ error, milliseconds }, target, reason, deadlineMs = TIMES.deadlineMs) {
  if (error === undefined) return 'it should have failed';
  if (!(error instanceof FramesealError)) return `an error of another class: ${error.stack}`;
  const { operation, region, keyId } = target;
  const told = `KMS ${operation} in ${region} for ${keyId}`;
  const text = operation === 'Decrypt' ? error.attempts.map((one) => one.reason).join('\n') : error.message;
  if (!text.includes(told)) return `it does not say "${told}": ${error.message}`;
  if (!reason.test(text)) return `it does not say ${reason}: ${text}`;
  if (operation === 'Decrypt' && error.code !== 'NO_DATA_KEY') return `its code is ${error.code}`;
  if (operation !== 'Decrypt') {
    const wrong = ['operation', 'region', 'keyId'].find((name) => error[name] !== target[name]);
    if (wrong) return `its ${wrong} is ${error[wrong]}`;
    if (!['KMS_FAILED', 'TIMEOUT'].includes(error.code)) return `its code is ${error.code}`;
  }
  return inTime(milliseconds, deadlineMs);
}

/** What is wrong with the calls that were made. Calls that are made side by side are sorted. */
export function wantLog(lab, expected) {
  const made = lab.log;
  const sorted = (calls) => {
    const first = calls.findIndex((call) => call.startsWith('Encrypt '));
    return first < 0 ? calls : [...calls.slice(0, first), ...calls.slice(first).sort()];
  };
  const [is, should] = [sorted(made), sorted(expected)].map((calls) => calls.join(', '));
  return is === should ? undefined : `calls: ${is || 'none'}; expected: ${should || 'none'}`;
}

function inTime(milliseconds, deadlineMs) {
  const limit = deadlineMs * 1.1 + 1000; // machines are shared
  return milliseconds <= limit ? undefined : `took ${milliseconds.toFixed(0)} ms of ${limit.toFixed(0)}`;
}
