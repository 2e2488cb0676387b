/**
 * However a rewrap ends: it settles, both ends of a stream say the same, and no key, no plaintext and no listener is left.
 */
import { getEventListeners } from 'node:events';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type * as bytesModule from '../../src/bytes.ts';
import {
  type Bytes,
  decrypt,
  encrypt,
  type Keyring,
  parseHeader,
  type RewrapOptions,
  rewrap,
  rewrapStream,
} from '../../src/index.ts';
import { aesKeyring, bytes, failure, flip } from '../support/messages.ts';
import { dataKeyOf, hangingKeyring, WAYS } from '../support/rewrap.ts';
import { knownDataKey, type Watch, watch } from '../support/rewrap-watch.ts';

const copies = vi.hoisted(() => [] as Uint8Array[]);
vi.mock('../../src/bytes.ts', async (original) => {
  const actual = await original<typeof bytesModule>();
  const copy = (given: Uint8Array) => {
    const copied = actual.copy(given);
    copies.push(copied);
    return copied;
  };
  return { ...actual, copy };
});

const PLAINTEXT = bytes(3000);
const NEW_DATA_KEY = bytes(32, 99);
const reader = aesKeyring(1);
/** The reading keyring is a caller's, so that its data key is copied. */
const from: Keyring = {
  onEncrypt: (materials, call) => reader.onEncrypt(materials, call),
  onDecrypt: (materials, edks, call) => reader.onDecrypt(materials, edks, call),
};
const to = knownDataKey(NEW_DATA_KEY, aesKeyring(2));
const mine = new Error('mine');
const MODES: readonly (readonly [string, RewrapOptions])[] = [
  ['kept', { keyring: from, to }],
  ['kept, with the old keys', { keyring: from, to, keepExisting: true }],
  ['new', { keyring: from, to, freshDataKey: true }],
  ['new and signed', { keyring: from, to, algorithmSuite: 0x0578 }],
];
let message: Bytes;
let dataKeys: readonly Uint8Array[];

beforeAll(async () => {
  const how = { algorithmSuite: 0x0478, frameLength: 100 };
  message = (await encrypt(PLAINTEXT, { keyring: reader, ...how })).ciphertext;
  dataKeys = [await dataKeyOf(message, reader), NEW_DATA_KEY];
});
afterEach(() => vi.restoreAllMocks());

const turn = () => new Promise((done) => setImmediate(done));
/** Lets what is under way settle, late answers included. */
const rest = async () => {
  for (let i = 0; i < 10; i++) await turn();
};
/** A moment: after so many turns of the event loop and then so many promises. */
type Moment = readonly [turns: number, promises: number];
const until = async ([turns, promises]: Moment) => {
  for (let i = 0; i < turns; i++) await turn();
  for (let i = 0; i < promises; i++) await Promise.resolve();
};
/** Ends it at every moment until one comes too late. @param end says whether it was over by then. */
async function atEveryMoment(end: (moment: Moment) => Promise<boolean>): Promise<void> {
  for (let turns = 0, over = false; !over; turns++) {
    expect(turns).toBeLessThan(1000);
    for (let promises = 0; promises < 200; promises += 1 + (promises >> 4)) {
      over = await end([turns, promises]);
      if (over) break;
    }
  }
}
const started = () => watch(copies, dataKeys, PLAINTEXT);
/** Waits for what is still under way: engines may be at work in other threads. */
const expectLeft = (watching: Watch, expected: readonly string[] = [], which = '') =>
  vi.waitFor(() => expect(watching.left(), which).toEqual(expected), { timeout: 10_000, interval: 1 });

