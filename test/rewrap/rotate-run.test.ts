/**
 * What ends a rotation as a whole, its dry run, its journal, and its options.
 */
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  encrypt,
  type JournalEntry,
  multiKeyring,
  type RotateOptions,
  type RotationJournal,
  type RotationResult,
  rotateMessages,
  type StoredMessage,
} from '../../src/index.ts';
import { awsKmsKeyring } from '../../src/keyring/aws-kms/index.ts';
import { startLocalKms } from '../../src/local-kms/index.ts';
import { aesKeyring, bytes, failure, failureCode, flip } from '../support/messages.ts';
import { nameOf, type Process, World } from '../support/rotation.ts';

const from = aesKeyring(1);
const to = aesKeyring(2);
const rotation = { keyring: from, to };

const never = () => new Promise<never>(() => {});
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** All that is in the store, to be compared later. */
const snapshot = (world: World) => JSON.stringify([...world.objects]);

/** Nothing more happens. */
async function expectStill(process: Process): Promise<void> {
  const { length } = process.events;
  for (let i = 0; i < 20; i++) await turn();
  expect(process.events).toHaveLength(length);
}

describe('abort', () => {
  it.each([
    ['is read', 'read', never],
    ['is replaced', 'complete', never],
    [
      'is replaced by a store that heeds the signal',
      'complete',
      (signal: AbortSignal) => whenAborted(signal),
    ],
    ['is about to be journalled', 'append begun', never],
    ['has been replaced', 'append done', never],
  ] as const)('while an object %s', async (_, at, wait) => {
    const world = await World.of(10, from);
    const process = world.process();
    const { journal } = process;
    const controller = new AbortController();
    const results: RotationResult[] = [];
    process.onStep = (event, signal) => {
      if (!event.startsWith(at) || results.length < 3) return;
      setImmediate(() => controller.abort('enough'));
      return wait(signal!);
    };
    const onResult = (result: RotationResult) => results.push(result);
    const { signal } = controller;
    const work = rotateMessages(process.messages(), {
      ...rotation,
      concurrency: 2,
      journal,
      signal,
      onResult,
    });
    const error = await failure(work);
    expect([error.code, error.cause]).toEqual(['ABORTED', 'enough']);
    await expectStill(process);
    expect(results.map(({ outcome }) => outcome)).toEqual(new Array(results.length).fill('rewrapped'));
    expect(results.length).toBeLessThan(10);
    const next = world.process();
    const report = await rotateMessages(next.messages(), { ...rotation, journal: next.journal });
    expect(report).toMatchObject({ objects: 10, completed: true });
    await world.check(to);
  });

  const whenAborted = (signal: AbortSignal) =>
    new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));

  it('before it begins: nothing is asked', async () => {
    const world = await World.of(1, from);
    const process = world.process();
    const work = rotateMessages(process.messages(), { ...rotation, signal: AbortSignal.abort('no') });
    expect(await failureCode(work)).toBe('ABORTED');
    expect(process.events).toEqual([]);
  });

  it('while it waits for the next object, or for the journal', async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const objects = { [Symbol.asyncIterator]: () => ({ next: never }) };
    const entries = { [Symbol.asyncIterator]: () => ({ next: never }) };
    const journal: RotationJournal = { entries: () => entries, append: never };
    const works = [
      rotateMessages(objects, { ...rotation, signal }),
      rotateMessages([], { ...rotation, journal, signal }),
    ];
    await turn();
    controller.abort('enough');
    for (const work of works) expect((await failure(work)).cause).toBe('enough');
  });

  it('ends the iterable', async () => {
    const world = await World.of(10, from);
    const controller = new AbortController();
    let ended = false;
    function* objects() {
      try {
        yield* world.process().messages();
      } finally {
        ended = true;
      }
    }
    const onResult = () => controller.abort();
    const { signal } = controller;
    const work = rotateMessages(objects(), { ...rotation, signal, onResult, concurrency: 1 });
    expect(await failureCode(work)).toBe('ABORTED');
    await turn();
    expect(ended).toBe(true);
  });

  it('reaches those under way, and no more those that have ended', async () => {
    const world = await World.of(6, from);
    const process = world.process();
    const signals: AbortSignal[] = [];
    const controller = new AbortController();
    process.onStep = (event, signal) => {
      if (event.startsWith('read')) signals.push(signal!);
      if (event === `replace ${nameOf(4)}`) controller.abort();
    };
    const { signal } = controller;
    const work = rotateMessages(process.messages(), { ...rotation, signal, concurrency: 1 });
    expect(await failureCode(work)).toBe('ABORTED');
    expect(signals.map(({ aborted }) => aborted)).toEqual([false, false, false, false, true]);
  });

  it('leaves no listener behind, and no warning of many', async () => {
    const world = await World.of(40, from);
    const { signal } = new AbortController();
    let listeners = 0;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners++;
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listeners--;
      remove(...args);
    };
    await rotateMessages(world.process().messages(), { ...rotation, signal, concurrency: 16 });
    expect(listeners).toBe(0);
  });
});

