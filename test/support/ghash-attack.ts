/**
 * What anyone can do who sees two GCM tags under one key and one nonce: find the hash key H, and forge with it.
 *
 * A tag is GHASH_H(AAD, ciphertext) + E(nonce). Under the same key and nonce the masks cancel out, and
 * T1 + T2 = GHASH_H(A1) + GHASH_H(A2) is an equation for H, of a degree of about the blocks of the longer input. Its
 * few roots are found by factoring. Nothing of the library is used here, and no key.
 * Sources: NIST SP 800-38D, sections 6.3 and 6.4; A. Joux, "Authentication failures in NIST version of GCM".
 */

/** An element of GF(2^128): four words as they stand in a block, the first bit is the coefficient of x^0. */
type Element = Uint32Array<ArrayBuffer>;
/** A polynomial over the field: elements one behind the other, lowest degree first, the last one not zero. */
type Polynomial = Uint32Array<ArrayBuffer>;

const WORDS = 4;
const BITS = 128;
/** x^128 = 1 + x + x^2 + x^7, in the first word. */
const MODULUS = 0xe1000000;
const ONE: Element = Uint32Array.of(0x80000000, 0, 0, 0);
/** The polynomial X. */
const X: Polynomial = Uint32Array.of(0, 0, 0, 0, ...ONE);
/** What the last four bits of an element become when it is multiplied by x^4. */
const FOLDED: Int32Array = Int32Array.from({ length: 16 }, (_, bits) =>
  [8, 4, 2, 1].reduce((folded, bit, i) => (bits & bit ? folded ^ (MODULUS >>> i) : folded), 0),
);

/** GHASH of the associated data and the ciphertext of a GCM message: 16 bytes. */
export function ghash(hashKey: Uint8Array, aad: Uint8Array, ciphertext: Uint8Array): Uint8Array<ArrayBuffer> {
  const table = multiplesOf(toWords(hashKey));
  const blocks = toBlocks(aad, ciphertext);
  let state: Element = new Uint32Array(WORDS);
  for (let at = 0; at < blocks.length; at += WORDS) {
    for (let i = 0; i < WORDS; i++) state[i]! ^= blocks[at + i]!;
    const next = new Uint32Array(WORDS);
    addProduct(next, 0, table, state, 0);
    state = next;
  }
  return toBytes(state);
}

/**
 * The hash keys, as 16 bytes each, under which both headers could have been authenticated by one key with one nonce.
 * If they were, one of these is the true one.
 */
export function hashKeyCandidates(
  header1: Uint8Array,
  tag1: Uint8Array,
  header2: Uint8Array,
  tag2: Uint8Array,
): Uint8Array<ArrayBuffer>[] {
  const ghashes = sum(ghashPolynomial(header1), ghashPolynomial(header2));
  return roots(sum(ghashes, sum(toWords(tag1), toWords(tag2)))).map(toBytes);
}

/** The wanted ciphertext with its tag, from a ciphertext and its tag under the same nonce and associated data. */
export function forgeFrame(
  hashKey: Uint8Array,
  aad: Uint8Array,
  ciphertext: Uint8Array,
  tag: Uint8Array,
  wantedCiphertext: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const before = ghash(hashKey, aad, ciphertext);
  const after = ghash(hashKey, aad, wantedCiphertext);
  const forged = tag.map((byte, i) => byte ^ before[i]! ^ after[i]!);
  return new Uint8Array([...wantedCiphertext, ...forged]);
}

/** All roots of a polynomial in the field, each once; of the zero polynomial none. */
export function roots(polynomial: Uint32Array): Element[] {
  const trimmed = trim(Uint32Array.from(polynomial));
  if (trimmed.length === 0) return [];
  const f = monic(trimmed);
  let power = remainder(X, f);
  for (let i = 0; i < BITS; i++) power = squareModulo(power, f);
  return separate(greatestCommonDivisor(f, sum(power, X)), 0); // X^(2^128) + X has every element as a root
}

