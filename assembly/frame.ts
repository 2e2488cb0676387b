/**
 * Frames of the message format, many in one call: AWS Encryption SDK specification, `data-format/message-body.md` and
 * `data-format/message-body-aad.md`.
 *
 * ```
 * regular frame:            sequence number 4 | IV 12 |                    ciphertext, frame length | tag 16
 * final frame:   ffffffff | sequence number 4 | IV 12 | content length 4 | ciphertext, that length  | tag 16
 * AAD: message id 16 or 32 | content string 28 or 34 | sequence number 4 | plaintext length 8
 * ```
 * The keystream of all frames is one run of counter blocks, first those of the tags, then those of the text, frame after
 * frame, so that no lane of AES is idle at any frame length: blocks of eight may belong to several frames. It is made in
 * chunks by two cursors over the same run, one that writes counter blocks and one that takes keystream; between them AES
 * is the kernel's, or the host's.
 */
import { encryptBlocks } from './aes';
import { CHUNK, tagsEqual, writeCounter, xorInto } from './gcm';
import * as ghash from './ghash';
import { ARGUMENTS, KEYSTREAM, STATE } from './memory';

/** Frames of a job: the counter blocks of their tags and a chunk of those of the text fit into the keystream buffer. */
export const MAX_FRAMES: i32 = 1024;

const OVERHEAD: usize = 32;
const FINAL_MARKER: u32 = 0xffffffff;

// Where the host puts the message id.
const MESSAGE_ID: usize = ARGUMENTS + 32;

// Of the keystream, behind the zero block.
const MASKS: usize = KEYSTREAM + 16;

const TAG: usize = STATE + 0x200;
const AAD: usize = STATE + 0x210; // 80 bytes, padded
const FINAL_AAD: usize = STATE + 0x270; // 96 bytes, padded
const PREFIX: usize = STATE + 0x2e0; // GHASH of the whole blocks of AAD that all regular frames share

// The content strings. Message id and string are the part of the AAD that is the same in every frame.
const FRAME = memory.data<u8>([
  0x41, 0x57, 0x53, 0x4b, 0x4d, 0x53, 0x45, 0x6e, 0x63, 0x72, 0x79, 0x70, 0x74, 0x69, 0x6f, 0x6e, 0x43, 0x6c,
  0x69, 0x65, 0x6e, 0x74, 0x20, 0x46, 0x72, 0x61, 0x6d, 0x65,
]);
const FINAL_FRAME = memory.data<u8>([
  0x41, 0x57, 0x53, 0x4b, 0x4d, 0x53, 0x45, 0x6e, 0x63, 0x72, 0x79, 0x70, 0x74, 0x69, 0x6f, 0x6e, 0x43, 0x6c,
  0x69, 0x65, 0x6e, 0x74, 0x20, 0x46, 0x69, 0x6e, 0x61, 0x6c, 0x20, 0x46, 0x72, 0x61, 0x6d, 0x65,
]);
const FRAME_STRING: usize = 28;
const FINAL_FRAME_STRING: usize = 34;

let idLength: usize = 0;

// The job: frames of `frameLength` bytes, `regular` of them, then perhaps a final one.
let plaintextAt: usize = 0;
let framesAt: usize = 0;
let frameLength: usize = 0;
let firstNumber: u32 = 0;
let regular: u32 = 0;
let frames: u32 = 0;
let finalLength: usize = 0;
let sealing: bool = false;

// The cursors: a frame and a block of it.
let counterFrame: u32 = 0;
let counterBlock: usize = 0;
let textFrame: u32 = 0;
let textBlock: usize = 0;
let maskFrame: u32 = 0;

/** Begins a message: its id, 32 bytes into the arguments, has this length. */
export function setMessageId(length: usize): void {
  idLength = length;
  memory.fill(AAD, 0, 0xd0);
  memory.copy(AAD, MESSAGE_ID, length);
  memory.copy(AAD + length, FRAME, FRAME_STRING);
  memory.copy(FINAL_AAD, MESSAGE_ID, length);
  memory.copy(FINAL_AAD + length, FINAL_FRAME, FINAL_FRAME_STRING);
}

/** Sets the hash key of the message that has begun: its zero block, encrypted. With the kernel's AES a job does so. */
export function setHashKey(key: usize): void {
  ghash.setHashKey(key);
  v128.store(PREFIX, i64x2.splat(0));
  ghash.update(PREFIX, AAD, sharedBlocks());
}

/**
 * Begins a job. `last` is the final frame's plaintext length, or -1 when it is not in the job. Frames count up from
 * sequence number `first`, which is authenticated. When sealing, their headers are written; when opening, only the IVs
 * are read: the rest of a header is the caller's to check.
 */
export function startJob(
  plaintext: usize,
  sealed: usize,
  length: usize,
  first: u32,
  count: u32,
  last: i32,
  seal: bool,
): void {
  plaintextAt = plaintext;
  framesAt = sealed;
  frameLength = length;
  firstNumber = first;
  regular = count;
  frames = count + <u32>(last >= 0);
  finalLength = last >= 0 ? <usize>last : 0;
  sealing = seal;
  counterFrame = textFrame = maskFrame = 0;
  counterBlock = textBlock = 0;
  if (seal) for (let frame: u32 = 0; frame < frames; frame++) writeHeader(frame, first + frame);
}

/** Seals the whole job with the kernel's AES. */
export function sealJob(): void {
  const masks = nextMasks(MASKS, MAX_FRAMES);
  const text = MASKS + ((<usize>masks) << 4);
  cryptText(text, encryptFirst(masks, text));
  takeMasks(MASKS, masks);
}

