/**
 * As in WebKit before 16.4: the controller of a WritableStream has no signal.
 */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { decryptStream, encrypt, encryptStream } from '../../src/index.ts';
import { aesKeyring, bytes, failureCode } from '../support/messages.ts';
import { every, through } from '../support/streams.ts';

const keyring = aesKeyring();
const Whole = WritableStream;

beforeEach(() => {
  class WithoutSignal extends Whole {
    constructor(sink: UnderlyingSink = {}, ...rest: readonly QueuingStrategy[]) {
      const start = (controller: WritableStreamDefaultController) =>
        sink.start?.({ error: (reason) => controller.error(reason) } as WritableStreamDefaultController);
      super({ ...sink, start }, ...rest);
    }
  }
  vi.stubGlobal('WritableStream', WithoutSignal);
});

afterEach(() => vi.unstubAllGlobals());

describe('where the controller of a writable stream has no signal', () => {
  it('messages go both ways', async () => {
    const { bytes: message } = await through(encryptStream({ keyring }), every(1000)(bytes(20_000)));
    expect((await through(decryptStream({ keyring }), every(777)(message))).bytes).toEqual(bytes(20_000));
  });

  it("the writer's abort fails the stream", async () => {
    const { ciphertext } = await encrypt(bytes(20_000), { keyring });
    const stream = decryptStream({ keyring });
    const writer = stream.writable.getWriter();
    const failed = failureCode(stream.result);
    await writer.write(ciphertext.subarray(0, 100));
    await writer.abort();
    expect(await failed).toBe('ABORTED');
    await expect(stream.readable.getReader().read()).rejects.toThrow('aborted');
  });

  it("the writer's own reason comes out at the reader", async () => {
    const stream = encryptStream({ keyring });
    await stream.writable.abort(new Error('the source broke'));
    await expect(stream.readable.getReader().read()).rejects.toThrow('the source broke');
    await expect(stream.result).rejects.toThrow('the source broke');
  });
});
