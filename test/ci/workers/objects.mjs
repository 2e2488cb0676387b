/**
 * test/examples/worker: uploads with and without a length, downloads, ranges; objects that were altered, cut, moved to another name or
 * tenant; uploads that break off; KMS regions that are down.
 */
import { deepStrictEqual, ok, strictEqual } from 'node:assert';
import { randomBytes } from 'node:crypto';
import { installed } from './app.mjs';
import { startKms, startWorker } from './host.mjs';
import { send } from './http.mjs';
import { check } from './tally.mjs';

const MIB = 2 ** 20;
const SIZES = { 'no byte': 0, '1 byte': 1, '1 MiB': MIB, '20 MiB': 20 * MIB };
const FRAME_LENGTH = 16 * 1024;
const FRAME_OVERHEAD = 32;
const TOKENS = JSON.stringify({ a: 'tenant-a', b: 'tenant-b' });
const plaintext = randomBytes(20 * MIB);

/** Runs all with these compatibility flags; without `altered` but for objects that are not as they were stored. */
export async function checkObjects(app, compatibilityFlags, { altered = true } = {}) {
  const host = compatibilityFlags.join() || 'no flags';
  const { kms, bindings, createKeys, keyringOf } = await startKms(app);
  const keys = await createKeys();
  const settings = { compatibilityFlags, bindings: { ...bindings, KMS_KEYS: keys, TOKENS } };
  const worker = await startWorker(app, 'worker', settings);
  const bucket = await worker.miniflare.getR2Bucket('OBJECTS');
  const { decrypt, parseHeader } = await installed(app, 'index.js');
  const at = {
    kms,
    parseHeader,
    bucket,
    case: (what, test) => check(`worker, ${host}: ${what}`, test),
    put: (name, body, options) => ask(worker, name, { method: 'PUT', body, ...options }),
    get: (name, options) => ask(worker, name, options),
    open: async (key) => decrypt(await read({ bucket }, key), { keyring: keyringOf(keys) }),
  };
  try {
    await checkTransfers(at);
    await checkRanges(at);
    if (altered) await checkAltered(at);
    await checkPlaces(at);
    await checkBrokenUploads(at);
    await checkRegions(at);
  } finally {
    await worker.stop();
    await kms.close();
  }
}

function ask({ url }, name, { token = 'a', headers, ...options } = {}) {
  const authorization = token === null ? {} : { authorization: `Bearer ${token}` };
  return send(new URL(`/${name}`, url), { ...options, headers: { ...authorization, ...headers } });
}

async function checkTransfers({ case: check, put, get, open, bucket }) {
  for (const [size, length] of Object.entries(SIZES)) {
    for (const known of [true, false]) {
      await check(`${size}, ${known ? 'with' : 'without'} Content-Length`, async () => {
        const name = `sizes/${length}-${known}`;
        const bytes = plaintext.subarray(0, length);
        strictEqual((await put(name, bytes, lengthIf(known))).status, 201);
        const stored = await open(`tenant-a/${name}`);
        same(stored.plaintext, bytes);
        deepStrictEqual({ ...stored.authenticatedContext }, { tenant: 'tenant-a', name });
        strictEqual(stored.header.suiteId, 0x0478);
        strictEqual(stored.header.encryptedDataKeys.length, 2);
        strictEqual(
          (await bucket.head(`tenant-a/${name}`)).etag.includes('-'),
          !known && length > 0,
          'in parts',
        );
        const answer = await get(name);
        deepStrictEqual([answer.status, answer.whole], [200, true]);
        strictEqual(answer.headers['content-length'], String(length));
        same(answer.bytes, bytes);
      });
    }
  }
  await check('what is not there is 404', async () => {
    strictEqual((await get('nothing')).status, 404);
    strictEqual((await get('nothing', { headers: { range: 'bytes=0-1' } })).status, 404);
  });
}

