/** The baselines write the frames of our engines, byte for byte, and open nothing that was altered. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { nativeFrameWorkers } from '../../src/bench/index.ts';
import { jobPlaintextLength, jobSealedLength } from '../../src/engine/frame-layout.ts';
import { availableEngines, selectPlatform } from '../../src/engine/select.ts';
import { bytes, flip } from '../support/messages.ts';

const messageId = bytes(32, 5);
const SHAPES = [
  { frameLength: 16, first: 1, regular: 1, finalLength: undefined },
  { frameLength: 16, first: 1, regular: 3, finalLength: 5 },
  { frameLength: 64, first: 1, regular: 0, finalLength: 64 },
  { frameLength: 100, first: 70_000, regular: 20, finalLength: 0 },
  { frameLength: 4096, first: 1, regular: 17, finalLength: undefined },
  { frameLength: 16, first: 1, regular: 4100, finalLength: 1 },
];
const workers = nativeFrameWorkers();
const rows = workers.flatMap((worker) =>
  SHAPES.flatMap((shape) =>
    [16, 24, 32].map((keyLength) => [worker.name, shape, keyLength, worker] as const),
  ),
);

async function byOurs(shape: (typeof SHAPES)[number], key: Uint8Array) {
  const plaintext = bytes(jobPlaintextLength(shape));
  const sealed = availableEngines().map(async (name) => {
    const output = new Uint8Array(jobSealedLength(shape));
    const cipher = selectPlatform(name).engine.cipher(key, messageId);
    await cipher.seal({ ...shape, plaintext, output });
    cipher.dispose();
    return output;
  });
  return { plaintext, sealed: await Promise.all(sealed) };
}

it('are both here', () => {
  expect(workers.map(({ name }) => name)).toEqual(['node:crypto per frame', 'subtle per frame']);
});

describe.each(rows)('%s, %j, key of %d bytes', (_name, shape, keyLength, worker) => {
  it('seals as every engine of ours, and opens that', async () => {
    const key = bytes(keyLength, 3);
    const { plaintext, sealed } = await byOurs(shape, key);
    const output = new Uint8Array(jobSealedLength(shape));
    await worker.seal(key, messageId, { ...shape, plaintext, output });
    expect(sealed.length).toBe(3);
    for (const ours of sealed) expect(Buffer.compare(output, ours)).toBe(0);
    const opened = new Uint8Array(plaintext.length);
    await worker.open(key, messageId, { ...shape, frames: sealed[0]!, output: opened });
    expect(Buffer.compare(opened, plaintext)).toBe(0);
  });
});

describe.each(workers.map((worker) => [worker.name, worker] as const))('%s', (_name, worker) => {
  it.each(['ciphertext', 'tag', 'IV'])('opens no frame whose %s was altered', async (part) => {
    const shape = SHAPES[1]!;
    const key = bytes(32, 3);
    const { plaintext, sealed } = await byOurs(shape, key);
    const at = { ciphertext: 48 + 16, tag: 48 + 32, IV: 48 + 10 }[part]!;
    const output = new Uint8Array(plaintext.length);
    const open = async () => worker.open(key, messageId, { ...shape, frames: flip(sealed[0]!, at), output });
    await expect(open()).rejects.toThrow();
  });
});

describe('where node:crypto cannot be reached', () => {
  afterEach(() => vi.unstubAllGlobals());

  it('only WebCrypto is left', () => {
    vi.stubGlobal('process', { ...process, getBuiltinModule: undefined });
    expect(nativeFrameWorkers().map(({ name }) => name)).toEqual(['subtle per frame']);
  });
});
