/**
 * Frames in flight at WebCrypto: whatever becomes of one, all have ended when the engine answers, and nothing that follows a
 * wrong one is left.
 */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { jobSealedLength } from '../../src/engine/frame-layout.ts';
import { webcryptoEngine } from '../../src/engine/webcrypto-engine.ts';
import { bytes, flip } from '../support/messages.ts';

const FRAME = 100;
const FRAMES = 8;
const SEALED = FRAME + 32;
const shape = { frameLength: FRAME, first: 1, regular: FRAMES, finalLength: undefined };
const plaintext = bytes(FRAME * FRAMES);
const cipher = () => webcryptoEngine.cipher(bytes(32), bytes(32));

async function sealed(): Promise<Uint8Array> {
  const output = new Uint8Array(jobSealedLength(shape));
  await cipher().seal({ ...shape, plaintext, output });
  return output;
}

// Each call of `decrypt` after its own delay, which grows or falls from frame to frame.
function delayed(delays: readonly number[], fail: (call: number) => unknown = () => undefined) {
  const { decrypt } = crypto.subtle;
  let calls = 0;
  let ended = 0;
  vi.spyOn(crypto.subtle, 'decrypt').mockImplementation(async (...args) => {
    const call = calls++;
    const answer = decrypt.apply(crypto.subtle, args);
    answer.catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, delays[call]));
    ended++;
    const failure = fail(call);
    if (failure !== undefined) throw failure;
    return answer;
  });
  return () => ended;
}

afterEach(() => vi.restoreAllMocks());

describe('frames in flight', () => {
  const RISING = Array.from({ length: FRAMES }, (_, i) => 5 * i);

  it.each([
    ['in order', RISING],
    ['the last one first', RISING.toReversed()],
  ])('are all written where they belong, answered %s', async (_, delays) => {
    const frames = await sealed();
    delayed(delays);
    const output = new Uint8Array(plaintext.length);
    expect(await cipher().open({ ...shape, frames, output })).toBe(FRAMES);
    expect(output).toEqual(plaintext);
  });

  it.each([
    ['in order', RISING],
    ['the last one first', RISING.toReversed()],
  ])('leave nothing of a wrong one and of those behind it, answered %s', async (_, delays) => {
    const frames = await sealed();
    const ended = delayed(delays);
    const output = new Uint8Array(plaintext.length).fill(0xee);
    expect(await cipher().open({ ...shape, frames: flip(frames, 3 * SEALED + 50), output })).toBe(3);
    expect(ended()).toBe(FRAMES);
    expect(output.subarray(0, 3 * FRAME)).toEqual(plaintext.subarray(0, 3 * FRAME));
    expect(output.subarray(3 * FRAME)).toEqual(new Uint8Array(5 * FRAME));
  });

  it('leave no plaintext in the buffers of the platform', async () => {
    const frames = await sealed();
    const { decrypt } = crypto.subtle;
    const answers: ArrayBuffer[] = [];
    vi.spyOn(crypto.subtle, 'decrypt').mockImplementation(async (...args) => {
      const answer = await decrypt.apply(crypto.subtle, args);
      answers.push(answer);
      return answer;
    });
    const output = new Uint8Array(plaintext.length);
    await cipher().open({ ...shape, frames: flip(frames, 3 * SEALED + 50), output });
    expect(answers.map((answer) => answer.byteLength)).toEqual(Array(FRAMES - 1).fill(FRAME));
    for (const answer of answers) expect(new Uint8Array(answer)).toEqual(new Uint8Array(FRAME));
  });

  it('have all ended when one fails for another reason, and leave nothing', async () => {
    const frames = await sealed();
    const broken = new TypeError('no memory');
    const ended = delayed(RISING, (call) => (call === 2 ? broken : undefined));
    const output = new Uint8Array(plaintext.length);
    await expect(cipher().open({ ...shape, frames, output })).rejects.toBe(broken);
    expect(ended()).toBe(FRAMES);
    expect(output).toEqual(new Uint8Array(plaintext.length));
  });
});
