import { getEventListeners } from 'node:events';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { concat } from '../../src/bytes.ts';
import { untilAborted } from '../../src/deadline.ts';
import { type Bytes, FramesealError, type MessageHeader } from '../../src/index.ts';
import {
  type MessageProtocol,
  type MessageRun,
  type MessageStream,
  messageStream,
} from '../../src/stream/message-stream.ts';
import { bytes, failure } from '../support/messages.ts';
import { collect, every, resizable, through } from '../support/streams.ts';

const HEADER = { version: 2 } as MessageHeader;
const rest = () => new Promise((done) => setTimeout(done, 2));

/** Hands on what comes, and notes what becomes of it. */
class Echo {
  readonly protocol: MessageProtocol<string> = (run) => this.#generator(run);
  run!: MessageRun;
  yielded = 0;
  cleanedUp = false;
  /** Awaited before anything else. */
  readonly #first: (run: MessageRun) => unknown;
  /** Awaited after the last byte. */
  readonly #last: () => unknown;

  constructor(first: (run: MessageRun) => unknown = () => {}, last: () => unknown = () => {}) {
    this.#first = first;
    this.#last = last;
  }

  async *#generator(run: MessageRun): AsyncGenerator<Bytes, string> {
    this.run = run;
    const { input, onHeader } = run;
    try {
      await this.#first(run);
      onHeader(HEADER);
      while (await input.need(1)) {
        const piece = input.bytes.slice(0, 10) as Bytes;
        input.skip(piece.length);
        this.yielded++;
        yield piece;
      }
      await this.#last();
      return 'the result';
    } finally {
      await rest(); // whoever waits for the clean-up sees it done
      this.cleanedUp = true;
      input.wipe();
    }
  }
}

function open(echo: Echo, signal?: AbortSignal) {
  const stream = messageStream(echo.protocol, signal);
  const writer = stream.writable.getWriter();
  const reader = stream.readable.getReader();
  for (const promise of [writer.closed, writer.ready, reader.closed]) promise.catch(() => {});
  return { ...stream, writer, reader };
}

