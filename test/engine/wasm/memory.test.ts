/**
 * What is left in linear memory when a call has ended: nothing.
 */
import { createCipheriv, createHash, createHmac } from 'node:crypto';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { jobPlaintextLength, jobSealedLength } from '../../../src/engine/frame-layout.ts';
import { createHybridEngine } from '../../../src/engine/hybrid-engine.ts';
import type { BlockCipher, Kernel } from '../../../src/engine/wasm/kernel.ts';
import { createWasmEngine } from '../../../src/engine/wasm/wasm-engine.ts';
import { bytes } from '../../support/messages.ts';
import { type FreshKernel, freshKernel } from './harness.ts';

afterEach(() => {
  vi.unstubAllGlobals();
});

const node = await import('node:crypto');
/** Where the constants of the code end (`assembly/memory.ts`). */
const CONSTANTS_END = 0x1000;
const KEY = bytes(32, 77);
const MESSAGE_ID = bytes(32, 5);
const JOB = { frameLength: 100, first: 1, regular: 20, finalLength: 50 };
const PLAINTEXT = bytes(jobPlaintextLength(JOB), 9);
const DATA_KEY = bytes(32, 55);
const ecb = (blocks: Uint8Array, key: Uint8Array = KEY) =>
  createCipheriv('aes-256-ecb', key, null).setAutoPadding(false).update(blocks);
const HEADER = bytes(300, 3);
const DERIVATION = {
  hash: 'SHA-512',
  dataKey: DATA_KEY,
  salt: MESSAGE_ID,
  info: Uint8Array.from(Buffer.from('DERIVEKEY')),
  keyLength: 32,
  commitInfo: Uint8Array.from(Buffer.from('COMMITKEY')),
} as const;

// Every 16 bytes that must not be found, by name.
function secrets(): Map<string, Uint8Array> {
  const found = new Map<string, Uint8Array>();
  const add = (name: string, secret: Uint8Array) => {
    for (let at = 0; at + 16 <= secret.length; at += 16)
      found.set(`${name} ${at}`, secret.slice(at, at + 16));
  };
  add('key', KEY);
  add('data key', DATA_KEY);
  add('round key', roundKeys(KEY));
  add('hash key', ecb(new Uint8Array(16)));
  add('pseudorandom key', createHmac('sha512', MESSAGE_ID).update(DATA_KEY).digest());
  add('derived key', derived());
  add('commit key', derived('COMMITKEY'));
  add('round key of the derived key', roundKeys(derived()));
  add('hash key of the derived key', ecb(new Uint8Array(16), derived()));
  for (let frame = 0; frame < 3; frame++) {
    add(`plaintext of frame ${frame}`, PLAINTEXT.slice(frame * 100, frame * 100 + 96));
    add(`keystream of frame ${frame}`, keystream(frame + 1));
  }
  return found;
}

function derived(info = 'DERIVEKEY'): Uint8Array {
  return new Uint8Array(node.hkdfSync('sha512', DATA_KEY, MESSAGE_ID, info, 32));
}

function keystream(sequenceNumber: number): Uint8Array {
  const blocks = new Uint8Array(112);
  for (let i = 0; i < 7; i++) {
    blocks[i * 16 + 11] = sequenceNumber;
    blocks[i * 16 + 15] = i + 1;
  }
  return ecb(blocks);
}

// FIPS 197 section 5.2, with an S-box by search.
function roundKeys(key: Uint8Array): Uint8Array {
  const words = Array.from({ length: 8 }, (_, i) => [...key.subarray(4 * i, 4 * i + 4)]);
  let constant = 1;
  for (let i = 8; i < 60; i++) {
    let word = words[i - 1]!;
    if (i % 8 === 0) {
      word = [...word.slice(1), word[0]!].map(sbox);
      word[0]! ^= constant;
      constant *= 2;
    } else if (i % 8 === 4) word = word.map(sbox);
    words.push(word.map((byte, k) => byte ^ words[i - 8]![k]!));
  }
  return Uint8Array.from(words.flat());
}

function sbox(byte: number): number {
  let inverse = 0;
  for (let i = 1; i < 256 && byte !== 0; i++) if (times(byte, i) === 1) inverse = i;
  let result = 0x63;
  for (let turn = 0; turn < 5; turn++) result ^= ((inverse << turn) | (inverse >> (8 - turn))) & 0xff;
  return result;
}

