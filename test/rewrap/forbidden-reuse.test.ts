/**
 * Why an added wrapping key needs a sidecar or a new message id: a second header under one derived key and one nonce
 * gives away the hash key of GCM, and with it every frame. And that nothing here ever writes such a pair.
 */
import { createCipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  type AlgorithmSuite,
  addWrappingKeys,
  algorithmSuite,
  cachingCmm,
  decrypt,
  type EncryptedDataKey,
  encrypt,
  encryptStream,
  FramesealError,
  type Keyring,
  type MessageHeader,
  multiKeyring,
  parseHeader,
  type RewrapOptions,
  rewrap,
  rewrapStream,
} from '../../src/index.ts';
import { ALGORITHM_SUITES } from '../../src/suite/algorithm-suites.ts';
import { forgeFrame, ghash, hashKeyCandidates, polynomialWithRoots, roots } from '../support/ghash-attack.ts';
import { aesKeyring, failureCode, policyFor, SUITE_ROWS } from '../support/messages.ts';
import { through } from '../support/streams.ts';

const KNOWN = 'attack at dawn! ';
const WANTED = 'retreat at noon!';
const REST = 'and then tell nobody';
const PLAINTEXT: Uint8Array = new TextEncoder().encode(KNOWN + REST);
const FRAME_LENGTH = KNOWN.length;

const UNSIGNED_ROWS = SUITE_ROWS.filter(([, suite]) => suite.signature === undefined);
const [OLD, NEW, THIRD] = [aesKeyring(1), aesKeyring(2), aesKeyring(3)];
const ANY_OF_THEM = multiKeyring({ children: [OLD, NEW, THIRD] });

const u16 = (value: number) => Buffer.from([value >> 8, value & 255]);
const sized = (bytes: Uint8Array) => Buffer.concat([u16(bytes.length), bytes]);
const xor = (a: Uint8Array, b: Uint8Array) => Uint8Array.from(a, (byte, i) => byte ^ b[i]!);
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const randomElement = () => Uint32Array.from({ length: 4 }, () => randomBytes(4).readUInt32BE());

/** A message as a stranger sees it. */
interface Seen {
  readonly message: Uint8Array;
  readonly header: MessageHeader;
  readonly suite: AlgorithmSuite;
  /** What the header tag authenticates. */
  readonly body: Uint8Array;
  readonly tag: Uint8Array;
}

/** A message with the keys that its reader has. */
interface Opened extends Seen {
  readonly dataKey: Buffer;
  readonly derivedKey: Buffer;
}

describe('the arithmetic of the attack', () => {
  it('is that of GCM: a tag is the GHASH of what it authenticates, masked by the encrypted nonce', () => {
    for (const length of [0, 16, 33, 100]) {
      const [key, nonce, aad] = [randomBytes(32), randomBytes(12), randomBytes(length >> 1)];
      const sealed = gcm(key, nonce, aad, randomBytes(length));
      const [ciphertext, tag] = [sealed.subarray(0, length), sealed.subarray(length)];
      const mask = block(key, Buffer.concat([nonce, Buffer.from([0, 0, 0, 1])]));
      expect(xor(ghash(hashKeyOf(key), aad, ciphertext), mask)).toEqual(new Uint8Array(tag));
    }
  });

  it('finds every root of a polynomial once', () => {
    const texts = (elements: readonly Uint32Array[]) => elements.map((element) => element.join()).sort();
    const neighbours = [0, 1, 2, 3].map((last) => Uint32Array.of(5, 6, 7, last));
    const random = [1, 2, 9, 30].map((count) => Array.from({ length: count }, randomElement));
    for (const elements of [[], [new Uint32Array(4)], neighbours, ...random]) {
      const repeated = elements.slice(0, 3);
      expect(texts(roots(polynomialWithRoots([...elements, ...repeated])))).toEqual(texts(elements));
    }
  });

  it('finds the hash key from two tags under one key and nonce, and few others', () => {
    const [key, nonce] = [randomBytes(16), randomBytes(12)];
    for (const length of [20, 300, 900]) {
      const aads = [randomBytes(length), randomBytes(20)] as const;
      const tags = aads.map((aad) => gcm(key, nonce, aad, Buffer.alloc(0)));
      const candidates = hashKeyCandidates(aads[0], tags[0]!, aads[1], tags[1]!);
      expect(candidates).toContainEqual(hashKeyOf(key));
      for (const candidate of candidates) {
        const [one, other] = aads.map((aad) => ghash(candidate, aad, Buffer.alloc(0)));
        expect(xor(one!, other!)).toEqual(xor(new Uint8Array(tags[0]!), tags[1]!));
      }
    }
  });
});

