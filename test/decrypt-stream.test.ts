import { getEventListeners } from 'node:events';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { concat } from '../src/bytes.ts';
import {
  type Bytes,
  type CryptographicMaterialsManager,
  type DecryptStreamOptions,
  decryptStream,
  defaultCmm,
  encrypt,
  type Keyring,
  multiKeyring,
  parseHeader,
} from '../src/index.ts';
import { ByteQueue } from '../src/stream/byte-queue.ts';
import { MessageOpener } from '../src/stream/message-opener.ts';
import { suiteById } from '../src/suite/algorithm-suites.ts';
import { aesKeyring, bytes, failure, failureCode, flip, policyFor, SUITE_ROWS } from './support/messages.ts';
import { frames, type NaiveFrame, writeNaively } from './support/naive.ts';
import {
  type Cut,
  collect,
  every,
  inOneShot,
  randomly,
  regularBytes,
  streamed,
  through,
  whole,
} from './support/streams.ts';
import { ownVectors } from './support/vectors-own.ts';

const ENGINES = ['auto', 'native', 'wasm', 'hybrid'] as const;
const CUTS: readonly (readonly [string, Cut])[] = [
  ['in one piece', whole],
  ['byte by byte', every(1)],
  ['in sevens', every(7)],
  ['at random', randomly(11)],
];
const UNSIGNED = suiteById(0x0478)!;
const SIGNED = suiteById(0x0578)!;
const keyring = aesKeyring();
const naive = { wrappingKey: bytes(32), keyNamespace: 'test', keyName: 'aes-1' };
const rest = () => new Promise((done) => setTimeout(done, 2));

afterEach(() => vi.restoreAllMocks());

const read = (message: Uint8Array, options: DecryptStreamOptions = { keyring }, cut: Cut = whole) =>
  through(decryptStream(options), cut(message));

/** A message of frames of 16 bytes. */
const message = (length: number, suite = UNSIGNED) =>
  encrypt(bytes(length), { keyring, frameLength: 16, algorithmSuite: suite.id }).then(
    (sealed) => sealed.ciphertext,
  );

/** Both ends of a stream, of which the writer has written this and not closed. */
function open(input: Uint8Array, options: DecryptStreamOptions = { keyring }) {
  const stream = decryptStream(options);
  const [writer, reader] = [stream.writable.getWriter(), stream.readable.getReader()];
  for (const promise of [writer.closed, reader.closed]) promise.catch(() => {});
  const pieces: Bytes[] = [];
  const reading = (async () => {
    for (let next = await reader.read(); !next.done; next = await reader.read()) pieces.push(next.value);
  })();
  reading.catch(() => {});
  const writing = writer.write(input as Bytes);
  writing.catch(() => {});
  return { ...stream, writer, reader, reading, writing, released: () => concat(...pieces) };
}

describe.each(ENGINES)('engine %s', (engine) => {
  it.each(SUITE_ROWS)('%s: reads what one shot and a second writer write', async (_, suite) => {
    const common = { keyring, commitmentPolicy: policyFor(suite) };
    for (const length of [0, 1, 16, 17, 100, 1000]) {
      const plaintext = bytes(length);
      const sealed = await encrypt(plaintext, { ...common, algorithmSuite: suite.id, frameLength: 16 });
      const foreign = { ...naive, suite, context: { a: 'b' } };
      const messages = [
        sealed.ciphertext,
        writeNaively({ ...foreign, frameLength: 16, body: frames(plaintext, 16) }),
        writeNaively({ ...foreign, frameLength: 0, body: plaintext }),
      ];
      for (const one of messages) {
        const oneShot = await inOneShot(one, common);
        for (const [, cut] of engine === 'auto' ? CUTS : CUTS.slice(2)) {
          const { bytes: released } = await streamed(one, { ...common, engine }, cut, oneShot);
          expect(released).toEqual(plaintext);
        }
      }
    }
  });

  it('releases the frames before an altered one, and nothing of it or behind it', async () => {
    for (const suite of [UNSIGNED, SIGNED]) {
      const sealed = await message(16 * 20 + 5, suite);
      const { headerLength } = parseHeader(sealed);
      for (const frame of [0, 1, 7, 19, 20]) {
        const altered = flip(sealed, headerLength + frame * 48 + 30);
        for (const [, cut] of CUTS) {
          const { error, bytes: released } = await read(altered, { keyring, engine }, cut);
          expect(error!.code).toBe('AUTHENTICATION_FAILED');
          expect(released).toEqual(bytes(16 * frame));
          const held = await read(altered, { keyring, engine, signedStreams: 'hold-all' }, cut);
          expect(held.bytes).toEqual(suite === SIGNED ? bytes(0) : bytes(16 * frame));
        }
      }
    }
  });
});

