/**
 * Rewrap, streamed: what is released and when, and what it holds.
 */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { concat } from '../../src/bytes.ts';
import {
  type AlgorithmSuite,
  type Bytes,
  decrypt,
  decryptStream,
  encrypt,
  encryptStream,
  type MessageStream,
  parseHeader,
  type RewrapReport,
  type RewrapStreamOptions,
  rewrapStream,
} from '../../src/index.ts';
import { ByteQueue } from '../../src/stream/byte-queue.ts';
import { MessageSealer } from '../../src/stream/message-sealer.ts';
import { aesKeyring, bytes, failure, failureCode, flip, policyFor, SUITE_ROWS } from '../support/messages.ts';
import { frames, type NaiveFrame, writeNaively } from '../support/naive.ts';
import { collect, every, randomly, through, whole } from '../support/streams.ts';

const from = aesKeyring(1);
const to = aesKeyring(2);
const MIB = 2 ** 20;
const FRAME_LENGTH = 20;
const settled = () => new Promise((done) => setTimeout(done, 5));

afterEach(() => vi.restoreAllMocks());

interface Source {
  readonly name: string;
  readonly message: Bytes;
  /** The same with a wrong end. */
  readonly wrong: readonly (readonly [string, Uint8Array, string])[];
}

/** Messages of a suite whose end tells whether they are right; of some the whole plaintext comes before it. */
function sourcesOf(suite: AlgorithmSuite): Source[] {
  const keys = { wrappingKey: bytes(32, 1), keyNamespace: 'test', keyName: 'aes-1' };
  const make = (body: readonly NaiveFrame[] | Uint8Array, spoilSignature = false) =>
    writeNaively({ ...keys, suite, frameLength: FRAME_LENGTH, body, spoilSignature });
  const full = frames(bytes(5 * FRAME_LENGTH), FRAME_LENGTH);
  const empty = { sequenceNumber: 6, plaintext: new Uint8Array(0), final: true };
  const bodies: [string, readonly NaiveFrame[] | Uint8Array][] = [
    ['a short final frame', frames(bytes(107), FRAME_LENGTH)],
    ['a full final frame', full],
    ['an empty final frame', [...full.map((frame) => ({ ...frame, final: false })), empty]],
  ];
  if (suite.messageVersion === 1) bodies.push(['a non-framed body', bytes(100)]);
  return bodies.map(([name, body]) => {
    const message = make(body);
    const last = message.length - 1;
    const wrong: Source['wrong'] = [
      ['cut off', message.subarray(0, last), 'TRUNCATED'],
      ['trailing', concat(message, bytes(1)), 'TRAILING_BYTES'],
      suite.signature
        ? ['a wrong signature', make(body, true), 'AUTHENTICATION_FAILED']
        : ['a wrong last tag', flip(message, last), 'AUTHENTICATION_FAILED'],
    ];
    return { name, message, wrong };
  });
}

/** What has been released has no final frame: the header, if anything, and whole regular frames. */
async function expectNoMessage(released: Uint8Array, frameLength: number): Promise<void> {
  const policy = 'REQUIRE_ENCRYPT_ALLOW_DECRYPT';
  const work = decrypt(released, { keyring: to, commitmentPolicy: policy });
  expect(await failureCode(work)).toBe('TRUNCATED');
  if (released.length === 0) return;
  const { headerLength } = parseHeader(released);
  expect((released.length - headerLength) % (frameLength + 32)).toBe(0);
  for (let at = headerLength; at < released.length; at += frameLength + 32) {
    const number = (at - headerLength) / (frameLength + 32) + 1;
    expect(Buffer.from(released).readUInt32BE(at)).toBe(number);
  }
}

describe.each(SUITE_ROWS)('suite %s', (_, suite) => {
  const options = { keyring: from, to, commitmentPolicy: policyFor(suite) };

  it('withholds its final frame while a byte of the old message is missing', async () => {
    for (const { message } of sourcesOf(suite)) {
      for (const frameLength of [1, 7, FRAME_LENGTH, 1000]) {
        const stream = rewrapStream({ ...options, frameLength });
        const writer = stream.writable.getWriter();
        const released = readAll(stream);
        await writer.write(message.subarray(0, -1));
        await settled();
        await expectNoMessage(concat(...released.pieces), frameLength);
        await writer.write(message.subarray(-1));
        await settled();
        await expectNoMessage(concat(...released.pieces), frameLength); // more might follow
        await writer.close();
        await released.done;
        const { commitmentPolicy } = options;
        const { plaintext } = await decrypt(message, { keyring: from, commitmentPolicy });
        const opened = await decrypt(concat(...released.pieces), { keyring: to, commitmentPolicy });
        expect(opened.plaintext).toEqual(plaintext);
      }
    }
  });

  it('never releases it when the old message is wrong at its end', async () => {
    for (const { name, wrong } of sourcesOf(suite)) {
      for (const [how, message, code] of wrong) {
        for (const frameLength of [1, 7, FRAME_LENGTH, 1000]) {
          for (const cut of [whole, every(1), randomly(frameLength)]) {
            const freshDataKey = cut === whole ? true : undefined;
            const stream = rewrapStream({ ...options, frameLength, freshDataKey });
            const outcome = await through(stream, cut(message));
            expect(outcome.error?.code, `${name}, ${how}`).toBe(code);
            await expectNoMessage(outcome.bytes, frameLength);
          }
        }
      }
    }
  });

  it('tells the header of the new message, and releases it first', async () => {
    const { message } = sourcesOf(suite)[0]!;
    const { pieces, header, result } = await through(rewrapStream(options), every(9)(message));
    expect(pieces[0]).toHaveLength(header!.headerLength);
    expect(parseHeader(pieces[0]!)).toEqual(header);
    expect(header!.messageId).not.toEqual(parseHeader(message).messageId);
    expect(result!.header).toBe(header);
    expect(Object.keys(result!).sort()).toEqual(['dataKey', 'header', 'missingKeys', 'remaining']);
  });
});

