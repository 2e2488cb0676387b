/**
 * test/examples/rewrap-queue in workerd, with Queues and R2: many objects, consumers and a producer that are killed, names that come
 * twice, objects that cannot be rotated, a stop in between. In the end each object was replaced exactly once and opens under the new
 * keys alone.
 */
import { deepStrictEqual, ok, strictEqual } from 'node:assert';
import { installed } from './app.mjs';
import { startKms } from './host.mjs';
import { contextOf, eachOf, prepareBucket } from './rotation-bucket.mjs';
import { startRotation } from './rotation-host.mjs';
import { check } from './tally.mjs';

const OBJECTS = Number(process.env.ROTATION_OBJECTS ?? 900);
const PAGE_LENGTH = Math.ceil(OBJECTS / 5);

export async function checkRotation(app, folder) {
  const kms = await startKms(app);
  try {
    const keys = await makeKeys(kms);
    const start = (settings) => startRotation(app, folder, kms, keys, PAGE_LENGTH, settings);
    const first = await start({ out: 'out-killed' });
    const library = await installed(app, 'index.js');
    const bucket = await prepareBucket(first, library, keys, kms.keyringOf, OBJECTS);
    const rotation = { ...kms, keys, bucket, library, keyring: kms.keyringOf(keys.newKeys) };
    await checkStop(rotation, first);
    const second = await start({ out: 'out-killed', compatibilityFlags: ['nodejs_compat'] });
    await checkEnd(rotation, second);
    await checkResult(rotation, second, [...first.log, ...second.log].join(''));
    await second.stop();
    await checkAgain(rotation, await start({ compatibilityFlags: ['nodejs_compat'] }));
  } finally {
    await kms.kms.close();
  }
}

// KMS never answers for the unlucky one: whatever is under it is retried until it is given up.
async function makeKeys({ kms, createKeys }) {
  const [oldKey] = await createKeys();
  const [unluckyKey] = await createKeys();
  kms.setFault('us-east-1', {
    kind: 'error',
    name: 'KMSInternalException',
    operation: 'Decrypt',
    keyId: unluckyKey,
  });
  return { oldKey, unluckyKey, newKeys: await createKeys() };
}

async function checkStop({ bucket }, first) {
  await check(
    'rotation: a producer is killed when it has sent its second page, consumers are killed, all goes on',
    async () => {
      await first.cron();
      strictEqual((await first.progress()).listed, PAGE_LENGTH);
      const page = bucket.names.slice(0, PAGE_LENGTH);
      await first.until(async () => isDone(bucket, page, await first.marked(), await first.dead()));
    },
  );
  bucket.early = await first.marked();
  await first.stop(); // with its queue
}

async function checkEnd({ bucket }, second) {
  await check(
    'rotation: it goes on where it stopped, with names that come twice, and comes to an end',
    async () => {
      strictEqual((await second.progress()).listed, PAGE_LENGTH);
      for (let runs = 0; !(await second.progress()).finished; runs++) {
        ok(runs < 10);
        await second.cron();
        await second.sendAgain(bucket.names.slice(runs * 50, runs * 50 + 100));
      }
      strictEqual((await second.progress()).listed, OBJECTS);
      await second.until(async () =>
        isDone(bucket, bucket.names, await second.marked(), await second.dead()),
      );
    },
  );
}

