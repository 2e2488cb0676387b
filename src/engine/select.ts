/**
 * Which engine serves which frames.
 *
 * `auto` looks at each job: the lengths of its frames and of the key, and how many frames there are. What serves what is
 * a table for each runtime, measured by `bench/`; `warmUp` measures anew, on fixed public data under fixed public keys,
 * so that the choice depends on nothing secret.
 */

import { type Bytes, copy } from '../bytes.ts';
import type { AesKey, Crypto } from '../crypto/crypto.ts';
import { nativeCrypto } from '../crypto/default-crypto.ts';
import { withKernel } from '../crypto/kernel-crypto.ts';
import { nodeBuiltinCrypto, nodeCryptoAsNodes, runtimeName } from '../crypto/node-builtin.ts';
import { hasAes192 } from '../crypto/node-crypto.ts';
import { createWebCrypto } from '../crypto/webcrypto.ts';
import { FramesealError, invalidArgument, quote, unreachable } from '../errors.ts';
import type { FrameCipher, FrameEngine, OpenJob, SealJob } from './engine.ts';
import { ENGINE_TABLES } from './engine-table.gen.ts';
import { type EngineRow, engineFor, type ServingEngine } from './engine-table.ts';
import { frameCount } from './frame-layout.ts';
import { createHybridEngine } from './hybrid-engine.ts';
import { createNodeEngine } from './node-engine.ts';
import { type Kernel, kernelStatus, loadKernel } from './wasm/kernel.ts';
import { createWasmEngine } from './wasm/wasm-engine.ts';
import { webcryptoEngine } from './webcrypto-engine.ts';

export type { EngineRow } from './engine-table.ts';

/** What a caller may force: `native` is the platform's own AES-GCM, `auto` the fastest that there is. */
export type EngineChoice = 'auto' | ServingEngine;

/** What serves a message: an engine for its frames, and primitives for its keys and its header. */
export interface Platform {
  readonly engine: FrameEngine;
  readonly crypto: Crypto;
}

const CHOICES: readonly string[] = ['auto', 'wasm', 'native', 'hybrid'];

let table: readonly EngineRow[] | undefined;
let engines: Partial<Record<ServingEngine, FrameEngine>> = {};
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
  table ??= ENGINE_TABLES[runtimeName()];
  return table;
}

/** Makes `auto` go by these rows from now on. */
export function setEngineTable(rows: readonly EngineRow[]): void {
  table = rows;
}

/** The engines that this runtime has. */
export function availableEngines(): readonly ServingEngine[] {
  return (['native', 'wasm', 'hybrid'] as const).filter((name) => engineNamed(name) !== undefined);
}

/** For tests: what has been chosen is chosen anew. */
export function resetEngines(): void {
  table = undefined;
  engines = {};
  platforms = {};
}

function makePlatform(choice: EngineChoice): Platform {
  const native = { engine: engineNamed('native')!, crypto: platformCrypto() };
  const kernel = choice === 'native' ? undefined : loadKernel();
  if (choice === 'auto') {
    return kernel === undefined ? native : { engine: autoEngine, crypto: withKernel(native.crypto, kernel) };
  }
  const engine = engineNamed(choice);
  if (engine === undefined) throw notHere(choice);
  return kernel === undefined ? native : { engine, crypto: withKernel(native.crypto, kernel) };
}

// The platform's own primitives; AES-192 by its WebCrypto where its `node:crypto` has none (Deno).
function platformCrypto(): Crypto {
  const native = nativeCrypto();
  const node = nodeCryptoAsNodes();
  if (node === undefined || hasAes192(node)) return native;
  const web = createWebCrypto();
  const by = (key: AesKey) => (key instanceof Uint8Array && key.length === 24 ? web : native);
  return {
    ...native,
    aesGcmSeal: (key, ...message) => by(key).aesGcmSeal(key, ...message),
    aesGcmOpen: (key, ...message) => by(key).aesGcmOpen(key, ...message),
  };
}

function engineNamed(name: ServingEngine): FrameEngine | undefined {
  const engine = engines[name] ?? makeEngine(name);
  if (engine !== undefined) engines[name] = engine;
  return engine;
}

function makeEngine(name: ServingEngine): FrameEngine | undefined {
  if (name === 'native') return nativeEngine();
  const kernel: Kernel | undefined = loadKernel();
  if (kernel === undefined) return undefined;
  if (name === 'wasm') return createWasmEngine(kernel);
  const node = nodeBuiltinCrypto();
  return node && createHybridEngine(kernel, node);
}

// Deno's `node:crypto` lacks AES-192, and is several times slower than its WebCrypto with frames in flight.
function nativeEngine(): FrameEngine {
  const node = nodeCryptoAsNodes();
  return node !== undefined && hasAes192(node) ? createNodeEngine(node) : webcryptoEngine;
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

// Chosen for each job anew, by the length that its frames have, not the one that they might have. All ciphers of a message
// write the same bytes under the same key, so its jobs may go to any of them.
class AutoFrameCipher implements FrameCipher {
  readonly #key: Bytes;
  readonly #messageId: Bytes;
  readonly #ciphers = new Map<FrameEngine, FrameCipher>();
  #disposed = false;

  constructor(key: Uint8Array, messageId: Uint8Array) {
    this.#key = copy(key);
    this.#messageId = copy(messageId);
  }

  seal(job: SealJob): void | Promise<void> {
    return this.#cipherFor(job).seal(job);
  }

  open(job: OpenJob): number | Promise<number> {
    return this.#cipherFor(job).open(job);
  }

  dispose(): void {
    this.#disposed = true;
    this.#key.fill(0);
    for (const cipher of this.#ciphers.values()) cipher.dispose();
  }

  #cipherFor(job: SealJob | OpenJob): FrameCipher {
    if (this.#disposed) throw unreachable('a frame was asked of a cipher that has been disposed');
    const length = job.regular > 0 ? job.frameLength : job.finalLength!;
    const engine = pick(this.#key.length, length, frameCount(job));
    const cipher = this.#ciphers.get(engine) ?? engine.cipher(this.#key, this.#messageId);
    this.#ciphers.set(engine, cipher);
    return cipher;
  }
}

function pick(keyLength: number, frameLength: number, frames: number): FrameEngine {
  return engineNamed(engineFor(engineTable(), keyLength, frameLength, frames)) ?? engineNamed('native')!;
}
