// biome-ignore-all lint/correctness/noPrecisionLoss: these are 64-bit integers
/**
 * SHA-256, SHA-384 and SHA-512: FIPS 180-4, incremental.
 *
 * ```
 * context: state 64 | bytes so far 8 | unused 8 | block in the making 128
 * ```
 * A hash is named by its number of bits. No look-up and no branch depends on what is hashed, only on how much.
 *
 * Rounds are made by the scalar unit and the message schedule by the vector unit, a vector of words for the rounds of
 * the next turn after the rounds that have used up the same words of this one: so both are busy. A round waits for the
 * sum over e of the round before it, and so takes that one last.
 */
import { HASH } from './memory';

/** Bytes of a context. */
export const CONTEXT: usize = 208;

const LENGTH: usize = 64;
const BLOCK: usize = 80;
const SCHEDULE: usize = HASH;

/** Section 5.3.3. */
const H256: usize = memory.data<u32>([
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
]);

/** Section 5.3.4. */
const H384: usize = memory.data<u64>([
  0xcbbb9d5dc1059ed8, 0x629a292a367cd507, 0x9159015a3070dd17, 0x152fecd8f70e5939, 0x67332667ffc00b31,
  0x8eb44a8768581511, 0xdb0c2e0d64f98fa7, 0x47b5481dbefa4fa4,
]);

/** Section 5.3.5. */
const H512: usize = memory.data<u64>([
  0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1, 0x510e527fade682d1,
  0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179,
]);

/** Section 4.2.2. */
const K256: usize = memory.data<u32>([
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98,
  0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
  0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8,
  0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
  0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819,
  0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
  0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
  0xc67178f2,
]);

/** Section 4.2.3. */
const K512: usize = memory.data<u64>([
  0x428a2f98d728ae22, 0x7137449123ef65cd, 0xb5c0fbcfec4d3b2f, 0xe9b5dba58189dbbc, 0x3956c25bf348b538,
  0x59f111f1b605d019, 0x923f82a4af194f9b, 0xab1c5ed5da6d8118, 0xd807aa98a3030242, 0x12835b0145706fbe,
  0x243185be4ee4b28c, 0x550c7dc3d5ffb4e2, 0x72be5d74f27b896f, 0x80deb1fe3b1696b1, 0x9bdc06a725c71235,
  0xc19bf174cf692694, 0xe49b69c19ef14ad2, 0xefbe4786384f25e3, 0x0fc19dc68b8cd5b5, 0x240ca1cc77ac9c65,
  0x2de92c6f592b0275, 0x4a7484aa6ea6e483, 0x5cb0a9dcbd41fbd4, 0x76f988da831153b5, 0x983e5152ee66dfab,
  0xa831c66d2db43210, 0xb00327c898fb213f, 0xbf597fc7beef0ee4, 0xc6e00bf33da88fc2, 0xd5a79147930aa725,
  0x06ca6351e003826f, 0x142929670a0e6e70, 0x27b70a8546d22ffc, 0x2e1b21385c26c926, 0x4d2c6dfc5ac42aed,
  0x53380d139d95b3df, 0x650a73548baf63de, 0x766a0abb3c77b2a8, 0x81c2c92e47edaee6, 0x92722c851482353b,
  0xa2bfe8a14cf10364, 0xa81a664bbc423001, 0xc24b8b70d0f89791, 0xc76c51a30654be30, 0xd192e819d6ef5218,
  0xd69906245565a910, 0xf40e35855771202a, 0x106aa07032bbd1b8, 0x19a4c116b8d2d0c8, 0x1e376c085141ab53,
  0x2748774cdf8eeb99, 0x34b0bcb5e19b48a8, 0x391c0cb3c5c95a63, 0x4ed8aa4ae3418acb, 0x5b9cca4f7763e373,
  0x682e6ff3d6b2b8a3, 0x748f82ee5defb2fc, 0x78a5636f43172f60, 0x84c87814a1f0ab72, 0x8cc702081a6439ec,
  0x90befffa23631e28, 0xa4506cebde82bde9, 0xbef9a3f7b2c67915, 0xc67178f2e372532b, 0xca273eceea26619c,
  0xd186b8c721c0c207, 0xeada7dd6cde0eb1e, 0xf57d4f7fee6ed178, 0x06f067aa72176fba, 0x0a637dc5a2c898a6,
  0x113f9804bef90dae, 0x1b710b35131c471b, 0x28db77f523047d84, 0x32caab7b40c72493, 0x3c9ebe0a15c9bebc,
  0x431d67c49c100d4c, 0x4cc5d4becb3e42b6, 0x597f299cfc657e2a, 0x5fcb6fab3ad6faec, 0x6c44198c4a475817,
]);

