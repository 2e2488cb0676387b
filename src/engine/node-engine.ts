/**
 * Frames by `node:crypto`: one cipher object for a frame, no streams, everything written into one output buffer.
 *
 * A raw key costs nothing to make but more to use; a KeyObject the reverse. So the first frame is sealed under the
 * raw key, the others under a KeyObject. Node 24 is slow with raw keys, so there the first frame has one too.
 */
import type { KeyObject } from 'node:crypto';
import { type Bytes, copy } from '../bytes.ts';
import { nodeMajorVersion } from '../crypto/node-builtin.ts';
import { aesGcmName } from '../crypto/node-crypto.ts';
import { unreachable } from '../errors.ts';
import { BodyAad } from '../format/message-body-aad.ts';
import { IV_LENGTH, TAG_LENGTH } from '../suite/algorithm-suites.ts';
import type { FrameCipher, FrameEngine, OpenJob, SealJob } from './engine.ts';
import { type FramePlace, frameCount, framePlace, writeFrameHeader } from './frame-layout.ts';
import { giveBack } from './give-back.ts';

type NodeCrypto = typeof import('node:crypto');

const OPTIONS = { authTagLength: TAG_LENGTH };

/** The engine over this module. */
export function createNodeEngine(node: NodeCrypto): FrameEngine {
  const rawKeyIsSlow = nodeMajorVersion() >= 24;
  return {
    name: 'node',
    cipher: (key, messageId) => new NodeFrameCipher(node, key, messageId, rawKeyIsSlow),
  };
}

class NodeFrameCipher implements FrameCipher {
  readonly #node: NodeCrypto;
  readonly #name: ReturnType<typeof aesGcmName>;
  readonly #rawKey: Bytes;
  readonly #aad: BodyAad;
  readonly #finalAad: BodyAad;
  #keyObject: KeyObject | undefined;
  #used: boolean;
  #disposed = false;

  constructor(node: NodeCrypto, key: Uint8Array, messageId: Uint8Array, rawKeyIsSlow: boolean) {
    this.#node = node;
    this.#name = aesGcmName(key.length);
    this.#rawKey = copy(key);
    this.#aad = new BodyAad(messageId, 'frame');
    this.#finalAad = new BodyAad(messageId, 'final-frame');
    this.#used = rawKeyIsSlow;
  }

  seal(job: SealJob): void {
    for (let i = 0; i < frameCount(job); i++) {
      const place = framePlace(job, i);
      writeFrameHeader(job.output, place);
      this.#sealFrame(job, place);
    }
  }

  open(job: OpenJob): number {
    let opened = 0;
    while (opened < frameCount(job) && this.#openFrame(job, framePlace(job, opened))) opened++;
    return opened;
  }

  dispose(): void {
    this.#disposed = true;
    this.#rawKey.fill(0);
    this.#keyObject = undefined;
  }

  #sealFrame(
    job: SealJob,
    { ivAt, ciphertextAt, plaintextAt, length, final, sequenceNumber }: FramePlace,
  ): void {
    const iv = job.output.subarray(ivAt, ivAt + IV_LENGTH);
    const cipher = this.#node.createCipheriv(this.#name, this.#key(), iv, OPTIONS);
    cipher.setAAD((final ? this.#finalAad : this.#aad).at(sequenceNumber, length));
    const ciphertext = cipher.update(job.plaintext.subarray(plaintextAt, plaintextAt + length));
    job.output.set(ciphertext, ciphertextAt);
    giveBack(ciphertext);
    cipher.final();
    job.output.set(cipher.getAuthTag(), ciphertextAt + length);
  }

  #openFrame(
    job: OpenJob,
    { ivAt, ciphertextAt, plaintextAt, length, final, sequenceNumber }: FramePlace,
  ): boolean {
    const iv = job.frames.subarray(ivAt, ivAt + IV_LENGTH);
    const tagAt = ciphertextAt + length;
    const decipher = this.#node.createDecipheriv(this.#name, this.#key(), iv, OPTIONS);
    decipher.setAAD((final ? this.#finalAad : this.#aad).at(sequenceNumber, length));
    decipher.setAuthTag(job.frames.subarray(tagAt, tagAt + TAG_LENGTH));
    const plaintext = decipher.update(job.frames.subarray(ciphertextAt, tagAt));
    try {
      decipher.final();
    } catch {
      plaintext.fill(0);
      return false;
    }
    job.output.set(plaintext, plaintextAt);
    giveBack(plaintext);
    return true;
  }

  #key(): KeyObject | Bytes {
    if (this.#disposed) throw unreachable('a frame was asked of a cipher that has been disposed');
    if (!this.#used) {
      this.#used = true;
      return this.#rawKey;
    }
    this.#keyObject ??= this.#node.createSecretKey(this.#rawKey);
    return this.#keyObject;
  }
}