function times(a: number, b: number): number {
  let product = 0;
  for (let power = a, bits = b; bits > 0; bits >>= 1) {
    if (bits & 1) product ^= power;
    power = (power << 1) ^ (power & 0x80 ? 0x11b : 0);
  }
  return product;
}

interface Left {
  /** The secrets that are found anywhere. */
  readonly names: string[];
  /** Bytes behind the constants that are not zero. */
  readonly bytes: number;
}

function left({ memories }: FreshKernel): Left {
  const names = new Set<string>();
  let count = 0;
  for (const { buffer } of memories) {
    const memory = Buffer.from(buffer);
    for (const [name, secret] of secrets()) if (memory.includes(Buffer.from(secret))) names.add(name);
    for (const byte of memory.subarray(CONSTANTS_END)) if (byte !== 0) count++;
  }
  return { names: [...names], bytes: count };
}

const NOTHING: Left = { names: [], bytes: 0 };

function sealedFrames(kernel: Kernel, key: Uint8Array = KEY): Uint8Array {
  const output = new Uint8Array(jobSealedLength(JOB));
  kernel.sealFrames(key, MESSAGE_ID, { ...JOB, plaintext: PLAINTEXT, output });
  return output;
}

function openedFrames(kernel: Kernel, frames: Uint8Array, cipher: BlockCipher = KEY): number {
  const output = new Uint8Array(PLAINTEXT.length);
  return kernel.openFrames(cipher, MESSAGE_ID, { ...JOB, frames, output });
}

// Seals a header and opens it with a change; what a change makes wrong is another's concern.
function header(kernel: Kernel, change: (parts: { body: Uint8Array; tag: Uint8Array }) => void) {
  const { commitKey, tag } = kernel.sealHeader(DERIVATION, bytes(12), HEADER, bytes(60));
  const body = HEADER.slice();
  body.set(commitKey, body.length - 32);
  change({ body, tag });
  return kernel.openHeader(DERIVATION, bytes(12), body, bytes(60), tag);
}