describe('from end to end', () => {
  it('hands on the bytes, then the result', async () => {
    const echo = new Echo();
    const { signal } = new AbortController();
    const outcome = await through(messageStream(echo.protocol, signal), every(7)(bytes(100)));
    expect(outcome.bytes).toEqual(bytes(100));
    expect([outcome.header, outcome.result]).toEqual([HEADER, 'the result']);
    expect(echo.cleanedUp).toBe(true);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('makes the header known before the first byte is written, and the result after the last one is read', async () => {
    const { header, result, writer, reader } = open(new Echo());
    expect(await header).toBe(HEADER);
    let ended = false;
    void result.then(() => {
      ended = true;
    });
    await writer.write(bytes(5));
    const closed = writer.close();
    await rest();
    expect(ended).toBe(false);
    expect((await reader.read()).value).toEqual(bytes(5));
    await result;
    expect(ended).toBe(true);
    expect(await reader.read()).toEqual({ done: true, value: undefined });
    await closed;
  });

  it('makes one piece ahead of the reader', async () => {
    const echo = new Echo();
    const { writer, reader } = open(echo);
    await writer.write(bytes(100));
    await rest();
    expect(echo.yielded).toBe(1);
    for (let read = 1; read < 5; read++) {
      await reader.read();
      await rest();
      expect(echo.yielded).toBe(1 + read);
    }
    await reader.cancel();
  });

  it('lets the writer wait while the queue is full', async () => {
    const { writer, reader } = open(new Echo());
    let written = 0;
    const writing = (async () => {
      for (; written < 200; written++) await writer.write(bytes(10_000));
    })().catch(() => {});
    await rest();
    const first = written;
    expect(first).toBeLessThan(30);
    await rest();
    expect([written, writer.desiredSize]).toEqual([first, 0]);
    for (let i = 0; i < 10_000; i++) await reader.read();
    expect(written).toBeGreaterThan(first);
    await reader.cancel();
    await writing;
  });

  it('fits pipeThrough and pipeTo, and a loop', async () => {
    const source = new Blob([bytes(1000)]).stream();
    const [first, second] = [new Echo(), new Echo()];
    const stream = source
      .pipeThrough(messageStream(first.protocol, undefined))
      .pipeThrough(messageStream(second.protocol, undefined));
    expect(await collect(stream)).toEqual(bytes(1000));
    expect([first.cleanedUp, second.cleanedUp]).toEqual([true, true]);
  });
});

describe('chunks', () => {
  const eight = bytes(8);
  const buffer = () => bytes(8).buffer;
  const shared = () => {
    const view = new Uint8Array(new SharedArrayBuffer(8));
    view.set(eight);
    return view;
  };
  const growing = () => {
    const buffer = resizable(8, 100);
    new Uint8Array(buffer).set(eight);
    return buffer;
  };
  const elsewhere = (code: string) => runInNewContext(`const bytes = new Uint8Array([${eight}]); ${code}`);

  it.each<[string, unknown]>([
    ['an ArrayBuffer', buffer()],
    ['a Uint8Array', bytes(8)],
    ['a view of a larger buffer', concat(bytes(3), eight, bytes(3)).subarray(3, 11)],
    ['a Buffer', Buffer.from(eight)],
    ['a DataView', new DataView(concat(bytes(3), eight).buffer, 3)],
    ['a Float64Array', new Float64Array(buffer())],
    ['a Uint8ClampedArray', new Uint8ClampedArray(buffer())],
    ['a SharedArrayBuffer', shared().buffer],
    ['a view of shared memory', shared()],
    ['a resizable ArrayBuffer', growing()],
    ['a view of one', new Uint8Array(growing())],
    ['an ArrayBuffer of another realm', elsewhere('bytes.buffer')],
    ['a Uint8Array of another realm', elsewhere('bytes')],
  ])('%s', async (_, chunk) => {
    const outcome = await through(messageStream(new Echo().protocol, undefined), [
      new Uint8Array(0),
      chunk as Uint8Array,
      new ArrayBuffer(0) as never,
    ]);
    expect(outcome.error).toBeUndefined();
    expect(outcome.bytes).toEqual(eight);
  });

  it('is read as it was when its write began, although its buffer grows', async () => {
    const buffer = growing();
    const { writer, reader } = open(new Echo(rest));
    await writer.write(new Uint8Array(0)); // the stream has begun: the next write is seen at once
    const written = writer.write(new Uint8Array(buffer));
    buffer.resize(50);
    expect((await reader.read()).value).toEqual(eight);
    await written;
    void writer.close();
    expect((await reader.read()).done).toBe(true);
  });

  it('may be changed as soon as its write has settled', async () => {
    const { writer, reader } = open(new Echo());
    const chunk = new Uint8Array(10);
    const writing = (async () => {
      for (let i = 1; i <= 50; i++) {
        await writer.write(chunk.fill(i));
        chunk.fill(0xee);
      }
      await writer.close();
    })();
    for (let i = 1; i <= 50; i++) expect((await reader.read()).value).toEqual(new Uint8Array(10).fill(i));
    expect((await reader.read()).done).toBe(true);
    await writing;
  });

  const detached = <T extends ArrayBuffer | ArrayBufferView>(chunk: T, owned: ArrayBuffer): T => {
    structuredClone(owned, { transfer: [owned] });
    return chunk;
  };
  const outside = <T extends ArrayBufferView>(of: (buffer: ArrayBuffer) => T): T => {
    const large = resizable(8, 8);
    const view = of(large);
    large.resize(2);
    return view;
  };
  it.each<[string, unknown]>([
    ['a string', 'text'],
    ['a number', 7],
    ['null', null],
    ['undefined', undefined],
    ['an array', [1, 2, 3]],
    ['an object', { length: 3 }],
    ['a Blob', new Blob([eight])],
    ['a function', () => eight],
  ])('refuses %s, at both ends', refused);

  it.each<[string, () => unknown]>([
    ['a detached ArrayBuffer', () => ((owned) => detached(owned, owned))(buffer())],
    ['a detached Uint8Array', () => ((view) => detached(view, view.buffer))(bytes(8))],
    ['a detached DataView', () => ((view) => detached(view, view.buffer))(new DataView(buffer()))],
    ['a view that its buffer no longer has', () => outside((large) => new Uint8Array(large, 4, 4))],
    ['a DataView that its buffer no longer has', () => outside((large) => new DataView(large, 4, 4))],
  ])('refuses %s, which looks empty', (name, make) => refused(name, make()));

  async function refused(_: string, chunk: unknown): Promise<void> {
    const echo = new Echo();
    const { writer, reader, result, readable } = open(echo);
    await writer.write(bytes(3));
    const reading = reader.read().then(() => reader.read());
    const error = await failure(writer.write(chunk as never));
    expect(error.code).toBe('INVALID_ARGUMENT');
    expect(error.message).toContain('"chunk" expected an ArrayBuffer or a view of one');
    for (const end of [reading, writer.closed, result]) await expect(end).rejects.toBe(error);
    await rest();
    await rest();
    expect([echo.cleanedUp, echo.run.signal.aborted, readable.locked]).toEqual([true, true, true]);
  }

  it('refuses a buffer that is transferred while its write waits, at both ends', async () => {
    const { writer, reader, result } = open(new Echo(rest));
    const chunk = bytes(1000);
    await writer.write(new Uint8Array(0)); // the stream has begun: the next write is seen at once
    const written = failure(writer.write(chunk));
    structuredClone(chunk, { transfer: [chunk.buffer] });
    const error = await written;
    expect(error.message).toContain('to keep its 1000 bytes until its write settles');
    for (const end of [reader.read(), writer.closed, result]) await expect(end).rejects.toBe(error);
  });

  it('refuses what is no view although it says so, at both ends', async () => {
    const { writer, reader, result } = open(new Echo());
    await expect(writer.write(new Proxy(bytes(3), {}))).rejects.toThrow(TypeError);
    for (const end of [reader.read(), writer.closed, result]) await expect(end).rejects.toThrow(TypeError);
  });
});

describe('an early end', () => {
  const mine = new Error('mine');
  type Opened = ReturnType<typeof open> & { readonly controller: AbortController };

  // What the far end is told: the reason given, or ABORTED.
  const ways: [string, (stream: Opened) => Promise<unknown>, unknown][] = [
    ['the reader cancels with a reason', ({ reader }) => reader.cancel(mine), mine],
    ['the reader cancels', ({ reader }) => reader.cancel(), 'ABORTED'],
    ['the writer aborts with a reason', ({ writer }) => writer.abort(mine), mine],
    ['the writer aborts', ({ writer }) => writer.abort(), 'ABORTED'],
    ['the writer aborts with text', ({ writer }) => writer.abort('text'), 'text'],
    [
      'the writer aborts with an AbortError',
      ({ writer }) => writer.abort(AbortSignal.abort().reason),
      'ABORTED',
    ],
    [
      'the writer aborts with a TimeoutError',
      ({ writer }) => writer.abort(new DOMException('', 'TimeoutError')),
      'TimeoutError',
    ],
    ['the signal aborts', async ({ controller }) => controller.abort(), 'ABORTED'],
    ['the signal aborts with a reason', async ({ controller }) => controller.abort(mine), 'ABORTED'],
    [
      'the writer writes what it cannot',
      ({ writer }) => writer.write('text' as never).catch(() => {}),
      'INVALID_ARGUMENT',
    ],
  ];
  const hangs = ({ signal }: MessageRun) => untilAborted(signal, new Promise(() => {}));
  const states: [string, () => Echo, (stream: Opened) => Promise<unknown>][] = [
    ['before anything', () => new Echo(), async () => {}],
    ['at once', () => new Echo(), () => Promise.resolve()],
    ['while the protocol is in a call that hangs', () => new Echo(hangs), rest],
    ['while it waits for input', () => new Echo(), rest],
    [
      'while a piece waits for the reader',
      () => new Echo(),
      ({ writer }) => writer.write(bytes(3)).then(rest),
    ],
    [
      'between pieces',
      () => new Echo(),
      ({ writer, reader }) => writer.write(bytes(30)).then(() => reader.read()),
    ],
    [
      'at its last step',
      () => new Echo(undefined, () => hangs),
      async ({ writer, reader }) => {
        await writer.write(bytes(3));
        void writer.close().catch(() => {});
        await reader.read();
      },
    ],
  ];

  describe.each(states)('%s', (state, make, reach) => {
    it.each(ways)('%s', async (way, end, told) => {
      const controller = new AbortController();
      const last = state === 'at its last step';
      if (last && way.includes('writes what')) return; // a writer that has closed writes nothing
      const held: { run?: MessageRun } = {};
      const echo = last
        ? new Echo(
            (run) => {
              held.run = run;
            },
            () => hangs(held.run!),
          )
        : make();
      const stream = { ...open(echo, controller.signal), controller };
      await reach(stream);
      const reading = read(stream.reader);
      await end(stream).catch((error) => expect(last || error === mine).toBe(true));
      const reason = await stream.result.then(
        () => 'no failure',
        (error: unknown) => error,
      );
      expect(told === mine || told === 'text' ? reason : nameOf(reason)).toBe(told);
      const writers = await stream.writer.closed.catch((error: unknown) => error);
      if (!way.includes('writer aborts')) expect(writers).toBe(reason); // else it is told its own
      if (way.includes('reader cancels')) expect(await reading).toBe('done');
      else expect(await reading).toBe(reason);
      await stream.header.then(
        (header) => expect(header).toBe(HEADER),
        (error) => expect(error).toBe(reason),
      );
      expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
      await rest();
      await rest();
      if (echo.run === undefined) return; // it had not begun
      expect([echo.cleanedUp, echo.run.signal.aborted]).toEqual([true, true]);
      expect(echo.run.input.bytes).toHaveLength(0);
    });
  });

  async function read(reader: ReadableStreamDefaultReader<Bytes>): Promise<unknown> {
    try {
      while (!(await reader.read()).done);
      return 'done';
    } catch (error) {
      return error;
    }
  }

  function nameOf(error: unknown): unknown {
    return error instanceof FramesealError ? error.code : (error as Error).name;
  }

  it.each([
    ['a write', (writer: WritableStreamDefaultWriter<BufferSource>) => writer.write(bytes(100))],
    ['a close', (writer: WritableStreamDefaultWriter<BufferSource>) => writer.close()],
  ])('the writer aborts while %s is under way and the protocol in a call that hangs', async (_, work) => {
    const echo = new Echo(hangs);
    const { writer, reader, result } = open(echo);
    const under = work(writer);
    under.catch(() => {});
    await rest();
    const aborting = writer.abort(mine);
    await expect(reader.read()).rejects.toBe(mine);
    await expect(result).rejects.toBe(mine);
    await expect(under).rejects.toBe(mine);
    await aborting.catch((error) => expect(error).toBe(mine));
    await rest();
    await rest();
    expect(echo.cleanedUp).toBe(true);
  });

  it('a cancel settles when the protocol has cleaned up', async () => {
    for (const first of [undefined, hangs]) {
      const echo = new Echo(first);
      const { reader, writer } = open(echo);
      void writer.write(bytes(50)).catch(() => {});
      await rest();
      await reader.cancel();
      expect(echo.cleanedUp).toBe(true);
    }
  });

  it('a loop that is left cancels', async () => {
    const echo = new Echo();
    const { readable, writable, result } = messageStream(echo.protocol, undefined);
    const piping = new Blob([bytes(1000)]).stream().pipeTo(writable);
    piping.catch(() => {});
    for await (const _ of readable as unknown as AsyncIterable<Bytes>) break;
    expect(echo.cleanedUp).toBe(true);
    const error = await failure(result);
    expect(error.code).toBe('ABORTED');
    await expect(piping).rejects.toBe(error);
  });

  it('is told to the source of a pipe', async () => {
    let told: unknown;
    const source = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(bytes(100)),
      cancel: (reason) => {
        told = reason;
      },
    });
    const stream = source.pipeThrough(messageStream(new Echo().protocol, undefined));
    await stream.cancel(mine);
    await rest();
    expect(told).toBe(mine);
  });

  it('comes from a source that fails, with its reason', async () => {
    let left = 3;
    const source = new ReadableStream<Uint8Array>({
      pull: (controller) => (left-- > 0 ? controller.enqueue(bytes(10)) : controller.error(mine)),
    });
    const echo = new Echo();
    await expect(collect(source.pipeThrough(messageStream(echo.protocol, undefined)))).rejects.toBe(mine);
  });

  it('changes nothing after the end', async () => {
    const controller = new AbortController();
    const { writer, reader, result, header } = open(new Echo(), controller.signal);
    void writer.write(bytes(1));
    void writer.close();
    while (!(await reader.read()).done);
    controller.abort();
    await Promise.allSettled([reader.cancel(mine), writer.abort(mine)]);
    expect([await result, await header]).toEqual(['the result', HEADER]);
    await writer.closed;
  });

  it('is noticed once: the first reason counts', async () => {
    const controller = new AbortController();
    const { writer, reader, result } = open(new Echo(), controller.signal);
    await Promise.allSettled([reader.cancel(mine), writer.abort(new Error('another'))]);
    controller.abort();
    await expect(result).rejects.toBe(mine);
  });

  it('by a signal that has aborted before', async () => {
    const { writer, reader, result } = open(new Echo(), AbortSignal.abort());
    for (const end of [reader.read(), writer.write(bytes(1)), writer.closed, result]) {
      expect((await failure(end)).code).toBe('ABORTED');
    }
  });
});