interface Reading {
  readonly pieces: Bytes[];
  readonly done: Promise<void>;
}

/** Reads in the background whatever comes. */
function readAll({ readable }: MessageStream<RewrapReport>): Reading {
  const pieces: Bytes[] = [];
  const reading = async () => {
    for await (const piece of readable as unknown as AsyncIterable<Bytes>) pieces.push(piece);
  };
  const done = reading();
  done.catch(() => {});
  return { pieces, done };
}

describe('frames', () => {
  it('come as soon as those of the old message are authentic, and one byte more', async () => {
    const how = { algorithmSuite: 0x0478, frameLength: 100 };
    const { ciphertext, header } = await encrypt(bytes(1000), { keyring: from, ...how });
    const stream = rewrapStream({ keyring: from, to });
    const { pieces, done } = readAll(stream);
    const writer = stream.writable.getWriter();
    const released = async (frames: number) => {
      await writer.write(ciphertext.subarray(sent, header.headerLength + frames * 132));
      sent = header.headerLength + frames * 132;
      await settled();
      const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
      return length && (length - pieces[0]!.length) / 132;
    };
    let sent = 0;
    expect(await released(0)).toBe(0);
    expect(pieces).toHaveLength(0);
    expect(await released(1)).toBe(0);
    expect(pieces).toHaveLength(1); // the header
    expect(await released(3)).toBe(2);
    expect(await released(9)).toBe(8);
    await writer.write(ciphertext.subarray(sent));
    await writer.close();
    await done;
    expect((await decrypt(concat(...pieces), { keyring: to })).plaintext).toEqual(bytes(1000));
  });

  it('of signed messages too; "hold-all" holds them back, "refuse" takes none', async () => {
    const { ciphertext } = await encrypt(bytes(1000), { keyring: from, frameLength: 100 });
    for (const [signedStreams, released] of [
      [undefined, true],
      ['hold-final-frame', true],
      ['hold-all', false],
    ] as const) {
      const stream = rewrapStream({ keyring: from, to, signedStreams });
      const { pieces, done } = readAll(stream);
      const writer = stream.writable.getWriter();
      await writer.write(ciphertext.subarray(0, -1));
      await settled();
      expect(pieces.length > 0).toBe(released);
      await writer.write(ciphertext.subarray(-1));
      await writer.close();
      await done;
      expect((await decrypt(concat(...pieces), { keyring: to })).plaintext).toEqual(bytes(1000));
    }
    const refused = await through(rewrapStream({ keyring: from, to, signedStreams: 'refuse' }), [ciphertext]);
    expect(refused.error?.code).toBe('UNSUPPORTED');
    expect(refused.bytes).toHaveLength(0);
  });
});

describe('a slow reader', () => {
  it('holds up the writer: neither queue grows with the message', async () => {
    const { ciphertext } = await encrypt(new Uint8Array(24 * MIB), { keyring: from, algorithmSuite: 0x0478 });
    const queues = new Map<ByteQueue, number>();
    const need = ByteQueue.prototype.need;
    vi.spyOn(ByteQueue.prototype, 'need').mockImplementation(function (this: ByteQueue, count) {
      queues.set(this, Math.max(queues.get(this) ?? 0, this.bytes.buffer.byteLength));
      return need.call(this, count);
    });
    let given = 0;
    const source = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        controller.enqueue(ciphertext.subarray(given, given + 65_536));
        given += 65_536;
        if (given >= ciphertext.length) controller.close();
      },
    });
    const stream = rewrapStream({ keyring: from, to });
    const piping = source.pipeTo(stream.writable);
    const reader = stream.readable.getReader();
    let taken = 0;
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      taken += next.value.length;
      if (taken < 12 * MIB) await settled();
      expect(given - taken).toBeLessThan(4 * MIB);
    }
    await piping;
    expect(taken).toBe(ciphertext.length);
    expect(queues.size).toBe(2);
    for (const longest of queues.values()) expect(longest).toBeLessThanOrEqual(MIB);
  });

  it('that reads nothing leaves the old message unread, too', async () => {
    const { ciphertext } = await encrypt(new Uint8Array(8 * MIB), { keyring: from, algorithmSuite: 0x0478 });
    const stream = rewrapStream({ keyring: from, to });
    const writer = stream.writable.getWriter();
    let written = 0;
    const writing = (async () => {
      for (const piece of every(65_536)(ciphertext)) {
        await writer.write(piece as Bytes);
        written += piece.length;
      }
    })();
    writing.catch(() => {});
    for (let before = -1; written > before; await settled()) before = written;
    expect(written).toBeLessThan(4 * MIB);
    await stream.readable.cancel();
    await expect(writing).rejects.toMatchObject({ code: 'ABORTED' });
  });
});

