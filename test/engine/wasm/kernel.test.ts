import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { FRAME_HEX, FRAME_SHA256 } from '../../../src/engine/wasm/frame-bytes.gen.ts';
import type { KernelExports } from '../../../src/engine/wasm/kernel-memory.ts';
import { bytes } from '../../support/messages.ts';
import { freshKernel, loaded } from './harness.ts';

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('the kernel', () => {
  it('is the same in both of its forms', () => {
    const module = Buffer.from(FRAME_HEX, 'hex');
    expect(createHash('sha256').update(module).digest('hex')).toBe(FRAME_SHA256);
    expect(readFileSync('src/engine/wasm/frame.wasm').equals(module)).toBe(true);
  });

  it('is not touched by an import', async () => {
    const touched = vi.fn();
    vi.stubGlobal('WebAssembly', new Proxy({}, { get: touched }));
    vi.resetModules();
    const { kernelStatus, loadKernel } = await import('../../../src/engine/wasm/kernel.ts');
    await import('../../../src/engine/wasm/wasm-engine.ts');
    await import('../../../src/engine/hybrid-engine.ts');
    expect(touched).not.toHaveBeenCalled();
    expect(kernelStatus()).toEqual({ state: 'unused', build: 'plain' });
    loadKernel();
    expect(touched).toHaveBeenCalled();
  });

  it('is compiled and tested once', async () => {
    const { kernel, status, memories } = await freshKernel();
    expect(status).toEqual({ state: 'ready', build: 'plain' });
    kernel!.gcmSeal(bytes(32), bytes(12), bytes(3), bytes(5));
    kernel!.hkdf('SHA-512', bytes(32), bytes(32), [{ info: bytes(3), length: 32 }]);
    expect(memories.length).toBe(1);
  });

  it.each([
    ['no WebAssembly', undefined, /TypeError|ReferenceError/],
    [
      'no SIMD, or a content policy',
      new WebAssembly.CompileError('not allowed'),
      /CompileError: not allowed/,
    ],
    ['too little memory', new RangeError('out of memory'), /RangeError: out of memory/],
  ])('is refused for good where there is %s', async (_, error, reason) => {
    const compile = vi.fn(function compile() {
      throw error;
    });
    vi.stubGlobal('WebAssembly', error && { ...WebAssembly, Module: compile });
    const { kernel, status } = await loaded();
    expect(kernel).toBeUndefined();
    expect(status.state).toBe('refused');
    expect(status.reason).toMatch(reason);
    const again = await import('../../../src/engine/wasm/kernel.ts');
    expect(again.loadKernel()).toBeUndefined();
    expect(compile.mock.calls.length).toBeLessThanOrEqual(1);
  });

  it('is refused with another ABI', async () => {
    const { kernel, status } = await freshKernel(() => ({ ABI_VERSION: { value: 1 } }));
    expect(kernel).toBeUndefined();
    expect(status.reason).toContain('ABI 1, not 3');
  });
});