describe('two headers under one derived key and one nonce', () => {
  it.each(SUITE_ROWS)('%s: give away the hash key', async (_, suite) => {
    const first = await open(await write(suite));
    const second = see(await addKeyTheForbiddenWay(first, NEW));
    const candidates = hashKeyCandidates(first.body, first.tag, second.body, second.tag);
    expect(candidates).toContainEqual(hashKeyOf(first.derivedKey));
  });

  it.each(UNSIGNED_ROWS)('%s: both open, and whoever has both writes a third', async (_, suite) => {
    const first = await write(suite);
    const second = await addKeyTheForbiddenWay(await open(first), NEW);
    expect(await textOf(first, OLD)).toBe(KNOWN + REST);
    expect(await textOf(second, OLD)).toBe(KNOWN + REST);
    expect(await textOf(second, NEW)).toBe(KNOWN + REST);

    const forged: string[] = [];
    for (const forgery of forgeries(see(first), see(second))) {
      const text = await textOf(forgery, OLD).catch(() => undefined);
      if (text !== undefined) forged.push(text);
    }
    expect(forged).toEqual([WANTED + REST]);
  });
});

describe('what is written from one message', () => {
  it.each(SUITE_ROWS)(
    '%s: under cached data keys and rewrapped in every way, holds no such pair',
    async (_, suite) => {
      const messages = await cached(suite);
      messages.push(...(await rewrapped(messages[0]!, suite)));
      const opened = await Promise.all(messages.map(open));
      expect(messages.length).toBeGreaterThan(8);
      expect(new Set(opened.map(({ header }) => hex(header.messageId))).size).toBe(messages.length);
      expect(new Set(opened.map(({ derivedKey }) => hex(derivedKey))).size).toBe(messages.length);
      expectWrappingIvsUsedOnce(opened.flatMap(({ header }) => header.encryptedDataKeys));

      const all = pairs(opened);
      const sharing = all.filter(([one, other]) => one.dataKey.equals(other.dataKey));
      expect(sharing).toHaveLength(sharingPairs(suite));
      for (const [one, other] of sharing) expect(one.suite).toBe(other.suite);
      for (const pair of all) expectNoEquation(...pair);
      const attacked = all.filter((pair) => pair[0] === opened[0] || sharing.includes(pair));
      for (const pair of attacked) await expectNoForgery(...pair);
    },
  );

  it.each(SUITE_ROWS)('%s: with sidecars, is one message and no further tag', async (_, suite) => {
    const message = await write(suite);
    const untouched = new Uint8Array(message);
    const options = { keyring: OLD, commitmentPolicy: policyFor(suite) };
    const one = (await addWrappingKeys(message, { ...options, add: NEW })).sidecar;
    const merged = (await addWrappingKeys(message, { ...options, sidecar: one, add: THIRD })).sidecar;
    const again = (await addWrappingKeys(message, { ...options, sidecar: [one, merged], add: aesKeyring(4) }))
      .sidecar;
    expect(message).toEqual(untouched);

    const opened = await open(message);
    const edks = [one, merged, again].flatMap((sidecar) => sidecarKeys(sidecar, opened));
    expectWrappingIvsUsedOnce([...opened.header.encryptedDataKeys, ...edks]);
    for (const sidecar of [one, merged, again]) {
      const { plaintext } = await decrypt(message, { ...options, keyring: NEW, sidecar });
      expect(plaintext).toEqual(new Uint8Array(PLAINTEXT));
    }
  });
});