const OPERATIONS: [string, (kernel: Kernel) => void][] = [
  ['sealing frames', (kernel) => sealedFrames(kernel)],
  ['opening frames', (kernel) => expect(openedFrames(kernel, sealedFrames(kernel))).toBe(21)],
  [
    'sealing frames with native AES',
    (kernel) => {
      const output = new Uint8Array(jobSealedLength(JOB));
      kernel.sealFrames(ecb, MESSAGE_ID, { ...JOB, plaintext: PLAINTEXT, output });
    },
  ],
  [
    'opening frames with native AES',
    (kernel) => expect(openedFrames(kernel, sealedFrames(kernel), ecb)).toBe(21),
  ],
  [
    'a wrong tag',
    (kernel) => {
      const frames = sealedFrames(kernel);
      frames[10 * 132 + 131]! ^= 1;
      expect(openedFrames(kernel, frames)).toBe(10);
      expect(openedFrames(kernel, frames, ecb)).toBe(10);
    },
  ],
  [
    'an exception of native AES',
    (kernel) => {
      let calls = 0;
      const failing = (blocks: Uint8Array) => {
        if (++calls === 2) throw new Error('no more');
        return ecb(blocks);
      };
      const long = { frameLength: 1000, first: 1, regular: 90, finalLength: 7 };
      const output = new Uint8Array(jobSealedLength(long));
      const job = { ...long, plaintext: bytes(jobPlaintextLength(long)), output };
      expect(() => kernel.sealFrames(failing, MESSAGE_ID, job)).toThrow('no more');
      expect(output.every((byte) => byte === 0)).toBe(true);
      sealedFrames(kernel);
    },
  ],
  [
    'a call during a call',
    (kernel) => {
      const reentrant = () => kernel.gcmSeal(KEY, bytes(12), bytes(1), bytes(1));
      const job = { ...JOB, plaintext: PLAINTEXT, output: new Uint8Array(jobSealedLength(JOB)) };
      expect(() => kernel.sealFrames(reentrant, MESSAGE_ID, job)).toThrow('while it was at work');
    },
  ],
  [
    'AES-GCM',
    (kernel) => {
      const sealed = kernel.gcmSeal(KEY, bytes(12), bytes(30), PLAINTEXT);
      kernel.gcmOpen(KEY, bytes(12), bytes(30), sealed);
      expect(kernel.gcmOpen(KEY, bytes(12), bytes(31), sealed)).toBeUndefined();
    },
  ],
  [
    'HKDF',
    (kernel) => {
      const info = Uint8Array.from(Buffer.from('DERIVEKEY'));
      expect(kernel.hkdf('SHA-512', DATA_KEY, MESSAGE_ID, [{ info, length: 32 }])[0]).toEqual(derived());
    },
  ],
  [
    'sealing a header',
    (kernel) => {
      const sealed = kernel.sealHeader(DERIVATION, bytes(12), HEADER, bytes(60));
      expect(sealed.derivedKey).toEqual(derived());
      expect(sealed.commitKey).toEqual(derived('COMMITKEY'));
    },
  ],
  ['opening a header', (kernel) => expect(header(kernel, () => {})).toEqual(derived())],
  [
    'a header with a wrong tag',
    (kernel) => expect(header(kernel, ({ tag }) => (tag[3]! ^= 1))).toBeUndefined(),
  ],
  [
    'a header with a wrong commit key',
    (kernel) => expect(header(kernel, ({ body }) => (body[299]! ^= 1))).toBeUndefined(),
  ],
  [
    'a header that has no room for its commit key',
    (kernel) => {
      const short = HEADER.subarray(0, 31);
      expect(() => kernel.sealHeader(DERIVATION, bytes(12), short, bytes(60))).toThrow('no room');
      expect(() => kernel.openHeader(DERIVATION, bytes(12), short, bytes(60), bytes(16))).toThrow('no room');
    },
  ],
  [
    'a header that needs a larger memory',
    (kernel) => {
      const sealed = kernel.sealHeader(DERIVATION, bytes(12), new Uint8Array(1_000_000), PLAINTEXT);
      expect(sealed.derivedKey).toEqual(derived());
    },
  ],
  [
    'each step of a hash',
    (kernel) => {
      const hasher = kernel.createHash('SHA-384');
      for (const length of [100, 32, 700, 1000]) hasher.update(PLAINTEXT.subarray(0, length));
      hasher.update(new Uint8Array(100_000).fill(7));
    },
  ],
  [
    'the end of a hash',
    (kernel) => {
      for (const hash of ['SHA-256', 'SHA-512'] as const) {
        const hasher = kernel.createHash(hash);
        hasher.update(PLAINTEXT);
        expect(hasher.digest()).toEqual(
          Uint8Array.from(createHash(hash.replace('-', '')).update(PLAINTEXT).digest()),
        );
      }
    },
  ],
  [
    'a cipher that is disposed',
    (kernel) => {
      for (const engine of [createWasmEngine(kernel), createHybridEngine(kernel, node)]) {
        const cipher = engine.cipher(KEY, MESSAGE_ID);
        cipher.seal({ ...JOB, plaintext: PLAINTEXT, output: new Uint8Array(jobSealedLength(JOB)) });
        cipher.dispose();
      }
    },
  ],
  [
    'a frame that needs a larger memory',
    (kernel) => {
      const plaintext = new Uint8Array(1_000_000);
      plaintext.set(PLAINTEXT);
      const job = { frameLength: plaintext.length, first: 1, regular: 1, finalLength: undefined };
      const output = new Uint8Array(jobSealedLength(job));
      kernel.sealFrames(KEY, MESSAGE_ID, { ...job, plaintext, output });
    },
  ],
];

