/**
 * The kernel's operations as calls of the host.
 *
 * Each call is synchronous and leaves nothing behind: it copies its input into linear memory, runs, copies the result
 * out and wipes all that it used, whether it succeeds or throws. So one instance serves all messages, no message owns
 * any part of it, and an aborted one has nothing to give back. Keys live in the cipher objects of the messages.
 *
 * Memory: 512 KiB. Only a frame or a header that is larger than that grows it, to its length; that memory is given back
 * after the call.
 */
import type { Bytes } from '../../bytes.ts';
import type { HkdfOutput, KeyDerivation, SealedHeader } from '../../crypto/crypto.ts';
import { unreachable } from '../../errors.ts';
import { COMMIT_KEY_LENGTH, TAG_LENGTH } from '../../suite/algorithm-suites.ts';
import type { OpenJob, SealJob } from '../engine.ts';
import { giveBack } from '../give-back.ts';
import { type FramePart, frameParts, type PartPlaces, placePart, plaintextLengthOf } from './frame-parts.ts';
import { createKernelHasher, HASH_LENGTH, type KernelHash, type KernelHasher } from './kernel-hash.ts';
import { type HeaderCall, KernelMemory } from './kernel-memory.ts';

export { HASH_LENGTH, type KernelHash, type KernelHasher } from './kernel-hash.ts';

/** AES over whole blocks, block by block, by someone else than the kernel. The result is wiped after use. */
export type EncryptBlocks = (blocks: Uint8Array) => Uint8Array;

/** The block cipher of a message: a key for the kernel's own AES, or AES under that key by someone else. */
export type BlockCipher = Uint8Array | EncryptBlocks;

/** What the kernel computes. No call may be made while another runs. */
export interface Kernel {
  /**
   * Derives the keys of a message and makes its header tag: AES-GCM under the derived key, without plaintext, over
   * `headerBody` and `authenticatedOnly`. Where there is a commit key, it stands in the last 32 bytes of the header body
   * as authenticated; those that are given are not looked at, and not written either.
   */
  sealHeader(
    derivation: KeyDerivation,
    iv: Uint8Array,
    headerBody: Uint8Array,
    authenticatedOnly: Uint8Array,
  ): SealedHeader;
  /**
   * Derives the keys of a message and checks its commit key, the last 32 bytes of the header body, and its header tag.
   * The derived key, or `undefined` when one of them is wrong: which one, not even the time tells.
   */
  openHeader(
    derivation: KeyDerivation,
    iv: Uint8Array,
    headerBody: Uint8Array,
    authenticatedOnly: Uint8Array,
    tag: Uint8Array,
  ): Bytes | undefined;
  /** Begins a hash in steps. */
  createHash(hash: KernelHash): KernelHasher;
  /** HKDF, RFC 5869; an output is at most as long as the hash. */
  hkdf(hash: KernelHash, key: Uint8Array, salt: Uint8Array, outputs: readonly HkdfOutput[]): Bytes[];
  /** AES-GCM with a 12-byte IV: ciphertext || tag. */
  gcmSeal(key: Uint8Array, iv: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Bytes;
  /** The plaintext, or `undefined` when the tag is wrong. */
  gcmOpen(key: Uint8Array, iv: Uint8Array, aad: Uint8Array, sealed: Uint8Array): Bytes | undefined;
  /** Seals the frames of a job. */
  sealFrames(cipher: BlockCipher, messageId: Uint8Array, job: SealJob): void;
  /** Opens the frames of a job. Returns how many are authentic; only their plaintext is written. */
  openFrames(cipher: BlockCipher, messageId: Uint8Array, job: OpenJob): number;
}

/** A kernel whose module may be changed between two calls: it keeps nothing from one to the next. */
export interface ReplaceableKernel extends Kernel {
  replace(module: WebAssembly.Module): void;
}

// Places among the arguments. Key and message id stand where the kernel wants them.
const KEY = 0;
const MESSAGE_ID = 32;
const IV = 64;
const OUTPUT = 128;

// Places in the input of a header, and in its output.
const HEADER_IV = 16;
const DATA_KEY = 28;
const COMMIT_KEY = 64;
const TAG = 128;

const NONE: Bytes = new Uint8Array(0);

/** The calls over this module, instantiated at the first one. */
export function createKernel(module: WebAssembly.Module): ReplaceableKernel {
  return new WasmKernel(module);
}

class WasmKernel implements ReplaceableKernel {
  #module: WebAssembly.Module;
  #memory: KernelMemory | undefined;
  #busy = false;