/** A message of this suite under {@link OLD}, in several frames. */
async function write(suite: AlgorithmSuite): Promise<Uint8Array> {
  return (await encrypt(PLAINTEXT, { keyring: OLD, ...writing(suite) })).ciphertext;
}

function writing(suite: AlgorithmSuite) {
  return { algorithmSuite: suite.id, commitmentPolicy: policyFor(suite), frameLength: FRAME_LENGTH };
}

/** Messages of one manager that keeps its data key. */
async function cached(suite: AlgorithmSuite): Promise<Uint8Array[]> {
  const options = { cmm: cachingCmm({ keyring: OLD, maxAgeSeconds: 60 }), ...writing(suite) };
  const [first, second] = await Promise.all([encrypt(PLAINTEXT, options), encrypt(PLAINTEXT, options)]);
  const third = await through(encryptStream({ ...options, plaintextLength: PLAINTEXT.length }), [PLAINTEXT]);
  return [first.ciphertext, second.ciphertext, third.bytes];
}

/** The message rewrapped with each combination of options, in one shot and streamed; without those that are refused. */
async function rewrapped(message: Uint8Array, suite: AlgorithmSuite): Promise<Uint8Array[]> {
  const cmm = cachingCmm({ keyring: OLD, maxAgeSeconds: 60 });
  const results: Uint8Array[] = [];
  for (const how of waysToRewrap(suite)) {
    const options = { cmm, to: NEW, commitmentPolicy: policyFor(suite), ...how };
    results.push(...(await unlessRefused(async () => (await rewrap(message, options)).ciphertext)));
    results.push(...(await unlessRefused(() => streamed(rewrapStream(options), message))));
  }
  return results;
}

/** Each wish about keys; every other suite that the policy lets be written; and a policy that asks for another. */
function waysToRewrap(suite: AlgorithmSuite): Partial<RewrapOptions>[] {
  const keys = [true, false].flatMap((keepExisting) =>
    [true, false, undefined].map((freshDataKey) => ({ keepExisting, freshDataKey })),
  );
  const others = ALGORITHM_SUITES.filter((other) => other !== suite && other.committing === suite.committing);
  const suites = others.flatMap(({ id }) => [
    { algorithmSuite: id },
    { algorithmSuite: id, freshDataKey: false },
  ]);
  const policy = { commitmentPolicy: 'REQUIRE_ENCRYPT_ALLOW_DECRYPT' } as const;
  return suite.committing ? [...keys, ...suites] : [...keys, ...suites, policy];
}

/** Of three messages under one cached data key, and eight rewrapped ones of an unsigned suite that keep it. */
function sharingPairs({ kdf, signature }: AlgorithmSuite): number {
  const sharing = kdf === undefined ? 1 : signature ? 3 : 3 + 8;
  return (sharing * (sharing - 1)) / 2;
}

async function streamed(stream: ReturnType<typeof rewrapStream>, message: Uint8Array): Promise<Uint8Array> {
  const { bytes, error } = await through(stream, [message]);
  if (error) throw error;
  return bytes;
}

/** Nothing if the options cannot be met for this suite. */
async function unlessRefused(work: () => Promise<Uint8Array>): Promise<Uint8Array[]> {
  try {
    return [await work()];
  } catch (error) {
    if (error instanceof FramesealError && ['INVALID_ARGUMENT', 'UNSUPPORTED'].includes(error.code))
      return [];
    throw error;
  }
}

/** The plaintext as text, if this keyring opens the message. */
async function textOf(message: Uint8Array, keyring: Keyring): Promise<string> {
  const commitmentPolicy = policyFor(see(message).suite);
  const { plaintext } = await decrypt(message, { keyring, commitmentPolicy });
  return new TextDecoder().decode(plaintext);
}

