import * as nodeCrypto from 'node:crypto';
import { getEventListeners } from 'node:events';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { concat } from '../src/bytes.ts';
import type { Signer, SigningKey } from '../src/crypto/crypto.ts';
import { createNodeCrypto } from '../src/crypto/node-crypto.ts';
import { platformRandom } from '../src/crypto/random.ts';
import { createWebCrypto } from '../src/crypto/webcrypto.ts';
import {
  type Bytes,
  type CryptographicMaterialsManager,
  ciphertextLength,
  decrypt,
  decryptStream,
  defaultCmm,
  type EncryptionMaterials,
  type EncryptionMaterialsRequest,
  type EncryptOptions,
  encrypt,
  encryptStream,
  FramesealError,
  type Keyring,
} from '../src/index.ts';
import { awsKmsKeyring, type KmsApi } from '../src/keyring/aws-kms/index.ts';
import { ByteQueue } from '../src/stream/byte-queue.ts';
import { MessageSealer } from '../src/stream/message-sealer.ts';
import { suiteById } from '../src/suite/algorithm-suites.ts';
import { aesKeyring, bytes, failure, failureCode, policyFor, SUITE_ROWS } from './support/messages.ts';
import { type Cut, collect, every, randomly, through, whole } from './support/streams.ts';

const ENGINES = ['auto', 'native', 'wasm', 'hybrid'] as const;
const CUTS: readonly (readonly [string, Cut])[] = [
  ['in one piece', whole],
  ['byte by byte', every(1)],
  ['in sevens', every(7)],
  ['at random', randomly(11)],
];
const MIB = 2 ** 20;
const keyring = aesKeyring();
const inner = defaultCmm({ keyring });
const rest = () => new Promise((done) => setTimeout(done, 2));

afterEach(() => vi.restoreAllMocks());

const write = (plaintext: Uint8Array, options: EncryptOptions, cut: Cut = whole) =>
  through(encryptStream(options), cut(plaintext));

describe.each(ENGINES)('engine %s', (engine) => {
  it.each(SUITE_ROWS)(
    '%s: writes what one shot reads, of the length that one shot writes',
    async (_, suite) => {
      const common = {
        keyring,
        commitmentPolicy: policyFor(suite),
        encryptionContext: { a: 'b', ключ: '値' },
      };
      const options = { ...common, engine, algorithmSuite: suite.id, frameLength: 16 };
      for (const length of [0, 1, 16, 17, 32, 33, 500]) {
        const plaintext = bytes(length);
        const { ciphertext } = await encrypt(plaintext, options);
        for (const [name, cut] of CUTS) {
          const { bytes: message, header, result } = await write(plaintext, options, cut);
          const opened = await decrypt(message, common);
          expect(Buffer.compare(opened.plaintext, plaintext), `${length} bytes ${name}`).toBe(0);
          expect(opened.header).toEqual(header);
          expect(result).toEqual({ header, missingKeys: [] });
          expect(message.length).toBe(ciphertext.length);
          expect(message.length).toBe(ciphertextLength(length, header!));
        }
      }
    },
  );

  it('writes the header, whole frames, and the footer', async () => {
    for (const algorithmSuite of [0x0478, 0x0578]) {
      const options = { keyring, engine, algorithmSuite, frameLength: 100 };
      const { pieces, header } = await write(bytes(5050), options, randomly(3));
      expect(pieces[0]).toHaveLength(header!.headerLength);
      const footer = algorithmSuite === 0x0578 ? pieces.at(-1)! : new Uint8Array(0);
      expect(footer.length).toBe(algorithmSuite === 0x0578 ? 2 + 103 : 0);
      const body = pieces.slice(1, pieces.length - (footer.length > 0 ? 1 : 0));
      for (const piece of body.slice(0, -1)) expect(piece.length % 132).toBe(0);
      expect(body.at(-1)!.length % 132).toBe(50 + 40);
      expect(body.reduce((sum, piece) => sum + piece.length, 0)).toBe(50 * 132 + 50 + 40);
    }
  });

  it('goes through a chain of both, in whatever pieces they give each other', async () => {
    for (const [, suite] of SUITE_ROWS) {
      const options = { keyring, engine, commitmentPolicy: policyFor(suite) };
      const source = new Blob([bytes(100_000)]).stream();
      const chain = source
        .pipeThrough(encryptStream({ ...options, algorithmSuite: suite.id, frameLength: 999 }))
        .pipeThrough(decryptStream(options));
      expect(Buffer.compare(await collect(chain), bytes(100_000))).toBe(0);
    }
  });
});

