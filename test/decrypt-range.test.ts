/**
 * Ranges against the slice of the plaintext: what is read, what is refused, and that no source, whatever it answers, gets
 * a wrong byte out of them. SLOW=1 tries every length and widens the counts; a failure of a property prints its seed.
 */
import fc from 'fast-check';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { concat, dataView } from '../src/bytes.ts';
import {
  type DecryptRangeOptions,
  type DecryptRangeResult,
  decrypt,
  decryptRange,
  encrypt,
  FramesealError,
  type Keyring,
  parseHeader,
  type RangeSource,
} from '../src/index.ts';
import { MessageOpener } from '../src/stream/message-opener.ts';
import type { AlgorithmSuite } from '../src/suite/algorithm-suites.ts';
import { aesKeyring, bytes, failure, failureCode, flip, policyFor, SUITE_ROWS } from './support/messages.ts';
import { frames, type NaiveFrame, writeNaively } from './support/naive.ts';

const keyring = aesKeyring();
const naive = { wrappingKey: bytes(32), keyNamespace: 'test', keyName: 'aes-1' };
const ENGINES = ['auto', 'native', 'wasm', 'hybrid'] as const;
const suiteOf = (id: number) => SUITE_ROWS.find(([, suite]) => suite.id === id)![1];
const [V1, V1_SIGNED, V2, V2_SIGNED] = [0x0178, 0x0378, 0x0478, 0x0578].map(suiteOf) as [
  AlgorithmSuite,
  AlgorithmSuite,
  AlgorithmSuite,
  AlgorithmSuite,
];
const slow = process.env.SLOW !== undefined;
const FIRST_READ = 4096;

/** Ours; the one of SDKs that let an empty final frame follow a last full one; and the one of old messages. */
const FORMS = ['last full frame final', 'empty final frame', 'non-framed'] as const;
type Form = (typeof FORMS)[number];

/** A message, and what is known of it without opening it. */
interface Sample {
  readonly message: Uint8Array<ArrayBuffer>;
  readonly plaintext: Uint8Array<ArrayBuffer>;
  readonly suite: AlgorithmSuite;
  readonly form: Form;
  readonly frameLength: number;
  readonly headerLength: number;
  /** Frames, the final one included. */
  readonly count: number;
}

function sample(
  suite: AlgorithmSuite,
  form: Form,
  length: number,
  frameLength = 16,
  { seed = 1, change = (frame) => frame }: { seed?: number; change?: (frame: NaiveFrame) => NaiveFrame } = {},
): Sample {
  const plaintext = bytes(length, seed);
  const regular = Math.floor(length / frameLength);
  const cut =
    form === 'last full frame final'
      ? frames(plaintext, frameLength)
      : Array.from({ length: regular + 1 }, (_, i) => ({
          sequenceNumber: i + 1,
          plaintext: plaintext.subarray(i * frameLength, (i + 1) * frameLength),
          final: i === regular,
        }));
  const body = form === 'non-framed' ? plaintext : cut.map(change);
  const message = writeNaively({ ...naive, suite, frameLength, body });
  const { headerLength } = parseHeader(message);
  return { message, plaintext, suite, form, frameLength, headerLength, count: cut.length };
}

/** A source that tells what is read of it. `size` may lie. */
function recorded(message: Uint8Array, size = message.length) {
  const reads: [number, number][] = [];
  const read = async (start: number, end: number) => {
    reads.push([start, end]);
    return message.slice(start, end);
  };
  const total = () => reads.reduce((sum, [start, end]) => sum + end - start, 0);
  return { size, read, reads, total };
}

function optionsFor(
  suite: AlgorithmSuite,
  start: number,
  end: number,
  more: object = {},
): DecryptRangeOptions {
  const commitmentPolicy = policyFor(suite);
  return { keyring, commitmentPolicy, start, end, allowUnverifiedSignature: true, ...more };
}

/** The answer or the error. */
async function outcomeOf(work: Promise<DecryptRangeResult>): Promise<DecryptRangeResult | FramesealError> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof FramesealError) return error;
    throw error;
  }
}

/** First and last number of the frames that a range lies in; an empty one lies in one too, or at its end. */
function framesOf(start: number, end: number, { frameLength }: Sample): [number, number] {
  const last = Math.max(1, Math.ceil(end / frameLength));
  return [Math.min(last, Math.floor(start / frameLength) + 1), last];
}

/** Whether the final frame must be among those that are checked. */
function isComplete(start: number, end: number, made: Sample): boolean {
  if (made.form === 'non-framed') return true;
  const [, last] = framesOf(start, end, made);
  return last === made.count || (last === made.count - 1 && end === made.plaintext.length);
}

/** Offsets of the frame with this number: its first byte, and the one behind its last. */
function frameAt(number: number, { headerLength, frameLength, count, plaintext }: Sample): [number, number] {
  const at = headerLength + (number - 1) * (frameLength + 32);
  const final = plaintext.length - (count - 1) * frameLength + 40;
  return [at, at + (number < count ? frameLength + 32 : final)];
}

/** What is wrong with an outcome, as text; `undefined` if it is what it must be. */
function wrong(
  outcome: DecryptRangeResult | FramesealError,
  start: number,
  end: number,
  made: Sample,
): string | undefined {
  const { plaintext, form, frameLength } = made;
  const what = `${form}, frames of ${frameLength}, ${plaintext.length} bytes, ${start} to ${end}`;
  if (outcome instanceof FramesealError) {
    const named = outcome.message.includes(`the plaintext's length, ${plaintext.length},`);
    const right = end > plaintext.length && outcome.code === 'INVALID_ARGUMENT' && named;
    return right ? undefined : `${what}: ${outcome.code} ${outcome.message}`;
  }
  const same = Buffer.compare(outcome.plaintext, plaintext.subarray(start, end)) === 0;
  if (!same || end > plaintext.length) return `${what}: other bytes`;
  return outcome.complete === isComplete(start, end, made) ? undefined : `${what}: ${outcome.complete}`;
}

/** Every range of a message, some way past its end included, and each outcome that is wrong. */
async function everyRange(made: Sample, beyond: number): Promise<string[]> {
  const found: string[] = [];
  const most = made.plaintext.length + beyond;
  for (let start = 0; start <= most; start++) {
    for (let end = start; end <= most; end++) {
      const outcome = await outcomeOf(
        decryptRange(recorded(made.message), optionsFor(made.suite, start, end)),
      );
      found.push(wrong(outcome, start, end, made) ?? '');
    }
  }
  return found.filter((text) => text !== '');
}

