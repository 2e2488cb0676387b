/**
 * SHA-384 and SHA-512, one block: FIPS 180-4. Rounds and schedule take turns as in sha2-256.ts.
 */
import { HASH as SCHEDULE } from './memory';
import { choose, K512, majority } from './sha2-constants';

// Words are big-endian.
const SWAP512 = i8x16(7, 6, 5, 4, 3, 2, 1, 0, 15, 14, 13, 12, 11, 10, 9, 8);

/** Takes one block into the state: section 6.4.2. */
export function compress512(state: usize, block: usize): void {
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

function sum0of512(x: u64): u64 {
  return rotr<u64>(x, 28) ^ rotr<u64>(x, 34) ^ rotr<u64>(x, 39);
}

function sum1of512(x: u64): u64 {
  return rotr<u64>(x, 14) ^ rotr<u64>(x, 18) ^ rotr<u64>(x, 41);
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