// Words are big-endian.
const SWAP256 = i8x16(3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12);
const SWAP512 = i8x16(7, 6, 5, 4, 3, 2, 1, 0, 15, 14, 13, 12, 11, 10, 9, 8);

/** Bytes that one compression takes. */
export function blockLength(bits: i32): usize {
  return bits === 256 ? 64 : 128;
}

/** Begins a hash. */
export function init(context: usize, bits: i32): void {
  if (bits === 256) memory.copy(context, H256, 32);
  else memory.copy(context, bits === 384 ? H384 : H512, 64);
  store<u64>(context, 0, LENGTH);
}

/** Takes `length` bytes. */
export function update(context: usize, bits: i32, data: usize, length: usize): void {
  const size = blockLength(bits);
  const filled = <usize>load<u64>(context, LENGTH) & (size - 1);
  store<u64>(context, load<u64>(context, LENGTH) + length, LENGTH);
  if (filled > 0) {
    const taken = min(length, size - filled);
    memory.copy(context + BLOCK + filled, data, taken);
    if (filled + taken < size) return;
    compress(context, bits, context + BLOCK);
    data += taken;
    length -= taken;
  }
  for (; length >= size; length -= size, data += size) compress(context, bits, data);
  memory.copy(context + BLOCK, data, length);
}

/** Ends a hash: pads (section 5.1) and writes `bits / 8` bytes. The context cannot be used again. */
export function final(context: usize, bits: i32, output: usize): void {
  const size = blockLength(bits);
  const total = load<u64>(context, LENGTH);
  const filled = <usize>total & (size - 1);
  const block = context + BLOCK;
  store<u8>(block + filled, 0x80);
  memory.fill(block + filled + 1, 0, size - filled - 1);
  if (filled >= size - (size >> 3)) {
    compress(context, bits, block);
    memory.fill(block, 0, size);
  }
  store<u64>(block + size - 8, bswap<u64>(total << 3));
  compress(context, bits, block);
  if (bits === 256) {
    for (let i: usize = 0; i < 32; i += 4) store<u32>(output + i, bswap<u32>(load<u32>(context + i)));
  } else {
    for (let i: usize = 0; i < <usize>(bits >> 3); i += 8)
      store<u64>(output + i, bswap<u64>(load<u64>(context + i)));
  }
}

function compress(context: usize, bits: i32, block: usize): void {
  if (bits === 256) compress256(context, block);
  else compress512(context, block);
}

