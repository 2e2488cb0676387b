/**
 * What a rewrap has in hand while it runs: data keys, derived keys, plaintext. To be asked afterwards what of it is left.
 * Copies are noted by the test file, which replaces `copy` of src/bytes.ts.
 */
import { vi } from 'vitest';
import type { Bytes, Keyring } from '../../src/index.ts';
import { ByteQueue } from '../../src/stream/byte-queue.ts';
import { MessageOpener } from '../../src/stream/message-opener.ts';
import { MessageSealer } from '../../src/stream/message-sealer.ts';

/** What was seen. */
export interface Watch {
  /** What is left of secrets, in words. */
  left(): string[];
  /** How many there were of what must be wiped: so that nothing to wipe is not taken for a success. */
  seen(): { keys: number; cores: number; plaintext: number };
}

/**
 * Begins to note. `vi.restoreAllMocks` ends it.
 * @param copies what `copy` has answered; emptied.
 * @param dataKeys the data keys of both messages, as far as they are known.
 * @param plaintext of the message, whose pieces of 16 bytes or more are known again: at most 16 KiB, so that no queue
 *   outgrows its first buffer.
 */
export function watch(copies: Uint8Array[], dataKeys: readonly Uint8Array[], plaintext: Uint8Array): Watch {
  copies.length = 0;
  const [begun, disposed] = [new Set<object>(), new Set<object>()];
  const pieces = new Set<Uint8Array>();
  const buffers = new Set<ArrayBufferLike>();
  const whole = Buffer.from(plaintext);
  const isPlaintext = (piece: Uint8Array) => piece.length >= 16 && whole.includes(Buffer.from(piece));
  const keys = new Set<Uint8Array>();
  const isKey = (bytes: Uint8Array) => dataKeys.some((key) => Buffer.compare(key, bytes) === 0);

  const { begin: beginSealer } = MessageSealer;
  vi.spyOn(MessageSealer, 'begin').mockImplementation(async (...given) => {
    keys.add(given[2]);
    const answer = await beginSealer.apply(MessageSealer, given);
    begun.add(answer.sealer);
    return answer;
  });
  const { begin: beginOpener } = MessageOpener;
  vi.spyOn(MessageOpener, 'begin').mockImplementation(async (...given) => {
    keys.add(given[2]);
    const opener = await beginOpener.apply(MessageOpener, given);
    if (opener) begun.add(opener);
    return opener;
  });
  for (const core of [MessageSealer, MessageOpener]) {
    const { dispose } = core.prototype;
    vi.spyOn(core.prototype, 'dispose').mockImplementation(function (this: object) {
      disposed.add(this);
      dispose.call(this as never);
    });
  }
  const { openBody } = MessageOpener.prototype;
  vi.spyOn(MessageOpener.prototype, 'openBody').mockImplementation(async function (
    this: MessageOpener,
    ...given
  ) {
    const opened = await openBody.apply(this, given);
    pieces.add(opened);
    return opened;
  });
  const { write, need } = ByteQueue.prototype;
  vi.spyOn(ByteQueue.prototype, 'write').mockImplementation(function (this: ByteQueue, chunk) {
    if (isPlaintext(chunk)) pieces.add(chunk);
    return write.call(this, chunk);
  });
  vi.spyOn(ByteQueue.prototype, 'need').mockImplementation(async function (this: ByteQueue, count) {
    try {
      return await need.call(this, count);
    } finally {
      buffers.add(this.bytes.buffer);
    }
  });

  const nonZero = (bytes: Uint8Array) => bytes.some((byte) => byte !== 0);
  const left = () => {
    const of = (what: string, all: Iterable<Uint8Array>, isLeft = nonZero) =>
      [...all].filter(isLeft).map((bytes) => `${what} of ${bytes.length} bytes`);
    return [
      ...of('copy of a data key', copies, isKey),
      ...of('data key', keys),
      ...of('plaintext', pieces),
      ...of(
        'queue',
        [...buffers].map((buffer) => new Uint8Array(buffer)),
      ),
      ...[...begun]
        .filter((one) => !disposed.has(one))
        .map((one) => `${one.constructor.name} not disposed of`),
    ];
  };
  const seen = () => ({ keys: keys.size, cores: begun.size, plaintext: pieces.size });
  return { left, seen };
}

/** A caller's keyring with a data key that the test knows, wrapped so that `reader` opens it. */
export function knownDataKey(dataKey: Bytes, reader: Keyring): Keyring {
  return {
    onEncrypt: (materials, call) => {
      const plaintextDataKey = materials.plaintextDataKey ?? dataKey.slice();
      return reader.onEncrypt({ ...materials, plaintextDataKey }, call);
    },
    onDecrypt: (materials, edks, call) => reader.onDecrypt(materials, edks, call),
  };
}