async function checkResult({ kms, bucket, keys, keyring, library }, worker, log) {
  const stored = countBy([...log.matchAll(/^(?:stored|other rotated) (.+)$/gm)].map(([, name]) => name));
  await check('rotation: killed in every way, and others were quicker', () => {
    for (const kind of ['before-put', 'after-put', 'mid-batch']) ok(log.includes(`killed ${kind}`), kind);
    ok(/^other rotated (.+)$[\s\S]*^refused \1$/m.test(log));
  });
  await check(
    'rotation: each object was replaced once, those of the new keys and those that are wrong never',
    async () => {
      // One that was being stored when its consumer was killed is stored, and not told of.
      for (const name of bucket.names)
        ok((stored.get(name) ?? 0) <= (bucket.toRotate.has(name) ? 1 : 0), name);
      ok(stored.size > bucket.toRotate.size / 2);
      const marked = await worker.marked();
      deepStrictEqual([...marked.keys()].sort(), [...bucket.toRotate].sort());
      for (const [name, etag] of bucket.early) strictEqual(marked.get(name), etag, name);
    },
  );
  await check('rotation: each opens under the new keys alone, and is what it was', async () => {
    const names = bucket.names.filter((name) => !bucket.bad.has(name));
    const objects = await worker.get(names);
    await eachOf(names, async (name, i) => {
      const { content, httpMetadata, customMetadata } = objects[i];
      const opened = await library.decrypt(Buffer.from(content, 'base64'), { keyring });
      const { plaintext, header, authenticatedContext } = opened;
      strictEqual(Buffer.compare(plaintext, bucket.plaintextOf(name)), 0, name);
      deepStrictEqual({ ...authenticatedContext, ...contextOf(name) }, { ...authenticatedContext });
      deepStrictEqual(keysOf(header), keys.newKeys);
      deepStrictEqual(httpMetadata, { contentType: 'text/plain' });
      strictEqual(customMetadata.n, String(bucket.names.indexOf(name)));
      if (!bucket.toRotate.has(name)) return;
      strictEqual(customMetadata.message, Buffer.from(header.messageId).toString('hex'));
    });
    const isNew = ({ operation, keyId }) => operation === 'GenerateDataKey' && keyId === keys.newKeys[0];
    const generated = new Set(
      kms.requests.filter(isNew).map(({ encryptionContext }) => nameOf(encryptionContext)),
    );
    for (const name of bucket.toRotate) ok(generated.has(name), `${name} has its old data key`);
  });
  await check('rotation: what cannot be rotated is as it was, and the report says why', async () => {
    for (const [name, { etag }] of bucket.bad)
      strictEqual((await worker.objects.head(name)).etag, etag, name);
    const reasons = new Map([...bucket.bad].map(([name, { reason }]) => [name, reason]));
    deepStrictEqual(Object.fromEntries(await worker.dead()), Object.fromEntries(reasons));
    await worker.cron();
    const { listed, finished, dead, rotated, already } = await worker.report();
    deepStrictEqual([listed, finished], [OBJECTS, true]);
    deepStrictEqual(new Map(Object.entries(dead)), countBy(reasons.values()));
    ok(rotated > 0 && rotated <= bucket.toRotate.size && rotated + already >= OBJECTS / 2);
  });
}

async function checkAgain({ bucket, kms }, worker) {
  await check('rotation: begun once more, nothing is done: one read each, and no call of KMS', async () => {
    const before = kms.requests.length;
    const { already = 0 } = await worker.report();
    await worker.forgetProgress();
    do await worker.cron();
    while (!(await worker.progress()).finished);
    await worker.until(async () => {
      await worker.cron();
      return (await worker.report()).already >= already + OBJECTS - bucket.bad.size;
    });
    for (const { encryptionContext } of kms.requests.slice(before))
      ok(bucket.bad.has(nameOf(encryptionContext)), nameOf(encryptionContext));
    const marked = await worker.marked();
    for (const [name, etag] of bucket.early) strictEqual(marked.get(name), etag, name);
  });
  await worker.stop();
}

function nameOf({ tenant, name }) {
  return `${tenant}/${name}`;
}

function keysOf({ encryptedDataKeys }) {
  return encryptedDataKeys.map(({ providerInfo }) => String(Buffer.from(providerInfo)));
}

function isDone({ bad, toRotate }, names, marked, dead) {
  return names.every((name) => (bad.has(name) ? dead.has(name) : marked.has(name) || !toRotate.has(name)));
}

function countBy(values) {
  const counts = new Map();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}
