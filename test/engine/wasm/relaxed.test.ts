/**
 * The build with relaxed SIMD. Node 20 has it behind a flag of V8, which may be set while it runs.
 */
import { createHash } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { equal } from '../../../src/bytes.ts';
import { jobPlaintextLength, jobSealedLength } from '../../../src/engine/frame-layout.ts';
import { createNodeEngine } from '../../../src/engine/node-engine.ts';
import { FRAME_HEX, FRAME_SHA256 } from '../../../src/engine/wasm/frame-relaxed-bytes.gen.ts';
import { createWasmEngine } from '../../../src/engine/wasm/wasm-engine.ts';
import { bytes } from '../../support/messages.ts';

const fresh = async () => {
  vi.resetModules();
  return import('../../../src/engine/wasm/kernel.ts');
};

describe('the kernel with relaxed SIMD', () => {
  it('is the one that was built', () => {
    const module = Buffer.from(FRAME_HEX, 'hex');
    expect(createHash('sha256').update(module).digest('hex')).toBe(FRAME_SHA256);
  });

  it('is not asked for where the runtime has none', async () => {
    const { kernelStatus, upgradeKernel } = await fresh();
    const validate = vi.spyOn(WebAssembly, 'validate').mockReturnValue(false);
    await upgradeKernel();
    expect(validate).toHaveBeenCalledOnce();
    expect(kernelStatus()).toEqual({ state: 'ready', build: 'plain' });
    validate.mockRestore();
  });

  it('is not used where it does not compile', async () => {
    const { kernelStatus, upgradeKernel } = await fresh();
    const validate = vi.spyOn(WebAssembly, 'validate').mockReturnValue(true);
    vi.doMock('../../../src/engine/wasm/relaxed-module.ts', () => ({
      relaxedModule: () => {
        throw new WebAssembly.CompileError('not allowed');
      },
    }));
    await upgradeKernel();
    expect(kernelStatus()).toEqual({ state: 'ready', build: 'plain' });
    vi.doUnmock('../../../src/engine/wasm/relaxed-module.ts');
    validate.mockRestore();
  });
});

describe('the kernel with relaxed SIMD, where there is some', () => {
  beforeAll(() => {
    setFlagsFromString('--experimental-wasm-relaxed-simd');
  });

  it('takes the place of the other, and agrees with the platform', async () => {
    const { kernelStatus, loadKernel, upgradeKernel } = await fresh();
    const engine = createWasmEngine(loadKernel()!);
    const cipher = engine.cipher(bytes(32, 3), bytes(32, 5));
    const seal = (one: typeof cipher, frameLength: number) => {
      const job = { frameLength, first: 1, regular: 9, finalLength: 5 };
      const output = new Uint8Array(jobSealedLength(job));
      one.seal({ ...job, plaintext: bytes(jobPlaintextLength(job)), output });
      return output;
    };
    const before = seal(cipher, 100);
    await upgradeKernel();
    expect(kernelStatus()).toEqual({ state: 'ready', build: 'relaxed' });
    expect(seal(cipher, 100)).toEqual(before);
    const platform = createNodeEngine(await import('node:crypto')).cipher(bytes(32, 3), bytes(32, 5));
    for (let frameLength = 5; frameLength < 400; frameLength += 7) {
      expect(equal(seal(cipher, frameLength), seal(platform, frameLength))).toBe(true);
    }
  });
});