describe('frames', () => {
  it('of 2^31 - 1 bytes cost what is in them', async () => {
    const frameLength = 2 ** 31 - 1;
    const options = { keyring, frameLength, maxFrameLength: frameLength };
    for (const length of [0, 1000]) {
      const { bytes: message, header } = await write(bytes(length), options, every(100));
      expect(header).toMatchObject({ frameLength });
      const readOptions = { keyring, maxFrameLength: frameLength };
      expect((await decrypt(message, readOptions)).plaintext).toEqual(bytes(length));
      const again = await through(decryptStream(readOptions), every(100)(message));
      expect(again.bytes).toEqual(bytes(length));
    }
  });

  it('of 1 byte are written one by one', async () => {
    const { bytes: message } = await write(bytes(3000), { keyring, frameLength: 1 }, randomly(5));
    expect((await decrypt(message, { keyring })).plaintext).toEqual(bytes(3000));
  });

  it('come out as soon as their plaintext is there, and one byte more', async () => {
    const stream = encryptStream({ keyring, frameLength: 100, algorithmSuite: 0x0478 });
    const writer = stream.writable.getWriter();
    const reader = stream.readable.getReader();
    expect((await reader.read()).value).toHaveLength((await stream.header).headerLength);
    await writer.write(bytes(100));
    const next = reader.read();
    await rest();
    expect(await Promise.race([next, 'not yet'])).toBe('not yet'); // it may be the final one
    await writer.write(bytes(1));
    expect((await next).value).toHaveLength(132);
    await reader.cancel();
  });
});

describe('the length of the plaintext', () => {
  it('need not be known', async () => {
    const seen: EncryptionMaterialsRequest[] = [];
    const cmm: CryptographicMaterialsManager = {
      ...inner,
      getEncryptionMaterials: (request) => {
        seen.push(request);
        return inner.getEncryptionMaterials(request);
      },
    };
    await write(bytes(5), { cmm });
    await write(bytes(5), { cmm, plaintextLength: 9 });
    expect(seen.map(({ maxPlaintextLength, streamed }) => [maxPlaintextLength, streamed])).toEqual([
      [undefined, true],
      [9, true],
    ]);
    expect('maxPlaintextLength' in seen[0]!).toBe(false);
  });

  it.each([0, 1, 99, 100, 101, 5000])('may be exactly the bound of %i, and not one more', async (bound) => {
    const options = { keyring, plaintextLength: bound, frameLength: 100 };
    for (const [, cut] of CUTS) {
      const { bytes: message } = await write(bytes(bound), options, cut);
      expect((await decrypt(message, { keyring })).plaintext).toEqual(bytes(bound));
      const { error, bytes: written } = await write(bytes(bound + 1), options, cut);
      expect(error!.code).toBe('LIMIT_EXCEEDED');
      expect(await failureCode(decrypt(written, { keyring }))).toBe('TRUNCATED');
    }
  });

  it('is refused as soon as it is too much, although more would come', async () => {
    const stream = encryptStream({ keyring, plaintextLength: 10, frameLength: 4 });
    const writer = stream.writable.getWriter();
    writer.closed.catch(() => {});
    const reading = collect(stream.readable);
    reading.catch(() => {});
    await writer.write(bytes(11));
    expect(await failureCode(reading)).toBe('LIMIT_EXCEEDED');
    expect(await failureCode(stream.result)).toBe('LIMIT_EXCEEDED');
  });

  it('is the total of the progress that is told', async () => {
    const told: { bytes: number; total?: number }[] = [];
    const onProgress = (progress: { bytes: number; total?: number }) => told.push(progress);
    await write(bytes(700_000), { keyring, onProgress, plaintextLength: 700_000 }, every(200_000));
    expect(told.length).toBeGreaterThan(1);
    expect(told.every(({ bytes }, i) => i === 0 || bytes > told[i - 1]!.bytes)).toBe(true);
    expect(told.at(-1)).toEqual({ bytes: 700_000, total: 700_000 });
    told.length = 0;
    await write(bytes(10), { keyring, onProgress });
    expect(told).toEqual([{ bytes: 10 }]);
  });
});