/** The plaintext of a range, read from these bytes. */
async function plaintextOf(message: Uint8Array, suite: AlgorithmSuite, start: number, end: number) {
  return (await decryptRange(recorded(message), optionsFor(suite, start, end))).plaintext;
}

function rangeCode(message: Uint8Array, suite: AlgorithmSuite, start: number, end: number) {
  return failureCode(decryptRange(recorded(message), optionsFor(suite, start, end)));
}

describe('every range of small messages', () => {
  const all = Array.from({ length: 71 }, (_, i) => i);
  const lengths = slow ? all : [0, 1, 12, 15, 16, 17, 32, 33, 48];

  describe.each([
    ['0x0478', V2],
    ['0x0578', V2_SIGNED],
    ['0x0178', V1],
  ] as const)('%s', (_, suite) => {
    it.each(FORMS)(
      '%s: is the slice, or an error that names the length',
      { timeout: 600_000 },
      async (form) => {
        for (const length of lengths) expect(await everyRange(sample(suite, form, length), 20)).toEqual([]);
      },
    );
  });

  it.each(ENGINES)('by engine %s', async (engine) => {
    for (const [suite, form] of [
      [V2, FORMS[0]],
      [V1_SIGNED, FORMS[1]],
      [V1, FORMS[2]],
    ] as const) {
      const made = sample(suite, form, 48);
      for (let start = 0; start <= 48; start++) {
        for (let end = start; end <= 48; end++) {
          const work = decryptRange(recorded(made.message), optionsFor(suite, start, end, { engine }));
          expect(wrong(await outcomeOf(work), start, end, made)).toBeUndefined();
        }
      }
    }
  });

  it('by WebCrypto, where there is no node:crypto', async () => {
    const { getBuiltinModule } = process;
    onTestFinished(() => {
      process.getBuiltinModule = getBuiltinModule;
      vi.resetModules();
    });
    (process as { getBuiltinModule?: unknown }).getBuiltinModule = undefined;
    vi.resetModules();
    const other = await import('../src/index.ts');
    const { selectPlatform } = await import('../src/engine/select.ts');
    expect(selectPlatform('native').engine.name).toBe('webcrypto');
    const { wrappingKey, ...names } = naive;
    const itsKeyring = other.rawAesKeyring({ ...names, wrappingKey });
    for (const form of FORMS) {
      const made = sample(V2_SIGNED, form, 350);
      for (const [start, end] of [
        [0, 350],
        [17, 300],
        [335, 336],
        [350, 350],
      ] as const) {
        const options = { keyring: itsKeyring, engine: 'native', start, end, allowUnverifiedSignature: true };
        const opened = await other.decryptRange(recorded(made.message), options as never);
        expect(wrong(opened, start, end, made)).toBeUndefined();
      }
      const altered = flip(made.message, made.headerLength + 30);
      const options = {
        keyring: itsKeyring,
        engine: 'native',
        start: 0,
        end: 20,
        allowUnverifiedSignature: true,
      };
      await expect(other.decryptRange(recorded(altered), options as never)).rejects.toThrow('not authentic');
    }
  });
});

describe('ranges of large messages', () => {
  /** Frame length and plaintext: more than a batch of each. */
  const PLAINTEXTS = (
    [
      [1, 5000],
      [2, 5001],
      [16, 40_000],
      [100, 250_000],
      [4096, 5 * 2 ** 18 + 5],
      [65_536, 20 * 65_536],
    ] as const
  ).map(([frameLength, length]) => [frameLength, bytes(length)] as const);

  it.each(SUITE_ROWS)('%s: at every frame length, on every engine', async (_, suite) => {
    for (const [frameLength, plaintext] of PLAINTEXTS) {
      const { length } = plaintext;
      const options = { keyring, algorithmSuite: suite.id, commitmentPolicy: policyFor(suite) };
      const { ciphertext, header } = await encrypt(plaintext, { ...options, frameLength });
      const count = Math.ceil(length / frameLength);
      const { headerLength } = header;
      const made = {
        message: ciphertext,
        plaintext,
        suite,
        form: FORMS[0],
        frameLength,
        headerLength,
        count,
      };
      for (const [i, engine] of ENGINES.entries()) {
        const edge = frameLength * (1 + ((i * 37) % (count - 1)));
        for (const [start, end] of [
          [edge - 1, edge + 1],
          [edge, Math.min(length, edge + frameLength)],
          [Math.floor(length / 3), Math.floor(length / 2) + i],
          [length - 1, length],
          [i, length],
        ] as const) {
          const work = decryptRange(recorded(ciphertext), optionsFor(suite, start, end, { engine }));
          expect(wrong(await outcomeOf(work), start, end, made)).toBeUndefined();
        }
      }
    }
  });

  it('is what one-shot decryption gives, and reads no more than it needs', { timeout: 600_000 }, async () => {
    const frameLength = fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constantFrom(100, 4096));
    const drawn = fc.record({
      suite: fc.constantFrom(...SUITE_ROWS.map(([, suite]) => suite)),
      form: fc.constantFrom(...FORMS),
      length: fc.oneof(fc.nat(300), fc.nat(20_000)),
      frameLength,
      edges: fc.tuple(
        fc.double({ min: 0, max: 1.1, noNaN: true }),
        fc.double({ min: 0, max: 1.1, noNaN: true }),
      ),
    });
    await fc.assert(
      fc.asyncProperty(drawn, async ({ suite, form, length, frameLength: frame, edges }) => {
        const made = sample(suite, form, length, frame);
        const [start, end] = edges.map((edge) => Math.floor(edge * length)).sort((a, b) => a - b) as [
          number,
          number,
        ];
        const source = recorded(made.message);
        const outcome = await outcomeOf(decryptRange(source, optionsFor(suite, start, end)));
        expect(wrong(outcome, start, end, made)).toBeUndefined();
        if (!(outcome instanceof FramesealError)) {
          const whole = await decrypt(made.message, { keyring, commitmentPolicy: policyFor(suite) });
          expect(Buffer.compare(outcome.plaintext, whole.plaintext.subarray(start, end))).toBe(0);
          expect(outcome.header).toEqual(whole.header);
          expect(outcome.plaintext.buffer.byteLength).toBe(outcome.plaintext.length);
        }
        if (form === 'non-framed') return;
        const [first, last] = framesOf(Math.min(start, length), Math.min(end, length), made);
        const touched = last - first + 1;
        // A few hundred bytes at the end of the source; and behind each batch, room for an empty final frame.
        const more = 400 + 40 * source.reads.length;
        expect(source.total()).toBeLessThanOrEqual(FIRST_READ + (touched + 2) * (frame + 32) + more);
      }),
      { numRuns: slow ? 5000 : 400 },
    );
  });
});

