/**
 * The kernel's engines against the platform's, on drawn jobs.
 */
import { randomBytes, randomInt } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { equal } from '../../../src/bytes.ts';
import {
  type FrameJob,
  framePlace,
  jobPlaintextLength,
  jobSealedLength,
} from '../../../src/engine/frame-layout.ts';
import { createHybridEngine } from '../../../src/engine/hybrid-engine.ts';
import { createNodeEngine } from '../../../src/engine/node-engine.ts';
import { loadKernel } from '../../../src/engine/wasm/kernel.ts';
import { createWasmEngine } from '../../../src/engine/wasm/wasm-engine.ts';

const node = await import('node:crypto');
const kernel = loadKernel()!;
const reference = createNodeEngine(node);
const engines = [createWasmEngine(kernel), createHybridEngine(kernel, node)] as const;
const SLOW = process.env.SLOW === '1';

describe.each(engines.map((engine) => [engine.name, engine] as const))('engine %s', (_, engine) => {
  // Seals by both, compares, opens what the platform has sealed, and then with one bit altered somewhere.
  function check(job: FrameJob, keyLength = [16, 24, 32][randomInt(3)]!): void {
    const name = JSON.stringify({ ...job, keyLength });
    const key = randomBytes(keyLength);
    const messageId = randomBytes([16, 32][randomInt(2)]!);
    const plaintext = randomBytes(jobPlaintextLength(job));
    const expected = new Uint8Array(jobSealedLength(job));
    const frames = new Uint8Array(expected.length);
    reference.cipher(key, messageId).seal({ ...job, plaintext, output: expected });
    const cipher = engine.cipher(key, messageId);
    cipher.seal({ ...job, plaintext, output: frames });
    expect(equal(frames, expected), name).toBe(true);
    const output = new Uint8Array(plaintext.length);
    expect(cipher.open({ ...job, frames, output }), name).toBe(count(job));
    expect(equal(output, plaintext), name).toBe(true);
    checkAltered(job, { key, messageId, plaintext, frames });
  }

  interface Sealed {
    readonly key: Uint8Array;
    readonly messageId: Uint8Array;
    readonly plaintext: Uint8Array;
    readonly frames: Uint8Array;
  }

  function checkAltered(job: FrameJob, { key, messageId, plaintext, frames }: Sealed): void {
    const frame = randomInt(count(job));
    const place = framePlace(job, frame);
    const at = place.ciphertextAt + randomInt(place.length + 16);
    const altered = frames.slice();
    altered[at]! ^= 1 << randomInt(8);
    const output = new Uint8Array(plaintext.length).fill(0xee);
    expect(engine.cipher(key, messageId).open({ ...job, frames: altered, output })).toBe(frame);
    const expected = new Uint8Array(plaintext.length).fill(0xee);
    expected.set(plaintext.subarray(0, place.plaintextAt));
    expect(equal(output, expected)).toBe(true);
  }

  it('agrees with the platform at every frame length up to 300', () => {
    for (let frameLength = 1; frameLength <= 300; frameLength++) {
      const regular = randomInt(41);
      const finalLength = regular === 0 || randomInt(3) > 0 ? randomInt(frameLength + 1) : undefined;
      check({ frameLength, first: 1 + randomInt(300), regular, finalLength });
    }
  });

  it.each([16, 24, 32])(
    'agrees with the platform around the edges of its chunks, keys of %i bytes',
    (keyLength) => {
      for (const edge of [2048, 4096, 65_536]) {
        for (const frameLength of [edge - 16, edge - 1, edge, edge + 1, edge + 15, edge + 17]) {
          check(
            { frameLength, first: 1, regular: 1 + randomInt(3), finalLength: randomInt(frameLength) },
            keyLength,
          );
        }
      }
    },
  );

  it('agrees with the platform around the end of its memory', () => {
    // Both areas of 512 KiB less 77 KiB, and one frame in place.
    for (const frameLength of [222_000, 222_700, 222_750, 445_340, 445_400, 445_440, 445_441, 460_000]) {
      check({ frameLength, first: 1, regular: 1 + randomInt(2), finalLength: randomInt(frameLength) });
    }
  });

  it('agrees with the platform on many frames, and up to the last sequence number', () => {
    for (const first of [1, 200, 255, 65_500, 2 ** 32 - 1 - 1500]) {
      check({ frameLength: 300 + randomInt(300), first, regular: 1499, finalLength: 3 });
    }
  });

  it('opens frames under any IV that they carry', () => {
    for (let i = 0; i < (SLOW ? 2000 : 200); i++) {
      const job = {
        frameLength: 1 + randomInt(100),
        first: 1 + randomInt(1000),
        regular: randomInt(20),
        finalLength: 0,
      };
      const plaintext = randomBytes(jobPlaintextLength(job));
      const key = randomBytes(32);
      const frames = withDrawnIvs(job, key, plaintext);
      const output = new Uint8Array(plaintext.length);
      expect(engine.cipher(key, MESSAGE_ID).open({ ...job, frames, output })).toBe(job.regular + 1);
      expect(equal(output, plaintext)).toBe(true);
    }
  });
});

const MESSAGE_ID = randomBytes(16);

function count(job: FrameJob): number {
  return job.regular + (job.finalLength === undefined ? 0 : 1);
}

// Frames of an early writer: the platform's engine takes IVs as they are, but writes none such.
function withDrawnIvs(job: FrameJob, key: Uint8Array, plaintext: Uint8Array): Uint8Array {
  const frames = new Uint8Array(jobSealedLength(job));
  reference.cipher(key, MESSAGE_ID).seal({ ...job, plaintext, output: frames });
  for (let i = 0; i < count(job); i++) {
    const { final, ivAt, ciphertextAt, plaintextAt, length, sequenceNumber } = framePlace(job, i);
    const iv = randomBytes(12);
    const cipher = node.createCipheriv('aes-256-gcm', key, iv);
    const tail = Buffer.alloc(12);
    tail.writeUInt32BE(sequenceNumber, 0);
    tail.writeUInt32BE(length, 8);
    const content = `AWSKMSEncryptionClient ${final ? 'Final ' : ''}Frame`;
    cipher.setAAD(Buffer.concat([MESSAGE_ID, Buffer.from(content), tail]));
    frames.set(iv, ivAt);
    frames.set(cipher.update(plaintext.subarray(plaintextAt, plaintextAt + length)), ciphertextAt);
    cipher.final();
    frames.set(cipher.getAuthTag(), ciphertextAt + length);
  }
  return frames;
}