describe('the header', () => {
  it('is known as soon as it is authentic, before any frame has come', async () => {
    const sealed = await message(100);
    const { headerLength } = parseHeader(sealed);
    const { header, writer, writing, reader } = open(sealed.subarray(0, headerLength - 1));
    await writing;
    await rest();
    expect(await Promise.race([header, 'not yet'])).toBe('not yet');
    await writer.write(sealed.slice(headerLength - 1, headerLength));
    expect(await header).toEqual(parseHeader(sealed));
    await reader.cancel();
  });

  it('is never known when it is not authentic', async () => {
    const sealed = await message(100);
    const { headerLength } = parseHeader(sealed);
    for (const at of [headerLength - 1, headerLength - 17, 40]) {
      const outcome = await read(flip(sealed, at));
      expect([outcome.header, outcome.bytes.length]).toEqual([undefined, 0]);
      expect(outcome.error).toBeDefined();
    }
  });

  it('stays known when the body is not', async () => {
    const sealed = await message(100);
    const outcome = await read(flip(sealed, sealed.length - 1));
    expect(outcome.header).toEqual(parseHeader(sealed));
    expect(outcome.error!.code).toBe('AUTHENTICATION_FAILED');
  });

  it('of 64 KiB may come byte by byte', async () => {
    const encryptionContext = { long: 'x'.repeat(65_000) };
    const { ciphertext } = await encrypt(bytes(50), { keyring, encryptionContext });
    const { bytes: released, header } = await read(ciphertext, { keyring }, every(1));
    expect(released).toEqual(bytes(50));
    expect(header!.headerLength).toBeGreaterThan(65_000);
  });

  it('is not waited for beyond maxHeaderLength', async () => {
    const sealed = await message(10);
    const { headerLength } = parseHeader(sealed);
    const exactly = await read(sealed, { keyring, maxHeaderLength: headerLength }, every(5));
    expect(exactly.bytes).toEqual(bytes(10));
    const less = await read(sealed, { keyring, maxHeaderLength: headerLength - 1 }, every(5));
    expect(less.error!.code).toBe('LIMIT_EXCEEDED');
    expect(less.error!.message).toContain('maxHeaderLength');
  });

  it('with too many encrypted data keys is refused at their number', async () => {
    const keyrings = [2, 3, 4].map((seed) => aesKeyring(seed));
    const multi = multiKeyring({ generator: keyring, children: keyrings });
    const { ciphertext } = await encrypt(bytes(10), { keyring: multi, algorithmSuite: 0x0478 });
    const start = ciphertext.subarray(0, 1 + 2 + 32 + 2 + 2); // up to the number, the context is empty
    const { reading } = open(start, { keyring, maxEncryptedDataKeys: 3 });
    expect(await failureCode(reading)).toBe('LIMIT_EXCEEDED');
    expect((await read(ciphertext, { keyring, maxEncryptedDataKeys: 4 })).bytes).toEqual(bytes(10));
  });

  it('with a frame length above the limit calls no keyring', async () => {
    const asked = vi.fn();
    const never: Keyring = { onEncrypt: asked, onDecrypt: asked };
    const { ciphertext } = await encrypt(bytes(9), { keyring, frameLength: 1001 });
    const { error } = await read(ciphertext, { keyring: never, maxFrameLength: 1000 });
    expect(error!.code).toBe('LIMIT_EXCEEDED');
    expect(asked).not.toHaveBeenCalled();
  });
});

