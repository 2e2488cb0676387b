/** The common cases: what they compare, and that nothing is timed whose results disagree. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  type BenchCase,
  commonCases,
  engineCases,
  enginePlaces,
  keyDerivationCases,
  type MessagePlace,
  messageCases,
  roundsOf,
  runCase,
  sizeText,
} from '../../src/bench/index.ts';

const OURS = ['frameseal: auto', 'frameseal: native', 'frameseal: wasm', 'frameseal: hybrid'];
const PLAIN = ['node:crypto per frame', 'subtle per frame'];
const PLACE = { keyLength: 32, frameLength: 64, frames: 3 };

const message = (change: Partial<MessagePlace> = {}): MessagePlace => ({
  verb: 'encrypt',
  bytes: 1024,
  frameLength: 4096,
  suite: '0x0478',
  streamed: 'one-shot',
  ...change,
});

/** Prepares a case and runs each candidate once more; their names. */
async function candidatesOf(one: BenchCase | undefined): Promise<string[]> {
  const candidates = await one!.prepare();
  for (const run of Object.values(candidates)) await run();
  return Object.keys(candidates);
}

/** The row of a case under a harness that must not be asked. */
function notTimed(one: BenchCase | undefined) {
  const harness = { name: 'none', time: () => Promise.reject(new Error('was timed')) };
  return runCase(one!, { harness, rounds: 1, maxTime: 1, minSamples: 1, warmUp: 0 });
}

/** How often WebCrypto is called in one call of a candidate. */
async function callsOf(candidate: () => unknown) {
  const encrypt = vi.spyOn(crypto.subtle, 'encrypt');
  const decrypt = vi.spyOn(crypto.subtle, 'decrypt');
  await candidate();
  return { encrypt: encrypt.mock.calls.length, decrypt: decrypt.mock.calls.length };
}

const isBytes = (value: unknown) => value instanceof Uint8Array;

afterEach(() => vi.restoreAllMocks());

describe('the common cases', () => {
  it.each(['quick', 'full'] as const)('of %s have names of their own, and say what they are', (scale) => {
    const cases = commonCases({ scale });
    expect(new Set(cases.map(({ group, name }) => `${group}: ${name}`)).size).toBe(cases.length);
    expect([...new Set(cases.map(({ group }) => group))].sort()).toEqual([
      'engines',
      'key-derivation',
      'messages',
      'streams',
    ]);
    for (const { parameters } of cases)
      expect(parameters.verb).toMatch(/^(seal|open|derive|encrypt|decrypt)$/);
  });

  it('of full have all places of the selection table, unless they are not wanted', () => {
    const places = (cases: readonly BenchCase[]) =>
      new Set(cases.map(({ parameters: p }) => `${p.keyLength} ${p.frameLength} ${p.frames}`));
    const full = places(commonCases({ scale: 'full' }));
    for (const { keyLength, frameLength, frames } of enginePlaces('table'))
      expect(full).toContain(`${keyLength} ${frameLength} ${frames}`);
    const without = commonCases({ scale: 'full', table: false });
    expect(without.every(({ parameters }) => (parameters.keyLength ?? 32) === 32)).toBe(true);
  });

  it('have longer messages when they are asked for', () => {
    const longest = (cases: readonly BenchCase[]) => Math.max(...cases.map(({ bytes = 0 }) => bytes));
    expect(longest(commonCases({ scale: 'full' }))).toBe(2 ** 24);
    expect(longest(commonCases({ scale: 'full', longest: 2 ** 26 }))).toBe(2 ** 26);
    expect(longest(commonCases({ scale: 'quick', longest: 2 ** 26 }))).toBe(2 ** 24);
  });

  it('have fewer rounds where the clock is coarse, and in quick', () => {
    expect(roundsOf('quick', 1).rounds).toBeLessThan(roundsOf('quick', 0.001).rounds);
    expect(roundsOf('full', 1).rounds).toBeLessThan(roundsOf('full', 0.001).rounds);
    expect(roundsOf('quick', 0.001).rounds).toBeLessThan(roundsOf('full', 0.001).rounds);
  });
});

describe('engines', () => {
  it.each([
    ['seal', 0],
    ['open', 1],
  ])('%s: all of them, auto first, and the plain calls', async (verb, at) => {
    const cases = engineCases([PLACE]);
    expect(cases.length).toBe(2);
    expect(cases[at]).toMatchObject({ group: 'engines', bytes: 192, parameters: { verb, ...PLACE } });
    expect(await candidatesOf(cases[at])).toEqual([...OURS, ...PLAIN]);
  });

  it.each([16, 24])('under keys of %d bytes, and without baselines', async (keyLength) => {
    const [seal] = engineCases([{ ...PLACE, keyLength }], { baselines: false });
    expect(await candidatesOf(seal)).toEqual(OURS.slice(1));
  });

  it('leave out who has no AES-192', async () => {
    vi.spyOn(crypto.subtle, 'importKey').mockRejectedValue(new Error('no AES-192'));
    const [seal] = engineCases([{ ...PLACE, keyLength: 24 }]);
    expect(await candidatesOf(seal)).toEqual([...OURS, PLAIN[0]]);
  });

  it.each([
    ['seal', 0, { encrypt: 3, decrypt: 0 }],
    ['open', 1, { encrypt: 0, decrypt: 3 }],
  ])('%s and do nothing else', async (_verb, at, calls) => {
    const candidates = await engineCases([PLACE])[at]!.prepare();
    expect(await callsOf(candidates['subtle per frame']!)).toEqual(calls);
  });

  it('are never jobs larger than a message works on at once', () => {
    for (const scale of ['quick', 'full', 'table'] as const) {
      for (const { frameLength, frames } of enginePlaces(scale)) {
        expect(frames).toBeLessThanOrEqual(1024);
        expect(frames === 1 || frameLength * frames <= 2 ** 20).toBe(true);
      }
    }
  });

  it.each([0, 1])('are not timed if one seals other bytes (case %d)', async (at) => {
    const { encrypt } = crypto.subtle;
    vi.spyOn(crypto.subtle, 'encrypt').mockImplementation(async (...call) => {
      const sealed = await encrypt.apply(crypto.subtle, call);
      new Uint8Array(sealed)[3]! ^= 1;
      return sealed;
    });
    const row = await notTimed(engineCases([PLACE])[at]);
    expect(row.candidates).toEqual({});
    expect(row.failed).toContain('"subtle per frame" does not give the bytes that "frameseal: auto" gives');
  });

  it('are not timed if one opens to other bytes', async () => {
    vi.spyOn(crypto.subtle, 'decrypt').mockImplementation(async () => new ArrayBuffer(64));
    const row = await notTimed(engineCases([PLACE])[0]);
    expect(row.failed).toContain('"subtle per frame" does not give the bytes that "the plaintext" gives');
  });
});

