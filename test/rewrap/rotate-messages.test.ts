/**
 * The rotation of many messages: what becomes of each, what is reported, and what ends the run.
 */
import { describe, expect, it } from 'vitest';
import {
  decrypt,
  encrypt,
  type Keyring,
  multiKeyring,
  parseHeader,
  type RotateOptions,
  type RotationProgress,
  rotateMessages,
  type StoredMessage,
} from '../../src/index.ts';
import { markOurs } from '../../src/materials/data-key.ts';
import { aesKeyring, bytes, failure, failureCode } from '../support/messages.ts';
import { dataKeyOf } from '../support/rewrap.ts';
import { broken, nameOf, rotated, World } from '../support/rotation.ts';

const from = aesKeyring(1);
const to = aesKeyring(2);

/** A keyring that counts what it is asked. */
function spied(keyring: Keyring): Keyring & { readonly asked: { wraps: number; unwraps: number } } {
  const asked = { wraps: 0, unwraps: 0 };
  return {
    asked,
    onEncrypt: (materials, options) => {
      asked.wraps++;
      return keyring.onEncrypt(materials, options);
    },
    onDecrypt: (materials, edks, options) => {
      asked.unwraps++;
      return keyring.onDecrypt(materials, edks, options);
    },
  };
}

const bytesIn = (world: World) => [...world.objects.values()].reduce((sum, { body }) => sum + body.length, 0);