describe('what can be told at once is thrown', () => {
  it.each<[string, EncryptOptions, string]>([
    ['no keyring', {} as EncryptOptions, 'INVALID_ARGUMENT'],
    ['a frame length of 0', { keyring, frameLength: 0 }, 'INVALID_ARGUMENT'],
    ['a frame above maxFrameLength', { keyring, frameLength: 2 ** 31 - 1 }, 'LIMIT_EXCEEDED'],
    ['a negative plaintextLength', { keyring, plaintextLength: -1 }, 'INVALID_ARGUMENT'],
    ['a suite that the policy forbids', { keyring, algorithmSuite: 0x0178 }, 'COMMITMENT_POLICY'],
    ['a misspelt option', { keyring, encryptionContxt: {} } as never, 'INVALID_ARGUMENT'],
    ['an aborted signal', { keyring, signal: AbortSignal.abort() }, 'ABORTED'],
  ])('%s', async (_, options, code) => {
    expect(await failureCode(() => encryptStream(options))).toBe(code);
  });
});

describe('the signature', () => {
  const P256 = suiteById(0x0214)!.signature!;
  const P384 = suiteById(0x0578)!.signature!;

  it('gives every message its exact length', async () => {
    // One signature in some hundred misses it and is made again.
    for (const [algorithmSuite, count] of [
      [0x0214, 400],
      [0x0378, 100],
    ] as const) {
      const commitmentPolicy = 'FORBID_ENCRYPT_ALLOW_DECRYPT';
      const options = { keyring, algorithmSuite, commitmentPolicy, frameLength: 16 } as const;
      const lengths = new Set<number>();
      for (let i = 0; i < count; i++) {
        const { bytes: message, header } = await write(bytes(20, i), options);
        lengths.add(message.length - header!.headerLength);
      }
      expect([...lengths]).toEqual([20 + 32 + 40 + 2 + (algorithmSuite === 0x0214 ? 71 : 103)]);
    }
  });

  const providers = [createNodeCrypto(nodeCrypto), createWebCrypto()];
  const rows = providers.flatMap((crypto) =>
    [P256, P384].map((algorithm) => [crypto.name, algorithm.curve, crypto, algorithm] as const),
  );
  it.each(rows)(
    '%s %s: asked again, is another one that every verifier accepts',
    async (_, __, crypto, algorithm) => {
      const key = await crypto.generateSigningKey(algorithm, platformRandom, { inPieces: true });
      for (const message of [bytes(0), bytes(1), bytes(100_000)]) {
        const signer = key.signer!();
        for (const piece of randomly(9)(message)) signer.update(piece);
        const signatures = [await signer.sign(), await signer.sign(), await signer.sign()];
        expect(new Set(signatures.map(String)).size).toBe(3);
        for (const signature of signatures) {
          expect(signature).toHaveLength(2 * algorithm.scalarLength);
          for (const other of providers) {
            expect(await other.verify(algorithm, key.publicKey, message, signature)).toBe(true);
            expect(await verifyInPieces(other, message, signature)).toBe(true);
            expect(await verifyInPieces(other, concat(message, bytes(1)), signature)).toBe(false);
          }
        }
      }
      async function verifyInPieces(other: typeof crypto, message: Uint8Array, signature: Uint8Array) {
        const verifier = await other.verifier(algorithm, key.publicKey);
        for (const piece of randomly(10)(message)) verifier.update(piece);
        return verifier.verify(signature);
      }
    },
  );

  it.each(rows)('%s %s: a verifier accepts no point that is none', async (_, __, crypto, algorithm) => {
    for (const point of [
      new Uint8Array(1 + algorithm.scalarLength).fill(2),
      new Uint8Array(1 + algorithm.scalarLength).fill(0xff, 1).fill(3, 0, 1),
      new Uint8Array(5),
    ]) {
      const verifier = await crypto.verifier(algorithm, point);
      verifier.update(bytes(3));
      expect(await verifier.verify(bytes(2 * algorithm.scalarLength))).toBe(false);
    }
  });

  it('that misses its length is made again, by the same key over the same message', async () => {
    for (const algorithmSuite of [0x0214, 0x0346, 0x0378, 0x0578]) {
      const suite = suiteById(algorithmSuite)!;
      const options = { algorithmSuite, commitmentPolicy: policyFor(suite), frameLength: 16 };
      let asked = 0;
      const cmm = signing((key) => {
        const signer = key.signer!();
        const sign = async () => {
          const rs = await signer.sign();
          return asked++ === 0 ? rs.map((byte, i) => (i === 0 ? 0 : i === 1 ? 1 : byte)) : rs;
        };
        return { ...signer, sign };
      });
      const plain = await write(bytes(100), { ...options, keyring });
      const { bytes: message } = await write(bytes(100), { ...options, cmm });
      expect(asked).toBeGreaterThan(1);
      expect(message.length).toBe(plain.bytes.length);
      const { commitmentPolicy } = options;
      expect((await decrypt(message, { keyring, commitmentPolicy })).plaintext).toEqual(bytes(100));
    }
  });
});