describe.each(MODES)('data key %s', (_, options) => {
  it.each(WAYS)('%s: nothing is left when it is done', async (_, run) => {
    const watching = started();
    const { ciphertext, dataKey } = await run(message, options);
    await expectLeft(watching);
    const { keys, cores, plaintext } = watching.seen();
    expect([keys, cores]).toEqual([2, 2]);
    expect(plaintext).toBeGreaterThan(0);
    vi.restoreAllMocks();
    expect((await decrypt(ciphertext, { keyring: aesKeyring(2) })).plaintext).toEqual(PLAINTEXT);
    if (dataKey === 'new') expect(await dataKeyOf(ciphertext, aesKeyring(2))).toEqual(NEW_DATA_KEY);
  });

  it.each(WAYS)('%s: nothing is left when it fails', async (_, run) => {
    const { headerLength } = parseHeader(message);
    const fails: Keyring = { ...to, onEncrypt: () => Promise.reject(mine) };
    const spoils: Keyring = {
      ...to,
      onEncrypt: async (m, call) => ({ ...(await to.onEncrypt(m, call)), encryptedDataKeys: [{}] }) as never,
    };
    const failures: [Uint8Array, Partial<RewrapOptions>][] = [
      [flip(message, headerLength - 1), {}],
      [flip(message, headerLength + 20), {}],
      [flip(message, headerLength + 132 * 12), {}],
      [flip(message, message.length - 1), {}],
      [message.subarray(0, -1), {}],
      [message.subarray(0, 2000), {}],
      [message, { to: fails }],
      [message, { to: spoils }],
      [message, { maxEncryptedDataKeys: 1, to: spoils }],
      [
        message,
        {
          onProgress: () => {
            throw mine;
          },
        },
      ],
    ];
    for (const [i, [old, more]] of failures.entries()) {
      const watching = started();
      await expect(run(old, { ...options, ...more }), `${i}`).rejects.toBeInstanceOf(Error);
      await expectLeft(watching, [], `${i}`);
      vi.restoreAllMocks();
    }
  });

  it('in one shot: may be aborted at any moment', async () => {
    await atEveryMoment(async (moment) => {
      const watching = started();
      const controller = new AbortController();
      const { signal } = controller;
      let over = false;
      const work = rewrap(message, { ...options, signal }).finally(() => {
        over = true;
      });
      work.catch(() => {});
      await until(moment);
      const tooLate = over;
      controller.abort(mine);
      const error = await work.then(
        () => undefined,
        (reason: unknown) => reason,
      );
      if (error !== undefined) expect(error).toMatchObject({ code: 'ABORTED', cause: mine });
      if (tooLate) expect(error).toBeUndefined();
      await expectLeft(watching, [], `${moment}`);
      expect(getEventListeners(signal, 'abort')).toEqual([]);
      vi.restoreAllMocks();
      return tooLate;
    });
  });

  it.each(['the signal aborts', 'the writer aborts', 'the reader cancels'])(
    'streamed: at any moment %s',
    async (way) => {
      await atEveryMoment((moment) => endAt(moment, way, options));
    },
  );
});

/** Whether it was over before it could be ended. */
async function endAt(moment: Moment, way: string, options: RewrapOptions): Promise<boolean> {
  const watching = started();
  const controller = new AbortController();
  const { signal } = controller;
  const stream = rewrapStream({ ...options, signal });
  const [streamReader, writer] = [stream.readable.getReader(), stream.writable.getWriter()];
  for (const promise of [streamReader.closed, writer.closed]) promise.catch(() => {});
  let settled = false;
  const result = stream.result.finally(() => {
    settled = true;
  });
  result.catch(() => {});
  const reading = (async () => {
    while (!(await streamReader.read()).done);
  })();
  const writing = (async () => {
    for (let at = 0; at < message.length; at += 700) await writer.write(message.subarray(at, at + 700));
    await writer.close();
  })();
  for (const work of [reading, writing]) work.catch(() => {});

  await until(moment);
  const over = settled;
  const ends: Record<string, () => Promise<unknown>> = {
    'the signal aborts': async () => controller.abort(mine),
    'the writer aborts': () => writer.abort(mine),
    'the reader cancels': () => streamReader.cancel(mine),
  };
  await ends[way]!().catch((error) => expect(error).toBe(mine));
  if (over) await result;
  else {
    const error = await result.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    // The last byte may have been released in the same moment.
    if (error !== undefined && way === 'the signal aborts')
      expect(error).toMatchObject({ code: 'ABORTED', cause: mine });
    else if (error !== undefined) expect(error).toBe(mine);
  }
  await Promise.allSettled([reading, writing]);
  await expectLeft(watching, [], `${way} ${moment}`);
  expect(getEventListeners(signal, 'abort')).toEqual([]);
  vi.restoreAllMocks();
  return over;
}

interface State {
  readonly options: Partial<RewrapOptions>;
  /** Bytes that are written, and pieces that are read, before it ends. */
  readonly length: number;
  readonly pieces: number;
  /** The signals of a keyring that hangs. */
  readonly signals?: readonly AbortSignal[];
  /** Copies of the data key that a keyring was lent and may still wrap. */
  readonly lent?: number;
}

