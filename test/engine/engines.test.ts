import { createCipheriv } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { FrameEngine } from '../../src/engine/engine.ts';
import { jobPlaintextLength, jobSealedLength } from '../../src/engine/frame-layout.ts';
import { createHybridEngine } from '../../src/engine/hybrid-engine.ts';
import { createNodeEngine } from '../../src/engine/node-engine.ts';
import { loadKernel } from '../../src/engine/wasm/kernel.ts';
import { createWasmEngine } from '../../src/engine/wasm/wasm-engine.ts';
import { webcryptoEngine } from '../../src/engine/webcrypto-engine.ts';
import { bytes } from '../support/messages.ts';

const node = await import('node:crypto');
const kernel = loadKernel()!;
const engines: readonly FrameEngine[] = [
  createNodeEngine(node),
  webcryptoEngine,
  createWasmEngine(kernel),
  createHybridEngine(kernel, node),
];
const rows = engines.map((engine) => [engine.name, engine] as const);
const messageId = bytes(32, 5);

interface Shape {
  readonly keyLength: 16 | 24 | 32;
  readonly frameLength: number;
  readonly first: number;
  readonly regular: number;
  readonly finalLength: number | undefined;
}

const shape = (change: Partial<Shape> = {}): Shape => ({
  keyLength: 32,
  frameLength: 16,
  first: 1,
  regular: 3,
  finalLength: 5,
  ...change,
});

async function seal(engine: FrameEngine, job: Shape, plaintext = bytes(jobPlaintextLength(job))) {
  const cipher = engine.cipher(bytes(job.keyLength, 3), messageId);
  const output = new Uint8Array(jobSealedLength(job));
  await cipher.seal({ ...job, plaintext, output });
  cipher.dispose();
  return output;
}

async function open(engine: FrameEngine, job: Shape, frames: Uint8Array) {
  const cipher = engine.cipher(bytes(job.keyLength, 3), messageId);
  const output = new Uint8Array(jobPlaintextLength(job)).fill(0xee);
  const opened = await cipher.open({ ...job, frames, output });
  return { opened, output };
}

// One frame after the other, written from the specification.
function naive(job: Shape): Uint8Array {
  const plaintext = bytes(jobPlaintextLength(job));
  const u32 = (value: number) =>
    Buffer.from([value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255]);
  const count = job.regular + (job.finalLength === undefined ? 0 : 1);
  const parts: Buffer[] = [];
  for (let i = 0; i < count; i++) {
    const final = i === job.regular;
    const seq = u32(job.first + i);
    const text = plaintext.subarray(i * job.frameLength, final ? undefined : (i + 1) * job.frameLength);
    const iv = Buffer.concat([Buffer.alloc(8), seq]);
    const cipher = createCipheriv(
      `aes-${job.keyLength * 8}-gcm` as 'aes-256-gcm',
      bytes(job.keyLength, 3),
      iv,
    );
    const name = `AWSKMSEncryptionClient ${final ? 'Final ' : ''}Frame`;
    cipher.setAAD(Buffer.concat([messageId, Buffer.from(name), seq, u32(0), u32(text.length)]));
    const sealed = [cipher.update(text), cipher.final(), cipher.getAuthTag()];
    parts.push(...(final ? [u32(0xffffffff), seq, iv, u32(text.length)] : [seq, iv]), ...sealed);
  }
  return new Uint8Array(Buffer.concat(parts));
}