describe('what is read', () => {
  const at = (made: Sample, number: number) => frameAt(number, made)[0];

  it('is the start of the message, and the frames of the range in one go', async () => {
    const made = sample(V2, FORMS[0], 200_000, 1000);
    const source = recorded(made.message);
    await decryptRange(source, optionsFor(V2, 100_500, 104_000));
    // A final frame may be one of them, and is 8 bytes longer; or an empty one may stand behind them.
    expect(source.reads).toEqual([
      [0, FIRST_READ],
      [at(made, 101), at(made, 105) + 40],
    ]);
  });

  it('is one frame for an empty range', async () => {
    const made = sample(V2, FORMS[0], 200_000, 1000);
    for (const [start, number] of [
      [0, 1],
      [50_500, 51],
      [51_000, 51],
      [200_000, 200],
    ] as const) {
      const source = recorded(made.message);
      const { plaintext } = await decryptRange(source, optionsFor(V2, start, start));
      expect(plaintext).toEqual(bytes(0));
      const to = Math.min(made.message.length, at(made, number + 1) + 40);
      expect(source.reads).toEqual([
        [0, FIRST_READ],
        [at(made, number), to],
      ]);
    }
  });

  it('goes in batches of a MiB, and no frame is read twice', async () => {
    const made = sample(V2, FORMS[0], 5 * 2 ** 20, 65_536);
    const source = recorded(made.message);
    await decryptRange(source, optionsFor(V2, 0, made.plaintext.length));
    expect(source.reads).toHaveLength(1 + 5);
    expect(source.total()).toBeLessThanOrEqual(FIRST_READ + made.message.length + 5 * 40);
  });

  it('needs no further read to know that an empty final frame follows', async () => {
    const made = sample(V2_SIGNED, 'empty final frame', 64, 16);
    const source = recorded(made.message);
    expect((await decryptRange(source, optionsFor(V2_SIGNED, 0, 64))).complete).toBe(true);
    expect(source.reads).toHaveLength(2);
  });

  it('doubles until the header is there, and no further than maxHeaderLength', async () => {
    const encryptionContext = { a: 'x'.repeat(30_000), b: 'y'.repeat(20_000) };
    const { ciphertext, header } = await encrypt(bytes(500_000), { keyring, encryptionContext });
    const { headerLength } = header;
    const options = { keyring, start: 400_000, end: 400_001, allowUnverifiedSignature: true };
    const source = recorded(ciphertext);
    const { plaintext } = await decryptRange(source, { ...options, maxHeaderLength: headerLength });
    expect(plaintext).toEqual(bytes(500_000).slice(400_000, 400_001));
    const starts = source.reads.slice(0, -1).map(([, end]) => end);
    expect(starts).toEqual([4096, 8192, 16_384, 32_768, headerLength]);
    for (const maxHeaderLength of [headerLength - 1, 10_000, 4096, 1]) {
      const limited = recorded(ciphertext);
      const error = await failure(decryptRange(limited, { ...options, maxHeaderLength }));
      expect([error.code, error.message]).toEqual([
        'LIMIT_EXCEEDED',
        expect.stringContaining(`${maxHeaderLength}`),
      ]);
      for (const [, end] of limited.reads) expect(end).toBeLessThanOrEqual(Math.max(4096, maxHeaderLength));
    }
  });

  it('is nothing of the body before the header is authentic', async () => {
    const { message } = sample(V2, FORMS[0], 100_000, 1000);
    const old = sample(V1, FORMS[0], 100_000, 1000).message;
    for (const [from, change, code] of [
      [message, { keyring: aesKeyring(2) }, 'NO_DATA_KEY'],
      [message, { encryptionContext: { a: 'b' } }, 'CONTEXT_MISMATCH'],
      [message, { maxFrameLength: 999 }, 'LIMIT_EXCEEDED'],
      [old, { commitmentPolicy: 'REQUIRE_ENCRYPT_REQUIRE_DECRYPT' }, 'COMMITMENT_POLICY'],
      [flip(old, parseHeader(old).headerLength - 1), {}, 'AUTHENTICATION_FAILED'],
    ] as const) {
      const source = recorded(from);
      const options = optionsFor(from === message ? V2 : V1, 50_000, 50_001, change);
      expect(await failureCode(decryptRange(source, options))).toBe(code);
      expect(source.reads).toEqual([[0, FIRST_READ]]);
    }
  });

  it('is little, and nothing is allocated, for a range far past the end', async () => {
    for (const form of FORMS) {
      for (const suite of [V2, V2_SIGNED]) {
        const made = sample(suite, form, 100_000, 1000);
        for (const end of [200_000, 2 ** 31, 2 ** 40, Number.MAX_SAFE_INTEGER]) {
          for (const start of [0, 99_999, 100_000, 150_000, end]) {
            const source = recorded(made.message);
            const outcome = await outcomeOf(decryptRange(source, optionsFor(suite, start, end)));
            expect(wrong(outcome, start, end, made)).toBeUndefined();
            if (form !== 'non-framed') expect(source.total()).toBeLessThan(FIRST_READ + 3 * 1032 + 200);
          }
        }
      }
    }
  });

  it('is all of a non-framed body and no more, once its length is found to be within maxFrameLength', async () => {
    const { message, headerLength: at } = sample(V1, 'non-framed', 10_001);
    const longer = concat(message, bytes(5000));
    const limited = recorded(longer);
    const tooLong = decryptRange(limited, optionsFor(V1, 0, 1, { maxFrameLength: 10_000 }));
    expect(await failureCode(tooLong)).toBe('LIMIT_EXCEEDED');
    expect(limited.reads).toEqual([
      [0, FIRST_READ],
      [at, at + 20],
    ]);
    const enough = recorded(longer);
    expect((await decryptRange(enough, optionsFor(V1, 0, 1, { maxFrameLength: 10_001 }))).plaintext).toEqual(
      bytes(1),
    );
    expect(enough.reads.slice(1)).toEqual([
      [at, at + 20],
      [at, message.length],
    ]);
  });

  it('may be a Blob, a part of one or a File', async () => {
    for (const form of FORMS) {
      const made = sample(V2, form, 5000, 100);
      const around = concat(bytes(77), made.message, bytes(33));
      for (const blob of [
        new Blob([made.message]),
        new Blob([around]).slice(77, 77 + made.message.length),
        new File([made.message.slice(0, 1000), made.message.slice(1000)], 'name'),
      ]) {
        const outcome = await outcomeOf(decryptRange(blob, optionsFor(V2, 1234, 4567)));
        expect(wrong(outcome, 1234, 4567, made)).toBeUndefined();
      }
    }
  });
});