  constructor(module: WebAssembly.Module) {
    this.#module = module;
  }

  replace(module: WebAssembly.Module): void {
    this.#module = module;
    this.#memory = undefined;
  }

  sealHeader(
    derivation: KeyDerivation,
    iv: Uint8Array,
    headerBody: Uint8Array,
    authenticatedOnly: Uint8Array,
  ): SealedHeader {
    return this.#run((memory) => {
      const { exports, layout } = memory;
      const input = putHeader(memory, derivation, iv, headerBody, authenticatedOnly);
      const output = layout.arguments + OUTPUT;
      callHeader(exports.sealHeader, derivation, input, headerBody, authenticatedOnly, output);
      return {
        derivedKey: memory.take(output, derivation.keyLength),
        commitKey:
          derivation.commitInfo === undefined ? NONE : memory.take(output + COMMIT_KEY, COMMIT_KEY_LENGTH),
        tag: memory.take(output + TAG, TAG_LENGTH),
      };
    });
  }

  openHeader(
    derivation: KeyDerivation,
    iv: Uint8Array,
    headerBody: Uint8Array,
    authenticatedOnly: Uint8Array,
    tag: Uint8Array,
  ): Bytes | undefined {
    if (tag.length !== TAG_LENGTH) return undefined;
    return this.#run((memory) => {
      const { exports, layout } = memory;
      const input = putHeader(memory, derivation, iv, headerBody, authenticatedOnly);
      memory.set(input, tag);
      const output = layout.arguments + OUTPUT;
      const right = callHeader(exports.openHeader, derivation, input, headerBody, authenticatedOnly, output);
      return right === 1 ? memory.take(output, derivation.keyLength) : undefined;
    });
  }

  createHash(hash: KernelHash): KernelHasher {
    return createKernelHasher((work) => this.#run(work), hash);
  }

  hkdf(hash: KernelHash, key: Uint8Array, salt: Uint8Array, outputs: readonly HkdfOutput[]): Bytes[] {
    return this.#run((memory) => {
      const { exports, layout } = memory;
      const bits = 8 * HASH_LENGTH[hash];
      const result = layout.arguments + OUTPUT;
      exports.extract(bits, memory.put(salt), salt.length, memory.put(key), key.length);
      return outputs.map(({ info, length }) => {
        if (length > HASH_LENGTH[hash])
          throw unreachable('the kernel was asked for more than one block of HKDF');
        exports.expand(bits, memory.put(info), info.length, result);
        return memory.take(result, length);
      });
    });
  }

  gcmSeal(key: Uint8Array, iv: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Bytes {
    return this.#run((memory) => {
      const args = setGcmKey(memory, key, iv);
      const aadAt = memory.put(aad);
      const dataAt = memory.reserve(plaintext.length + TAG_LENGTH);
      const tagAt = dataAt + plaintext.length;
      memory.set(dataAt, plaintext);
      memory.exports.seal(args + IV, aadAt, aad.length, dataAt, plaintext.length, tagAt);
      return memory.take(dataAt, plaintext.length + TAG_LENGTH);
    });
  }

  gcmOpen(key: Uint8Array, iv: Uint8Array, aad: Uint8Array, sealed: Uint8Array): Bytes | undefined {
    if (sealed.length < TAG_LENGTH) return undefined;
    return this.#run((memory) => {
      const args = setGcmKey(memory, key, iv);
      const length = sealed.length - TAG_LENGTH;
      const aadAt = memory.put(aad);
      const dataAt = memory.put(sealed);
      const right = memory.exports.open(args + IV, aadAt, aad.length, dataAt, length, dataAt + length);
      return right === 1 ? memory.take(dataAt, length) : undefined;
    });
  }

  sealFrames(cipher: BlockCipher, messageId: Uint8Array, job: SealJob): void {
    this.#run((memory) => {
      begin(memory, cipher, messageId);
      for (const part of frameParts(job, memory)) sealPart(memory, cipher, job, part);
    });
  }

  openFrames(cipher: BlockCipher, messageId: Uint8Array, job: OpenJob): number {
    return this.#run((memory) => {
      begin(memory, cipher, messageId);
      let opened = 0;
      for (const part of frameParts(job, memory)) {
        const count = openPart(memory, cipher, job, part);
        opened += count;
        if (count < part.count) break;
      }
      return opened;
    });
  }

  #run<T>(work: (memory: KernelMemory) => T): T {
    if (this.#busy) throw unreachable('the kernel was called while it was at work');
    const memory = this.#memory ?? new KernelMemory(this.#module);
    // Kept again only after a call without exception: the state of an instance after one is nobody's to trust.
    this.#memory = undefined;
    this.#busy = true;
    try {
      const result = work(memory);
      if (!memory.grown) this.#memory = memory;
      return result;
    } finally {
      this.#busy = false;
      memory.wipe();
    }
  }
}