/** The product of (X + root): a polynomial with these roots. */
export function polynomialWithRoots(elements: readonly Uint32Array[]): Polynomial {
  let product: Polynomial = Uint32Array.from(ONE);
  for (const element of elements) {
    const next = Uint32Array.from([0, 0, 0, 0, ...product]);
    const table = multiplesOf(element);
    for (let at = 0; at < product.length; at += WORDS) addProduct(next, at, table, product, at);
    product = next;
  }
  return product;
}

/**
 * Splits a product of different linear factors. The trace of x^i * X is 0 or 1 at every root, and for two different
 * roots some i tells them apart.
 */
function separate(f: Polynomial, from: number): Element[] {
  if (f.length <= WORDS) return [];
  if (f.length === 2 * WORDS) return [f.slice(0, WORDS)];
  for (let i = from; i < BITS; i++) {
    const trace = traceModulo(f, i);
    const zeros = greatestCommonDivisor(f, trace);
    if (zeros.length === WORDS || zeros.length === f.length) continue;
    const ones = greatestCommonDivisor(f, sum(trace, ONE));
    return [...separate(zeros, i + 1), ...separate(ones, i + 1)];
  }
  throw new Error('the factors are not linear, or not different');
}

/** The sum of (x^i * X)^(2^k) modulo f, for k from 0 to 127. */
function traceModulo(f: Polynomial, i: number): Polynomial {
  const start = new Uint32Array(2 * WORDS);
  start[WORDS + (i >> 5)] = 0x80000000 >>> (i & 31);
  let power = remainder(start, f);
  let trace = power;
  for (let k = 1; k < BITS; k++) {
    power = squareModulo(power, f);
    trace = sum(trace, power);
  }
  return trace;
}

/** Monic, unless it is zero. */
function greatestCommonDivisor(f: Polynomial, g: Polynomial): Polynomial {
  let [a, b] = [f, g];
  while (b.length > 0) {
    b = monic(b);
    [a, b] = [b, remainder(a, b)];
  }
  return monic(a);
}

function squareModulo(f: Polynomial, divisor: Polynomial): Polynomial {
  const square = new Uint32Array(2 * f.length);
  for (let at = 0; at < f.length; at += WORDS) addProduct(square, 2 * at, multiplesOf(f, at), f, at);
  return remainder(square, divisor);
}

/** @param divisor monic. */
function remainder(f: Polynomial, divisor: Polynomial): Polynomial {
  const rest = Uint32Array.from(f);
  const degree = divisor.length - WORDS;
  for (let at = rest.length - WORDS; at >= degree; at -= WORDS) {
    const table = multiplesOf(rest, at);
    for (let i = 0; i < degree; i += WORDS) addProduct(rest, at - degree + i, table, divisor, i);
  }
  return trim(rest.slice(0, degree));
}

/** Divided by its leading coefficient. */
function monic(f: Polynomial): Polynomial {
  const table = multiplesOf(inverse(f.slice(-WORDS)));
  const quotient = new Uint32Array(f.length);
  for (let at = 0; at < f.length; at += WORDS) addProduct(quotient, at, table, f, at);
  return quotient;
}

/** a^(2^128 - 2), the product of a^(2^k) for k from 1 to 127. */
function inverse(a: Element): Element {
  let power = a;
  let result = ONE;
  for (let k = 1; k < BITS; k++) {
    power = product(power, power);
    result = product(result, power);
  }
  return result;
}

function product(a: Element, b: Element): Element {
  const result = new Uint32Array(WORDS);
  addProduct(result, 0, multiplesOf(a), b, 0);
  return result;
}