async function checkRanges({ case: check, get, kms }) {
  const length = 20 * MIB;
  const ranges = {
    'bytes=0-0': [0, 1],
    'bytes=16383-16384': [16_383, 16_385],
    [`bytes=${5 * MIB + 7}-${9 * MIB}`]: [5 * MIB + 7, 9 * MIB + 1],
    [`bytes=${length - 10}-`]: [length - 10, length],
    [`bytes=${length - 10}-${2 * length}`]: [length - 10, length],
    'bytes=-100000': [length - 100_000, length],
  };
  const name = `sizes/${length}-true`;
  for (const [range, [start, end]] of Object.entries(ranges)) {
    await check(`range ${range}`, async () => {
      const answer = await get(name, { headers: { range } });
      deepStrictEqual([answer.status, answer.whole], [206, true]);
      strictEqual(answer.headers['content-range'], `bytes ${start}-${end - 1}/${length}`);
      same(answer.bytes, plaintext.subarray(start, end));
    });
  }
  await check('ranges that are not there, and ranges that are none', async () => {
    for (const range of [`bytes=${length}-`, 'bytes=-0', 'bytes=9-3'])
      strictEqual((await get(name, { headers: { range } })).status, 416, range);
    strictEqual((await get('sizes/0-true', { headers: { range: 'bytes=0-' } })).status, 416);
    for (const range of ['lines=1-2', 'bytes=0-1,5-6'])
      strictEqual((await get('sizes/1-true', { headers: { range } })).status, 200, range);
  });
  await check('ranges of one object ask KMS once', async () => {
    const before = kms.requests.length;
    for (let i = 0; i < 5; i++) await get('sizes/1048576-false', { headers: { range: `bytes=${i}-` } });
    ok(kms.requests.length - before <= 1);
  });
}

// One byte is flipped, or the end is cut off. What comes is the beginning of the plaintext, never all of it, never another byte.
async function checkAltered(at) {
  const { case: check, get, parseHeader } = at;
  for (const length of [1, MIB]) {
    const name = `sizes/${length}-true`;
    const original = await read(at, `tenant-a/${name}`);
    const { headerLength } = parseHeader(original);
    const size = original.length;
    const flips = { header: 40, 'first frame': headerLength + 20, middle: size >> 1, 'last tag': size - 1 };
    for (const [where, position] of Object.entries(flips)) {
      const altered = original.slice();
      altered[position] ^= 4;
      await check(`${length} B, a bit flipped: ${where}`, () =>
        instead(at, name, altered, async () => isBeginning(await get(name), length)),
      );
    }
    const frames = Math.floor((size - headerLength - 1) / (FRAME_LENGTH + FRAME_OVERHEAD));
    const ends = [
      size - 1,
      size - 40,
      headerLength + frames * (FRAME_LENGTH + FRAME_OVERHEAD),
      headerLength,
      9,
    ];
    for (const end of ends)
      await check(`${length} B, cut after ${end} B of ${size}`, () =>
        instead(at, name, original.subarray(0, end), async () => isBeginning(await get(name), length)),
      );
  }
  await check('ranges of an altered object: right where it is whole, and nowhere else', async () => {
    const name = `sizes/${20 * MIB}-true`;
    const altered = await read(at, `tenant-a/${name}`);
    altered[altered.length >> 1] ^= 1;
    await instead(at, name, altered, async () => {
      const before = await get(name, { headers: { range: `bytes=100-${9 * MIB}` } });
      deepStrictEqual([before.status, before.whole], [206, true]);
      same(before.bytes, plaintext.subarray(100, 9 * MIB + 1));
      const across = await get(name, { headers: { range: `bytes=${8 * MIB}-${12 * MIB}` } });
      deepStrictEqual([across.status, across.whole], [206, false]);
      same(across.bytes, plaintext.subarray(8 * MIB, 8 * MIB + across.bytes.length));
      const inside = await get(name, { headers: { range: `bytes=${10 * MIB - 8192}-${10 * MIB + 8192}` } });
      deepStrictEqual([inside.status, String(inside.bytes)], [502, 'AUTHENTICATION_FAILED\n']);
    });
  });
}

