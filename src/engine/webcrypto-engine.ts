/**
 * Frames by WebCrypto: one call for a frame, all of a job in flight. A job is bounded, so they are, and platforms that have
 * more than one thread for it use them.
 */
import { copy } from '../bytes.ts';
import { gcm, importAesKey, isNamed, source } from '../crypto/webcrypto.ts';
import { unreachable } from '../errors.ts';
import { BodyAad } from '../format/message-body-aad.ts';
import { IV_LENGTH, TAG_LENGTH } from '../suite/algorithm-suites.ts';
import type { FrameCipher, FrameEngine, OpenJob, SealJob } from './engine.ts';
import { type FramePlace, frameCount, framePlace, writeFrameHeader } from './frame-layout.ts';

/** The engine over `globalThis.crypto.subtle`. */
export const webcryptoEngine: FrameEngine = {
  name: 'webcrypto',
  cipher: (key, messageId) => new WebCryptoFrameCipher(key, messageId),
};

class WebCryptoFrameCipher implements FrameCipher {
  readonly #rawKey: Uint8Array;
  readonly #aad: BodyAad;
  readonly #finalAad: BodyAad;
  #keys: { encrypt?: Promise<CryptoKey>; decrypt?: Promise<CryptoKey> } = {};
  #disposed = false;

  constructor(key: Uint8Array, messageId: Uint8Array) {
    this.#rawKey = copy(key);
    this.#aad = new BodyAad(messageId, 'frame');
    this.#finalAad = new BodyAad(messageId, 'final-frame');
  }

  async seal(job: SealJob): Promise<void> {
    const key = await this.#key('encrypt');
    const places = placesOf(job);
    const aads = this.#aadsOf(places);
    await Promise.all(places.map((place, i) => this.#sealFrame(key, job, place, aads[i]!)));
  }

  // A frame is written as soon as it is authentic, while others are in flight, and wiped if one before it is not. All are
  // awaited, whatever becomes of one: none writes after the caller has gone on. Nothing stays where one fails otherwise.
  async open(job: OpenJob): Promise<number> {
    const key = await this.#key('decrypt');
    const places = placesOf(job);
    const aads = this.#aadsOf(places);
    const opening = places.map((place, i) => this.#openFrame(key, job, place, aads[i]!));
    const outcomes = await Promise.allSettled(opening);
    const wrong = outcomes.findIndex((outcome) => outcome.status === 'rejected' || !outcome.value);
    if (wrong < 0) return places.length;
    const failure = outcomes.find((outcome) => outcome.status === 'rejected');
    job.output.fill(0, failure ? 0 : places[wrong]!.plaintextAt);
    if (failure) throw failure.reason;
    return wrong;
  }

  dispose(): void {
    this.#disposed = true;
    this.#rawKey.fill(0);
    this.#keys = {};
  }

  async #sealFrame(key: CryptoKey, job: SealJob, place: FramePlace, aad: Uint8Array): Promise<void> {
    writeFrameHeader(job.output, place);
    const iv = job.output.subarray(place.ivAt, place.ivAt + IV_LENGTH);
    const plaintext = source(job.plaintext.subarray(place.plaintextAt, place.plaintextAt + place.length));
    const sealed = await crypto.subtle.encrypt(gcm(iv, aad), key, plaintext);
    job.output.set(new Uint8Array(sealed), place.ciphertextAt);
  }

  // Whether it is authentic.
  async #openFrame(key: CryptoKey, job: OpenJob, place: FramePlace, aad: Uint8Array): Promise<boolean> {
    const iv = job.frames.subarray(place.ivAt, place.ivAt + IV_LENGTH);
    const sealed = source(
      job.frames.subarray(place.ciphertextAt, place.ciphertextAt + place.length + TAG_LENGTH),
    );
    try {
      const plaintext = new Uint8Array(await crypto.subtle.decrypt(gcm(iv, aad), key, sealed));
      job.output.set(plaintext, place.plaintextAt);
      plaintext.fill(0);
      return true;
    } catch (error) {
      if (isNamed(error, 'OperationError')) return false;
      throw error;
    }
  }

  // In one buffer: many small ones cost the platform more than their bytes.
  #aadsOf(places: readonly FramePlace[]): Uint8Array[] {
    const stride = this.#finalAad.length; // the longer kind
    const all = new Uint8Array(places.length * stride);
    return places.map(({ final, sequenceNumber, length }, i) => {
      const aad = (final ? this.#finalAad : this.#aad).at(sequenceNumber, length);
      all.set(aad, i * stride);
      return all.subarray(i * stride, i * stride + aad.length);
    });
  }

  #key(usage: 'encrypt' | 'decrypt'): Promise<CryptoKey> {
    if (this.#disposed) throw unreachable('a frame was asked of a cipher that has been disposed');
    this.#keys[usage] ??= importAesKey(this.#rawKey, usage);
    return this.#keys[usage];
  }
}

function placesOf(job: SealJob | OpenJob): FramePlace[] {
  return Array.from({ length: frameCount(job) }, (_, i) => framePlace(job, i));
}
