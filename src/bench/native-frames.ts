/**
 * Frames without this library: what anyone writes with the AES-GCM of the platform, one call for each frame. These are the
 * baselines that need no package. They do all of an engine's work: from a raw key, as every message has a key of its own,
 * to the bytes of all frames in one buffer.
 */
import type { KeyObject } from 'node:crypto';
import type { MaybePromise } from '../crypto/crypto.ts';
import { nodeBuiltinCrypto } from '../crypto/node-builtin.ts';
import { aesGcmName } from '../crypto/node-crypto.ts';
import { gcm, source } from '../crypto/webcrypto.ts';
import type { OpenJob, SealJob } from '../engine/engine.ts';
import { type FramePlace, frameCount, framePlace, writeFrameHeader } from '../engine/frame-layout.ts';
import { BodyAad } from '../format/message-body-aad.ts';
import { IV_LENGTH, TAG_LENGTH } from '../suite/algorithm-suites.ts';

type NodeCrypto = typeof import('node:crypto');

/** Someone who seals and opens the frames of a job. */
export interface FrameWorker {
  readonly name: string;
  seal(key: Uint8Array, messageId: Uint8Array, job: SealJob): MaybePromise<void>;
  /** Throws unless all frames are authentic. */
  open(key: Uint8Array, messageId: Uint8Array, job: OpenJob): MaybePromise<void>;
}

/** The frames of one message, under a key as the platform has it. */
interface Frames<Key> {
  readonly key: Key;
  readonly name: ReturnType<typeof aesGcmName>;
  readonly aadOf: (place: FramePlace) => Uint8Array;
}

/** All frames of a job are in flight at once; only of more frames than this, for memory's sake, the next ones wait. */
const IN_FLIGHT = 4096;
const OPTIONS = { authTagLength: TAG_LENGTH };

/** Those of this runtime: by `node:crypto` where it can be reached, by WebCrypto where it is offered. */
export function nativeFrameWorkers(): readonly FrameWorker[] {
  const node = nodeBuiltinCrypto();
  const workers = node === undefined ? [] : [nodeFrameWorker(node)];
  return globalThis.crypto?.subtle === undefined ? workers : [...workers, subtleFrameWorker];
}

/** One key object for all frames, one cipher for each. */
function nodeFrameWorker(node: NodeCrypto): FrameWorker {
  return {
    name: 'node:crypto per frame',
    seal(key, messageId, job) {
      const frames = framesOf(node.createSecretKey(key), key, messageId);
      for (let i = 0; i < frameCount(job); i++) sealByNode(node, frames, job, framePlace(job, i));
    },
    open(key, messageId, job) {
      const frames = framesOf(node.createSecretKey(key), key, messageId);
      for (let i = 0; i < frameCount(job); i++) openByNode(node, frames, job, framePlace(job, i));
    },
  };
}

function sealByNode(node: NodeCrypto, frames: Frames<KeyObject>, job: SealJob, place: FramePlace): void {
  const { ivAt, plaintextAt, ciphertextAt, length } = place;
  writeFrameHeader(job.output, place);
  const iv = job.output.subarray(ivAt, ivAt + IV_LENGTH);
  const cipher = node.createCipheriv(frames.name, frames.key, iv, OPTIONS);
  cipher.setAAD(frames.aadOf(place));
  job.output.set(cipher.update(job.plaintext.subarray(plaintextAt, plaintextAt + length)), ciphertextAt);
  cipher.final();
  job.output.set(cipher.getAuthTag(), ciphertextAt + length);
}

function openByNode(node: NodeCrypto, frames: Frames<KeyObject>, job: OpenJob, place: FramePlace): void {
  const { ivAt, plaintextAt, ciphertextAt, length } = place;
  const tagAt = ciphertextAt + length;
  const iv = job.frames.subarray(ivAt, ivAt + IV_LENGTH);
  const decipher = node.createDecipheriv(frames.name, frames.key, iv, OPTIONS);
  decipher.setAAD(frames.aadOf(place));
  decipher.setAuthTag(job.frames.subarray(tagAt, tagAt + TAG_LENGTH));
  job.output.set(decipher.update(job.frames.subarray(ciphertextAt, tagAt)), plaintextAt);
  decipher.final();
}

/** One imported key for all frames, one call for each, all of them in flight. */
const subtleFrameWorker: FrameWorker = {
  name: 'subtle per frame',
  async seal(key, messageId, job) {
    const frames = framesOf(await importKey(key, 'encrypt'), key, messageId);
    await inFlight(job, (place) => sealBySubtle(frames, job, place));
  },
  async open(key, messageId, job) {
    const frames = framesOf(await importKey(key, 'decrypt'), key, messageId);
    await inFlight(job, (place) => openBySubtle(frames, job, place));
  },
};

async function sealBySubtle(frames: Frames<CryptoKey>, job: SealJob, place: FramePlace): Promise<void> {
  const { ivAt, plaintextAt, ciphertextAt, length } = place;
  writeFrameHeader(job.output, place);
  const iv = job.output.subarray(ivAt, ivAt + IV_LENGTH);
  const plaintext = source(job.plaintext.subarray(plaintextAt, plaintextAt + length));
  const parameters = gcm(iv, frames.aadOf(place).slice());
  job.output.set(
    new Uint8Array(await crypto.subtle.encrypt(parameters, frames.key, plaintext)),
    ciphertextAt,
  );
}

async function openBySubtle(frames: Frames<CryptoKey>, job: OpenJob, place: FramePlace): Promise<void> {
  const { ivAt, plaintextAt, ciphertextAt, length } = place;
  const iv = job.frames.subarray(ivAt, ivAt + IV_LENGTH);
  const sealed = source(job.frames.subarray(ciphertextAt, ciphertextAt + length + TAG_LENGTH));
  const parameters = gcm(iv, frames.aadOf(place).slice());
  job.output.set(new Uint8Array(await crypto.subtle.decrypt(parameters, frames.key, sealed)), plaintextAt);
}

async function inFlight(job: SealJob | OpenJob, work: (place: FramePlace) => Promise<void>): Promise<void> {
  for (let from = 0; from < frameCount(job); from += IN_FLIGHT) {
    const length = Math.min(IN_FLIGHT, frameCount(job) - from);
    await Promise.all(Array.from({ length }, (_, i) => work(framePlace(job, from + i))));
  }
}

function importKey(key: Uint8Array, usage: 'encrypt' | 'decrypt'): Promise<CryptoKey> {
  return crypto.subtle.importKey('raw', source(key), 'AES-GCM', false, [usage]);
}

function framesOf<Key>(key: Key, { length }: Uint8Array, messageId: Uint8Array): Frames<Key> {
  const regular = new BodyAad(messageId, 'frame');
  const last = new BodyAad(messageId, 'final-frame');
  const aadOf = (place: FramePlace) => (place.final ? last : regular).at(place.sequenceNumber, place.length);
  return { key, name: aesGcmName(length), aadOf };
}