/** Turns of the event loop, so that others can go on. */
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('each object', () => {
  it('opens by the new keys alone, under a new data key', async () => {
    const world = await World.of(60, from);
    const before = await dataKeyOf(world.objects.get(nameOf(7))!.body, from);
    const bytesBefore = bytesIn(world);
    const { report, results } = await rotated(world);
    expect(report).toEqual({
      objects: 60,
      rewrapped: 60,
      wouldRewrap: 0,
      doneBefore: 0,
      failed: 0,
      failures: [],
      bytes: bytesBefore,
      wraps: 60,
      limitReached: false,
      dataKeys: { kept: 0, new: 60 },
      missingKeys: 0,
      completed: true,
    });
    await world.check(to);
    const { body } = world.objects.get(nameOf(7))!;
    expect(await failureCode(decrypt(body, { keyring: from }))).toBe('NO_DATA_KEY');
    expect(await dataKeyOf(body, to)).not.toEqual(before);
    expect(results.map(({ name }) => name).sort()).toEqual([...world.objects.keys()]);
    const signed = results.find(({ name }) => name === nameOf(1))!;
    expect(signed).toMatchObject({ outcome: 'rewrapped', dataKey: 'new', missingKeys: [] });
    expect(signed.suite).toBe(parseHeader(world.objects.get(nameOf(1))!.body).algorithmSuite);
  });

  it.each([
    ['an array', (world: World) => [...world.process().messages()]],
    [
      'an async iterable',
      async function* (world: World) {
        yield* world.process().messages();
      },
    ],
  ] as const)('comes from %s', async (_, objects) => {
    const world = await World.of(5, from);
    expect(await rotateMessages(objects(world), { keyring: from, to })).toMatchObject({ rewrapped: 5 });
    await world.check(to);
  });

  it('keeps its data key where that is wanted and can be; existing keys may remain', async () => {
    const world = await World.of(4, from);
    const before = await dataKeyOf(world.objects.get(nameOf(0))!.body, from);
    const { report } = await rotated(world, { freshDataKey: false });
    // The second one is signed: its data key cannot stay.
    expect(report).toMatchObject({ rewrapped: 3, failed: 1, dataKeys: { kept: 3, new: 0 }, wraps: 3 });
    expect(report.failures).toMatchObject([{ name: nameOf(1), error: { code: 'UNSUPPORTED' } }]);
    expect(await dataKeyOf(world.objects.get(nameOf(0))!.body, to)).toEqual(before);
    const next = { keyring: multiKeyring({ generator: from, children: [to] }), to: aesKeyring(3) };
    const kept = await rotated(world, { ...next, freshDataKey: false, keepExisting: true });
    expect(kept.report).toMatchObject({ rewrapped: 3, dataKeys: { kept: 3, new: 0 } });
    for (const keyring of [to, aesKeyring(3)]) {
      expect(await dataKeyOf(world.objects.get(nameOf(0))!.body, keyring)).toEqual(before);
    }
    const error = await failure(rotated(world, { keepExisting: true }));
    expect(error.message).toContain('"freshDataKey" expected false where "keepExisting" is true');
  });

  it.each([
    ['one of ours', to],
    ['a multi-keyring', multiKeyring({ generator: to, children: [aesKeyring(3)] })],
    ["a caller's own", spied(to)],
    ["a multi-keyring of a caller's own", multiKeyring({ generator: spied(to), children: [spied(to)] })],
  ])('is wrapped by %s, with a new data key and with the old one', async (_, wrapping) => {
    for (const freshDataKey of [true, false]) {
      const world = await World.of(1, from);
      const { report } = await rotated(world, { to: wrapping, freshDataKey });
      expect(report).toMatchObject({ rewrapped: 1, wraps: 1 });
      await world.check(to);
    }
  });

  it("is wrapped by a caller's keyring that keeps its data key: that is not wiped", async () => {
    const dataKey = bytes(32, 7);
    const keeping: Keyring = {
      ...to,
      onEncrypt: (materials, options) => to.onEncrypt({ ...materials, plaintextDataKey: dataKey }, options),
    };
    const world = await World.of(3, from);
    expect((await rotated(world, { to: keeping })).report).toMatchObject({ rewrapped: 3 });
    expect(dataKey).toEqual(bytes(32, 7));
    await world.check(to);
  });

  it('leaves no data key behind that a keyring of ours has made', async () => {
    const made: (Uint8Array | undefined)[] = [];
    const ours = markOurs<Keyring>({
      onEncrypt: async (materials, options) => {
        const answer = await to.onEncrypt(materials, options);
        made.push(answer.plaintextDataKey);
        return answer;
      },
      onDecrypt: to.onDecrypt,
    });
    await rotated(await World.of(2, from), { to: ours });
    expect(made).toEqual([new Uint8Array(32), new Uint8Array(32)]);
  });

  it('is streamed: the journal has its id before the store is asked, and the body comes before the old one has ended', async () => {
    const world = await World.of(1, from, () => 5 * 2 ** 20);
    const process = world.process();
    const message = process.message(nameOf(0));
    let [read, whole] = [0, 0];
    const watched: StoredMessage = {
      name: message.name,
      async read(options) {
        const body = await message.read(options);
        const count = new TransformStream<Uint8Array, Uint8Array>({
          transform: (chunk, controller) => {
            read += chunk.length;
            controller.enqueue(chunk);
          },
        });
        whole = world.objects.get(nameOf(0))!.body.length;
        return body.pipeThrough(count);
      },
      async replace(body, options) {
        expect(process.events).toContain(`begun ${nameOf(0)}`);
        expect(read).toBeLessThan(whole / 2);
        await message.replace(body, options);
      },
    };
    const { journal } = process;
    expect(await rotateMessages([watched], { keyring: from, to, journal })).toMatchObject({ rewrapped: 1 });
    expect(read).toBe(whole);
    expect(world.entries.map(({ state }) => state)).toEqual(['begun', 'done']);
    const id = Buffer.from(parseHeader(world.objects.get(nameOf(0))!.body).messageId).toString('hex');
    expect(world.entries.map(({ messageId }) => messageId)).toEqual([id, id]);
    await world.check(to, () => 5 * 2 ** 20);
  }, 120_000);

  it('must have the context that is asked for, as it was when it was asked for', async () => {
    const world = new World();
    for (const [i, tenant] of ['a', 'b'].entries()) {
      const { ciphertext } = await encrypt(bytes(10), { keyring: from, encryptionContext: { tenant } });
      world.objects.set(nameOf(i), { body: ciphertext, version: 0 });
    }
    const encryptionContext = { tenant: 'a' };
    const work = rotated(world, { encryptionContext });
    encryptionContext.tenant = 'b';
    const { report } = await work;
    expect(report.failures).toMatchObject([{ name: nameOf(1), error: { code: 'CONTEXT_MISMATCH' } }]);
    expect(report.rewrapped).toBe(1);
  });

  it('has missing keys reported', async () => {
    const missing = { keyId: 'far', error: new Error('away') };
    const lacking: Keyring = {
      onEncrypt: async (materials, options) => ({
        ...(await to.onEncrypt(materials, options)),
        missingKeys: [missing],
      }),
      onDecrypt: to.onDecrypt,
    };
    const { report, results } = await rotated(await World.of(3, from), { to: lacking as Keyring });
    expect(report).toMatchObject({ rewrapped: 3, missingKeys: 3, completed: true });
    expect(results[0]!.missingKeys).toEqual([missing]);
  });
});

