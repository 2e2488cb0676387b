/**
 * Objects that a rotation cannot bring under the new keys: each is told, stays as it was, and stops no other.
 */
import { describe, expect, it } from 'vitest';
import { rotateMessages, type StoredMessage } from '../../src/index.ts';
import { aesKeyring, bytes, flip } from '../support/messages.ts';
import { broken, nameOf, rotated, World } from '../support/rotation.ts';
import { collect } from '../support/streams.ts';

const from = aesKeyring(1);
const to = aesKeyring(2);

describe('the failure of one', () => {
  it('is reported, leaves the object as it was, and stops no other', async () => {
    const world = await World.of(12, from, () => 300);
    const damaged = (i: number, change: (body: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>) => {
      const object = world.objects.get(nameOf(i))!;
      object.body = change(object.body);
      return object.body;
    };
    const kept = [
      damaged(2, (body) => flip(body, 3)), // the message id
      damaged(3, (body) => flip(body, body.length - 1)), // the last tag: the body has begun by then
      damaged(4, (body) => body.slice(0, -5)),
      damaged(5, () => bytes(200)),
      damaged(6, () => new Uint8Array(0)),
    ];
    const { report, results, process } = await rotated(world, {});
    const codes = Object.fromEntries(
      report.failures.map(({ name, error }) => [name, (error as { code: string }).code]),
    );
    expect(codes).toEqual({
      [nameOf(2)]: 'AUTHENTICATION_FAILED',
      [nameOf(3)]: 'AUTHENTICATION_FAILED',
      [nameOf(4)]: 'TRUNCATED',
      [nameOf(5)]: 'INVALID_MESSAGE',
      [nameOf(6)]: 'TRUNCATED',
    });
    expect(report).toMatchObject({ objects: 12, rewrapped: 7, failed: 5, completed: false });
    expect([2, 3, 4, 5, 6].map((i) => world.objects.get(nameOf(i))!.body)).toEqual(kept);
    expect(results.filter(({ outcome }) => outcome === 'failed')).toHaveLength(5);
    // The body of the third had begun; those whose header was wrong never came to the store.
    expect(process.events).toContain(`replace ${nameOf(3)}`);
    expect(process.events).not.toContain(`replace ${nameOf(2)}`);
  });

  it('may be a conflict: what has changed meanwhile stays', async () => {
    const world = await World.of(3, from);
    const process = world.process();
    const other = (await World.of(1, from)).objects.get(nameOf(0))!.body;
    process.onStep = (event) => {
      if (event !== `replace ${nameOf(1)}`) return;
      Object.assign(world.objects.get(nameOf(1))!, { body: other, version: 9 });
    };
    const report = await rotateMessages(process.messages(), { keyring: from, to });
    expect(report).toMatchObject({ rewrapped: 2, failed: 1 });
    expect(report.failures).toEqual([
      { name: nameOf(1), error: new Error(`${nameOf(1)} has changed meanwhile`) },
    ]);
    expect(world.objects.get(nameOf(1))).toEqual({ body: other, version: 9 });
  });

  it('may be one of the store', async () => {
    const world = await World.of(1, from, () => 500);
    const message = world.process().message(nameOf(0));
    const half = () => {
      let pulls = 0;
      return new ReadableStream<Uint8Array>({
        pull(controller) {
          if (pulls++ > 2) return controller.error(new Error('connection lost'));
          controller.enqueue(world.objects.get(nameOf(0))!.body.slice(100 * (pulls - 1), 100 * pulls));
        },
      });
    };
    const cases: [string, Partial<StoredMessage>, string][] = [
      ['no answer', { read: () => Promise.reject(new Error('404')) }, '404'],
      [
        'thrown',
        {
          read: () => {
            throw new Error('thrown');
          },
        },
        'thrown',
      ],
      ['no stream', { read: async () => 'text' as never }, '"read" expected to answer a ReadableStream'],
      ['half', { read: async () => half() }, 'connection lost'],
      [
        'text',
        { read: async () => new ReadableStream({ start: (c) => c.enqueue('text' as never) }) },
        '"chunk" expected',
      ],
      ['not written', { replace: () => Promise.reject(new Error('403')) }, '403'],
      ['not read', { replace: async () => {} }, '"replace" expected to read the body to its end'],
      [
        'not all read',
        {
          replace: async (body) => {
            const reader = body.getReader();
            await reader.read();
            reader.releaseLock();
          },
        },
        '"replace" expected to read the body to its end',
      ],
      [
        'given up',
        {
          replace: async (body) => {
            await body.cancel();
            throw new Error('quota');
          },
        },
        'quota',
      ],
      [
        'given up without a word',
        {
          replace: async (body) => {
            await body.cancel();
          },
        },
        'the reader has cancelled the stream',
      ],
    ];
    const objects = cases.map(([name, change]) => ({ ...message, name, ...change }));
    const report = await rotateMessages(objects, { keyring: from, to });
    expect(report.failed).toBe(cases.length);
    const told = new Map(report.failures.map(({ name, error }) => [name, (error as Error).message]));
    for (const [name, , text] of cases)
      expect([name, told.get(name)]).toEqual([name, expect.stringContaining(text)]);
    expect(world.objects.get(nameOf(0))!.version).toBe(0);
  });

  it('says what is wrong with the message, and not that the store was not served', async () => {
    const world = await World.of(1, from, () => 3000);
    const object = world.objects.get(nameOf(0))!;
    object.body = flip(object.body, object.body.length - 1);
    const message: StoredMessage = {
      ...world.process().message(nameOf(0)),
      replace: async (body) => {
        await collect(body).catch(() => {
          throw new Error('upload failed');
        });
      },
    };
    const { failures } = await rotateMessages([message], { keyring: from, to });
    expect(failures).toMatchObject([{ error: { code: 'AUTHENTICATION_FAILED' } }]);
  });

  it('ends what was under way: bodies are cancelled', async () => {
    const world = await World.of(1, aesKeyring(9), () => 500);
    const cancelled: unknown[] = [];
    const endless = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(world.objects.get(nameOf(0))!.body),
      cancel: (reason) => void cancelled.push(reason),
    });
    const message = { ...world.process().message(nameOf(0)), read: async () => endless };
    const report = await rotateMessages([message], { keyring: from, to });
    expect(report.failures).toMatchObject([{ error: { code: 'NO_DATA_KEY' } }]);
    expect(cancelled).toMatchObject([{ code: 'NO_DATA_KEY' }]);
  });

  it('ends what was under way when the store gives up without a word to the body', async () => {
    const world = await World.of(1, from, () => 5000);
    const { body } = world.objects.get(nameOf(0))!;
    const cancelled: unknown[] = [];
    const endless = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(body.slice(0, 2000)),
      cancel: (reason) => void cancelled.push(reason),
    });
    const quota = new Error('quota');
    const message: StoredMessage = {
      name: 'a',
      read: async () => endless,
      replace: () => Promise.reject(quota),
    };
    const report = await rotateMessages([message], { keyring: from, to });
    expect(report.failures).toEqual([{ name: 'a', error: quota }]);
    await expect.poll(() => cancelled).toEqual([quota]);
  });

  it('is listed up to a thousand times, and counted beyond', async () => {
    const objects = Array.from({ length: 1100 }, (_, i) => broken(`broken ${i}`));
    const report = await rotateMessages(objects, { keyring: from, to });
    expect(report).toMatchObject({ objects: 1100, failed: 1100 });
    expect(report.failures).toHaveLength(1000);
  });
});

describe('an async callback that fails', () => {
  it.each(['first', 'last'])('ends the run, also at the %s object', async (which) => {
    const world = await World.of(5, from);
    let calls = 0;
    const onResult = async () => {
      calls++;
      if (calls === (which === 'first' ? 1 : 5)) throw new Error('the callback');
    };
    const run = rotated(world, { onResult });
    await expect(run).rejects.toThrow('the callback');
  });
});