const states: readonly (readonly [string, () => State])[] = [
  ['before the header', () => ({ options: {}, length: 0, pieces: 0 })],
  ['in the header', () => ({ options: {}, length: 100, pieces: 0 })],
  [
    'while the old keyring hangs',
    () => {
      const keyring = hangingKeyring();
      return { options: { keyring }, length: 3500, pieces: 0, signals: keyring.signals };
    },
  ],
  ...[{}, { keepExisting: true }, { freshDataKey: true }].map(
    (wishes) =>
      [
        `while the new keyring hangs (${Object.keys(wishes)})`,
        () => {
          const keyring = hangingKeyring();
          const lent = wishes.freshDataKey ? 0 : 2;
          const { signals } = keyring;
          return { options: { to: keyring, ...wishes }, length: 3500, pieces: 0, signals, lent };
        },
      ] as const,
  ),
  ['behind the header', () => ({ options: {}, length: 500, pieces: 1 })],
  ['in the middle of a frame', () => ({ options: {}, length: 1500, pieces: 2 })],
  ['while nobody reads', () => ({ options: { frameLength: 1 }, length: 3900, pieces: 1 })],
];

describe.each(states)('a stream that waits %s', (_, make) => {
  it.each(['the signal aborts', 'the writer aborts', 'the reader cancels'])('%s', async (way) => {
    const watching = started();
    const { options, length, pieces, signals, lent = 0 } = make();
    const controller = new AbortController();
    const { signal } = controller;
    const stream = rewrapStream({ keyring: from, to, ...options, signal });
    const [streamReader, writer] = [stream.readable.getReader(), stream.writable.getWriter()];
    for (const promise of [streamReader.closed, writer.closed]) promise.catch(() => {});
    writer.write(message.subarray(0, length)).catch(() => {});
    for (let i = 0; i < pieces; i++) expect((await streamReader.read()).done).toBe(false);
    await (signals ? vi.waitUntil(() => signals.length > 0) : rest());
    if (way === 'the signal aborts') controller.abort(mine);
    if (way === 'the writer aborts') await writer.abort(mine).catch((error) => expect(error).toBe(mine));
    if (way === 'the reader cancels') await streamReader.cancel(mine);
    const error = await stream.result.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    if (way === 'the signal aborts') expect(error).toMatchObject({ code: 'ABORTED', cause: mine });
    else expect(error).toBe(mine);
    if (way !== 'the reader cancels') await expect(streamReader.read()).rejects.toBe(error);
    await expect(writer.write(bytes(1))).rejects.toBe(error);
    await expectLeft(watching, new Array(lent).fill('copy of a data key of 32 bytes'));
    expect(getEventListeners(signal, 'abort')).toEqual([]);
    for (const given of signals ?? []) expect(given.aborted).toBe(true);
  });
});

it('a stream wipes the data keys before the body', async () => {
  for (const [, options] of MODES) {
    const watching = started();
    const stream = rewrapStream(options);
    const [streamReader, writer] = [stream.readable.getReader(), stream.writable.getWriter()];
    for (const promise of [streamReader.closed, writer.closed]) promise.catch(() => {});
    writer.write(message.subarray(0, 1000)).catch(() => {});
    await streamReader.read();
    await stream.header;
    expect(watching.seen().keys).toBe(2);
    await vi.waitFor(() => expect(watching.left().join()).not.toContain('data key'));
    await streamReader.cancel();
    vi.restoreAllMocks();
  }
});

it('a new keyring that answers late has wrapped the data key itself, and leaves nothing', async () => {
  for (const wishes of [{}, { freshDataKey: true }]) {
    const watching = started();
    const wrapped: Uint8Array[] = [];
    let answer: (() => void) | undefined;
    const late: Keyring = {
      ...to,
      onEncrypt: async (materials, call) => {
        await new Promise<void>((resolve) => {
          answer = resolve;
        });
        const answered = await to.onEncrypt(materials, { ...call, signal: undefined });
        wrapped.push(answered.plaintextDataKey!.slice());
        return answered;
      },
    };
    const controller = new AbortController();
    const work = rewrap(message, { keyring: from, to: late, signal: controller.signal, ...wishes });
    work.catch(() => {});
    await vi.waitUntil(() => answer);
    controller.abort(mine);
    expect((await failure(work)).code).toBe('ABORTED');
    answer!();
    await vi.waitUntil(() => wrapped.length > 0);
    await rest();
    expect(wrapped).toEqual(['freshDataKey' in wishes ? NEW_DATA_KEY : dataKeys[0]]);
    expect(watching.left()).toEqual([]);
    vi.restoreAllMocks();
  }
});