describe('some at a time', () => {
  it.each([1, 3, 16])('%i, no more and no fewer', async (concurrency) => {
    const world = await World.of(50, from);
    const process = world.process();
    let [now, most, taken, done] = [0, 0, 0, 0];
    process.onStep = async (event) => {
      if (event.startsWith('read')) most = Math.max(most, ++now);
      await turn();
      if (event.startsWith('replaced')) now--;
    };
    function* objects() {
      for (const message of process.messages()) {
        expect(++taken - done).toBeLessThanOrEqual(concurrency);
        yield message;
      }
    }
    const onResult = () => done++;
    await rotateMessages(objects(), { keyring: from, to, concurrency, onResult });
    expect(most).toBe(concurrency);
    await world.check(to);
  });

  it('a slow one does not hold the others up', async () => {
    const world = await World.of(10, from);
    const process = world.process();
    const order: string[] = [];
    let release = () => {};
    process.onStep = (event) => {
      if (event === `replace ${nameOf(0)}`) return new Promise((resolve) => (release = resolve));
    };
    await rotateMessages(process.messages(), {
      keyring: from,
      to,
      concurrency: 2,
      onResult: ({ name }) => {
        order.push(name);
        if (order.length === 9) release();
      },
    });
    expect(order.at(-1)).toBe(nameOf(0));
    expect(order).toHaveLength(10);
  });

  it('lets timers in, however many objects are done already', async () => {
    const controller = new AbortController();
    setTimeout(() => controller.abort('enough'), 1);
    function* endless(): Generator<StoredMessage> {
      for (let i = 0; ; i++) yield broken(String(i));
    }
    const work = rotateMessages(endless(), { keyring: from, to, signal: controller.signal });
    expect(await failureCode(work)).toBe('ABORTED');
  });
});

describe('progress', () => {
  it('counts bytes as they are read, objects and failures as they end', async () => {
    const world = await World.of(5, from, () => 2000);
    world.objects.get(nameOf(2))!.body = bytes(50);
    const told: RotationProgress[] = [];
    const { report } = await rotated(world, {
      concurrency: 2,
      onProgress: (progress) => told.push(progress),
    });
    for (const [i, { objects, failed, bytes: count }] of told.entries()) {
      const before = told[i - 1] ?? { objects: 0, failed: 0, bytes: 0 };
      expect(objects).toBeGreaterThanOrEqual(before.objects);
      expect(failed).toBeGreaterThanOrEqual(before.failed);
      expect(count).toBeGreaterThanOrEqual(before.bytes);
    }
    expect(told.at(-1)).toEqual({ objects: 5, failed: 1, bytes: report.bytes });
    expect(told.length).toBeGreaterThan(5 * 20); // each in some dozens of pieces
  });

  it.each(['onResult', 'onProgress'] as const)(
    '%s that throws ends the run with what it threw',
    async (name) => {
      const world = await World.of(20, from);
      const process = world.process();
      const error = new Error('full');
      let calls = 0;
      const callback = () => {
        if (++calls === 3) throw error;
        if (calls > 3) throw new Error('told although the run had ended');
      };
      const work = rotateMessages(process.messages(), {
        keyring: from,
        to,
        concurrency: 2,
        [name]: callback,
      });
      await expect(work).rejects.toBe(error);
      const { length } = process.events;
      for (let i = 0; i < 10; i++) await turn();
      expect(process.events).toHaveLength(length);
      expect(process.events.filter((event) => event.startsWith('read')).length).toBeLessThan(10);
    },
  );
});