describe('linear memory', () => {
  it('is empty after the self-test', async () => {
    expect(left(await freshKernel())).toEqual(NOTHING);
  });

  it.each(OPERATIONS)('holds nothing after %s', async (_, operation) => {
    const fresh = await freshKernel();
    operation(fresh.kernel!);
    expect(left(fresh)).toEqual(NOTHING);
  });

  // Without this, the scan above could be blind.
  it('would be found to hold secrets if it were not wiped', async () => {
    const fresh = await freshKernel(() => ({ wipe: () => {} }));
    sealedFrames(fresh.kernel!);
    fresh.kernel!.hkdf('SHA-512', DATA_KEY, MESSAGE_ID, [{ info: bytes(9), length: 32 }]);
    const { names, bytes: count } = left(fresh);
    for (const name of ['key 0', 'key 16', 'round key 0', 'data key 0', 'plaintext of frame 0 0']) {
      expect(names).toContain(name);
    }
    expect(count).toBeGreaterThan(8000);
    const headers = await freshKernel(() => ({ wipe: () => {} }));
    header(headers.kernel!, () => {});
    for (const name of ['data key 0', 'derived key 0', 'commit key 16', 'round key of the derived key 0']) {
      expect(left(headers).names).toContain(name);
    }
    const hashes = await freshKernel(() => ({ wipe: () => {} }));
    hashes.kernel!.createHash('SHA-512').update(PLAINTEXT);
    expect(left(hashes).names).toContain('plaintext of frame 2 80');
    const hybrid = await freshKernel(() => ({ wipe: () => {} }));
    const output = new Uint8Array(jobSealedLength(JOB));
    hybrid.kernel!.sealFrames(ecb, MESSAGE_ID, { ...JOB, plaintext: PLAINTEXT, output });
    expect(left(hybrid).names).toContain('keystream of frame 0 0');
  });

  it('is wiped after a trap, and that instance is not used again', async () => {
    let trapped = false;
    const fresh = await freshKernel(({ sealJob }) => ({
      sealJob: () => {
        sealJob();
        if (trapped) throw new Error('unreachable executed');
      },
    }));
    trapped = true;
    expect(() => sealedFrames(fresh.kernel!)).toThrow('unreachable executed');
    expect(left(fresh)).toEqual(NOTHING);
    trapped = false;
    sealedFrames(fresh.kernel!);
    expect(fresh.memories.length).toBe(2);
  });

  it('is wiped after a trap while a header is opened', async () => {
    let trapped = false;
    const fresh = await freshKernel(({ openHeader }) => ({
      openHeader: (...input) => {
        const right = openHeader(...input);
        if (trapped) throw new Error('unreachable executed');
        return right;
      },
    }));
    trapped = true;
    expect(() => header(fresh.kernel!, () => {})).toThrow('unreachable executed');
    expect(left(fresh)).toEqual(NOTHING);
    trapped = false;
    expect(header(fresh.kernel!, () => {})).toEqual(derived());
    expect(fresh.memories.length).toBe(2);
  });

  it('is given back when one frame has made it larger', async () => {
    const fresh = await freshKernel();
    const before = fresh.memories[0]!.buffer.byteLength;
    const job = { frameLength: 3 * 2 ** 20, first: 1, regular: 1, finalLength: 3 * 2 ** 20 };
    const plaintext = bytes(jobPlaintextLength(job));
    const frames = new Uint8Array(jobSealedLength(job));
    fresh.kernel!.sealFrames(KEY, MESSAGE_ID, { ...job, plaintext, output: frames });
    const output = new Uint8Array(plaintext.length);
    expect(fresh.kernel!.openFrames(KEY, MESSAGE_ID, { ...job, frames, output })).toBe(2);
    expect(Buffer.compare(output, plaintext)).toBe(0);
    sealedFrames(fresh.kernel!);
    // One memory for each large call, with room for one frame, and a small one again.
    const sizes = fresh.memories.map(({ buffer }) => buffer.byteLength);
    expect(sizes.length).toBe(3);
    expect(sizes.slice(0, 2).every((size) => size < 3 * 2 ** 20 + 2 * 2 ** 16 + 0x13400)).toBe(true);
    expect(sizes[2]).toBe(before);
  });

  it('has a bound that is told', async () => {
    const fresh = await freshKernel();
    const plaintext = new Uint8Array(16);
    Object.defineProperty(fresh.memories[0]!, 'grow', {
      value: () => {
        throw new RangeError('WebAssembly.Memory.grow(): Maximum memory size exceeded');
      },
    });
    const job = { frameLength: 2 ** 31 - 1, first: 1, regular: 0, finalLength: 2 ** 30 };
    expect(() =>
      fresh.kernel!.sealFrames(KEY, MESSAGE_ID, { ...job, plaintext, output: new Uint8Array(0) }),
    ).toThrow(expect.objectContaining({ code: 'LIMIT_EXCEEDED' }));
  });
});

describe('the state of a hash', () => {
  it.each(['digest', 'dispose'] as const)('is wiped by its %s', async (end) => {
    const { kernel } = await freshKernel();
    const fill = vi.spyOn(Uint8Array.prototype, 'fill');
    const hasher = kernel!.createHash('SHA-384');
    hasher.update(PLAINTEXT);
    expect(fill).not.toHaveBeenCalled();
    hasher[end]();
    expect(fill.mock.calls).toEqual([[0]]);
    const [state] = fill.mock.contexts as Uint8Array[];
    fill.mockRestore();
    expect(state!.length).toBeGreaterThanOrEqual(64 + 128);
    expect(state!.every((byte) => byte === 0)).toBe(true);
  });
});