// Puts what a header is made of into memory, in one row that begins with the place of its tag. Returns where.
function putHeader(
  memory: KernelMemory,
  { dataKey, salt, info, commitInfo = NONE }: KeyDerivation,
  iv: Uint8Array,
  headerBody: Uint8Array,
  authenticatedOnly: Uint8Array,
): number {
  memory.useKeystream(8 * BLOCK);
  const keys = DATA_KEY + dataKey.length + salt.length + info.length + commitInfo.length;
  const input = memory.reserve(keys + headerBody.length + authenticatedOnly.length);
  memory.set(input + HEADER_IV, iv);
  let at = input + DATA_KEY;
  for (const part of [dataKey, salt, info, commitInfo, headerBody, authenticatedOnly]) {
    memory.set(at, part);
    at += part.length;
  }
  return input;
}

function callHeader<Result>(
  call: HeaderCall<Result>,
  { hash, dataKey, salt, info, keyLength, commitInfo }: KeyDerivation,
  input: number,
  headerBody: Uint8Array,
  authenticatedOnly: Uint8Array,
  output: number,
): Result {
  if (commitInfo !== undefined && headerBody.length < COMMIT_KEY_LENGTH)
    throw unreachable('a header has no room for its commit key');
  return call(
    8 * HASH_LENGTH[hash],
    input,
    dataKey.length,
    salt.length,
    info.length,
    commitInfo?.length ?? -1,
    headerBody.length,
    authenticatedOnly.length,
    keyLength,
    output,
  );
}

// Returns where the arguments are.
function setGcmKey(memory: KernelMemory, key: Uint8Array, iv: Uint8Array): number {
  const { exports, layout } = memory;
  const args = layout.arguments;
  memory.useKeystream(layout.chunk + 8 * BLOCK);
  memory.set(args + KEY, key);
  memory.set(args + IV, iv);
  exports.setKey(args + KEY, key.length);
  return args;
}

// Begins a message, as far as its key is here.
function begin(memory: KernelMemory, cipher: BlockCipher, messageId: Uint8Array): void {
  const { exports, layout } = memory;
  memory.set(layout.arguments + MESSAGE_ID, messageId);
  exports.setMessageId(messageId.length);
  if (typeof cipher === 'function') return;
  memory.set(layout.arguments + KEY, cipher);
  exports.setKey(layout.arguments + KEY, cipher.length);
}