describe('the final frame', () => {
  it.each(SUITE_ROWS)('%s: is held until the message has ended', async (_, suite) => {
    const commitmentPolicy = policyFor(suite);
    const options = { keyring, commitmentPolicy };
    for (const length of [10, 16, 42]) {
      const sealed = await encrypt(bytes(length), { ...options, algorithmSuite: suite.id, frameLength: 16 });
      const stream = open(sealed.ciphertext, options);
      await stream.writing;
      await rest();
      expect(stream.released()).toEqual(bytes(regularBytes(sealed.ciphertext, length)));
      expect(await Promise.race([stream.result, 'not yet'])).toBe('not yet');
      await stream.writer.close();
      await stream.reading;
      expect(stream.released()).toEqual(bytes(length));
    }
  });

  it('is not released when a byte follows, which is an error at once', async () => {
    for (const suite of [UNSIGNED, SIGNED]) {
      for (const behind of [1, 1000]) {
        const stream = open(concat(await message(42, suite), new Uint8Array(behind)));
        expect(await failureCode(stream.reading)).toBe('TRAILING_BYTES'); // without a close
        expect(stream.released()).toEqual(bytes(32));
        expect(await failureCode(stream.result)).toBe('TRAILING_BYTES');
        expect(await failureCode(stream.writer.closed)).toBe('TRAILING_BYTES');
      }
    }
  });

  it('that is empty means that all was released before the end', async () => {
    const body: NaiveFrame[] = frames(bytes(32), 16).map((frame) => ({ ...frame, final: false }));
    body.push({ sequenceNumber: 3, plaintext: new Uint8Array(0), final: true });
    for (const spoilSignature of [false, true]) {
      const foreign = writeNaively({ ...naive, suite: SIGNED, frameLength: 16, body, spoilSignature });
      for (const [, cut] of CUTS) {
        const outcome = await read(foreign, { keyring }, cut);
        expect(outcome.bytes).toEqual(bytes(32));
        expect(outcome.error?.code).toBe(spoilSignature ? 'AUTHENTICATION_FAILED' : undefined);
        const held = await read(foreign, { keyring, signedStreams: 'hold-all' }, cut);
        expect(held.bytes).toEqual(spoilSignature ? bytes(0) : bytes(32));
      }
    }
  });
});

