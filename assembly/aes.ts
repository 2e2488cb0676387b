/**
 * AES-128, AES-192 and AES-256, encryption only: FIPS 197.
 *
 * Bit-sliced: eight blocks at a time, as eight planes. Bit k of byte p of plane b is bit b of byte p of block k, so that
 * one instruction works on all 128 bytes, and no look-up and no branch depends on a secret. Bytes of a block are kept
 * row by row (position 4 * row + column), so that MixColumns rotates words.
 */
import { ROUND_KEYS, SCHEDULE } from './memory';

/** Bytes of one round key as planes. */
const PLANES: usize = 128;

// Between FIPS 197's order of bytes (columns first) and rows first; its own inverse.
const TRANSPOSE = i8x16(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
// FIPS 197 section 5.1.2: row r turns left by r.
const SHIFT_ROWS = i8x16(0, 1, 2, 3, 5, 6, 7, 4, 10, 11, 8, 9, 15, 12, 13, 14);

/** The S-box, section 5.1.1, for the key expansion. */
const SBOX: usize = memory.data<u8>([
  0x63, 0x7c, 0x77, 0x7b, 0xf2, 0x6b, 0x6f, 0xc5, 0x30, 0x01, 0x67, 0x2b, 0xfe, 0xd7, 0xab, 0x76, 0xca, 0x82,
  0xc9, 0x7d, 0xfa, 0x59, 0x47, 0xf0, 0xad, 0xd4, 0xa2, 0xaf, 0x9c, 0xa4, 0x72, 0xc0, 0xb7, 0xfd, 0x93, 0x26,
  0x36, 0x3f, 0xf7, 0xcc, 0x34, 0xa5, 0xe5, 0xf1, 0x71, 0xd8, 0x31, 0x15, 0x04, 0xc7, 0x23, 0xc3, 0x18, 0x96,
  0x05, 0x9a, 0x07, 0x12, 0x80, 0xe2, 0xeb, 0x27, 0xb2, 0x75, 0x09, 0x83, 0x2c, 0x1a, 0x1b, 0x6e, 0x5a, 0xa0,
  0x52, 0x3b, 0xd6, 0xb3, 0x29, 0xe3, 0x2f, 0x84, 0x53, 0xd1, 0x00, 0xed, 0x20, 0xfc, 0xb1, 0x5b, 0x6a, 0xcb,
  0xbe, 0x39, 0x4a, 0x4c, 0x58, 0xcf, 0xd0, 0xef, 0xaa, 0xfb, 0x43, 0x4d, 0x33, 0x85, 0x45, 0xf9, 0x02, 0x7f,
  0x50, 0x3c, 0x9f, 0xa8, 0x51, 0xa3, 0x40, 0x8f, 0x92, 0x9d, 0x38, 0xf5, 0xbc, 0xb6, 0xda, 0x21, 0x10, 0xff,
  0xf3, 0xd2, 0xcd, 0x0c, 0x13, 0xec, 0x5f, 0x97, 0x44, 0x17, 0xc4, 0xa7, 0x7e, 0x3d, 0x64, 0x5d, 0x19, 0x73,
  0x60, 0x81, 0x4f, 0xdc, 0x22, 0x2a, 0x90, 0x88, 0x46, 0xee, 0xb8, 0x14, 0xde, 0x5e, 0x0b, 0xdb, 0xe0, 0x32,
  0x3a, 0x0a, 0x49, 0x06, 0x24, 0x5c, 0xc2, 0xd3, 0xac, 0x62, 0x91, 0x95, 0xe4, 0x79, 0xe7, 0xc8, 0x37, 0x6d,
  0x8d, 0xd5, 0x4e, 0xa9, 0x6c, 0x56, 0xf4, 0xea, 0x65, 0x7a, 0xae, 0x08, 0xba, 0x78, 0x25, 0x2e, 0x1c, 0xa6,
  0xb4, 0xc6, 0xe8, 0xdd, 0x74, 0x1f, 0x4b, 0xbd, 0x8b, 0x8a, 0x70, 0x3e, 0xb5, 0x66, 0x48, 0x03, 0xf6, 0x0e,
  0x61, 0x35, 0x57, 0xb9, 0x86, 0xc1, 0x1d, 0x9e, 0xe1, 0xf8, 0x98, 0x11, 0x69, 0xd9, 0x8e, 0x94, 0x9b, 0x1e,
  0x87, 0xe9, 0xce, 0x55, 0x28, 0xdf, 0x8c, 0xa1, 0x89, 0x0d, 0xbf, 0xe6, 0x42, 0x68, 0x41, 0x99, 0x2d, 0x0f,
  0xb0, 0x54, 0xbb, 0x16,
]);

let rounds: i32 = 0;

/** Expands a key of 16, 24 or 32 bytes: FIPS 197 section 5.2. */
export function setKey(key: usize, length: i32): void {
  const words = length >> 2;
  rounds = words + 6;
  memory.copy(SCHEDULE, key, length);
  const total = (rounds + 1) << 2;
  let constant: u32 = 1;
  for (let i = words; i < total; i++) {
    let word = load<u32>(SCHEDULE + ((i - 1) << 2));
    const place = i % words;
    if (place === 0) {
      word = subWord(rotr<u32>(word, 8)) ^ constant;
      constant = (constant << 1) ^ (<u32>-(constant >> 7) & 0x11b);
    } else if (words > 6 && place === 4) {
      word = subWord(word);
    }
    store<u32>(SCHEDULE + (i << 2), load<u32>(SCHEDULE + ((i - words) << 2)) ^ word);
  }
  for (let round = 0; round <= rounds; round++) {
    spread(SCHEDULE + (round << 4), ROUND_KEYS + <usize>round * PLANES, round === 0 ? 0 : 0x63);
  }
  memory.fill(SCHEDULE, 0, 240);
}

/** Encrypts `count` blocks in place, eight at a time; `blocks` must have room for a multiple of eight. */
export function encryptBlocks(blocks: usize, count: i32): void {
  for (let i = 0; i < count; i += 8) encrypt8(blocks + (i << 4), ROUND_KEYS, rounds);
}

// SubWord, section 5.2: every row of the S-box is looked into, and the one that the upper nibble names answers. A swizzle
// gives 0 for an index that is not within the row.
function subWord(word: u32): u32 {
  const bytes = i32x4.splat(<i32>word);
  let result = i64x2.splat(0);
  for (let row: usize = 0; row < 256; row += 16) {
    const index = v128.xor(bytes, i8x16.splat(<i8>row));
    result = v128.or(result, i8x16.swizzle(v128.load(SBOX + row), index));
  }
  return <u32>i32x4.extract_lane(result, 0);
}

// A round key as planes, each bit for all eight blocks. The circuit below leaves out the four inversions of the S-box,
// which are an exclusive-or with 0x63 of every byte: MixColumns and ShiftRows keep it, so it goes into the round key.
function spread(key: usize, planes: usize, constant: u8): void {
  const bytes = v128.xor(i8x16.swizzle(v128.load(key), TRANSPOSE), i8x16.splat(<i8>constant));
  let bit = i8x16.splat(1);
  for (let plane = planes; plane < planes + PLANES; plane += 16) {
    v128.store(plane, i8x16.eq(v128.and(bytes, bit), bit));
    bit = i8x16.add(bit, bit);
  }
}

// Encrypts eight blocks in place.
function encrypt8(blocks: usize, keys: usize, last: i32): void {
  let q0 = i8x16.swizzle(v128.load(blocks), TRANSPOSE);
  let q1 = i8x16.swizzle(v128.load(blocks, 16), TRANSPOSE);
  let q2 = i8x16.swizzle(v128.load(blocks, 32), TRANSPOSE);
  let q3 = i8x16.swizzle(v128.load(blocks, 48), TRANSPOSE);
  let q4 = i8x16.swizzle(v128.load(blocks, 64), TRANSPOSE);
  let q5 = i8x16.swizzle(v128.load(blocks, 80), TRANSPOSE);
  let q6 = i8x16.swizzle(v128.load(blocks, 96), TRANSPOSE);
  let q7 = i8x16.swizzle(v128.load(blocks, 112), TRANSPOSE);
  const m1 = i8x16.splat(0x55);
  const m2 = i8x16.splat(0x33);
  const m4 = i8x16.splat(0x0f);
  let d: v128;
  // Blocks to planes: an 8 x 8 transposition of bits in every byte position.
  d = v128.and(v128.xor(i16x8.shr_u(q0, 1), q1), m1);
  q1 = v128.xor(q1, d);
  q0 = v128.xor(q0, i16x8.shl(d, 1));
  d = v128.and(v128.xor(i16x8.shr_u(q2, 1), q3), m1);
  q3 = v128.xor(q3, d);
  q2 = v128.xor(q2, i16x8.shl(d, 1));
  d = v128.and(v128.xor(i16x8.shr_u(q4, 1), q5), m1);
  q5 = v128.xor(q5, d);
  q4 = v128.xor(q4, i16x8.shl(d, 1));
  d = v128.and(v128.xor(i16x8.shr_u(q6, 1), q7), m1);
  q7 = v128.xor(q7, d);
  q6 = v128.xor(q6, i16x8.shl(d, 1));
  d = v128.and(v128.xor(i16x8.shr_u(q0, 2), q2), m2);
  q2 = v128.xor(q2, d);
  q0 = v128.xor(q0, i16x8.shl(d, 2));
  d = v128.and(v128.xor(i16x8.shr_u(q1, 2), q3), m2);
  q3 = v128.xor(q3, d);
  q1 = v128.xor(q1, i16x8.shl(d, 2));
  d = v128.and(v128.xor(i16x8.shr_u(q4, 2), q6), m2);
  q6 = v128.xor(q6, d);
  q4 = v128.xor(q4, i16x8.shl(d, 2));
  d = v128.and(v128.xor(i16x8.shr_u(q5, 2), q7), m2);
  q7 = v128.xor(q7, d);
  q5 = v128.xor(q5, i16x8.shl(d, 2));
  d = v128.and(v128.xor(i16x8.shr_u(q0, 4), q4), m4);
  q4 = v128.xor(q4, d);
  q0 = v128.xor(q0, i16x8.shl(d, 4));
  d = v128.and(v128.xor(i16x8.shr_u(q1, 4), q5), m4);
  q5 = v128.xor(q5, d);
  q1 = v128.xor(q1, i16x8.shl(d, 4));
  d = v128.and(v128.xor(i16x8.shr_u(q2, 4), q6), m4);
  q6 = v128.xor(q6, d);
  q2 = v128.xor(q2, i16x8.shl(d, 4));
  d = v128.and(v128.xor(i16x8.shr_u(q3, 4), q7), m4);
  q7 = v128.xor(q7, d);
  q3 = v128.xor(q3, i16x8.shl(d, 4));
  q0 = v128.xor(q0, v128.load(keys));
  q1 = v128.xor(q1, v128.load(keys, 16));
  q2 = v128.xor(q2, v128.load(keys, 32));
  q3 = v128.xor(q3, v128.load(keys, 48));
  q4 = v128.xor(q4, v128.load(keys, 64));
  q5 = v128.xor(q5, v128.load(keys, 80));
  q6 = v128.xor(q6, v128.load(keys, 96));
  q7 = v128.xor(q7, v128.load(keys, 112));
  const shift = SHIFT_ROWS;
  for (let round = 1; ; round++) {
    keys += PLANES;
    // SubBytes: the circuit of Boyar and Peralta, "A depth-16 circuit for the AES S-box" (2011), 113 gates without
    // its four inversions; x0 and s0 are the most significant bits. First the linear layer above.
    const y14 = v128.xor(q4, q2);
    const y13 = v128.xor(q7, q1);
    const y9 = v128.xor(q7, q4);
    const y8 = v128.xor(q7, q2);
    const t0 = v128.xor(q6, q5);
    const y1 = v128.xor(t0, q0);
    const y4 = v128.xor(y1, q4);
    const y12 = v128.xor(y13, y14);
    const y2 = v128.xor(y1, q7);
    const y5 = v128.xor(y1, q1);
    const y3 = v128.xor(y5, y8);
    const t1 = v128.xor(q3, y12);
    const y15 = v128.xor(t1, q2);
    const y20 = v128.xor(t1, q6);
    const y6 = v128.xor(y15, q0);
    const y10 = v128.xor(y15, t0);
    const y11 = v128.xor(y20, y9);
    const y7 = v128.xor(q0, y11);
    const y17 = v128.xor(y10, y11);
    const y19 = v128.xor(y10, y8);
    const y16 = v128.xor(t0, y11);
    const y21 = v128.xor(y13, y16);
    const y18 = v128.xor(q7, y16);
    // The inversion in GF(2^8).
    const t2 = v128.and(y12, y15);
    const t3 = v128.and(y3, y6);
    const t4 = v128.xor(t3, t2);
    const t5 = v128.and(y4, q0);
    const t6 = v128.xor(t5, t2);
    const t7 = v128.and(y13, y16);
    const t8 = v128.and(y5, y1);
    const t9 = v128.xor(t8, t7);
    const t10 = v128.and(y2, y7);
    const t11 = v128.xor(t10, t7);
    const t12 = v128.and(y9, y11);
    const t13 = v128.and(y14, y17);
    const t14 = v128.xor(t13, t12);
    const t15 = v128.and(y8, y10);
    const t16 = v128.xor(t15, t12);
    const t17 = v128.xor(t4, t14);
    const t18 = v128.xor(t6, t16);
    const t19 = v128.xor(t9, t14);
    const t20 = v128.xor(t11, t16);
    const t21 = v128.xor(t17, y20);
    const t22 = v128.xor(t18, y19);
    const t23 = v128.xor(t19, y21);
    const t24 = v128.xor(t20, y18);
    const t25 = v128.xor(t21, t22);
    const t26 = v128.and(t21, t23);
    const t27 = v128.xor(t24, t26);
    const t28 = v128.and(t25, t27);
    const t29 = v128.xor(t28, t22);
    const t30 = v128.xor(t23, t24);
    const t31 = v128.xor(t22, t26);
    const t32 = v128.and(t31, t30);
    const t33 = v128.xor(t32, t24);
    const t34 = v128.xor(t23, t33);
    const t35 = v128.xor(t27, t33);
    const t36 = v128.and(t24, t35);
    const t37 = v128.xor(t36, t34);
    const t38 = v128.xor(t27, t36);
    const t39 = v128.and(t29, t38);
    const t40 = v128.xor(t25, t39);
    const t41 = v128.xor(t40, t37);
    const t42 = v128.xor(t29, t33);
    const t43 = v128.xor(t29, t40);
    const t44 = v128.xor(t33, t37);
    const t45 = v128.xor(t42, t41);
    const z0 = v128.and(t44, y15);
    const z1 = v128.and(t37, y6);
    const z2 = v128.and(t33, q0);
    const z3 = v128.and(t43, y16);
    const z4 = v128.and(t40, y1);
    const z5 = v128.and(t29, y7);
    const z6 = v128.and(t42, y11);
    const z7 = v128.and(t45, y17);
    const z8 = v128.and(t41, y10);
    const z9 = v128.and(t44, y12);
    const z10 = v128.and(t37, y3);
    const z11 = v128.and(t33, y4);
    const z12 = v128.and(t43, y13);
    const z13 = v128.and(t40, y5);
    const z14 = v128.and(t29, y2);
    const z15 = v128.and(t42, y9);
    const z16 = v128.and(t45, y14);
    const z17 = v128.and(t41, y8);
    // The linear layer below.
    const t46 = v128.xor(z15, z16);
    const t47 = v128.xor(z10, z11);
    const t48 = v128.xor(z5, z13);
    const t49 = v128.xor(z9, z10);
    const t50 = v128.xor(z2, z12);
    const t51 = v128.xor(z2, z5);
    const t52 = v128.xor(z7, z8);
    const t53 = v128.xor(z0, z3);
    const t54 = v128.xor(z6, z7);
    const t55 = v128.xor(z16, z17);
    const t56 = v128.xor(z12, t48);
    const t57 = v128.xor(t50, t53);
    const t58 = v128.xor(z4, t46);
    const t59 = v128.xor(z3, t54);
    const t60 = v128.xor(t46, t57);
    const t61 = v128.xor(z14, t57);
    const t62 = v128.xor(t52, t58);
    const t63 = v128.xor(t49, t58);
    const t64 = v128.xor(z4, t59);
    const t65 = v128.xor(t61, t62);
    const t66 = v128.xor(z1, t63);
    const s0 = v128.xor(t59, t63);
    const s6 = v128.xor(t56, t62);
    const s7 = v128.xor(t48, t60);
    const t67 = v128.xor(t64, t65);
    const s3 = v128.xor(t53, t66);
    const s4 = v128.xor(t51, t66);
    const s5 = v128.xor(t47, t65);
    const s1 = v128.xor(t64, s3);
    const s2 = v128.xor(t55, t67);
    // FIPS 197 section 5.1.2, ShiftRows.
    q0 = i8x16.swizzle(s7, shift);
    q1 = i8x16.swizzle(s6, shift);
    q2 = i8x16.swizzle(s5, shift);
    q3 = i8x16.swizzle(s4, shift);
    q4 = i8x16.swizzle(s3, shift);
    q5 = i8x16.swizzle(s2, shift);
    q6 = i8x16.swizzle(s1, shift);
    q7 = i8x16.swizzle(s0, shift);
    if (round === last) break;
    // MixColumns, section 5.1.3, and AddRoundKey: with r the next row and t = a + r, a becomes 2t + r + t two rows on.
    const r0 = v128.shuffle<i32>(q0, q0, 1, 2, 3, 0);
    const r1 = v128.shuffle<i32>(q1, q1, 1, 2, 3, 0);
    const r2 = v128.shuffle<i32>(q2, q2, 1, 2, 3, 0);
    const r3 = v128.shuffle<i32>(q3, q3, 1, 2, 3, 0);
    const r4 = v128.shuffle<i32>(q4, q4, 1, 2, 3, 0);
    const r5 = v128.shuffle<i32>(q5, q5, 1, 2, 3, 0);
    const r6 = v128.shuffle<i32>(q6, q6, 1, 2, 3, 0);
    const r7 = v128.shuffle<i32>(q7, q7, 1, 2, 3, 0);
    const u0 = v128.xor(q0, r0);
    const u1 = v128.xor(q1, r1);
    const u2 = v128.xor(q2, r2);
    const u3 = v128.xor(q3, r3);
    const u4 = v128.xor(q4, r4);
    const u5 = v128.xor(q5, r5);
    const u6 = v128.xor(q6, r6);
    const u7 = v128.xor(q7, r7);
    q0 = v128.xor(v128.xor(v128.xor(r0, v128.shuffle<i32>(u0, u0, 2, 3, 0, 1)), u7), v128.load(keys, 0));
    q1 = v128.xor(v128.xor(v128.xor(r1, v128.shuffle<i32>(u1, u1, 2, 3, 0, 1)), u0), v128.load(keys, 16));
    q2 = v128.xor(v128.xor(v128.xor(r2, v128.shuffle<i32>(u2, u2, 2, 3, 0, 1)), u1), v128.load(keys, 32));
    q3 = v128.xor(v128.xor(v128.xor(r3, v128.shuffle<i32>(u3, u3, 2, 3, 0, 1)), u2), v128.load(keys, 48));
    q4 = v128.xor(v128.xor(v128.xor(r4, v128.shuffle<i32>(u4, u4, 2, 3, 0, 1)), u3), v128.load(keys, 64));
    q5 = v128.xor(v128.xor(v128.xor(r5, v128.shuffle<i32>(u5, u5, 2, 3, 0, 1)), u4), v128.load(keys, 80));
    q6 = v128.xor(v128.xor(v128.xor(r6, v128.shuffle<i32>(u6, u6, 2, 3, 0, 1)), u5), v128.load(keys, 96));
    q7 = v128.xor(v128.xor(v128.xor(r7, v128.shuffle<i32>(u7, u7, 2, 3, 0, 1)), u6), v128.load(keys, 112));
    q1 = v128.xor(q1, u7);
    q3 = v128.xor(q3, u7);
    q4 = v128.xor(q4, u7);
  }
  q0 = v128.xor(q0, v128.load(keys));
  q1 = v128.xor(q1, v128.load(keys, 16));
  q2 = v128.xor(q2, v128.load(keys, 32));
  q3 = v128.xor(q3, v128.load(keys, 48));
  q4 = v128.xor(q4, v128.load(keys, 64));
  q5 = v128.xor(q5, v128.load(keys, 80));
  q6 = v128.xor(q6, v128.load(keys, 96));
  q7 = v128.xor(q7, v128.load(keys, 112));
  // Planes to blocks: the same transposition.
  d = v128.and(v128.xor(i16x8.shr_u(q0, 1), q1), m1);
  q1 = v128.xor(q1, d);
  q0 = v128.xor(q0, i16x8.shl(d, 1));
  d = v128.and(v128.xor(i16x8.shr_u(q2, 1), q3), m1);
  q3 = v128.xor(q3, d);
  q2 = v128.xor(q2, i16x8.shl(d, 1));
  d = v128.and(v128.xor(i16x8.shr_u(q4, 1), q5), m1);
  q5 = v128.xor(q5, d);
  q4 = v128.xor(q4, i16x8.shl(d, 1));
  d = v128.and(v128.xor(i16x8.shr_u(q6, 1), q7), m1);
  q7 = v128.xor(q7, d);
  q6 = v128.xor(q6, i16x8.shl(d, 1));
  d = v128.and(v128.xor(i16x8.shr_u(q0, 2), q2), m2);
  q2 = v128.xor(q2, d);
  q0 = v128.xor(q0, i16x8.shl(d, 2));
  d = v128.and(v128.xor(i16x8.shr_u(q1, 2), q3), m2);
  q3 = v128.xor(q3, d);
  q1 = v128.xor(q1, i16x8.shl(d, 2));
  d = v128.and(v128.xor(i16x8.shr_u(q4, 2), q6), m2);
  q6 = v128.xor(q6, d);
  q4 = v128.xor(q4, i16x8.shl(d, 2));
  d = v128.and(v128.xor(i16x8.shr_u(q5, 2), q7), m2);
  q7 = v128.xor(q7, d);
  q5 = v128.xor(q5, i16x8.shl(d, 2));
  d = v128.and(v128.xor(i16x8.shr_u(q0, 4), q4), m4);
  q4 = v128.xor(q4, d);
  q0 = v128.xor(q0, i16x8.shl(d, 4));
  d = v128.and(v128.xor(i16x8.shr_u(q1, 4), q5), m4);
  q5 = v128.xor(q5, d);
  q1 = v128.xor(q1, i16x8.shl(d, 4));
  d = v128.and(v128.xor(i16x8.shr_u(q2, 4), q6), m4);
  q6 = v128.xor(q6, d);
  q2 = v128.xor(q2, i16x8.shl(d, 4));
  d = v128.and(v128.xor(i16x8.shr_u(q3, 4), q7), m4);
  q7 = v128.xor(q7, d);
  q3 = v128.xor(q3, i16x8.shl(d, 4));
  v128.store(blocks, i8x16.swizzle(q0, TRANSPOSE));
  v128.store(blocks, i8x16.swizzle(q1, TRANSPOSE), 16);
  v128.store(blocks, i8x16.swizzle(q2, TRANSPOSE), 32);
  v128.store(blocks, i8x16.swizzle(q3, TRANSPOSE), 48);
  v128.store(blocks, i8x16.swizzle(q4, TRANSPOSE), 64);
  v128.store(blocks, i8x16.swizzle(q5, TRANSPOSE), 80);
  v128.store(blocks, i8x16.swizzle(q6, TRANSPOSE), 96);
  v128.store(blocks, i8x16.swizzle(q7, TRANSPOSE), 112);
}
