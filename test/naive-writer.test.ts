import { describe, expect, it } from 'vitest';
import { decrypt, encrypt, type Keyring } from '../src/index.ts';
import { aesKeyring, bytes, failureCode, flip, policyFor, SUITE_ROWS } from './support/messages.ts';
import { frames, writeNaively } from './support/naive.ts';

const UNSIGNED = SUITE_ROWS.filter(([, suite]) => suite.signature === undefined); // ECDSA draws a nonce
const keyring = aesKeyring();
const naive = { wrappingKey: bytes(32), keyNamespace: 'test', keyName: 'aes-1' };
const context = { b: '2', a: '1', '\u{10000}': 'after', '\uFFFF': 'before' };

describe('a second writer', () => {
  it.each(SUITE_ROWS)('%s: what it writes is read', async (_, suite) => {
    for (const length of [0, 5, 16, 50]) {
      const plaintext = bytes(length);
      const message = writeNaively({
        ...naive,
        suite,
        context,
        frameLength: 16,
        body: frames(plaintext, 16),
      });
      const opened = await decrypt(message, {
        keyring,
        commitmentPolicy: policyFor(suite),
        encryptionContext: context,
      });
      expect(opened.plaintext).toEqual(plaintext);
    }
  });

  it.each(UNSIGNED)(
    '%s: both write the same bytes from the same key, message id and signing key',
    async (_, suite) => {
      const dataKey = bytes(suite.keyLength, 7);
      const edk = { providerId: 'none', providerInfo: bytes(0), ciphertext: bytes(5) };
      const fixed: Keyring = {
        onEncrypt: async (materials) => ({
          ...materials,
          plaintextDataKey: dataKey,
          encryptedDataKeys: [edk],
        }),
        onDecrypt: async (materials) => materials,
      };
      const options = {
        keyring: fixed,
        algorithmSuite: suite.id,
        commitmentPolicy: policyFor(suite),
        frameLength: 16,
      };
      const { ciphertext, header } = await encrypt(bytes(50), options);
      const { messageId } = header;
      const other = writeNaively({
        ...naive,
        suite,
        dataKey,
        messageId,
        frameLength: 16,
        body: frames(bytes(50), 16),
      });
      const body = 50 + 3 * 32 + 40;
      expect(ciphertext.subarray(-body)).toEqual(other.subarray(-body));
    },
  );

  it.each(SUITE_ROWS)('%s: non-framed bodies are read', async (_, suite) => {
    const options = { keyring, commitmentPolicy: policyFor(suite) };
    for (const length of [0, 1, 1000]) {
      const message = writeNaively({ ...naive, suite, context, frameLength: 0, body: bytes(length) });
      const opened = await decrypt(message, options);
      expect(opened.plaintext).toEqual(bytes(length));
      expect(opened.header).toMatchObject({ contentType: 'non-framed', frameLength: 0 });
      expect(await failureCode(decrypt(flip(message, message.length - 1), options))).toBe(
        'AUTHENTICATION_FAILED',
      );
    }
  });
});

describe('bodies that do not frame', () => {
  const [, signed] = SUITE_ROWS.at(-1)!;
  const [, unsigned] = SUITE_ROWS.at(-2)!;

  it('count against maxFrameLength', async () => {
    const message = writeNaively({ ...naive, suite: unsigned, frameLength: 0, body: bytes(1001) });
    expect(await failureCode(decrypt(message, { keyring, maxFrameLength: 1000 }))).toBe('LIMIT_EXCEEDED');
    expect((await decrypt(message, { keyring, maxFrameLength: 1001 })).plaintext).toEqual(bytes(1001));
  });

  it('are released only after the signature', async () => {
    const body = bytes(100);
    const good = writeNaively({ ...naive, suite: signed, frameLength: 0, body });
    expect((await decrypt(good, { keyring })).plaintext).toEqual(body);
    const bad = writeNaively({ ...naive, suite: signed, frameLength: 0, body, spoilSignature: true });
    expect(await failureCode(decrypt(bad, { keyring }))).toBe('AUTHENTICATION_FAILED');
  });
});

describe('IVs on the wire', () => {
  const random = () => crypto.getRandomValues(new Uint8Array(12));
  const body = () => frames(bytes(50), 16).map((frame) => ({ ...frame, iv: random() }));

  it.each(SUITE_ROWS)(
    '%s: any frame IV in version 1, the sequence number alone in version 2',
    async (_, suite) => {
      const message = writeNaively({ ...naive, suite, frameLength: 16, body: body() });
      const work = decrypt(message, { keyring, commitmentPolicy: policyFor(suite) });
      if (suite.messageVersion === 1) expect((await work).plaintext).toEqual(bytes(50));
      else expect(await failureCode(work)).toBe('INVALID_MESSAGE');
    },
  );

  it.each(SUITE_ROWS)('%s: the header IV of version 1 is used as given', async (_, suite) => {
    const commitmentPolicy = policyFor(suite);
    const message = writeNaively({
      ...naive,
      suite,
      frameLength: 16,
      body: frames(bytes(9), 16),
      headerIv: random(),
    });
    const work = decrypt(message, { keyring, commitmentPolicy });
    if (suite.messageVersion === 1) expect((await work).plaintext).toEqual(bytes(9));
    else expect(await failureCode(work)).toBe('AUTHENTICATION_FAILED');
  });
});

describe('frames', () => {
  const [, suite] = SUITE_ROWS.at(-2)!;
  const f = frames(bytes(50), 16);
  const empty = new Uint8Array(0);

  it.each([
    ['swapped', [f[1]!, f[0]!, f[2]!, f[3]!], 'INVALID_MESSAGE'],
    ['repeated', [f[0]!, f[0]!, f[1]!, f[2]!, f[3]!], 'INVALID_MESSAGE'],
    ['missing', [f[0]!, f[2]!, f[3]!], 'INVALID_MESSAGE'],
    ['from 0', f.map((one) => ({ ...one, sequenceNumber: one.sequenceNumber - 1 })), 'INVALID_MESSAGE'],
    ['without the final one', f.slice(0, 3), 'TRUNCATED'],
    ['none', [], 'TRUNCATED'],
    ['a final one that is too long', [{ ...f[0]!, plaintext: bytes(17), final: true }], 'INVALID_MESSAGE'],
    ['a second final one', [...f, { ...f[3]!, sequenceNumber: 5 }], 'TRAILING_BYTES'],
  ])('%s', async (_, body, code) => {
    const message = writeNaively({ ...naive, suite, frameLength: 16, body });
    expect(await failureCode(decrypt(message, { keyring }))).toBe(code);
  });

  it('may end with an empty final frame', async () => {
    const whole = frames(bytes(32), 16).map((frame) => ({ ...frame, final: false }));
    const body = [...whole, { sequenceNumber: 3, plaintext: empty, final: true }];
    const message = writeNaively({ ...naive, suite, frameLength: 16, body });
    expect((await decrypt(message, { keyring })).plaintext).toEqual(bytes(32));
  });
});
