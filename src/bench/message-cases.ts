/**
 * Whole messages under a raw AES-256 key, in one shot and streamed. Beside long ones stand their frames alone, by one call
 * of the platform for each: no header, no key to wrap, nothing but the body.
 */
import { type Bytes, concat } from '../bytes.ts';
import { jobSealedLength } from '../engine/frame-layout.ts';
import {
  decrypt,
  decryptStream,
  type EncryptOptions,
  encrypt,
  encryptStream,
  type Keyring,
  type MessageStream,
  rawAesKeyring,
} from '../index.ts';
import type { BenchCase } from './bench-case.ts';
import { engineWorker } from './engine-cases.ts';
import { mustAgree, type Scale, sizeText, testBytes } from './inputs.ts';
import { type FrameWorker, nativeFrameWorkers } from './native-frames.ts';
import type { Candidates } from './rounds.ts';

/** A message to be measured. */
export interface MessagePlace {
  readonly verb: 'encrypt' | 'decrypt';
  /** Of plaintext. */
  readonly bytes: number;
  readonly frameLength: number;
  /** `0x0578` is signed. */
  readonly suite: '0x0478' | '0x0578';
  readonly streamed: 'one-shot' | 'streamed';
}

const MIB = 2 ** 20;
/** Plaintext bytes of a long message. */
const LONG = 16 * MIB;
/** Bytes of a chunk that a stream is given. */
const CHUNK = 65_536;
const SUITES = ['0x0478', '0x0578'] as const;

/** @param longest plaintext bytes of the longest messages of `full`. */
export function messagePlaces(scale: Scale, longest: number = LONG): readonly MessagePlace[] {
  const small = grid([16, 1024, 10 * 1024, MIB], [4096], SUITES, 'one-shot');
  if (scale === 'quick') {
    return [
      ...small,
      ...grid([LONG], [4096, 65_536], ['0x0478'], 'one-shot'),
      ...grid([LONG], [65_536], ['0x0478'], 'streamed'),
    ];
  }
  return [
    ...small,
    ...grid([LONG], [256, 1024, 4096, 16_384, 65_536, 262_144, MIB], ['0x0478'], 'one-shot'),
    ...grid([LONG], [4096, 65_536], ['0x0578'], 'one-shot'),
    ...grid([MIB], [4096], SUITES, 'streamed'),
    ...grid([LONG], [4096, 65_536, MIB], ['0x0478'], 'streamed'),
    ...grid([LONG], [65_536], ['0x0578'], 'streamed'),
    ...(longest > LONG ? grid([longest], [4096, 65_536], SUITES, 'one-shot') : []),
    ...(longest > LONG ? grid([longest], [65_536], SUITES, 'streamed') : []),
  ];
}

/** A case for each of these messages. */
export function messageCases(places: readonly MessagePlace[]): readonly BenchCase[] {
  return places.map((place) => {
    const { verb, bytes, frameLength, suite, streamed } = place;
    return {
      group: streamed === 'streamed' ? 'streams' : 'messages',
      name: `${verb} ${sizeText(bytes)}, ${suite}, frames of ${sizeText(frameLength)}`,
      parameters: { verb, bytes, frameLength, suite, streamed },
      bytes,
      messages: 1,
      prepare: () => prepare(place),
    };
  });
}

async function prepare(place: MessagePlace): Promise<Candidates> {
  const message = await messageOf(place);
  return place.streamed === 'streamed' ? streamedOf(place, message) : oneShotOf(place, message);
}

/** A message and all that made it. */
interface Message {
  readonly plaintext: Bytes;
  readonly ciphertext: Bytes;
  readonly options: EncryptOptions;
  readonly keyring: Keyring;
}

async function messageOf({ bytes, suite, frameLength }: MessagePlace): Promise<Message> {
  const plaintext = testBytes(bytes);
  const wrappingKey = testBytes(32, 6);
  const keyring = rawAesKeyring({ keyNamespace: 'bench', keyName: 'aes-256', wrappingKey });
  const encryptionContext = { purpose: 'bench', tenant: 'acme' };
  const options = { keyring, encryptionContext, algorithmSuite: Number(suite), frameLength };
  const { ciphertext } = await encrypt(plaintext, options);
  const opened = await decrypt(ciphertext, { keyring });
  mustAgree('decrypt', opened.plaintext, 'the plaintext', plaintext);
  return { plaintext, ciphertext, options, keyring };
}

