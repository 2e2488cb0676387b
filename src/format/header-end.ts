/**
 * Where a message header ends, found while its bytes come in.
 *
 * The fields and their order are those of `message-header.ts`. Lengths are followed, contents are skipped: what the
 * context and the encrypted data keys hold is the parser's business.
 */
import { dataView } from '../bytes.ts';
import { FramesealError } from '../errors.ts';
import { COMMIT_KEY_LENGTH, IV_LENGTH, suiteById, TAG_LENGTH } from '../suite/algorithm-suites.ts';
import { BASE64_STARTS, CONTENT_TYPES, TYPE_CUSTOMER_AE_DATA } from './message-header.ts';

/**
 * Finds where a message header ends. It goes on at the field where it stopped and reads no byte twice: time linear in
 * the header however it is cut into pieces, and no memory of its own that grows.
 */
export class HeaderEnd {
  readonly #maxLength: number;
  readonly #walk: Walk;
  /** Bytes that the next step needs, from the start of the message. */
  #needed: number;
  #found: number | undefined;

  /**
   * @param limits `maxEncryptedDataKeys`: what the parser will be given; `maxLength`: the longest header that is waited
   *   for, in bytes.
   */
  constructor(limits: { readonly maxEncryptedDataKeys: number; readonly maxLength: number }) {
    this.#maxLength = limits.maxLength;
    this.#walk = walk(limits.maxEncryptedDataKeys);
    this.#needed = this.#walk.next().value;
  }

  /**
   * @param bytes the message from its first byte; each call has at least the bytes of the one before.
   * @returns bytes of the header once all of it is there; `undefined` while it is not. At a field that no header can
   *   have it does not wait for the rest: then the bytes up to the end of that field, and `parseMessageHeader` says of
   *   them what is wrong, as it would of the whole message.
   * @throws FramesealError `LIMIT_EXCEEDED` as soon as a length field takes the header beyond `maxLength`.
   */
  find(bytes: Uint8Array): number | undefined {
    if (this.#found === undefined && bytes.length >= this.#needed) this.#advance(bytes);
    if (this.#needed > this.#maxLength) {
      throw new FramesealError(
        'LIMIT_EXCEEDED',
        `the header has more than ${this.#maxLength} bytes; maxHeaderLength is ${this.#maxLength}: raise it`,
      );
    }
    return this.#found;
  }

  #advance(bytes: Uint8Array): void {
    const view = dataView(bytes);
    while (bytes.length >= this.#needed) {
      const { done, value } = this.#walk.next(view);
      if (done) {
        this.#found = value;
        return;
      }
      this.#needed = value;
    }
  }
}

/** Asks for bytes up to an offset, is given a view that has them, and answers where the header ends. */
type Walk = Generator<number, number, DataView>;
type Step<T> = Generator<number, T, DataView>;

function* walk(maxEncryptedDataKeys: number): Walk {
  const cursor = new Cursor();
  let start = '';
  do start += String.fromCharCode(yield* cursor.number(1));
  while (BASE64_STARTS.some((text) => text !== start && text.startsWith(start)));
  const version = start.charCodeAt(0);
  if (version !== 1 && version !== 2) return cursor.at;
  if (version === 1 && (yield* cursor.number(1)) !== TYPE_CUSTOMER_AE_DATA) return cursor.at;
  const suite = suiteById(yield* cursor.number(2));
  if (suite?.messageVersion !== version) return cursor.at;
  yield* cursor.skip(suite.messageIdLength);
  yield* cursor.skip(yield* cursor.number(2));
  const count = yield* cursor.number(2);
  if (count === 0 || count > maxEncryptedDataKeys) return cursor.at;
  for (let field = 0; field < 3 * count; field++) yield* cursor.skip(yield* cursor.number(2));
  const contentType = yield* cursor.number(1);
  const framed = contentType === CONTENT_TYPES.framed;
  if (!framed && contentType !== CONTENT_TYPES['non-framed']) return cursor.at;
  if (version === 1 && (yield* cursor.number(4)) !== 0) return cursor.at;
  if (version === 1 && (yield* cursor.number(1)) !== IV_LENGTH) return cursor.at;
  const frameLength = yield* cursor.number(4);
  if (framed !== frameLength > 0) return cursor.at;
  yield* cursor.skip(suite.committing ? COMMIT_KEY_LENGTH : 0);
  yield* cursor.skip(version === 1 ? IV_LENGTH + TAG_LENGTH : TAG_LENGTH);
  return cursor.at;
}

class Cursor {
  /** Offset of the next field. */
  at = 0;

  *number(length: 1 | 2 | 4): Step<number> {
    const view = yield this.at + length;
    const at = this.at;
    this.at += length;
    return length === 1 ? view.getUint8(at) : length === 2 ? view.getUint16(at) : view.getUint32(at);
  }

  *skip(length: number): Step<void> {
    yield this.at + length;
    this.at += length;
  }
}