/** Opens the whole job with the kernel's AES. Returns how many frames are authentic: only their plaintext is written. */
export function openJob(): i32 {
  const masks = nextMasks(MASKS, MAX_FRAMES);
  const text = MASKS + ((<usize>masks) << 4);
  const count = encryptFirst(masks, text);
  const opened = takeMasks(MASKS, masks);
  cryptText(text, count);
  return opened;
}

/** Writes the next counter blocks of plaintext to `at`, at most `room` blocks. Returns how many. */
export function nextCounters(at: usize, room: i32): i32 {
  let block = at;
  const end = at + ((<usize>room) << 4);
  while (counterFrame < frames && block < end) {
    const iv = ivAt(counterFrame);
    const blocks = (lengthOf(counterFrame) + 15) >> 4;
    for (; counterBlock < blocks && block < end; counterBlock++, block += 16) {
      writeCounter(block, iv, <u32>counterBlock + 2);
    }
    if (counterBlock < blocks) break;
    counterFrame++;
    counterBlock = 0;
  }
  return <i32>((block - at) >> 4);
}

/** Exclusive-ors the next `count` blocks of keystream, which lie at `at`, into the text. */
export function takeKeystream(at: usize, count: i32): void {
  let block = at;
  const end = at + ((<usize>count) << 4);
  while (textFrame < frames && block < end) {
    const length = lengthOf(textFrame);
    const from = textBlock << 4;
    const taken = min<usize>(length - from, end - block);
    const text = textAt(textFrame) + from;
    const plain = plaintextAt + <usize>textFrame * frameLength + from;
    if (sealing) xorInto(text, plain, block, taken);
    else xorInto(plain, text, block, taken);
    block += (taken + 15) & ~15;
    textBlock += (taken + 15) >> 4;
    if (textBlock << 4 < length) break;
    textFrame++;
    textBlock = 0;
  }
}

/** Writes the counter blocks of the next tags to `at`, at most `room`. Returns how many. */
export function nextMasks(at: usize, room: i32): i32 {
  const count = min<u32>(<u32>room, frames - maskFrame);
  for (let i: u32 = 0; i < count; i++) writeCounter(at + ((<usize>i) << 4), ivAt(maskFrame + i), 1);
  return <i32>count;
}

/**
 * Makes the next `count` tags, or checks them, with their encrypted counter blocks at `at`. Returns how many; when
 * opening, the job ends before the first frame whose tag is wrong.
 */
export function takeMasks(at: usize, count: i32): i32 {
  for (let i = 0; i < count; i++) {
    const tag = textAt(maskFrame) + lengthOf(maskFrame);
    hashFrame(maskFrame);
    v128.store(TAG, v128.xor(v128.load(TAG), v128.load(at + ((<usize>i) << 4))));
    if (sealing) {
      v128.store(tag, v128.load(TAG));
    } else if (!tagsEqual(TAG, tag)) {
      frames = maskFrame;
      return i;
    }
    maskFrame++;
  }
  return count;
}

// Encrypts in one run the zero block, which is the hash key, the counter blocks of the tags and the first of the text: of
// those, returns how many.
function encryptFirst(masks: i32, text: usize): i32 {
  const count = nextCounters(text, CHUNK);
  memory.fill(KEYSTREAM, 0, 16);
  encryptBlocks(KEYSTREAM, 1 + masks + count);
  setHashKey(KEYSTREAM);
  return count;
}

// Exclusive-ors the keystream into the whole text; the first `count` blocks of it are there.
function cryptText(at: usize, count: i32): void {
  while (count > 0) {
    takeKeystream(at, count);
    count = nextCounters(at, CHUNK);
    encryptBlocks(at, count);
  }
}

// GHASH of one frame's AAD, ciphertext and lengths, into TAG.
function hashFrame(frame: u32): void {
  const final = frame === regular;
  const length = lengthOf(frame);
  const aad = final ? FINAL_AAD : AAD;
  const variable = aad + idLength + (final ? FINAL_FRAME_STRING : FRAME_STRING);
  store<u32>(variable, bswap<u32>(firstNumber + frame));
  store<u64>(variable, bswap<u64>(length), 4);
  const aadLength = variable + 12 - aad;
  // Both are padded with zeros where they lie.
  const aadBlocks = <i32>((aadLength + 15) >> 4);
  if (final) {
    v128.store(TAG, i64x2.splat(0));
    ghash.update(TAG, aad, aadBlocks);
  } else {
    const shared = sharedBlocks();
    v128.store(TAG, v128.load(PREFIX));
    ghash.update(TAG, aad + ((<usize>shared) << 4), aadBlocks - shared);
  }
  ghash.updatePadded(TAG, textAt(frame), length);
  ghash.updateLengths(TAG, aadLength, length);
}

function sharedBlocks(): i32 {
  return <i32>((idLength + FRAME_STRING) >> 4);
}

function writeHeader(frame: u32, sequenceNumber: u32): void {
  let at = frameAt(frame);
  const final = frame === regular;
  if (final) {
    store<u32>(at, FINAL_MARKER);
    at += 4;
  }
  store<u32>(at, bswap<u32>(sequenceNumber));
  store<u64>(at, 0, 4);
  store<u32>(at, bswap<u32>(sequenceNumber), 12);
  if (final) store<u32>(at, bswap<u32>(<u32>finalLength), 16);
}

function frameAt(frame: u32): usize {
  return framesAt + <usize>frame * (frameLength + OVERHEAD);
}

function ivAt(frame: u32): usize {
  return frameAt(frame) + (frame === regular ? 8 : 4);
}

function textAt(frame: u32): usize {
  return frameAt(frame) + (frame === regular ? 24 : 16);
}

function lengthOf(frame: u32): usize {
  return frame === regular ? finalLength : frameLength;
}