async function checkPlaces(at) {
  const { case: check, get, bucket } = at;
  await check('no token, and one of nobody', async () => {
    for (const token of [null, 'c', 'constructor'])
      strictEqual((await get('sizes/1-true', { token })).status, 401);
  });
  await check('one tenant does not see what another has', async () => {
    strictEqual((await get('sizes/1-true', { token: 'b' })).status, 404);
  });
  const moved = { 'another tenant': ['b', 'tenant-b/sizes/1-true'], 'another name': ['a', 'tenant-a/other'] };
  for (const [where, [token, key]] of Object.entries(moved)) {
    await check(`an object that was moved to ${where}`, async () => {
      await bucket.put(key, await read(at, 'tenant-a/sizes/1-true'));
      const name = key.slice(key.indexOf('/') + 1);
      for (const headers of [{}, { range: 'bytes=0-0' }]) {
        const answer = await get(name, { token, headers });
        deepStrictEqual([answer.status, String(answer.bytes)], [403, 'CONTEXT_MISMATCH\n']);
      }
    });
  }
  await check('what is no message', async () => {
    await bucket.put('tenant-a/other', 'no message');
    strictEqual((await get('other')).status, 502);
    strictEqual((await get('other', { headers: { range: 'bytes=0-0' } })).status, 502);
  });
}

async function checkBrokenUploads({ case: check, put, get, bucket }) {
  for (const known of [true, false]) {
    await check(
      `an upload ${known ? 'with' : 'without'} Content-Length that breaks off stores nothing`,
      async () => {
        const name = `broken-${known}`;
        await put(name, plaintext, { ...lengthIf(known), breakAfter: 12 * MIB });
        await put('after', plaintext.subarray(0, MIB)); // the Worker goes on
        strictEqual(await bucket.head(`tenant-a/${name}`), null);
        strictEqual((await get(name)).status, 404);
      },
    );
  }
  await check('an upload that breaks off leaves what was there', async () => {
    await put('kept', plaintext.subarray(0, 100));
    await put('kept', plaintext, { breakAfter: 10 * MIB });
    same((await get('kept')).bytes, plaintext.subarray(0, 100));
  });
}

async function checkRegions({ case: check, put, get, kms }) {
  const names = ['here', 'there', 'nowhere', 'forbidden'];
  for (const name of names) await put(`regions/${name}`, plaintext.subarray(0, 1000));
  const get1000 = async (name) => {
    const { status, bytes } = await get(`regions/${name}`);
    if (status === 200) same(bytes, plaintext.subarray(0, 1000));
    return [status, status === 200 ? '' : String(bytes)];
  };
  await check('a region is down: the next one opens, and nothing is stored with a key too few', async () => {
    kms.setFault('us-east-1', { kind: 'down' });
    deepStrictEqual(await get1000('here'), [200, '']);
    const { status, headers } = await put('regions/new', plaintext.subarray(0, 10));
    deepStrictEqual([status, headers['retry-after']], [503, '5']);
    strictEqual((await get('regions/new')).status, 404);
  });
  await check('all regions are down', async () => {
    kms.setFault('eu-west-1', { kind: 'down' });
    deepStrictEqual(await get1000('nowhere'), [503, 'NO_DATA_KEY\n']);
    deepStrictEqual(await get1000('here'), [200, ''], 'the cache has its data key');
    for (const region of ['us-east-1', 'eu-west-1']) kms.setFault(region, null);
    deepStrictEqual(await get1000('nowhere'), [200, '']);
  });
  await check('KMS refuses', async () => {
    const fault = { kind: 'error', name: 'AccessDeniedException' };
    for (const region of ['us-east-1', 'eu-west-1']) kms.setFault(region, fault);
    deepStrictEqual(await get1000('forbidden'), [403, 'NO_DATA_KEY\n']);
    for (const region of ['us-east-1', 'eu-west-1']) kms.setFault(region, null);
  });
}

function lengthIf(known) {
  return known ? {} : { length: false };
}

// The object under this name is another one for a moment.
async function instead(at, name, bytes, test) {
  const key = `tenant-a/${name}`;
  const original = await read(at, key);
  await at.bucket.put(key, bytes);
  await test().finally(() => at.bucket.put(key, original));
}

async function read({ bucket }, key) {
  return new Uint8Array(await (await bucket.get(key)).arrayBuffer());
}

function isBeginning({ status, whole, bytes }, length) {
  if (status !== 200) {
    ok([403, 502].includes(status), `status ${status}`);
    ok(/^[A-Z_]+\n$/.test(String(bytes)));
    return;
  }
  strictEqual(whole, false, 'an answer that looks whole');
  ok(bytes.length < length);
  same(bytes, plaintext.subarray(0, bytes.length));
}

function same(a, b) {
  strictEqual(Buffer.compare(a, b), 0, `other bytes: ${a.length} of ${b.length}`);
}