describe('a writer that stalls', () => {
  const mine = new Error('mine');

  it('while sealing fails does not hang the stream', async () => {
    const { ciphertext } = await encrypt(bytes(5000), { keyring: from, frameLength: 100 });
    vi.spyOn(MessageSealer.prototype, 'sealFrames').mockRejectedValue(mine);
    for (const length of [1000, 3000, ciphertext.length]) {
      const stream = rewrapStream({ keyring: from, to });
      const writer = stream.writable.getWriter();
      writer.closed.catch(() => {});
      writer.write(ciphertext.subarray(0, length)).catch(() => {});
      await expect(collect(stream.readable)).rejects.toBe(mine);
      await expect(stream.result).rejects.toBe(mine);
      await expect(writer.write(bytes(1))).rejects.toBe(mine);
    }
  });

  it('while the new keyring fails, neither', async () => {
    const { ciphertext } = await encrypt(bytes(5000), { keyring: from, frameLength: 100 });
    const fails = { ...to, onEncrypt: () => Promise.reject(mine) };
    const stream = rewrapStream({ keyring: from, to: fails });
    const writer = stream.writable.getWriter();
    writer.closed.catch(() => {});
    writer.write(ciphertext.subarray(0, 1000)).catch(() => {});
    await expect(collect(stream.readable)).rejects.toBe(mine);
    await expect(writer.write(bytes(1))).rejects.toBe(mine);
  });

  it('nor a progress callback that throws', async () => {
    const { ciphertext } = await encrypt(bytes(5000), { keyring: from, frameLength: 100 });
    const onProgress = () => {
      throw mine;
    };
    const stream = rewrapStream({ keyring: from, to, onProgress });
    const outcome = await through(stream, every(500)(ciphertext));
    expect(outcome.error).toBe(mine);
    await expectNoMessage(outcome.bytes, 100);
  });
});

describe('pipes', () => {
  it('from one to the next, in whatever pieces they give each other', async () => {
    for (const [, suite] of SUITE_ROWS) {
      const options = { commitmentPolicy: policyFor(suite) };
      const chain = new Blob([bytes(300_000)])
        .stream()
        .pipeThrough(encryptStream({ ...options, keyring: from, algorithmSuite: suite.id, frameLength: 999 }))
        .pipeThrough(rewrapStream({ ...options, keyring: from, to, frameLength: 5000 }))
        .pipeThrough(rewrapStream({ ...options, keyring: to, to: aesKeyring(3), freshDataKey: true }))
        .pipeThrough(decryptStream({ ...options, keyring: aesKeyring(3) }));
      expect(Buffer.compare(await collect(chain), bytes(300_000))).toBe(0);
    }
  });

  it('a chunk of 64 MiB', async () => {
    const plaintext = new Uint8Array(64 * MIB).fill(7);
    const how = { algorithmSuite: 0x0478, frameLength: 65_536 };
    const { ciphertext } = await encrypt(plaintext, { keyring: from, ...how });
    const { bytes: message } = await through(rewrapStream({ keyring: from, to }), [ciphertext]);
    expect(Buffer.compare((await decrypt(message, { keyring: to })).plaintext, plaintext)).toBe(0);
  });

  it('many at once do not disturb each other', async () => {
    const options: RewrapStreamOptions = { keyring: from, to };
    const work = Array.from({ length: 40 }, async (_, i) => {
      const { ciphertext } = await encrypt(bytes(3000, i), { keyring: from, frameLength: 50 + i });
      return through(rewrapStream(options), randomly(i)(ciphertext));
    });
    for (const [i, { bytes: message }] of (await Promise.all(work)).entries())
      expect((await decrypt(message, { keyring: to })).plaintext).toEqual(bytes(3000, i));
  });

  it('fail from end to end', async () => {
    const { ciphertext } = await encrypt(bytes(5000), { keyring: from, frameLength: 100 });
    const stream = rewrapStream({ keyring: from, to });
    const piping = new Blob([flip(ciphertext, 3000)])
      .stream()
      .pipeTo(stream.writable as WritableStream<never>);
    piping.catch(() => {});
    expect(await failureCode(collect(stream.readable))).toBe('AUTHENTICATION_FAILED');
    expect((await failure(piping)).code).toBe('AUTHENTICATION_FAILED');
  });
});