describe('the self-test', () => {
  const view = (memory: WebAssembly.Memory) => new Uint8Array(memory.buffer);
  // Every export that computes, made to do so wrongly, and what then fails.
  it.each<[string, string, (exports: KernelExports, memory: WebAssembly.Memory) => Partial<KernelExports>]>([
    [
      'wrong hashes',
      'HKDF with SHA-256',
      ({ expand }, memory) => ({
        expand: (hash, info, length, output) => {
          expand(hash, info, length, output);
          view(memory)[output + 31]! ^= 1;
        },
      }),
    ],
    [
      'a wrong SHA-384',
      'HKDF with SHA-384',
      ({ extract }) => ({
        extract: (hash, ...rest) => extract(hash === 384 ? 512 : hash, ...rest),
      }),
    ],
    [
      'a wrong SHA-512',
      'HKDF with SHA-512',
      ({ expand }) => ({
        expand: (hash, info, length, output) =>
          expand(hash, info, hash === 512 ? length - 1 : length, output),
      }),
    ],
    [
      'wrong AES-192',
      'AES-192 frames',
      ({ setKey }) => ({
        setKey: (key, length) => setKey(key, length === 24 ? 16 : length),
      }),
    ],
    [
      'frames that are not encrypted',
      'AES-128 frames',
      ({ startJob, sealJob }, memory) => {
        let at = 0;
        return {
          startJob: (...job) => {
            at = job[0];
            startJob(...job);
          },
          sealJob: () => {
            const before = view(memory).slice(at, at + 16);
            sealJob();
            view(memory).set(before, at);
            view(memory)[at - 32]! ^= 1;
          },
        };
      },
    ],
    [
      'tags that are not compared',
      'a frame with an altered IV',
      ({ openJob, startJob }) => {
        let count = 0;
        return {
          startJob: (...job) => {
            count = job[4] + (job[5] >= 0 ? 1 : 0);
            startJob(...job);
          },
          openJob: () => {
            openJob();
            return count;
          },
        };
      },
    ],
    ['nothing authentic', 'frames that were not altered', () => ({ openJob: () => 0 })],
    [
      'another message',
      'a frame of another message',
      ({ setMessageId, ARGUMENTS }, memory) => ({
        setMessageId: (length) => {
          view(memory).set(
            Uint8Array.from({ length }, (_, i) => 32 + i),
            ARGUMENTS.value + 32,
          );
          setMessageId(length);
        },
      }),
    ],
    [
      'wrong GCM',
      'GCM',
      ({ seal }) => ({
        seal: (iv, aad, aadLength, data, length, tag) => seal(iv, aad, aadLength - 1, data, length, tag),
      }),
    ],
    [
      'GCM that opens all',
      'GCM of an altered ciphertext',
      ({ open }) => ({
        open: (...message) => {
          open(...message);
          return 1;
        },
      }),
    ],
    [
      'a wrong SHA-256 over several pieces',
      'SHA-256 in steps',
      ({ hashUpdate }) => ({
        hashUpdate: (context, hash, data, length) => hashUpdate(context, hash, data, Math.min(length, 200)),
      }),
    ],
    [
      'a hash that has another padding',
      'SHA-512 in steps',
      ({ hashFinal }, memory) => ({
        hashFinal: (context, hash, output) => {
          if (hash === 512) view(memory)[context + 64]! ^= 1;
          hashFinal(context, hash, output);
        },
      }),
    ],
    [
      'a wrong commit key',
      'a header with a commit key',
      ({ sealHeader }, memory) => ({
        sealHeader: (...input) => {
          sealHeader(...input);
          view(memory)[input[9] + 64]! ^= 1;
        },
      }),
    ],
    [
      'a commit key where there is none',
      'a header without a commit key',
      ({ sealHeader }) => ({
        sealHeader: (hash, input, key, salt, info, commitInfo, ...rest) =>
          sealHeader(hash, input, key, salt, info, Math.max(commitInfo, 0), ...rest),
      }),
    ],
    ['headers that are not authentic', 'a header that was not altered', () => ({ openHeader: () => 0 })],
    [
      'tags of headers that are not compared',
      'a header with an altered tag',
      ({ openHeader }) => ({
        openHeader: (...input) => {
          openHeader(...input);
          return 1;
        },
      }),
    ],
    [
      'tags of headers that do not cover all',
      'a header with an altered rest',
      ({ openHeader, sealHeader }, memory) => {
        const blind =
          <Result>(call: (...input: Parameters<typeof sealHeader>) => Result) =>
          (...input: Parameters<typeof sealHeader>): Result => {
            const [, at, dataKey, salt, info, commitInfo, header, rest] = input;
            const end = at + 28 + dataKey + salt + info + Math.max(commitInfo, 0) + header + rest;
            view(memory)[end - 1] = 186;
            return call(...input);
          };
        return { openHeader: blind(openHeader), sealHeader: blind(sealHeader) };
      },
    ],
    [
      'commit keys that are not compared',
      'a header with an altered commit key',
      ({ openHeader }, memory) => ({
        // Without its commit key's info, the header is one without a commit key.
        openHeader: (hash, input, key, salt, info, commitInfo, ...rest) => {
          const at = input + 28 + key + salt + info;
          view(memory).copyWithin(at, at + Math.max(commitInfo, 0));
          return openHeader(hash, input, key, salt, info, -1, ...rest);
        },
      }),
    ],
    ['GCM that opens none', 'GCM of an unaltered message', () => ({ open: () => 0 })],
  ])('refuses a kernel with %s', async (_, check, tamper) => {
    const { kernel, status } = await freshKernel(tamper);
    expect(kernel).toBeUndefined();
    expect(status).toEqual({ state: 'refused', reason: `wrong answer: ${check}`, build: 'plain' });
  });
});