describe('a signed message', () => {
  const spoiled = (length: number, suite = SIGNED) =>
    writeNaively({ ...naive, suite, frameLength: 16, body: frames(bytes(length), 16), spoilSignature: true });
  const rows = SUITE_ROWS.filter(([, suite]) => suite.signature !== undefined);

  it.each(rows)(
    '%s: with a wrong signature releases no final frame, and with "hold-all" nothing',
    async (_, suite) => {
      const options = { keyring, commitmentPolicy: policyFor(suite) };
      for (const length of [0, 5, 16, 32, 100]) {
        const wrong = spoiled(length, suite);
        for (const [, cut] of CUTS) {
          const outcome = await read(wrong, options, cut);
          expect(outcome.error!.code).toBe('AUTHENTICATION_FAILED');
          expect(outcome.bytes).toEqual(bytes(regularBytes(wrong, length)));
          const held = await read(wrong, { ...options, signedStreams: 'hold-all' }, cut);
          expect([held.error!.code, held.bytes.length]).toEqual(['AUTHENTICATION_FAILED', 0]);
        }
      }
    },
  );

  it('cut anywhere in its footer, or without one, releases no final frame', async () => {
    const sealed = await message(42, SIGNED);
    for (let length = sealed.length - 105; length < sealed.length; length++) {
      const outcome = await read(sealed.subarray(0, length), { keyring }, randomly(length));
      expect([outcome.error!.code, outcome.bytes.length]).toEqual(['TRUNCATED', 32]);
    }
  });

  it('with a body that is not framed releases nothing before its signature', async () => {
    const non = { ...naive, suite: SIGNED, frameLength: 0, body: bytes(100) };
    for (const [, cut] of CUTS) {
      expect((await read(writeNaively(non), { keyring }, cut)).bytes).toEqual(bytes(100));
      const outcome = await read(writeNaively({ ...non, spoilSignature: true }), { keyring }, cut);
      expect([outcome.error!.code, outcome.bytes.length]).toEqual(['AUTHENTICATION_FAILED', 0]);
    }
  });

  it('is refused by "refuse" before any keyring is called; an unsigned one is not', async () => {
    const asked = vi.fn();
    const never: Keyring = { onEncrypt: asked, onDecrypt: asked };
    const sealed = await message(42, SIGNED);
    const { error, bytes: released } = await read(sealed, { keyring: never, signedStreams: 'refuse' });
    expect([error!.code, released.length]).toEqual(['UNSUPPORTED', 0]);
    expect(asked).not.toHaveBeenCalled();
    expect((await read(await message(42), { keyring, signedStreams: 'refuse' })).bytes).toEqual(bytes(42));
  });

  it('with "hold-all" releases nothing before its end, then all of it', async () => {
    const stream = open(await message(100, SIGNED), { keyring, signedStreams: 'hold-all' });
    await stream.writing;
    await stream.header;
    await rest();
    expect(stream.released()).toHaveLength(0);
    await stream.writer.close();
    await stream.reading;
    expect(stream.released()).toEqual(bytes(100));
  });

  it('may have exactly maxHeldBytes, and not one more', async () => {
    const options = { keyring, signedStreams: 'hold-all' } as const;
    for (const length of [0, 1, 16, 100, 5000]) {
      const sealed = await message(length, SIGNED);
      for (const [, cut] of CUTS.slice(0, 3)) {
        const outcome = await read(sealed, { ...options, maxHeldBytes: length }, cut);
        expect(outcome.bytes).toEqual(bytes(length));
        if (length === 0) continue;
        const { error, bytes: released } = await read(sealed, { ...options, maxHeldBytes: length - 1 }, cut);
        expect([error!.code, released.length]).toEqual(['LIMIT_EXCEEDED', 0]);
        expect(error!.message).toContain(`maxHeldBytes is ${length - 1}`);
      }
    }
    expect((await read(await message(100), { ...options, maxHeldBytes: 0 })).bytes).toEqual(bytes(100)); // unsigned
  });

  it('of tiny frames that come one by one is held in few pieces', async () => {
    const sealed = await encrypt(bytes(20_000), { keyring, frameLength: 1 });
    const stream = decryptStream({ keyring, signedStreams: 'hold-all' });
    const writer = stream.writable.getWriter();
    const opened = vi.spyOn(MessageOpener.prototype, 'openFrames');
    const writing = (async () => {
      for (const piece of every(33)(sealed.ciphertext)) {
        await writer.write(piece as Bytes);
        if (writer.desiredSize! > 0) await new Promise(setImmediate); // the reader takes it
      }
      await writer.close();
    })();
    const pieces: Bytes[] = [];
    for await (const piece of stream.readable as unknown as AsyncIterable<Bytes>) pieces.push(piece);
    await writing;
    expect(concat(...pieces)).toEqual(bytes(20_000));
    expect(opened.mock.calls.length).toBeGreaterThan(10_000);
    expect(pieces.length).toBeLessThan(40);
  });

  it('wipes what it holds, and what it was given, when its signature is wrong', async () => {
    const wipe = vi.spyOn(ByteQueue.prototype, 'wipe');
    const outputs: Uint8Array[] = [];
    const { openFrames } = MessageOpener.prototype;
    vi.spyOn(MessageOpener.prototype, 'openFrames').mockImplementation(async function (
      this: MessageOpener,
      ...job
    ) {
      const opened = await openFrames.apply(this, job);
      expect(job[3]).toEqual(bytes(10));
      outputs.push(job[3]);
      return opened;
    });
    for (const signedStreams of ['hold-final-frame', 'hold-all'] as const) {
      expect((await read(spoiled(10), { keyring, signedStreams })).error!.code).toBe('AUTHENTICATION_FAILED');
    }
    expect(outputs).toEqual([new Uint8Array(10), new Uint8Array(10)]);
    expect(wipe).toHaveBeenCalledTimes(2);
    await read(await message(10, SIGNED));
    expect(wipe).toHaveBeenCalledTimes(3);
  });

  it('leaves no plaintext behind that it has not released', async () => {
    for (const signedStreams of ['hold-final-frame', 'hold-all'] as const) {
      const outputs: Uint8Array[] = [];
      const { openFrames } = MessageOpener.prototype;
      vi.spyOn(MessageOpener.prototype, 'openFrames').mockImplementation(function (
        this: MessageOpener,
        ...job
      ) {
        outputs.push(job[3]);
        return openFrames.apply(this, job);
      });
      const { bytes: released } = await read(spoiled(1000), { keyring, signedStreams }, every(100));
      const left = outputs.flatMap((output) => [...output]);
      expect(left.every((byte, i) => byte === 0 || byte === released[i])).toBe(true);
      vi.restoreAllMocks();
    }
  });
});

