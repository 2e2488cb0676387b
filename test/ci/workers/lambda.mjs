/** test/examples/rewrap-queue as a Lambda function for S3 Batch Operations: events as they are documented, S3 in memory. */
import { deepStrictEqual, ok, strictEqual } from 'node:assert';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { installed } from './app.mjs';
import { REGIONS, startKms } from './host.mjs';
import { GetObjectCommand, MemoryS3, PutObjectCommand, s3Error } from './memory-s3.mjs';
import { contextOf } from './rotation-bucket.mjs';
import { check } from './tally.mjs';

const EVENT = {
  invocationSchemaVersion: '2.0',
  invocationId: 'YXNkbGZqYWRmaiBhc2RmdW9hZHNmZGpmaGFzbGtkaGZza2RmaAo',
  job: { id: 'f3cc4f60-61f6-4a2b-8a21-d07600c373ce', userArguments: { ticket: '17' } },
  tasks: [{ taskId: 'dGFza2lkZ29lc2hlcmUK', s3Key: '', s3VersionId: null, s3Bucket: 'archive' }],
};
const EVENT_1 = {
  invocationSchemaVersion: '1.0',
  invocationId: EVENT.invocationId,
  job: { id: EVENT.job.id },
  tasks: [
    { taskId: 'dGFza2lkZ29lc2hlcmUK', s3Key: '', s3VersionId: '1', s3BucketArn: 'arn:aws:s3:::archive' },
  ],
};
/** Longer than what is rewrapped in memory. */
const LONG = 3_000_000;
const plaintext = randomBytes(LONG);

export async function checkLambda(app) {
  const kms = await startKms(app);
  const { warn } = console;
  console.warn = () => {}; // the handler tells of every failure
  try {
    const at = await prepare(app, kms);
    await checkSuccess(at);
    await checkFailures(at, kms.kms);
    await checkRepeats(at);
  } finally {
    console.warn = warn;
    await kms.kms.close();
  }
}

async function prepare(app, { createKeys, keyringOf }) {
  const { encrypt, decrypt } = await installed(app, 'index.js');
  const { batchHandler } = await import(pathToFileURL(join(app, 'rewrap-queue/src/lambda.js')));
  const [oldKeys, newKeys] = [await createKeys(), await createKeys()];
  const s3 = new MemoryS3();
  const [keyring, to] = [keyringOf(oldKeys), keyringOf(newKeys)];
  const job = { rotation: 'test', keyring, to, newKeys: new Set(newKeys), contextOf };
  const handler = batchHandler({ client: s3, GetObjectCommand, PutObjectCommand, job });
  const run = async (s3Key, event = EVENT) => {
    const { tasks } = event;
    const answer = await handler({
      ...event,
      tasks: tasks.map((task) => ({ ...task, s3Key: encoded(s3Key) })),
    });
    const { taskId, ...result } = answer.results[0];
    strictEqual(taskId, tasks[0].taskId);
    return Object.values(result);
  };
  const store = async (key, length = 1000, options = {}) => {
    const plaintext = plaintextOf(length);
    const encryptionContext = contextOf(key);
    const algorithmSuite = 0x0478;
    const { ciphertext } = await encrypt(plaintext, {
      keyring,
      encryptionContext,
      algorithmSuite,
      ...options,
    });
    s3.set(key, ciphertext, { Metadata: { owner: 'x' }, ContentType: 'text/plain' });
    return s3.objects.get(key).etag;
  };
  const opens = async (key, length = 1000) => {
    const { plaintext } = await decrypt(s3.objects.get(key).bytes, {
      keyring: to,
      encryptionContext: contextOf(key),
    });
    strictEqual(Buffer.compare(plaintext, plaintextOf(length)), 0);
  };
  return { s3, handler, run, store, opens, to };
}

async function checkSuccess({ s3, handler, run, store, opens, to }) {
  const messages = {
    'a short message': [1000, {}],
    'an empty one': [0, {}],
    'a signed one': [1000, { algorithmSuite: 0x0578 }],
    'a long one': [LONG, {}],
    'a long signed one': [LONG, { algorithmSuite: 0x0578 }],
  };
  for (const [what, [length, options]] of Object.entries(messages)) {
    await check(`lambda: ${what}`, async () => {
      const key = `tenant/${what} + ü%.txt`;
      await store(key, length, options);
      deepStrictEqual(await run(key), ['Succeeded', 'rotated']);
      await opens(key, length);
      const { Bucket, Metadata, ContentType } = s3.objects.get(key);
      const { rotation, owner } = Metadata;
      deepStrictEqual([Bucket, rotation, owner, ContentType], ['archive', 'test', 'x', 'text/plain']);
    });
  }
  await check('lambda: schema 1.0', async () => {
    await store('tenant/1.0');
    deepStrictEqual(await run('tenant/1.0', EVENT_1), ['Succeeded', 'rotated']);
    strictEqual(s3.objects.get('tenant/1.0').Bucket, 'archive');
  });
  await check('lambda: the form of the answer, and several tasks', async () => {
    await store('tenant/x');
    const task = (taskId, s3Key) => ({ ...EVENT.tasks[0], taskId, s3Key });
    const answer = await handler({ ...EVENT, tasks: [task('1', 'tenant/x'), task('2', 'tenant/none')] });
    deepStrictEqual(answer, {
      invocationSchemaVersion: '2.0',
      invocationId: EVENT.invocationId,
      treatMissingKeysAs: 'TemporaryFailure',
      results: [
        { taskId: '1', resultCode: 'Succeeded', resultString: 'rotated' },
        { taskId: '2', resultCode: 'PermanentFailure', resultString: 'gone' },
      ],
    });
  });
  await check('lambda: already under the new keys', async () => {
    await store('tenant/new', 1000, { keyring: to });
    const { puts } = s3;
    deepStrictEqual(await run('tenant/new'), ['Succeeded', 'already']);
    strictEqual(s3.puts, puts);
  });
}

