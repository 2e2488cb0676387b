/**
 * Messages that arrive as base64 text (RFC 4648 section 4): told by their first characters, decoded as they stream.
 */
import { FramesealError } from '../errors.ts';

/** How base64 of a message begins: version 1, and the two suites of version 2. */
const STARTS = ['AY', 'AgR4', 'AgV4'];
const START_LENGTH = 4;

/** Whether these first bytes are those of a message's base64 text. No message in bytes begins like that. */
export function isBase64Message(start: Uint8Array): boolean {
  const text = Buffer.from(start.subarray(0, START_LENGTH)).toString('latin1');
  return STARTS.some((one) => text.startsWith(one));
}

/** A source whose first bytes have been looked at. `source` still gives all of them. */
export interface Peeked {
  /** The first bytes, four if there are so many. */
  readonly start: Uint8Array;
  readonly base64: boolean;
  readonly source: AsyncIterable<Uint8Array>;
}

/** Reads as much as tells base64 text of a message from bytes. */
export async function peek(source: AsyncIterable<Uint8Array>): Promise<Peeked> {
  const iterator = source[Symbol.asyncIterator]();
  let start: Uint8Array = new Uint8Array(0);
  while (start.length < START_LENGTH) {
    const { done, value } = await iterator.next();
    if (done) break;
    start = Buffer.concat([start, value]);
  }
  return {
    start: start.subarray(0, START_LENGTH),
    base64: isBase64Message(start),
    source: continued(start, iterator),
  };
}

/**
 * The bytes of base64 text, which spaces and line ends may interrupt anywhere.
 * @throws FramesealError `INVALID_MESSAGE` for any other character, misplaced padding or bits beyond the last byte;
 *   `TRUNCATED` when the text ends within a group of four.
 */
export async function* decodeBase64(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let open = '';
  let ended = false;
  for await (const chunk of source) {
    const text =
      open +
      Buffer.from(chunk)
        .toString('latin1')
        .replace(/[ \t\r\n]/g, '');
    const whole = text.length - (text.length % 4);
    open = text.slice(whole);
    if (ended && text.length > 0) throw invalid('something follows its end');
    if (whole === 0) continue;
    const group = text.slice(0, whole);
    ended = group.endsWith('=');
    yield decoded(group);
  }
  if (open !== '') {
    throw new FramesealError('TRUNCATED', 'the base64 text ends within a group of four characters');
  }
}

function decoded(text: string): Uint8Array {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text)) {
    throw invalid('it has a character that is not in the alphabet, or padding before its end');
  }
  const bytes = Buffer.from(text, 'base64');
  const last = text.slice(-4);
  if (Buffer.from(last, 'base64').toString('base64') !== last)
    throw invalid('it ends in bits that are no byte');
  return bytes;
}

function invalid(why: string): FramesealError {
  return new FramesealError('INVALID_MESSAGE', `the base64 text is malformed: ${why}`);
}

async function* continued(start: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    if (start.length > 0) yield start;
    for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}