function see(message: Uint8Array): Seen {
  const header = parseHeader(message);
  const suite = algorithmSuite(header.suiteId);
  const tagAt = header.headerLength - 16;
  const body = message.subarray(0, suite.messageVersion === 1 ? tagAt - 12 : tagAt);
  return { message, header, suite, body, tag: message.subarray(tagAt, header.headerLength) };
}

/** Decrypts a message, and looks at the data key on its way. */
async function open(message: Uint8Array): Promise<Opened> {
  const seen = see(message);
  let dataKey = Buffer.alloc(0);
  const spy: Keyring = {
    onEncrypt: (materials, options) => ANY_OF_THEM.onEncrypt(materials, options),
    onDecrypt: async (materials, edks, options) => {
      const answer = await ANY_OF_THEM.onDecrypt(materials, edks, options);
      dataKey = Buffer.from(answer.plaintextDataKey!);
      return answer;
    },
  };
  expect(await textOf(message, spy)).toBe(KNOWN + REST);
  return { ...seen, dataKey, derivedKey: derive(seen.suite, dataKey, seen.header.messageId) };
}

/** The key of header and frames: `framework/transitive-requirements.md`. */
function derive(suite: AlgorithmSuite, dataKey: Buffer, messageId: Uint8Array): Buffer {
  if (suite.kdf === undefined) return dataKey;
  const salt = suite.committing ? messageId : Buffer.alloc(0);
  const info = Buffer.concat([u16(suite.id), suite.committing ? Buffer.from('DERIVEKEY') : messageId]);
  const digest = suite.kdf.toLowerCase().replace('-', '');
  return Buffer.from(hkdfSync(digest, dataKey, salt, info, suite.keyLength));
}

/** The message with one more encrypted data key, its header authenticated once more with the same key and zero IV. */
async function addKeyTheForbiddenWay(
  { message, header, ...opened }: Opened,
  keyring: Keyring,
): Promise<Uint8Array> {
  const { suite, body, dataKey, derivedKey } = opened;
  const { encryptedDataKeys } = await keyring.onEncrypt(
    {
      algorithmSuite: suite,
      encryptionContext: header.encryptionContext,
      requiredEncryptionContextKeys: [],
      plaintextDataKey: dataKey,
      encryptedDataKeys: [],
    },
    {},
  );
  const contextAt = suite.messageVersion === 1 ? 20 : 35;
  const countAt = contextAt + 2 + Buffer.from(body).readUInt16BE(contextAt);
  const edksEnd = body.length - (suite.messageVersion === 1 ? 1 + 4 + 1 + 4 : 1 + 4 + 32);
  const changed = Buffer.concat([
    body.subarray(0, countAt),
    u16(header.encryptedDataKeys.length + 1),
    body.subarray(countAt + 2, edksEnd),
    encodeKey(encryptedDataKeys[0]!),
    body.subarray(edksEnd),
  ]);
  const iv = Buffer.alloc(12);
  const tag = gcm(derivedKey, iv, changed, Buffer.alloc(0));
  const authentication = suite.messageVersion === 1 ? [iv, tag] : [tag];
  return Buffer.concat([changed, ...authentication, message.subarray(header.headerLength)]);
}

function encodeKey({ providerId, providerInfo, ciphertext }: EncryptedDataKey): Buffer {
  return Buffer.concat([sized(Buffer.from(providerId)), sized(providerInfo), sized(ciphertext)]);
}

/** From two versions of a message, without any key: the first with another first frame, for each candidate hash key. */
function forgeries({ message, header, ...one }: Seen, other: Seen): Uint8Array[] {
  const candidates = hashKeyCandidates(one.body, one.tag, other.body, other.tag);
  const at = header.headerLength + 4 + 12;
  const ciphertext = message.subarray(at, at + FRAME_LENGTH);
  const tag = message.subarray(at + FRAME_LENGTH, at + FRAME_LENGTH + 16);
  const numbers = Buffer.from([0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, FRAME_LENGTH]);
  const aad = Buffer.concat([header.messageId, Buffer.from('AWSKMSEncryptionClient Frame'), numbers]);
  const wanted = xor(ciphertext, xor(Buffer.from(KNOWN), Buffer.from(WANTED)));
  return candidates.map((hashKey) => {
    const forgery = new Uint8Array(message);
    forgery.set(forgeFrame(hashKey, aad, ciphertext, tag, wanted), at);
    return forgery;
  });
}