async function checkFailures({ s3, run, store, opens }, kms) {
  const leaves = async (key, result) => {
    const { bytes, etag } = s3.objects.get(key);
    deepStrictEqual(await run(key), result);
    deepStrictEqual([s3.objects.get(key).etag, s3.objects.get(key).bytes], [etag, bytes]);
  };
  await check('lambda: NoSuchKey', async () => {
    deepStrictEqual(await run('tenant/nothing'), ['PermanentFailure', 'gone']);
  });
  const faults = {
    SlowDown: [503, 'TemporaryFailure'],
    InternalError: [500, 'TemporaryFailure'],
    RequestTimeout: [400, 'TemporaryFailure'],
    AccessDenied: [403, 'PermanentFailure'],
  };
  for (const [name, [status, code]] of Object.entries(faults)) {
    for (const onPut of [false, true]) {
      await check(`lambda: S3 answers a ${onPut ? 'put' : 'get'} with ${name}`, async () => {
        await store('tenant/s3', LONG);
        s3.before.set('tenant/s3', (isPut) => {
          if (isPut === onPut) throw s3Error(name, status);
        });
        await leaves('tenant/s3', [code, name]);
      });
    }
  }
  for (const fault of [
    { kind: 'down' },
    { kind: 'throttle' },
    { kind: 'error', name: 'AccessDeniedException' },
  ]) {
    for (const operation of ['Decrypt', 'GenerateDataKey']) {
      await check(`lambda: KMS, ${fault.kind} ${fault.name ?? ''} ${operation}`, async () => {
        await store('tenant/kms');
        for (const region of REGIONS) kms.setFault(region, { ...fault, operation });
        await leaves('tenant/kms', [
          'TemporaryFailure',
          operation === 'Decrypt' ? 'NO_DATA_KEY' : 'KMS_FAILED',
        ]);
        for (const region of REGIONS) kms.setFault(region, null);
        deepStrictEqual(await run('tenant/kms'), ['Succeeded', 'rotated']);
        await opens('tenant/kms');
      });
    }
  }
  for (const length of [1000, LONG]) {
    await check(`lambda: ${length} B that were altered`, async () => {
      await store('tenant/altered', length);
      const { bytes } = s3.objects.get('tenant/altered');
      bytes[bytes.length - 1] ^= 1;
      await leaves('tenant/altered', ['PermanentFailure', 'AUTHENTICATION_FAILED']);
    });
  }
  await check('lambda: a message of another name, no message, and none of our keys', async () => {
    await store('tenant/moved', 1000, { encryptionContext: contextOf('tenant/elsewhere') });
    await leaves('tenant/moved', ['PermanentFailure', 'CONTEXT_MISMATCH']);
    s3.set('tenant/text', Buffer.from('hello'));
    await leaves('tenant/text', ['PermanentFailure', 'INVALID_MESSAGE']);
    s3.set('tenant/empty', Buffer.alloc(0));
    await leaves('tenant/empty', ['PermanentFailure', 'TRUNCATED']);
  });
}

async function checkRepeats({ s3, run, store, opens }) {
  await check('lambda: done before', async () => {
    await store('tenant/twice');
    deepStrictEqual(await run('tenant/twice'), ['Succeeded', 'rotated']);
    const { etag } = s3.objects.get('tenant/twice');
    deepStrictEqual(await run('tenant/twice'), ['Succeeded', 'already']);
    strictEqual(s3.objects.get('tenant/twice').etag, etag);
  });
  await check('lambda: the answer of the put was lost', async () => {
    await store('tenant/lost');
    s3.after.set('tenant/lost', (isPut) => {
      if (isPut) throw s3Error('InternalError', 500);
    });
    deepStrictEqual(await run('tenant/lost'), ['TemporaryFailure', 'InternalError']);
    deepStrictEqual(await run('tenant/lost'), ['Succeeded', 'already']);
    await opens('tenant/lost');
  });
  for (const length of [1000, LONG]) {
    await check(`lambda: replaced meanwhile, ${length} B`, async () => {
      const key = `tenant/replaced-${length}`;
      await store(key, length);
      s3.before.set(key, async (isPut) => {
        s3.before.delete(key);
        if (isPut) return;
        s3.before.set(key, () => {
          s3.before.delete(key);
          return store(key, length);
        });
      });
      deepStrictEqual(await run(key), ['TemporaryFailure', 'changed']);
      deepStrictEqual(await run(key), ['Succeeded', 'rotated']);
      await opens(key, length);
    });
  }
  await check('lambda: several at once', async () => {
    await store('tenant/race', LONG);
    const { puts } = s3;
    const results = await Promise.all([1, 2, 3, 4].map(() => run('tenant/race')));
    strictEqual(s3.puts, puts + 1);
    deepStrictEqual(results.map(([code]) => code).sort(), [
      'Succeeded',
      ...Array(3).fill('TemporaryFailure'),
    ]);
    ok(results.some(([, outcome]) => outcome === 'rotated'));
    await opens('tenant/race', LONG);
  });
}

// As S3 writes keys into events.
function encoded(key) {
  return key
    .split('/')
    .map((part) => encodeURIComponent(part).replaceAll('%20', '+'))
    .join('/');
}

function plaintextOf(length) {
  return plaintext.subarray(0, length);
}
