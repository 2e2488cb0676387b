/**
 * Message streams as Node streams.
 */
import { once } from 'node:events';
import { PassThrough, Readable, Writable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { decrypt, encrypt, FramesealError, type Keyring } from '../../src/index.ts';
import { decryptDuplex, encryptDuplex, type MessageDuplex } from '../../src/node/index.ts';
import { failureCode, flip } from '../support/messages.ts';
import { keyring, MIB, plain } from './helpers.ts';

const silent: Keyring = { onEncrypt: () => new Promise(() => {}), onDecrypt: () => new Promise(() => {}) };

const unhandled: unknown[] = [];
const collect = (reason: unknown) => void unhandled.push(reason);

beforeEach(() => {
  unhandled.length = 0;
  process.on('unhandledRejection', collect);
});

afterEach(async () => {
  await sleep(5);
  process.off('unhandledRejection', collect);
  expect(unhandled).toEqual([]);
});

async function message(length: number): Promise<Buffer> {
  return Buffer.from((await encrypt(plain(length), { keyring })).ciphertext);
}

/** A source of that many bytes, and how many it has given. */
function source(length: number, chunk = 65_536): Readable & { given: number } {
  const made = new Readable({
    read() {
      if (made.given >= length) return void made.push(null);
      made.given += chunk;
      made.push(Buffer.alloc(chunk));
    },
  }) as Readable & { given: number };
  made.given = 0;
  return made;
}

/** What a promise rejects with. */
async function reasonOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => {
      throw new Error('it has not failed');
    },
    (reason: unknown) => reason,
  );
}

describe('bytes', () => {
  test.each([0, 1, 4096, 4097, 3 * MIB])('%i of them, there and back', async (length) => {
    const plaintext = plain(length);
    const sealer = encryptDuplex({ keyring, encryptionContext: { k: 'v' } });
    const opener = decryptDuplex({ keyring });
    const chunks = length === 0 ? [] : [plaintext.subarray(0, 1), plaintext.subarray(1)];
    const [, opened] = await Promise.all([
      pipeline(Readable.from(chunks, { objectMode: false }), sealer, opener),
      buffer(opener),
    ]);
    expect(opened.equals(plaintext)).toBe(true);
    const { header, missingKeys } = await sealer.result;
    expect([header, missingKeys]).toEqual([await sealer.header, []]);
    expect((await opener.result).authenticatedContext).toMatchObject({ k: 'v' });
    expect((await opener.header).messageId).toEqual(header.messageId);
  });

  test('come out as Buffers', async () => {
    const sealer = encryptDuplex({ keyring });
    sealer.end(plain(MIB));
    for await (const chunk of sealer) expect(Buffer.isBuffer(chunk)).toBe(true);
  });

  test('go in as text too, and corked', async () => {
    const sealer = encryptDuplex({ keyring });
    sealer.cork();
    sealer.write('héllo', 'utf8');
    sealer.write('20776f726c64', 'hex');
    sealer.uncork();
    sealer.end();
    const { plaintext } = await decrypt(await buffer(sealer), { keyring });
    expect(Buffer.from(plaintext).toString()).toBe('héllo world');
  });

  test('the header comes before the end of the input', async () => {
    const opener = decryptDuplex({ keyring });
    const sealed = await message(MIB);
    opener.write(sealed.subarray(0, 2000));
    expect((await opener.header).frameLength).toBe(4096);
    opener.destroy();
  });
});

describe('backpressure', () => {
  test('a slow reader stops the source', async () => {
    const given = source(200 * MIB);
    const sealer = given.pipe(encryptDuplex({ keyring }));
    await once(sealer, 'readable');
    await sleep(50);
    const before = given.given;
    await sleep(50);
    expect(given.given).toBe(before);
    expect(before).toBeLessThan(4 * MIB);
    given.destroy();
    sealer.destroy();
  });

  test('a writer is told to wait, and when to go on', async () => {
    const sealer = encryptDuplex({ keyring });
    let waited = 0;
    const collected = buffer(sealer);
    for (let i = 0; i < 64; i++) {
      if (sealer.write(Buffer.alloc(65_536))) continue;
      waited++;
      await once(sealer, 'drain');
    }
    sealer.end();
    expect((await decrypt(await collected, { keyring })).plaintext).toHaveLength(4 * MIB);
    expect(waited).toBeGreaterThan(0);
  });
});