describe('signed messages', () => {
  it('need allowUnverifiedSignature, which is asked for before any key is', async () => {
    let asked = 0;
    const counting: Keyring = {
      onEncrypt: async (materials) => materials,
      onDecrypt: async (materials) => {
        asked++;
        return materials;
      },
    };
    const { message } = sample(V2_SIGNED, FORMS[0], 50);
    for (const allowUnverifiedSignature of [undefined, false]) {
      const options = { keyring: counting, start: 0, end: 5, allowUnverifiedSignature };
      const error = await failure(decryptRange(recorded(message), options));
      expect([error.code, error.message]).toEqual([
        'UNSUPPORTED',
        expect.stringContaining('allowUnverified'),
      ]);
    }
    expect(asked).toBe(0);
    const unsigned = sample(V2, FORMS[0], 50).message;
    await decryptRange(recorded(unsigned), { keyring, start: 0, end: 5 });
  });

  it('are not verified: an altered signature changes nothing', async () => {
    const { message } = sample(V2_SIGNED, FORMS[0], 50);
    expect(await plaintextOf(flip(message, message.length - 1), V2_SIGNED, 0, 50)).toEqual(bytes(50));
  });

  it.each([
    ['0x0214', suiteOf(0x0214), 72],
    ['0x0578', V2_SIGNED, 104],
  ] as const)(
    '%s: end where the final frame says, whatever the length of the signature',
    async (_, suite, most) => {
      for (const [form, length, frameLength] of [
        [FORMS[0], 0, 16],
        [FORMS[0], 15, 16],
        [FORMS[0], 16, 16],
        [FORMS[0], 17, 16],
        [FORMS[1], 32, 16],
        [FORMS[0], 7, 1],
        [FORMS[1], 7, 1],
        [FORMS[0], 500, 200],
      ] as const) {
        const made = sample(suite, form, length, frameLength);
        const [, end] = frameAt(made.count, made);
        for (let signature = 0; signature <= most; signature++) {
          const footer = concat(Uint8Array.of(0, signature), bytes(signature, 9));
          const message = concat(made.message.subarray(0, end), footer);
          for (const [start, stop] of [
            [0, length],
            [length, length],
            [length, length + 1],
            [length + 1, length + 1],
            [length + frameLength, length + 3 * frameLength],
            [length + 500, length + 600],
          ] as const) {
            const outcome = await outcomeOf(decryptRange(recorded(message), optionsFor(suite, start, stop)));
            expect(wrong(outcome, start, stop, made)).toBeUndefined();
          }
        }
      }
    },
  );
});

describe('version 1 messages', () => {
  const random = () => crypto.getRandomValues(new Uint8Array(12));
  const withIv = (frame: NaiveFrame) => ({ ...frame, iv: random() });

  it('open under the IVs that they carry; those of version 2 are the sequence numbers', async () => {
    for (const form of [FORMS[0], FORMS[1]]) {
      const old = sample(V1, form, 64, 16, { change: withIv });
      expect(await everyRange(old, 3)).toEqual([]);
      const { message } = sample(V2, form, 64, 16, { change: withIv });
      expect(await rangeCode(message, V2, 20, 21)).toBe('INVALID_MESSAGE');
    }
  });
});

describe('sources that end early', () => {
  const RANGES = [
    [0, 0],
    [0, 1],
    [5, 16],
    [15, 17],
    [16, 16],
    [16, 32],
    [0, 48],
    [33, 48],
    [48, 48],
    [0, 49],
    [49, 49],
    [64, 70],
  ] as const;

  it.each(FORMS)('at every byte, %s: the bytes if they are there, else TRUNCATED', async (form) => {
    for (const suite of [V1, V2, V2_SIGNED]) {
      const made = sample(suite, form, 48);
      const { message, headerLength, count, plaintext } = made;
      const [, bodyEnd] = form === 'non-framed' ? [0, headerLength + 36 + 48] : frameAt(count, made);
      for (let cut = 0; cut < message.length; cut++) {
        for (const [start, end] of RANGES) {
          const outcome = await outcomeOf(
            decryptRange(recorded(message.slice(0, cut)), optionsFor(suite, start, end)),
          );
          const [, last] = framesOf(start, end, made);
          const needed = form === 'non-framed' || last > count ? bodyEnd : frameAt(last, made)[1];
          if (outcome instanceof FramesealError) {
            const code = cut < needed || cut < headerLength ? 'TRUNCATED' : 'INVALID_ARGUMENT';
            expect([start, end, cut, outcome.code]).toEqual([start, end, cut, code]);
            if (code !== 'TRUNCATED') expect(end).toBeGreaterThan(48);
          } else {
            expect(cut).toBeGreaterThanOrEqual(needed);
            expect(outcome.plaintext).toEqual(plaintext.slice(start, end));
            expect(outcome.complete).toBe(isComplete(start, end, made) && cut >= bodyEnd);
          }
        }
      }
    }
  });

  it('never give a short result', async () => {
    const { message } = sample(V2, FORMS[0], 3 * 2 ** 20, 65_536);
    expect(await rangeCode(message.subarray(0, message.length - 1), V2, 0, 3 * 2 ** 20)).toBe('TRUNCATED');
    expect(await rangeCode(message.subarray(0, 2 ** 20), V2, 0, 3 * 2 ** 20)).toBe('TRUNCATED');
  });
});