// Takes one block into the state: section 6.2.2.
function compress256(state: usize, block: usize): void {
  let w0 = i8x16.swizzle(v128.load(block), SWAP256);
  let w1 = i8x16.swizzle(v128.load(block, 16), SWAP256);
  let w2 = i8x16.swizzle(v128.load(block, 32), SWAP256);
  let w3 = i8x16.swizzle(v128.load(block, 48), SWAP256);
  v128.store(SCHEDULE, i32x4.add(w0, v128.load(K256)));
  v128.store(SCHEDULE, i32x4.add(w1, v128.load(K256, 16)), 16);
  v128.store(SCHEDULE, i32x4.add(w2, v128.load(K256, 32)), 32);
  v128.store(SCHEDULE, i32x4.add(w3, v128.load(K256, 48)), 48);
  let a = load<u32>(state, 0);
  let b = load<u32>(state, 4);
  let c = load<u32>(state, 8);
  let d = load<u32>(state, 12);
  let e = load<u32>(state, 16);
  let f = load<u32>(state, 20);
  let g = load<u32>(state, 24);
  let h = load<u32>(state, 28);
  let t: u32;
  // Sixteen rounds at a time: the names turn instead of the values.
  let k = K256 + 64;
  do {
    t = h + load<u32>(SCHEDULE, 0) + choose(e, f, g) + sum1of256(e);
    d += t;
    h = t + (majority(a, b, c) + sum0of256(a));
    t = g + load<u32>(SCHEDULE, 4) + choose(d, e, f) + sum1of256(d);
    c += t;
    g = t + (majority(h, a, b) + sum0of256(h));
    t = f + load<u32>(SCHEDULE, 8) + choose(c, d, e) + sum1of256(c);
    b += t;
    f = t + (majority(g, h, a) + sum0of256(g));
    t = e + load<u32>(SCHEDULE, 12) + choose(b, c, d) + sum1of256(b);
    a += t;
    e = t + (majority(f, g, h) + sum0of256(f));
    w0 = next256(w0, w1, w2, w3);
    v128.store(SCHEDULE, i32x4.add(w0, v128.load(k)));
    t = d + load<u32>(SCHEDULE, 16) + choose(a, b, c) + sum1of256(a);
    h += t;
    d = t + (majority(e, f, g) + sum0of256(e));
    t = c + load<u32>(SCHEDULE, 20) + choose(h, a, b) + sum1of256(h);
    g += t;
    c = t + (majority(d, e, f) + sum0of256(d));
    t = b + load<u32>(SCHEDULE, 24) + choose(g, h, a) + sum1of256(g);
    f += t;
    b = t + (majority(c, d, e) + sum0of256(c));
    t = a + load<u32>(SCHEDULE, 28) + choose(f, g, h) + sum1of256(f);
    e += t;
    a = t + (majority(b, c, d) + sum0of256(b));
    w1 = next256(w1, w2, w3, w0);
    v128.store(SCHEDULE, i32x4.add(w1, v128.load(k, 16)), 16);
    t = h + load<u32>(SCHEDULE, 32) + choose(e, f, g) + sum1of256(e);
    d += t;
    h = t + (majority(a, b, c) + sum0of256(a));
    t = g + load<u32>(SCHEDULE, 36) + choose(d, e, f) + sum1of256(d);
    c += t;
    g = t + (majority(h, a, b) + sum0of256(h));
    t = f + load<u32>(SCHEDULE, 40) + choose(c, d, e) + sum1of256(c);
    b += t;
    f = t + (majority(g, h, a) + sum0of256(g));
    t = e + load<u32>(SCHEDULE, 44) + choose(b, c, d) + sum1of256(b);
    a += t;
    e = t + (majority(f, g, h) + sum0of256(f));
    w2 = next256(w2, w3, w0, w1);
    v128.store(SCHEDULE, i32x4.add(w2, v128.load(k, 32)), 32);
    t = d + load<u32>(SCHEDULE, 48) + choose(a, b, c) + sum1of256(a);
    h += t;
    d = t + (majority(e, f, g) + sum0of256(e));
    t = c + load<u32>(SCHEDULE, 52) + choose(h, a, b) + sum1of256(h);
    g += t;
    c = t + (majority(d, e, f) + sum0of256(d));
    t = b + load<u32>(SCHEDULE, 56) + choose(g, h, a) + sum1of256(g);
    f += t;
    b = t + (majority(c, d, e) + sum0of256(c));
    t = a + load<u32>(SCHEDULE, 60) + choose(f, g, h) + sum1of256(f);
    e += t;
    a = t + (majority(b, c, d) + sum0of256(b));
    w3 = next256(w3, w0, w1, w2);
    v128.store(SCHEDULE, i32x4.add(w3, v128.load(k, 48)), 48);
    k += 64;
  } while (k < K256 + 256);
  t = h + load<u32>(SCHEDULE, 0) + choose(e, f, g) + sum1of256(e);
  d += t;
  h = t + (majority(a, b, c) + sum0of256(a));
  t = g + load<u32>(SCHEDULE, 4) + choose(d, e, f) + sum1of256(d);
  c += t;
  g = t + (majority(h, a, b) + sum0of256(h));
  t = f + load<u32>(SCHEDULE, 8) + choose(c, d, e) + sum1of256(c);
  b += t;
  f = t + (majority(g, h, a) + sum0of256(g));
  t = e + load<u32>(SCHEDULE, 12) + choose(b, c, d) + sum1of256(b);
  a += t;
  e = t + (majority(f, g, h) + sum0of256(f));
  t = d + load<u32>(SCHEDULE, 16) + choose(a, b, c) + sum1of256(a);
  h += t;
  d = t + (majority(e, f, g) + sum0of256(e));
  t = c + load<u32>(SCHEDULE, 20) + choose(h, a, b) + sum1of256(h);
  g += t;
  c = t + (majority(d, e, f) + sum0of256(d));
  t = b + load<u32>(SCHEDULE, 24) + choose(g, h, a) + sum1of256(g);
  f += t;
  b = t + (majority(c, d, e) + sum0of256(c));
  t = a + load<u32>(SCHEDULE, 28) + choose(f, g, h) + sum1of256(f);
  e += t;
  a = t + (majority(b, c, d) + sum0of256(b));
  t = h + load<u32>(SCHEDULE, 32) + choose(e, f, g) + sum1of256(e);
  d += t;
  h = t + (majority(a, b, c) + sum0of256(a));
  t = g + load<u32>(SCHEDULE, 36) + choose(d, e, f) + sum1of256(d);
  c += t;
  g = t + (majority(h, a, b) + sum0of256(h));
  t = f + load<u32>(SCHEDULE, 40) + choose(c, d, e) + sum1of256(c);
  b += t;
  f = t + (majority(g, h, a) + sum0of256(g));
  t = e + load<u32>(SCHEDULE, 44) + choose(b, c, d) + sum1of256(b);
  a += t;
  e = t + (majority(f, g, h) + sum0of256(f));
  t = d + load<u32>(SCHEDULE, 48) + choose(a, b, c) + sum1of256(a);
  h += t;
  d = t + (majority(e, f, g) + sum0of256(e));
  t = c + load<u32>(SCHEDULE, 52) + choose(h, a, b) + sum1of256(h);
  g += t;
  c = t + (majority(d, e, f) + sum0of256(d));
  t = b + load<u32>(SCHEDULE, 56) + choose(g, h, a) + sum1of256(g);
  f += t;
  b = t + (majority(c, d, e) + sum0of256(c));
  t = a + load<u32>(SCHEDULE, 60) + choose(f, g, h) + sum1of256(f);
  e += t;
  a = t + (majority(b, c, d) + sum0of256(b));
  store<u32>(state, load<u32>(state, 0) + a, 0);
  store<u32>(state, load<u32>(state, 4) + b, 4);
  store<u32>(state, load<u32>(state, 8) + c, 8);
  store<u32>(state, load<u32>(state, 12) + d, 12);
  store<u32>(state, load<u32>(state, 16) + e, 16);
  store<u32>(state, load<u32>(state, 20) + f, 20);
  store<u32>(state, load<u32>(state, 24) + g, 24);
  store<u32>(state, load<u32>(state, 28) + h, 28);
}

