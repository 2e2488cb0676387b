// @ts-check
/**
 * The eleven algorithm suites, and the lengths of messages, written down from the specification a second time:
 * nothing here comes from either of the two libraries that are compared.
 */

/**
 * @typedef {object} Suite
 * @property {number} id
 * @property {1 | 2} version
 * @property {number} keyLength bytes of the data key
 * @property {number} signature bytes of the DER signature as frameseal writes it, 0 without one; DER may be a little
 *   shorter, or a byte longer, and other writers take it as it comes
 * @property {number} publicKey bytes of the compressed verification key, 0 without one
 */

/** @type {readonly Suite[]} */
export const SUITES = [
  { id: 0x0014, version: 1, keyLength: 16, signature: 0, publicKey: 0 },
  { id: 0x0046, version: 1, keyLength: 24, signature: 0, publicKey: 0 },
  { id: 0x0078, version: 1, keyLength: 32, signature: 0, publicKey: 0 },
  { id: 0x0114, version: 1, keyLength: 16, signature: 0, publicKey: 0 },
  { id: 0x0146, version: 1, keyLength: 24, signature: 0, publicKey: 0 },
  { id: 0x0178, version: 1, keyLength: 32, signature: 0, publicKey: 0 },
  { id: 0x0214, version: 1, keyLength: 16, signature: 71, publicKey: 33 },
  { id: 0x0346, version: 1, keyLength: 24, signature: 103, publicKey: 49 },
  { id: 0x0378, version: 1, keyLength: 32, signature: 103, publicKey: 49 },
  { id: 0x0478, version: 2, keyLength: 32, signature: 0, publicKey: 0 },
  { id: 0x0578, version: 2, keyLength: 32, signature: 103, publicKey: 49 },
];

/** Where a signed message stores its verification key, in base64. */
export const PUBLIC_KEY_FIELD = 'aws-crypto-public-key';

/** @param {Suite} suite @returns {string} */
export function suiteName(suite) {
  return `0x${suite.id.toString(16).padStart(4, '0')}`;
}

/** @param {Suite} suite */
export function isCommitting(suite) {
  return suite.version === 2;
}

/** Bytes that the pair of the verification key takes. @param {Suite} suite */
export function publicKeyPairLength(suite) {
  return suite.publicKey === 0 ? 0 : 4 + PUBLIC_KEY_FIELD.length + 4 * Math.ceil(suite.publicKey / 3);
}

/**
 * The length of a header with its authentication.
 * @param {Suite} suite
 * @param {Readonly<Record<string, string>>} context the caller's pairs
 * @param {readonly number[]} edkLengths bytes of each encrypted data key, its three length fields included
 */
export function headerLength(suite, context, edkLengths) {
  const pairs = Object.entries(context).map(([key, value]) => 4 + utf8Length(key) + utf8Length(value));
  const contextLength = sum(pairs) + publicKeyPairLength(suite);
  const fixed = suite.version === 1 ? 1 + 1 + 2 + 16 + 1 + 4 + 1 + 4 : 1 + 2 + 32 + 1 + 4 + 32;
  const authentication = suite.version === 1 ? 12 + 16 : 16;
  return fixed + 2 + (contextLength > 0 ? 2 + contextLength : 0) + 2 + sum(edkLengths) + authentication;
}

/** What a regular frame adds to its plaintext: sequence number, IV, tag. */
export const FRAME_OVERHEAD = 4 + 12 + 16;

/**
 * Whether the plaintext ends with a full frame. The format lets a writer choose then: that frame is the final frame,
 * which is what frameseal writes, or an empty final frame follows it, which is what client-node writes.
 * @param {number} size plaintext bytes
 * @param {number} frameLength
 */
export function endsWithFullFrame(size, frameLength) {
  return size > 0 && size % frameLength === 0;
}

/**
 * The length of a framed body.
 * @param {number} size plaintext bytes
 * @param {number} frameLength
 * @param {'frameseal' | 'client-node'} writer
 */
export function bodyLength(size, frameLength, writer) {
  const emptyFinalFrame = writer === 'client-node' && endsWithFullFrame(size, frameLength);
  const frames = Math.max(1, Math.ceil(size / frameLength)) + Number(emptyFinalFrame);
  const final = 4 + 4 + 12 + 4 + 16;
  return size + (frames - 1) * FRAME_OVERHEAD + final;
}

/**
 * What follows header and body: two bytes of length and the DER of an ECDSA signature.
 * @param {Uint8Array} footer
 * @returns {number} the DER's length, 0 for no footer at all
 */
export function signatureLength(footer) {
  if (footer.length === 0) return 0;
  const bytes = Buffer.from(footer.buffer, footer.byteOffset, footer.byteLength);
  const length = bytes.readUInt16BE(0);
  const sequence = bytes.subarray(2);
  const firstInteger = sequence.readUInt8(3);
  const secondInteger = sequence.readUInt8(4 + firstInteger + 1);
  const isDer =
    sequence.length === length &&
    sequence[0] === 0x30 &&
    sequence[1] === length - 2 &&
    sequence[2] === 2 &&
    sequence[4 + firstInteger] === 2 &&
    length === 6 + firstInteger + secondInteger;
  if (!isDer) throw new Error(`not a footer: ${bytes.toString('hex')}`);
  return length;
}

/**
 * The keys of a message's encryption context as they stand in its bytes.
 * @param {Uint8Array} message
 * @param {Suite} suite
 * @returns {Buffer[]}
 */
export function contextKeysOnTheWire(message, suite) {
  const bytes = Buffer.from(message.buffer, message.byteOffset, message.byteLength);
  let at = suite.version === 1 ? 4 + 16 : 3 + 32;
  const length = bytes.readUInt16BE(at);
  if (length === 0) return [];
  const count = bytes.readUInt16BE(at + 2);
  at += 4;
  const keys = [];
  for (let i = 0; i < count; i++) {
    const keyLength = bytes.readUInt16BE(at);
    keys.push(bytes.subarray(at + 2, at + 2 + keyLength));
    at += 2 + keyLength;
    at += 2 + bytes.readUInt16BE(at);
  }
  return keys;
}

/** @param {string} text */
function utf8Length(text) {
  return Buffer.byteLength(text, 'utf8');
}

/** @param {readonly number[]} numbers */
function sum(numbers) {
  return numbers.reduce((total, n) => total + n, 0);
}
