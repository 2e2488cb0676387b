import { afterEach, describe, expect, it } from 'vitest';
import {
  availableEngines,
  engineTable,
  resetEngines,
  selectPlatform,
  setEngineTable,
} from '../../src/engine/select.ts';
import { decrypt, encrypt, warmUp } from '../../src/index.ts';
import { aesKeyring, bytes } from '../support/messages.ts';

const keyring = aesKeyring();

afterEach(resetEngines);

describe('the table of engines', () => {
  it('has rows that name engines of this runtime', () => {
    expect(availableEngines()).toEqual(['native', 'wasm', 'hybrid']);
    expect(engineTable().length).toBeGreaterThan(0);
    for (const { engine } of engineTable()) expect(availableEngines()).toContain(engine);
  });

  it('decides by the length of the frames and their number, and every choice is right', async () => {
    for (const engine of ['native', 'wasm', 'hybrid'] as const) {
      resetEngines();
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

  it('is asked for a message once, and its cipher forgets its key', async () => {
    const cipher = selectPlatform('auto').engine.cipher(bytes(32), bytes(32));
    cipher.dispose();
    await expect(async () =>
      cipher.seal({
        plaintext: bytes(1),
        frameLength: 16,
        first: 1,
        regular: 0,
        finalLength: 1,
        output: new Uint8Array(41),
      }),
    ).rejects.toThrow('disposed');
  });
});

describe('warmUp', () => {
  it('says what it found, and what serves what', async () => {
    const report = await warmUp();
    expect(report.runtime).toBe('node');
    expect(report.kernel).toEqual({ state: 'ready', build: 'plain' });
    expect(report.table).toEqual(engineTable());
    const names = new Set(report.measured.map(({ engine }) => engine));
    expect([...names].sort()).toEqual(['hybrid', 'native', 'wasm']);
    for (const { microseconds } of report.measured) expect(microseconds).toBeGreaterThan(0);
    const { ciphertext } = await encrypt(bytes(9000), { keyring, frameLength: 100 });
    expect((await decrypt(ciphertext, { keyring })).plaintext).toEqual(bytes(9000));
  });
});
