/**
 * One instance of the kernel and its linear memory: what the host puts in, takes out and wipes.
 *
 * The layout is the kernel's (`assembly/memory.ts`); the host knows the three places it is given by name: arguments,
 * keystream and data.
 */
import type { Bytes } from '../../bytes.ts';
import { FramesealError } from '../../errors.ts';

/** What the kernel exports. Lengths and offsets are bytes, counts are blocks or frames, hashes are named by their bits. */
export interface KernelExports {
  readonly ABI_VERSION: Constant;
  readonly ARGUMENTS: Constant;
  readonly DATA: Constant;
  readonly HASH_CONTEXT: Constant;
  readonly KEYSTREAM: Constant;
  readonly KEYSTREAM_CHUNK: Constant;
  readonly KEYSTREAM_LENGTH: Constant;
  readonly MAX_FRAMES: Constant;
  setKey(key: number, length: number): void;
  setHashKey(key: number): void;
  seal(iv: number, aad: number, aadLength: number, data: number, length: number, tag: number): void;
  open(iv: number, aad: number, aadLength: number, data: number, length: number, tag: number): number;
  extract(hash: number, salt: number, saltLength: number, key: number, length: number): void;
  expand(hash: number, info: number, length: number, output: number): void;
  readonly sealHeader: HeaderCall<void>;
  readonly openHeader: HeaderCall<number>;
  hashInit(context: number, hash: number): void;
  hashUpdate(context: number, hash: number, data: number, length: number): void;
  hashFinal(context: number, hash: number, output: number): void;
  setMessageId(length: number): void;
  startJob(
    plaintext: number,
    frames: number,
    frameLength: number,
    first: number,
    regular: number,
    finalLength: number,
    seal: number,
  ): void;
  sealJob(): void;
  openJob(): number;
  nextCounters(at: number, room: number): number;
  takeKeystream(at: number, count: number): void;
  nextMasks(at: number, room: number): number;
  takeMasks(at: number, count: number): number;
  wipe(keystream: number, data: number): void;
}

/** What is done with a header: `assembly/header.ts` says where its input and its output lie. */
export type HeaderCall<Result> = (
  hash: number,
  input: number,
  dataKeyLength: number,
  saltLength: number,
  infoLength: number,
  commitInfoLength: number,
  headerLength: number,
  restLength: number,
  keyLength: number,
  output: number,
) => Result;

/** Offsets and lengths of the kernel, read once: reading them costs as much as a call. */
export interface KernelLayout {
  readonly arguments: number;
  readonly keystream: number;
  readonly keystreamEnd: number;
  /** Bytes that the kernel's own AES makes of the text's keystream at a time. */
  readonly chunk: number;
  readonly data: number;
  /** Bytes of the state of a hash. */
  readonly hashContext: number;
  /** Frames of a job. */
  readonly maxFrames: number;
}

interface Constant {
  readonly value: number;
}

/** The meaning of the exports that this host knows. */
export const ABI_VERSION = 3;

const PAGE = 0x10000;
/** Of the memory of an instance, unless one frame alone needs more: 512 KiB, which most second caches hold. */
const PAGES = 8;

/** An instance and its memory. */
export class KernelMemory {
  readonly exports: KernelExports;
  readonly layout: KernelLayout;
  readonly #memory: WebAssembly.Memory;
  #bytes: Bytes;
  #dataTop = 0;
  #dataUsed = 0;
  #keystreamUsed = 0;
  #grown = false;

  /** @throws TypeError or WebAssembly.LinkError for a module of another make. */
  constructor(module: WebAssembly.Module) {
    this.#memory = new WebAssembly.Memory({ initial: PAGES });
    const instance = new WebAssembly.Instance(module, { env: { memory: this.#memory } });
    this.exports = instance.exports as unknown as KernelExports;
    const version = this.exports.ABI_VERSION.value;
    if (version !== ABI_VERSION) throw new TypeError(`the kernel has ABI ${version}, not ${ABI_VERSION}`);
    this.layout = readLayout(this.exports);
    this.#bytes = new Uint8Array(this.#memory.buffer);
  }

  /** Bytes of data that fit without growing. */
  get room(): number {
    return this.#bytes.length - this.layout.data;
  }

  /** Whether the memory has grown. Memory never shrinks: such an instance is dropped after the call. */
  get grown(): boolean {
    return this.#grown;
  }

  /**
   * A place of `length` bytes among the data, behind those reserved before.
   * @throws FramesealError `LIMIT_EXCEEDED` when the memory cannot grow that far.
   */
  reserve(length: number): number {
    const at = this.layout.data + this.#dataTop;
    if (at + length > this.#bytes.length) this.#grow(at + length);
    this.#dataTop = Math.ceil((this.#dataTop + length) / 16) * 16;
    this.#dataUsed = Math.max(this.#dataUsed, this.#dataTop);
    return at;
  }

  /** Gives places out anew, from the first. */
  restart(): void {
    this.#dataTop = 0;
  }

  /** Says that so many bytes of keystream may be written. */
  useKeystream(length: number): void {
    this.#keystreamUsed = Math.max(this.#keystreamUsed, length);
  }

  /** Copies bytes to an offset. */
  set(at: number, bytes: Uint8Array): void {
    this.#bytes.set(bytes, at);
  }

  /** Copies bytes to a new place among the data, and returns it. */
  put(bytes: Uint8Array): number {
    const at = this.reserve(bytes.length);
    this.#bytes.set(bytes, at);
    return at;
  }

  /** A view of memory, good until the memory grows. */
  view(at: number, length: number): Uint8Array {
    return this.#bytes.subarray(at, at + length);
  }

  /** A copy of memory. */
  take(at: number, length: number): Bytes {
    return this.#bytes.slice(at, at + length);
  }

  /** Zeroes all that has been used: nothing outlives a call. */
  wipe(): void {
    this.exports.wipe(this.#keystreamUsed, this.#dataUsed);
    this.#keystreamUsed = 0;
    this.#dataUsed = 0;
    this.#dataTop = 0;
  }

  #grow(length: number): void {
    try {
      this.#memory.grow(Math.ceil((length - this.#bytes.length) / PAGE));
    } catch (cause) {
      throw new FramesealError(
        'LIMIT_EXCEEDED',
        'the frame or header does not fit into the memory of the wasm engine',
        {
          cause,
        },
      );
    }
    this.#grown = true;
    this.#bytes = new Uint8Array(this.#memory.buffer);
  }
}

function readLayout(exports: KernelExports): KernelLayout {
  const keystream = exports.KEYSTREAM.value;
  return {
    arguments: exports.ARGUMENTS.value,
    keystream,
    keystreamEnd: keystream + exports.KEYSTREAM_LENGTH.value,
    chunk: exports.KEYSTREAM_CHUNK.value,
    data: exports.DATA.value,
    hashContext: exports.HASH_CONTEXT.value,
    maxFrames: exports.MAX_FRAMES.value,
  };
}