describe('failures', () => {
  test('of the message end the pipeline, and the source', async () => {
    const altered = flip(await message(2 * MIB), MIB);
    const from = Readable.from([altered.subarray(0, 500_000), altered.subarray(500_000)], {
      objectMode: false,
    });
    const opener = decryptDuplex({ keyring });
    let released = 0;
    const sink = new Writable({
      write(chunk: Buffer, _, done) {
        expect(chunk.equals(plain(2 * MIB).subarray(released, released + chunk.length))).toBe(true);
        released += chunk.length;
        done();
      },
    });
    expect(await failureCode(pipeline(from, opener, sink))).toBe('AUTHENTICATION_FAILED');
    expect(await failureCode(opener.result)).toBe('AUTHENTICATION_FAILED');
    expect([released % 4096, released > 0, released < 2 * MIB]).toEqual([0, true, true]);
    expect([from.destroyed, opener.destroyed, sink.destroyed]).toEqual([true, true, true]);
  });

  test.each([
    ['junk', Buffer.from('junk'), 'INVALID_MESSAGE'],
    ['nothing', Buffer.alloc(0), 'TRUNCATED'],
  ])('of %s come as an error event, though nobody reads', async (_, input, code) => {
    const opener = decryptDuplex({ keyring });
    opener.end(input);
    const [error] = await once(opener, 'error');
    expect(error).toMatchObject({ code });
    expect(await failureCode(opener.header)).toBe(code);
  });

  test('of the source reach the message', async () => {
    const mine = new Error('mine');
    const from = new Readable({
      read() {
        this.destroy(mine);
      },
    });
    const sealer = encryptDuplex({ keyring });
    expect(await reasonOf(pipeline(from, sealer, new PassThrough().resume()))).toBe(mine);
    expect(await reasonOf(sealer.result)).toBe(mine);
  });

  test('of the sink reach the message, and the source', async () => {
    const mine = new Error('mine');
    const from = source(100 * MIB);
    const sealer = encryptDuplex({ keyring });
    const sink = new Writable({ write: (_chunk, _encoding, done) => done(mine) });
    expect(await reasonOf(pipeline(from, sealer, sink))).toBe(mine);
    expect(await reasonOf(sealer.result)).toBe(mine);
    expect([from.destroyed, sealer.destroyed]).toEqual([true, true]);
    expect(from.given).toBeLessThan(4 * MIB);
  });

  test('of a reader that has had enough', async () => {
    const sealer = encryptDuplex({ keyring });
    sealer.end(plain(MIB));
    for await (const _ of sealer) break;
    expect(sealer.destroyed).toBe(true);
    expect(await reasonOf(sealer.result)).toMatchObject({ code: 'ABORT_ERR' }); // Node's own
  });

  test('of the signal', async () => {
    const controller = new AbortController();
    const sealer = encryptDuplex({ keyring, signal: controller.signal });
    sealer.write('abc');
    const failed = once(sealer, 'error');
    controller.abort();
    expect((await failed)[0]).toMatchObject({ code: 'ABORTED' });
    expect(sealer.destroyed).toBe(true);
  });

  test('of options come at once', () => {
    expect(() => encryptDuplex({} as never)).toThrow(FramesealError);
    expect(() => decryptDuplex({ keyring, x: 1 } as never)).toThrow(FramesealError);
  });
});

describe('destroy', () => {
  const mine = new Error('mine');

  async function destroyed(duplex: MessageDuplex<unknown>, error?: Error): Promise<unknown> {
    const closed = new Promise<void>((resolve) => duplex.once('close', resolve));
    const errors: Error[] = [];
    duplex.on('error', (reason) => errors.push(reason));
    duplex.destroy(error);
    await closed;
    expect(errors).toEqual(error ? [error] : []);
    return reasonOf(duplex.result);
  }

  test.each([undefined, mine])('at every stage, with %s', async (error) => {
    const input = await message(2 * MIB);
    const stages: readonly ((duplex: MessageDuplex<unknown>) => unknown)[] = [
      () => {},
      (duplex) => duplex.write(input.subarray(0, 10)),
      (duplex) => duplex.write(input),
      (duplex) => duplex.end(input),
      async (duplex) => {
        duplex.write(input);
        await once(duplex, 'readable');
      },
      async (duplex) => {
        duplex.end(input);
        await once(duplex, 'readable');
        duplex.read();
      },
    ];
    for (const stage of stages) {
      for (const options of [{ keyring }, { keyring: silent }]) {
        for (const make of [encryptDuplex, decryptDuplex]) {
          const duplex: MessageDuplex<unknown> = make(options);
          if (options.keyring === silent && stages.indexOf(stage) > 3) continue; // nothing ever comes out
          await stage(duplex);
          const reason = await destroyed(duplex, error);
          if (error) expect(reason).toBe(error);
          else expect(reason).toMatchObject({ code: 'ABORTED' });
        }
      }
    }
  });

  test('at any moment: it always closes, and result always settles', async () => {
    const input = await message(MIB / 2);
    for (let i = 0; i < 150; i++) {
      const duplex = decryptDuplex({ keyring });
      const closed = new Promise<void>((resolve) => duplex.once('close', resolve));
      duplex.on('error', () => {});
      duplex.end(input);
      duplex.resume();
      for (let turn = 0; turn < i / 5; turn++) await (turn % 2 ? Promise.resolve() : sleep(0));
      duplex.destroy();
      await closed;
      await Promise.allSettled([duplex.result, duplex.header]);
    }
  });

  test('after the end changes nothing', async () => {
    const sealer = encryptDuplex({ keyring });
    sealer.end('abc');
    await buffer(sealer);
    sealer.destroy();
    expect((await sealer.result).missingKeys).toEqual([]);
  });
});
