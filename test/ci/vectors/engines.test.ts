/**
 * Every engine against the first one: the same frames sealed, the same opened, the same refused.
 */

import * as nodeCrypto from 'node:crypto';
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createNodeCrypto } from '../../../src/crypto/node-crypto.ts';
import type { FrameEngine, SealJob } from '../../../src/engine/engine.ts';
import {
  frameCount,
  framePlace,
  jobPlaintextLength,
  jobSealedLength,
} from '../../../src/engine/frame-layout.ts';
import { createHybridEngine } from '../../../src/engine/hybrid-engine.ts';
import { createNodeEngine } from '../../../src/engine/node-engine.ts';
import { loadKernel } from '../../../src/engine/wasm/kernel.ts';
import { createWasmEngine } from '../../../src/engine/wasm/wasm-engine.ts';
import { webcryptoEngine } from '../../../src/engine/webcrypto-engine.ts';
import { bodyLength } from '../../../src/format/message-body.ts';
import { HEADER_IV } from '../../../src/format/message-header.ts';
import { locateBody, MessageOpener } from '../../../src/stream/message-opener.ts';
import { MessageSealer } from '../../../src/stream/message-sealer.ts';
import { suiteById, TAG_LENGTH } from '../../../src/suite/algorithm-suites.ts';
import { rejects, sameBytes } from '../../support/vectors-tally.ts';

const REFERENCE: FrameEngine = createNodeEngine(nodeCrypto);
const kernel = loadKernel()!;
const OTHERS: readonly FrameEngine[] = [
  webcryptoEngine,
  createWasmEngine(kernel),
  createHybridEngine(kernel, nodeCrypto),
];
const KEY_LENGTHS = [16, 24, 32];
const primitives = createNodeCrypto(nodeCrypto);
const NONE = new Uint8Array(0);
const HEADER = {
  encryptionContext: {},
  encryptedDataKeys: [],
  contentType: 'framed',
  suiteData: NONE,
  body: NONE,
  iv: HEADER_IV,
  tag: NONE,
  length: 0,
} as const;

describe.each(OTHERS)('the $name engine against node', (engine) => {
  it.each(KEY_LENGTHS)('agrees for frame lengths 1 to 300, keys of %i bytes', async (keyLength) => {
    for (let frameLength = 1; frameLength <= 300; frameLength++) {
      const draw = source(`${keyLength} ${frameLength}`);
      await agree(engine, draw(keyLength), draw, frameLength, draw(1)[0]! % 35);
    }
  });

  // Frames in flight at once, frames of a batch, and bytes of a batch.
  it.each([
    [15, 48],
    [16, 48],
    [17, 48],
    [32, 48],
    [33, 48],
    [1023, 16],
    [1024, 16],
    [1025, 16],
    [2, 2 ** 20 - 1],
    [2, 2 ** 20],
    [2, 2 ** 20 + 1],
  ])('agrees for %i regular frames of %i bytes', async (regular, frameLength) => {
    for (const keyLength of KEY_LENGTHS) {
      const draw = source(`${keyLength} ${frameLength} ${regular}`);
      await agree(engine, draw(keyLength), draw, frameLength, regular);
    }
  });
});

// One job over the whole body is what the batches must add up to.
describe.each([REFERENCE, ...OTHERS])('the $name engine in batches', (engine) => {
  it.each([
    [1023, 1],
    [1024, 1],
    [1025, 1],
    [1026, 1],
    [2048, 3],
    [2049, 3],
    [9217, 1],
    [2, 2 ** 19],
    [3, 2 ** 19],
    [5, 2 ** 19 + 1],
    [3, 2 ** 20 + 1],
  ])('agrees for %i frames of %i bytes', async (frames, frameLength) => {
    const draw = source(`${frames} ${frameLength}`);
    const [key, messageId] = [draw(32), draw(32)];
    for (const finalLength of new Set([1, frameLength])) {
      const layout = { frameLength, first: 1, regular: frames - 1, finalLength };
      const plaintext = draw(jobPlaintextLength(layout));
      const whole = new Uint8Array(jobSealedLength(layout));
      await engine.cipher(key, messageId).seal({ ...layout, plaintext, output: whole });

      // The suite whose derived key is the data key.
      const suite = suiteById(0x0078)!;
      const platform = { crypto: primitives, engine };
      const input = { messageId, body: NONE, iv: HEADER_IV, authenticatedOnly: NONE };
      const { sealer, tag } = await MessageSealer.begin(platform, suite, key, input, frameLength);
      const output = new Uint8Array(bodyLength(plaintext.length, frameLength));
      const progress = { total: plaintext.length };
      await sealer.sealBody(plaintext, output, progress);
      sameBytes(output, whole, 'body');

      const header = { ...HEADER, suite, tag, messageId: new Uint8Array(messageId), frameLength };
      const opener = (await MessageOpener.begin(platform, header, key, NONE))!;
      const body = locateBody(header, whole, frameLength);
      sameBytes(await opener.openBody(body, whole, progress), plaintext, 'plaintext');
      whole[whole.length - 1]! ^= 1;
      await rejects(() => opener.openBody(body, whole, progress), ['AUTHENTICATION_FAILED']);
    }
  });
});

async function agree(
  engine: FrameEngine,
  key: Uint8Array,
  draw: Source,
  frameLength: number,
  regular: number,
): Promise<void> {
  const messageId = draw(frameLength % 2 ? 16 : 32);
  const [, mode, low, high] = draw(4) as unknown as number[];
  const finalLength = mode! % 3 === 0 ? undefined : ((high! << 8) + low!) % (frameLength + 1);
  if (regular === 0 && finalLength === undefined) return;
  const layout = { frameLength, first: 1 + low!, regular, finalLength };
  const plaintext = draw(jobPlaintextLength(layout));
  const job = { ...layout, plaintext, output: new Uint8Array(jobSealedLength(layout)) };
  const other = { ...job, output: new Uint8Array(job.output.length) };
  const ciphers = [REFERENCE, engine].map((one) => one.cipher(key, messageId));
  await ciphers[0]!.seal(job);
  await ciphers[1]!.seal(other);
  sameBytes(other.output, job.output, `${frameCount(job)} frames of ${frameLength} bytes`);

  const hit = (low! * 31) % frameCount(job);
  const altered = job.output.slice();
  altered[tagEnd(job, hit) - 1 - (high! % TAG_LENGTH)]! ^= 1 << (low! % 8);
  for (const cipher of ciphers) {
    const opened = new Uint8Array(plaintext.length);
    expect(await cipher.open({ ...layout, frames: job.output, output: opened })).toBe(frameCount(job));
    sameBytes(opened, plaintext, 'plaintext');
    const partly = new Uint8Array(plaintext.length);
    expect(await cipher.open({ ...layout, frames: altered, output: partly })).toBe(hit);
    const expected = plaintext.slice().fill(0, hit * frameLength);
    sameBytes(partly, expected, 'plaintext before the altered frame, and nothing behind');
    cipher.dispose();
  }
}

function tagEnd(job: SealJob, index: number): number {
  const { ciphertextAt, length } = framePlace(job, index);
  return ciphertextAt + length + TAG_LENGTH;
}

type Source = (length: number) => Uint8Array;

// Bytes that look random and are the same in every run.
function source(seed: string): Source {
  let drawn = 0;
  return (length) => {
    const hash = createHash('shake256', { outputLength: Math.max(1, length) });
    return new Uint8Array(hash.update(`${seed} ${drawn++}`).digest()).slice(0, length);
  };
}
