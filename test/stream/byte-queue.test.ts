import { afterEach, describe, expect, it, vi } from 'vitest';
import { concat } from '../../src/bytes.ts';
import { ByteQueue } from '../../src/stream/byte-queue.ts';
import { bytes, failure } from '../support/messages.ts';
import { type ResizableBuffer, randomNumbers, resizable } from '../support/streams.ts';

const KIB = 1024;

afterEach(() => vi.restoreAllMocks());

// Lets everything run that is not waiting for the test.
const rest = () => new Promise((done) => setTimeout(done, 0));

/** Whether a promise has settled by now. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  const settle = () => {
    settled = true;
  };
  promise.then(settle, settle);
  await rest();
  return settled;
}

describe('what is written is read', () => {
  it('in the same order, whatever the pieces of both sides', async () => {
    for (let seed = 1; seed <= 30; seed++) {
      const draw = randomNumbers(seed);
      const input = bytes(200_000, seed);
      const queue = new ByteQueue();
      const written = (async () => {
        for (let at = 0; at < input.length; ) {
          const length = draw([2, 100, 20_000, 300_000][draw(4)]!);
          await queue.write(input.subarray(at, at + length));
          at += length;
        }
        queue.end();
      })();
      const read: Uint8Array[] = [];
      for (let more = true; more; ) {
        more = await queue.need(1 + draw([1, 100, 20_000][draw(3)]!));
        const taken = queue.bytes.slice(0, draw(queue.bytes.length + 1));
        read.push(more ? taken : queue.bytes.slice());
        queue.skip(read.at(-1)!.length);
      }
      await written;
      expect(Buffer.compare(concat(...read), input), `seed ${seed}`).toBe(0);
    }
  });

  it('answers whether that many bytes are there, and keeps what is', async () => {
    const queue = new ByteQueue();
    const need = queue.need(4);
    await queue.write(bytes(3));
    expect(await isSettled(need)).toBe(false);
    queue.end();
    expect(await need).toBe(false);
    expect(queue.bytes).toEqual(bytes(3));
    expect(await queue.need(3)).toBe(true);
    expect(await queue.need(0)).toBe(true);
    queue.skip(3);
    expect(await queue.need(1)).toBe(false);
    expect([queue.bytes.length, queue.ended]).toEqual([0, true]);
  });

  it('takes empty chunks for nothing', async () => {
    const queue = new ByteQueue();
    for (let i = 0; i < 3; i++) await queue.write(new Uint8Array(0));
    const need = queue.need(1);
    await queue.write(new Uint8Array(0));
    expect(await isSettled(need)).toBe(false);
    queue.end();
    expect(await need).toBe(false);
  });

  it('has copied a chunk when its write settles', async () => {
    const queue = new ByteQueue();
    const chunk = bytes(100 * KIB);
    const written = queue.write(chunk).then(() => chunk.fill(0));
    await queue.need(chunk.length);
    await written;
    expect(Buffer.compare(queue.bytes, bytes(100 * KIB))).toBe(0);
  });

  it('leaves a view as it is until the next need, while the writer goes on', async () => {
    const queue = new ByteQueue();
    const input = bytes(500 * KIB);
    const written = queue.write(input);
    await queue.need(1);
    const view = queue.bytes;
    const before = view.slice();
    await rest();
    expect(Buffer.compare(view, before)).toBe(0);
    while (queue.bytes.length > 0 && (await queue.need(1))) {
      const now = queue.bytes;
      const then = now.slice();
      queue.skip(now.length);
      await rest();
      expect(Buffer.compare(now, then)).toBe(0);
      if (await isSettled(written)) break;
    }
  });
});

describe('a writer', () => {
  it('waits while nobody needs anything', async () => {
    const queue = new ByteQueue();
    const written = queue.write(bytes(1));
    expect(await isSettled(written)).toBe(false);
    expect(await queue.need(1)).toBe(true);
    await written;
  });

  it('is held at some 256 KiB ahead of a reader that asks for little, and lets go as it reads', async () => {
    const queue = new ByteQueue();
    const chunk = bytes(4 * KIB);
    let ahead = 0;
    const writing = (async () => {
      for (let i = 0; i < 200; i++) {
        await queue.write(chunk);
        ahead += chunk.length;
      }
      queue.end();
    })();
    let read = 0;
    let most = 0;
    while (await queue.need(1)) {
      await rest(); // the writer runs as far as it may
      most = Math.max(most, ahead - read);
      const taken = Math.min(queue.bytes.length, 1000);
      queue.skip(taken);
      read += taken;
    }
    await writing;
    expect(read).toBe(200 * chunk.length);
    expect(most).toBeGreaterThan(200 * KIB);
    expect(most).toBeLessThan(300 * KIB);
  });

  it.each([
    ['transferred', (buffer: ResizableBuffer) => structuredClone(buffer, { transfer: [buffer] })],
    ['cut short', (buffer: ResizableBuffer) => buffer.resize(17)],
  ])('fails when its chunk is %s before the write has settled', async (_, change) => {
    const queue = new ByteQueue();
    const buffer = resizable(100 * KIB, 100 * KIB);
    const written = failure(queue.write(new Uint8Array(buffer)));
    await queue.need(1);
    change(buffer);
    await Promise.all([queue.need(50 * KIB).catch(() => {}), written.then((error) => queue.fail(error))]);
    expect(await written).toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect((await written).message).toContain('to keep its 102400 bytes until its write settles');
  });

  it('takes of a chunk that grows what was there when it was written', async () => {
    const queue = new ByteQueue();
    const buffer = resizable(100 * KIB, 200 * KIB);
    const written = queue.write(new Uint8Array(buffer)).then(() => queue.end());
    await queue.need(1);
    buffer.resize(200 * KIB);
    expect(await queue.need(150 * KIB)).toBe(false);
    await written;
    expect(queue.bytes).toHaveLength(100 * KIB);
  });
});

describe('a failure', () => {
  const reason = new Error('the reason');

  it('reaches a reader that waits, and every later need', async () => {
    const queue = new ByteQueue();
    const need = queue.need(1);
    queue.fail(reason);
    await expect(need).rejects.toBe(reason);
    await expect(queue.need(0)).rejects.toBe(reason);
  });

  it('reaches a writer that waits, and every later write', async () => {
    const queue = new ByteQueue();
    const write = queue.write(bytes(1));
    queue.fail(reason);
    await expect(write).rejects.toBe(reason);
    await expect(queue.write(bytes(1))).rejects.toBe(reason);
  });

  it('keeps its first reason, undefined included', async () => {
    const queue = new ByteQueue();
    queue.fail(undefined);
    queue.fail(reason);
    await expect(queue.need(1)).rejects.toBe(undefined);
  });
});

describe('what it costs', () => {
  // Every byte that is moved within the queue, and the largest buffer that it makes.
  function watch(): { moved: number; largest: number } {
    const seen = { moved: 0, largest: 0 };
    const { set, copyWithin } = Uint8Array.prototype;
    vi.spyOn(Uint8Array.prototype, 'set').mockImplementation(function (this: Uint8Array, source, offset) {
      seen.moved += source.length;
      seen.largest = Math.max(seen.largest, this.buffer.byteLength);
      set.call(this, source, offset);
    });
    vi.spyOn(Uint8Array.prototype, 'copyWithin').mockImplementation(function (
      this: Uint8Array,
      target,
      start,
      end = this.length,
    ) {
      seen.moved += end - start;
      return copyWithin.call(this, target, start, end);
    });
    return seen;
  }

  // How a reader of messages asks: for more than there is until it has enough, then it takes that.
  async function pump(length: number, piece: number, take: number): Promise<void> {
    const queue = new ByteQueue();
    const chunk = new Uint8Array(piece);
    const written = (async () => {
      for (let at = 0; at < length; at += piece) await queue.write(chunk);
      queue.end();
    })();
    while (await queue.need(take)) queue.skip(take);
    await written;
  }

  it.each([
    [1, 1],
    [1, 37],
    [1, 100_000],
    [7, 4096],
    [1000, 4128],
    [65_536, 33],
    [65_536, 300_000],
    [4_000_000, 33],
    [4_000_000, 1_000_000],
  ])('moves each byte a few times, in pieces of %i and frames of %i', async (piece, take) => {
    const length = Math.min(4_000_000, 200_000 * piece);
    const seen = watch();
    await pump(length, piece, take);
    expect(seen.moved).toBeLessThan(4 * length + 2 ** 18);
    expect(seen.largest).toBeLessThanOrEqual(Math.max(2 ** 18, 2 * take + 2 ** 14));
  });

  it('grows with what has come, not with what is asked for', async () => {
    const seen = watch();
    const queue = new ByteQueue();
    const need = queue.need(2 ** 40);
    await queue.write(bytes(100_000));
    queue.end();
    expect(await need).toBe(false);
    expect(seen.largest).toBeLessThan(300_000);
  });
});

describe('wiping', () => {
  /** The buffers that bytes are put into from now on. */
  function watched() {
    const buffers = new Set<ArrayBufferLike>();
    const { set } = Uint8Array.prototype;
    vi.spyOn(Uint8Array.prototype, 'set').mockImplementation(function (this: Uint8Array, source, offset) {
      buffers.add(this.buffer);
      set.call(this, source, offset);
    });
    return buffers;
  }

  function expectNothingIn(buffers: ReadonlySet<ArrayBufferLike>) {
    for (const buffer of buffers) expect(new Uint8Array(buffer).some((byte) => byte !== 0)).toBe(false);
  }

  it('leaves no byte of what was in it, in the buffers that it has outgrown neither', async () => {
    const buffers = watched();
    const queue = new ByteQueue();
    const written = queue.write(new Uint8Array(300_000).fill(0xaa));
    await queue.need(300_000);
    await written;
    expect(buffers.size).toBeGreaterThan(2);
    queue.wipe();
    expectNothingIn(buffers);
    expect(queue.bytes).toHaveLength(0);
  });

  it('leaves no byte in an outgrown buffer of what had been taken from it', async () => {
    const buffers = watched();
    const queue = new ByteQueue();
    const first = queue.write(new Uint8Array(10_000).fill(0xaa));
    await queue.need(10_000);
    await first;
    queue.skip(10_000);
    const outgrown = new Set(buffers);
    const second = queue.write(new Uint8Array(100_000).fill(0xbb));
    await queue.need(100_000);
    await second;
    expect(buffers.size).toBeGreaterThan(outgrown.size);
    expectNothingIn(outgrown);
  });
});
