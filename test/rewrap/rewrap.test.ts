/**
 * Finished messages under other keys: which data key, which suite, which header, who can read them.
 */
import { describe, expect, it } from 'vitest';
import {
  type AlgorithmSuite,
  ciphertextLength,
  type DecryptOptions,
  decrypt,
  encrypt,
  type Keyring,
  parseHeader,
  type RewrapOptions,
  type RewrapResult,
} from '../../src/index.ts';
import { aesKeyring, bytes, failure, failureCode, flip, policyFor, SUITE_ROWS } from '../support/messages.ts';
import { dataKeyOf, WAYS } from '../support/rewrap.ts';

const from = aesKeyring(1);
const to = aesKeyring(2);
const stranger = aesKeyring(3);
const PLAINTEXT = bytes(1000);
const ENGINES = ['auto', 'native', 'wasm', 'hybrid'] as const;

const MODES: readonly (readonly [string, Partial<RewrapOptions>])[] = [
  ['by default', {}],
  ['keepExisting', { keepExisting: true }],
  ['freshDataKey', { freshDataKey: true }],
  ['freshDataKey: false', { freshDataKey: false }],
];
const ROWS = MODES.flatMap(([mode, wishes]) => WAYS.map(([way, run]) => [mode, way, wishes, run] as const));

/** Whether the data key can stay: with a KDF, and not signed. */
const keeps = (suite: AlgorithmSuite) => suite.signature === undefined && suite.kdf !== undefined;

describe.each(SUITE_ROWS)('suite %s', (_, suite) => {
  const commitmentPolicy = policyFor(suite);
  const encryptionContext = { tenant: 'a', ключ: '値' };
  const written = async () => {
    const how = { commitmentPolicy, encryptionContext, algorithmSuite: suite.id, frameLength: 100 };
    return (await encrypt(PLAINTEXT, { keyring: from, ...how })).ciphertext;
  };
  const options = { keyring: from, to, commitmentPolicy };

  it.each(ROWS)('%s, %s', async (_, __, wishes, run) => {
    const old = await written();
    const before = old.slice();
    const work = run(old, { ...options, ...wishes });
    if (!keeps(suite) && (wishes.keepExisting || wishes.freshDataKey === false)) {
      expect((await failure(work)).code).toBe('UNSUPPORTED');
      return;
    }
    const result = await work;
    expect(old).toEqual(before);
    const kept = keeps(suite) && wishes.freshDataKey !== true;
    const remaining = wishes.keepExisting ? parseHeader(old).encryptedDataKeys : [];
    expect(result).toMatchObject({ dataKey: kept ? 'kept' : 'new', missingKeys: [] });
    expect(result.remaining).toEqual(remaining);
    expectHeader(result, old, suite);
    await expectReaders(result, wishes.keepExisting ? [from, to] : [to], { commitmentPolicy });
    const keys = [
      await dataKeyOf(old, from, { commitmentPolicy }),
      await dataKeyOf(result.ciphertext, to, { commitmentPolicy }),
    ];
    expect(Buffer.compare(keys[0]!, keys[1]!) === 0).toBe(kept);
  });

  it.each(WAYS)('%s, with another frame length', async (_, run) => {
    for (const frameLength of [1, 999, 1000, 65_536]) {
      const result = await run(await written(), { ...options, frameLength });
      expect(result.header.frameLength).toBe(frameLength);
      await expectReaders(result, [to], { commitmentPolicy });
    }
  });

  it.each(WAYS)('%s, with each suite that may be written', async (_, run) => {
    const old = await written();
    for (const [, other] of SUITE_ROWS.filter(([, { committing }]) => committing === suite.committing)) {
      for (const algorithmSuite of [other.id, other.name]) {
        const result = await run(old, { ...options, algorithmSuite });
        expect(result.header.suiteId).toBe(other.id);
        expect(result.dataKey).toBe(keeps(suite) && other === suite ? 'kept' : 'new');
        expectHeader(result, old, other);
        await expectReaders(result, [to], { commitmentPolicy });
      }
    }
  });

  it('two of one message are two messages: neither ids nor frames are alike', async () => {
    const old = await written();
    const messages = [old];
    for (const [, run] of WAYS) {
      for (const wishes of [{}, {}, { freshDataKey: true }]) {
        messages.push((await run(old, { ...options, ...wishes })).ciphertext);
      }
    }
    const headers = messages.map((message) => parseHeader(message));
    expect(new Set(headers.map(({ messageId }) => String(messageId))).size).toBe(messages.length);
    // One derived key and one IV would make the same ciphertext of the same plaintext.
    const firsts = messages.map((message, i) => {
      const at = headers[i]!.headerLength + 4 + 12;
      return String(message.subarray(at, at + 100));
    });
    expect(new Set(firsts).size).toBe(messages.length);
  });

  it.each(ENGINES)('engine %s', async (engine) => {
    for (const [, run] of WAYS) {
      for (const length of [0, 1, 100, 5000]) {
        const how = { commitmentPolicy, algorithmSuite: suite.id, engine, frameLength: 100 };
        const { ciphertext } = await encrypt(bytes(length), { keyring: from, ...how });
        const result = await run(ciphertext, { ...options, engine });
        const opened = await decrypt(result.ciphertext, { keyring: to, commitmentPolicy });
        expect(Buffer.compare(opened.plaintext, bytes(length))).toBe(0);
      }
    }
  });

  it.each(WAYS)('%s, again and again', async (_, run) => {
    let message: Uint8Array = await written();
    const ids = new Set([String(parseHeader(message).messageId)]);
    for (let i = 1; i <= 5; i++) {
      const link = { keyring: aesKeyring(i), to: aesKeyring(i + 1), commitmentPolicy };
      message = (await run(message, link)).ciphertext;
      ids.add(String(parseHeader(message).messageId));
    }
    expect(ids.size).toBe(6);
    const opened = await decrypt(message, { keyring: aesKeyring(6), commitmentPolicy });
    expect(opened.plaintext).toEqual(PLAINTEXT);
    expect({ ...opened.authenticatedContext }).toMatchObject({ tenant: 'a', ключ: '値' });
  });
});

