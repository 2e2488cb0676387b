import { afterEach, describe, expect, it, vi } from 'vitest';
import type { FrameEngine } from '../../src/engine/engine.ts';
import type { EngineRow, ServingEngine } from '../../src/engine/engine-table.ts';
import { jobPlaintextLength, jobSealedLength } from '../../src/engine/frame-layout.ts';
import {
  availableEngines,
  engineTable,
  resetEngines,
  selectPlatform,
  setEngineTable,
} from '../../src/engine/select.ts';
import { decrypt, encrypt } from '../../src/index.ts';
import { aesKeyring, bytes } from '../support/messages.ts';

const keyring = aesKeyring();
const messageId = bytes(32, 5);
const ANY = 2 ** 32;

afterEach(() => {
  vi.restoreAllMocks();
  resetEngines();
});

interface Job {
  readonly frameLength: number;
  readonly regular: number;
  readonly finalLength?: number;
}

// What each engine is asked for, in order.
function watch() {
  const served: ServingEngine[] = [];
  const made: { engine: ServingEngine; key: Uint8Array; disposed: boolean }[] = [];
  for (const name of availableEngines()) {
    const { engine } = selectPlatform(name);
    const cipher = engine.cipher.bind(engine);
    vi.spyOn(engine, 'cipher').mockImplementation((key, id) => {
      const own = cipher(key, id);
      const entry = { engine: name, key, disposed: false };
      made.push(entry);
      return {
        seal: (job) => {
          served.push(name);
          return own.seal(job);
        },
        open: (job) => {
          served.push(name);
          return own.open(job);
        },
        dispose: () => {
          entry.disposed = true;
          own.dispose();
        },
      };
    });
  }
  return { served, made };
}

// The jobs of one message one after the other, under one cipher.
async function sealAll(engine: FrameEngine, jobs: readonly Job[], key = bytes(32)): Promise<Buffer> {
  const cipher = engine.cipher(key, messageId);
  const parts: Uint8Array[] = [];
  let first = 1;
  for (const { frameLength, regular, finalLength } of jobs) {
    const shape = { frameLength, first, regular, finalLength };
    const output = new Uint8Array(jobSealedLength(shape));
    await cipher.seal({ ...shape, plaintext: bytes(jobPlaintextLength(shape), first), output });
    parts.push(output);
    first += regular;
  }
  cipher.dispose();
  return Buffer.concat(parts);
}

async function openAll(engine: FrameEngine, jobs: readonly Job[], sealed: Uint8Array): Promise<void> {
  const cipher = engine.cipher(bytes(32), messageId);
  let [first, at] = [1, 0];
  for (const { frameLength, regular, finalLength } of jobs) {
    const shape = { frameLength, first, regular, finalLength };
    const output = new Uint8Array(jobPlaintextLength(shape));
    const frames = sealed.subarray(at, at + jobSealedLength(shape));
    const opened = await cipher.open({ ...shape, frames, output });
    expect(opened).toBe(regular + (finalLength === undefined ? 0 : 1));
    expect(output).toEqual(bytes(output.length, first));
    first += regular;
    at += frames.length;
  }
  cipher.dispose();
}

const MIXED: readonly EngineRow[] = [
  { maxFrameLength: ANY, minFrames: 10, engine: 'hybrid' },
  { maxFrameLength: 100, minFrames: 1, engine: 'wasm' },
];
const JOBS: readonly Job[] = [
  { frameLength: 100, regular: 1 },
  { frameLength: 100, regular: 12 },
  { frameLength: 100, regular: 9 },
  { frameLength: 100, regular: 40 },
  { frameLength: 100, regular: 0, finalLength: 7 },
];