// Materials of ours, with another signer.
function signing(signerOf: (key: SigningKey) => unknown): CryptographicMaterialsManager {
  return changed((materials) => {
    const signingKey = materials.signingKey!;
    return { ...materials, signingKey: { ...signingKey, signer: () => signerOf(signingKey) as Signer } };
  });
}

function changed(change: (materials: EncryptionMaterials) => unknown): CryptographicMaterialsManager {
  return {
    getEncryptionMaterials: async (request) =>
      change(await inner.getEncryptionMaterials(request)) as EncryptionMaterials,
    decryptMaterials: (request) => inner.decryptMaterials(request),
  };
}

describe("a caller's materials manager", () => {
  it('without a signer is UNSUPPORTED, unless the suite is unsigned', async () => {
    const without = changed(({ signingKey, ...materials }) => ({
      ...materials,
      ...(signingKey && { signingKey: { publicKey: signingKey.publicKey, sign: signingKey.sign } }),
    }));
    const { error, bytes: written } = await write(bytes(5), { cmm: without });
    expect(error!.code).toBe('UNSUPPORTED');
    expect(error!.message).toContain('"cmm" answered a signing key without "signer"');
    expect(written).toHaveLength(0);
    const { bytes: message } = await write(bytes(5), { cmm: without, algorithmSuite: 0x0478 });
    expect((await decrypt(message, { keyring })).plaintext).toEqual(bytes(5));
  });

  const thrown = new Error('thrown');
  const throws = () => {
    throw thrown;
  };
  const update = () => {};
  it.each<[string, (key: SigningKey) => unknown, string | Error]>([
    ['is nothing', () => undefined, 'INVALID_ARGUMENT'],
    ['is null', () => null, 'INVALID_ARGUMENT'],
    ['is a promise', (key) => Promise.resolve(key.signer!()), 'INVALID_ARGUMENT'],
    ['has no sign', () => ({ update }), 'INVALID_ARGUMENT'],
    ['has no update', (key) => ({ sign: key.signer!().sign }), 'INVALID_ARGUMENT'],
    ['throws', throws, thrown],
    ['throws when it is given bytes', () => ({ update: throws, sign: () => bytes(96) }), thrown],
    ['throws when it signs', () => ({ update, sign: throws }), thrown],
    ['fails when it signs', () => ({ update, sign: async () => throws() }), thrown],
    ['signs with other lengths', () => ({ update, sign: () => bytes(95) }), 'INVALID_ARGUMENT'],
    ['signs with text', () => ({ update, sign: () => 'x'.repeat(96) }), 'INVALID_ARGUMENT'],
    ['signs with nothing', () => ({ update, sign: () => undefined }), 'INVALID_ARGUMENT'],
  ])('whose signer %s fails both ends, and no message is written', async (_, signerOf, expected) => {
    const { error, bytes: written, result } = await write(bytes(100), { cmm: signing(signerOf) });
    expect(expected instanceof Error ? error : error!.code).toBe(expected);
    expect(result).toBeUndefined();
    expect(await failureCode(decrypt(written, { keyring }))).toBe('TRUNCATED');
  });

  it('whose signer always misses the length is taken as it is, as in one shot', async () => {
    const short = new Uint8Array(96).fill(1).fill(0, 0, 4);
    const { bytes: message, result } = await write(bytes(5), {
      cmm: signing(() => ({ update, sign: () => short })),
    });
    expect(result).toBeDefined();
    expect(await failureCode(decrypt(message, { keyring }))).toBe('AUTHENTICATION_FAILED');
  });

  it('that throws, or answers nothing, fails both ends', async () => {
    for (const [getEncryptionMaterials, expected] of [
      [throws, thrown],
      [async () => undefined, 'INVALID_ARGUMENT'],
      [() => undefined, 'INVALID_ARGUMENT'],
    ] as const) {
      const cmm = { ...inner, getEncryptionMaterials } as never;
      const { error } = await write(bytes(5), { cmm });
      expect(expected instanceof Error ? error : error!.code).toBe(expected);
    }
  });

  it('may let keys go missing, which the result says', async () => {
    const missing = [{ keyId: 'k', error: new Error('down') }];
    const { result } = await write(bytes(5), { cmm: changed((m) => ({ ...m, missingKeys: missing })) });
    expect(result!.missingKeys).toEqual(missing);
  });
});