function expectHeader(result: RewrapResult, old: Uint8Array, suite: AlgorithmSuite): void {
  const { header, ciphertext, remaining } = result;
  const before = parseHeader(old);
  expect(parseHeader(ciphertext)).toEqual(header);
  expect(header).toMatchObject({ suiteId: suite.id, contentType: 'framed', frameLength: before.frameLength });
  expect(header.messageId).not.toEqual(before.messageId);
  expect(header.encryptedDataKeys.slice(0, -1)).toEqual(remaining);
  const { 'aws-crypto-public-key': oldKey, ...pairs } = before.encryptionContext;
  const { 'aws-crypto-public-key': newKey, ...samePairs } = header.encryptionContext;
  expect(samePairs).toEqual(pairs);
  expect(newKey === undefined).toBe(suite.signature === undefined);
  if (newKey !== undefined) expect(newKey).not.toBe(oldKey);
  expect(ciphertext.length).toBe(ciphertextLength(PLAINTEXT.length, header));
  expect(ciphertext.buffer.byteLength).toBe(ciphertext.length);
}

/** These keyrings open the message, and others do not. */
async function expectReaders(
  { ciphertext }: RewrapResult,
  readers: readonly Keyring[],
  options: DecryptOptions,
): Promise<void> {
  for (const keyring of [from, to, stranger]) {
    const work = decrypt(ciphertext, { ...options, keyring });
    if (readers.includes(keyring)) expect((await work).plaintext).toEqual(PLAINTEXT);
    else expect(await failureCode(work)).toBe('NO_DATA_KEY');
  }
}

describe('one shot', () => {
  it('takes views, and answers bytes of their own', async () => {
    const { ciphertext } = await encrypt(PLAINTEXT, { keyring: from, algorithmSuite: 0x0478 });
    const outer = new Uint8Array(ciphertext.length + 9).fill(0xee);
    outer.set(ciphertext, 4);
    const view = outer.subarray(4, 4 + ciphertext.length);
    for (const [, run] of WAYS) {
      const result = await run(view, { keyring: from, to, keepExisting: true });
      const expected = structuredClone(result);
      const saved = outer.slice();
      outer.fill(0);
      expect(structuredClone(result)).toEqual(expected);
      outer.set(saved);
      for (const { providerInfo, ciphertext } of [...result.remaining, ...result.header.encryptedDataKeys]) {
        expect(providerInfo.buffer.byteLength).toBe(providerInfo.length);
        expect(ciphertext.buffer.byteLength).toBe(ciphertext.length);
      }
      expect(result.header.messageId.buffer.byteLength).toBe(32);
    }
  });

  it('takes no message but a whole one', async () => {
    const { ciphertext } = await encrypt(PLAINTEXT, { keyring: from });
    const options = { keyring: from, to };
    const text = new TextEncoder().encode(Buffer.from(ciphertext).toString('base64'));
    for (const [, run] of WAYS) {
      expect(await failureCode(run(text, options))).toBe('BASE64_MESSAGE');
      expect(await failureCode(run(bytes(200), options))).toBe('INVALID_MESSAGE');
      expect(await failureCode(run(new Uint8Array(0), options))).toBe('TRUNCATED');
      expect(await failureCode(run(ciphertext, { ...options, keyring: stranger }))).toBe('NO_DATA_KEY');
      const altered = flip(ciphertext, ciphertext.length - 200);
      expect(await failureCode(run(altered, options))).toBe('AUTHENTICATION_FAILED');
    }
    const [, inOneShot] = WAYS[0]!;
    expect(await failureCode(inOneShot('text' as never, options))).toBe('INVALID_ARGUMENT');
  });

  it('tells of its progress through the old message, to its end', async () => {
    const { ciphertext } = await encrypt(bytes(3_000_000), { keyring: from, algorithmSuite: 0x0478 });
    for (const [way, run] of WAYS) {
      const told: { bytes: number; total?: number }[] = [];
      const onProgress = (progress: { bytes: number; total?: number }) => told.push(progress);
      await run(ciphertext, { keyring: from, to, onProgress });
      expect(told.length).toBeGreaterThan(1);
      expect(told.every(({ bytes }, i) => i === 0 || bytes > told[i - 1]!.bytes)).toBe(true);
      const total = way === 'in one shot' ? { total: 3_000_000 } : {};
      expect(told.at(-1)).toEqual({ bytes: 3_000_000, ...total });
    }
  });
});