describe('the iterable', () => {
  it('that fails ends the run when the objects under way have ended', async () => {
    const world = await World.of(4, from);
    const process = world.process();
    const error = new Error('listing failed');
    function* objects() {
      yield* process.messages();
      throw error;
    }
    const results: RotationResult[] = [];
    const onResult = (result: RotationResult) => results.push(result);
    const work = rotateMessages(objects(), { ...rotation, concurrency: 8, onResult });
    await expect(work).rejects.toBe(error);
    expect(results).toHaveLength(4);
    await world.check(to);
  });

  it.each([
    ['nothing', undefined],
    ['a string', 'name'],
    ['no name', { read: never, replace: never }],
    ['no read', { name: 'a', replace: never }],
    ['no replace', { name: 'a', read: never }],
  ])('that gives %s for an object fails', async (_, object) => {
    const work = rotateMessages([object as unknown as StoredMessage], rotation);
    expect((await failure(work)).message).toContain('"objects" expected objects with name, read and replace');
  });

  it.each([[undefined], [null], [{}], [7]])('must be one, and not %s', async (objects) => {
    expect(await failureCode(rotateMessages(objects as never, rotation))).toBe('INVALID_ARGUMENT');
  });
});

describe('dry run', () => {
  it('opens each header, and touches nothing', async () => {
    const kms = await startLocalKms({ regions: ['us-east-1'] });
    onTestFinished(() => kms.close());
    const { arn: old } = await kms.createKey({ region: 'us-east-1' });
    const { arn: next } = await kms.createKey({ region: 'us-east-1' });
    const { clientSupplier } = kms;
    const keyring = awsKmsKeyring({ generatorKeyId: old, clientSupplier });
    const newKeyring = awsKmsKeyring({ generatorKeyId: next, clientSupplier });
    const world = await World.of(6, keyring, () => 40_000);
    world.objects.get(nameOf(2))!.body = flip(world.objects.get(nameOf(2))!.body, 10);
    world.objects.get(nameOf(3))!.body = bytes(30);
    const before = snapshot(world);
    const asked = kms.requests.length;

    const process = world.process();
    const { journal } = process;
    let read = 0;
    const objects = [...process.messages()].map((message) => ({
      ...message,
      read: async (options: { signal: AbortSignal }) => {
        const count = new TransformStream<Uint8Array, Uint8Array>({
          transform: (chunk, controller) => {
            read += chunk.length;
            controller.enqueue(chunk);
          },
        });
        return (await message.read(options)).pipeThrough(count);
      },
    }));
    const results: RotationResult[] = [];
    const onResult = (result: RotationResult) => results.push(result);
    const options = { keyring, to: newKeyring, journal, dryRun: true, onResult };
    const report = await rotateMessages(objects, options);

    expect(report).toMatchObject({ objects: 6, rewrapped: 0, wouldRewrap: 4, failed: 2, completed: false });
    expect(report).toMatchObject({ dataKeys: { kept: 0, new: 4 }, wraps: 4 });
    const sizes = [0, 1, 4, 5].map((i) => world.objects.get(nameOf(i))!.body.length);
    expect(report.bytes).toBe(sizes.reduce((a, b) => a + b));
    expect(results.find(({ name }) => name === nameOf(0))).toEqual({
      name: nameOf(0),
      outcome: 'would-rewrap',
      dataKey: 'new',
      suite: 'ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY',
      bytes: sizes[0],
    });
    expect(snapshot(world)).toBe(before);
    expect(world.entries).toEqual([]);
    expect(process.events.every((event) => event.startsWith('read'))).toBe(true);
    expect(kms.requests.slice(asked).map(({ operation, keyId }) => [operation, keyId])).toEqual(
      new Array(5).fill(['Decrypt', old]), // the one that is no message has no data key
    );
    expect(read).toBeLessThan(report.bytes / 10); // headers, and the pieces that they end in
    expect((await rotateMessages(process.messages(), { ...options, dryRun: false })).rewrapped).toBe(4);
  });

  it('says what a run would do with kept data keys, and with contexts that cannot be written', async () => {
    const world = await World.of(3, from);
    const options = { ...rotation, freshDataKey: false, dryRun: true };
    const report = await rotateMessages(world.process().messages(), options);
    expect(report).toMatchObject({ wouldRewrap: 2, failed: 1, dataKeys: { kept: 2, new: 0 } });
    expect(report.failures).toMatchObject([{ name: nameOf(1), error: { code: 'UNSUPPORTED' } }]);
  });

  it('knows what the journal knows, and does not write to it', async () => {
    const world = await World.of(4, from);
    const first = world.process({ steps: 30 });
    await rotateMessages(first.messages(), { ...rotation, journal: first.journal, concurrency: 1 }).catch(
      () => {},
    );
    // The last of them was replaced; that was not written down.
    while (world.entries.at(-1)!.state === 'done') world.entries.pop();
    const { length } = world.entries;
    const { journal } = world.process();
    const options = { ...rotation, journal, dryRun: true };
    const report = await rotateMessages(world.process().messages(), options);
    expect(report.doneBefore).toBeGreaterThan(1);
    expect(report).toMatchObject({ failed: 0, objects: 4, rewrapped: 0 });
    expect(world.entries).toHaveLength(length);
  });
});

