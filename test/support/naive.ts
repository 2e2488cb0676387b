/**
 * A second, deliberately naive writer of messages, on `node:crypto` alone: an oracle for the library's own writer, and
 * the way to write messages that it would not (other IVs, non-framed bodies, frames out of order).
 */
import { createCipheriv, createECDH, createPrivateKey, hkdfSync, randomBytes, sign } from 'node:crypto';
import type { AlgorithmSuite } from '../../src/suite/algorithm-suites.ts';

/** A frame to write. */
export interface NaiveFrame {
  readonly sequenceNumber: number;
  readonly plaintext: Uint8Array;
  readonly final: boolean;
  /** Default: the sequence number. */
  readonly iv?: Uint8Array;
}

/** A message to write. */
export interface NaiveMessage {
  readonly suite: AlgorithmSuite;
  readonly wrappingKey: Uint8Array;
  readonly keyNamespace: string;
  readonly keyName: string;
  readonly context?: Readonly<Record<string, string>>;
  readonly frameLength: number;
  /** Frames, or the plaintext of a non-framed body. */
  readonly body: readonly NaiveFrame[] | Uint8Array;
  /** Default: zero. Version 1 alone. */
  readonly headerIv?: Uint8Array;
  readonly dataKey?: Uint8Array;
  readonly messageId?: Uint8Array;
  /** Changes the signature. */
  readonly spoilSignature?: boolean;
}

const u16 = (value: number) => Buffer.from([value >> 8, value & 255]);
const u32 = (value: number) => Buffer.from(new Uint32Array([value]).buffer).swap32();
const u64 = (value: number) => Buffer.concat([u32(Math.floor(value / 2 ** 32)), u32(value >>> 0)]);
const sized = (bytes: Uint8Array) => Buffer.concat([u16(bytes.length), bytes]);
const ivOf = (sequenceNumber: number) => Buffer.concat([Buffer.alloc(8), u32(sequenceNumber)]);

/** The plaintext cut into frames as the library cuts it. */
export function frames(plaintext: Uint8Array, frameLength: number): NaiveFrame[] {
  const count = Math.max(1, Math.ceil(plaintext.length / frameLength));
  return Array.from({ length: count }, (_, i) => ({
    sequenceNumber: i + 1,
    plaintext: plaintext.subarray(i * frameLength, (i + 1) * frameLength),
    final: i === count - 1,
  }));
}

/** The message. */
export function writeNaively(message: NaiveMessage): Uint8Array<ArrayBuffer> {
  const { suite } = message;
  const ecdh = suite.signature && createECDH(suite.signature.curve === 'P-256' ? 'prime256v1' : 'secp384r1');
  const context: Record<string, string> = { ...message.context };
  if (ecdh) context['aws-crypto-public-key'] = ecdh.generateKeys('base64', 'compressed');
  const aad = serialize(context);
  const dataKey = message.dataKey ?? randomBytes(suite.keyLength);
  const messageId = message.messageId ?? randomBytes(suite.messageIdLength);
  const { key, commitKey } = derive(suite, dataKey, messageId);
  const wrapIv = randomBytes(12);
  const info = Buffer.concat([Buffer.from(message.keyName), u32(128), u32(12), wrapIv]);
  const edk = [
    sized(Buffer.from(message.keyNamespace)),
    sized(info),
    sized(gcm(message.wrappingKey, wrapIv, aad, dataKey)),
  ];
  const framed = Array.isArray(message.body);
  const header = Buffer.concat([
    suite.messageVersion === 1 ? Buffer.from([1, 0x80]) : Buffer.from([2]),
    u16(suite.id),
    messageId,
    sized(aad),
    u16(1),
    ...edk,
    Buffer.from([framed ? 2 : 1]),
    suite.messageVersion === 1 ? Buffer.from([0, 0, 0, 0, 12]) : Buffer.alloc(0),
    u32(framed ? message.frameLength : 0),
    commitKey,
  ]);
  const headerIv = Buffer.from(message.headerIv ?? new Uint8Array(12));
  const auth = [
    suite.messageVersion === 1 ? headerIv : Buffer.alloc(0),
    gcm(key, headerIv, header, Buffer.alloc(0)),
  ];
  const body = framed
    ? (message.body as readonly NaiveFrame[]).map((frame) => writeFrame(key, messageId, frame))
    : [writeSingleBlock(key, messageId, message.body as Uint8Array)];
  const unsigned = Buffer.concat([header, ...auth, ...body]);
  if (!ecdh) return new Uint8Array(unsigned);
  const signature = sign(
    suite.signature!.hash === 'SHA-256' ? 'sha256' : 'sha384',
    unsigned,
    privateKeyOf(ecdh, suite),
  );
  if (message.spoilSignature) signature[signature.length - 1]! ^= 1;
  return new Uint8Array(Buffer.concat([unsigned, sized(signature)]));
}