describe('frames', () => {
  it('come out as soon as they are whole', async () => {
    const sealed = await message(100);
    const { headerLength } = parseHeader(sealed);
    const stream = open(sealed.subarray(0, headerLength + 48 + 47));
    await stream.writing;
    await rest();
    expect(stream.released()).toEqual(bytes(16));
    await stream.writer.write(sealed.slice(headerLength + 95, headerLength + 96));
    await rest();
    expect(stream.released()).toEqual(bytes(32));
    await stream.reader.cancel();
  });

  it.each([2 ** 31 - 1, 2 ** 32 - 1])('of %i bytes cost what has come', async (frameLength) => {
    const options = { keyring, maxFrameLength: frameLength };
    for (const length of [0, 1, 5000]) {
      const body = [{ sequenceNumber: 1, plaintext: bytes(length), final: true }];
      const foreign = writeNaively({ ...naive, suite: UNSIGNED, frameLength, body });
      expect((await read(foreign, options, every(7))).bytes).toEqual(bytes(length));
      const { error } = await read(foreign.subarray(0, foreign.length - 1), options, every(7));
      expect(error!.code).toBe('TRUNCATED');
      expect((await read(foreign)).error!.code).toBe('LIMIT_EXCEEDED');
    }
  });

  it('of 1 byte are read one by one', async () => {
    const { ciphertext } = await encrypt(bytes(3000), { keyring, frameLength: 1 });
    for (const [, cut] of CUTS) expect((await read(ciphertext, { keyring }, cut)).bytes).toEqual(bytes(3000));
  });

  it('out of order, repeated or missing are errors as soon as they come', async () => {
    const f = frames(bytes(50), 16);
    for (const body of [
      [f[1]!, f[0]!],
      [f[0]!, f[0]!],
      [f[0]!, f[2]!],
    ]) {
      const foreign = writeNaively({ ...naive, suite: UNSIGNED, frameLength: 16, body });
      const stream = open(foreign);
      expect(await failureCode(stream.reading)).toBe('INVALID_MESSAGE'); // without a close
      expect(bytes(50).subarray(0, stream.released().length)).toEqual(stream.released());
    }
  });

  it('are told of as progress, which only grows', async () => {
    const told: number[] = [];
    const onProgress = ({ bytes }: { bytes: number }) => told.push(bytes);
    await read(await message(1000), { keyring, onProgress }, every(100));
    expect(told.every((bytes, i) => i === 0 || bytes > told[i - 1]!)).toBe(true);
    expect(told.at(-1)).toBe(1000);
  });
});

describe('a body that is not framed', () => {
  it('counts against maxFrameLength as soon as its length has come', async () => {
    const foreign = writeNaively({ ...naive, suite: UNSIGNED, frameLength: 0, body: bytes(1001) });
    const { headerLength } = parseHeader(foreign);
    const options = { keyring, maxFrameLength: 1000 };
    const stream = open(foreign.subarray(0, headerLength + 20), options);
    expect(await failureCode(stream.reading)).toBe('LIMIT_EXCEEDED');
    expect((await read(foreign, { keyring, maxFrameLength: 1001 }, every(9))).bytes).toEqual(bytes(1001));
  });

  it('cut anywhere is TRUNCATED, with nothing released', async () => {
    const foreign = writeNaively({ ...naive, suite: UNSIGNED, frameLength: 0, body: bytes(50) });
    const { headerLength } = parseHeader(foreign);
    for (let length = headerLength; length < foreign.length; length++) {
      const outcome = await read(foreign.subarray(0, length), { keyring }, randomly(length));
      expect([outcome.error!.code, outcome.bytes.length]).toEqual(['TRUNCATED', 0]);
    }
  });
});

describe('small messages', () => {
  const NAMES = [
    '0178-full-final-frame',
    '0378-non-framed',
    '0478-full-final-frame',
    '0578-full-final-frame',
  ];
  const vectors = ownVectors('manifest.json').filter(({ name }) => NAMES.includes(name));

  it('are known', () => expect(vectors).toHaveLength(4));

  it.each(vectors)('$name cut off at any byte is TRUNCATED, and a prefix is released', async (vector) => {
    for (let length = 0; length < vector.message.length; length++) {
      const cut = [whole, every(1), randomly(length)][length % 3]!;
      const { error, bytes: released } = await read(vector.message.subarray(0, length), vector.options, cut);
      expect(error?.code, `at ${length}`).toBe('TRUNCATED');
      expect(released).toEqual(vector.plaintext!.slice(0, released.length));
      expect(released.length).toBeLessThanOrEqual(regularBytes(vector.message, vector.plaintext!.length));
    }
  });
});