/** Neither message's hash key solves the equation that the two tags would give under one key and nonce. */
function expectNoEquation(one: Opened, other: Opened): void {
  for (const { derivedKey } of [one, other]) {
    const hashKey = hashKeyOf(derivedKey);
    const [a, b] = [one, other].map(({ body }) => ghash(hashKey, body, Buffer.alloc(0)));
    expect(hex(xor(a!, b!))).not.toBe(hex(xor(one.tag, other.tag)));
  }
}

/** What the attack makes of the two does not open. */
async function expectNoForgery(one: Opened, other: Opened): Promise<void> {
  for (const forgery of forgeries(one, other)) {
    expect(await failureCode(textOf(forgery, ANY_OF_THEM))).toBe('AUTHENTICATION_FAILED');
  }
}

/** An IV of a wrapping key occurs twice only where the very same encrypted data key was kept. */
function expectWrappingIvsUsedOnce(edks: readonly EncryptedDataKey[]): void {
  const wrapped = new Map<string, string>();
  for (const { providerInfo, ciphertext } of edks) {
    const before = wrapped.get(hex(providerInfo)) ?? hex(ciphertext);
    expect(before).toBe(hex(ciphertext));
    wrapped.set(hex(providerInfo), before);
  }
}

/**
 * The encrypted data keys of a sidecar, which consists of what binds it to its message, these keys and an HMAC, and of
 * nothing else.
 */
function sidecarKeys(sidecar: Uint8Array, { suite, header, body, dataKey }: Opened): EncryptedDataKey[] {
  const commitKey = suite.committing ? body.subarray(-32) : Buffer.alloc(0);
  const start = Buffer.concat([Buffer.from('FSSC\x01'), u16(suite.id), header.messageId, commitKey]);
  const [authenticated, mac] = [sidecar.subarray(0, -64), sidecar.subarray(-64)];
  const bytes = Buffer.from(authenticated);
  expect(hex(bytes.subarray(0, start.length))).toBe(hex(start));

  let at = start.length + 2;
  const take = () => {
    const from = at + 2;
    at = from + bytes.readUInt16BE(at);
    return new Uint8Array(bytes.subarray(from, at));
  };
  const edks = Array.from({ length: bytes.readUInt16BE(start.length) }, () => ({
    providerId: Buffer.from(take()).toString(),
    providerInfo: take(),
    ciphertext: take(),
  }));
  expect(at).toBe(bytes.length);

  const info = Buffer.concat([u16(suite.id), sized(header.messageId), sized(commitKey)]);
  const macKey = Buffer.from(hkdfSync('sha512', dataKey, 'frameseal sidecar v1', info, 64));
  expect(hex(mac)).toBe(createHmac('sha512', macKey).update(bytes).digest('hex'));
  return edks;
}

function pairs<T>(all: readonly T[]): [T, T][] {
  return all.flatMap((one, i) => all.slice(i + 1).map((other): [T, T] => [one, other]));
}

/** H of this key: the encrypted zero block. */
function hashKeyOf(key: Uint8Array): Uint8Array {
  return block(key, Buffer.alloc(16));
}

function block(key: Uint8Array, plaintext: Uint8Array): Uint8Array {
  const cipher = createCipheriv(`aes-${key.length * 8}-ecb`, key, null).setAutoPadding(false);
  return new Uint8Array(Buffer.concat([cipher.update(plaintext), cipher.final()]));
}

/** Ciphertext and tag. */
function gcm(key: Uint8Array, iv: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Buffer {
  const cipher = createCipheriv(`aes-${key.length * 8}-gcm` as 'aes-256-gcm', key, iv).setAAD(aad);
  return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}