describe('key derivation', () => {
  const names = ['frameseal', 'node:crypto createHmac', 'node:crypto hkdfSync', 'subtle HKDF'];

  it('is ours and the three of the platform', async () => {
    expect(await candidatesOf(keyDerivationCases()[0])).toEqual(names);
  });

  it('is not timed if one derives other keys', async () => {
    vi.spyOn(crypto.subtle, 'deriveBits').mockImplementation(async () => new ArrayBuffer(32));
    const row = await notTimed(keyDerivationCases()[0]);
    expect(row.failed).toContain('"subtle HKDF" does not give the bytes that "frameseal" gives');
  });
});

describe('messages', () => {
  it.each([
    [message(), ['frameseal']],
    [message({ verb: 'decrypt' }), ['frameseal']],
    [message({ suite: '0x0578', bytes: 16 }), ['frameseal']],
    [message({ suite: '0x0578', verb: 'decrypt' }), ['frameseal']],
    [message({ streamed: 'streamed', bytes: 100_000 }), ['frameseal']],
    [message({ streamed: 'streamed', bytes: 100_000, verb: 'decrypt', suite: '0x0578' }), ['frameseal']],
    [message({ bytes: 2 ** 20 }), ['frameseal', ...PLAIN]],
    [message({ bytes: 2 ** 20 + 1, verb: 'decrypt', frameLength: 65_536 }), ['frameseal', ...PLAIN]],
    [message({ bytes: 2 ** 20, suite: '0x0578' }), ['frameseal']],
    [message({ bytes: 2 ** 20, frameLength: 1024 }), ['frameseal']],
  ])('%j', async (place, names) => {
    const [one] = messageCases([place]);
    expect(one).toMatchObject({ bytes: place.bytes, messages: 1, parameters: place });
    expect(one!.group).toBe(place.streamed === 'streamed' ? 'streams' : 'messages');
    expect(await candidatesOf(one)).toEqual(names);
  });

  it.each([
    [message(), 'one message'],
    [message({ verb: 'decrypt' }), 'the plaintext'],
    [message({ streamed: 'streamed' }), 'pieces of a message'],
    [message({ streamed: 'streamed', verb: 'decrypt' }), 'pieces of the plaintext'],
  ])('%j makes %s', async (place, what) => {
    const { frameseal } = await messageCases([place])[0]!.prepare();
    const made = await frameseal!();
    const pieces = Array.isArray(made) ? made : Object.values(made as object).filter(isBytes);
    const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
    expect(Array.isArray(made)).toBe(place.streamed === 'streamed');
    expect(length === 1024).toBe(what.endsWith('the plaintext'));
    expect(length).toBeGreaterThanOrEqual(1024);
  });

  it.each([
    ['encrypt', { encrypt: 256, decrypt: 0 }],
    ['decrypt', { encrypt: 0, decrypt: 256 }],
  ] as const)('%s: the plain calls do the same', async (verb, calls) => {
    const candidates = await messageCases([message({ verb, bytes: 2 ** 20 })])[0]!.prepare();
    expect(await callsOf(candidates['subtle per frame']!)).toEqual(calls);
  });

  it.each(['encrypt', 'decrypt'] as const)(
    'are not timed if plain calls write another body (%s)',
    async (verb) => {
      const { encrypt } = crypto.subtle;
      vi.spyOn(crypto.subtle, 'encrypt').mockImplementation(async (algorithm, key, data) =>
        encrypt.call(
          crypto.subtle,
          { ...(algorithm as AesGcmParams), additionalData: new Uint8Array(1) },
          key,
          data,
        ),
      );
      const row = await notTimed(messageCases([message({ verb, bytes: 2 ** 20 })])[0]);
      expect(row.failed).toContain('"subtle per frame" does not give the bytes that "frameseal" gives');
    },
  );
});

describe('sizes', () => {
  it.each([
    [16, '16 B'],
    [1000, '1000 B'],
    [1024, '1 KiB'],
    [10_240, '10 KiB'],
    [2 ** 20, '1 MiB'],
    [2 ** 20 + 1024, '1025 KiB'],
  ])('%d is %s', (bytes, text) => expect(sizeText(bytes)).toBe(text));
});