async function oneShotOf(place: MessagePlace, message: Message): Promise<Candidates> {
  const { plaintext, ciphertext, options, keyring } = message;
  const ours =
    place.verb === 'encrypt' ? () => encrypt(plaintext, options) : () => decrypt(ciphertext, { keyring });
  return { frameseal: ours, ...(isBody(place) && (await framesAlone(place, plaintext))) };
}

// Whether frames are nearly all of the work, and so a fair baseline; which shorter ones than 4 KiB would keep busy too long.
function isBody({ bytes, frameLength, suite }: MessagePlace): boolean {
  return bytes >= MIB && frameLength >= 4096 && suite === '0x0478';
}

// What is written in pieces is read in one shot, and the reverse.
async function streamedOf({ verb }: MessagePlace, message: Message): Promise<Candidates> {
  const { plaintext, ciphertext, options, keyring } = message;
  const written = concat(...(await through(plaintext, encryptStream(options))));
  const { plaintext: opened } = await decrypt(written, { keyring });
  mustAgree('encryptStream', opened, 'the plaintext', plaintext);
  const read = concat(...(await through(ciphertext, decryptStream({ keyring }))));
  mustAgree('decryptStream', read, 'the plaintext', plaintext);
  const ours =
    verb === 'encrypt'
      ? () => through(plaintext, encryptStream(options))
      : () => through(ciphertext, decryptStream({ keyring }));
  return { frameseal: ours };
}

/** The body of such a message by everyone without this library; each must write what our engines write. */
async function framesAlone(
  { verb, bytes, frameLength }: MessagePlace,
  plaintext: Bytes,
): Promise<Candidates> {
  const regular = Math.ceil(bytes / frameLength) - 1;
  const shape = { frameLength, first: 1, regular, finalLength: bytes - regular * frameLength };
  const [key, messageId] = [testBytes(32, 2), testBytes(32, 3)];
  const seal = async (worker: FrameWorker) => {
    const output = new Uint8Array(jobSealedLength(shape));
    await worker.seal(key, messageId, { ...shape, plaintext, output });
    return output;
  };
  const open = async (worker: FrameWorker) => {
    const output = new Uint8Array(bytes);
    await worker.open(key, messageId, { ...shape, frames, output });
    return output;
  };
  const frames = await seal(engineWorker('auto'));
  const candidates: Record<string, () => unknown> = {};
  for (const worker of nativeFrameWorkers()) {
    mustAgree(worker.name, await seal(worker), 'frameseal', frames);
    mustAgree(worker.name, await open(worker), 'the plaintext', plaintext);
    candidates[worker.name] = () => (verb === 'encrypt' ? seal(worker) : open(worker));
  }
  return candidates;
}

/** Writes the bytes in chunks, and reads all pieces that come. */
async function through<Result>(bytes: Uint8Array, stream: MessageStream<Result>): Promise<readonly Bytes[]> {
  const [, pieces] = await Promise.all([write(bytes, stream.writable), read(stream.readable)]);
  return pieces;
}

async function write(bytes: Uint8Array, writable: WritableStream<ArrayBufferView>): Promise<void> {
  const writer = writable.getWriter();
  for (let at = 0; at < bytes.length; at += CHUNK) await writer.write(bytes.subarray(at, at + CHUNK));
  await writer.close();
}

async function read(readable: ReadableStream<Bytes>): Promise<readonly Bytes[]> {
  const reader = readable.getReader();
  const pieces: Bytes[] = [];
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return pieces;
    pieces.push(value);
  }
}

function grid(
  lengths: readonly number[],
  frameLengths: readonly number[],
  suites: readonly MessagePlace['suite'][],
  streamed: MessagePlace['streamed'],
): readonly MessagePlace[] {
  return lengths.flatMap((bytes) =>
    frameLengths.flatMap((frameLength) =>
      suites.flatMap((suite) =>
        (['encrypt', 'decrypt'] as const).map((verb) => ({ verb, bytes, frameLength, suite, streamed })),
      ),
    ),
  );
}