describe('limits', () => {
  it('maxWraps is exact, over several runs too', async () => {
    const world = await World.of(30, from);
    const counted = spied(to);
    const run = (maxWraps: number, options: Partial<RotateOptions> = {}) => {
      const process = world.process();
      const { journal } = process;
      return rotated(world, { to: counted, journal, maxWraps, concurrency: 8, ...options });
    };
    const first = await run(7);
    expect(first.report).toMatchObject({ rewrapped: 7, failed: 23, wraps: 7, limitReached: true });
    expect(first.report.completed).toBe(false);
    expect(counted.asked.wraps).toBe(7);
    for (const { error } of first.report.failures) expect(error).toMatchObject({ code: 'LIMIT_EXCEEDED' });
    const second = await run(17);
    expect(second.report).toMatchObject({ rewrapped: 10, doneBefore: 7, failed: 13, wraps: 17 });
    expect(counted.asked.wraps).toBe(17);
    const dry = await run(29, { dryRun: true });
    expect(dry.report).toMatchObject({ wouldRewrap: 12, doneBefore: 17, failed: 1, wraps: 29 });
    expect(dry.report.limitReached).toBe(true);
    const last = await run(30);
    expect(last.report).toMatchObject({ rewrapped: 13, doneBefore: 17, wraps: 30, limitReached: false });
    expect(counted.asked.wraps).toBe(30);
    await world.check(to);
  });

  it('beyond it nothing is read any more', async () => {
    const world = await World.of(20, from);
    const { process } = await rotated(world, { maxWraps: 3, concurrency: 1 });
    expect(process.events.filter((event) => event.startsWith('read'))).toHaveLength(3);
  });

  it('a wrap that fails counts: it may have used the key', async () => {
    const failing: Keyring = { ...to, onEncrypt: () => Promise.reject(new Error('no')) };
    const { report } = await rotated(await World.of(5, from), { to: failing, maxWraps: 2 });
    expect(report).toMatchObject({ failed: 5, wraps: 2, limitReached: true });
  });

  it('those of the messages hold', async () => {
    const world = await World.of(2, from);
    const { report } = await rotated(world, { maxFrameLength: 15 });
    expect(report.failures).toMatchObject([
      { error: { code: 'LIMIT_EXCEEDED' } },
      { error: { code: 'LIMIT_EXCEEDED' } },
    ]);
  });
});

describe('names', () => {
  it.each([1, 4])('that come twice fail, where they are known, %i at a time', async (concurrency) => {
    const world = await World.of(2, from);
    const process = world.process();
    const { journal } = process;
    const twice = [0, 0, 1, 0].map((i) => process.message(nameOf(i)));
    const options = { keyring: from, to, journal, concurrency };
    const report = await rotateMessages(twice, options);
    expect(report).toMatchObject({ objects: 4, rewrapped: 2, failed: 2 });
    const again = await rotateMessages(twice, options);
    expect(again).toMatchObject({ doneBefore: 2, failed: 2 });
    for (const { error } of [...report.failures, ...again.failures]) {
      expect(String(error)).toContain(`"objects" expected each name once, got "${nameOf(0)}" twice`);
    }
    // Without a journal, as far as both are under way.
    const unknown = await rotateMessages(twice, { ...options, keyring: to, journal: undefined });
    expect(unknown.failed).toBe(concurrency === 1 ? 0 : 2);
    await world.check(to);
  });

  it('that failed may come again', async () => {
    const world = await World.of(1, from);
    const process = world.process();
    const objects = [broken(nameOf(0)), process.message(nameOf(0))];
    const { journal } = process;
    const report = await rotateMessages(objects, { keyring: from, to, journal, concurrency: 1 });
    expect(report).toMatchObject({ rewrapped: 1, failed: 1 });
  });

  it('may be any text', async () => {
    const names = ['__proto__', '', 'constructor', '\u0000\ud800', 'ключ'];
    const world = await World.of(names.length, from);
    const process = world.process();
    const objects = () => names.map((name, i) => ({ ...process.message(nameOf(i)), name }));
    const { journal } = process;
    expect(await rotateMessages(objects(), { keyring: from, to, journal })).toMatchObject({ rewrapped: 5 });
    expect(await rotateMessages(objects(), { keyring: from, to, journal })).toMatchObject({ doneBefore: 5 });
  });
});