describe('what can be told at once is thrown', () => {
  it.each<[string, DecryptStreamOptions, string]>([
    ['no keyring', {} as DecryptStreamOptions, 'INVALID_ARGUMENT'],
    ['an unknown choice', { keyring, signedStreams: 'hold' as never }, 'INVALID_ARGUMENT'],
    ['no number of held bytes', { keyring, maxHeldBytes: Number.POSITIVE_INFINITY }, 'INVALID_ARGUMENT'],
    ['a negative one', { keyring, maxHeldBytes: -1 }, 'INVALID_ARGUMENT'],
    ['a header of 0 bytes', { keyring, maxHeaderLength: 0 }, 'INVALID_ARGUMENT'],
    ['a misspelt option', { keyring, signedStream: 'refuse' } as never, 'INVALID_ARGUMENT'],
    ['an aborted signal', { keyring, signal: AbortSignal.abort() }, 'ABORTED'],
  ])('%s', async (_, options, code) => {
    expect(await failureCode(() => decryptStream(options))).toBe(code);
  });
});

describe('both ends hear of a message that is wrong', () => {
  const wrong = async () => flip(await message(100, SIGNED), (await message(100, SIGNED)).length - 1);

  it('a close, and a pipe into the stream, at its end', async () => {
    const { writer, writing, reading } = open(await wrong());
    await writing;
    const error = await failure(writer.close());
    expect(error.code).toBe('AUTHENTICATION_FAILED');
    await expect(reading).rejects.toBe(error);

    const stream = decryptStream({ keyring });
    const piping = new Blob([(await wrong()) as Bytes]).stream().pipeTo(stream.writable);
    piping.catch(() => {});
    expect(await failureCode(collect(stream.readable))).toBe('AUTHENTICATION_FAILED');
    expect(await failureCode(piping)).toBe('AUTHENTICATION_FAILED');
  });

  it('a pipe out of it, whose destination is aborted', async () => {
    let aborted: unknown;
    const destination = new WritableStream<Bytes>({
      abort: (reason) => {
        aborted = reason;
      },
    });
    const source = new Blob([(await wrong()) as Bytes]).stream();
    const error = await failure(source.pipeThrough(decryptStream({ keyring })).pipeTo(destination));
    expect(error.code).toBe('AUTHENTICATION_FAILED');
    expect(aborted).toBe(error);
  });

  it('the source of a pipe is cancelled when the message is wrong at its beginning', async () => {
    let cancelled: unknown;
    const source = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new Uint8Array(1000)),
      cancel: (reason) => {
        cancelled = reason;
      },
    });
    const error = await failure(collect(source.pipeThrough(decryptStream({ keyring }))));
    expect(error.code).toBe('INVALID_MESSAGE');
    await rest();
    expect(cancelled).toBe(error);
  });

  it('nothing at all is TRUNCATED', async () => {
    expect((await read(new Uint8Array(0))).error!.code).toBe('TRUNCATED');
  });
});

