// The cryptography of a small message as bare node:crypto calls, as one would write them: random bytes, the wrapped key, two
// HKDF outputs by HMAC, the header's tag, one frame, and for signed suites a key pair, its public key as
// SubjectPublicKeyInfo, and a signature. No format, and fixed bytes where a header would be. One at a time, or with key
// pairs and signatures by the thread pool.
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createPublicKey,
  generateKeyPair,
  generateKeyPairSync,
  randomBytes,
  sign,
  timingSafeEqual,
  verify,
} from 'node:crypto';
import { promisify } from 'node:util';

const wrappingKey = randomBytes(32);
const context = Buffer.alloc(60, 1);
const headerBody = Buffer.alloc(300, 2);
const headerIv = Buffer.alloc(12);
const frameIv = Buffer.alloc(12, 1);
const frameAad = Buffer.alloc(78, 3);
const nothing = Buffer.alloc(0);
/** Everything of SubjectPublicKeyInfo (RFC 5480) before a compressed point of P-384. */
const SPKI = Buffer.from('3046301006072a8648ce3d020106052b81040022033200', 'hex');

const CURVE = { namedCurve: 'P-384' };
const [generateInPool, signInPool, verifyInPool] = [generateKeyPair, sign, verify].map((one) =>
  promisify(one),
);
const name = 'bare node:crypto calls';

export const bareCalls = (signed) =>
  signed ? { name, encrypt: writeSigned, decrypt: readSigned } : { name, encrypt: write, decrypt: read };

/** For many messages at once. */
export const bareCallsInPool = (signed) =>
  signed ? { name, encrypt: writeSignedInPool, decrypt: readSignedInPool } : bareCalls(false);

function writeSigned(plaintext) {
  const { publicKey, privateKey } = generateKeyPairSync('ec', CURVE);
  const message = { ...write(plaintext), point: compressed(publicKey) };
  return { ...message, signature: sign('sha384', message.body, privateKey) };
}

async function writeSignedInPool(plaintext) {
  const { publicKey, privateKey } = await generateInPool('ec', CURVE);
  const message = { ...write(plaintext), point: compressed(publicKey) };
  return { ...message, signature: await signInPool('sha384', message.body, privateKey) };
}

function readSigned(message) {
  const plaintext = read(message);
  mustHold(verify('sha384', message.body, publicKeyOf(message.point), message.signature));
  return plaintext;
}

async function readSignedInPool(message) {
  const plaintext = read(message);
  mustHold(await verifyInPool('sha384', message.body, publicKeyOf(message.point), message.signature));
  return plaintext;
}

function mustHold(good) {
  if (!good) throw new Error('bare calls: the signature does not hold');
}

function write(plaintext) {
  const random = randomBytes(76);
  const [dataKey, wrappingIv, messageId] = [
    random.subarray(0, 32),
    random.subarray(32, 44),
    random.subarray(44),
  ];
  const wrapped = seal(wrappingKey, wrappingIv, context, dataKey);
  const { key, commitKey } = derive(dataKey, messageId);
  const headerTag = seal(key, headerIv, headerBody, nothing);
  const body = Buffer.concat([headerBody, headerTag, seal(key, frameIv, frameAad, plaintext)]);
  return { messageId, wrappingIv, wrapped, commitKey, body };
}

function read({ messageId, wrappingIv, wrapped, commitKey, body }) {
  const derived = derive(open(wrappingKey, wrappingIv, context, wrapped), messageId);
  const { length } = headerBody;
  if (!timingSafeEqual(derived.commitKey, commitKey)) throw new Error('bare calls: not this key');
  open(derived.key, headerIv, body.subarray(0, length), body.subarray(length, length + 16));
  return open(derived.key, frameIv, frameAad, body.subarray(length + 16));
}

function derive(dataKey, messageId) {
  const pseudorandom = createHmac('sha512', messageId).update(dataKey).digest();
  const output = (info) => createHmac('sha512', pseudorandom).update(info).digest().subarray(0, 32);
  return { commitKey: output('COMMITKEY\x01'), key: output('\x04\x78DERIVEKEY\x01') };
}

function seal(key, iv, aad, plaintext) {
  const cipher = createCipheriv('aes-256-gcm', key, iv);
  cipher.setAAD(aad);
  return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

function open(key, iv, aad, sealed) {
  const decipher = createDecipheriv('aes-256-gcm', key, iv);
  decipher.setAAD(aad);
  decipher.setAuthTag(sealed.subarray(-16));
  return Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()]);
}

// The point is the end of the DER: its coordinates have 48 bytes each.
function compressed(publicKey) {
  const point = publicKey.export({ format: 'der', type: 'spki' }).subarray(-96);
  return Buffer.concat([Buffer.from([2 + (point[95] & 1)]), point.subarray(0, 48)]);
}

function publicKeyOf(point) {
  return createPublicKey({ key: Buffer.concat([SPKI, point]), format: 'der', type: 'spki' });
}