describe('an early end', () => {
  const mine = new Error('mine');
  const ARN = 'arn:aws:kms:us-east-1:000000000000:key/11111111-1111-1111-1111-111111111111';

  interface State {
    /** What the keyring or the signer was given to be stopped by. */
    stopped?: AbortSignal;
    readonly options: EncryptOptions;
    /** Bytes to write, and whether to close. */
    readonly length: number;
    readonly close?: boolean;
    /** Pieces to be read before. */
    readonly pieces: number;
    /** What must have been called by then. */
    readonly asked?: () => unknown;
  }

  const hanging = (state: { stopped?: AbortSignal }): Keyring => ({
    onEncrypt: (_, { signal }) => {
      state.stopped = signal!;
      return new Promise(() => {});
    },
    onDecrypt: async (materials) => materials,
  });
  const states: [string, () => State][] = [
    ['before the keys', () => ({ options: { keyring }, length: 0, pieces: 0 })],
    [
      'while a keyring hangs',
      () => {
        const state: State = { options: {}, length: 100, pieces: 0 };
        return Object.assign(state, { options: { keyring: hanging(state) } });
      },
    ],
    ['behind the header', () => ({ options: { keyring }, length: 0, pieces: 1 })],
    ['in the middle of a frame', () => ({ options: { keyring }, length: 250, pieces: 2 })],
    [
      'while the signer hangs',
      () => {
        const sign = vi.fn(() => new Promise(() => {}));
        const cmm = signing(() => ({ update: () => {}, sign }));
        return { options: { cmm }, length: 250, close: true, pieces: 3, asked: sign };
      },
    ],
  ];
  const ways = {
    'the reader cancels': (stream) => stream.reader.cancel(mine),
    'the writer aborts': (stream) => stream.writer.abort(mine),
    'the signal aborts': async (stream) => stream.controller.abort(mine),
  } satisfies Record<string, (stream: Streams) => Promise<unknown>>;

  interface Streams {
    readonly reader: ReadableStreamDefaultReader<Bytes>;
    readonly writer: WritableStreamDefaultWriter<BufferSource>;
    readonly controller: AbortController;
  }

  describe.each(states)('%s', (_, make) => {
    it.each(Object.entries(ways))('%s: fails both ends and leaves nothing behind', async (way, end) => {
      for (const engine of ENGINES) {
        const timers = timeouts();
        const dispose = vi.spyOn(MessageSealer.prototype, 'dispose').mockClear();
        const begin = vi.spyOn(MessageSealer, 'begin').mockClear();
        const state = make();
        const controller = new AbortController();
        const { signal } = controller;
        const stream = encryptStream({ ...state.options, signal, engine, frameLength: 100 });
        const [reader, writer] = [stream.readable.getReader(), stream.writable.getWriter()];
        for (const promise of [reader.closed, writer.closed]) promise.catch(() => {});
        writer.write(bytes(state.length)).catch(() => {});
        if (state.close) writer.close().catch(() => {});
        for (let i = 0; i < state.pieces; i++) expect((await reader.read()).done).toBe(false);
        await rest();
        if (state.asked) expect(state.asked).toHaveBeenCalledTimes(1);
        await end({ reader, writer, controller }).catch((error) => expect(error).toBe(mine));
        const error = await stream.result.then(
          () => undefined,
          (reason: unknown) => reason,
        );
        if (way === 'the signal aborts') {
          expect(error).toMatchObject({ code: 'ABORTED', cause: mine });
        } else expect(error).toBe(mine);
        if (way !== 'the reader cancels') await expect(reader.read()).rejects.toBe(error);
        await expect(writer.write(bytes(1))).rejects.toBe(error);
        await rest();
        expect(dispose).toHaveBeenCalledTimes(begin.mock.calls.length);
        expect(getEventListeners(signal, 'abort')).toEqual([]);
        if (state.stopped) expect(state.stopped.aborted).toBe(true);
        expect(timeouts()).toBeLessThanOrEqual(timers);
      }
    });
  });

  function timeouts(): number {
    return process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  }

  it('wipes the data key, also when a wrapping call answers late', async () => {
    const seen: Uint8Array[] = [];
    let answer = (_: unknown) => {};
    const kms: KmsApi = {
      generateDataKey: async () => ({ KeyId: ARN, Plaintext: bytes(32), CiphertextBlob: bytes(9) }),
      encrypt: ({ Plaintext }) => {
        seen.push(Plaintext);
        return new Promise((resolve) => {
          answer = resolve as typeof answer;
        });
      },
      decrypt: async () => ({}),
    };
    const stream = encryptStream({
      keyring: awsKmsKeyring({ generatorKeyId: ARN, keyIds: [ARN], clientSupplier: () => kms }),
    });
    await rest();
    expect(seen).toHaveLength(1);
    await stream.readable.cancel();
    answer({ KeyId: ARN, CiphertextBlob: bytes(9) });
    await rest();
    expect(seen[0]).toEqual(new Uint8Array(32));
  });

  it('and success, wipe the data key before the body', async () => {
    const seen: Uint8Array[] = [];
    const kms: KmsApi = {
      generateDataKey: async () => ({ KeyId: ARN, Plaintext: bytes(32), CiphertextBlob: bytes(50) }),
      encrypt: async ({ Plaintext }) => {
        seen.push(Plaintext);
        return { KeyId: ARN, CiphertextBlob: bytes(50) };
      },
      decrypt: async () => ({}),
    };
    const stream = encryptStream({
      keyring: awsKmsKeyring({ generatorKeyId: ARN, keyIds: [ARN], clientSupplier: () => kms }),
    });
    await stream.header;
    await rest();
    expect(seen).toHaveLength(1);
    expect(seen[0]).toEqual(new Uint8Array(32));
    await stream.readable.cancel();
  });

  it('comes from a progress callback that throws', async () => {
    const onProgress = () => {
      throw mine;
    };
    expect((await write(bytes(5), { keyring, onProgress })).error).toBe(mine);
  });

  it('and success, wipe the plaintext that came', async () => {
    const wipe = vi.spyOn(ByteQueue.prototype, 'wipe');
    await write(bytes(50), { keyring });
    expect(wipe).toHaveBeenCalledTimes(1);
    await write(bytes(50), { keyring, plaintextLength: 10 });
    expect(wipe).toHaveBeenCalledTimes(2);
  });

  it('of a pipe needs the signal in the options while a keyring hangs: a pipe waits for its last write', async () => {
    const { signal, controller } = (() => {
      const controller = new AbortController();
      return { signal: controller.signal, controller };
    })();
    const state: { stopped?: AbortSignal } = {};
    const stream = encryptStream({ keyring: hanging(state), signal });
    const source = new ReadableStream<Uint8Array>({ pull: (c) => c.enqueue(bytes(100)) });
    const piping = source.pipeTo(stream.writable, { signal });
    piping.catch(() => {});
    await rest();
    controller.abort(mine);
    await expect(piping).rejects.toBeInstanceOf(Error);
    expect((await failure(stream.result)).code).toBe('ABORTED');
    expect(state.stopped!.aborted).toBe(true);
  });
});

