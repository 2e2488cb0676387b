/**
 * What a rewrap refuses, before it asks any key where it can; and what commitment policies make of it.
 */
import { describe, expect, it } from 'vitest';
import {
  type CommitmentPolicy,
  decrypt,
  encrypt,
  type FramesealError,
  parseHeader,
  type RewrapOptions,
  type RewrapStreamOptions,
  rewrap,
  rewrapStream,
} from '../../src/index.ts';
import { aesKeyring, bytes, failure, failureCode, policyFor, SUITE_ROWS } from '../support/messages.ts';
import { frames, writeNaively } from '../support/naive.ts';
import { WAYS } from '../support/rewrap.ts';
import { spied } from '../support/sidecars.ts';

const from = aesKeyring(1);
const to = aesKeyring(2);
const FORBID = 'FORBID_ENCRYPT_ALLOW_DECRYPT';
const ALLOW = 'REQUIRE_ENCRYPT_ALLOW_DECRYPT';
const REQUIRE = 'REQUIRE_ENCRYPT_REQUIRE_DECRYPT';

const write = async (algorithmSuite: number, commitmentPolicy: CommitmentPolicy) =>
  (await encrypt(bytes(100), { keyring: from, algorithmSuite, commitmentPolicy })).ciphertext;

describe('a data key that cannot stay', () => {
  const cases: readonly (readonly [string, number, CommitmentPolicy, Partial<RewrapOptions>, string])[] = [
    [
      'of a signed message',
      0x0578,
      REQUIRE,
      {},
      'is signed (ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY_ECDSA_P384)',
    ],
    ['of a signed message of version 1', 0x0378, FORBID, {}, 'is signed'],
    ['without KDF', 0x0078, FORBID, {}, 'has no KDF'],
    ['of a suite that may not be written', 0x0178, ALLOW, {}, 'cannot serve'],
    ['of a committing suite that may not be written', 0x0478, FORBID, {}, 'cannot serve'],
    ['of another suite', 0x0178, FORBID, { algorithmSuite: 0x0114 }, 'cannot serve'],
    [
      'of another suite with the same length of key',
      0x0178,
      FORBID,
      { algorithmSuite: 0x0378 },
      'cannot serve',
    ],
  ];

  it.each(cases)('%s: is said, and what to do', async (_, suite, commitmentPolicy, more, why) => {
    const message = await write(suite, suite >= 0x0400 ? REQUIRE : FORBID);
    const asked = spied(to);
    for (const [, run] of WAYS) {
      const options = { keyring: from, to: asked, commitmentPolicy, ...more };
      for (const [wishes, wish] of [
        [{ keepExisting: true }, '"keepExisting" is true'],
        [{ freshDataKey: false }, '"freshDataKey" is false'],
        [{ keepExisting: true, freshDataKey: false }, '"keepExisting" is true'],
      ] as const) {
        const error = await failure(run(message, { ...options, ...wishes }));
        expect(error.code).toBe('UNSUPPORTED');
        expect(error.message).toContain(`${wish}, and `);
        expect(error.message).toContain(why);
        expect(error.message).toContain('leave that out for a new data key, or add keys');
        expect(error.message).toContain('addWrappingKeys');
      }
      expect(asked.wraps.count).toBe(0);
      const result = await run(message, { ...options, to });
      expect(result.dataKey).toBe('new');
    }
  });

  it('is found out by a stream at the header, and nothing is released', async () => {
    const message = await write(0x0578, REQUIRE);
    const stream = rewrapStream({ keyring: from, to, keepExisting: true });
    const writer = stream.writable.getWriter();
    writer.closed.catch(() => {});
    writer.write(message.subarray(0, parseHeader(message).headerLength)).catch(() => {});
    expect(await failureCode(stream.readable.getReader().read())).toBe('UNSUPPORTED');
    expect(await failureCode(stream.result)).toBe('UNSUPPORTED');
    expect(await failureCode(stream.header)).toBe('UNSUPPORTED');
  });
});

