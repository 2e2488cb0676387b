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
    await Promise.all(placesOf(job).map((place) => this.#sealFrame(key, job, place)));
  }

  async open(job: OpenJob): Promise<number> {
    const key = await this.#key('decrypt');
    const places = placesOf(job);
    const plaintexts = await Promise.all(places.map((place) => this.#openFrame(key, job, place)));
    const wrong = plaintexts.indexOf(undefined);
    const opened = wrong < 0 ? places.length : wrong;
    for (const unused of plaintexts.slice(opened)) unused?.fill(0);
    for (let i = 0; i < opened; i++) job.output.set(plaintexts[i]!, places[i]!.plaintextAt);
    return opened;
  }

  dispose(): void {
    this.#disposed = true;
    this.#rawKey.fill(0);
    this.#keys = {};
  }

  async #sealFrame(key: CryptoKey, job: SealJob, place: FramePlace): Promise<void> {
    writeFrameHeader(job.output, place);
    const iv = job.output.slice(place.ivAt, place.ivAt + IV_LENGTH);
    const plaintext = source(job.plaintext.subarray(place.plaintextAt, place.plaintextAt + place.length));
    const sealed = await crypto.subtle.encrypt(gcm(iv, this.#aadOf(place)), key, plaintext);
    job.output.set(new Uint8Array(sealed), place.ciphertextAt);
  }

  async #openFrame(key: CryptoKey, job: OpenJob, place: FramePlace): Promise<Uint8Array | undefined> {
    const iv = job.frames.slice(place.ivAt, place.ivAt + IV_LENGTH);
    const sealed = source(
      job.frames.subarray(place.ciphertextAt, place.ciphertextAt + place.length + TAG_LENGTH),
    );
    try {
      return new Uint8Array(await crypto.subtle.decrypt(gcm(iv, this.#aadOf(place)), key, sealed));
    } catch (error) {
      if (isNamed(error, 'OperationError')) return undefined;
      throw error;
    }
  }

  #aadOf({ final, sequenceNumber, length }: FramePlace): Uint8Array {
    return (final ? this.#finalAad : this.#aad).at(sequenceNumber, length).slice();
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
