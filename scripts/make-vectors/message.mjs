/**
 * Writes one message, plainly and by the specification alone: nothing here is shared with the library, so that the
 * messages are an independent witness. Every field can be overridden, and everything behind it stays right: tags are
 * computed over what stands before them, so that a message carries one fault and no other.
 */
import { createCipheriv, createECDH, createPrivateKey, hkdfSync, sign } from 'node:crypto';
import { draw } from './draw.mjs';

const P256 = { name: 'prime256v1', jwk: 'P-256', hash: 'sha256', bytes: 32 };
const P384 = { name: 'secp384r1', jwk: 'P-384', hash: 'sha384', bytes: 48 };

/** Suites by id: version, key length, HKDF hash, curve. */
export const SUITES = {
  '0014': { version: 1, key: 16 },
  '0046': { version: 1, key: 24 },
  '0078': { version: 1, key: 32 },
  '0114': { version: 1, key: 16, kdf: 'sha256' },
  '0146': { version: 1, key: 24, kdf: 'sha256' },
  '0178': { version: 1, key: 32, kdf: 'sha256' },
  '0214': { version: 1, key: 16, kdf: 'sha256', curve: P256 },
  '0346': { version: 1, key: 24, kdf: 'sha384', curve: P384 },
  '0378': { version: 1, key: 32, kdf: 'sha384', curve: P384 },
  '0478': { version: 2, key: 32, kdf: 'sha512' },
  '0578': { version: 2, key: 32, kdf: 'sha512', curve: P384 },
};

export const FRAME = 'AWSKMSEncryptionClient Frame';
export const FINAL_FRAME = 'AWSKMSEncryptionClient Final Frame';
export const SINGLE_BLOCK = 'AWSKMSEncryptionClient Single Block';

const ZERO_IV = Buffer.alloc(12);

/**
 * @param {object} spec `suite` and `name` at least; see the defaults below for what may be overridden.
 * @returns {{ bytes: Buffer, marks: Record<string, number>, spec: object }} the message, and where its parts begin.
 */
export function makeMessage(spec) {
  const plan = withDefaults(spec);
  const headerBody = writeHeader(plan);
  const iv = plan.headerIv ?? ZERO_IV;
  const { tag } = gcm(plan.key, iv, Buffer.concat([headerBody, serialize(plan.unstored)]), Buffer.alloc(0));
  const headerAuth = plan.version === 1 ? Buffer.concat([iv, tag]) : tag;
  const sealed = plan.frameLength === 0 ? [sealBlock(plan)] : framesOf(plan).map((f) => sealFrame(plan, f));
  const body = Buffer.concat(plan.editFrames ? plan.editFrames(sealed, plan) : sealed);
  const signed = Buffer.concat([headerBody, headerAuth, body]);
  const footer = plan.curve
    ? writeFooter(plan, signed, headerBody.length + headerAuth.length)
    : Buffer.alloc(0);
  const marks = {
    headerAuth: headerBody.length,
    body: headerBody.length + headerAuth.length,
    footer: signed.length,
    end: signed.length + footer.length,
  };
  const bytes = Buffer.concat([signed, footer]);
  return { bytes: plan.editBytes ? plan.editBytes(bytes, marks) : bytes, marks, spec: plan };
}

function withDefaults(spec) {
  const suite = SUITES[spec.suite];
  const messageId = draw(`${spec.name} message id`, suite.version === 1 ? 16 : 32);
  const dataKey = draw(`${spec.name} data key`, suite.key);
  const signing = suite.curve && signingKey(suite.curve, `${spec.name} signing key`);
  const full = { suite: spec.suite, messageId, dataKey, pairs: [], unstored: [], frameLength: 16, ...spec };
  const { key, commitKey } = derive(full.suite, full.dataKey, full.messageId);
  const publicKey = spec.publicKey ?? signing?.point.toString('base64');
  const pairs = publicKey === undefined ? full.pairs : [...full.pairs, ['aws-crypto-public-key', publicKey]];
  const edks = full.edks({ pairs: [...pairs, ...full.unstored], dataKey: full.wrappedKey ?? full.dataKey });
  return { version: suite.version, curve: suite.curve, signing, key, commitKey, ...full, pairs, edks };
}

/** The keys of a message under this data key. */
export function derive(id, dataKey, messageId) {
  const { kdf, key: length, version } = SUITES[id];
  const suiteId = Buffer.from(id, 'hex');
  if (!kdf) return { key: dataKey, commitKey: Buffer.alloc(0) };
  const hkdf = (salt, info, size) => Buffer.from(hkdfSync(kdf, dataKey, salt, info, size));
  if (version === 1) {
    return {
      key: hkdf(Buffer.alloc(0), Buffer.concat([suiteId, messageId]), length),
      commitKey: Buffer.alloc(0),
    };
  }
  return {
    key: hkdf(messageId, Buffer.concat([suiteId, Buffer.from('DERIVEKEY')]), length),
    commitKey: hkdf(messageId, Buffer.from('COMMITKEY'), 32),
  };
}