describe('altered messages', () => {
  const RANGES = [
    [0, 0],
    [3, 9],
    [16, 32],
    [20, 40],
    [0, 64],
    [64, 64],
    [50, 64],
  ] as const;

  it.each(FORMS)(
    'a flipped bit, %s: fails in the header and in a frame of the range, else matters not',
    async (form) => {
      for (const suite of [V1, V2, V2_SIGNED]) {
        const made = sample(suite, form, 64);
        const { message, headerLength, count, plaintext } = made;
        for (let at = 0; at < message.length; at++) {
          for (const [start, end] of RANGES) {
            const outcome = await outcomeOf(
              decryptRange(recorded(flip(message, at, at % 8)), optionsFor(suite, start, end)),
            );
            const [first, last] = framesOf(start, end, made);
            const whole = form === 'non-framed';
            const from = whole ? headerLength : frameAt(first, made)[0];
            const to = whole ? headerLength + 36 + 64 : frameAt(last, made)[1];
            // An empty final frame that belongs to the range: without its marker or with another length it is none.
            const empty =
              !whole && isComplete(start, end, made) && last < count ? at - frameAt(count, made)[0] : -1;
            const none = [0, 1, 2, 3, 20, 21, 22, 23].includes(empty);
            const fails = at < headerLength || (at >= from && at < to) || (empty >= 0 && empty < 40 && !none);
            const what = [form, suite.id, at, start, end];
            expect([...what, outcome instanceof FramesealError]).toEqual([...what, fails]);
            if (outcome instanceof FramesealError) continue;
            expect(outcome.plaintext).toEqual(plaintext.slice(start, end));
            expect([...what, outcome.complete]).toEqual([...what, isComplete(start, end, made) && !none]);
          }
        }
      }
    },
  );

  /** The frames of a message, as bytes. */
  const cut = (made: Sample) =>
    Array.from({ length: made.count }, (_, i) => made.message.slice(...frameAt(i + 1, made)));
  const join = (made: Sample, parts: Uint8Array[]) =>
    concat(made.message.subarray(0, made.headerLength), ...parts);
  const numbered = (frame: Uint8Array<ArrayBuffer>, number: number) => {
    dataView(frame).setUint32(0, number);
    dataView(frame).setUint32(12, number);
    return frame;
  };

  it('frames in another order, repeated, removed or moved fail', async () => {
    for (const suite of [V1, V2]) {
      const made = sample(suite, FORMS[0], 70);
      const [one, two, three, four, five] = cut(made) as [
        Uint8Array<ArrayBuffer>,
        Uint8Array<ArrayBuffer>,
        Uint8Array<ArrayBuffer>,
        Uint8Array<ArrayBuffer>,
        Uint8Array<ArrayBuffer>,
      ];
      for (const parts of [
        [one, three, two, four, five],
        [one, one, three, four, five],
        [one, three, four, five],
        [one, new Uint8Array(two.length), three, four, five],
        [one, five, three, four],
        [one, two.subarray(1), three, four, five],
        [one, concat(bytes(1), two), three, four, five],
      ]) {
        for (const end of [20, 60]) {
          expect(await rangeCode(join(made, parts), suite, 17, end)).toBe('INVALID_MESSAGE');
        }
        expect(await plaintextOf(join(made, parts), suite, 0, 16)).toEqual(bytes(16));
      }
      for (const parts of [
        [one, numbered(three.slice(), 2), three, four, five],
        [one, numbered(one.slice(), 2), three, four, five],
      ]) {
        expect(await rangeCode(join(made, parts), suite, 17, 20)).toBe('AUTHENTICATION_FAILED');
      }
    }
  });

  it('tell a range that is wrong from a message that is', async () => {
    const made = sample(V2, FORMS[0], 170);
    const [one, two, three, ...others] = cut(made) as [Uint8Array, Uint8Array, Uint8Array, ...Uint8Array[]];
    const swapped = join(made, [one, three, two, ...others]);
    expect(await rangeCode(swapped, V2, 17, 170)).toBe('INVALID_MESSAGE');
    expect(await rangeCode(swapped, V2, 17, 171)).toBe('INVALID_ARGUMENT');
    expect(await plaintextOf(swapped, V2, 48, 170)).toEqual(bytes(170).slice(48));
  });

  it('frames of another message fail, even under the same key and at the same place', async () => {
    for (const suite of [V1, V2]) {
      const dataKey = bytes(suite.keyLength, 5);
      const write = (seed: number) =>
        writeNaively({ ...naive, suite, dataKey, frameLength: 16, body: frames(bytes(70, seed), 16) });
      const [message, other] = [write(1), write(2)];
      const { headerLength } = parseHeader(message);
      const mixed = concat(
        message.subarray(0, headerLength + 48),
        other.subarray(headerLength + 48, headerLength + 96),
        message.subarray(headerLength + 96),
      );
      expect(await rangeCode(mixed, suite, 17, 20)).toBe('AUTHENTICATION_FAILED');
      expect(await plaintextOf(mixed, suite, 0, 16)).toEqual(bytes(70).slice(0, 16));
      expect(await plaintextOf(mixed, suite, 32, 70)).toEqual(bytes(70).slice(32));
    }
  });

  it('a final frame cannot be made out of a regular one, nor moved forward', async () => {
    const made = sample(V1, FORMS[0], 70);
    const [one, two, three] = cut(made) as [Uint8Array<ArrayBuffer>, Uint8Array, Uint8Array];
    const length = Uint8Array.of(0, 0, 0, 16);
    const final = concat(Uint8Array.of(255, 255, 255, 255), two.subarray(0, 16), length, two.subarray(16));
    expect(await rangeCode(join(made, [one, final]), V1, 16, 20)).toBe('AUTHENTICATION_FAILED');
    expect(await rangeCode(join(made, [one, final]), V1, 40, 50)).not.toBe('INVALID_ARGUMENT');
    const five = cut(made)[4]!.slice();
    dataView(five).setUint32(4, 4);
    expect(await rangeCode(join(made, [one, two, three, five]), V1, 48, 50)).toBe('AUTHENTICATION_FAILED');
    // Past that end: no length may be named that is not authentic.
    for (const [start, end] of [
      [60, 64],
      [64, 70],
      [200, 201],
    ] as const) {
      expect(await rangeCode(join(made, [one, two, three, five]), V1, start, end)).toBe(
        'AUTHENTICATION_FAILED',
      );
    }
  });

  it('what follows the message is not looked at', async () => {
    for (const suite of [V2, V2_SIGNED]) {
      for (const form of FORMS) {
        const made = sample(suite, form, 64);
        for (const tail of [bytes(1), bytes(40), bytes(5000), made.message]) {
          const message = concat(made.message, tail);
          for (const [start, end] of RANGES) {
            const outcome = await outcomeOf(decryptRange(recorded(message), optionsFor(suite, start, end)));
            expect(wrong(outcome, start, end, made)).toBeUndefined();
          }
          const past = await outcomeOf(decryptRange(recorded(message), optionsFor(suite, 500, 600)));
          expect(past).toBeInstanceOf(FramesealError);
        }
      }
    }
  });

  it('a footer that looks like a frame opens as none', async () => {
    const made = sample(V2_SIGNED, FORMS[0], 20);
    const [, end] = frameAt(2, made);
    const [third] = frameAt(3, made);
    for (const [fake, code] of [
      [numbered(bytes(48), 3), 'INVALID_ARGUMENT'], // its IV is none, and the final frame before it is authentic
      [numbered(cut(made)[0]!.slice(), 3), 'AUTHENTICATION_FAILED'],
    ] as const) {
      const message = concat(made.message.subarray(0, end), bytes(third - end), fake);
      dataView(message).setUint16(end, message.length - end - 2);
      expect(await rangeCode(message, V2_SIGNED, 32, 40)).toBe(code);
      expect(await plaintextOf(message, V2_SIGNED, 0, 20)).toEqual(bytes(20));
    }
  });
});