describe('what can be told at once', () => {
  const options = { keyring: from, to };
  const cases: readonly (readonly [string, object, FramesealError['code'], string])[] = [
    [
      'keepExisting with freshDataKey',
      { keepExisting: true, freshDataKey: true },
      'INVALID_ARGUMENT',
      'keepExisting',
    ],
    ['a misspelt option', { keepExistng: true }, 'INVALID_ARGUMENT', 'keepExistng'],
    ['the option of addWrappingKeys', { add: to }, 'INVALID_ARGUMENT', '"add"'],
    ['no "to"', { to: undefined }, 'INVALID_ARGUMENT', '"to" expected a keyring'],
    ['"to" that is null', { to: null }, 'INVALID_ARGUMENT', '"to" expected a keyring'],
    [
      '"to" that is no keyring',
      { to: { onEncrypt: () => {} } },
      'INVALID_ARGUMENT',
      '"to" expected a keyring',
    ],
    ['no keyring to read with', { keyring: undefined }, 'INVALID_ARGUMENT', '"keyring"'],
    ['keepExisting that is no boolean', { keepExisting: 1 }, 'INVALID_ARGUMENT', '"keepExisting"'],
    ['keepExisting that is null', { keepExisting: null }, 'INVALID_ARGUMENT', '"keepExisting"'],
    ['freshDataKey that is no boolean', { freshDataKey: 'no' }, 'INVALID_ARGUMENT', '"freshDataKey"'],
    ['freshDataKey that is null', { freshDataKey: null }, 'INVALID_ARGUMENT', '"freshDataKey"'],
    ['a suite that is none', { algorithmSuite: 0x0479 }, 'INVALID_ARGUMENT', '"algorithmSuite"'],
    [
      'a suite that the policy does not write',
      { algorithmSuite: 0x0178 },
      'COMMITMENT_POLICY',
      'does not write',
    ],
    ['a frame length of 0', { frameLength: 0 }, 'INVALID_ARGUMENT', '"frameLength"'],
    ['a frame length of 2^31', { frameLength: 2 ** 31 }, 'INVALID_ARGUMENT', '"frameLength"'],
    [
      'a frame length above the limit',
      { frameLength: 101, maxFrameLength: 100 },
      'LIMIT_EXCEEDED',
      '"frameLength"',
    ],
    ['a sidecar that is none', { sidecar: bytes(9) }, 'SIDECAR_MISMATCH', 'sidecar'],
    ['an aborted signal', { signal: AbortSignal.abort() }, 'ABORTED', 'aborted'],
  ];

  it.each(cases)('%s', async (_, wrong, code, text) => {
    const message = await write(0x0478, REQUIRE);
    const reader = spied(from);
    const writer = spied(to);
    const given = { ...options, keyring: reader, to: writer, ...wrong } as RewrapStreamOptions;
    for (const work of [() => rewrap(message, given), () => rewrapStream(given)]) {
      const error = await failure(work);
      expect(error.code).toBe(code);
      expect(error.message).toContain(text);
    }
    expect([reader.requests.length, writer.wraps.count]).toEqual([0, 0]);
  });

  it('no options at all', async () => {
    expect(await failureCode(() => rewrap(bytes(1), undefined as never))).toBe('INVALID_ARGUMENT');
    expect(await failureCode(() => rewrapStream(undefined as never))).toBe('INVALID_ARGUMENT');
  });

  it('options of a stream: how signed ones are held, and how much', async () => {
    for (const wrong of [{ signedStreams: 'hold' }, { maxHeldBytes: -1 }])
      expect(await failureCode(() => rewrapStream({ ...options, ...wrong } as never))).toBe(
        'INVALID_ARGUMENT',
      );
  });
});

describe.each([REQUIRE, ALLOW, FORBID] as const)('under %s', (commitmentPolicy) => {
  it.each(SUITE_ROWS)('suite %s', async (_, suite) => {
    const message = await write(suite.id, policyFor(suite));
    const asked = spied(to);
    const reads = suite.committing || commitmentPolicy !== REQUIRE;
    const writes = suite.committing === (commitmentPolicy !== FORBID);
    const keeps = writes && suite.signature === undefined && suite.kdf !== undefined;
    const suiteId = writes ? suite.id : commitmentPolicy === FORBID ? 0x0378 : 0x0578;
    for (const [, run] of WAYS) {
      const work = run(message, { keyring: from, to: asked, commitmentPolicy });
      if (!reads) {
        expect(await failureCode(work)).toBe('COMMITMENT_POLICY');
        expect(asked.wraps.count).toBe(0);
        continue;
      }
      const result = await work;
      expect(result).toMatchObject({ dataKey: keeps ? 'kept' : 'new', header: { suiteId } });
      const opened = await decrypt(result.ciphertext, { keyring: to, commitmentPolicy });
      expect(opened.plaintext).toEqual(bytes(100));
      const fresh = await run(message, { keyring: from, to, commitmentPolicy, freshDataKey: true });
      expect(fresh).toMatchObject({ dataKey: 'new', header: { suiteId } });
    }
  });
});

describe('keys of the context that the format reserves', () => {
  const PUBLIC_KEY = 'aws-crypto-public-key';

  it.each(WAYS)('%s: the old verification key goes, and a signed message gets its own', async (_, run) => {
    const message = await write(0x0578, REQUIRE);
    const old = parseHeader(message).encryptionContext[PUBLIC_KEY];
    const signed = await run(message, { keyring: from, to });
    expect(signed.header.encryptionContext[PUBLIC_KEY]).toMatch(/^[A-Za-z0-9+/]{65}/);
    expect(signed.header.encryptionContext[PUBLIC_KEY]).not.toBe(old);
    const unsigned = await run(message, { keyring: from, to, algorithmSuite: 0x0478 });
    expect(Object.keys(unsigned.header.encryptionContext)).toEqual([]);
    for (const { ciphertext } of [signed, unsigned])
      expect((await decrypt(ciphertext, { keyring: to })).plaintext).toEqual(bytes(100));
    const again = await run(unsigned.ciphertext, { keyring: to, to: from, algorithmSuite: 0x0578 });
    expect(again.header.encryptionContext[PUBLIC_KEY]).toBeDefined();
    expect((await decrypt(again.ciphertext, { keyring: from })).plaintext).toEqual(bytes(100));
  });

  it.each(WAYS)('%s: others, which other writers have stored, fail it', async (_, run) => {
    const key = 'aws-crypto-\u202eother';
    for (const [, suite] of SUITE_ROWS) {
      const message = writeNaively({
        suite,
        wrappingKey: bytes(32),
        keyNamespace: 'test',
        keyName: 'aes-1',
        context: { plain: 'a', [key]: 'b' },
        frameLength: 20,
        body: frames(bytes(50), 20),
      });
      const commitmentPolicy = policyFor(suite);
      const options = { keyring: from, commitmentPolicy };
      expect((await decrypt(message, options)).plaintext).toEqual(bytes(50));
      const asked = spied(to);
      for (const freshDataKey of [undefined, true]) {
        const error = await failure(run(message, { ...options, to: asked, freshDataKey }));
        expect(error.code).toBe('UNSUPPORTED');
        expect(error.message).toContain('"aws-crypto-\\u{202e}other", which the format reserves');
      }
      expect(asked.wraps.count).toBe(0);
    }
  });
});
