/**
 * SHA-256, one block: FIPS 180-4.
 *
 * Rounds are made by the scalar unit and the message schedule by the vector unit, a vector of words for the rounds of
 * the next turn after the rounds that have used up the same words of this one: so both are busy. A round waits for the
 * sum over e of the round before it, and so takes that one last.
 */
import { HASH as SCHEDULE } from './memory';
import { choose, K256, majority } from './sha2-constants';

// Words are big-endian.
const SWAP256 = i8x16(3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12);

/** Takes one block into the state: section 6.2.2. */
export function compress256(state: usize, block: usize): void {
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

function sum0of256(x: u32): u32 {
  return rotr<u32>(x, 2) ^ rotr<u32>(x, 13) ^ rotr<u32>(x, 22);
}

function sum1of256(x: u32): u32 {
  return rotr<u32>(x, 6) ^ rotr<u32>(x, 11) ^ rotr<u32>(x, 25);
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