describe('an early end', () => {
  const mine = new Error('mine');
  const inner = defaultCmm({ keyring });
  let sealed: Bytes;
  let headerLength: number;
  beforeAll(async () => {
    sealed = await message(1000, SIGNED);
    ({ headerLength } = parseHeader(sealed));
  });

  interface State {
    stopped?: AbortSignal;
    readonly options: DecryptStreamOptions;
    /** Bytes of the message that have come. */
    readonly length: number;
    readonly released: number;
  }
  const hanging = (state: State): State => {
    const cmm: CryptographicMaterialsManager = {
      ...inner,
      decryptMaterials: ({ signal }) => {
        state.stopped = signal!;
        return new Promise(() => {});
      },
    };
    return Object.assign(state, { options: { cmm } });
  };
  const states: [string, () => State][] = [
    ['before the first byte', () => ({ options: { keyring }, length: 0, released: 0 })],
    ['in the header', () => ({ options: { keyring }, length: 50, released: 0 })],
    [
      'while a manager hangs',
      () => hanging({ options: {} as never, length: headerLength + 10, released: 0 }),
    ],
    ['behind the header', () => ({ options: { keyring }, length: headerLength, released: 0 })],
    ['in the middle of a frame', () => ({ options: { keyring }, length: headerLength + 70, released: 16 })],
    ['before the footer', () => ({ options: { keyring }, length: sealed.length - 105, released: 992 })],
    ['in the footer', () => ({ options: { keyring }, length: sealed.length - 1, released: 992 })],
    ['before the end', () => ({ options: { keyring }, length: sealed.length, released: 992 })],
    [
      'while all is held',
      () => ({ options: { keyring, signedStreams: 'hold-all' }, length: sealed.length - 50, released: 0 }),
    ],
  ];
  const ways = {
    'the reader cancels': ({ reader }) => reader.cancel(mine),
    'the writer aborts': ({ writer }) => writer.abort(mine),
    'the signal aborts': async ({ controller }) => controller.abort(mine),
  } satisfies Record<
    string,
    (stream: ReturnType<typeof open> & { controller: AbortController }) => Promise<unknown>
  >;

  describe.each(states)('%s', (_, make) => {
    it.each(Object.entries(ways))('%s: fails both ends and leaves nothing behind', async (way, end) => {
      for (const engine of ENGINES) {
        const dispose = vi.spyOn(MessageOpener.prototype, 'dispose').mockClear();
        const begin = vi.spyOn(MessageOpener, 'begin').mockClear();
        const state = make();
        const controller = new AbortController();
        const { signal } = controller;
        const stream = open(sealed.subarray(0, state.length), { ...state.options, signal, engine });
        if (!state.stopped && state.length >= headerLength && !('cmm' in state.options)) await stream.header;
        await rest();
        expect(stream.released()).toEqual(bytes(state.released));
        await end({ ...stream, controller });
        const error = await stream.result.then(
          () => undefined,
          (reason: unknown) => reason,
        );
        if (way === 'the signal aborts') expect(error).toMatchObject({ code: 'ABORTED', cause: mine });
        else expect(error).toBe(mine);
        if (way === 'the reader cancels') await stream.reading;
        else await expect(stream.reading).rejects.toBe(error);
        await expect(stream.writer.write(bytes(1))).rejects.toBe(error);
        await rest();
        expect(stream.released()).toEqual(bytes(state.released));
        expect(dispose).toHaveBeenCalledTimes(begin.mock.calls.length);
        expect(getEventListeners(signal, 'abort')).toEqual([]);
        if ('cmm' in state.options) expect(state.stopped!.aborted).toBe(true);
      }
    });
  });

  it('by a reader that has enough stops the source', async () => {
    let pulled = 0;
    const source = new ReadableStream<Uint8Array>(
      {
        pull: (controller) => {
          controller.enqueue(sealed.slice(pulled, pulled + 10));
          pulled += 10;
        },
      },
      { highWaterMark: 0 },
    );
    for await (const piece of source.pipeThrough(
      decryptStream({ keyring }),
    ) as unknown as AsyncIterable<Bytes>) {
      expect(piece).toEqual(bytes(16));
      break;
    }
    await rest();
    const then = pulled;
    await rest();
    expect([pulled, pulled < sealed.length]).toEqual([then, true]);
  });
});

describe('a keyring', () => {
  it('is asked once, with a signal, however the message is cut', async () => {
    const sealed = await message(100);
    for (const [, cut] of CUTS) {
      const onDecrypt = vi.fn(keyring.onDecrypt);
      const { bytes: released } = await read(sealed, { keyring: { ...keyring, onDecrypt } }, cut);
      expect(released).toEqual(bytes(100));
      expect(onDecrypt).toHaveBeenCalledTimes(1);
      expect(onDecrypt.mock.calls[0]![2].signal).toBeInstanceOf(AbortSignal);
    }
  });

  it('that fails, or knows no key, fails both ends with what it says', async () => {
    const sealed = await message(100);
    expect((await read(sealed, { keyring: aesKeyring(9) })).error!.code).toBe('NO_DATA_KEY');
    const encryptionContext = { purpose: 'another' };
    expect((await read(sealed, { keyring, encryptionContext })).error!.code).toBe('CONTEXT_MISMATCH');
  });
});
