import { afterEach, describe, expect, it, vi } from 'vitest';
import { availableEngines, engineTable, resetEngines, selectPlatform } from '../../src/engine/select.ts';
import { decrypt, encrypt, warmUp } from '../../src/index.ts';
import { aesKeyring, bytes } from '../support/messages.ts';

const keyring = aesKeyring();

afterEach(() => {
  vi.restoreAllMocks();
  resetEngines();
});

describe('warmUp', () => {
  it('says what it found, and what serves what', async () => {
    const report = await warmUp();
    expect(report.runtime).toBe('node');
    expect(report.kernel).toEqual({ state: 'ready', build: expect.stringMatching(/^(plain|relaxed)$/) }); // as the runtime has it
    expect(report.table).toBe(engineTable());
    expect(report.source).toBe('measured');
    const places = new Set<string>();
    for (const { engine, keyLength, frameLength, frames, microseconds } of report.measured) {
      expect(availableEngines()).toContain(engine);
      expect(microseconds).toBeGreaterThan(0);
      places.add(`${keyLength} ${frameLength} ${frames}`);
    }
    expect(report.measured.length).toBe(places.size * availableEngines().length);
    for (const keyLength of [16, 24, 32])
      expect([...places].some((place) => place.startsWith(`${keyLength} `))).toBe(true);
    const { ciphertext } = await encrypt(bytes(9000), { keyring, frameLength: 100 });
    expect((await decrypt(ciphertext, { keyring })).plaintext).toEqual(bytes(9000));
  });

  it('goes by nothing secret: zeros under keys of zeros', async () => {
    const seen: Uint8Array[] = [];
    for (const name of availableEngines()) {
      const { engine } = selectPlatform(name);
      const cipher = engine.cipher.bind(engine);
      vi.spyOn(engine, 'cipher').mockImplementation((key, id) => {
        const own = cipher(key, id);
        return {
          seal: (job) => {
            seen.push(key.slice(), id.slice(), job.plaintext.slice());
            return own.seal(job);
          },
          open: (job) => own.open(job),
          dispose: () => own.dispose(),
        };
      });
    }
    await warmUp();
    expect(seen.length).toBeGreaterThan(0);
    expect(seen.every((some) => some.every((byte) => byte === 0))).toBe(true);
  });

  it('keeps the built-in table where the clock stands still while an engine works', async () => {
    const builtIn = engineTable();
    for (const step of [1, Number.POSITIVE_INFINITY]) {
      const now = performance.now.bind(performance);
      const clock = vi
        .spyOn(performance, 'now')
        .mockImplementation(() => Math.floor(now() / step) * step || 0);
      const report = await warmUp();
      clock.mockRestore();
      expect(report.source).toBe('built-in');
      expect(report.table).toBe(builtIn);
      expect(report.kernel.state).toBe('ready');
    }
  });

  it('leaves out an engine that fails, and goes on', async () => {
    vi.spyOn(selectPlatform('hybrid').engine, 'cipher').mockImplementation(() => ({
      seal: () => Promise.reject(new Error('not here')),
      open: () => Promise.reject(new Error('not here')),
      dispose: () => undefined,
    }));
    const { measured, source, table } = await warmUp();
    expect(new Set(measured.map(({ engine }) => engine))).toEqual(new Set(['native', 'wasm']));
    expect(source).toBe('measured');
    expect(table.some(({ engine }) => engine === 'hybrid')).toBe(false);
  });
});