describe('a protocol that fails', () => {
  const wrong = new FramesealError('TRUNCATED', 'wrong');
  const fails = () => {
    throw wrong;
  };
  const signal = new AbortController().signal;

  it.each([
    ['at its beginning', () => new Echo(fails)],
    ['at its end', () => new Echo(undefined, fails)],
  ])('%s fails reader, writer, close, result, and leaves nothing behind', async (_, make) => {
    const echo = make();
    const outcome = await through(messageStream(echo.protocol, signal), every(9)(bytes(100)));
    expect(outcome.error).toBe(wrong);
    expect([echo.cleanedUp, echo.run.signal.aborted]).toEqual([true, true]);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('at its end fails a close that was under way, and a pipe', async () => {
    const { writer, reader } = open(new Echo(undefined, fails));
    await writer.write(bytes(3));
    const closing = writer.close();
    closing.catch(() => {});
    await reader.read();
    await expect(reader.read()).rejects.toBe(wrong);
    await expect(closing).rejects.toBe(wrong);

    const stream = messageStream(new Echo(undefined, fails).protocol, signal);
    const piping = new Blob([bytes(30)]).stream().pipeTo(stream.writable);
    piping.catch(() => {});
    await expect(collect(stream.readable)).rejects.toBe(wrong);
    await expect(piping).rejects.toBe(wrong);
  });

  it('raises no unhandled rejection when nobody looks at header and result', async () => {
    const seen: unknown[] = [];
    const note = (reason: unknown) => seen.push(reason);
    process.on('unhandledRejection', note);
    const streams = [new Echo(fails), new Echo(undefined, fails), new Echo()].map((echo) =>
      messageStream(echo.protocol, undefined),
    );
    await leave(streams);
    await rest();
    process.off('unhandledRejection', note);
    expect(seen).toEqual([]);
  });

  async function leave(streams: readonly MessageStream<unknown>[]): Promise<void> {
    await rest();
    for (const { readable, writable } of streams) {
      await readable.cancel().catch(() => {});
      await writable.abort().catch(() => {});
    }
  }
});