describe('sources that lie', () => {
  const made = sample(V2, FORMS[0], 50_000, 100);
  const { message, plaintext } = made;
  const options = optionsFor(V2, 20_000, 30_000);

  it.each([
    ['fewer bytes', (answer: Uint8Array) => answer.subarray(1)],
    ['more bytes', (answer: Uint8Array) => concat(answer, bytes(1))],
    ['no bytes', () => new Uint8Array(0)],
    ['nothing', () => undefined],
    ['text', () => 'x'.repeat(FIRST_READ)],
    ['an array', (answer: Uint8Array) => [...answer]],
    ['an ArrayBuffer', (answer: Uint8Array) => answer.slice().buffer],
    ['other views', (answer: Uint8Array) => new DataView(answer.slice().buffer)],
  ])('with %s fail at once, in the header and in the body', async (_, change) => {
    for (const from of [0, 1]) {
      let reads = 0;
      const read = async (start: number, end: number) => {
        const answer = message.slice(start, end);
        return (reads++ >= from ? change(answer) : answer) as Uint8Array;
      };
      const error = await failure(decryptRange({ size: message.length, read }, options));
      expect([error.code, error.message]).toEqual([
        'INVALID_ARGUMENT',
        expect.stringMatching(/^"source" expected to read \d+ bytes at offset \d+, got /),
      ]);
      expect(reads).toBe(from + 1);
    }
  });

  it('their own errors come out as they are, thrown or rejected', async () => {
    const gone = new Error('412 Precondition Failed');
    for (const read of [
      () => {
        throw gone;
      },
      () => Promise.reject(gone),
    ]) {
      await expect(decryptRange({ size: 1000, read }, options)).rejects.toBe(gone);
    }
    const later = recorded(message);
    const read = (start: number, end: number) => (start > 0 ? Promise.reject(gone) : later.read(start, end));
    await expect(decryptRange({ size: message.length, read }, options)).rejects.toBe(gone);
  });

  it('may answer at once, with a Buffer, with a view, or with the same buffer each time', async () => {
    const scratch = new Uint8Array(message.length);
    for (const read of [
      (start: number, end: number) => message.slice(start, end),
      (start: number, end: number) => Buffer.from(message.subarray(start, end)),
      (start: number, end: number) => {
        scratch.set(message.subarray(start, end));
        return scratch.subarray(0, end - start);
      },
    ] as const) {
      const source = { size: message.length, read } as unknown as RangeSource;
      expect((await decryptRange(source, options)).plaintext).toEqual(plaintext.slice(20_000, 30_000));
    }
  });

  it('with a size too large find their bytes, or fail', async () => {
    for (const more of [1, 8, 40, 132, 5000, 2 ** 40]) {
      const size = message.length + more;
      expect((await decryptRange(recorded(message, size), options)).plaintext).toEqual(
        plaintext.slice(20_000, 30_000),
      );
      for (const [start, end] of [
        [49_950, 50_000],
        [49_950, 50_001],
        [50_000, 50_050],
        [60_000, 60_001],
      ] as const) {
        const outcome = await outcomeOf(decryptRange(recorded(message, size), optionsFor(V2, start, end)));
        if (!(outcome instanceof FramesealError)) expect(wrong(outcome, start, end, made)).toBeUndefined();
      }
    }
  });

  it('with a size too small end early', async () => {
    for (const less of [1, 40, 141, 1000, 40_000]) {
      const source = recorded(message, message.length - less);
      expect(await failureCode(decryptRange(source, optionsFor(V2, 20_000, 50_000)))).toBe('TRUNCATED');
      for (const [, end] of source.reads) expect(end).toBeLessThanOrEqual(message.length - less);
    }
  });

  it('that change between reads give no byte of two messages', async () => {
    const other = sample(V2, FORMS[0], 50_000, 100).message;
    for (const first of [message, other]) {
      let reads = 0;
      const read = async (start: number, end: number) =>
        (reads++ === 0 ? first : first === message ? other : message).slice(start, end);
      const work = decryptRange({ size: message.length, read }, options);
      expect(await failureCode(work)).toBe('AUTHENTICATION_FAILED');
    }
    const context = { a: 'x'.repeat(5000) }; // a header of two reads, the first of another message
    const [one, two] = [3, 4].map((seed) =>
      writeNaively({
        ...naive,
        suite: V2,
        context,
        frameLength: 100,
        body: frames(bytes(50_000, seed), 100),
      }),
    ) as [Uint8Array, Uint8Array];
    let reads = 0;
    const read = async (start: number, end: number) => (reads++ === 0 ? one : two).slice(start, end);
    const { plaintext: second } = await decryptRange({ size: two.length, read }, options);
    expect(second).toEqual(bytes(50_000, 4).slice(20_000, 30_000));
  });
});

