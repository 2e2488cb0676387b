import { describe, expect, it } from 'vitest';
import { defaultCrypto } from '../../src/crypto/default-crypto.ts';
import { selectPlatform } from '../../src/engine/select.ts';
import { MessageSealer } from '../../src/stream/message-sealer.ts';
import { bytes } from '../support/messages.ts';

const NONE = new Uint8Array(0);
const sealer = () =>
  new MessageSealer(defaultCrypto(), selectPlatform('native').engine, bytes(32), bytes(32, 2));
const output = (length: number) => new Uint8Array(length);

describe('the ledger of a derived key', () => {
  it('seals one header', async () => {
    const one = sealer();
    expect(await one.sealHeader(bytes(40), NONE)).toHaveLength(16);
    await expect(one.sealHeader(bytes(40), NONE)).rejects.toThrow('second header');
    await expect(one.sealHeader(bytes(41), NONE)).rejects.toThrow('second header');
  });

  it('seals frames only after the header, each number once, counting up', async () => {
    const one = sealer();
    await expect(one.sealFrames(bytes(16), 16, 1, false, output(48))).rejects.toThrow('out of turn');
    await one.sealHeader(bytes(40), NONE);
    const sealed = [output(2 * 48), output(48), output(45)];
    await one.sealFrames(bytes(32), 16, 2, false, sealed[0]!);
    await one.sealFrames(bytes(16), 16, 1, false, sealed[1]!);
    await one.sealFrames(bytes(5), 16, 0, true, sealed[2]!);
    const numbers = [sealed[0]![3], sealed[0]![48 + 3], sealed[1]![3], sealed[2]![7]];
    expect(numbers).toEqual([1, 2, 3, 4]);
  });

  it('seals nothing after the final frame', async () => {
    const one = sealer();
    await one.sealHeader(bytes(40), NONE);
    await one.sealFrames(NONE, 16, 0, true, output(40));
    await expect(one.sealFrames(NONE, 16, 0, true, output(40))).rejects.toThrow('out of turn');
    await expect(one.sealFrames(bytes(16), 16, 1, false, output(48))).rejects.toThrow('out of turn');
  });

  it('seals nothing after dispose', async () => {
    const one = sealer();
    one.dispose();
    await expect(one.sealHeader(bytes(40), NONE)).rejects.toThrow();
    await expect(one.sealFrames(NONE, 16, 0, true, output(40))).rejects.toThrow();
  });
});