describe('the journal', () => {
  it('that cannot be written to ends the run before an object is replaced', async () => {
    const world = await World.of(10, from);
    const process = world.process();
    const error = new Error('disk full');
    let appends = 0;
    const journal: RotationJournal = {
      entries: () => [],
      append: (entry) => (++appends > 6 ? Promise.reject(error) : process.journal.append(entry)),
    };
    const work = rotateMessages(process.messages(), { ...rotation, journal, concurrency: 3 });
    await expect(work).rejects.toBe(error);
    await expectStill(process);
    const { length: replaced } = process.events.filter((event) => event.startsWith('replace '));
    const begun = world.entries.filter(({ state }) => state === 'begun');
    expect(replaced).toBe(begun.length);
  });

  it('that cannot be read ends the run before anything else', async () => {
    const world = await World.of(1, from);
    const process = world.process();
    const error = new Error('unreadable');
    const journal: RotationJournal = {
      entries: () => {
        throw error;
      },
      append: never,
    };
    await expect(rotateMessages(process.messages(), { ...rotation, journal })).rejects.toBe(error);
    expect(process.events).toEqual([]);
  });

  it.each([
    [null],
    [{ name: 7, state: 'done', messageId: '00'.repeat(16) }],
    [{ name: 'a', state: 'begin', messageId: '00'.repeat(16) }],
    [{ name: 'a', state: 'done' }],
    [{ name: 'a', state: 'done', messageId: '00' }],
    [{ name: 'a', state: 'done', messageId: 'zz'.repeat(16) }],
    [{ name: 'a', state: 'done', messageId: '00'.repeat(24) }],
  ])('with an entry that is none is refused: %j', async (entry) => {
    const journal = { entries: () => [entry as JournalEntry], append: never };
    expect((await failure(rotateMessages([], { ...rotation, journal }))).message).toContain(
      '"journal" expected entries',
    );
  });

  it('counts each begun object as a wrap, and takes any of its ids', async () => {
    const world = await World.of(1, from);
    const process = world.process();
    const { journal } = process;
    await rotateMessages(process.messages(), { ...rotation, journal });
    const [begun] = world.entries;
    const other = { ...begun!, messageId: 'ab'.repeat(32) };
    for (const entries of [
      [begun!, other],
      [other, begun!],
    ]) {
      world.entries.splice(0, Number.POSITIVE_INFINITY, ...entries);
      const report = await rotateMessages(world.process().messages(), { ...rotation, journal });
      expect(report).toMatchObject({ doneBefore: 1, rewrapped: 0, wraps: 2 });
      expect(world.entries.at(-1)).toEqual({ ...begun, state: 'done' });
    }
  });
});

describe('options', () => {
  it.each<[string, object]>([
    ['concurrency', { concurrency: 0 }],
    ['concurrency', { concurrency: 65 }],
    ['concurrency', { concurrency: 1.5 }],
    ['maxWraps', { maxWraps: 0 }],
    ['maxWraps', { maxWraps: 2 ** 32 + 1 }],
    ['dryRun', { dryRun: 'yes' }],
    ['journal', { journal: {} }],
    ['journal', { journal: null }],
    ['onResult', { onResult: 1 }],
    ['onProgress', { onProgress: {} }],
    ['to', { to: undefined }],
    ['keyring', { keyring: undefined }],
    ['freshDataKey', { freshDataKey: 'no' }],
    ['keepExisting', { keepExisting: 1 }],
    ['signal', { signal: {} }],
    ['options', { sidecar: bytes(10) }],
    ['options', { concurency: 2 }],
    ['options', { plaintextLength: 2 }],
  ])('"%s" is checked: %j', async (name, options) => {
    const error = await failure(rotateMessages([], { ...rotation, ...options } as RotateOptions));
    expect([error.code, error.message]).toEqual(['INVALID_ARGUMENT', expect.stringContaining(`"${name}"`)]);
  });

  it('must be given', async () => {
    expect(await failureCode(rotateMessages([], undefined as never))).toBe('INVALID_ARGUMENT');
  });

  it('are those of rewrap for each message', async () => {
    const keyring = multiKeyring({ children: [from] });
    const world = await World.of(2, from);
    const options: RotateOptions = {
      keyring,
      to,
      algorithmSuite: 0x0478,
      frameLength: 100,
      commitmentPolicy: 'REQUIRE_ENCRYPT_ALLOW_DECRYPT',
      engine: 'native',
    };
    const { ciphertext } = await encrypt(bytes(99), {
      keyring: from,
      commitmentPolicy: 'FORBID_ENCRYPT_ALLOW_DECRYPT',
    });
    world.objects.set('old', { body: ciphertext, version: 0 });
    const suites: unknown[] = [];
    await rotateMessages(world.process().messages(), {
      ...options,
      onResult: ({ suite, outcome }) => suites.push(suite, outcome),
    });
    expect(new Set(suites)).toEqual(new Set(['ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY', 'rewrapped']));
    expect(suites).toHaveLength(6);
  });
});