describe('whatever is altered, and whatever a source answers', () => {
  const SUITES = [V1, V2, V2_SIGNED] as const;
  const samples = SUITES.flatMap((suite) => FORMS.map((form) => [suite, form] as const)).flatMap(
    ([suite, form], i) => [70, 64].map((length, j) => sample(suite, form, length, 16, { seed: 2 * i + j })),
  );
  const edges = fc
    .tuple(fc.nat(90), fc.nat(90))
    .map(([a, b]) => (a < b ? [a, b] : [b, a]) as [number, number]);

  /** Fails unless the outcome is an error, or the true bytes. */
  const mayBe = (
    outcome: DecryptRangeResult | FramesealError,
    start: number,
    end: number,
    all: Uint8Array[],
  ) => {
    if (outcome instanceof FramesealError) return;
    const same = all.filter(
      (plaintext) =>
        end <= plaintext.length && Buffer.compare(outcome.plaintext, plaintext.subarray(start, end)) === 0,
    );
    expect(same).not.toEqual([]);
  };

  it('an altered message gives its bytes or an error', async () => {
    const edit = fc.record({
      at: fc.nat(10_000),
      remove: fc.nat(60),
      insert: fc.oneof(
        fc.uint8Array({ maxLength: 6 }),
        fc.constantFrom(Uint8Array.of(255, 255, 255, 255), new Uint8Array(4), new Uint8Array(48)),
      ),
    });
    const edits = fc.array(edit, { minLength: 1, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...samples), edits, edges, async (made, changes, [start, end]) => {
        let altered: Uint8Array = made.message;
        for (const { at, remove, insert } of changes) {
          const from = at % (altered.length + 1);
          altered = concat(altered.subarray(0, from), insert, altered.subarray(from + remove));
        }
        const outcome = await outcomeOf(decryptRange(recorded(altered), optionsFor(made.suite, start, end)));
        mayBe(outcome, start, end, [made.plaintext]);
      }),
      { numRuns: slow ? 50_000 : 1500 },
    );
  });

  it('a message put together anew from frames of two gives the bytes of the one whose header it has, or an error', async () => {
    for (const suite of SUITES) {
      const dataKey = bytes(suite.keyLength, 5);
      const write = (seed: number) =>
        writeNaively({ ...naive, suite, dataKey, frameLength: 16, body: frames(bytes(70, seed), 16) });
      const [message, other] = [write(1), write(2)] as const;
      const { headerLength: at } = parseHeader(message);
      const piece = fc.record({ from: fc.constantFrom(message, other), number: fc.nat(5) });
      await fc.assert(
        fc.asyncProperty(fc.array(piece, { maxLength: 7 }), edges, async (pieces, [start, end]) => {
          const parts = pieces.map(({ from, number }) =>
            from.subarray(at + number * 48, at + number * 48 + 48),
          );
          const built = concat(message.subarray(0, at), ...parts);
          const outcome = await outcomeOf(decryptRange(recorded(built), optionsFor(suite, start, end)));
          mayBe(outcome, start, end, [bytes(70)]);
        }),
        { numRuns: slow ? 20_000 : 500 },
      );
    }
  });

  it('a source that answers from anywhere gives the bytes of one message, or an error', async () => {
    const answer = fc.record({
      of: fc.constantFrom(0, 0, 0, 1),
      by: fc.constantFrom(0, 0, 0, 48, -48, 1, -8, 8),
      size: fc.constantFrom(0, 0, 0, 1, -1),
    });
    const answers = fc.array(answer, { minLength: 4, maxLength: 4 });
    const claimed = fc.constantFrom(0, 0, 0, 1, -1, 48, -48, 100, 10_000, -200);
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...samples),
        fc.constantFrom(...samples),
        answers,
        claimed,
        edges,
        async (made, second, plan, more, [start, end]) => {
          let reads = 0;
          const read = async (from: number, to: number) => {
            const { of, by, size } = plan[Math.min(reads++, plan.length - 1)]!;
            const { message } = of === 0 ? made : second;
            return message.slice(Math.max(0, from + by), Math.max(0, to + by + size));
          };
          const size = Math.max(0, made.message.length + more);
          const commitmentPolicy = 'REQUIRE_ENCRYPT_ALLOW_DECRYPT';
          const options = optionsFor(V2, start, end, { commitmentPolicy });
          const outcome = await outcomeOf(decryptRange({ size, read }, options));
          mayBe(outcome, start, end, [made.plaintext, second.plaintext]);
        },
      ),
      { numRuns: slow ? 50_000 : 2000 },
    );
  });
});

describe('signals and progress', () => {
  it('an aborted signal ends a read that never answers', async () => {
    const made = sample(V2, FORMS[0], 5000, 100);
    for (const answered of [0, 1]) {
      const controller = new AbortController();
      let reads = 0;
      const read = async (start: number, end: number) => {
        if (reads++ < answered) return made.message.slice(start, end);
        queueMicrotask(() => controller.abort('enough'));
        return new Promise<Uint8Array>(() => {});
      };
      const options = optionsFor(V2, 1000, 2000, { signal: controller.signal });
      const error = await failure(decryptRange({ size: made.message.length, read }, options));
      expect([error.code, error.cause]).toEqual(['ABORTED', 'enough']);
    }
    const options = optionsFor(V2, 0, 1, { signal: AbortSignal.abort('before') });
    const source = recorded(made.message);
    expect(await failureCode(decryptRange(source, options))).toBe('ABORTED');
    expect(source.reads).toEqual([]);
  });

  it('an aborted signal stops between batches', async () => {
    const made = sample(V2, FORMS[0], 4 * 2 ** 20, 65_536);
    const controller = new AbortController();
    const source = recorded(made.message);
    const onProgress = () => controller.abort();
    const options = optionsFor(V2, 0, 4 * 2 ** 20, { signal: controller.signal, onProgress });
    expect(await failureCode(decryptRange(source, options))).toBe('ABORTED');
    expect(source.reads).toHaveLength(2);
  });

  it.each(FORMS)('%s: progress counts the bytes of the range', async (form) => {
    const made = sample(V2, form, 4 * 2 ** 20, 65_536);
    for (const [start, end] of [
      [1000, 3 * 2 ** 20],
      [5, 6],
      [7, 7],
      [0, 4 * 2 ** 20],
    ] as const) {
      const seen: number[] = [];
      const onProgress = ({ bytes: done, total }: { bytes: number; total?: number }) => {
        expect(total).toBe(end - start);
        seen.push(done);
      };
      await decryptRange(recorded(made.message), optionsFor(V2, start, end, { onProgress }));
      expect(seen).toEqual([...seen].sort((a, b) => a - b));
      expect(seen.at(-1)).toBe(end - start);
      expect(Math.min(...seen)).toBeGreaterThanOrEqual(0);
    }
  });
});