describe('pipes', () => {
  it('takes a chunk of 64 MiB', async () => {
    const chunk = new Uint8Array(64 * MIB).fill(7);
    chunk[chunk.length - 1] = 8;
    const source = new ReadableStream({
      start: (controller) => {
        controller.enqueue(chunk);
        controller.close();
      },
    });
    const chain = source
      .pipeThrough(encryptStream({ keyring, algorithmSuite: 0x0478, frameLength: 65_536 }))
      .pipeThrough(decryptStream({ keyring }));
    let [length, last] = [0, 0];
    for await (const piece of chain as unknown as AsyncIterable<Bytes>) {
      length += piece.length;
      last = piece.at(-1)!;
    }
    expect([length, last]).toEqual([chunk.length, 8]);
  });

  it('a tee gives both branches the message', async () => {
    const stream = new Blob([bytes(50_000)]).stream().pipeThrough(encryptStream({ keyring }));
    const [a, b] = await Promise.all(stream.tee().map((branch) => collect(branch as ReadableStream<Bytes>)));
    expect(a).toEqual(b);
    expect((await decrypt(a!, { keyring })).plaintext).toEqual(bytes(50_000));
  });

  it('many at once do not disturb each other', async () => {
    const messages = await Promise.all(
      Array.from({ length: 40 }, (_, i) =>
        write(bytes(3000, i), { keyring, engine: ENGINES[i % 4]!, frameLength: 50 + i }, randomly(i)),
      ),
    );
    for (const [i, { bytes: message }] of messages.entries()) {
      expect((await decrypt(message, { keyring })).plaintext).toEqual(bytes(3000, i));
    }
    expect(new Set(messages.map(({ header }) => String(header!.messageId))).size).toBe(40);
  });

  it('more streams than a signal may have listeners raise no warning', async () => {
    const { signal } = new AbortController();
    const warnings: unknown[] = [];
    const note = (warning: Error) => warnings.push(warning);
    process.on('warning', note);
    const streams = Array.from({ length: 30 }, () => encryptStream({ keyring, signal }));
    await rest();
    for (const { readable } of streams) await readable.cancel();
    process.off('warning', note);
    expect(warnings).toEqual([]);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('errors are FramesealErrors wherever they are ours', async () => {
    const stream = encryptStream({ keyring });
    await stream.readable.cancel();
    await expect(stream.result).rejects.toBeInstanceOf(FramesealError);
  });
});
