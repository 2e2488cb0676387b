// Thousands of signed messages in a small heap, in one shot and streamed. A call of node:crypto that holds a key's lock while
// it makes JavaScript values may be interrupted by a garbage collection that waits for the same lock: then the whole
// process stands still for ever. A collection every few messages makes what is rare elsewhere certain here. Run on dist.

import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { decrypt, decryptStream, encrypt, encryptStream, rawAesKeyring } from '../../../dist/index.js';

const MESSAGES = 3000;
/** So long without a message: the child stands still. */
const STILL_MS = 60_000;
const POLICY = { commitmentPolicy: 'FORBID_ENCRYPT_ALLOW_DECRYPT' };
const keyring = rawAesKeyring({ keyNamespace: 'n', keyName: 'k', wrappingKey: new Uint8Array(32).fill(7) });

// Signs again: what a stream does of long messages, and of the one signature in some hundreds that misses its length.
const long = new Uint8Array(5 * 2 ** 20);
const CASES = {
  'one shot, P-384': { count: MESSAGES, work: () => oneShot({}) },
  'one shot, P-256': { count: MESSAGES, work: () => oneShot({ algorithmSuite: 0x0214, ...POLICY }) },
  'streamed, P-384': { count: MESSAGES, work: () => streamed(new Uint8Array(10), {}) },
  'streamed, P-256': {
    count: MESSAGES,
    work: () => streamed(new Uint8Array(10), { algorithmSuite: 0x0214, ...POLICY }),
  },
  'streamed, 5 MiB': { count: 100, work: () => streamed(long, { frameLength: 2 ** 20 }) },
};

if (process.send) await child(process.argv[2]);
else await parent();

async function parent() {
  let failed = 0;
  for (const name of Object.keys(CASES)) {
    const done = await inChild(name);
    const good = done === CASES[name].count;
    if (!good) failed++;
    console.log(
      `${good ? 'ok' : 'FAILED'}: ${name}: ${done} of ${CASES[name].count} messages${good ? '' : ', then nothing'}`,
    );
  }
  console.log(`${Object.keys(CASES).length - failed} passed, ${failed} failed`);
  process.exitCode = failed > 0 ? 1 : 0;
}

function inChild(name) {
  return new Promise((resolve) => {
    const child = fork(fileURLToPath(import.meta.url), [name], { execArgv: ['--max-semi-space-size=1'] });
    let done = 0;
    const kill = () => child.kill('SIGKILL');
    let still = setTimeout(kill, STILL_MS);
    child.on('message', (count) => {
      done = count;
      clearTimeout(still);
      still = setTimeout(kill, STILL_MS);
    });
    child.on('exit', () => {
      clearTimeout(still);
      resolve(done);
    });
  });
}

async function child(name) {
  const { count, work } = CASES[name];
  for (let done = 1; done <= count; done++) {
    await work();
    if (done % 10 === 0) await new Promise((sent) => process.send(done, sent));
  }
  process.disconnect();
}

async function oneShot(options) {
  const { ciphertext } = await encrypt(new Uint8Array(10), { keyring, ...options });
  const { plaintext } = await decrypt(ciphertext, { keyring, ...(options.algorithmSuite && POLICY) });
  if (plaintext.length !== 10) throw new Error('another plaintext');
}

async function streamed(input, options) {
  const chain = new Blob([input])
    .stream()
    .pipeThrough(encryptStream({ keyring, ...options }))
    .pipeThrough(decryptStream({ keyring, ...(options.algorithmSuite && POLICY) }));
  let length = 0;
  for await (const piece of chain) length += piece.length;
  if (length !== input.length) throw new Error('another plaintext');
}