function writeHeader(plan) {
  const context = plan.contextField ?? serialize(plan.pairs);
  const edks = plan.edks.map(({ id, info, ciphertext }) =>
    Buffer.concat([sized(id), sized(info), sized(ciphertext)]),
  );
  return Buffer.concat([
    u8(plan.versionField ?? plan.version),
    plan.version === 1 ? u8(plan.type ?? 0x80) : Buffer.alloc(0),
    Buffer.from(plan.suiteField ?? plan.suite, 'hex'),
    plan.messageId,
    sized(context),
    u16(plan.edkCount ?? edks.length),
    ...edks,
    u8(plan.contentType ?? (plan.frameLength === 0 ? 1 : 2)),
    plan.version === 1 ? Buffer.concat([u32(plan.reserved ?? 0), u8(plan.ivLength ?? 12)]) : Buffer.alloc(0),
    u32(plan.frameLengthField ?? plan.frameLength),
    plan.commitField ?? plan.commitKey,
  ]);
}

/** A context: sorted by the bytes of the keys; empty is no bytes. */
export function serialize(pairs) {
  if (pairs.length === 0) return Buffer.alloc(0);
  const sorted = pairs.map((pair) => pair.map((text) => Buffer.from(text))).sort(([a], [b]) => a.compare(b));
  return rawContext(sorted);
}

/** A context of these pairs of bytes, as they come. */
export function rawContext(pairs, count = pairs.length) {
  return Buffer.concat([u16(count), ...pairs.flatMap(([key, value]) => [sized(key), sized(value)])]);
}

// The frames of a message as descriptions: the last full frame is the final one unless `emptyFinal`.
function framesOf(plan) {
  const { plaintext, frameLength } = plan;
  const full = plan.emptyFinal ? Math.ceil : (n) => Math.max(0, Math.ceil(n) - 1);
  const regular = full(plaintext.length / frameLength);
  const frames = Array.from({ length: regular + 1 }, (_, i) => ({
    seq: i + 1,
    final: i === regular,
    text: plaintext.subarray(i * frameLength, i === regular ? plaintext.length : (i + 1) * frameLength),
  }));
  return plan.planFrames ? plan.planFrames(frames, plan) : frames;
}

/** One frame. Its IV, and what is authenticated with it, may be overridden. */
export function sealFrame(plan, frame) {
  const { seq, final, text } = frame;
  const iv = frame.iv ?? Buffer.concat([Buffer.alloc(8), u32(seq)]);
  const aad = Buffer.concat([
    frame.aadId ?? plan.messageId,
    Buffer.from(frame.aadText ?? (final ? FINAL_FRAME : FRAME)),
    u32(frame.aadSeq ?? seq),
    u64(frame.aadLength ?? text.length),
  ]);
  const { ciphertext, tag } = gcm(plan.key, iv, aad, text);
  const head = final
    ? [u32(0xffffffff), u32(seq), iv, u32(frame.lengthField ?? text.length)]
    : [u32(seq), iv];
  return Buffer.concat([...head, ciphertext, tag]);
}

function sealBlock(plan) {
  const { plaintext, block = {} } = plan;
  const iv = block.iv ?? Buffer.concat([Buffer.alloc(8), u32(1)]);
  const aad = Buffer.concat([
    plan.messageId,
    Buffer.from(block.aadText ?? SINGLE_BLOCK),
    u32(block.aadSeq ?? 1),
    u64(plaintext.length),
  ]);
  const { ciphertext, tag } = gcm(plan.key, iv, aad, plaintext);
  return Buffer.concat([iv, u64(block.lengthField ?? plaintext.length), ciphertext, tag]);
}

function writeFooter(plan, signed, bodyAt) {
  const options = { key: plan.signing.privateKey, dsaEncoding: 'der' };
  const der = (bytes = signed, hash = plan.curve.hash, more = {}) =>
    sign(hash, bytes, { ...options, ...more });
  const signature = plan.signature ? plan.signature({ der, signed, bodyAt, plan }) : der();
  return Buffer.concat([u16(plan.footerLength ?? signature.length), signature]);
}

/** A key pair that is the same in every run. */
export function signingKey({ name, jwk, bytes }, label) {
  const ecdh = createECDH(name);
  const scalar = draw(label, bytes);
  scalar[0] &= 0x7f; // below the order
  ecdh.setPrivateKey(scalar);
  const point = ecdh.getPublicKey();
  const text = (b) => b.toString('base64url');
  const [x, y] = [point.subarray(1, 1 + bytes), point.subarray(1 + bytes)].map(text);
  const key = { kty: 'EC', crv: jwk, d: text(scalar), x, y };
  const compressed = ecdh.getPublicKey(null, 'compressed');
  return { privateKey: createPrivateKey({ key, format: 'jwk' }), point: compressed, uncompressed: point };
}

/** AES-GCM. */
export function gcm(key, iv, aad, plaintext) {
  const cipher = createCipheriv(`aes-${key.length * 8}-gcm`, key, iv);
  cipher.setAAD(aad);
  const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  return { ciphertext, tag: cipher.getAuthTag() };
}

export function sized(bytes) {
  return Buffer.concat([u16(bytes.length), bytes]);
}

function u8(value) {
  return Buffer.of(value);
}

export function u16(value) {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

export function u32(value) {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function u64(value) {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}