/** An element times every polynomial in x of degree 3 or less; the bits of a row's number stand as in an element. */
function multiplesOf(elements: Uint32Array, at = 0): Int32Array {
  const table = new Int32Array(16 * WORDS);
  let [a, b, c, d] = [elements[at]!, elements[at + 1]!, elements[at + 2]!, elements[at + 3]!];
  for (let bit = 8; bit > 0; bit >>= 1) {
    const row = bit * WORDS;
    table[row] = a;
    table[row + 1] = b;
    table[row + 2] = c;
    table[row + 3] = d;
    const folded = d & 1 ? MODULUS : 0;
    d = (d >>> 1) | (c << 31);
    c = (c >>> 1) | (b << 31);
    b = (b >>> 1) | (a << 31);
    a = (a >>> 1) ^ folded;
  }
  for (let row = 3; row < 16; row++) {
    const low = (row & -row) * WORDS;
    const high = (row & (row - 1)) * WORDS;
    for (let i = 0; i < WORDS; i++) table[row * WORDS + i] = table[low + i]! ^ table[high + i]!;
  }
  return table;
}

/** Adds to `into[at]` the product of the table's element and `elements[from]`. Almost all time is spent here. */
function addProduct(
  into: Uint32Array,
  at: number,
  table: Int32Array,
  elements: Uint32Array,
  from: number,
): void {
  let [a, b, c, d] = [0, 0, 0, 0];
  for (let i = from + WORDS - 1; i >= from; i--) {
    const word = elements[i]!;
    for (let shift = 0; shift < 32; shift += 4) {
      const row = ((word >>> shift) & 15) * WORDS;
      const folded = FOLDED[d & 15]!;
      d = ((d >>> 4) | (c << 28)) ^ table[row + 3]!;
      c = ((c >>> 4) | (b << 28)) ^ table[row + 2]!;
      b = ((b >>> 4) | (a << 28)) ^ table[row + 1]!;
      a = (a >>> 4) ^ folded ^ table[row]!;
    }
  }
  into[at]! ^= a;
  into[at + 1]! ^= b;
  into[at + 2]! ^= c;
  into[at + 3]! ^= d;
}

function sum(f: Polynomial, g: Polynomial): Polynomial {
  const result = new Uint32Array(Math.max(f.length, g.length));
  result.set(f);
  for (let i = 0; i < g.length; i++) result[i]! ^= g[i]!;
  return trim(result);
}

function trim(f: Polynomial): Polynomial {
  let length = f.length;
  while (length > 0 && isZero(f, length - WORDS)) length -= WORDS;
  return f.slice(0, length);
}

function isZero(elements: Uint32Array, at: number): boolean {
  return (elements[at]! | elements[at + 1]! | elements[at + 2]! | elements[at + 3]!) === 0;
}

/** GHASH of associated data alone as a polynomial in the hash key: the last block has degree 1. */
function ghashPolynomial(aad: Uint8Array): Polynomial {
  const blocks = toBlocks(aad, new Uint8Array(0));
  const polynomial = new Uint32Array(WORDS + blocks.length);
  for (let at = 0; at < blocks.length; at += WORDS) {
    polynomial.set(blocks.subarray(at, at + WORDS), blocks.length - at);
  }
  return trim(polynomial);
}

/** Both inputs, each filled up with zeros to whole blocks, and the block of their lengths in bits. */
function toBlocks(aad: Uint8Array, ciphertext: Uint8Array): Uint32Array<ArrayBuffer> {
  const padded = (length: number) => Math.ceil(length / 16) * 16;
  const end = padded(aad.length) + padded(ciphertext.length);
  const bytes = Buffer.alloc(end + 16);
  bytes.set(aad);
  bytes.set(ciphertext, padded(aad.length));
  bytes.writeUInt32BE(8 * aad.length, end + 4);
  bytes.writeUInt32BE(8 * ciphertext.length, end + 12);
  return toWords(bytes);
}

function toWords(bytes: Uint8Array): Uint32Array<ArrayBuffer> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Uint32Array.from({ length: bytes.length / 4 }, (_, i) => view.getUint32(4 * i));
}

function toBytes(words: Element): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(4 * words.length);
  const view = new DataView(bytes.buffer);
  for (const [i, word] of words.entries()) view.setUint32(4 * i, word);
  return bytes;
}