function writeFrame(key: Uint8Array, messageId: Uint8Array, frame: NaiveFrame): Buffer {
  const { sequenceNumber, plaintext, final } = frame;
  const iv = Buffer.from(frame.iv ?? ivOf(sequenceNumber));
  const text = Buffer.from(`AWSKMSEncryptionClient ${final ? 'Final ' : ''}Frame`);
  const aad = Buffer.concat([messageId, text, u32(sequenceNumber), u64(plaintext.length)]);
  const start = final
    ? [u32(0xffffffff), u32(sequenceNumber), iv, u32(plaintext.length)]
    : [u32(sequenceNumber), iv];
  return Buffer.concat([...start, gcm(key, iv, aad, plaintext)]);
}

function writeSingleBlock(key: Uint8Array, messageId: Uint8Array, plaintext: Uint8Array): Buffer {
  const iv = randomBytes(12);
  const text = Buffer.from('AWSKMSEncryptionClient Single Block');
  const aad = Buffer.concat([messageId, text, u32(1), u64(plaintext.length)]);
  return Buffer.concat([iv, u64(plaintext.length), gcm(key, iv, aad, plaintext)]);
}

function derive(
  suite: AlgorithmSuite,
  dataKey: Uint8Array,
  messageId: Uint8Array,
): { key: Buffer; commitKey: Buffer } {
  const id = u16(suite.id);
  const none = Buffer.alloc(0);
  if (suite.kdf === undefined) return { key: Buffer.from(dataKey), commitKey: none };
  const digest = suite.kdf.toLowerCase().replace('-', '');
  const hkdf = (salt: Uint8Array, info: Uint8Array, length: number) =>
    Buffer.from(hkdfSync(digest, dataKey, salt, info, length));
  if (!suite.committing)
    return { key: hkdf(none, Buffer.concat([id, messageId]), suite.keyLength), commitKey: none };
  return {
    key: hkdf(messageId, Buffer.concat([id, Buffer.from('DERIVEKEY')]), 32),
    commitKey: hkdf(messageId, Buffer.from('COMMITKEY'), 32),
  };
}

function gcm(key: Uint8Array, iv: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Buffer {
  const cipher = createCipheriv(`aes-${key.length * 8}-gcm` as 'aes-256-gcm', key, iv);
  cipher.setAAD(aad);
  return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

function serialize(context: Readonly<Record<string, string>>): Buffer {
  const pairs = Object.entries(context).map(
    ([key, value]) => [Buffer.from(key), Buffer.from(value)] as const,
  );
  if (pairs.length === 0) return Buffer.alloc(0);
  pairs.sort(([a], [b]) => Buffer.compare(a, b));
  return Buffer.concat([u16(pairs.length), ...pairs.flatMap(([key, value]) => [sized(key), sized(value)])]);
}

function privateKeyOf(ecdh: ReturnType<typeof createECDH>, suite: AlgorithmSuite) {
  const point = ecdh.getPublicKey();
  const n = suite.signature!.scalarLength;
  const d = Buffer.alloc(n);
  const scalar = ecdh.getPrivateKey();
  scalar.copy(d, n - scalar.length);
  const part = (bytes: Buffer) => bytes.toString('base64url');
  const jwk = {
    kty: 'EC',
    crv: suite.signature!.curve,
    d: part(d),
    x: part(point.subarray(1, 1 + n)),
    y: part(point.subarray(1 + n)),
  };
  return createPrivateKey({ key: jwk, format: 'jwk' });
}
