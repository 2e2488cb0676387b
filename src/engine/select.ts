/**
 * Which engine serves which frames.
 *
 * `auto` looks at what a message asks for when its first frames come: their length and their number. What serves what is
 * a table for each runtime, measured by `bench/`; `warmUp` measures anew, on fixed public data under fixed public keys,
 * so that the choice depends on nothing secret.
 */

import { copy } from '../bytes.ts';
import type { Crypto } from '../crypto/crypto.ts';
import { nativeCrypto } from '../crypto/default-crypto.ts';
import { withKernel } from '../crypto/kernel-crypto.ts';
import { nodeBuiltinCrypto, runtimeName } from '../crypto/node-builtin.ts';
import { FramesealError, invalidArgument, quote } from '../errors.ts';
import type { FrameCipher, FrameEngine, OpenJob, SealJob } from './engine.ts';
import { frameCount } from './frame-layout.ts';
import { createHybridEngine } from './hybrid-engine.ts';
import { createNodeEngine } from './node-engine.ts';
import { type Kernel, kernelStatus, loadKernel } from './wasm/kernel.ts';
import { createWasmEngine } from './wasm/wasm-engine.ts';
import { webcryptoEngine } from './webcrypto-engine.ts';

/** What a caller may force: `native` is the platform's own AES-GCM, `auto` the fastest that there is. */
export type EngineChoice = 'auto' | 'wasm' | 'native' | 'hybrid';

/** What serves a message: an engine for its frames, and primitives for its keys and its header. */
export interface Platform {
  readonly engine: FrameEngine;
  readonly crypto: Crypto;
}

/** A row of the table: the first that fits serves. */
export interface EngineRow {
  /** Frames of at most so many bytes of plaintext. */
  readonly maxFrameLength: number;
  /** In jobs of at least so many frames. */
  readonly minFrames: number;
  readonly engine: Exclude<EngineChoice, 'auto'>;
}

const CHOICES: readonly string[] = ['auto', 'wasm', 'native', 'hybrid'];

/** What is not in a runtime's rows is native. */
const TABLES: Record<ReturnType<typeof runtimeName>, readonly EngineRow[]> = {
  node: [
    { maxFrameLength: 1024, minFrames: 3, engine: 'hybrid' },
    { maxFrameLength: 4608, minFrames: 16, engine: 'hybrid' },
    { maxFrameLength: 512, minFrames: 1, engine: 'wasm' },
  ],
  deno: [
    { maxFrameLength: 2 ** 32, minFrames: 8, engine: 'hybrid' },
    { maxFrameLength: 4096, minFrames: 1, engine: 'wasm' },
  ],
  bun: [{ maxFrameLength: 768, minFrames: 8, engine: 'hybrid' }],
  web: [{ maxFrameLength: 4096, minFrames: 1, engine: 'wasm' }],
};

let table: readonly EngineRow[] | undefined;
let engines: Partial<Record<Exclude<EngineChoice, 'auto'>, FrameEngine>> = {};
let platforms: Partial<Record<EngineChoice, Platform>> = {};

/**
 * The engine and the primitives for a choice. Nothing is compiled before the first call.
 * @throws FramesealError `INVALID_ARGUMENT`; `UNSUPPORTED` for an engine that this runtime has not.
 */
export function selectPlatform(choice: EngineChoice = 'auto'): Platform {
  if (!CHOICES.includes(choice))
    throw invalidArgument('engine', `one of ${CHOICES.join(', ')}`, quote(choice));
  const platform = platforms[choice] ?? makePlatform(choice);
  platforms[choice] = platform;
  return platform;
}

/** The rows that `auto` goes by. */
export function engineTable(): readonly EngineRow[] {
  table ??= TABLES[runtimeName()];
  return table;
}

/** Makes `auto` go by these rows from now on. */
export function setEngineTable(rows: readonly EngineRow[]): void {
  table = rows;
}

/** The engines that this runtime has. */
export function availableEngines(): readonly Exclude<EngineChoice, 'auto'>[] {
  return (['native', 'wasm', 'hybrid'] as const).filter((name) => engineNamed(name) !== undefined);
}

/** For tests: what has been chosen is chosen anew. */
export function resetEngines(): void {
  table = undefined;
  engines = {};
  platforms = {};
}

function makePlatform(choice: EngineChoice): Platform {
  const native = { engine: engineNamed('native')!, crypto: nativeCrypto() };
  const kernel = choice === 'native' ? undefined : loadKernel();
  if (choice === 'auto') {
    return kernel === undefined ? native : { engine: autoEngine, crypto: withKernel(native.crypto, kernel) };
  }
  const engine = engineNamed(choice);
  if (engine === undefined) throw notHere(choice);
  return kernel === undefined ? native : { engine, crypto: withKernel(native.crypto, kernel) };
}

function engineNamed(name: Exclude<EngineChoice, 'auto'>): FrameEngine | undefined {
  const engine = engines[name] ?? makeEngine(name);
  if (engine !== undefined) engines[name] = engine;
  return engine;
}

function makeEngine(name: Exclude<EngineChoice, 'auto'>): FrameEngine | undefined {
  const node = nodeBuiltinCrypto();
  if (name === 'native') return node === undefined ? webcryptoEngine : createNodeEngine(node);
  const kernel: Kernel | undefined = loadKernel();
  if (kernel === undefined) return undefined;
  if (name === 'wasm') return createWasmEngine(kernel);
  return node && createHybridEngine(kernel, node);
}

function notHere(choice: EngineChoice): FramesealError {
  const { reason } = kernelStatus();
  const why = reason === undefined ? 'it needs node:crypto' : `the kernel was refused: ${reason}`;
  return new FramesealError(
    'UNSUPPORTED',
    `this runtime has no ${choice} engine (${why}): use "auto" or "native"`,
  );
}

const autoEngine: FrameEngine = {
  name: 'auto',
  cipher: (key, messageId) => new AutoFrameCipher(key, messageId),
};

// Chosen once for a message, by its first job: by the length that its frames have, not the one that they might have.
class AutoFrameCipher implements FrameCipher {
  readonly #key: Uint8Array;
  readonly #messageId: Uint8Array;
  #cipher: FrameCipher | undefined;

  constructor(key: Uint8Array, messageId: Uint8Array) {
    this.#key = copy(key);
    this.#messageId = messageId;
  }

  seal(job: SealJob): void | Promise<void> {
    return this.#chosen(job).seal(job);
  }

  open(job: OpenJob): number | Promise<number> {
    return this.#chosen(job).open(job);
  }

  dispose(): void {
    this.#cipher ??= engineNamed('native')!.cipher(this.#key, this.#messageId);
    this.#cipher.dispose();
    this.#key.fill(0);
  }

  #chosen(job: SealJob | OpenJob): FrameCipher {
    if (this.#cipher === undefined) {
      const longest = job.regular > 0 ? job.frameLength : job.finalLength!;
      this.#cipher = pick(longest, frameCount(job)).cipher(this.#key, this.#messageId);
      this.#key.fill(0);
    }
    return this.#cipher;
  }
}

function pick(frameLength: number, frames: number): FrameEngine {
  const row = engineTable().find((one) => frameLength <= one.maxFrameLength && frames >= one.minFrames);
  return (row && engineNamed(row.engine)) ?? engineNamed('native')!;
}
