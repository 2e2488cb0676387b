/**
 * GHASH: NIST SP 800-38D section 6.4, by look-ups in registers alone.
 *
 * A block is the polynomial whose coefficient of x^0 is the first bit of its first byte. Its product with the hash key
 * is a sum over its bytes: byte i contributes x^(8i) times (that byte times H), and a byte times H is two look-ups of
 * its nibbles in tables of 16 entries. The table for output byte m serves all 16 input bytes at once, as one swizzle;
 * the sums for m = 15 .. 0 are joined by Horner's rule in x^8 and reduced once. Four blocks share that last step: they
 * are multiplied by H^4, H^3, H^2 and H.
 *
 * Tables are loaded whole, from fixed addresses; data selects only lanes of a register.
 */
import { lookUp } from './look-up';
import { STATE, TABLES } from './memory';

/** Powers of the hash key that have tables. */
const POWERS = 4;
/** Bytes of the tables of one power: for each output byte one of the high nibbles and one of the low. */
const POWER: usize = 512;

const MULTIPLES: usize = STATE; // H, xH .. x^7 H, bytes reversed
const REVERSE = i8x16(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
const PRODUCT: usize = STATE + 128;
const PADDED: usize = STATE + 144;

/** Makes the tables of the hash key at `key`, 16 bytes, and of its powers. */
export function setHashKey(key: usize): void {
  v128.store(PRODUCT, v128.load(key));
  makeTables(PRODUCT, TABLES);
  for (let power = 1; power < POWERS; power++) {
    v128.store(PRODUCT, multiply(v128.load(PRODUCT)));
    makeTables(PRODUCT, TABLES + <usize>power * POWER);
  }
  memory.fill(MULTIPLES, 0, 144);
}

/** Takes whole blocks into the state at `state`: Y becomes (Y + X1) H^n + ... + Xn H. */
export function update(state: usize, data: usize, blocks: i32): void {
  let y = v128.load(state);
  for (; blocks >= 4; blocks -= 4) {
    y = multiply4(
      v128.xor(y, v128.load(data)),
      v128.load(data, 16),
      v128.load(data, 32),
      v128.load(data, 48),
    );
    data += 64;
  }
  for (; blocks > 0; blocks--) {
    y = multiply(v128.xor(y, v128.load(data)));
    data += 16;
  }
  v128.store(state, y);
}

/** Takes `length` bytes into the state, the last block padded with zeros: section 7.1, step 5. */
export function updatePadded(state: usize, data: usize, length: usize): void {
  const whole = length >> 4;
  update(state, data, <i32>whole);
  const rest = length & 15;
  if (rest === 0) return;
  v128.store(PADDED, i64x2.splat(0));
  memory.copy(PADDED, data + (whole << 4), rest);
  update(state, PADDED, 1);
  v128.store(PADDED, i64x2.splat(0));
}

/** Takes the lengths of additional data and ciphertext, in bytes: the last block. */
export function updateLengths(state: usize, aad: u64, text: u64): void {
  store<u64>(PADDED, bswap<u64>(aad << 3));
  store<u64>(PADDED, bswap<u64>(text << 3), 8);
  update(state, PADDED, 1);
}

// The tables of the power at `key`. Entry n of a table is one byte of n times the power, where the nibble's highest bit
// stands for the lowest coefficient.
function makeTables(key: usize, tables: usize): void {
  let multiple = i8x16.swizzle(v128.load(key), REVERSE);
  v128.store(MULTIPLES, multiple);
  for (let at = MULTIPLES + 16; at < MULTIPLES + 128; at += 16) {
    multiple = timesX(multiple);
    v128.store(at, multiple);
  }
  for (let m = 0; m < 16; m++, tables += 32) {
    v128.store(tables, tableOf(MULTIPLES + 15 - m));
    v128.store(tables, tableOf(MULTIPLES + 79 - m), 16);
  }
}

// Byte m of all sums of four multiples.
function tableOf(multiple: usize): v128 {
  const eight = v128.and(
    v128.load_splat<u8>(multiple),
    i8x16(0, 0, 0, 0, 0, 0, 0, 0, -1, -1, -1, -1, -1, -1, -1, -1),
  );
  const four = v128.and(
    v128.load_splat<u8>(multiple, 16),
    i8x16(0, 0, 0, 0, -1, -1, -1, -1, 0, 0, 0, 0, -1, -1, -1, -1),
  );
  const two = v128.and(
    v128.load_splat<u8>(multiple, 32),
    i8x16(0, 0, -1, -1, 0, 0, -1, -1, 0, 0, -1, -1, 0, 0, -1, -1),
  );
  const one = v128.and(
    v128.load_splat<u8>(multiple, 48),
    i8x16(0, -1, 0, -1, 0, -1, 0, -1, 0, -1, 0, -1, 0, -1, 0, -1),
  );
  return v128.xor(v128.xor(eight, four), v128.xor(two, one));
}

// x times a block whose bytes are reversed, so that it is a number of 128 bits: every bit one place down; x^128 is
// 1 + x + x^2 + x^7 (section 6.3), the byte e1.
function timesX(block: v128): v128 {
  const carried = i64x2.shl(v128.shuffle<u64>(block, i64x2.splat(0), 1, 2), 63);
  const over = i32x4.shr_s(i32x4.shl(v128.shuffle<u32>(block, block, 0, 0, 0, 0), 31), 31);
  const reduction = v128.and(over, i32x4(0, 0, 0, 0xe1000000));
  return v128.xor(v128.xor(i64x2.shr_u(block, 1), carried), reduction);
}

// x^8 times the bytes of `high` alone, with the last byte of `low` before them.
function oneByteOn(low: v128, high: v128): v128 {
  return v128.shuffle<u8>(low, high, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30);
}

// The block times H.
function multiply(block: v128): v128 {
  const nibble = i8x16.splat(15);
  const h = i8x16.shr_u(block, 4);
  const l = v128.and(block, nibble);
  let low = i64x2.splat(0);
  let high = i64x2.splat(0);
  let table = TABLES + 480;
  // A loop that ends with its test: out of others V8 moves no constant work.
  do {
    high = oneByteOn(low, high);
    low = oneByteOn(i64x2.splat(0), low);
    low = v128.xor(low, v128.xor(lookUp(v128.load(table), h), lookUp(v128.load(table, 16), l)));
    table -= 32;
  } while (table >= TABLES);
  return reduce(low, high);
}

// a H^4 + b H^3 + c H^2 + d H.
function multiply4(a: v128, b: v128, c: v128, d: v128): v128 {
  const nibble = i8x16.splat(15);
  const ah = i8x16.shr_u(a, 4);
  const al = v128.and(a, nibble);
  const bh = i8x16.shr_u(b, 4);
  const bl = v128.and(b, nibble);
  const ch = i8x16.shr_u(c, 4);
  const cl = v128.and(c, nibble);
  const dh = i8x16.shr_u(d, 4);
  const dl = v128.and(d, nibble);
  let low = i64x2.splat(0);
  let high = i64x2.splat(0);
  let table = TABLES + 480;
  do {
    high = oneByteOn(low, high);
    low = oneByteOn(i64x2.splat(0), low);
    const ab = v128.xor(
      v128.xor(lookUp(v128.load(table, 1536), ah), lookUp(v128.load(table, 1552), al)),
      v128.xor(lookUp(v128.load(table, 1024), bh), lookUp(v128.load(table, 1040), bl)),
    );
    // Nobody reads it. But it keeps compilers from loading all eight tables first, which takes every register that there
    // is and makes `low` and `high` wait for memory (V8: a third of the speed).
    v128.store(PRODUCT, ab);
    const cd = v128.xor(
      v128.xor(lookUp(v128.load(table, 512), ch), lookUp(v128.load(table, 528), cl)),
      v128.xor(lookUp(v128.load(table), dh), lookUp(v128.load(table, 16), dl)),
    );
    low = v128.xor(low, v128.xor(ab, cd));
    table -= 32;
  } while (table >= TABLES);
  return reduce(low, high);
}

// The sum of low and x^128 high. The last byte of high is 0, so one pass is enough.
function reduce(low: v128, high: v128): v128 {
  const within = v128.xor(v128.xor(i8x16.shr_u(high, 1), i8x16.shr_u(high, 2)), i8x16.shr_u(high, 7));
  const beyond = v128.xor(v128.xor(i8x16.shl(high, 7), i8x16.shl(high, 6)), i8x16.shl(high, 1));
  return v128.xor(v128.xor(low, high), v128.xor(within, oneByteOn(i64x2.splat(0), beyond)));
}