describe('auto', () => {
  it('chooses for each job of a message, and one engine goes on where another has stopped', async () => {
    const { engine } = selectPlatform('auto');
    setEngineTable(MIXED);
    const { served, made } = watch();
    const sealed = await sealAll(engine, JOBS);
    expect(served).toEqual(['wasm', 'hybrid', 'wasm', 'hybrid', 'wasm']);
    expect(made.map((one) => one.engine)).toEqual(['wasm', 'hybrid']);
    served.length = 0;
    await openAll(engine, JOBS, sealed);
    expect(served).toEqual(['wasm', 'hybrid', 'wasm', 'hybrid', 'wasm']);
    for (const name of availableEngines()) {
      expect(await sealAll(selectPlatform(name).engine, JOBS)).toEqual(sealed);
      await openAll(selectPlatform(name).engine, JOBS, sealed);
    }
  });

  it('goes by the length that the frames of a job have, not the one that they might have', async () => {
    setEngineTable(MIXED);
    const { served } = watch();
    const { engine } = selectPlatform('auto');
    await sealAll(engine, [{ frameLength: 5000, regular: 0, finalLength: 100 }]);
    await sealAll(engine, [{ frameLength: 5000, regular: 0, finalLength: 101 }]);
    await sealAll(engine, [{ frameLength: 101, regular: 1, finalLength: 5 }]);
    expect(served).toEqual(['wasm', 'native', 'native']);
  });

  it('goes by the length of the key', async () => {
    setEngineTable([
      { keyLengths: [16], maxFrameLength: ANY, minFrames: 1, engine: 'wasm' },
      { keyLengths: [24, 32], maxFrameLength: 64, minFrames: 1, engine: 'hybrid' },
    ]);
    const { served } = watch();
    for (const keyLength of [16, 24, 32]) {
      for (const frameLength of [64, 65]) {
        const sealed = await sealAll(
          selectPlatform('auto').engine,
          [{ frameLength, regular: 2 }],
          bytes(keyLength),
        );
        expect(sealed.length).toBe(2 * (frameLength + 32));
      }
    }
    expect(served).toEqual(['wasm', 'wasm', 'hybrid', 'native', 'hybrid', 'native']);
  });

  it('goes by rows that are set while a message is under way', async () => {
    const { engine } = selectPlatform('auto');
    const { served } = watch();
    const cipher = engine.cipher(bytes(32), messageId);
    for (const name of ['native', 'wasm', 'hybrid', 'native'] as const) {
      setEngineTable([{ maxFrameLength: ANY, minFrames: 1, engine: name }]);
      const shape = { frameLength: 16, first: served.length + 1, regular: 1, finalLength: undefined };
      const output = new Uint8Array(jobSealedLength(shape));
      await cipher.seal({ ...shape, plaintext: bytes(16), output });
    }
    expect(served).toEqual(['native', 'wasm', 'hybrid', 'native']);
  });

  it('wipes its key and disposes of all ciphers that it has made, and makes none to dispose of it', async () => {
    setEngineTable(MIXED);
    const { made } = watch();
    const key = bytes(32);
    await sealAll(selectPlatform('auto').engine, JOBS, key);
    expect(made.length).toBe(2);
    for (const one of made) {
      expect(one.disposed).toBe(true);
      expect(one.key.every((byte) => byte === 0)).toBe(true);
    }
    expect(key).toEqual(bytes(32));
    selectPlatform('auto').engine.cipher(key, messageId).dispose();
    expect(made.length).toBe(2);
  });

  it('serves no job after it has been disposed of, whichever engine would have', async () => {
    setEngineTable(MIXED);
    const used = selectPlatform('auto').engine.cipher(bytes(32), messageId);
    const shape = { frameLength: 16, first: 1, regular: 1, finalLength: undefined };
    const job = { ...shape, plaintext: bytes(16), output: new Uint8Array(48) };
    await used.seal(job);
    const unused = selectPlatform('auto').engine.cipher(bytes(32), messageId);
    for (const cipher of [used, unused]) {
      cipher.dispose();
      expect(() => cipher.seal(job)).toThrow('disposed');
      const frames = job.output;
      const many = { ...shape, regular: 12, frames: new Uint8Array(12 * 48), output: new Uint8Array(192) };
      expect(() => cipher.open({ ...shape, frames, output: bytes(16) })).toThrow('disposed');
      expect(() => cipher.open(many)).toThrow('disposed');
    }
  });

  it('keeps key and message id of its own', async () => {
    setEngineTable(MIXED);
    const [key, id] = [bytes(32), bytes(32, 5)];
    const cipher = selectPlatform('auto').engine.cipher(key, id);
    key.fill(0);
    id.fill(0);
    const shape = { frameLength: 100, first: 1, regular: 1, finalLength: undefined };
    const output = new Uint8Array(132);
    await cipher.seal({ ...shape, plaintext: bytes(100, 1), output });
    expect(Buffer.from(output)).toEqual(await sealAll(selectPlatform('native').engine, JOBS.slice(0, 1)));
  });
});

describe('the table of engines', () => {
  it('has rows that name engines of this runtime', () => {
    expect(availableEngines()).toEqual(['native', 'wasm', 'hybrid']);
    expect(engineTable().length).toBeGreaterThan(0);
    for (const { engine } of engineTable()) expect(availableEngines()).toContain(engine);
  });

  it('may name any engine for anything: every message can be read', async () => {
    for (const engine of ['native', 'wasm', 'hybrid'] as const) {
      setEngineTable([{ maxFrameLength: 1000, minFrames: 3, engine }]);
      for (const [length, frameLength] of [
        [5000, 1000],
        [5000, 1001],
        [1500, 1000],
        [10, 4096],
      ] as const) {
        const { ciphertext } = await encrypt(bytes(length), { keyring, frameLength });
        expect((await decrypt(ciphertext, { keyring })).plaintext).toEqual(bytes(length));
      }
    }
  });
});