// Takes one block into the state: section 6.4.2.
function compress512(state: usize, block: usize): void {
  let w0 = i8x16.swizzle(v128.load(block), SWAP512);
  let w1 = i8x16.swizzle(v128.load(block, 16), SWAP512);
  let w2 = i8x16.swizzle(v128.load(block, 32), SWAP512);
  let w3 = i8x16.swizzle(v128.load(block, 48), SWAP512);
  let w4 = i8x16.swizzle(v128.load(block, 64), SWAP512);
  let w5 = i8x16.swizzle(v128.load(block, 80), SWAP512);
  let w6 = i8x16.swizzle(v128.load(block, 96), SWAP512);
  let w7 = i8x16.swizzle(v128.load(block, 112), SWAP512);
  v128.store(SCHEDULE, i64x2.add(w0, v128.load(K512)));
  v128.store(SCHEDULE, i64x2.add(w1, v128.load(K512, 16)), 16);
  v128.store(SCHEDULE, i64x2.add(w2, v128.load(K512, 32)), 32);
  v128.store(SCHEDULE, i64x2.add(w3, v128.load(K512, 48)), 48);
  v128.store(SCHEDULE, i64x2.add(w4, v128.load(K512, 64)), 64);
  v128.store(SCHEDULE, i64x2.add(w5, v128.load(K512, 80)), 80);
  v128.store(SCHEDULE, i64x2.add(w6, v128.load(K512, 96)), 96);
  v128.store(SCHEDULE, i64x2.add(w7, v128.load(K512, 112)), 112);
  let a = load<u64>(state, 0);
  let b = load<u64>(state, 8);
  let c = load<u64>(state, 16);
  let d = load<u64>(state, 24);
  let e = load<u64>(state, 32);
  let f = load<u64>(state, 40);
  let g = load<u64>(state, 48);
  let h = load<u64>(state, 56);
  let t: u64;
  // Sixteen rounds at a time: the names turn instead of the values.
  let k = K512 + 128;
  do {
    t = h + load<u64>(SCHEDULE, 0) + choose(e, f, g) + sum1of512(e);
    d += t;
    h = t + (majority(a, b, c) + sum0of512(a));
    t = g + load<u64>(SCHEDULE, 8) + choose(d, e, f) + sum1of512(d);
    c += t;
    g = t + (majority(h, a, b) + sum0of512(h));
    w0 = next512(w0, w1, w4, w5, w7);
    v128.store(SCHEDULE, i64x2.add(w0, v128.load(k)));
    t = f + load<u64>(SCHEDULE, 16) + choose(c, d, e) + sum1of512(c);
    b += t;
    f = t + (majority(g, h, a) + sum0of512(g));
    t = e + load<u64>(SCHEDULE, 24) + choose(b, c, d) + sum1of512(b);
    a += t;
    e = t + (majority(f, g, h) + sum0of512(f));
    w1 = next512(w1, w2, w5, w6, w0);
    v128.store(SCHEDULE, i64x2.add(w1, v128.load(k, 16)), 16);
    t = d + load<u64>(SCHEDULE, 32) + choose(a, b, c) + sum1of512(a);
    h += t;
    d = t + (majority(e, f, g) + sum0of512(e));
    t = c + load<u64>(SCHEDULE, 40) + choose(h, a, b) + sum1of512(h);
    g += t;
    c = t + (majority(d, e, f) + sum0of512(d));
    w2 = next512(w2, w3, w6, w7, w1);
    v128.store(SCHEDULE, i64x2.add(w2, v128.load(k, 32)), 32);
    t = b + load<u64>(SCHEDULE, 48) + choose(g, h, a) + sum1of512(g);
    f += t;
    b = t + (majority(c, d, e) + sum0of512(c));
    t = a + load<u64>(SCHEDULE, 56) + choose(f, g, h) + sum1of512(f);
    e += t;
    a = t + (majority(b, c, d) + sum0of512(b));
    w3 = next512(w3, w4, w7, w0, w2);
    v128.store(SCHEDULE, i64x2.add(w3, v128.load(k, 48)), 48);
    t = h + load<u64>(SCHEDULE, 64) + choose(e, f, g) + sum1of512(e);
    d += t;
    h = t + (majority(a, b, c) + sum0of512(a));
    t = g + load<u64>(SCHEDULE, 72) + choose(d, e, f) + sum1of512(d);
    c += t;
    g = t + (majority(h, a, b) + sum0of512(h));
    w4 = next512(w4, w5, w0, w1, w3);
    v128.store(SCHEDULE, i64x2.add(w4, v128.load(k, 64)), 64);
    t = f + load<u64>(SCHEDULE, 80) + choose(c, d, e) + sum1of512(c);
    b += t;
    f = t + (majority(g, h, a) + sum0of512(g));
    t = e + load<u64>(SCHEDULE, 88) + choose(b, c, d) + sum1of512(b);
    a += t;
    e = t + (majority(f, g, h) + sum0of512(f));
    w5 = next512(w5, w6, w1, w2, w4);
    v128.store(SCHEDULE, i64x2.add(w5, v128.load(k, 80)), 80);
    t = d + load<u64>(SCHEDULE, 96) + choose(a, b, c) + sum1of512(a);
    h += t;
    d = t + (majority(e, f, g) + sum0of512(e));
    t = c + load<u64>(SCHEDULE, 104) + choose(h, a, b) + sum1of512(h);
    g += t;
    c = t + (majority(d, e, f) + sum0of512(d));
    w6 = next512(w6, w7, w2, w3, w5);
    v128.store(SCHEDULE, i64x2.add(w6, v128.load(k, 96)), 96);
    t = b + load<u64>(SCHEDULE, 112) + choose(g, h, a) + sum1of512(g);
    f += t;
    b = t + (majority(c, d, e) + sum0of512(c));
    t = a + load<u64>(SCHEDULE, 120) + choose(f, g, h) + sum1of512(f);
    e += t;
    a = t + (majority(b, c, d) + sum0of512(b));
    w7 = next512(w7, w0, w3, w4, w6);
    v128.store(SCHEDULE, i64x2.add(w7, v128.load(k, 112)), 112);
    k += 128;
  } while (k < K512 + 640);
  t = h + load<u64>(SCHEDULE, 0) + choose(e, f, g) + sum1of512(e);
  d += t;
  h = t + (majority(a, b, c) + sum0of512(a));
  t = g + load<u64>(SCHEDULE, 8) + choose(d, e, f) + sum1of512(d);
  c += t;
  g = t + (majority(h, a, b) + sum0of512(h));
  t = f + load<u64>(SCHEDULE, 16) + choose(c, d, e) + sum1of512(c);
  b += t;
  f = t + (majority(g, h, a) + sum0of512(g));
  t = e + load<u64>(SCHEDULE, 24) + choose(b, c, d) + sum1of512(b);
  a += t;
  e = t + (majority(f, g, h) + sum0of512(f));
  t = d + load<u64>(SCHEDULE, 32) + choose(a, b, c) + sum1of512(a);
  h += t;
  d = t + (majority(e, f, g) + sum0of512(e));
  t = c + load<u64>(SCHEDULE, 40) + choose(h, a, b) + sum1of512(h);
  g += t;
  c = t + (majority(d, e, f) + sum0of512(d));
  t = b + load<u64>(SCHEDULE, 48) + choose(g, h, a) + sum1of512(g);
  f += t;
  b = t + (majority(c, d, e) + sum0of512(c));
  t = a + load<u64>(SCHEDULE, 56) + choose(f, g, h) + sum1of512(f);
  e += t;
  a = t + (majority(b, c, d) + sum0of512(b));
  t = h + load<u64>(SCHEDULE, 64) + choose(e, f, g) + sum1of512(e);
  d += t;
  h = t + (majority(a, b, c) + sum0of512(a));
  t = g + load<u64>(SCHEDULE, 72) + choose(d, e, f) + sum1of512(d);
  c += t;
  g = t + (majority(h, a, b) + sum0of512(h));
  t = f + load<u64>(SCHEDULE, 80) + choose(c, d, e) + sum1of512(c);
  b += t;
  f = t + (majority(g, h, a) + sum0of512(g));
  t = e + load<u64>(SCHEDULE, 88) + choose(b, c, d) + sum1of512(b);
  a += t;
  e = t + (majority(f, g, h) + sum0of512(f));
  t = d + load<u64>(SCHEDULE, 96) + choose(a, b, c) + sum1of512(a);
  h += t;
  d = t + (majority(e, f, g) + sum0of512(e));
  t = c + load<u64>(SCHEDULE, 104) + choose(h, a, b) + sum1of512(h);
  g += t;
  c = t + (majority(d, e, f) + sum0of512(d));
  t = b + load<u64>(SCHEDULE, 112) + choose(g, h, a) + sum1of512(g);
  f += t;
  b = t + (majority(c, d, e) + sum0of512(c));
  t = a + load<u64>(SCHEDULE, 120) + choose(f, g, h) + sum1of512(f);
  e += t;
  a = t + (majority(b, c, d) + sum0of512(b));
  store<u64>(state, load<u64>(state, 0) + a, 0);
  store<u64>(state, load<u64>(state, 8) + b, 8);
  store<u64>(state, load<u64>(state, 16) + c, 16);
  store<u64>(state, load<u64>(state, 24) + d, 24);
  store<u64>(state, load<u64>(state, 32) + e, 32);
  store<u64>(state, load<u64>(state, 40) + f, 40);
  store<u64>(state, load<u64>(state, 48) + g, 48);
  store<u64>(state, load<u64>(state, 56) + h, 56);
}

