/**
 * AES-GCM: NIST SP 800-38D section 7, with a 12-byte IV and a 16-byte tag, for one message in memory.
 *
 * The order of work is the same for one message and for many frames (frame.ts): keystream is exclusive-ored in, and
 * tags are made or checked, in two passes; opening checks first and writes plaintext only then.
 */
import { encryptBlocks } from './aes';
import * as ghash from './ghash';
import { KEYSTREAM, KEYSTREAM_CHUNK, STATE } from './memory';

/** Blocks of keystream made at a time. */
export const CHUNK: i32 = <i32>(KEYSTREAM_CHUNK >> 4);

const TAG: usize = STATE + 0x110;

// The head of the keystream: the hash key, the mask of the tag, and the first of the text's.
const HASH_KEY: usize = KEYSTREAM;
const MASK: usize = KEYSTREAM + 16;
const TEXT_KEYSTREAM: usize = KEYSTREAM + 32;

/** Writes the counter block of an IV: section 7.1, step 2. */
export function writeCounter(block: usize, iv: usize, counter: u32): void {
  store<u64>(block, load<u64>(iv));
  store<u32>(block, load<u32>(iv, 8), 8);
  store<u32>(block, bswap<u32>(counter), 12);
}

/** Seals in place, under the key of `aes.setKey`: `data` becomes ciphertext, `tag` receives 16 bytes. */
export function seal(iv: usize, aad: usize, aadLength: usize, data: usize, length: usize, tag: usize): void {
  crypt(iv, data, length, encryptFirst(iv, length));
  makeTag(aad, aadLength, data, length);
  v128.store(tag, v128.load(TAG));
}

/** Opens in place. Returns 1 when the tag is right; 0, with nothing written, when it is not. */
export function open(iv: usize, aad: usize, aadLength: usize, data: usize, length: usize, tag: usize): i32 {
  const blocks = encryptFirst(iv, length);
  makeTag(aad, aadLength, data, length);
  const right = tagsEqual(TAG, tag);
  if (right) crypt(iv, data, length, blocks);
  return right;
}

/** 1 when two tags are equal, in a time that does not depend on where they differ. */
export function tagsEqual(a: usize, b: usize): i32 {
  return <i32>!v128.any_true(v128.xor(v128.load(a), v128.load(b)));
}

// All that AES does at first, in one run: the zero block, which is the hash key, the tag's counter block and the first of
// the text's. Returns how many are the text's.
function encryptFirst(iv: usize, length: usize): usize {
  const blocks = blocksAtOnce(length);
  memory.fill(HASH_KEY, 0, 16);
  writeCounters(MASK, iv, 1, blocks + 1);
  encryptBlocks(KEYSTREAM, <i32>blocks + 2);
  ghash.setHashKey(HASH_KEY);
  return blocks;
}

function makeTag(aad: usize, aadLength: usize, data: usize, length: usize): void {
  v128.store(TAG, i64x2.splat(0));
  ghash.updatePadded(TAG, aad, aadLength);
  ghash.updatePadded(TAG, data, length);
  ghash.updateLengths(TAG, aadLength, length);
  v128.store(TAG, v128.xor(v128.load(TAG), v128.load(MASK)));
}

// Exclusive-ors the keystream into the text; the first `blocks` of it are there.
function crypt(iv: usize, data: usize, length: usize, blocks: usize): void {
  let counter: u32 = 2;
  while (length > 0) {
    const taken = min<usize>(length, blocks << 4);
    xorInto(data, data, TEXT_KEYSTREAM, taken);
    data += taken;
    length -= taken;
    counter += <u32>blocks;
    blocks = blocksAtOnce(length);
    writeCounters(TEXT_KEYSTREAM, iv, counter, blocks);
    encryptBlocks(TEXT_KEYSTREAM, <i32>blocks);
  }
}

function blocksAtOnce(length: usize): usize {
  return min<usize>(<usize>CHUNK, (length + 15) >> 4);
}

function writeCounters(at: usize, iv: usize, first: u32, count: usize): void {
  for (let i: usize = 0; i < count; i++) writeCounter(at + (i << 4), iv, first + <u32>i);
}

/** output = input + keystream, for `length` bytes. */
export function xorInto(output: usize, input: usize, keystream: usize, length: usize): void {
  const whole = length & ~15;
  for (let i: usize = 0; i < whole; i += 16) {
    v128.store(output + i, v128.xor(v128.load(input + i), v128.load(keystream + i)));
  }
  for (let i = whole; i < length; i++) store<u8>(output + i, load<u8>(input + i) ^ load<u8>(keystream + i));
}