describe('what is left behind', () => {
  /** Spies on the opening core: the openers that were made, and the buffers that they wrote plaintext to. */
  function watch() {
    const openers: MessageOpener[] = [];
    const written: Uint8Array[] = [];
    const { begin } = MessageOpener;
    const { openFrames, openNonFramed } = MessageOpener.prototype;
    vi.spyOn(MessageOpener, 'begin').mockImplementation(async (...inputs) => {
      const opener = await begin.apply(MessageOpener, inputs);
      if (opener) openers.push(opener);
      return opener;
    });
    vi.spyOn(MessageOpener.prototype, 'openFrames').mockImplementation(function (
      this: MessageOpener,
      ...inputs
    ) {
      written.push(inputs[3]);
      return openFrames.apply(this, inputs);
    });
    vi.spyOn(MessageOpener.prototype, 'openNonFramed').mockImplementation(async function (
      this: MessageOpener,
      ...inputs
    ) {
      const plaintext = await openNonFramed.apply(this, inputs);
      written.push(plaintext);
      return plaintext;
    });
    onTestFinished(() => void vi.restoreAllMocks());
    return { openers, written };
  }

  it.each(FORMS)('%s: keys and plaintext are wiped, whatever comes of it', async (form) => {
    const made = sample(V2, form, 3000, 16);
    const altered = flip(made.message, made.headerLength + 50 * 48 + 20);
    const { openers, written } = watch();
    const signal = AbortSignal.timeout(2 ** 30);
    for (const [message, options, fails] of [
      [made.message, optionsFor(V2, 10, 2000), false],
      [made.message, optionsFor(V2, 10, 5000), true],
      [made.message, optionsFor(V2, 4000, 5000), true],
      [altered, optionsFor(V2, 10, 2000), true],
      [made.message.slice(0, 3000), optionsFor(V2, 10, 2900), true],
      [
        made.message,
        optionsFor(V2, 10, 2000, {
          signal,
          onProgress: () => {
            throw new Error('a progress bar');
          },
        }),
        true,
      ],
    ] as const) {
      const work = decryptRange(recorded(message), options);
      await (fails ? expect(work).rejects.toThrow() : work);
    }
    expect(openers.length).toBeGreaterThanOrEqual(6);
    for (const opener of openers) {
      const run = { regular: 1, finalLength: undefined, length: 48 };
      await expect(opener.openFrames(run, 1, bytes(48), new Uint8Array(16))).rejects.toThrow('disposed');
    }
    expect(written.length).toBeGreaterThan(4);
    for (const plaintext of written) expect(plaintext.every((byte) => byte === 0)).toBe(true);
  });
});

describe('arguments', () => {
  const { message } = sample(V2, FORMS[0], 50);
  const good = { keyring, start: 0, end: 5 };

  it.each([
    ['no start', { start: undefined }, '"start"'],
    ['no end', { end: undefined }, '"end"'],
    ['a negative start', { start: -1 }, '"start"'],
    ['a fraction', { start: 0.5 }, '"start"'],
    ['NaN', { end: Number.NaN }, '"end"'],
    ['an endless range', { end: Number.POSITIVE_INFINITY }, '"end"'],
    ['text', { end: '5' }, '"end"'],
    ['a bigint', { end: 5n }, '"end"'],
    ['an end before its start', { start: 6 }, '"end" expected 6..'],
    [
      'allowUnverifiedSignature that is text',
      { allowUnverifiedSignature: 'yes' },
      '"allowUnverifiedSignature"',
    ],
    [
      'allowUnverifiedSignature that is null',
      { allowUnverifiedSignature: null },
      '"allowUnverifiedSignature"',
    ],
    ['maxHeaderLength 0', { maxHeaderLength: 0 }, '"maxHeaderLength"'],
    ['maxFrameLength 0', { maxFrameLength: 0 }, '"maxFrameLength"'],
    ['an unknown name', { length: 5 }, '"options"'],
    ['no keyring', { keyring: undefined }, '"keyring"'],
    ['no options', undefined, '"options"'],
  ])('refuses %s before it reads', async (_, change, named) => {
    const source = recorded(message);
    const options = change && { ...good, ...change };
    const error = await failure(decryptRange(source, options as never));
    expect([error.code, error.message]).toEqual(['INVALID_ARGUMENT', expect.stringContaining(named)]);
    expect(source.reads).toEqual([]);
  });

  it.each([
    ['nothing', undefined],
    ['null', null],
    ['bytes', message],
    ['text', 'https://example.com/object'],
    ['an object without read', { size: 5 }],
    ['an object without size', { read: async () => message }],
    ['a negative size', { size: -1, read: async () => message }],
    ['a size that is a bigint', { size: 5n, read: async () => message }],
    ['a size that is no number', { size: Number.NaN, read: async () => message }],
  ])('refuses %s as a source', async (_, source) => {
    const error = await failure(decryptRange(source as never, good));
    expect([error.code, error.message]).toEqual(['INVALID_ARGUMENT', expect.stringContaining('"source')]);
  });

  it('refuses what is no message', async () => {
    for (const [content, code] of [
      [new Uint8Array(0), 'TRUNCATED'],
      [bytes(5000, 77), 'INVALID_MESSAGE'],
      [new TextEncoder().encode('AgV4AAAA'), 'BASE64_MESSAGE'],
    ] as const) {
      expect(await rangeCode(content, V2, 0, 5)).toBe(code);
    }
    const limited = { ...good, maxEncryptedDataKeys: 1 };
    const two = writeNaively({ ...naive, suite: V2, frameLength: 16, body: frames(bytes(5), 16) });
    dataView(two).setUint16(37, 2); // version, suite, message id, no context, count
    expect(await failureCode(decryptRange(recorded(two), limited))).toBe('LIMIT_EXCEEDED');
  });

  it('a source is used as the object that it is', async () => {
    class Source {
      readonly #bytes = message;
      get size() {
        return this.#bytes.length;
      }
      async read(start: number, end: number) {
        return this.#bytes.slice(start, end);
      }
    }
    expect((await decryptRange(new Source(), good)).plaintext).toEqual(bytes(50).slice(0, 5));
  });
});