// Sections 4.1.2 and 4.1.3: Ch.
function choose<T extends number>(x: T, y: T, z: T): T {
  return z ^ (x & (y ^ z));
}

// Maj.
function majority<T extends number>(x: T, y: T, z: T): T {
  return (x & y) | (z & (x | y));
}

function sum0of256(x: u32): u32 {
  return rotr<u32>(x, 2) ^ rotr<u32>(x, 13) ^ rotr<u32>(x, 22);
}

function sum1of256(x: u32): u32 {
  return rotr<u32>(x, 6) ^ rotr<u32>(x, 11) ^ rotr<u32>(x, 25);
}

function sum0of512(x: u64): u64 {
  return rotr<u64>(x, 28) ^ rotr<u64>(x, 34) ^ rotr<u64>(x, 39);
}

function sum1of512(x: u64): u64 {
  return rotr<u64>(x, 14) ^ rotr<u64>(x, 18) ^ rotr<u64>(x, 41);
}

// The next four words of the schedule, from the sixteen before them: section 6.2.2, step 1. The last two need the first
// two. There is no rotation of lanes: two shifts each way do two of them, one within the other.
function next256(w0: v128, w4: v128, w8: v128, w12: v128): v128 {
  const x = v128.shuffle<u32>(w0, w4, 1, 2, 3, 4);
  const right = i32x4.shr_u(v128.xor(x, i32x4.shr_u(x, 11)), 7);
  const left = i32x4.shl(v128.xor(x, i32x4.shl(x, 11)), 14);
  const sigma0 = v128.xor(v128.xor(right, left), i32x4.shr_u(x, 3));
  const sum = i32x4.add(i32x4.add(w0, v128.shuffle<u32>(w8, w12, 1, 2, 3, 4)), sigma0);
  const none = i64x2.splat(0);
  const first = i32x4.add(
    sum,
    v128.shuffle<u32>(sigma1(v128.shuffle<u32>(w12, w12, 2, 2, 3, 3)), none, 0, 2, 4, 4),
  );
  return i32x4.add(
    first,
    v128.shuffle<u32>(sigma1(v128.shuffle<u32>(first, first, 0, 0, 1, 1)), none, 4, 4, 0, 2),
  );
}