function sealPart(memory: KernelMemory, cipher: BlockCipher, job: SealJob, part: FramePart): void {
  const { exports } = memory;
  const places = placePart(memory, part);
  const plaintext = job.plaintext.subarray(part.plaintextAt, part.plaintextAt + part.plaintextLength);
  memory.set(places.plaintext, plaintext);
  startJob(memory, places, part, 1);
  if (typeof cipher === 'function') {
    const first = firstRun(memory, cipher);
    cryptText(memory, cipher, first);
    exports.takeMasks(first.masksAt, first.masks);
  } else {
    exports.sealJob();
  }
  job.output.set(memory.view(places.frames, part.framesLength), part.framesAt);
}

function openPart(memory: KernelMemory, cipher: BlockCipher, job: OpenJob, part: FramePart): number {
  const { exports } = memory;
  const places = placePart(memory, part);
  memory.set(places.frames, job.frames.subarray(part.framesAt, part.framesAt + part.framesLength));
  startJob(memory, places, part, 0);
  let opened: number;
  if (typeof cipher === 'function') {
    const first = firstRun(memory, cipher);
    opened = exports.takeMasks(first.masksAt, first.masks);
    cryptText(memory, cipher, first);
  } else {
    opened = exports.openJob();
  }
  job.output.set(memory.view(places.plaintext, plaintextLengthOf(part, opened)), part.plaintextAt);
  return opened;
}

function startJob(
  memory: KernelMemory,
  { plaintext, frames }: PartPlaces,
  { frameLength, first, regular, finalLength, count }: FramePart,
  seal: 0 | 1,
): void {
  memory.useKeystream(memory.layout.chunk + (count + 8) * BLOCK);
  memory.exports.startJob(plaintext, frames, frameLength, first, regular, finalLength ?? -1, seal);
}

// The first run of blocks through the host's AES.
interface FirstRun {
  readonly masksAt: number;
  readonly masks: number;
  readonly textAt: number;
  readonly text: number;
}

// Encrypts in one call the zero block, which is the hash key, the counter blocks of all tags of the part and the first
// of its text.
function firstRun(memory: KernelMemory, encrypt: EncryptBlocks): FirstRun {
  const { exports, layout } = memory;
  const at = layout.keystream;
  const masksAt = at + BLOCK;
  memory.set(at, new Uint8Array(BLOCK));
  const masks = exports.nextMasks(masksAt, layout.maxFrames);
  const textAt = masksAt + masks * BLOCK;
  const text = exports.nextCounters(textAt, roomAt(memory, textAt));
  encryptAt(memory, encrypt, at, 1 + masks + text);
  exports.setHashKey(at);
  return { masksAt, masks, textAt, text };
}

// Exclusive-ors the keystream into all text that is to be sealed or has been found authentic.
function cryptText(memory: KernelMemory, encrypt: EncryptBlocks, { textAt, text }: FirstRun): void {
  const { exports } = memory;
  for (let count = text; count > 0; ) {
    exports.takeKeystream(textAt, count);
    count = exports.nextCounters(textAt, roomAt(memory, textAt));
    if (count > 0) encryptAt(memory, encrypt, textAt, count);
  }
}

// Blocks of keystream that fit from there on.
function roomAt(memory: KernelMemory, at: number): number {
  return (memory.layout.keystreamEnd - at) / BLOCK;
}

function encryptAt(memory: KernelMemory, encrypt: EncryptBlocks, at: number, count: number): void {
  memory.useKeystream(at + count * BLOCK - memory.layout.keystream);
  const encrypted = encrypt(memory.view(at, count * BLOCK));
  if (encrypted.length !== count * BLOCK) throw unreachable('AES has not answered block by block');
  memory.set(at, encrypted);
  encrypted.fill(0);
  giveBack(encrypted);
}

const BLOCK = 16;
