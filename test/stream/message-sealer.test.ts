import { describe, expect, it } from 'vitest';
import { selectPlatform } from '../../src/engine/select.ts';
import { HEADER_IV } from '../../src/format/message-header.ts';
import { checkFrameCount, MessageSealer } from '../../src/stream/message-sealer.ts';
import { resolveSuite } from '../../src/suite/algorithm-suites.ts';
import { bytes } from '../support/messages.ts';

const NONE = new Uint8Array(0);
const output = (length: number) => new Uint8Array(length);

async function begin(id: number, engine: 'native' | 'auto' = 'native') {
  const body = bytes(80);
  const input = { messageId: bytes(32, 2), body, iv: HEADER_IV, authenticatedOnly: NONE };
  const begun = await MessageSealer.begin(selectPlatform(engine), resolveSuite(id), bytes(32), input, 16);
  return { ...begun, body };
}

describe('the ledger of a derived key', () => {
  it('begins with the header: commit key and tag are the same in one step and in several', async () => {
    for (const id of [0x0478, 0x0178, 0x0378, 0x0078]) {
      const [slow, fast] = [await begin(id, 'native'), await begin(id, 'auto')];
      expect(slow.tag).toEqual(fast.tag);
      expect(slow.body).toEqual(fast.body);
      const committing = id === 0x0478;
      expect(Buffer.compare(slow.body.subarray(48), bytes(80).subarray(48)) !== 0).toBe(committing);
    }
  });

  it('seals each frame number once, counting up', async () => {
    const { sealer } = await begin(0x0478);
    const sealed = [output(2 * 48), output(48), output(45)];
    await sealer.sealFrames(bytes(32), 2, false, sealed[0]!);
    await sealer.sealFrames(bytes(16), 1, false, sealed[1]!);
    await sealer.sealFrames(bytes(5), 0, true, sealed[2]!);
    const numbers = [sealed[0]![3], sealed[0]![48 + 3], sealed[1]![3], sealed[2]![7]];
    expect(numbers).toEqual([1, 2, 3, 4]);
  });

  it('seals nothing after the final frame', async () => {
    const { sealer } = await begin(0x0478);
    await sealer.sealFrames(NONE, 0, true, output(40));
    await expect(sealer.sealFrames(NONE, 0, true, output(40))).rejects.toThrow('out of turn');
    await expect(sealer.sealFrames(bytes(16), 1, false, output(48))).rejects.toThrow('out of turn');
  });

  it('seals nothing after dispose', async () => {
    const { sealer } = await begin(0x0478);
    sealer.dispose();
    await expect(sealer.sealFrames(NONE, 0, true, output(40))).rejects.toThrow();
  });

  it('stops at the number of frames that the format has', () => {
    expect(() => checkFrameCount(2 ** 32 - 1)).not.toThrow();
    expect(() => checkFrameCount(2 ** 32)).toThrow('raise "frameLength"');
  });
});