describe.each(rows)('engine %s', (_, engine) => {
  it.each([16, 24, 32] as const)(
    'seals and opens under keys of %i bytes as the specification says',
    async (keyLength) => {
      for (const frameLength of [1, 15, 16, 17, 64, 255, 256, 1000]) {
        for (const regular of [0, 1, 15, 16, 17, 33]) {
          for (const finalLength of [undefined, 0, 1, frameLength]) {
            if (regular === 0 && finalLength === undefined) continue;
            const job = shape({ keyLength, frameLength, regular, finalLength });
            const sealed = await seal(engine, job);
            expect(sealed).toEqual(naive(job));
            const { opened, output } = await open(engine, job, sealed);
            expect(opened).toBe(regular + (finalLength === undefined ? 0 : 1));
            expect(output).toEqual(bytes(output.length));
          }
        }
      }
    },
  );

  it('counts across 255 and up to the last sequence number', async () => {
    for (const first of [250, 65_530, 2 ** 31 - 2, 2 ** 32 - 4]) {
      const job = shape({ first, regular: 3, finalLength: 2 });
      const sealed = await seal(engine, job);
      expect(sealed).toEqual(naive(job));
      expect((await open(engine, job, sealed)).opened).toBe(4);
    }
  });

  it('takes plaintext, frames and output that are views into larger buffers', async () => {
    const job = shape({ regular: 20 });
    const plaintext = bytes(1000).subarray(123, 123 + jobPlaintextLength(job));
    const cipher = engine.cipher(bytes(100).subarray(7, 39), messageId);
    const around = new Uint8Array(jobSealedLength(job) + 60);
    const output = around.subarray(33, 33 + jobSealedLength(job));
    await cipher.seal({ ...job, plaintext, output });
    expect(around.subarray(0, 33).every((byte) => byte === 0)).toBe(true);
    expect(around.subarray(33 + output.length).every((byte) => byte === 0)).toBe(true);
    const opened = new Uint8Array(plaintext.length + 9);
    await cipher.open({ ...job, frames: output, output: opened.subarray(9) });
    expect(opened.slice(9)).toEqual(plaintext.slice());
  });

  it('yields the frames before an altered one, and nothing of that one or of those behind it', async () => {
    const job = shape({ regular: 40, finalLength: 7 });
    const sealed = await seal(engine, job);
    for (const bad of [0, 1, 15, 16, 39, 40]) {
      const start = bad * 48;
      // IV, ciphertext and tag of the frame
      for (const at of bad === 40
        ? [start + 10, start + 25, start + 45]
        : [start + 5, start + 20, start + 47]) {
        const altered = sealed.slice();
        altered[at]! ^= 1;
        const { opened, output } = await open(engine, job, altered);
        expect(opened).toBe(bad);
        expect(output.subarray(0, bad * 16)).toEqual(bytes(output.length).subarray(0, bad * 16));
        const rest = output.subarray(bad * 16); // untouched, or wiped
        expect(rest.every((byte) => byte === 0xee) || rest.every((byte) => byte === 0)).toBe(true);
      }
    }
  });

  it('tells frames of another place, kind or message', async () => {
    const sealed = await seal(engine, shape());
    expect((await open(engine, shape({ first: 2 }), sealed)).opened).toBe(0);
    const regular = await seal(engine, shape({ regular: 1, finalLength: undefined }));
    const asFinal = new Uint8Array([
      ...[255, 255, 255, 255],
      ...regular.subarray(0, 16),
      0,
      0,
      0,
      16,
      ...regular.subarray(16),
    ]);
    expect((await open(engine, shape({ regular: 0, finalLength: 16 }), asFinal)).opened).toBe(0);
    const other = engine.cipher(bytes(32, 3), bytes(32, 6));
    const output = new Uint8Array(53);
    expect(await other.open({ ...shape(), frames: sealed, output })).toBe(0);
  });

  it('forgets its key', async () => {
    const key = bytes(32);
    const cipher = engine.cipher(key, messageId);
    expect(key).toEqual(bytes(32));
    cipher.dispose();
    await expect(async () =>
      cipher.seal({ ...shape(), plaintext: bytes(53), output: new Uint8Array(3 * 48 + 45) }),
    ).rejects.toThrow('disposed');
    await expect(async () =>
      cipher.open({ ...shape(), frames: new Uint8Array(3 * 48 + 45), output: bytes(53) }),
    ).rejects.toThrow('disposed');
  });
});