// Of words that stand twice, side by side: in a lane of both a shift is a rotation. The lower one of each two counts.
function sigma1(x: v128): v128 {
  return v128.xor(i64x2.shr_u(v128.xor(x, i64x2.shr_u(x, 2)), 17), i32x4.shr_u(x, 10));
}

// The next two words of the schedule, from the sixteen before them: section 6.4.2, step 1.
function next512(w0: v128, w2: v128, w8: v128, w10: v128, w14: v128): v128 {
  const x = v128.shuffle<u64>(w0, w2, 1, 2);
  const shifted = i64x2.shr_u(x, 7);
  const right = i64x2.shr_u(v128.xor(x, shifted), 1);
  const left = i64x2.shl(v128.xor(x, i64x2.shl(x, 7)), 56);
  const sigma0 = v128.xor(v128.xor(right, left), shifted);
  const right1 = i64x2.shr_u(v128.xor(w14, i64x2.shr_u(w14, 42)), 19);
  const left1 = i64x2.shl(v128.xor(w14, i64x2.shl(w14, 42)), 3);
  const sigma1 = v128.xor(v128.xor(right1, left1), i64x2.shr_u(w14, 6));
  return i64x2.add(i64x2.add(w0, v128.shuffle<u64>(w8, w10, 1, 2)), i64x2.add(sigma0, sigma1));
}
